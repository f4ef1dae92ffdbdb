//! A run that is asked to stop, at every moment at which that can happen.

use std::sync::Arc;

use lifeboat::journal::{Journal as _, MemoryJournal};
use lifeboat::model::{EventBody, Halt, Verdict};
use lifeboat::runtime::Status;

use crate::resumed::dying;
use crate::trial::{Told, Trial};
use crate::valve::Does;

/// Two steps that can be undone.
const STEPS: &str = r#"
step "Open north" {
    turn("north", "open");
} rollback {
    turn("north", "closed");
}
step "Open south" {
    turn("south", "open");
    log("south is open");
} rollback {
    turn("south", "closed");
}
"#;

fn halt(told: &Told) -> Option<&Halt> {
    match &told.ran().verdict {
        Verdict::Halted { halt, .. } => Some(halt),
        Verdict::Failed { unwinding_halted, .. } => unwinding_halted.as_ref(),
        Verdict::Completed(_) => None,
    }
}

#[test]
fn asked_at_any_moment_everything_owed_is_undone() {
    let events = Trial::of(STEPS).run().heard.len();
    for n in 0..events {
        let told = Trial::of(STEPS).stop_at(n).run();
        let recorded = told.recorded();
        assert_eq!(told.recorded_end(), format!("end {}", told.status().name()), "event {n}");
        if told.status() == Status::Completed {
            assert_eq!(n, events - 1, "only the last event is too late");
            assert_eq!(told.open_valves(), ["north", "south"]);
            continue;
        }
        assert_eq!(
            (told.status(), halt(&told)),
            (Status::Cancelled, Some(&Halt::Cancelled)),
            "event {n}: {recorded:?}"
        );
        assert_eq!(told.open_valves(), [""; 0], "event {n}: {recorded:?}");
        let effects = told.effects();
        let opened = effects.iter().filter(|effect| effect.ends_with("open")).count();
        assert_eq!(effects.len(), 2 * opened, "event {n}: what was opened is closed, and nothing else: {effects:?}");
        let expected = match opened {
            0 => "nothing was changed",
            1 => "rolled back: Open north; nothing is left changed",
            _ => "rolled back: Open south, Open north; nothing is left changed",
        };
        assert_eq!(told.sentence(), expected, "event {n}");
    }
}

#[test]
fn what_no_rollback_undoes_is_left_and_said_to_be() {
    let runbook = format!("turn(\"north\", \"drained\");\n{STEPS}");
    let events = Trial::of(&runbook).run().heard.len();
    for n in 2..events - 1 {
        let told = Trial::of(&runbook).stop_at(n).run();
        let sentence = told.sentence();
        if told.effects().is_empty() {
            assert_eq!((told.status(), sentence.as_str()), (Status::Cancelled, "nothing was changed"), "event {n}");
            continue;
        }
        assert_eq!((told.status(), halt(&told)), (Status::LeftChanged, Some(&Halt::Cancelled)), "event {n}");
        assert!(sentence.ends_with("left changed: turn north (line 1)"), "event {n}: {sentence}");
    }
}

#[test]
fn asked_twice_nothing_more_is_undone() {
    let events = Trial::of(STEPS).run().heard.len();
    for n in 1..events - 1 {
        let told = Trial::of(STEPS).stop_at(n).stop_at(n).run();
        assert_eq!(halt(&told), Some(&Halt::Aborted), "event {n}");
        let effects = told.effects();
        assert!(effects.iter().all(|effect| effect.ends_with("open")), "event {n}: {effects:?}");
        let open = told.open_valves();
        let status = if open.is_empty() { Status::RolledBack } else { Status::LeftChanged };
        assert_eq!(told.status(), status, "event {n}: {open:?}");
        let left: Vec<_> = told.ran().aftermath.left.iter().map(|left| left.impact.targets.join(" ")).collect();
        assert_eq!(left, open, "event {n}: what is said to be left is what is open");
    }
}

#[test]
fn asked_again_while_undoing_the_rest_is_left_and_said_to_be() {
    let first = Trial::of(STEPS).stop_at(7).run();
    let recorded = first.recorded();
    let begin = recorded.iter().position(|line| line.starts_with("unwind")).expect("it unwinds");
    for n in begin..recorded.len() - 1 {
        let told = Trial::of(STEPS).stop_at(7).stop_at(n).run();
        let open = told.open_valves();
        let recorded = told.recorded();
        assert_eq!(told.recorded_end(), format!("end {}", told.status().name()));
        let left: Vec<_> = told.ran().aftermath.left.iter().map(|left| left.impact.targets.join(" ")).collect();
        assert!(open.iter().all(|valve| left.contains(valve)), "event {n}: {open:?} but {left:?}: {recorded:?}");
        if !open.is_empty() {
            assert_eq!(told.status(), Status::LeftChanged, "event {n}: {recorded:?}");
        }
    }
}

#[test]
fn a_driver_that_waits_is_interrupted_and_its_step_undone_if_it_had_changed_something() {
    for (does, said) in [
        (Does::Hangs, "nothing was changed"),
        (Does::TurnsAndHangs, "rolled back: Open north; nothing is left changed"),
    ] {
        let told = Trial::of(STEPS).north(&[does]).stop_at(2).run();
        assert_eq!(told.recorded()[2], "intend turn north open");
        assert_eq!(halt(&told), Some(&Halt::Cancelled), "{does:?}: {:?}", told.recorded());
        assert_eq!(told.open_valves(), [""; 0], "{does:?}: {:?}", told.recorded());
        assert_eq!((told.status(), told.sentence().as_str()), (Status::Cancelled, said), "{does:?}");
    }
}

#[test]
fn a_script_cannot_catch_it() {
    let runbook = r#"
        let survived = 0;
        try { turn("north", "open"); } catch { survived += 1; }
        let kept = [1, 2].filter(|n| { turn("south", "open"); true });
        turn("south", "drained");
        survived
    "#;
    let told = Trial::of(runbook).stop_at(2).run();
    assert_eq!(halt(&told), Some(&Halt::Cancelled));
    assert_eq!(told.effects(), ["north open"], "what was under way is finished, and nothing else begun");
}

#[test]
fn waiting_ends_when_it_is_asked_to() {
    for wait in [r#"sleep("1h");"#, r#"wait_until("never", #{ timeout: "2h", every: "1h" }, || false);"#] {
        let runbook = format!("{STEPS}{wait}");
        let events = Trial::of(STEPS).run().heard.len();
        let told = Trial::of(&runbook).stop_at(events - 2).run();
        assert_eq!(told.status(), Status::Cancelled, "{wait}");
        assert_eq!(told.open_valves(), [""; 0]);
    }
}

/// What it waits for comes true in the process that takes it up, and behind that nothing can be undone any more.
#[test]
fn a_run_that_was_stopped_does_not_go_on_wherever_its_process_ends() {
    for wait in ["wait_until(\"three\", #{ every: \"1ms\" }, || { n += 1; n > 2 });", "retry(|| { n += 1; });"] {
        let runbook = format!("{STEPS}let n = 0;\n{wait}\npoint_of_no_return(\"gone\");\nturn(\"north\", \"closed\");");
        let trial = Trial::of(&runbook);
        let label = if wait.starts_with("wait") { "enter body three" } else { "enter body retry" };
        let mut unwinding = 0;
        for commits in 1.. {
            let memory = Arc::new(MemoryJournal::new());
            let first = trial.again().stop_when(label).journal(dying(&memory, commits));
            let project = first.project();
            let died = first.run_in(project);
            if died.ran.as_ref().is_ok_and(|ran| ran.unrecorded.is_none()) {
                assert_eq!(died.status(), Status::Cancelled);
                break;
            }
            let run = memory.find("latest").expect("a run");
            let events = memory.events(&run).expect("reads");
            let stopped = events.iter().any(|event| matches!(event.body, EventBody::Unwinding { .. }));
            let told = trial.again().journal(memory).resume_in(died.project);
            // One that died before it was recorded that it was stopped goes on: the person has seen it die.
            let (status, open): (_, &[&str]) =
                if stopped { (Status::Cancelled, &[]) } else { (Status::Completed, &["south"]) };
            assert_eq!(told.status(), status, "{commits}: {:#?}", told.recorded());
            assert_eq!(told.open_valves(), open, "{commits}: {:#?}", told.recorded());
            unwinding += u32::from(stopped);
        }
        assert!(unwinding > 1, "{unwinding}");
    }
}
