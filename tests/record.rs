//! The journal at the command line: is it whole, what does it tell, what may go.
#![expect(clippy::disallowed_methods, reason = "a test prepares files")]

#[expect(dead_code, reason = "these tests need a part of it")]
mod support;

use support::{Project, Run};

const CONFIG: &str = r#"
default = "staging"
[environments.staging.services.web]
driver = "http"
url = "http://127.0.0.1:1/"
maintenance_file = "maintenance"
[environments.production.services.web]
driver = "http"
url = "http://127.0.0.1:1/"
maintenance_file = "maintenance"
"#;

const CLOSE: &str = r#"//! Close.
step "Close it" {
    maintenance("web", "on");
} rollback {
    maintenance("web", "off");
}
log("a | b");
"#;

fn project() -> Project {
    Project::empty()
        .file("lifeboat.toml", CONFIG)
        .file("runbooks/close.rhai", CLOSE)
        .file("runbooks/fails.rhai", CLOSE.to_owned() + "throw \"it leaks\";\n")
        .file("runbooks/asks.rhai", "//! Asks.\nconfirm(\"Really?\");\n")
}

fn ok(run: &Run) -> &str {
    assert_eq!(run.exit, Some(0), "{}{}", run.stdout, run.stderr);
    &run.stdout
}

fn json(run: &Run) -> serde_json::Value {
    serde_json::from_str(&run.stdout).unwrap_or_else(|error| panic!("{error}: {}{}", run.stdout, run.stderr))
}

/// Changes the journal's file behind Lifeboat's back.
fn tamper(project: &Project, statements: &str) {
    let runtime = tokio::runtime::Builder::new_current_thread().build().expect("a runtime");
    runtime.block_on(async {
        let database = libsql::Builder::new_local(project.path(".lifeboat/journal.db")).build().await.expect("opens");
        let connection = database.connect().expect("connects");
        connection.execute_batch(statements).await.expect(statements);
    });
}

#[test]
fn a_journal_is_whole_until_somebody_changes_it() {
    let project = project();
    assert_eq!(project.run(["verify"]).exit, Some(64), "there is no journal");
    ok(&project.run(["run", "runbooks/close.rhai"]));
    let noted = json(&project.run(["verify", "--json"]))["head"].as_str().expect("a head").to_owned();
    ok(&project.run(["run", "runbooks/close.rhai"]));
    let whole = project.run(["verify"]);
    assert!(ok(&whole).starts_with("2 runs with "), "{}", whole.stdout);
    let found = project.run(["verify", "--head", &noted]);
    assert!(ok(&found).contains("all before it is as it was"), "{}", found.stdout);
    let other = project.run(["verify", "--head", &noted.replace(|c: char| c.is_ascii_digit(), "0")]);
    assert_eq!(other.exit, Some(74));
    assert!(other.stdout.contains("the hash is not in this journal"), "{}", other.stdout);
    assert_eq!(project.run(["verify", "--head", "abc"]).exit, Some(64));
    assert!(ok(&project.run(["verify", "latest"])).contains("whole"));

    tamper(
        &project,
        "DROP TRIGGER events_are_not_changed;
         UPDATE events SET json = replace(json, 'web', 'wob') WHERE run = 1 AND seq = 3;",
    );
    let broken = project.run(["verify"]);
    assert_eq!(broken.exit, Some(74));
    assert!(broken.stdout.contains("is BROKEN at event 3: its hash is not that"), "{}", broken.stdout);
    assert!(broken.stdout.contains("1 run with"), "the other is whole: {}", broken.stdout);
    let told = json(&project.run(["verify", "--json"]));
    assert_eq!((&told["whole"], &told["broken"][0]["event"]), (&false.into(), &3.into()));
}

#[test]
fn old_runs_go_and_what_is_left_is_still_proved() {
    let project = project();
    for runbook in ["runbooks/close.rhai", "runbooks/asks.rhai", "runbooks/close.rhai", "runbooks/close.rhai"] {
        project.run(["run", runbook]);
    }
    let runs = || json_lines(&project.run(["runs", "--json"]));
    let (heads, ids): (Vec<String>, Vec<String>) = runs()
        .iter()
        .map(|run| (run["head"].as_str().expect("a head").to_owned(), run["id"].as_str().expect("an id").to_owned()))
        .unzip();
    let kept = project.run(["prune", "--keep", "90d"]);
    assert_eq!(ok(&kept), "removed no run; 4 left\n");
    let dry = project.run(["prune", "--keep", "0s", "--dry-run"]);
    assert!(ok(&dry).ends_with("nothing was changed\n") && dry.stdout.starts_with(&ids[3]), "{}", dry.stdout);
    assert_eq!(runs().len(), 4);
    let done = project.run(["prune", "--keep", "0s"]);
    assert!(ok(&done).starts_with("removed 2 runs with "), "{}", done.stdout);
    let left: Vec<String> = runs().iter().map(|run| run["id"].as_str().expect("an id").to_owned()).collect();
    assert_eq!(left, [ids[0].clone(), ids[2].clone()], "the newest, and the one that waits");

    let whole = project.run(["verify"]);
    assert!(ok(&whole).contains("2 runs were removed at "), "{}", whole.stdout);
    let found = project.run(["verify", "--head", &heads[3]]);
    assert!(ok(&found).contains("which was removed since"), "{}", found.stdout);
    let gone = project.run(["show", &ids[3]]);
    assert_eq!(gone.exit, Some(64));
    assert!(gone.stderr.contains("was removed from the journal at "), "{}", gone.stderr);
    // The chain goes on.
    ok(&project.run(["answer", &ids[2], "yes"]));
    ok(&project.run(["resume", &ids[2]]));
    ok(&project.run(["run", "runbooks/close.rhai"]));
    ok(&project.run(["prune", "--keep", "0s"]));
    ok(&project.run(["run", "runbooks/close.rhai"]));
    assert!(ok(&project.run(["verify"])).starts_with("2 runs with "));

    tamper(&project, "UPDATE pruned SET next = replace(next, '0', '1')");
    assert_eq!(project.run(["verify"]).exit, Some(74));
}

#[test]
fn nobody_can_pass_a_run_off_as_removed() {
    let project = project();
    for _ in 0..3 {
        ok(&project.run(["run", "runbooks/close.rhai"]));
    }
    tamper(
        &project,
        "DROP TRIGGER events_are_not_deleted; DROP TRIGGER runs_are_not_deleted;
         INSERT INTO pruned SELECT 2, id, head FROM runs WHERE number = 2;
         DELETE FROM events WHERE run = 2; DELETE FROM runs WHERE number = 2;",
    );
    let broken = project.run(["verify"]);
    assert_eq!(broken.exit, Some(74));
    assert!(broken.stdout.contains("what was removed cannot be proved"), "{}", broken.stdout);
}

#[test]
fn a_timeline_tells_what_happened_when_and_by_whom() {
    let project = project();
    project.run(["run", "runbooks/fails.rhai"]);
    let text = project.run(["timeline", "latest"]);
    let told = ok(&text);
    let expected = [
        "step: Close it",
        "maintenance web on (was off)",
        "a | b",
        "what is owed is rolled back: it leaks",
        "rolling back: Close it",
        "maintenance web off (was on)",
        "the run ended: failed",
    ];
    let mut from = 0;
    for line in expected {
        let at = told[from..].find(line).unwrap_or_else(|| panic!("{line}, in its place: {told}"));
        from += at;
    }
    assert!(told.lines().all(|line| line.chars().count() <= 80), "{told}");
    let table = project.run(["timeline", "latest", "--format", "markdown"]);
    let table = ok(&table);
    assert!(table.contains("| time (UTC) | after | who | what | took |"), "{table}");
    assert!(table.contains(r"a \| b"), "{table}");
    assert!(table.contains("`runbooks/fails.rhai` ("), "from which files: {table}");
    let told = json(&project.run(["timeline", "latest", "--json"]));
    assert_eq!(told["lines"][0]["kind"], "started");
    assert!(told["lines"].as_array().is_some_and(|lines| lines.len() > 6), "{told}");

    project.run(["run", "runbooks/asks.rhai"]);
    ok(&project.run(["answer", "latest", "yes"]));
    ok(&project.run(["resume"]));
    let told = project.run(["timeline", "latest"]);
    for line in ["asked: Really?", "the run was taken up again", "answered: yes"] {
        assert!(ok(&told).contains(line), "{line}: {}", told.stdout);
    }
}

fn json_lines(run: &Run) -> Vec<serde_json::Value> {
    ok(run).lines().map(|line| serde_json::from_str(line).expect(line)).collect()
}

#[test]
fn runs_are_found_by_when_by_whom_and_what() {
    let project = project();
    ok(&project.run(["run", "runbooks/close.rhai"]));
    project.run(["run", "runbooks/fails.rhai", "--env", "production"]);
    let count = |args: &[&str]| {
        let line = format!("\"$LIFEBOAT\" runs --json {}", args.join(" "));
        json_lines(&project.shell(&line)).len()
    };
    assert_eq!(count(&[]), 2);
    assert_eq!(count(&["--since", "1h"]), 2);
    assert_eq!(count(&["--until", "1h"]), 0);
    assert_eq!(count(&["--since", "2000-01-01", "--until", "2001-01-01"]), 0);
    assert_eq!(count(&["--since", "2000-01-01", "--limit", "1"]), 1);
    assert_eq!(count(&["--by", "nobody-at-all"]), 0);
    assert_eq!(count(&["--by", "@"]), 2);
    assert_eq!((count(&["--drills"]), count(&["--no-drills"])), (0, 2));
    assert_eq!((count(&["--status", "failed"]), count(&["--env", "staging"])), (1, 1));
    assert_eq!((count(&["--runbook", "close"]), count(&["--runbook", "runbooks"])), (1, 2));
    assert_eq!(project.run(["runs", "--since", "yesterday"]).exit, Some(64));
}
