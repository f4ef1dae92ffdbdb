//! Recorded runs as tests of the next version of their runbook.
#![expect(clippy::disallowed_methods, reason = "the harness prepares files, and starts the program that it is about")]

#[expect(dead_code, reason = "these tests need a part of it")]
mod support;

use support::{Project, Run};

const CONFIG: &str = r#"
[environments.here.services.web]
driver = "http"
url = "http://127.0.0.1:1/"
maintenance_file = "maintenance"
"#;

const RUNBOOK: &str = r#"//! Close.
param why: string = "no reason";
step "Close it" {
    maintenance("web", "on");
} rollback {
    maintenance("web", "off");
}
let state = maintenance("web");
parallel([1, 2, 3], |n| log(`number ${n}`));
retry(#{ times: 2, every: "1ms" }, || log(why));
if state == "off" { throw "it is not closed"; }
state
"#;

/// A project with one run of the runbook, which is then as it is given.
fn played(change: impl Fn(&str) -> String) -> Run {
    let project = recorded(RUNBOOK);
    project.file("runbooks/close.rhai", change(RUNBOOK)).run(["replay", "--against", "runbooks/close.rhai"])
}

fn recorded(runbook: &str) -> Project {
    let project = Project::empty().file("lifeboat.toml", CONFIG).file("runbooks/close.rhai", runbook);
    project.run(["run", "runbooks/close.rhai", "--set", "why=because"]);
    project
}

fn same(run: &Run) {
    assert_eq!(run.exit, Some(0), "{}{}", run.stdout, run.stderr);
    assert!(run.stdout.starts_with("same "), "{}", run.stdout);
    // Whoever reads the journal leaves its empty log.
    let done: Vec<_> = run.files.iter().filter(|file| !file.starts_with("new .lifeboat/journal.db-")).collect();
    assert_eq!(done, [""; 0], "nothing is done");
}

fn differs(run: &Run, recorded: &str, now: &str) {
    assert_eq!(run.exit, Some(1), "{}{}", run.stdout, run.stderr);
    let flat = run.stdout.split_whitespace().collect::<Vec<_>>().join(" ");
    assert!(run.stdout.starts_with("differs "), "{}", run.stdout);
    assert!(flat.contains(&format!("recorded {recorded}")) && flat.contains(&format!("now {now}")), "{}", run.stdout);
    assert!(run.stdout.lines().all(|line| line.chars().count() <= 80), "{}", run.stdout);
}

#[test]
fn a_runbook_that_only_looks_different_does_the_same() {
    same(&played(str::to_owned));
    same(&played(|text| text.replace("let state", "// What it is now.\n\nlet state")));
    same(&played(|text| text.replace("state", "now_it_is")));
    // An option that has its default is no other call.
    same(&played(|text| text.replace("[1, 2, 3], |n|", "1..=3, #{ finish: \"effect\" }, |n|")));
}

#[test]
fn whatever_it_does_otherwise_is_found() {
    differs(
        &played(|text| text.replace("maintenance(\"web\", \"on\")", "maintenance(\"web\", \"off\")")),
        "maintenance({ state: \"on\", target: \"web\" })",
        "maintenance({ state: \"off\", target: \"web\" })",
    );
    differs(&played(|text| text.replace("Close it", "Shut it")), "\"Close it\"", "\"Shut it\"");
    differs(
        &played(|text| text.replace("let state", "log(\"one more\");\nlet state")),
        "maintenance({ target: \"web\" })",
        "log({ message: \"one more\" })",
    );
    differs(
        &played(|text| text.replace("number ${n}", "item ${n}")),
        "log({ message: \"number 1\" })",
        "log({ message: \"item 1\" })",
    );
    differs(
        &played(|text| text.replace("\nstate\n", "\nlog(\"done\");\nstate\n")),
        "the end of the runbook",
        "log({ message: \"done\" })",
    );
    differs(
        &played(|text| text.replace("retry(#{ times: 2, every: \"1ms\" }, || log(why));", "")),
        "retry(",
        "the end of the runbook",
    );
    differs(
        &played(|text| text.replace("\nstate\n", "\n1\n")),
        "the end: completed, with on",
        "the end: completed, with 1",
    );
    differs(
        &played(|text| text.replace("== \"off\"", "== \"on\"")),
        "the end: completed, with on",
        "the end: it is not closed",
    );
}

#[test]
fn a_run_that_failed_is_a_test_of_its_rollbacks() {
    let fails = RUNBOOK.replace("\nstate\n", "\nthrow \"it leaks\";\n");
    let project = recorded(&fails);
    same(&project.run(["replay", "latest", "--against", "runbooks/close.rhai"]));
    let otherwise = fails.replace("maintenance(\"web\", \"off\")", "log(\"left as it is\")");
    let project = project.file("runbooks/close.rhai", otherwise);
    differs(
        &project.run(["replay", "latest", "--against", "runbooks/close.rhai"]),
        "maintenance({ state: \"off\", target: \"web\" })",
        "log({ message: \"left as it is\" })",
    );
    let mended = project.file("runbooks/mended.rhai", RUNBOOK);
    let run = mended.run(["replay", "latest", "--against", "runbooks/mended.rhai"]);
    assert_eq!(run.exit, Some(1), "{}", run.stdout);
}

#[test]
fn a_record_that_is_cut_off_is_compared_as_far_as_it_goes() {
    let asks = RUNBOOK.replace("let state", "confirm(\"Really?\");\nlet state");
    let project = recorded(&asks);
    let run = project.run(["replay", "--against", "runbooks/close.rhai"]);
    same(&run);
    assert!(run.stdout.contains("as far as its record goes"), "{}", run.stdout);
    project.run(["cancel", "latest"]);
    let run = project.run(["replay", "--against", "runbooks/close.rhai"]);
    same(&run);
    let otherwise = asks.replace("maintenance(\"web\", \"off\")", "log(\"left as it is\")");
    let run = project.file("runbooks/close.rhai", otherwise).run(["replay", "--against", "runbooks/close.rhai"]);
    assert_eq!(run.exit, Some(1), "what was undone is compared as well: {}", run.stdout);
}

#[test]
fn several_runs_at_once_and_none_at_all() {
    let project = recorded(RUNBOOK);
    project.run(["run", "runbooks/close.rhai"]);
    let run = project.run(["replay", "--against", "runbooks/close.rhai"]);
    assert_eq!((run.exit, run.stdout.lines().count()), (Some(0), 2), "{}", run.stdout);
    let run = project.run(["replay", "--against", "runbooks/close.rhai", "--last", "1", "--json"]);
    let told: serde_json::Value = serde_json::from_str(&run.stdout).expect("one line of JSON");
    assert_eq!((&told["same"], &told["replay"]["status"]), (&true.into(), &"completed".into()));
    let project = project.file("runbooks/other.rhai", "log(\"x\");\n");
    let run = project.run(["replay", "--against", "runbooks/other.rhai"]);
    assert_eq!(run.exit, Some(64));
    assert!(run.stderr.contains("has no runs that are over"), "{}", run.stderr);
    // A parameter that the runs did not have must have a default.
    let project = project.file("runbooks/close.rhai", RUNBOOK.replace("param why", "param who: string;\nparam why"));
    let run = project.run(["replay", "--against", "runbooks/close.rhai"]);
    assert_eq!(run.exit, Some(64), "{}{}", run.stdout, run.stderr);
}
