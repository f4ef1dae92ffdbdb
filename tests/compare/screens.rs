//! What `lifeboat diff` prints, as golden files.

use crate::branch::git;
use crate::support::{Project, Run};

macro_rules! golden {
    ($run:expr) => {{
        let run: Run = $run;
        insta::with_settings!({ omit_expression => true, filters => [
            (r"\b[0-9a-f]{10}\b", "[COMMIT]"), (r"\b[0-9a-f]{12}\b", "[PLAN]"),
        ] }, { insta::assert_snapshot!(run.told()) });
    }};
}

const BEFORE: &str = "//! Turn it.\nstep \"Turn\" {\n    exec(\"turn\", [\"left\"]);\n} rollback {\n    \
                      exec(\"turn\", [\"back\"]);\n}\nexec(\"turn\", [\"on\"]);\n";
const AFTER: &str = "//! Turn it.\nstep \"Turn\" {\n    exec(\"turn\", [\"right\"]);\n}\nexec(\"turn\", [\"on\"]);\n\
                     log(\"turned\");\n";

const CONFIG: &str =
    "[environments.here.tools.turn]\ndriver = \"command\"\nprogram = [\"true\"]\nimpact = \"change\"\n";

fn project() -> Project {
    Project::empty().file("lifeboat.toml", CONFIG).file("runbooks/turn.rhai", BEFORE)
}

fn committed() -> Project {
    let project = project();
    git(&project.path("."), &["init", "-q", "-b", "main"]);
    git(&project.path("."), &["add", "-A"]);
    git(&project.path("."), &["commit", "-q", "-m", "Turn it to the left"]);
    project
}

#[test]
fn a_runbook_against_its_last_commit() {
    let project = committed().file("runbooks/turn.rhai", AFTER);
    golden!(project.run(["diff", "runbooks/turn.rhai"]));
}

#[test]
fn two_commits() {
    let project = committed().file("runbooks/turn.rhai", AFTER);
    git(&project.path("."), &["commit", "-q", "-am", "Turn it to the right"]);
    let both = ["diff", "main~1:runbooks/turn.rhai", "main:runbooks/turn.rhai", "--detailed-exitcode"];
    golden!(project.run(both));
}

#[test]
fn two_saved_plans() {
    let project = committed();
    project.run(["plan", "runbooks/turn.rhai", "-o", "before.json"]);
    let project = project.file("runbooks/turn.rhai", AFTER);
    project.run(["plan", "runbooks/turn.rhai", "-o", "after.json"]);
    golden!(project.run(["diff", "before.json", "after.json"]));
}

#[test]
fn nothing_differs() {
    golden!(committed().run(["diff", "runbooks/turn.rhai", "--detailed-exitcode"]));
}

#[test]
fn no_such_commit() {
    golden!(committed().run(["diff", "nowhere:runbooks/turn.rhai", "runbooks/turn.rhai"]));
}

#[test]
fn no_such_runbook_at_that_commit() {
    golden!(committed().run(["diff", "main:runbooks/tern.rhai", "runbooks/turn.rhai"]));
}

#[test]
fn no_runbook() {
    golden!(committed().run(["diff", "lifeboat.toml"]));
}

#[test]
fn no_repository() {
    golden!(project().run(["diff", "runbooks/turn.rhai"]));
}
