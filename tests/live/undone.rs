//! `rollback RUN`: a run that is over is undone.

use std::sync::Arc;

use lifeboat::journal::MemoryJournal;
use lifeboat::runtime::{Error, Status};

use crate::trial::{Told, Trial};
use crate::valve::Does;

const TWO: &str = r#"
let before = maintenance("web");
step "Close" { maintenance("web", "on"); } rollback { maintenance("web", before); }
step "Turn" {
    turn("north", "open");
    step "Inside" { turn("south", "open"); } rollback { turn("south", "closed"); }
} rollback {
    turn("north", "closed");
}
"done"
"#;

fn completed(trial: &Trial, journal: &Arc<MemoryJournal>) -> Told {
    let told = trial.again().journal(journal.clone()).run();
    assert_eq!(told.status(), Status::Completed, "{:?}", told.ran().verdict);
    told
}

fn refused(told: &Told) -> (String, String) {
    match &told.ran {
        Err(Error::Refused { why, help }) => (why.clone(), help.clone().unwrap_or_default()),
        other => panic!("{other:?}"),
    }
}

#[test]
fn what_a_run_owes_is_undone_newest_first_and_nothing_is_done_again() {
    let (trial, journal) = (Trial::of(TWO), Arc::new(MemoryJournal::new()));
    let told = completed(&trial, &journal);
    let told = trial.again().journal(journal.clone()).roll_back_in(told.project, false);
    assert_eq!(told.status(), Status::Undone, "{:?}", told.ran().verdict);
    assert_eq!(told.effects(), ["north open", "south open", "south closed", "north closed"]);
    assert_eq!(told.project.read("maintenance").trim(), "off");
    assert_eq!(told.sentence(), "rolled back: Inside, Turn, Close; nothing is left changed");
    assert_eq!(told.recorded_end(), "end rolled-back");

    let again = trial.again().journal(journal).roll_back_in(told.project, false);
    let (why, _) = refused(&again);
    assert!(why.contains("(rolled-back) owes no rollback"), "{why}");
}

#[test]
fn it_is_refused_where_a_target_is_not_as_the_run_left_it() {
    let (trial, journal) = (Trial::of(TWO), Arc::new(MemoryJournal::new()));
    let told = completed(&trial, &journal);
    told.project.write("maintenance", "off");
    let told = trial.again().journal(journal.clone()).roll_back_in(told.project, false);
    let (why, help) = refused(&told);
    assert!(why.contains("maintenance web: left as on, now off"), "{why}");
    assert!(help.contains("--anyway"), "{help}");
    assert_eq!(told.effects().len(), 2, "nothing was done");
    let told = trial.again().journal(journal).roll_back_in(told.project, true);
    assert_eq!((told.status(), told.effects().len()), (Status::Undone, 4));
}

#[test]
fn what_came_before_a_point_of_no_return_stays() {
    let runbook = r#"
        step "One" { turn("north", "open"); } rollback { turn("north", "closed"); }
        point_of_no_return("far enough");
        step "Two" { turn("south", "open"); } rollback { turn("south", "closed"); }
    "#;
    let (trial, journal) = (Trial::of(runbook), Arc::new(MemoryJournal::new()));
    let told = completed(&trial, &journal);
    let told = trial.again().journal(journal).roll_back_in(told.project, false);
    assert_eq!(told.effects(), ["north open", "south open", "south closed"]);
    assert_eq!(told.status(), Status::LeftChanged, "north is as it was left, and that is said");
    assert!(told.sentence().contains("left changed: turn north"), "{}", told.sentence());
}

#[test]
fn a_run_without_rollbacks_cannot_be_undone() {
    let (trial, journal) = (Trial::of(r#"turn("north", "open");"#), Arc::new(MemoryJournal::new()));
    let told = completed(&trial, &journal);
    let told = trial.again().journal(journal).roll_back_in(told.project, false);
    assert!(refused(&told).0.contains("(completed) owes no rollback: there is nothing to undo"));
}

#[test]
fn a_rollback_that_failed_is_tried_again_and_what_went_well_is_not() {
    let runbook = r#"
        step "South" { turn("south", "open"); } rollback { turn("south", "closed"); }
        step "North" { turn("north", "open"); } rollback { turn("north", "half"); turn("north", "closed"); }
        throw "too bad";
    "#;
    let does = [Does::Turns, Does::Turns, Does::Sticks];
    let (trial, journal) = (Trial::of(runbook).north(&does), Arc::new(MemoryJournal::new()));
    let told = trial.again().journal(journal.clone()).run();
    assert_eq!(told.status(), Status::LeftChanged, "{:?}", told.ran().verdict);
    assert_eq!(told.effects(), ["south open", "north open", "north half", "south closed"]);
    let told = trial.again().journal(journal).roll_back_in(told.project, false);
    assert_eq!(told.effects(), ["south open", "north open", "north half", "south closed", "north closed"]);
    assert_eq!(told.status(), Status::Undone, "{}", told.sentence());
}

#[test]
fn a_rollback_with_branches_that_failed_is_tried_again_in_all_of_them() {
    let runbook = r#"
        step "Open" { turn("north", "open"); turn("south", "open"); } rollback {
            parallel(["north", "south"], #{ at_most: 1 }, |valve| turn(valve, "closed"));
        }
        throw "no";"#;
    let (trial, journal) = (Trial::of(runbook).north(&[Does::Turns, Does::Sticks]), Arc::new(MemoryJournal::new()));
    let told = trial.again().journal(journal.clone()).run();
    assert_eq!((told.status(), told.effects().len()), (Status::LeftChanged, 2), "{:?}", told.effects());
    let told = trial.again().journal(journal).roll_back_in(told.project, true);
    assert_eq!(told.effects()[2..], ["north closed", "south closed"], "{:?}", told.ran().verdict);
    assert_eq!(told.status(), Status::Undone, "{:?}", told.ran().verdict);
}

#[test]
fn branches_loops_and_waits_are_evaluated_again_and_undone() {
    let runbook = r#"
        parallel(["north", "south"], |valve| {
            step `Open` { turn(valve, "open"); } rollback { turn(valve, "closed"); }
        });
        let n = 0;
        retry(#{ times: 3, every: "1ms" }, || { n += 1; require(n > 1, "again"); });
        for state in ["a", "b"] { step "State" { turn("north", state); } rollback { turn("north", "un" + state); } }
    "#
    .replace("step `Open`", "step \"Open\"");
    let (trial, journal) = (Trial::of(&runbook), Arc::new(MemoryJournal::new()));
    let told = completed(&trial, &journal);
    let told = trial.again().journal(journal).roll_back_in(told.project, false);
    assert_eq!(told.status(), Status::Undone, "{:?}", told.ran().verdict);
    assert_eq!(told.effects()[4..], ["north unb", "north una", "south closed", "north closed"]);
}

#[test]
fn a_run_that_a_person_left_as_it_is_is_undone_later() {
    let runbook =
        r#"step "One" { turn("north", "open"); turn("south", "open"); } rollback { turn("north", "closed"); }"#;
    let south = "[environments.test.services.south]\ndriver = \"valve\"\ndoes = [\"sticks\"]";
    let (trial, journal) = (Trial::of(runbook).table(south).stopping(), Arc::new(MemoryJournal::new()));
    let told = trial.again().journal(journal.clone()).run();
    assert_eq!((told.status(), told.effects()), (Status::LeftChanged, vec!["north open".to_owned()]));
    let told = trial.again().journal(journal).roll_back_in(told.project, false);
    assert_eq!((told.status(), told.effects()), (Status::Undone, vec!["north open".into(), "north closed".into()]));
}

/// A process that dies in the middle of the rollback.
#[test]
fn undoing_that_was_interrupted_is_carried_on_by_taking_it_up() {
    let trial = Trial::of(TWO);
    for commits in 0..12 {
        let journal = Arc::new(MemoryJournal::new());
        let told = completed(&trial, &journal);
        let died = trial.again().journal(super::resumed::dying(&journal, commits)).roll_back_in(told.project, true);
        let over = died.ran.as_ref().is_ok_and(|ran| ran.unrecorded.is_none());
        let told = match &died.ran {
            _ if over => died,
            Ok(_) => trial.again().journal(journal).resume_in(died.project),
            // It was not even recorded that it is to be undone.
            Err(_) => trial.again().journal(journal).roll_back_in(died.project, false),
        };
        assert_eq!(told.effects(), ["north open", "south open", "south closed", "north closed"], "{commits}");
        assert_eq!(told.project.read("maintenance").trim(), "off", "{commits}");
        if over {
            return assert!(commits > 3, "{commits}");
        }
    }
    panic!("it never comes to its end");
}
