//! Slack: what people read, in which thread, and what is made of Slack's refusals.

use lifeboat::runtime::Status;

use crate::http::Ill;
use crate::scene::Scene;
use crate::slack_server::{CHANNEL, Slack, TOKEN, WEBHOOK};

const DOWN: &str = r#"notify("people", "primary is down", #{ severity: "critical", key: "primary-down" });"#;
const UP: &str = r#"resolve("people", "primary-down", "primary is back");"#;

#[test]
fn people_read_what_where_and_who_on_their_phones() {
    let slack = Slack::start();
    let scene = Scene::with(&slack.by_token("mention = \"<!here>\""));
    let ran = scene.run(
        r#"notify("people", "primary <is> down", #{ severity: "critical", details: #{ orders: 7, host: "db-1" } });"#,
    );
    assert_eq!((ran.status, scene.told()), (Status::Completed, vec![(true, false)]));
    let text = slack.posts()[0].text.clone();
    let lines: Vec<&str> = text.lines().collect();
    assert_eq!(lines[..3], ["🔴 *[critical] test: primary &lt;is&gt; down* <!here>", "• host: db-1", "• orders: 7"]);
    assert!(lines[3].starts_with(&format!("_test · tell.rhai · run {} · ", ran.id)), "{text}");
}

#[test]
fn messages_with_one_key_are_one_thread_until_it_is_resolved() {
    let slack = Slack::start();
    let scene = Scene::with(&slack.by_token(""));
    scene.run(&format!(
        r#"{DOWN}
        notify("people", "restoring", #{{ key: "primary-down" }});
        notify("people", "something else");
        notify("people", "web is slow", #{{ key: "web-slow" }});
        {UP}"#
    ));
    // Another run goes on with a thread that is not resolved, and begins a new one for a problem that comes back.
    scene.run(&format!(r#"notify("people", "web is fast", #{{ key: "web-slow" }}); {DOWN}"#));
    let posts = slack.posts();
    let threads: Vec<_> = posts.iter().map(|post| (post.thread.as_deref(), post.broadcast)).collect();
    let (down, slow) = (Some(posts[0].ts.as_str()), Some(posts[3].ts.as_str()));
    let expected =
        [(None, false), (down, false), (None, false), (None, false), (down, true), (slow, false), (None, false)];
    assert_eq!(threads, expected, "the end of a problem is seen in the channel, too");
}

#[test]
fn a_thread_whose_beginning_is_gone_is_left() {
    let slack = Slack::start();
    let scene = Scene::with(&slack.by_token(""));
    scene.run(DOWN);
    slack.remove(&slack.posts()[0].ts);
    scene.run(UP);
    assert_eq!(slack.posts()[1].thread, None, "what is said is more important than where");
    assert_eq!(scene.told(), [(true, false)]);
}

#[test]
fn a_webhook_shows_the_key_because_it_has_no_threads() {
    let slack = Slack::start();
    let scene = Scene::with(&slack.by_webhook(""));
    scene.run(&format!("{DOWN}\n{UP}"));
    let expected = [
        "🔴 *[critical] test: primary is down* (primary-down)",
        "✅ *[resolved] test: primary is back* (primary-down)",
    ];
    assert_eq!(slack.heads(), expected);
    assert!(slack.posts().iter().all(|post| post.thread.is_none()));
}

#[test]
fn what_slack_refuses_with_status_200_is_not_delivered() {
    let slack = Slack::start();
    let scene = Scene::with(&slack.by_token("").replace(TOKEN, "xoxb-revoked-token"));
    assert_eq!(scene.run(DOWN).status, Status::Completed, "nobody needs to be told for a recovery to go on");
    assert_eq!(scene.told(), [(false, true)]);
    let letter = scene.waiting().pop().expect("it waits");
    assert_eq!(letter.detail, "people was not told: Slack said invalid_auth");
    assert!(!letter.doubtful, "Slack said that it did not take it");

    let scene = Scene::with(&slack.by_token("").replace(CHANNEL, "C9999999999"));
    let ran = scene.run(r#"notify("people", "primary is down", #{ required: true });"#);
    assert_eq!(ran.status, Status::RolledBack);
    let failed = format!("{:?}", ran.verdict);
    assert!(failed.contains("Slack said channel_not_found") && failed.contains("invite the bot to it"), "{failed}");
    assert_eq!(scene.letters(), [], "what is required is not sent behind the runbook's back");
}

#[test]
fn a_limit_of_slack_s_own_is_waited_for() {
    let slack = Slack::start();
    let limited = || Ill::Answers("429 Too Many Requests", "Retry-After: 240\r\n", String::new());
    slack.falls_ill([limited(), limited()]);
    let scene = Scene::with(&slack.by_webhook(""));
    scene.run(DOWN);
    let letter = scene.waiting().pop().expect("it waits");
    let pause = letter.next.duration_since(letter.tried.expect("it was tried"));
    assert!((239..=245).contains(&pause.as_secs()), "as Slack asked: {pause:?}");
    assert_eq!(letter.attempts, 2, "at once, and at the end of the run");
    scene.lifeboat().send_outbox(None).expect("it is tried again");
    assert_eq!(slack.posts().len(), 1);
}

#[test]
fn nothing_that_gives_access_is_kept_or_shown() {
    let slack = Slack::start();
    let echo = |what: &str| Ill::Answers("500 Internal Server Error", "", format!("no {what} here"));
    slack.falls_ill([echo(&format!("POST {WEBHOOK}")), echo("s3cr3tS3cr3t")]);
    let scene = Scene::with(&slack.by_webhook(""));
    scene.run(DOWN);
    let kept = format!("{:?}{:?}", scene.letters(), scene.events());
    assert!(kept.contains("[hidden]") && !kept.contains("s3cr3t"), "{kept}");
}

#[test]
fn half_of_the_settings_is_refused() {
    let refused = |settings: &str| Scene::with(&format!("driver = \"slack\"\n{settings}")).refused(DOWN);
    for (settings, why) in [
        ("", "channel `people` has neither `url` nor `token`"),
        ("token = \"xoxb-1\"", "channel `people` has a `token` and no `channel`"),
        ("url = \"https://x/y\"\nchannel = \"C1\"", "channel `people` has a `url`, and a `token` or `channel` besides"),
        ("url = \"xoxb-1\"", "`url` of channel `people` is not an address"),
        ("url = \"https://x/y\"\ntimeout = \"2m\"", "must be longer than nothing and at most 30s"),
        ("url = \"https://x/y\"\nat_most = { messages = 0, per = \"1m\" }", "lets no message through"),
    ] {
        let said = refused(settings);
        assert!(said.contains(why), "{settings}: {said}");
    }
}
