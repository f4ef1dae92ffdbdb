//! What came of tests.

use std::time::Duration;

use crate::model::Site;
use crate::script::{Diagnostic, Failure, TestEnd, TestName};

use super::RunbookCoverage;

/// What came of all tests that were run.
#[derive(Clone, Debug)]
pub struct TestReport {
    /// The environment whose targets the runbooks name.
    pub environment: String,
    /// The test files, by path.
    pub files: Vec<TestedFile>,
    /// What they have met of the runbooks that they played, by path.
    pub coverage: Vec<RunbookCoverage>,
    /// How long it took.
    pub took: Duration,
    /// Whether somebody did not wait for all of them.
    pub cancelled: bool,
}

/// A test file.
#[derive(Clone, Debug, Default)]
pub struct TestedFile {
    /// Its path, relative to the project where it can be.
    pub name: String,
    /// Why none of its tests was run.
    pub errors: Vec<Diagnostic>,
    /// Its tests that were run, in the order in which they stand in it.
    pub tests: Vec<Tested>,
}

/// A test.
#[derive(Clone, Debug)]
pub struct Tested {
    /// Its title.
    pub title: String,
    /// Where it stands.
    pub site: Site,
    /// What came of it.
    pub status: TestStatus,
    /// What is not as expected, and mistakes of the test.
    pub failures: Vec<Failure>,
    /// How many expectations were looked at.
    pub expectations: usize,
    /// How long it took.
    pub took: Duration,
}

/// What came of a test.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TestStatus {
    /// It was not run.
    Listed,
    /// Everything is as expected.
    Passed,
    /// Something is not as expected.
    Failed,
    /// The test is wrong, or the runbook that it plays.
    Mistaken,
}

impl Tested {
    pub(super) fn listed(name: TestName) -> Self {
        Self { status: TestStatus::Listed, ..Self::ended(name, TestEnd::default(), Duration::ZERO) }
    }

    pub(super) fn ended(name: TestName, end: TestEnd, took: Duration) -> Self {
        let TestEnd { failures, expectations } = end;
        let status = match failures.as_slice() {
            [] => TestStatus::Passed,
            failures if failures.iter().any(|failure| failure.mistake) => TestStatus::Mistaken,
            _ => TestStatus::Failed,
        };
        Self { title: name.title, site: name.site, status, failures, expectations, took }
    }
}

impl TestReport {
    /// Every test of every file.
    pub fn tests(&self) -> impl Iterator<Item = &Tested> {
        self.files.iter().flat_map(|file| &file.tests)
    }

    /// How many tests have this status.
    pub fn count(&self, status: TestStatus) -> usize {
        self.tests().filter(|test| test.status == status).count()
    }

    /// How many mistakes there are in test files none of whose tests could be run.
    pub fn errors(&self) -> usize {
        self.files.iter().map(|file| file.errors.len()).sum()
    }

    /// How much of what the played runbooks can meet the tests have met, in per cent, rounded down; 100 where there is nothing.
    pub fn covered_percent(&self) -> u8 {
        let (met, all) = self.coverage.iter().fold((0, 0), |(met, all), of| (met + of.met, all + of.all));
        coverage_percent(met, all)
    }
}

/// Rounded down, so that 100 means all.
pub(super) fn coverage_percent(met: usize, all: usize) -> u8 {
    let percent = (met * 100).checked_div(all).unwrap_or(100);
    u8::try_from(percent).unwrap_or(100)
}
