//! Everything that may move between a plan and its run: named, with what it was and what it is.

use std::fs;
use std::sync::Arc;

use lifeboat::model::SavedPlan;
use lifeboat::runtime::{Error, PlanRequest, RunRequest};

use crate::project::{Project, sql};
use crate::{lifeboat, run, saved, tool};

const RUNBOOK: &str = r#"
import "words" as words;
param reason: string = "none";
if probe("web").ok {
    notify("incidents", words::hello());
}
let newest = latest_backup("primary");
migrate("ledger");
turn_to(newest.id);
fn turn_to(id) { exec("turn", [id]); }
"#;

/// A project in which that runbook completes.
fn project() -> Project {
    let ledger = "[environments.test.databases.ledger]\ndriver = \"sqlite\"\npath = \"ledger.db\"\nmigrations = \"migrations\"\n";
    let project = Project::configured("", &format!("{ledger}\n{}", tool("exit 0")));
    project.database(10);
    sql(&project.path("ledger.db"), "CREATE TABLE t (id INTEGER PRIMARY KEY)");
    project.write("migrations/0001_first.sql", "CREATE TABLE first (id INTEGER PRIMARY KEY);\n");
    project.write("runbooks/words.rhai", "fn hello() { \"hello\" }\n");
    backup(&project);
    project
}

fn backup(project: &Project) {
    let runbook = project.write("runbooks/backup.rhai", "backup(\"primary\");");
    lifeboat(project).run(&RunRequest::new(runbook)).expect("it runs");
}

/// What has moved after `change`.
fn moved(change: impl FnOnce(&Project)) -> Vec<String> {
    let project = project();
    let saved = saved(&project, RUNBOOK);
    change(&project);
    let moved = lifeboat(&project).moved(&saved).expect("it can be planned");
    let refused = lifeboat(&project).run(&RunRequest { plan: Some(Arc::new(saved)), ..RunRequest::default() });
    match refused {
        Err(Error::Moved { moved: named, .. }) => assert_eq!(named, moved),
        Ok(ran) => assert!(moved.is_empty(), "it ran, although something has moved: {moved:?} {ran:?}"),
        Err(other) => panic!("{other}"),
    }
    moved
}

#[test]
fn nothing_moves_by_itself_and_the_plan_runs() {
    let project = project();
    let saved = saved(&project, RUNBOOK);
    assert_eq!(lifeboat(&project).moved(&saved).expect("planned"), [] as [&str; 0]);
    let ran = run(&project, saved);
    assert_eq!(ran.status.name(), "completed", "{ran:?}");
}

#[test]
fn the_script() {
    let found = moved(|project| {
        project.write("runbooks/planned.rhai", &format!("{RUNBOOK}\n// A comment."));
    });
    assert_eq!(found, ["runbooks/planned.rhai has changed"]);
}

#[test]
fn a_module() {
    let found = moved(|project| {
        project.write("runbooks/words.rhai", "fn hello() { \"good evening\" }\n");
    });
    assert_eq!(found, ["runbooks/words.rhai has changed"]);
}

#[test]
fn the_configuration() {
    let found = moved(|project| {
        let text = project.read("lifeboat.toml");
        project.write("lifeboat.toml", &text.replace("timeout = \"5s\"", "timeout = \"4s\""));
    });
    assert_eq!(found, ["lifeboat.toml has changed"]);
}

#[test]
fn the_content_of_an_input_and_an_input_more() {
    let found = moved(|project| {
        project.write("migrations/0001_first.sql", "CREATE TABLE first (id INTEGER PRIMARY KEY, more TEXT);\n");
    });
    assert!(found.len() == 1 && found[0].starts_with("migrate ledger (line 8): "), "{found:?}");
    assert!(found[0].ends_with("0001_first.sql has changed"), "{found:?}");
    let found = moved(|project| {
        project.write("migrations/0002_second.sql", "CREATE TABLE second (id INTEGER PRIMARY KEY);\n");
    });
    assert!(found.len() == 1 && found[0].ends_with("0002_second.sql is new"), "{found:?}");
}

#[test]
fn a_value_that_reaches_a_change() {
    let found = moved(backup);
    assert_eq!(found.len(), 1, "{found:?}");
    assert!(found[0].starts_with("exec turn (line 10): `args` was ["), "{found:?}");
}

#[test]
fn a_branch() {
    let found = moved(|project| project.web.fall_ill());
    let expected = [
        "probe web (line 4): was down false, ok true, status pass; is down false, ok false, status fail",
        "notify incidents (line 5) was to come next, and latest_backup primary (line 7) does now",
    ];
    assert_eq!(found, expected);
}

#[test]
fn a_call_that_would_fail_now() {
    let found = moved(|project| fs::remove_dir_all(project.path("backups")).expect("it was there"));
    assert!(found.last().is_some_and(|last| last.starts_with("it would fail: ")), "{found:?}");
}

#[test]
fn a_change_that_is_there_already() {
    let found = moved(|project| {
        let runbook = project.write("runbooks/migrate.rhai", "migrate(\"ledger\");");
        lifeboat(project).run(&RunRequest::new(runbook)).expect("it runs");
    });
    assert!(found.iter().any(|what| what.ends_with("would change nothing any more")), "{found:?}");
}

#[test]
fn a_parameter_has_its_value_and_a_plan_that_fails_is_not_run() {
    let project = project();
    let runbook = project.write("runbooks/planned.rhai", "param to: string;\nexec(\"turn\", [to]);");
    let given = [("to".to_owned(), "south".to_owned())];
    let request = PlanRequest { params: given.to_vec(), ..PlanRequest::new(runbook) };
    let plan = lifeboat(&project).plan(&request).expect("it can be planned");
    let ran = run(&project, SavedPlan::of(plan, &given).expect("it can be saved"));
    assert_eq!(ran.status.name(), "completed", "{ran:?}");

    let fails = saved(&project, "require(false, \"never\");");
    let refused = lifeboat(&project).run(&RunRequest { plan: Some(Arc::new(fails)), ..RunRequest::default() });
    assert!(refused.expect_err("refused").to_string().contains("planned to fail"));
}

#[test]
fn a_file_that_was_changed_by_hand_or_is_no_plan() {
    let project = project();
    saved(&project, RUNBOOK);
    let text = project.read("plan.json");
    let refused = |text: &str| {
        let path = project.write("other.json", text);
        SavedPlan::read(&path).expect_err("refused").to_string()
    };
    assert!(refused(&text.replace("\"ledger\"", "\"primary\"")).contains("was changed after it was made"));
    assert!(refused(&text[..text.len() / 2]).contains("is no saved plan"));
    assert!(refused("{}").contains("it has no `lifeboat_plan`"));
    assert!(refused(&text.replace("\"lifeboat_plan\": 1", "\"lifeboat_plan\": 2")).contains("a plan of format 2"));
    // White space is not what was reviewed.
    let path = project.write("other.json", &text.replace('\n', " \n"));
    SavedPlan::read(&path).expect("the same plan");
}

#[test]
fn another_file_is_not_replaced() {
    let project = project();
    let plan = saved(&project, RUNBOOK);
    let precious = project.write("precious.rhai", "probe(\"web\");");
    let refused = plan.write(&precious).expect_err("refused").to_string();
    assert!(refused.contains("exists, and is no saved plan"), "{refused}");
    assert_eq!(project.read("precious.rhai"), "probe(\"web\");");
    plan.write(&project.path("plan.json")).expect("a plan is replaced by its successor");
}
