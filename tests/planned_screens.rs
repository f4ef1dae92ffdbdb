//! What a plan prints where something around it is wrong: exit code and both streams, as golden files in `snapshots/`.
#![expect(clippy::disallowed_methods, reason = "a test prepares files, and starts the program that it is about")]

#[expect(dead_code, reason = "these tests need a part of it")]
mod support;

use support::{Project, Run};

macro_rules! golden {
    ($run:expr) => {{
        let run: Run = $run;
        insta::with_settings!({ omit_expression => true, filters => [
            (r"\d{4}-\d{2}-\d{2} \d{2}:\d{2}:\d{2}Z", "[MOMENT]"),
            (r"[0-9a-f]{64}", "[DIGEST]"),
            (r"Lifeboat \d+\.\d+\.\d+", "Lifeboat [VERSION]"),
        ] }, { insta::assert_snapshot!(run.told()) });
    }};
}

#[test]
fn does_without_a_journal_that_cannot_be_read() {
    let look = "//! Look.\n//! rto: 1m\nlog(\"here\");\n";
    let project = Project::new().file(".lifeboat/journal.db", "this is no journal at all, and long enough to tell");
    golden!(project.file("runbooks/look.rhai", look).run(["plan", "runbooks/look.rhai"]));
}

/// The database of the sandbox and its runbook, as they ship; nothing listens.
fn restoring() -> Project {
    let project = Project::empty()
        .file("lifeboat.toml", include_str!("../lifeboat.toml"))
        .file("runbooks/restore-database.rhai", include_str!("../runbooks/restore-database.rhai"))
        .file(".lifeboat/sandbox/maintenance", "off");
    project.database(".lifeboat/sandbox/orders.db", 10)
}

const RESTORING: [&str; 6] = [
    "plan",
    "runbooks/restore-database.rhai",
    "--assume=probe(primary)=fail",
    "--assume",
    "latest_backup(primary)=found",
    "--format",
];

fn formed(form: &str) -> Run {
    let [plan, runbook, down, assume, found, format] = RESTORING;
    restoring().run([plan, runbook, down, assume, found, format, form])
}

#[test]
fn is_a_comment_on_a_pull_request() {
    golden!(formed("md"));
}

#[test]
fn is_a_page() {
    let run = formed("html");
    assert_eq!((run.exit, &*run.stderr), (Some(0), ""));
    assert!(run.stdout.starts_with("<!doctype html>") && run.stdout.trim_end().ends_with("</html>"), "{}", run.stdout);
    assert!(!run.stdout.contains("://") && !run.stdout.contains("[PROJECT]"), "{}", run.stdout);
    let body = run.stdout.split_once("<body>").expect("a body").1.to_owned();
    golden!(Run { stdout: body, ..run });
}

#[test]
fn is_asked_for_two_forms_at_once() {
    golden!(restoring().run(["plan", "runbooks/restore-database.rhai", "--json", "--format", "md"]));
}

#[test]
fn a_plan_that_would_fail_says_so_in_a_comment() {
    let project = restoring();
    golden!(project.run(["plan", "runbooks/restore-database.rhai", "--assume=probe(primary)=pass", "--format", "md"]));
}

#[test]
fn is_not_saved_as_a_page() {
    let look = "//! Look.\nlog(\"here\");\n";
    let project = Project::new().file("runbooks/look.rhai", look);
    golden!(project.run(["plan", "runbooks/look.rhai", "--format", "html", "-o", "plan.html"]));
}

#[test]
fn is_not_saved_over_another_file() {
    let look = "//! Look.\nlog(\"here\");\n";
    let project = Project::new().file("runbooks/look.rhai", look);
    golden!(project.run(["plan", "runbooks/look.rhai", "-o", "runbooks/look.rhai"]));
}

#[test]
fn is_not_what_would_run_now() {
    let look = "//! Look.\nlog(\"here\");\n";
    let project = Project::new().file("runbooks/look.rhai", look);
    project.run(["plan", "runbooks/look.rhai", "-o", "plan.json"]);
    let project = project.file("runbooks/look.rhai", "//! Look.\nlog(\"there\");\n");
    golden!(project.run(["run", "plan.json"]));
}
