//! What came of tests, for machines: one JSON document.

use serde_json::{Value, json};

use crate::runtime::{TestReport, TestStatus, Tested};
use crate::script::{Diagnostic, Failure};

/// The version of the document.
const FORMAT: u32 = 1;

/// The document.
pub(super) fn render(report: &TestReport, with_coverage: bool) -> String {
    let files = report.files.iter().map(|file| {
        json!({
            "file": file.name,
            "errors": file.errors.iter().map(diagnostic).collect::<Vec<_>>(),
            "tests": file.tests.iter().map(test).collect::<Vec<_>>(),
        })
    });
    let mut document = json!({
        "lifeboat_tests": FORMAT,
        "environment": report.environment,
        "passed": report.count(TestStatus::Passed),
        "failed": report.count(TestStatus::Failed),
        "wrong": report.count(TestStatus::Mistaken),
        "cancelled": report.cancelled,
        "took_ms": millis(report.took),
        "files": files.collect::<Vec<_>>(),
    });
    if with_coverage {
        document["coverage"] = json!({ "percent": report.covered_percent(), "runbooks": report.coverage });
    }
    document.to_string()
}

fn millis(time: std::time::Duration) -> u64 {
    u64::try_from(time.as_millis()).unwrap_or(u64::MAX)
}

fn test(test: &Tested) -> Value {
    json!({
        "title": test.title,
        "line": test.site.line,
        "status": status(test.status),
        "expectations": test.expectations,
        "took_ms": millis(test.took),
        "failures": test.failures.iter().map(failure).collect::<Vec<_>>(),
    })
}

fn status(status: TestStatus) -> &'static str {
    match status {
        TestStatus::Listed => "listed",
        TestStatus::Passed => "passed",
        TestStatus::Failed => "failed",
        TestStatus::Mistaken => "wrong",
    }
}

fn failure(failure: &Failure) -> Value {
    let mut said = diagnostic(&failure.diagnostic);
    said["mistake"] = failure.mistake.into();
    said["expected"] = json!(failure.expected);
    said["found"] = json!(failure.found);
    said["story"] = json!(failure.played.as_ref().map_or(&failure.story, |played| &played.story));
    said["runbook"] = json!(failure.played.as_ref().map(|played| &played.runbook));
    said["ended"] = json!(failure.played.as_ref().map(|played| played.ended));
    said
}

fn diagnostic(found: &Diagnostic) -> Value {
    json!({
        "message": found.message,
        "file": found.site.file,
        "line": found.site.line,
        "column": found.site.column,
        "help": found.help,
    })
}
