//! A run that is held to its plan, where the world turns out to be another one than was assumed.

use lifeboat::model::{Halt, Verdict};
use lifeboat::runtime::Ran;

use crate::project::Project;
use crate::{run, saved, tool};

fn unplanned(ran: &Ran) -> &str {
    let Verdict::Halted { halt: Halt::Unplanned { why, .. }, .. } = &ran.verdict else { panic!("{ran:?}") };
    why
}

/// Behind the tool, everything may be different: the plan assumes that the service is well.
const GUESSED: &str = r#"
step "Stop writes" { maintenance("web", "on"); } rollback { maintenance("web", "off"); }
exec("turn", ["south"]);
if probe("web").ok {
    log("well");
} else {
    backup("primary");
}
"#;

#[test]
fn another_branch_than_was_assumed_changes_nothing() {
    let project = Project::configured("", &tool("exit 0"));
    project.database(10);
    project.web.fall_ill();
    let ran = run(&project, saved(&project, GUESSED));
    assert_eq!(unplanned(&ran), "backup primary: the plan has no such change here");
    assert_eq!(ran.status.name(), "left-changed", "the tool has no way back: {ran:?}");
    assert_eq!(project.read("maintenance").trim(), "off", "what is owed is undone");
    assert_eq!(std::fs::read_dir(project.path("backups")).map_or(0, Iterator::count), 0);
}

#[test]
fn what_the_plan_shows_for_a_failure_may_happen_when_it_fails() {
    let runbook = r#"
try { exec("turn", ["south"]); } catch { backup("primary"); }
maintenance("web", "on");
"#;
    let project = Project::configured("", &format!("{}check = [\"false\"]\n", tool("exit 1")));
    project.database(10);
    let plan = saved(&project, runbook);
    let ran = run(&project, plan);
    assert_eq!(ran.status.name(), "completed", "{ran:?}");
    assert_eq!(project.read("maintenance").trim(), "on", "the plan's own calls go on behind it");
    assert!(std::fs::read_dir(project.path("backups")).expect("backups").count() > 0);
}

#[test]
fn the_same_change_with_another_value_is_another_change() {
    let runbook = r#"
exec("turn", ["south"]);
let found = probe("web");
maintenance("web", if found.ok { "on" } else { "off" });
"#;
    let project = Project::configured("", &tool("exit 0"));
    project.web.fall_ill();
    let ran = run(&project, saved(&project, runbook));
    assert_eq!(unplanned(&ran), "maintenance web: `state` was on, and is off");
}

#[test]
fn what_was_not_known_before_the_run_may_become_anything() {
    let runbook = r#"
let taken = backup("primary");
exec("turn", [taken.id, `of ${taken.id}`]);
retry(#{ times: 3, every: "1ms" }, || exec("turn", ["again"]));
parallel(["a", "b"], |item| { exec("turn", [item]); });
"#;
    let project = Project::configured("", &tool("exit 0"));
    project.database(10);
    let ran = run(&project, saved(&project, runbook));
    assert_eq!(ran.status.name(), "completed", "{ran:?}");
}
