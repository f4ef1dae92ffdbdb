//! The one line that says in which state the world is.

use lifeboat::runtime::Status;

use crate::trial::{Told, Trial};
use crate::valve::Does;

/// The end of a run of this runbook, which fails.
fn after(runbook: &str, north: &[Does]) -> (Status, String) {
    let told: Told = Trial::of(runbook).north(north).run();
    (told.status(), told.sentence())
}

const STEP: &str = r#"step "Open north" { turn("north", "open"); } rollback { turn("north", "closed"); }"#;
const FAIL: &str = r#"throw "the pressure is low";"#;

#[test]
fn nothing_was_changed() {
    assert_eq!(after(FAIL, &[]), (Status::RolledBack, "nothing was changed".into()));
    assert_eq!(after(STEP, &[Does::Sticks]), (Status::RolledBack, "nothing was changed".into()));
}

#[test]
fn all_was_rolled_back() {
    let said = "rolled back: Open north; nothing is left changed";
    assert_eq!(after(&format!("{STEP}{FAIL}"), &[]), (Status::RolledBack, said.into()));
    assert_eq!(after(STEP, &[Does::Breaks]), (Status::RolledBack, said.into()), "it failed, but was applied");
}

#[test]
fn a_rollback_failed() {
    let said = "rollback FAILED: Open north; left changed: turn north (line 1)";
    assert_eq!(after(&format!("{STEP}{FAIL}"), &[Does::Turns, Does::Sticks]), (Status::LeftChanged, said.into()));
}

#[test]
fn a_rollback_failed_though_nothing_was_changed_before() {
    let said = "rollback FAILED: Open north";
    assert_eq!(after(STEP, &[Does::Sticks, Does::Sticks]), (Status::LeftChanged, said.into()));
}

#[test]
fn one_rollback_failed_and_another_did_not() {
    let other = r#"step "Open south" { turn("south", "open"); } rollback { turn("south", "closed"); }"#;
    let said = "rolled back: Open south; rollback FAILED: Open north; left changed: turn north (line 1)";
    let runbook = format!("{STEP}\n{other}\n{FAIL}");
    assert_eq!(after(&runbook, &[Does::Turns, Does::Sticks]), (Status::LeftChanged, said.into()));
}

#[test]
fn it_had_passed_a_point_of_no_return() {
    let runbook = format!("{STEP}\npoint_of_no_return(\"the water is out\");\n{FAIL}");
    let said = "left changed: turn north (line 1); past the point of no return: the water is out";
    assert_eq!(after(&runbook, &[]), (Status::LeftChanged, said.into()));
    let later = r#"step "Open south" { turn("south", "open"); } rollback { turn("south", "closed"); }"#;
    let runbook = format!("{STEP}\npoint_of_no_return(\"the water is out\");\n{later}\n{FAIL}");
    let said = "rolled back: Open south; left changed: turn north (line 1); \
        past the point of no return: the water is out";
    assert_eq!(after(&runbook, &[]), (Status::LeftChanged, said.into()));
}

#[test]
fn it_had_changed_something_outside_of_steps() {
    let runbook = format!("turn(\"south\", \"open\");\n{STEP}\n{FAIL}");
    let said = "rolled back: Open north; left changed: turn south (line 1)";
    assert_eq!(after(&runbook, &[]), (Status::LeftChanged, said.into()));
}

#[test]
fn a_step_without_a_rollback_is_undone_by_the_one_around_it() {
    let runbook = format!(
        "step \"Open\" {{\n step \"north\" {{ turn(\"north\", \"open\"); }}\n{FAIL}\n}} rollback {{ turn(\"north\", \"closed\"); }}"
    );
    let said = "rolled back: Open; nothing is left changed";
    assert_eq!(after(&runbook, &[]), (Status::RolledBack, said.into()));
}

#[test]
fn a_step_that_was_undone_and_caught_is_not_left() {
    let runbook = format!(
        "try {{ step \"Open north\" {{ turn(\"north\", \"open\"); {FAIL} }} rollback {{ turn(\"north\", \"closed\"); }} }} catch {{}}\nturn(\"south\", \"open\");\n{FAIL}"
    );
    let said = "rolled back: Open north; left changed: turn south (line 2)";
    assert_eq!(after(&runbook, &[]), (Status::LeftChanged, said.into()));
}

#[test]
fn telling_people_is_no_change() {
    let runbook = format!("notify(\"incidents\", \"it begins\");\n{FAIL}");
    assert_eq!(after(&runbook, &[]), (Status::RolledBack, "nothing was changed".into()));
}
