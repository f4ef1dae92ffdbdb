//! `lifeboat review`: what a branch does to the runbooks, for its pull request.

use std::path::PathBuf;

use clap::{Args, ValueEnum};

use crate::model::{Span, Urgency};
use crate::runtime::{Error, Lifeboat, ReviewRequest, review};
use crate::system::Cancel;

use super::output::Output;
use super::people::leave_on_signals;
use super::printer::Printer;
use super::{Exit, Global, open};

mod comment;
mod details;
mod junit;
mod sarif;

/// Say what a branch does to the runbooks, as a comment on its pull request
///
/// Each runbook that it changes, also through modules, is checked, explored and planned, and compared with what it was. Nothing of the
/// branch is executed and nothing is looked at; configuration and policy are those of BASE.
#[derive(Args)]
pub(super) struct Review {
    /// Two commits: what the branch is to go into, and the branch
    #[arg(value_name = "BASE..HEAD", value_parser = range)]
    range: (String, String),
    /// Only this runbook; may be given more than once
    #[arg(long = "runbook", value_name = "PATH")]
    runbooks: Vec<String>,
    /// Walk paths with so many failures, or cancellations, at most: a number, or `all`
    #[arg(long, value_name = "N", default_value = "2", value_parser = super::explore::faults)]
    faults: super::explore::Faults,
    /// Walk the paths of each runbook for so long at most
    #[arg(long, value_name = "TIME", default_value = "10s")]
    time: Span,
    /// How to print the review
    #[arg(long, value_enum, default_value_t)]
    format: Format,
    /// Write what is wrong as JUnit XML, for build servers
    #[arg(long, value_name = "FILE")]
    junit: Option<PathBuf>,
    /// Write what is wrong as SARIF, for code scanning
    #[arg(long, value_name = "FILE")]
    sarif: Option<PathBuf>,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
enum Format {
    /// One comment, at most 65,536 characters
    #[default]
    Markdown,
    /// One JSON document
    Json,
}

/// `BASE..HEAD`, or `BASE...HEAD`, which is the same here.
fn range(text: &str) -> Result<(String, String), String> {
    let parts = text.split_once("...").or_else(|| text.split_once(".."));
    match parts {
        Some((base, head)) if !base.is_empty() => {
            Ok((base.to_owned(), if head.is_empty() { "HEAD" } else { head }.to_owned()))
        }
        _ => Err("name two commits, such as main..HEAD".to_owned()),
    }
}

fn is_junit(beginning: &str) -> bool {
    beginning.starts_with("<?xml") && beginning.contains("<testsuites name=\"lifeboat\"")
}

fn is_sarif(beginning: &str) -> bool {
    beginning.starts_with('{') && beginning.contains("sarif-2.1.0.json") && beginning.contains("\"runs\"")
}

impl Review {
    pub(super) fn execute(&self, global: &Global, printer: &Printer) -> Result<Exit, Error> {
        let cancel = Cancel::new();
        leave_on_signals(&cancel);
        let config = open::config(global)?;
        let place = |file: &Option<PathBuf>, what: &str, is_ours: fn(&str) -> bool| {
            file.clone().map(|file| Output::to(file).open(what, is_ours)).transpose()
        };
        let junit = place(&self.junit, "result of tests", is_junit)?;
        let sarif = place(&self.sarif, "SARIF of Lifeboat", is_sarif)?;
        let request = ReviewRequest {
            environment: global.env.clone(),
            runbooks: self.runbooks.clone(),
            faults: self.faults.0,
            time: self.time.0,
            ..ReviewRequest::new(config, &self.range.0, &self.range.1)
        };
        let reviewed = review(&request, &|config| Lifeboat::builder(config).cancel(cancel.clone()))?;
        if let Some(junit) = junit {
            junit.write(printer, |printer| printer.out(junit::render(&reviewed).trim_end()))?;
        }
        if let Some(sarif) = sarif {
            let text = sarif::render(&reviewed)?;
            sarif.write(printer, |printer| printer.out(&text))?;
        }
        if self.format == Format::Json || printer.json {
            printer.out_json(&reviewed);
        } else {
            printer.out(comment::comment(&reviewed).trim_end());
        }
        Ok(match (cancel.requested(), reviewed.urgency()) {
            (Some(_), _) => Exit::Cancelled,
            (None, Urgency::Errors) => Exit::Runbook,
            (None, Urgency::Unsafe) => Exit::RolledBack,
            (None, _) => Exit::Done,
        })
    }
}
