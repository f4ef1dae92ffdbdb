//! What a plan says of the calls that fail: what is rolled back, what is told, what is left, how it ends.

use lifeboat::model::{FailureEnd, Plan};

use crate::project::Project;
use crate::{completes, plan};

/// Each way in short: the call and how it ends, and what comes of it.
fn failures(plan: &Plan) -> Vec<String> {
    let lines = plan.lines();
    let of = |failure: &lifeboat::model::PlanFailure| {
        let line = lines.iter().find(|line| line.key == failure.key).expect("it is a call of the plan");
        let ends = format!("{} → {}: {:?}", line.primitive, failure.way, failure.ends);
        let more = [("undoes", &failure.rolled_back), ("tells", &failure.told), ("leaves", &failure.left)];
        let more = more.into_iter().filter(|(_, which)| !which.is_empty());
        let more = more.map(|(what, which)| format!("{what} {}", which.join(", ")));
        std::iter::once(ends).chain(more).collect::<Vec<_>>().join("; ")
    };
    plan.failures.iter().map(of).collect()
}

fn of(runbook: &str) -> Vec<String> {
    let project = Project::configured("", "");
    project.database(10);
    failures(&completes(&project, runbook, &[]))
}

const TOOL: &str = "[environments.test.tools.turn]\ndriver = \"command\"\nprogram = [\"true\"]\nimpact = \"change\"\n";

const STOP_WRITES: &str = r#"
step "Stop writes" { maintenance("web", "on"); } rollback { maintenance("web", "off"); }
"#;

#[test]
fn what_fails_behind_a_step_undoes_it() {
    let found = of(&format!("{STOP_WRITES}\nbackup(\"primary\");"));
    let expected = [
        "maintenance → failed: Restored; undoes Stop writes",
        "maintenance → failed-applied: Restored; undoes Stop writes",
        "backup → failed: Restored; undoes Stop writes",
    ];
    assert_eq!(found[..3], expected, "{found:#?}");
}

#[test]
fn behind_a_point_of_no_return_everything_is_left() {
    let found = of(&format!("{STOP_WRITES}\npoint_of_no_return(\"from here on\");\nbackup(\"primary\");"));
    let failed = found.iter().find(|way| way.starts_with("backup → failed:")).expect("it can fail");
    assert_eq!(failed, "backup → failed: LeftChanged; leaves maintenance web on (line 2)");
}

#[test]
fn who_is_told_is_said_and_a_failure_that_is_caught_goes_on() {
    let found = of(r#"
try { backup("primary"); } catch (fault) { notify("incidents", "no backup"); }
maintenance("web", "on");
"#);
    assert_eq!(found[0], "backup → failed: Completes; tells incidents", "{found:#?}");
}

#[test]
fn a_look_that_finds_something_else_is_a_way_too() {
    let found = of(r#"require(probe("primary").ok, "it must be well"); maintenance("web", "on");"#);
    assert_eq!(found[0], "probe → fail: Restored", "{found:#?}");
    assert!(!found.iter().any(|way| way.starts_with("probe → pass")), "that is what the plan has: {found:#?}");
}

#[test]
fn a_wait_that_is_in_vain_is_one_way_whatever_its_body_looks_at() {
    let found = of(r#"
maintenance("web", "on");
wait_until("it is well", #{ timeout: "1m" }, || probe("primary").ok && probe("web").ok);
"#);
    let waits: Vec<&String> = found.iter().filter(|way| !way.starts_with("maintenance")).collect();
    assert_eq!(waits, ["wait_until → not in time: LeftChanged; leaves maintenance web on (line 2)"], "{found:#?}");
}

#[test]
fn a_retry_begins_again_and_goes_on() {
    let found = of(r#"retry(#{ times: 3, every: "1s" }, || backup("primary"));"#);
    assert_eq!(found[0], "backup → failed: Completes", "{found:#?}");
}

#[test]
fn a_driver_without_evidence_leaves_a_way_in_doubt() {
    let project = Project::configured("", TOOL);
    let found = failures(&completes(&project, "exec(\"turn\", [\"on\"]);", &[]));
    assert!(found.iter().any(|way| way.contains("IN DOUBT: InDoubt; leaves exec turn")), "{found:#?}");
}

#[test]
fn the_failures_of_a_plan_that_fails_itself_are_those_of_its_calls() {
    let project = Project::configured("", "");
    project.database(10);
    let runbook = "maintenance(\"web\", \"on\");\nrequire(false, \"never\");\nbackup(\"primary\");";
    let plan = plan(&project, runbook, &[]).expect("it can be planned");
    assert!(plan.failures.iter().all(|failure| failure.ends != FailureEnd::Completes), "{:#?}", plan.failures);
    let found = failures(&plan);
    assert!(found.iter().all(|way| way.starts_with("maintenance")), "{found:#?}");
}

#[test]
fn what_a_branch_leaves_when_another_fails_is_said() {
    let project = Project::configured("", TOOL);
    project.database(10);
    let runbook = r#"
parallel(["a", "b"], #{ at_most: 1 }, |item| {
    step "One" { exec("turn", [item]); }
});
"#;
    let found = failures(&completes(&project, runbook, &[]));
    let first = "exec → failed: Restored";
    assert_eq!(found[0], first, "the second has not begun: {found:#?}");
    let second = found.iter().filter(|way| way.starts_with("exec → failed:")).nth(1).expect("that of the second");
    assert!(second.contains("LeftChanged; leaves exec turn"), "{found:#?}");
}

/// How it ends when the last call, a backup, fails; the service is open.
fn behind(step: &str) -> String {
    let found = of(&format!("\n{step}\nbackup(\"primary\");"));
    found.into_iter().find(|way| way.starts_with("backup → failed:")).expect("it can fail")
}

#[test]
fn a_rollback_that_puts_nothing_back_is_seen_through() {
    assert_eq!(
        behind("step \"Close\" { maintenance(\"web\", \"on\"); } rollback { log(\"nothing\"); }"),
        "backup → failed: LeftChanged; undoes Close; leaves maintenance web on (line 2, not put back by its rollback)"
    );
    assert_eq!(
        behind("step \"Close\" { maintenance(\"web\", \"on\"); } rollback { maintenance(\"web\", \"on\"); }"),
        "backup → failed: LeftChanged; undoes Close; leaves maintenance web on (line 2, not put back by its rollback)"
    );
    assert_eq!(
        behind("step \"Look\" { maintenance(\"web\", \"off\"); } rollback { maintenance(\"web\", \"on\"); }"),
        "backup → failed: LeftChanged; undoes Look; leaves maintenance web on (line 2, by a rollback)"
    );
}

#[test]
fn a_rollback_that_puts_it_back_is_not_suspected() {
    let restored = "backup → failed: Restored; undoes Close";
    let close = "step \"Close\" { maintenance(\"web\", \"on\"); } rollback";
    assert_eq!(behind(&format!("{close} {{ maintenance(\"web\", \"off\"); }}")), restored);
    assert_eq!(
        behind(&format!("let before = maintenance(\"web\"); {close} {{ maintenance(\"web\", before); }}")),
        restored
    );
}

#[test]
fn what_a_program_has_done_no_rollback_without_a_change_undoes() {
    let project = Project::configured("", TOOL);
    project.database(10);
    let ends = |undoes: &str| {
        let runbook = format!("step \"Turn\" {{ exec(\"turn\"); }} rollback {{ {undoes} }}\nbackup(\"primary\");");
        let found = failures(&completes(&project, &runbook, &[]));
        found.into_iter().find(|way| way.starts_with("backup → failed:")).expect("it can fail")
    };
    assert!(ends("log(\"nothing\");").contains("LeftChanged; undoes Turn; leaves exec turn"), "{}", ends("log(1);"));
    assert_eq!(ends("exec(\"turn\", [\"back\"]);"), "backup → failed: Restored; undoes Turn");
}
