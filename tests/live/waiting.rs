//! Questions that outlive their terminal, and pauses that outlive their process.

use std::sync::Arc;
use std::time::{Duration, Instant};

use lifeboat::journal::{Journal, MemoryJournal};
use lifeboat::model::{EventBody, Halt, Verdict};
use lifeboat::runtime::{Error, ResumeRequest, RunRequest, Status};

use crate::trial::{Told, Trial};

const ASKING: &str = r#"
step "Open" { turn("north", "open"); } rollback { turn("north", "closed"); }
let region = ask("Which region?", #{ choices: ["eu", "us"] });
turn("south", region);
"#;

/// A run that ended because nobody was there to answer.
fn parked(trial: &Trial, journal: &Arc<MemoryJournal>) -> Told {
    let told = trial.again().journal(journal.clone()).run();
    assert_eq!(told.status(), Status::Waiting, "{:?}", told.ran().verdict);
    told
}

#[test]
fn a_question_that_nobody_is_there_to_answer_ends_the_process_and_not_the_run() {
    let (trial, journal) = (Trial::of(ASKING), Arc::new(MemoryJournal::new()));
    let told = parked(&trial, &journal);
    let Verdict::Halted { halt: Halt::Waiting { question, choices, .. }, owed, .. } = &told.ran().verdict else {
        panic!("{:?}", told.ran().verdict)
    };
    assert_eq!((question.as_str(), choices.join(" ")), ("Which region?", "eu us".into()));
    assert_eq!(owed, &["Open"], "nothing is rolled back while a person thinks");
    assert_eq!(told.effects(), ["north open"]);
    assert_eq!(told.recorded_end(), "end waiting");

    // Still nobody there: it waits on.
    let told = trial.again().journal(journal.clone()).resume_in(told.project);
    assert_eq!((told.status(), told.effects().len()), (Status::Waiting, 1));

    let project = told.project;
    let answered = trial.again().journal(journal.clone()).with(&project, |lifeboat| {
        let wrong = lifeboat.answer("latest", None, "mars").expect_err("no such region");
        assert!(wrong.to_string().contains("`mars` is none of the answers to: Which region?"), "{wrong}");
        let answered = lifeboat.answer("latest", None, "EU").expect("asked");
        let again = lifeboat.answer("latest", None, "us").expect_err("answered");
        assert!(again.to_string().ends_with("has answered already: eu"), "{again}");
        answered
    });
    assert_eq!((answered.answer.as_str(), answered.goes_on), ("eu", false));
    let told = trial.again().journal(journal.clone()).resume_in(project);
    assert_eq!(told.status(), Status::Completed, "{:?}", told.ran().verdict);
    assert_eq!(told.effects(), ["north open", "south eu"]);
    assert!(told.recorded().contains(&"answered eu".to_owned()));

    let over = trial.again().journal(journal).with(&told.project, |lifeboat| lifeboat.answer("latest", None, "us"));
    assert!(matches!(over, Err(Error::Refused { .. })), "{over:?}");
}

#[test]
fn a_run_that_waits_is_cancelled_and_undone() {
    let (trial, journal) = (Trial::of(ASKING), Arc::new(MemoryJournal::new()));
    let told = parked(&trial, &journal);
    let told = trial.again().journal(journal).cancel_in(told.project);
    assert_eq!((told.status(), told.effects()), (Status::Cancelled, vec!["north open".into(), "north closed".into()]));
}

#[test]
fn somebody_elsewhere_answers_while_the_run_waits_for_that() {
    let runbook =
        r#"let who = ask("Who?", #{ within: "1m" }); confirm("Sure?", #{ within: "1m" }); turn("north", who);"#;
    let (trial, journal) = (Trial::of(runbook), Arc::new(MemoryJournal::new()));
    let project = trial.project();
    let path = project.write("runbooks/trial.rhai", runbook);
    let ran = trial.again().journal(journal.clone()).with(&project, |lifeboat| {
        std::thread::scope(|scope| {
            let run = scope.spawn(|| lifeboat.run(&RunRequest::new(path)).expect("starts"));
            for (asked, answer) in [("Who?", "ada"), ("Sure?", "yes")] {
                let deadline = Instant::now() + Duration::from_secs(20);
                let open = || lifeboat.open_questions("latest").unwrap_or_default();
                while !open().iter().any(|open| open.question == asked) {
                    assert!(Instant::now() < deadline, "it never asks {asked}");
                    std::thread::sleep(Duration::from_millis(5));
                }
                let answered = lifeboat.answer("latest", None, answer).expect("asked");
                assert!(answered.goes_on);
            }
            run.join().expect("no panic")
        })
    });
    assert_eq!(ran.status, Status::Completed, "{:?}", ran.verdict);
    assert!(project.read("effects").starts_with("north ada"), "{}", project.read("effects"));
}

#[test]
fn silence_is_what_the_runbook_says_it_is() {
    let ask = |options: &str| format!("turn(\"north\", ask(\"Where?\", #{{ within: \"20ms\"{options} }}));");
    let told = Trial::of(&ask(", otherwise: \"home\"")).run();
    assert_eq!((told.status(), told.effects()), (Status::Completed, vec!["north home".to_owned()]));
    let told = Trial::of(&ask("")).run();
    assert_eq!((told.status(), told.fault().code.as_str()), (Status::RolledBack, "unanswered"));
    let told = Trial::of("confirm(\"Go?\", #{ within: \"20ms\" });").run();
    assert_eq!(told.fault().message, "nobody confirmed within 20ms: Go?");
    let told = Trial::of("confirm(\"Go?\", #{ within: \"20ms\", otherwise: \"yes\" });").run();
    assert_eq!(told.status(), Status::Completed);
    for call in ["ask(\"Where?\", #{ otherwise: \"x\" })", "confirm(\"Go?\", #{ otherwise: \"yes\" })"] {
        let told = Trial::of(call).answers(&["yes"]).run();
        assert!(told.fault().message.contains("`otherwise` without `within`"), "{}", told.fault().message);
    }
}

#[test]
fn a_question_without_anybody_fails_where_that_is_wanted() {
    let told = Trial::of(ASKING).failing_unanswered().run();
    assert_eq!((told.status(), told.fault().code.as_str()), (Status::RolledBack, "nobody-to-ask"));
    assert_eq!(told.effects(), ["north open", "north closed"]);
}

/// A journal that has nothing behind its event of this kind: the process was killed there.
fn cut_behind(journal: &MemoryJournal, wanted: fn(&EventBody) -> bool) -> Arc<MemoryJournal> {
    let run = journal.find("latest").expect("a run");
    let events = journal.events(&run).expect("reads");
    let at = events.iter().position(|event| wanted(&event.body)).expect("recorded");
    let cut = Arc::new(MemoryJournal::new());
    cut.append(&run, &events[..=at]).expect("the beginning of a record is one");
    cut
}

#[test]
fn a_pause_that_was_interrupted_goes_on_for_its_rest() {
    let runbook = r#"sleep("1s"); turn("north", "open");"#;
    let (trial, journal) = (Trial::of(runbook), Arc::new(MemoryJournal::new()));
    let began = Instant::now();
    let told = trial.again().journal(journal.clone()).run();
    assert_eq!(told.status(), Status::Completed);
    let whole = began.elapsed();
    assert!(whole >= Duration::from_secs(1), "{whole:?}");
    // The same run, killed while it slept; by now all of its second has passed.
    let killed = cut_behind(&journal, |body| matches!(body, EventBody::Awaiting { .. }));
    let (project, id) = (trial.project(), told.ran().id.clone());
    project.write("runbooks/trial.rhai", runbook);
    let ran = trial.again().journal(killed.clone()).with(&project, |lifeboat| {
        lifeboat.resume(&ResumeRequest { run: Some(id.to_string()), edited: true, ..ResumeRequest::default() })
    });
    let ran = ran.expect("taken up");
    assert_eq!(ran.status, Status::Completed, "{:?}", ran.verdict);
    let events = killed.events(&id).expect("reads");
    let resumed = events.iter().find(|event| matches!(event.body, EventBody::Resumed { .. })).expect("resumed").at;
    let slept = events.iter().find(|event| matches!(&event.body, EventBody::Settled(s) if s.primitive == "sleep"));
    let EventBody::Settled(settled) = &slept.expect("recorded").body else { unreachable!() };
    assert!(settled.began < resumed, "it began when it first did");
    let rest = slept.expect("recorded").at.duration_since(resumed);
    assert!(rest.as_millis() < 500, "it slept {rest:?} again, of a second that was over");
}
