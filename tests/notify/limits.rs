//! What is not sent twice, and what is too much.

use crate::http::Server;
use crate::scene::Scene;
use crate::slack_server::{Post, Slack};
use crate::webhook::{ok, settings};

const SAID: (bool, bool) = (true, false);
const QUEUED: (bool, bool) = (false, true);

fn texts(server: &Server) -> Vec<String> {
    server.requests().iter().map(|request| request.json()["message"].as_str().expect("a text").to_owned()).collect()
}

#[test]
fn the_same_text_with_the_same_key_is_said_once() {
    let server = Server::start(ok());
    let scene = Scene::with(&settings(&server, ""));
    let runbook = r#"
        notify("people", "lag 7 s", #{ key: "lag" });
        notify("people", "lag 7 s", #{ key: "lag" });
        notify("people", "lag 9 s", #{ key: "lag" });
        notify("people", "lag 7 s", #{ key: "lag" });
        notify("people", "lag 7 s", #{ key: "other" });
        notify("people", "lag 7 s");
        notify("people", "lag 7 s");
    "#;
    scene.run(runbook);
    assert_eq!(scene.told(), [SAID; 7], "whoever asks was told, or had been told");
    // The second one, and no other: a state that changed back is news, and so is a text about nothing in particular.
    assert_eq!(texts(&server), ["lag 7 s", "lag 9 s", "lag 7 s", "lag 7 s", "lag 7 s", "lag 7 s"]);
    // The next run a moment later says the same as the last message with that key.
    scene.run(r#"notify("people", "lag 7 s", #{ key: "lag" });"#);
    assert_eq!((texts(&server).len(), scene.letters().len()), (6, 6));
    scene.run(r#"resolve("people", "lag", "over"); notify("people", "lag 7 s", #{ key: "lag" });"#);
    assert_eq!(texts(&server)[6..], ["over", "lag 7 s"], "a problem that comes back is news");
}

#[test]
fn a_channel_can_want_every_repetition() {
    let server = Server::start(ok());
    let scene = Scene::with(&settings(&server, "repeat_after = \"0s\""));
    scene.run(&r#"notify("people", "lag 7 s", #{ key: "lag" });"#.repeat(3));
    assert_eq!(texts(&server).len(), 3);
}

#[test]
fn a_drill_rehearses_what_was_just_said() {
    let server = Server::start(ok());
    let scene = Scene::configured("drill = true", &settings(&server, ""));
    let runbook = scene.project.write("runbooks/tell.rhai", r#"notify("people", "down", #{ key: "k" });"#);
    for _ in 0..2 {
        scene.lifeboat().drill(&lifeboat::runtime::RunRequest::new(&runbook)).expect("it is started");
    }
    assert_eq!(texts(&server).len(), 2);
    assert_eq!(server.requests()[0].json()["drill"], true);
}

#[test]
fn what_is_too_much_for_people_is_gathered_and_critical_messages_pass() {
    let slack = Slack::start();
    let scene = Scene::with(&slack.by_webhook("at_most = { messages = 2, per = \"1h\" }"));
    let ran = scene.run(
        r#"
        for n in 1..6 { notify("people", `table ${n} is copied`); }
        notify("people", "disk full", #{ severity: "critical" });
        notify("people", "somebody must know", #{ required: true });
        "#,
    );
    assert_eq!(scene.told(), [SAID, SAID, QUEUED, QUEUED, QUEUED, SAID, SAID]);
    let posts = slack.posts();
    let heads: Vec<&str> = posts.iter().map(Post::head).collect();
    let expected = [
        "🔵 *[info] test: table 1 is copied*",
        "🔵 *[info] test: table 2 is copied*",
        "🔴 *[critical] test: disk full*",
        "🔵 *[info] test: somebody must know*",
        "🔵 *[info] test: 3 messages that were held back*",
    ];
    assert_eq!(heads, expected, "the rest comes as one message, when the run is over");
    let listed: Vec<&str> = posts[4].text.lines().filter(|line| line.starts_with('•')).collect();
    assert_eq!(listed.len(), 3);
    assert!(listed[0].ends_with("[info] table 3 is copied") && listed[2].ends_with("[info] table 5 is copied"));
    assert_eq!(ran.undelivered, []);
    assert!(scene.letters()[2..5].iter().all(|letter| letter.late && letter.attempts == 1));
}

#[test]
fn what_is_too_much_for_a_system_waits_its_turn() {
    let server = Server::start(ok());
    let scene = Scene::with(&settings(&server, "at_most = { messages = 1, per = \"1h\" }"));
    let ran = scene.run(
        r#"
        notify("people", "one");
        notify("people", "two", #{ key: "k" });
        resolve("people", "k", "three");
        "#,
    );
    assert_eq!(scene.told(), [SAID, QUEUED, QUEUED]);
    assert_eq!((texts(&server), ran.undelivered.len()), (vec!["one".to_owned()], 2), "no system reads digests");
    let sent = scene.lifeboat().send_outbox(None).expect("it is tried");
    assert_eq!((sent.delivered.len(), sent.waiting.len()), (2, 0));
    assert_eq!(texts(&server), ["one", "two", "three"], "an end never comes before its beginning");
}
