//! `lifeboat test`: what a test can give, what it can expect, and what it is told when it is wrong.
#![expect(clippy::disallowed_methods, reason = "tests set up the files that are tested")]

#[path = "../harness/project.rs"]
#[expect(dead_code, reason = "nothing outside is touched here, so little of it is needed")]
mod project;

mod coverage;
mod expected;
mod finding;
mod given;
mod mistakes;
mod shipped;

use lifeboat::runtime::{TestReport, TestRequest, TestStatus, Tested};
use project::Project;

/// A runbook that closes a service, restores its database, and says so.
const RUNBOOK: &str = r#"//! Restore.
param reason: string = "it is gone";

require(probe("primary").down, "the primary answers");
notify("incidents", `Restoring: ${reason}`, #{ key: "down" });
let before = maintenance("web");
step "Close" {
    maintenance("web", "on");
} rollback {
    maintenance("web", before);
}
let found = latest_backup("primary", #{ verified: true });
step "Restore" {
    restore("primary", #{ from: found.id });
}
wait_until("web answers", #{ timeout: "5s", every: "1s" }, || probe("web").ok);
maintenance("web", "off");
resolve("incidents", "down", `Restored from ${found.id}`);
found.id
"#;

/// Runs the tests of a file in the usual project, beside this runbook.
fn tested(runbook: &str, tests: &str) -> TestReport {
    tested_in(&Project::configured("", ""), runbook, tests)
}

fn tested_in(project: &Project, runbook: &str, tests: &str) -> TestReport {
    project.write("runbooks/played.rhai", runbook);
    project.write("runbooks/played_test.rhai", tests);
    let lifeboat = project.builder().build().expect("it is configured");
    lifeboat.test(&TestRequest::default()).expect("there are tests")
}

/// The only test of a file, which has this body.
fn one(runbook: &str, body: &str) -> Tested {
    let report = tested(runbook, &format!("test \"it\" {{\n{body}\n}}\n"));
    assert_eq!(report.errors(), 0, "{:?}", report.files);
    assert_eq!(report.tests().count(), 1);
    report.tests().next().expect("one").clone()
}

#[track_caller]
fn passes(runbook: &str, body: &str) {
    let tested = one(runbook, body);
    assert_eq!(tested.status, TestStatus::Passed, "{body}\n{:#?}", tested.failures);
}

/// What the test says that fails for other reasons than a mistake of its own: each message, what was expected, what was found.
#[track_caller]
fn fails(runbook: &str, body: &str) -> Vec<(String, Option<String>, String)> {
    let tested = one(runbook, body);
    assert_eq!(tested.status, TestStatus::Failed, "{body}\n{:#?}", tested.failures);
    let said = |failure: &lifeboat::script::Failure| {
        (failure.diagnostic.message.clone(), failure.expected.clone(), failure.found.join("; "))
    };
    tested.failures.iter().map(said).collect()
}

/// The mistake of a test: where, what, and what to do.
#[track_caller]
fn mistake(runbook: &str, body: &str) -> (String, String, String) {
    let tested = one(runbook, body);
    assert_eq!(tested.status, TestStatus::Mistaken, "{body}\n{:#?}", tested.failures);
    let found = &tested.failures[0].diagnostic;
    (found.site.to_string(), found.message.clone(), found.help.clone().unwrap_or_default())
}
