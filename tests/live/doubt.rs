//! Effects whose outcome nobody received: settled by evidence, or in doubt. Never guessed, never repeated.

use lifeboat::model::{EventBody, Halt, Verdict};
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

fn evidence(told: &Told) -> Vec<String> {
    let of = |body: &EventBody| match body {
        EventBody::Settled(settled) => settled.evidence.clone(),
        _ => None,
    };
    told.heard.iter().filter_map(|event| of(&event.body)).collect()
}

#[test]
fn evidence_that_it_took_place_lets_the_run_go_on() {
    let told = Trial::of(RUNBOOK).north(&[Does::FallsSilent]).run();
    assert_eq!(told.status(), Status::Completed);
    assert_eq!(told.effects(), ["south open", "north open"], "it is not done twice");
    assert_eq!(evidence(&told), ["it was seen to turn"]);
    assert_eq!(told.recorded()[7], "settle turn north: closed");
}

#[test]
fn evidence_that_it_did_not_makes_it_a_failure_that_left_things_as_they_were() {
    let told = Trial::of(RUNBOOK).north(&[Does::IsNotReached]).run();
    assert_eq!((told.status(), told.fault().message.as_str()), (Status::RolledBack, "north does not answer"));
    assert_eq!(told.fault().applied, lifeboat::model::Applied::No);
    assert_eq!(evidence(&told), ["it was seen not to turn"]);
    assert_eq!(told.open_valves(), [""; 0]);
}

#[test]
fn without_evidence_the_run_ends_in_doubt_and_nothing_is_touched_any_more() {
    for does in [Does::FallsSilent, Does::IsNotReached] {
        let told = Trial::of(RUNBOOK).unwitnessed_north(&[does]).run();
        assert_eq!(told.status(), Status::InDoubt);
        let Verdict::Halted { halt: Halt::InDoubt { primitive, targets, why, .. }, owed, .. } = &told.ran().verdict
        else {
            panic!("{:?}", told.ran().verdict)
        };
        assert_eq!((primitive.as_str(), targets.join(" ").as_str()), ("turn", "north"));
        assert_eq!(why, "north does not answer; look at north yourself");
        assert_eq!(*owed, ["Open north", "Open south"], "a rollback is owed once a change was intended");
        assert_eq!(
            told.recorded()[6..],
            [
                "intend turn north open",
                "in doubt: north does not answer; look at north yourself",
                "leave Open north: halted",
                "end in-doubt",
            ]
        );
        assert_eq!(told.effects().iter().filter(|effect| effect.starts_with("south")).count(), 1, "nothing is undone");
        let sentence = told.sentence();
        assert_eq!(sentence, "in doubt: turn north (line 8); left changed: turn south (line 3)");
    }
}

#[test]
fn a_doubt_cannot_be_caught() {
    let runbook = r#"
        try { turn("north", "open"); } catch { turn("south", "open"); }
        let all = [1].map(|n| turn("south", "open"));
        turn("south", "open");
    "#;
    let told = Trial::of(runbook).unwitnessed_north(&[Does::IsNotReached]).run();
    assert_eq!(told.status(), Status::InDoubt);
    assert_eq!(told.effects(), [""; 0]);
    assert_eq!(told.sentence(), "in doubt: turn north (line 2)", "`nothing was changed` would be a guess");
}

#[test]
fn a_doubt_is_not_a_person_s_to_retry() {
    let trial = Trial::of(RUNBOOK).unwitnessed_north(&[Does::FallsSilent]).pausing().answers(&["retry"]);
    let told = trial.run();
    assert_eq!(told.status(), Status::InDoubt);
    assert_eq!(told.asked, [""; 0]);
    assert_eq!(told.attempted_keys().len(), 2);
}

#[test]
fn a_rollback_in_doubt_ends_the_unwinding() {
    let failing = format!("{RUNBOOK}\nthrow \"the pressure is low\";");
    let told = Trial::of(&failing).unwitnessed_north(&[Does::Turns, Does::FallsSilent]).run();
    assert_eq!(told.status(), Status::InDoubt, "{:?}", told.recorded());
    assert_eq!(told.effects(), ["south open", "north open", "north closed"], "south is left alone");
    assert!(told.sentence().contains("in doubt: turn north (line 10)"), "{}", told.sentence());
}

#[test]
fn a_run_that_is_aborted_with_an_effect_in_doubt_is_not_over() {
    // Whichever of the branches ends first: south, which was only waiting, or north, of which nobody knows.
    let runbook = r#"
        parallel(["north", "south"], #{ at_most: 2 }, |valve| {
            if valve == "south" { sleep("1h"); }
            turn(valve, "open");
        });"#;
    let trial = Trial::of(runbook).unwitnessed_north(&[Does::FallsSilent]);
    let told = trial.abort_when("intend turn north open").run();
    assert_eq!(told.status(), Status::InDoubt, "{:?}", told.recorded());
    assert_eq!(told.sentence(), "in doubt: turn north (line 4)");
}
