//! What happens after a fault: the runbook is rolled back, a person decides, or everything stays as it is.

use lifeboat::model::{Halt, Verdict};
use lifeboat::runtime::Status;

use crate::trial::{Told, Trial};
use crate::valve::Does;

const RUNBOOK: &str = r#"
step "Open south" {
    turn("south", "open");
} rollback {
    turn("south", "closed");
}
step "Open north" {
    turn("north", "open");
} rollback {
    turn("north", "closed");
}
"#;

/// North sticks the first time; a person is asked, and says this.
fn asked(answers: &[&'static str]) -> Told {
    Trial::of(RUNBOOK).north(&[Does::Sticks]).pausing().answers(answers).run()
}

fn decisions(told: &Told) -> Vec<String> {
    told.recorded().into_iter().filter(|line| line.starts_with("decide")).collect()
}

#[test]
fn retry_does_it_again_under_the_same_key() {
    let told = asked(&["retry"]);
    assert_eq!(told.status(), Status::Completed);
    assert_eq!(
        told.recorded()[6..11],
        [
            "intend turn north open",
            "settle turn north: stuck",
            "decide retry",
            "intend turn north open, attempt 2",
            "settle turn north: closed",
        ]
    );
    let keys = told.attempted_keys();
    assert_eq!((keys.len(), &keys[1]), (3, &keys[2]), "both attempts of one call have one key");
}

#[test]
fn skip_goes_on_and_keeps_the_reason() {
    let told = asked(&["skip", "north is being repaired by hand"]);
    assert_eq!(told.status(), Status::Completed);
    assert_eq!(told.asked, ["What now?", "Why is it safe to skip?"]);
    assert_eq!(decisions(&told), ["decide skip: north is being repaired by hand"]);
    assert_eq!(told.open_valves(), ["south"]);
}

#[test]
fn roll_back_undoes_what_is_owed() {
    let told = asked(&["roll back"]);
    assert_eq!((told.status(), told.fault().code.as_str()), (Status::RolledBack, "stuck"));
    assert_eq!(decisions(&told), ["decide roll back"]);
    assert_eq!(told.open_valves(), [""; 0]);
}

#[test]
fn when_nobody_is_there_any_more_it_is_rolled_back() {
    let told = asked(&[]);
    assert_eq!((told.status(), told.asked.len()), (Status::RolledBack, 1));
    assert_eq!(told.open_valves(), [""; 0]);
}

#[test]
fn leave_touches_nothing_any_more() {
    let told = asked(&["leave"]);
    assert_left(&told);
    assert_eq!(decisions(&told), ["decide leave"]);
}

#[test]
fn stopping_is_leaving_without_a_question() {
    let told = Trial::of(RUNBOOK).north(&[Does::Sticks]).stopping().run();
    assert_left(&told);
    assert_eq!(told.asked, [""; 0]);
}

fn assert_left(told: &Told) {
    let Verdict::Halted { halt: Halt::LeftAsIs { fault }, owed, .. } = &told.ran().verdict else {
        panic!("{:?}", told.ran().verdict)
    };
    assert_eq!(fault.message, "north is stuck");
    assert!(owed.contains(&"Open south".to_owned()), "{owed:?}");
    assert_eq!(told.status(), Status::LeftChanged);
    assert_eq!(told.open_valves(), ["south"]);
    assert_eq!(told.sentence(), "left changed: turn south (line 3)");
}

#[test]
fn a_fault_that_the_runbook_expects_is_its_own_affair() {
    let runbook = r#"
        try { turn("north", "open"); } catch (fault) { log(`north: ${fault.code}`); }
        turn("south", "open");
    "#;
    for trial in [Trial::of(runbook).pausing(), Trial::of(runbook).stopping()] {
        let told = trial.north(&[Does::Sticks]).run();
        assert_eq!((told.status(), told.asked.len()), (Status::Completed, 0));
        assert_eq!(told.open_valves(), ["south"]);
    }
}

#[test]
fn a_requirement_that_does_not_hold_can_only_be_rolled_back_or_left() {
    let runbook = format!("{RUNBOOK}\nrequire(false, \"the pressure is low\");");
    let told = Trial::of(&runbook).pausing().answers(&["leave"]).run();
    assert_eq!((told.status(), told.open_valves().len()), (Status::LeftChanged, 2));
    let told = Trial::of(&runbook).pausing().answers(&["roll back"]).run();
    assert_eq!((told.status(), told.open_valves().len()), (Status::RolledBack, 0));
    let told = Trial::of(&runbook).stopping().run();
    assert_eq!((told.status(), told.open_valves().len()), (Status::LeftChanged, 2));
}

#[test]
fn a_fault_in_a_rollback_asks_nobody() {
    let runbook = format!("{RUNBOOK}\nthrow \"the pressure is low\";");
    let told = Trial::of(&runbook).north(&[Does::Turns, Does::Sticks]).pausing().answers(&["retry"; 9]).run();
    assert_eq!((told.status(), told.asked.len()), (Status::LeftChanged, 0));
    assert_eq!(told.effects(), ["south open", "north open", "south closed"], "the other rollback still runs");
}
