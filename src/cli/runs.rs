//! `lifeboat runs`: what was run, newest first.

use std::collections::BTreeMap;
use std::ops::Deref;
use std::sync::Arc;
use std::time::Duration;

use clap::Args;
use clap::builder::PossibleValuesParser;
use jiff::Timestamp;

use crate::journal::{Journal, LibsqlJournal, RUNNING, RunQuery, RunSummary};
use crate::model::{Mode, RunId, Span};
use crate::runtime::{Error, Life, Lifeboat, Status};

use super::printer::{Printer, Style};
use super::{Exit, Global, open, when};

/// List the runs in the journal, newest first
#[derive(Args)]
pub(super) struct Runs {
    /// Only runs that ended so
    #[arg(long, value_name = "STATUS", value_parser = statuses())]
    status: Option<String>,
    /// Only runs of runbooks whose path contains this
    #[arg(long, value_name = "TEXT")]
    runbook: Option<String>,
    /// Only runs that somebody started whose `user@host` contains this
    #[arg(long, value_name = "TEXT")]
    by: Option<String>,
    /// Only runs started then or later: `7d` ago, `2026-11-20`, or `2026-11-20T09:00Z`
    #[arg(long, value_name = "WHEN", value_parser = when::parse)]
    since: Option<Timestamp>,
    /// Only runs started before
    #[arg(long, value_name = "WHEN", value_parser = when::parse)]
    until: Option<Timestamp>,
    /// Only drills
    #[arg(long, conflicts_with = "no_drills")]
    drills: bool,
    /// No drills
    #[arg(long)]
    no_drills: bool,
    /// At most so many
    #[arg(long, value_name = "N", default_value_t = 20, value_parser = clap::value_parser!(u32).range(1..))]
    limit: u32,
    /// Those of the whole team, from the journal that it shares
    #[arg(long)]
    shared: bool,
}

fn statuses() -> PossibleValuesParser {
    PossibleValuesParser::new(Status::ALL.map(Status::name).into_iter().chain([RUNNING]))
}

impl Runs {
    pub(super) fn execute(self, global: &Global, printer: &Printer) -> Result<Exit, Error> {
        let query = RunQuery {
            limit: usize::try_from(self.limit).ok(),
            status: self.status,
            runbook: self.runbook,
            environment: global.env.clone(),
            id: None,
            by: self.by,
            mode: if self.drills { Some(Mode::Drill) } else { self.no_drills.then_some(Mode::Run) },
            since: self.since,
            until: self.until,
        };
        let journal = journal_to_read(global, self.shared)?;
        let runs = journal.as_ref().map_or_else(|| Ok(Vec::new()), |journal| journal.runs(&query))?;
        if printer.json {
            for run in &runs {
                printer.out_json(run);
            }
        } else if runs.is_empty() {
            let all = query == RunQuery { limit: query.limit, ..RunQuery::default() };
            printer.err(if all { "no runs yet: `lifeboat run RUNBOOK` records the first one" } else { "no such run" });
        } else if let Some(journal) = &journal {
            table(&runs, &**journal, printer);
        }
        Ok(Exit::Done)
    }
}

/// The journal of the project, if there is one yet. The configuration is not read: what was recorded can be looked at even
/// while it has mistakes.
pub(super) fn journal(global: &Global) -> Result<Option<LibsqlJournal>, Error> {
    Ok(LibsqlJournal::open_existing(open::journal_of(&open::config(global)?))?)
}

/// A journal that is looked at.
pub(super) struct Opened {
    journal: Arc<dyn Journal>,
    /// What speaks to the server, where it lies at one.
    _through: Option<Lifeboat>,
}

impl Deref for Opened {
    type Target = dyn Journal;
    fn deref(&self) -> &Self::Target {
        self.journal.as_ref()
    }
}

/// The journal of the project, or the one that its team shares, to be looked at; `None` where nothing was recorded yet.
pub(super) fn journal_to_read(global: &Global, shared: bool) -> Result<Option<Opened>, Error> {
    if shared {
        let lifeboat = open::reading(global)?;
        let journal = lifeboat.existing_shared_journal()?;
        return Ok(journal.map(|journal| Opened { journal, _through: Some(lifeboat) }));
    }
    Ok(journal(global)?.map(|journal| Opened { journal: Arc::new(journal), _through: None }))
}

/// A run without an end whose process is gone.
const INTERRUPTED: &str = "interrupted";

const HEADER: [&str; 6] = ["RUN", "STARTED (UTC)", "TOOK", "STATUS", "RUNBOOK", "ENV"];
const STATUS: usize = 3;
const RUNBOOK: usize = 4;

fn table(runs: &[RunSummary], journal: &dyn Journal, printer: &Printer) {
    let names = short_names(runs);
    let rows: Vec<[String; 6]> = runs
        .iter()
        .zip(names)
        .map(|(run, name)| {
            [
                name,
                run.started.strftime("%Y-%m-%d %H:%M").to_string(),
                took(run).map_or_else(|| "-".to_owned(), Span::human),
                status(run, journal),
                run.runbook.clone(),
                run.environment.clone(),
            ]
        })
        .collect();
    let header = HEADER.map(str::to_owned);
    let mut widths = [0; 6];
    for row in rows.iter().chain([&header]) {
        for (width, cell) in widths.iter_mut().zip(row) {
            *width = (*width).max(cell.chars().count());
        }
    }
    let spare = widths.iter().sum::<usize>() + 2 * (widths.len() - 1);
    let narrow = widths[RUNBOOK].saturating_sub(spare.saturating_sub(printer.width()));
    widths[RUNBOOK] = narrow.max(HEADER[RUNBOOK].len());
    let line = |row: &[String; 6], style: Option<Style>| {
        let cells = row.iter().zip(widths).enumerate().map(|(n, (cell, width))| {
            let text = format!("{:<width$}", if n == RUNBOOK { tail(cell, width) } else { cell.clone() });
            match style {
                Some(style) if n == STATUS => printer.paint(style, &text),
                _ => text,
            }
        });
        cells.collect::<Vec<_>>().join("  ").trim_end().to_owned()
    };
    printer.out(&printer.paint(Style::Dim, &line(&header, None)));
    for (row, run) in rows.iter().zip(runs) {
        printer.out(&line(row, Some(style(&run.status))));
    }
}

/// The status as people need it: of a run without an end, whether it goes on.
fn status(run: &RunSummary, journal: &dyn Journal) -> String {
    let interrupted = || journal.events(&run.id).is_ok_and(|events| Life::of(&run.id, &events) == Life::Interrupted);
    if run.status == RUNNING && interrupted() { INTERRUPTED.to_owned() } else { run.status.clone() }
}

/// The last part of a run's id is enough to name it, and shorter to type; the whole id where two runs share that part.
fn short_names(runs: &[RunSummary]) -> Vec<String> {
    let last = |id: &RunId| id.as_str().rsplit('-').next().unwrap_or_default().to_owned();
    let mut count = BTreeMap::<String, usize>::new();
    for run in runs {
        *count.entry(last(&run.id)).or_default() += 1;
    }
    runs.iter().map(|run| Some(last(&run.id)).filter(|l| count[l] == 1).unwrap_or_else(|| run.id.to_string())).collect()
}

/// The end of a path that is too long: it tells more than the beginning.
fn tail(text: &str, width: usize) -> String {
    let length = text.chars().count();
    if length <= width {
        return text.to_owned();
    }
    let rest: String = text.chars().skip(length - width.saturating_sub(1)).collect();
    // Whole names are read more easily than parts of them.
    let whole = rest.find('/').map_or(rest.as_str(), |at| &rest[at..]);
    format!("…{whole}")
}

/// How long a run took.
pub(super) fn took(run: &RunSummary) -> Option<Span> {
    let time = run.ended?.duration_since(run.started);
    Some(Span(Duration::try_from(time).unwrap_or_default()))
}

/// How a status looks.
pub(super) fn style(status: &str) -> Style {
    match status {
        s if s == Status::Completed.name() => Style::Good,
        s if s == RUNNING || s == INTERRUPTED || s == Status::Cancelled.name() || s == Status::Refused.name() => {
            Style::Caution
        }
        _ => Style::Bad,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_long_path_keeps_its_end() {
        assert_eq!(tail("runbooks/a.rhai", 20), "runbooks/a.rhai");
        assert_eq!(tail("runbooks/drills/a.rhai", 18), "…/drills/a.rhai");
        assert_eq!(tail("runbooks/a.rhai", 10), "…/a.rhai");
        assert_eq!(tail("runbooks/a.rhai", 6), "….rhai");
        assert_eq!(tail("rünböoks/ä.rhai", 8), "…/ä.rhai");
    }
}
