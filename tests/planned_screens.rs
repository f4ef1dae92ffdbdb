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
        ] }, { insta::assert_snapshot!(run.told()) });
    }};
}

#[test]
fn does_without_a_journal_that_cannot_be_read() {
    let look = "//! Look.\n//! rto: 1m\nlog(\"here\");\n";
    let project = Project::new().file(".lifeboat/journal.db", "this is no journal at all, and long enough to tell");
    golden!(project.file("runbooks/look.rhai", look).run(["plan", "runbooks/look.rhai"]));
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
