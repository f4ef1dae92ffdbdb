//! Channels that are dead: a recovery goes on, nothing is lost, and nothing is told twice.

use std::net::{SocketAddr, TcpListener};

use jiff::ToSpan as _;
use lifeboat::model::{EventBody, Letter, LetterState};
use lifeboat::runtime::Status;

use crate::http::{Ill, Server};
use crate::scene::Scene;
use crate::webhook::{ok, settings};

const DOWN: &str = r#"notify("people", "primary is down", #{ severity: "critical", key: "primary-down" });"#;
const NOTHING: &str = "now();";

fn texts(server: &Server) -> Vec<String> {
    server.requests().iter().map(|request| request.json()["message"].as_str().expect("a text").to_owned()).collect()
}

/// An address at which nothing listens, for now.
fn nowhere() -> SocketAddr {
    TcpListener::bind("127.0.0.1:0").and_then(|listener| listener.local_addr()).expect("a port that is free again")
}

/// A scene whose channel is at `address`.
fn at(address: SocketAddr) -> Scene {
    Scene::with(&format!("driver = \"webhook\"\nurl = \"http://{address}/hook\""))
}

#[test]
fn a_message_that_fails_is_delivered_before_the_run_is_over() {
    let server = Server::start(ok()).ill([Ill::HangsUp]);
    let scene = Scene::with(&settings(&server, ""));
    let ran = scene.run(DOWN);
    assert_eq!((ran.status, scene.told(), ran.undelivered), (Status::Completed, vec![(false, true)], vec![]));
    assert_eq!(texts(&server), ["primary is down"]);
    let letter = scene.letters().pop().expect("it is remembered");
    assert_eq!((letter.state, letter.late, letter.attempts), (LetterState::Delivered, true, 2));
    assert!(matches!(scene.events().pop().map(|event| event.body), Some(EventBody::Ended { .. })), "after its end");
}

#[test]
fn a_message_that_nobody_took_is_delivered_by_the_next_run() {
    let address = nowhere();
    let scene = at(address);
    let ran = scene.run(DOWN);
    assert_eq!((ran.status, ran.undelivered.len()), (Status::Completed, 1));
    let letter = scene.waiting().pop().expect("it waits");
    assert!(letter.detail.contains("cannot be reached: connection refused") && !letter.doubtful, "{letter:?}");
    let server = Server::start_at(address, ok());
    assert_eq!(scene.run(NOTHING).undelivered, []);
    assert_eq!((texts(&server), scene.waiting()), (vec!["primary is down".to_owned()], vec![]));
    assert_eq!(server.requests()[0].headers["idempotency-key"], letter.key.as_str(), "the key of its own run");
    scene.run(NOTHING);
    assert_eq!(texts(&server).len(), 1, "and never again");
}

#[test]
fn a_dead_channel_is_tried_once_and_not_for_each_message() {
    let server = Server::start(ok()).ill(std::iter::repeat_n(Ill::FallsSilent, 50));
    let scene = Scene::with(&settings(&server, "timeout = \"200ms\""));
    let ran = scene.run("for n in 0..20 { notify(`people`, `table ${n}`); }");
    assert_eq!((ran.status, ran.undelivered.len()), (Status::Completed, 20));
    assert_eq!(scene.told(), [(false, true); 20]);
    assert!(
        texts(&server).iter().all(|text| text == "table 0"),
        "the others wait behind the first: {:?}",
        texts(&server)
    );
    let second = &scene.letters()[1];
    assert!(second.detail.contains("could not be told anything just now") && second.attempts == 0, "{second:?}");
}

#[test]
fn messages_arrive_in_the_order_in_which_they_were_written() {
    let server = Server::start(ok()).ill([Ill::HangsUp]);
    let scene = Scene::with(&settings(&server, ""));
    scene.run(&format!(r#"{DOWN} notify("people", "else"); resolve("people", "primary-down", "primary is back");"#));
    assert_eq!(texts(&server), ["primary is down", "else", "primary is back"]);
}

#[test]
fn a_channel_that_is_gone_keeps_the_others_from_nothing() {
    let server = Server::start(ok()).ill([Ill::HangsUp]);
    let dead = format!("[environments.test.channels.dead]\ndriver = \"webhook\"\nurl = \"http://{}/\"", nowhere());
    let scene = Scene::with(&settings(&server, &dead));
    let ran = scene.run(&format!(r#"notify("dead", "hello?"); {DOWN}"#));
    assert_eq!((texts(&server).len(), ran.undelivered.len()), (1, 1));
    assert_eq!(ran.undelivered[0].channel, "dead");
}

#[test]
fn a_call_that_is_repeated_tells_once() {
    let server = Server::start(ok());
    let scene = Scene::with(&settings(&server, ""));
    let ran = scene.run(r#"retry(#{ times: 3, every: "1ms" }, || { notify("people", "trying"); throw "again"; });"#);
    assert_ne!(ran.status, Status::Completed);
    assert_eq!((texts(&server).len(), scene.told().len()), (1, 3), "all attempts of one call have one key");
}

/// Leaves the letter as a process leaves it that is killed in the middle of an attempt.
fn claimed(scene: &Scene, until: jiff::Timestamp) -> Letter {
    let letter = scene.waiting().pop().expect("it waits");
    let claim =
        Letter { attempts: letter.attempts + 1, under_way: true, doubtful: true, next: until, ..letter.clone() };
    assert!(scene.journal.change_letter(&claim, letter.attempts).expect("it changes"));
    claim
}

#[test]
fn an_attempt_that_a_crash_interrupted_is_repeated_and_says_so() {
    let address = nowhere();
    let scene = at(address);
    scene.run(DOWN);
    claimed(&scene, jiff::Timestamp::now() - 1.second());
    let server = Server::start_at(address, ok());
    scene.run(NOTHING);
    assert_eq!(texts(&server).len(), 1, "better twice than never; its key says that it is the same");
    assert_eq!(
        scene.letters().pop().map(|letter| (letter.state, letter.doubtful)),
        Some((LetterState::Delivered, false))
    );
}

#[test]
fn an_attempt_of_another_process_is_left_alone() {
    let address = nowhere();
    let scene = at(address);
    scene.run(DOWN);
    let claim = claimed(&scene, jiff::Timestamp::now() + 1.minute());
    let server = Server::start_at(address, ok());
    scene.run(NOTHING);
    scene.lifeboat().send_outbox(None).expect("it looks");
    assert_eq!((texts(&server).len(), scene.waiting()), (0, vec![claim]));
}

#[test]
fn a_message_of_yesterday_waits_for_a_person() {
    let address = nowhere();
    let scene = at(address);
    scene.run(DOWN);
    let letter = scene.waiting().pop().expect("it waits");
    let old = Letter { written: letter.written - 25.hours(), ..letter.clone() };
    assert!(scene.journal.change_letter(&old, letter.attempts).expect("it changes"));
    let server = Server::start_at(address, ok());
    scene.run(NOTHING);
    assert_eq!((texts(&server).len(), scene.waiting().len()), (0, 1), "what it says has been overtaken");
    let sent = scene.lifeboat().send_outbox(Some("test")).expect("it is tried");
    assert_eq!((sent.delivered.len(), texts(&server).len()), (1, 1));
}

#[test]
fn a_person_can_drop_what_need_not_be_told_any_more() {
    let scene = at(nowhere());
    let ran = scene.run(&format!(r#"{DOWN} notify("people", "else");"#));
    let lifeboat = scene.lifeboat();
    let wrong = lifeboat.drop_outbox(None, &["9/9".to_owned()]).expect_err("no such key");
    assert_eq!(wrong.to_string(), "nothing waits in the outbox as `9/9`");
    let dropped = lifeboat.drop_outbox(None, &[format!("{}/0", ran.id)]).expect("it is dropped");
    assert_eq!(dropped.len(), 1);
    assert_eq!(lifeboat.outbox(None).expect("it reads").len(), 1);
    assert_eq!(lifeboat.drop_outbox(None, &[ran.id.to_string()]).expect("all of the run").len(), 1);
    assert_eq!(scene.waiting(), []);
}
