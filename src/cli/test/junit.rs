//! What came of tests, as JUnit XML.

use std::fmt::Write as _;

use crate::cli::junit::{self, Case, Problem, Suite};
use crate::runtime::{TestReport, Tested, TestedFile};
use crate::script::{Diagnostic, Failure};

/// The document. A file that cannot be read is a test case with an error.
pub(super) fn render(report: &TestReport) -> String {
    let suites: Vec<Suite> = report.files.iter().map(suite).collect();
    junit::render(&suites, Some(report.took))
}

fn suite(file: &TestedFile) -> Suite {
    let unread = file.errors.first().map(|first| {
        let all: Vec<String> = file.errors.iter().map(placed).collect();
        let problem = Problem { error: true, message: first.message.clone(), text: all.join("\n") };
        Case { name: file.name.clone(), line: None, took: None, problems: vec![problem] }
    });
    Suite { name: file.name.clone(), cases: unread.into_iter().chain(file.tests.iter().map(case)).collect() }
}

fn case(test: &Tested) -> Case {
    let problem = |failure: &Failure| Problem {
        error: failure.mistake,
        message: failure.diagnostic.message.clone(),
        text: told(failure),
    };
    Case {
        name: test.title.clone(),
        line: Some(test.site.line),
        took: Some(test.took),
        problems: test.failures.iter().map(problem).collect(),
    }
}

fn placed(found: &Diagnostic) -> String {
    let help = found.help.as_ref().map(|help| format!("\n  {help}")).unwrap_or_default();
    format!("{}: {}{help}", found.site, found.message)
}

fn told(failure: &Failure) -> String {
    let mut text = placed(&failure.diagnostic);
    if let Some(expected) = &failure.expected {
        let _ = write!(text, "\n  expected: {expected}");
    }
    for found in &failure.found {
        let _ = write!(text, "\n  found: {found}");
    }
    let story = failure.played.as_ref().map_or(&failure.story, |played| &played.story);
    for line in story {
        let _ = write!(text, "\n  {}:{}  {}", line.site.file, line.site.line, line.text);
    }
    if let Some(played) = &failure.played {
        let _ = write!(text, "\n  {}", played.ends);
    }
    text
}
