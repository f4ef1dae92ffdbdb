//! `during`: people are told how it goes while a block runs, and the block does not notice.

use std::io::{Read as _, Write as _};
use std::net::TcpListener;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use lifeboat::model::{Event, EventBody, Halt, Value, Verdict};
use lifeboat::runtime::Status;

use crate::trial::{Told, Trial};
use crate::valve::Does;

fn updates(told: &Told) -> Vec<(u32, String, bool, String)> {
    let update = |event: &Event| match &event.body {
        EventBody::Updated { number, message, delivered, detail, .. } => {
            Some((*number, message.clone(), *delivered, detail.clone()))
        }
        _ => None,
    };
    told.heard.iter().filter_map(update).collect()
}

#[test]
fn updates_say_the_step_and_how_long_it_has_been_under_way() {
    let runbook = r#"
        during(#{ every: "5ms", notify: "incidents", message: "still restoring", key: "primary-down" }) {
            step "Wait" { sleep("1h"); }
        }"#;
    // After a dozen events, most of them updates, it is asked to stop.
    let told = Trial::of(runbook).stop_at(12).run();
    assert_eq!(told.status(), Status::Cancelled, "{:?}", told.recorded());
    let sent = updates(&told);
    let in_step = sent.iter().filter(|sent| sent.1.starts_with("still restoring: step 1 \"Wait\" for ")).count();
    assert!(in_step >= 5, "{sent:?}");
    for (n, (number, message, delivered, _)) in sent.iter().enumerate() {
        assert_eq!((*number as usize, *delivered), (n + 1, true));
        assert!(message.starts_with("still restoring: "), "{message}");
    }
    let file = told.project.read("incidents.jsonl");
    let messages: Vec<serde_json::Value> = file.lines().map(|line| serde_json::from_str(line).expect("JSON")).collect();
    let first = &messages[0];
    assert_eq!((first["key"].as_str(), first["severity"].as_str()), (Some("primary-down"), Some("info")));
    assert_eq!(first["details"]["run"].as_str(), Some(told.ran().id.as_str()));
    let sleeping = |message: &serde_json::Value| {
        message["details"]["now"].as_str().is_some_and(|now| now.starts_with("sleep for "))
    };
    assert!(messages.iter().filter(|message| sleeping(message)).count() >= 5, "{file}");
    assert_eq!(first["idempotency_key"].as_str(), Some(format!("{}/0.1", told.ran().id).as_str()));
}

#[test]
fn a_block_that_is_shorter_tells_nobody_and_gives_its_value() {
    let runbook = r#"
        let n = 1;
        let value = during(#{ every: "1h", notify: "incidents", message: "m" }) { n += 1; turn("north", "open"); n * 2 };
        `${value} ${n}`"#;
    let told = Trial::of(runbook).run();
    assert_eq!(told.ran().verdict, Verdict::Completed(Value::from("4 2")), "it shares the scope around it");
    assert!(updates(&told).is_empty() && told.project.read("incidents.jsonl").is_empty());
    assert_eq!(
        told.recorded(),
        [
            "started runbooks/trial.rhai",
            "enter during m",
            "intend turn north open",
            "settle turn north: closed",
            "leave m: completed",
            "end completed",
        ]
    );
}

#[test]
fn the_calls_of_the_block_have_the_same_keys_whatever_was_sent() {
    let keys = |every: &str| {
        let runbook = format!(
            r#"during(#{{ every: "{every}", notify: "incidents", message: "m" }}) {{
                turn("north", "open");
                sleep("20ms");
                turn("south", "open");
            }}
            turn("north", "closed");"#
        );
        let told = Trial::of(&runbook).run();
        assert_eq!(told.status(), Status::Completed);
        told.attempted_keys()
    };
    assert_eq!(keys("1ms"), ["1", "3", "4"]);
    assert_eq!(keys("1h"), ["1", "3", "4"]);
}

#[test]
fn an_update_that_cannot_be_delivered_is_recorded_and_nothing_more() {
    let nobody = "[environments.test.channels.pager]\ndriver = \"webhook\"\nurl = \"http://127.0.0.1:1/\"";
    let runbook = r#"during(#{ every: "2ms", notify: "pager", message: "m" }) { sleep("1h"); }"#;
    let told = Trial::of(runbook).table(nobody).stop_at(2).run();
    assert_eq!((told.status(), halt(&told)), (Status::Cancelled, &Halt::Cancelled));
    let sent = updates(&told);
    assert!(sent.iter().all(|(_, _, delivered, why)| !delivered && !why.is_empty()), "{sent:?}");
}

fn halt(told: &Told) -> &Halt {
    let Verdict::Halted { halt, .. } = &told.ran().verdict else { panic!("{:?}", told.ran().verdict) };
    halt
}

#[test]
fn they_end_with_the_block_whatever_way_it_ends() {
    for (ending, does) in [
        ("throw \"it leaks\";", vec![]),
        ("turn(\"north\", \"open\");", vec![Does::Sticks]),
        ("turn(\"north\", \"open\");", vec![Does::FallsSilent]),
        ("return 5;", vec![]),
    ] {
        let runbook =
            format!(r#"during(#{{ every: "1ms", notify: "incidents", message: "m" }}) {{ sleep("10ms"); {ending} }}"#);
        let told = Trial::of(&runbook).unwitnessed_north(&does).run();
        let recorded = told.recorded();
        let left = recorded.iter().position(|line| line.starts_with("leave m")).expect("it was left");
        assert!(recorded[left..].iter().all(|line| !line.starts_with("update")), "{ending}: {recorded:?}");
        assert_eq!(told.recorded_end(), format!("end {}", told.status().name()), "{ending}");
    }
}

/// A service that is well only once a message was brought to it, which it never answers.
fn speechless() -> (std::net::SocketAddr, Arc<AtomicBool>) {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let address = listener.local_addr().expect("its address");
    let told = Arc::new(AtomicBool::new(false));
    let shared = told.clone();
    std::thread::spawn(move || {
        let mut kept = Vec::new();
        for mut stream in listener.incoming().flatten() {
            let mut head = [0; 4];
            if stream.read_exact(&mut head).is_err() {
                continue;
            }
            if &head == b"POST" {
                shared.store(true, Ordering::SeqCst);
                kept.push(stream);
                continue;
            }
            let _ = stream.read(&mut [0; 4096]);
            let status = if shared.load(Ordering::SeqCst) { "200 OK" } else { "503 Not yet" };
            let _ = write!(stream, "HTTP/1.1 {status}\r\nContent-Length: 2\r\nConnection: close\r\n\r\nok");
        }
    });
    (address, told)
}

#[test]
fn a_channel_that_takes_for_ever_does_not_keep_the_block() {
    let (address, told_it) = speechless();
    let tables = format!(
        "[environments.test.channels.pager]\ndriver = \"webhook\"\nurl = \"http://{address}/\"\ntimeout = \"30s\"\n\
         [environments.test.services.pager-service]\ndriver = \"http\"\nurl = \"http://{address}/\""
    );
    let runbook = r#"
        during(#{ every: "1ms", notify: "pager", message: "m" }) {
            wait_until("somebody was told", #{ timeout: "30s", every: "1ms" }, || probe("pager-service").ok);
        }
        turn("north", "open");"#;
    let told = Trial::of(runbook).table(&tables).run();
    assert_eq!((told.status(), told_it.load(Ordering::SeqCst)), (Status::Completed, true), "{:?}", told.ran());
    let sent = updates(&told);
    assert_eq!(sent.len(), 1, "it is still being sent, so no second one is: {sent:?}");
    assert_eq!(
        (sent[0].2, sent[0].3.as_str()),
        (false, "the block ended while it was sent: it may have arrived or not")
    );
}

#[test]
fn in_a_branch_each_block_tells_of_itself() {
    let runbook = r#"
        parallel(["north", "south"], |valve| {
            during(#{ every: "2ms", notify: "incidents", message: valve }) {
                step `Wait` { sleep("1h"); }
            }
        });"#
        .replace("`Wait`", "\"Wait\"");
    let told = Trial::of(&runbook).stop_at(40).run();
    assert_eq!(told.status(), Status::Cancelled, "{:?}", told.recorded());
    let of = |valve: &str| {
        updates(&told).iter().filter(|sent| sent.1.starts_with(&format!("{valve}: step 1 \"Wait\" for "))).count()
    };
    assert!(of("north") > 0 && of("south") > 0, "{:?}", updates(&told));
}

#[test]
fn what_is_wrong_with_the_updates_is_a_mistake_before_the_block_begins() {
    for (options, expected) in [
        (r#"#{ every: "0s", notify: "incidents", message: "m" }"#, "`during`: `every` must be longer than nothing"),
        (r#"#{ every: "1s", notify: channel, message: "m" }"#, "environment test has no target `nonesuch`"),
        (
            r#"#{ every: "1s", notify: "web", message: "m" }"#,
            "`notify` does not work on `web`: a service served by http",
        ),
    ] {
        let runbook =
            format!("let channel = `nonesuch`;\nlet o = {options};\nduring(o) {{ turn(\"north\", \"open\"); }}");
        let told = Trial::of(&runbook).run();
        let Halt::Mistake { why, .. } = halt(&told) else { panic!("{:?}", told.ran().verdict) };
        assert_eq!(why, expected);
        assert_eq!(told.effects(), [""; 0]);
    }
}
