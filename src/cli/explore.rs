//! `lifeboat explore`: every path of a runbook, before the incident.

mod dot;
mod drawing;
pub(super) mod ends;
mod fold;
mod forms;
mod lcov;
mod mermaid;
mod page;
mod rooms;
mod said;
mod source_page;
#[cfg(test)]
mod tests;
mod text;
mod tree_page;

use std::path::PathBuf;

use clap::{Args, ValueEnum};

use crate::model::{Exploration, Span};
use crate::runtime::{Error, ExploreRequest, Lifeboat};
use crate::system::Cancel;

use super::output::{Output, form};
use super::people::leave_on_signals;
use super::plan::Given;
use super::printer::Printer;
use super::{Exit, Global, open};

/// Walk every path that a runbook can take, and say which end badly; touch nothing
#[derive(Args)]
pub(super) struct Explore {
    /// The runbook
    #[arg(value_name = "RUNBOOK", required_unless_present = "run")]
    runbook: Option<PathBuf>,
    /// Only the ways on which this run can go on, from where it is: the beginning or the end of its id, or `latest`
    #[arg(long, value_name = "RUN", conflicts_with_all = ["runbook", "params", "assumptions", "scenario"])]
    run: Option<String>,
    #[command(flatten)]
    given: Given,
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
    /// How to print what was found [default: text]
    #[arg(long, value_enum, value_name = "FORMAT")]
    format: Option<Format>,
    /// Draw so many nodes of the tree at most: the nearest, and those from which it ends badly
    #[arg(long, value_name = "N", default_value_t = 400)]
    nodes: usize,
    #[command(flatten)]
    output: Output,
}

/// How many failures a path may meet; none for as many as there are.
#[derive(Clone, Copy, Debug)]
pub(super) struct Faults(pub(super) Option<usize>);

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Format {
    /// For people at a terminal
    Text,
    /// One JSON document
    Json,
    /// The tree of paths as a flowchart, as GitHub shows it in Markdown
    Mermaid,
    /// The tree of paths for Graphviz
    Dot,
    /// A page with everything: what was found, the tree, and the source
    Html,
    /// What of the source is walked, as a tracefile of lcov
    Lcov,
}

/// A number, or `all`.
pub(super) fn faults(text: &str) -> Result<Faults, String> {
    match text {
        "all" => Ok(Faults(None)),
        number => number.parse().map(|n| Faults(Some(n))).map_err(|_| "give a number, or `all`".to_owned()),
    }
}

impl Explore {
    pub(super) fn execute(&self, global: &Global, printer: &Printer) -> Result<Exit, Error> {
        let format = form(self.format, global.json, (Format::Text, Format::Json))?;
        let output = self.output.open("exploration", forms::is_exploration)?;
        // Whoever stops it still hears what was found so far.
        let cancel = Cancel::new();
        leave_on_signals(&cancel);
        let lifeboat = match &self.run {
            Some(_) => open::recording(global, |builder| builder.cancel(cancel.clone()))?,
            None => Lifeboat::builder(open::config(global)?).cancel(cancel.clone()).build()?,
        };
        printer.shorten(&lifeboat.config().root);
        printer.conceal(lifeboat.redactor());
        let request = ExploreRequest::new(self.runbook.clone().unwrap_or_default());
        let exploration = lifeboat.explore(&ExploreRequest {
            run: self.run.clone(),
            environment: global.env.clone(),
            params: self.given.params.clone(),
            assumptions: self.given.assumptions.clone(),
            scenario: self.given.scenario.clone(),
            faults: self.faults.0,
            paths: self.paths,
            time: self.time.0,
            threads: self.threads.map_or(request.threads, usize::from),
            tree: !matches!(format, Format::Text | Format::Json),
            ..request
        })?;
        output.write(printer, |printer| self.print(&exploration, format, printer))?;
        Ok(match exploration.is_sound() {
            true => Exit::Done,
            false if cancel.requested().is_some() => Exit::Cancelled,
            false => Exit::RolledBack,
        })
    }

    fn print(&self, exploration: &Exploration, format: Format, printer: &Printer) {
        let document = match (format, &exploration.tree) {
            (Format::Json, _) => return printer.out_json(exploration),
            (Format::Mermaid, Some(tree)) => mermaid::mermaid(exploration, tree, self.nodes),
            (Format::Dot, Some(tree)) => dot::dot(exploration, tree, self.nodes),
            (Format::Html, Some(tree)) => page::page(exploration, tree, self.nodes),
            (Format::Lcov, _) => lcov::lcov(exploration),
            _ => return text::print(exploration, printer),
        };
        printer.out(document.trim_end());
    }
}
