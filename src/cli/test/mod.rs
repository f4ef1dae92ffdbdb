//! `lifeboat test`: unit tests of runbooks.

mod forms;
mod json;
mod junit;
mod text;

use std::path::PathBuf;

use clap::{Args, ValueEnum};

use crate::runtime::{Error, Lifeboat, TestReport, TestRequest, TestStatus};
use crate::system::Cancel;

use super::output::{Output, form};
use super::people::leave_on_signals;
use super::printer::Printer;
use super::{Exit, Global, open};

/// Run unit tests of runbooks, which stand in files *_test.rhai; touch nothing
#[derive(Args)]
#[command(after_help = "See docs/src/how-to/test-a-runbook.md for what a test can give and expect.")]
pub(super) struct Test {
    /// Test files, or directories of them [default: all of the project]
    #[arg(value_name = "FILE")]
    files: Vec<PathBuf>,
    /// Only tests with this text in `FILE: TITLE`
    #[arg(long, value_name = "TEXT")]
    filter: Option<String>,
    /// Name the tests, and run none
    #[arg(long)]
    list: bool,
    /// How to print what came of them [default: text]
    #[arg(long, value_enum, value_name = "FORMAT")]
    format: Option<Format>,
    #[command(flatten)]
    output: Output,
    /// Write it as JUnit XML to this file as well
    #[arg(long, value_name = "FILE", conflicts_with = "list")]
    junit: Option<PathBuf>,
    /// Say which calls, outcomes and rollbacks no test has met
    #[arg(long, conflicts_with = "list")]
    coverage: bool,
    /// Fail when the tests meet less of the runbooks that they play
    #[arg(long, value_name = "PERCENT", value_parser = clap::value_parser!(u8).range(0..=100), conflicts_with = "list")]
    coverage_at_least: Option<u8>,
    /// How many threads run them [default: one for each core]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=64))]
    threads: Option<u16>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Format {
    /// For people: what failed, and how many passed
    Text,
    /// One JSON document
    Json,
    /// JUnit XML, as build servers read it
    Junit,
}

impl Test {
    pub(super) fn execute(&self, global: &Global, printer: &Printer) -> Result<Exit, Error> {
        let format = form(self.format, global.json, (Format::Text, Format::Json))?;
        let output = self.output.open("result of tests", forms::is_tests)?;
        let junit = self.junit.clone().map(|file| Output::to(file).open("result of tests", forms::is_tests));
        let junit = junit.transpose()?;
        let cancel = Cancel::new();
        leave_on_signals(&cancel);
        let lifeboat = Lifeboat::builder(open::config(global)?).cancel(cancel).build()?;
        printer.shorten(&lifeboat.config().root);
        printer.conceal(lifeboat.redactor());
        let usual = TestRequest::default();
        let report = lifeboat.test(&TestRequest {
            files: self.files.clone(),
            environment: global.env.clone(),
            filter: self.filter.clone(),
            list: self.list,
            threads: self.threads.map_or(usual.threads, usize::from),
        })?;
        if let Some(junit) = junit {
            junit.write(printer, |printer| printer.out(junit::render(&report).trim_end()))?;
        }
        let wanted = self.coverage.then_some(0).max(self.coverage_at_least);
        output.write(printer, |printer| {
            let page = match format {
                Format::Text if self.list => text::list(&report, printer),
                Format::Text => text::render(&report, wanted, printer),
                Format::Json => json::render(&report, wanted.is_some()),
                Format::Junit => junit::render(&report),
            };
            printer.out(page.trim_end());
        })?;
        Ok(exit(&report, self.coverage_at_least))
    }
}

fn exit(report: &TestReport, at_least: Option<u8>) -> Exit {
    if report.cancelled {
        return Exit::Cancelled;
    }
    if report.errors() > 0 || report.count(TestStatus::Mistaken) > 0 {
        return Exit::Runbook;
    }
    let covered = at_least.is_none_or(|percent| report.covered_percent() >= percent);
    if report.count(TestStatus::Failed) > 0 || !covered { Exit::RolledBack } else { Exit::Done }
}
