//! The time that a step, or the whole run, may take.

use std::sync::Arc;

use lifeboat::journal::MemoryJournal;
use lifeboat::model::{Halt, Verdict};
use lifeboat::runtime::{Error, Lifeboat, ResumeRequest, Status};

use crate::trial::Trial;

#[test]
fn a_step_that_takes_too_long_fails_where_it_waits_and_is_rolled_back() {
    let runbook = r#"
        step "Open" within "50ms" { turn("north", "open"); sleep("1h"); turn("south", "open"); }
        rollback { sleep("60ms"); turn("north", "closed"); }
    "#;
    let told = Trial::of(runbook).run();
    let fault = told.fault();
    assert_eq!((told.status(), fault.code.as_str()), (Status::RolledBack, "deadline"));
    assert_eq!(fault.message, "step \"Open\" was to be over within 50ms");
    assert_eq!(told.effects(), ["north open", "north closed"], "a rollback has all the time that it needs");
}

#[test]
fn waits_retries_and_questions_end_with_the_step_around_them() {
    for waits in [
        r#"wait_until("never", #{ timeout: "1h", every: "1ms" }, || probe("web").down)"#,
        r#"hold("1h", #{ every: "1ms" }, || probe("web").ok)"#,
        r#"retry(#{ times: 1000, every: "1h" }, || { turn("south", "open"); throw "no"; })"#,
        r#"sleep("1h")"#,
        r#"during(#{ every: "1h", notify: "incidents", message: "going on" }) { sleep("1h"); }"#,
    ] {
        let runbook = format!("step \"Wait\" within \"40ms\" {{ {waits}; }}\nturn(\"north\", \"open\");");
        let told = Trial::of(&runbook).run();
        assert_eq!(told.fault().code, "deadline", "{waits}");
        assert!(!told.effects().contains(&"north open".to_owned()), "{waits}");
    }
}

#[test]
fn no_call_begins_in_a_step_whose_time_is_over_and_a_script_may_catch_that() {
    let runbook = r#"
        let seen = "";
        try {
            step "Slow" within "10ms" {
                try { sleep("1h"); } catch (e) { seen = e.code; }
                turn("north", "open");
            }
        } catch (e) { seen += " " + e.code; }
        turn("south", "open");
        seen
    "#;
    let told = Trial::of(runbook).run();
    let Verdict::Completed(value) = &told.ran().verdict else { panic!("{:?}", told.ran().verdict) };
    assert_eq!(value.to_string(), "deadline deadline");
    assert_eq!(told.effects(), ["south open"]);
    assert!(told.recorded().contains(&"settle turn north: deadline".to_owned()), "{:#?}", told.recorded());
}

#[test]
fn a_step_whose_time_is_no_duration_does_not_compile() {
    let told = Trial::of(r#"step "Open" within "soon" { turn("north", "open"); }"#).run();
    let error = told.ran.expect_err("no duration");
    assert!(matches!(error, Error::Syntax(_)), "{error}");
    assert!(error.to_string().contains("the time of a step"), "{error}");
}

#[test]
fn a_run_that_takes_too_long_is_rolled_back() {
    let runbook = "//! Test.\n//! deadline: 60ms\nstep \"Open\" { turn(\"north\", \"open\"); sleep(\"1h\"); }\n\
        rollback { sleep(\"80ms\"); turn(\"north\", \"closed\"); }";
    let told = Trial::of(runbook).run();
    let Verdict::Halted { halt, .. } = &told.ran().verdict else { panic!("{:?}", told.ran().verdict) };
    assert_eq!(halt.to_string(), "the run was to be over after 60ms");
    assert_eq!((told.status(), told.effects()), (Status::RolledBack, vec!["north open".into(), "north closed".into()]));
}

#[test]
fn a_run_whose_time_is_over_is_taken_up_again_only_by_who_says_so() {
    let runbook =
        "//! Test.\n//! deadline: 30ms\nturn(\"north\", \"open\"); confirm(\"Go on?\"); turn(\"south\", \"open\");";
    let journal = Arc::new(MemoryJournal::new());
    let trial = Trial::of(runbook);
    let parked = trial.again().journal(journal.clone()).run();
    assert_eq!(parked.status(), Status::Waiting);
    std::thread::sleep(std::time::Duration::from_millis(35));
    let late = trial.again().journal(journal.clone()).answers(&["yes"]).resume_in(parked.project);
    let Err(Error::Refused { why, help }) = &late.ran else { panic!("{:?}", late.ran) };
    assert!(why.contains("was to be over within 30ms, and began"), "{why}");
    assert!(help.as_ref().is_some_and(|help| help.contains("lifeboat cancel") && help.contains("--no-deadline")));
    let without = |lifeboat: &Lifeboat| {
        lifeboat.answer("latest", None, "yes").expect("asked");
        lifeboat.resume(&ResumeRequest { without_deadline: true, ..ResumeRequest::default() })
    };
    let ran = trial.again().journal(journal).with(&late.project, without).expect("goes on");
    assert_eq!(ran.status, Status::Completed);
    assert!(!matches!(ran.verdict, Verdict::Halted { halt: Halt::Deadline { .. }, .. }));
}
