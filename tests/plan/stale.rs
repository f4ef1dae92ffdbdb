//! What the plan can no longer observe, because the run will have changed it by then.

use crate::project::Project;
use crate::{completes, lines};

const RUNBOOK: &str = "probe(\"primary\");\nmaintenance(\"web\", \"on\");\nprobe(\"primary\");";

#[test]
fn after_a_change_every_look_is_assumed() {
    let project = Project::configured("", "");
    project.database(10);
    let plan = completes(&project, RUNBOOK, &[]);
    assert_eq!(lines(&plan), ["observed probe primary", "predicted maintenance web", "assumed probe primary"]);
    assert_eq!(plan.lines()[2].because.as_deref(), Some("after maintenance web at line 2"));
}

#[test]
fn unless_the_configuration_says_that_the_two_are_independent() {
    let project = Project::configured("independent = [[\"web\", \"primary\"]]", "");
    project.database(10);
    let plan = completes(&project, RUNBOOK, &[]);
    assert_eq!(lines(&plan), ["observed probe primary", "predicted maintenance web", "observed probe primary"]);
}

#[test]
fn nothing_is_independent_of_itself_or_of_a_person() {
    let project = Project::configured("independent = [[\"web\", \"primary\"]]", "");
    project.database(10);
    let plan = completes(&project, "maintenance(\"web\", \"on\");\nprobe(\"web\");", &[]);
    assert_eq!(lines(&plan)[1], "assumed probe web");
    let plan = completes(&project, "confirm(\"Go on?\");\nprobe(\"primary\");", &[]);
    assert_eq!(lines(&plan)[1], "assumed probe primary");
}

#[test]
fn a_change_that_would_change_nothing_makes_nothing_stale() {
    let project = Project::configured("", "");
    project.database(10);
    project.write("maintenance", "on");
    assert_eq!(lines(&completes(&project, RUNBOOK, &[]))[2], "observed probe primary");
}

#[test]
fn a_change_that_would_change_nothing_yet_makes_other_targets_stale_where_something_else_was_changed_before() {
    let tool = "[environments.test.tools.reset]\ndriver = \"command\"\nprogram = [\"true\"]";
    let project = Project::configured("independent = [[\"reset\", \"primary\"]]", tool);
    project.database(10);
    project.write("maintenance", "on");
    let plan = completes(&project, "exec(\"reset\");\nmaintenance(\"web\", \"on\");\nprobe(\"primary\");", &[]);
    assert_eq!(lines(&plan), ["assumed exec reset", "assumed maintenance web", "assumed probe primary"]);
    assert_eq!(plan.lines()[2].because.as_deref(), Some("after maintenance web at line 2"));
}

#[test]
fn looking_and_telling_make_nothing_stale() {
    let project = Project::configured("", "");
    let plan =
        completes(&project, "probe(\"web\");\nnotify(\"incidents\", \"look\");\nlog(\"!\");\nprobe(\"web\");", &[]);
    assert_eq!(lines(&plan)[3], "observed probe web");
    assert!(!project.path("incidents.jsonl").exists());
}
