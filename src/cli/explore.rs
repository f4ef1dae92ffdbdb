//! `lifeboat explore`: every path of a runbook, before the incident.

use clap::{Args, ValueEnum};

use crate::model::Span;
use crate::runtime::{Error, ExploreRequest, Lifeboat};
use crate::system::Cancel;

use super::people::leave_on_signals;
use super::plan::Subject;
use super::printer::Printer;
use super::{Exit, Global, explore_text, open};

/// Walk every path that a runbook can take, and say which end badly; touch nothing
#[derive(Args)]
pub(super) struct Explore {
    #[command(flatten)]
    subject: Subject,
    /// How many failures, or cancellations, a path may meet: a number, or `all`
    #[arg(long, value_name = "N", default_value = "2", value_parser = faults)]
    faults: Faults,
    /// Walk so many paths at most; those with few failures first
    #[arg(long, value_name = "N", default_value_t = 1_000_000)]
    paths: u64,
    /// Walk for so long at most
    #[arg(long, value_name = "TIME", default_value = "1m")]
    time: Span,
    /// How many threads walk [default: one for each core]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=64))]
    threads: Option<u16>,
    /// How to print what was found
    #[arg(long, value_enum, default_value_t)]
    format: Format,
}

#[derive(Clone, Copy, Debug)]
struct Faults(Option<usize>);

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
enum Format {
    /// For people
    #[default]
    Text,
    /// One JSON document
    Json,
}

fn faults(text: &str) -> Result<Faults, String> {
    match text {
        "all" => Ok(Faults(None)),
        number => number.parse().map(|n| Faults(Some(n))).map_err(|_| "give a number, or `all`".to_owned()),
    }
}

impl Explore {
    pub(super) fn execute(&self, global: &Global, printer: &Printer) -> Result<Exit, Error> {
        // Whoever stops it still hears what was found so far.
        let cancel = Cancel::new();
        leave_on_signals(&cancel);
        let lifeboat = Lifeboat::builder(open::config(global)?).cancel(cancel.clone()).build()?;
        printer.shorten(&lifeboat.config().root);
        printer.conceal(lifeboat.redactor());
        let request = ExploreRequest::new(self.subject.runbook.clone());
        let exploration = lifeboat.explore(&ExploreRequest {
            environment: global.env.clone(),
            params: self.subject.params.clone(),
            assumptions: self.subject.assumptions.clone(),
            scenario: self.subject.scenario.clone(),
            faults: self.faults.0,
            paths: self.paths,
            time: self.time.0,
            threads: self.threads.map_or(request.threads, usize::from),
            ..request
        })?;
        if self.format == Format::Json || printer.json {
            printer.out_json(&exploration);
        } else {
            explore_text::print(&exploration, printer);
        }
        Ok(match exploration.is_sound() {
            true => Exit::Done,
            false if cancel.requested().is_some() => Exit::Cancelled,
            false => Exit::RolledBack,
        })
    }
}
