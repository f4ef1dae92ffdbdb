//! `lifeboat prune`: old runs are removed from the journal.

use clap::Args;
use jiff::Timestamp;
use serde_json::json;

use crate::journal::{JournalError, LibsqlJournal, PrunedRun};
use crate::model::{Span, human_size};
use crate::runtime::Error;
use crate::system::{Clock as _, SystemClock, whoami};

use super::printer::Printer;
use super::{Exit, Global, open, runs};

/// Remove old runs from the journal; what is left can still be verified
#[derive(Args)]
#[command(name = "prune")]
pub(super) struct PruneCommand {
    /// Keep the runs that ended within this time: `90d`. Runs that are not over are kept, and so is the newest one
    #[arg(long, value_name = "TIME")]
    keep: Span,
    /// Only list what would be removed
    #[arg(long)]
    dry_run: bool,
}

impl PruneCommand {
    pub(super) fn execute(&self, global: &Global, printer: &Printer) -> Result<Exit, Error> {
        let now = SystemClock::new().now();
        let keep = jiff::SignedDuration::try_from(self.keep.0).ok();
        let before = keep.and_then(|keep| now.checked_sub(keep).ok()).unwrap_or(Timestamp::MIN);
        let journal = runs::journal(global)?.ok_or(JournalError::NoRuns)?;
        if self.dry_run {
            let old = journal.prunable(before)?;
            if printer.json {
                printer.out_json(&json!({ "version": 1, "before": before, "would_remove": old }));
            } else {
                for run in &old {
                    printer.out(&line(run));
                }
                printer.out(&format!("would remove {}; nothing was changed", counted(&old)));
            }
            return Ok(Exit::Done);
        }
        drop(journal);
        let journal = LibsqlJournal::open(open::journal_of(&open::config(global)?))?;
        let done = journal.prune(before, &whoami(), now)?;
        if printer.json {
            printer.out_json(
                &json!({ "version": 1, "removed": done.prune, "left": done.left, "freed_bytes": done.freed }),
            );
        } else {
            let freed = if done.freed > 0 { format!("; {} freed", human_size(done.freed)) } else { String::new() };
            printer.out(&format!("removed {}; {} left{freed}", counted(&done.prune.runs), done.left));
        }
        Ok(Exit::Done)
    }
}

fn line(run: &PrunedRun) -> String {
    let started = run.started.strftime("%Y-%m-%d %H:%M");
    format!("{}  {started}  {}  {} in {}", run.id, run.status, run.runbook, run.environment)
}

fn counted(runs: &[PrunedRun]) -> String {
    let events: u64 = runs.iter().map(|run| run.events).sum();
    match runs {
        [] => "no run".to_owned(),
        [_] => format!("1 run with {events} events"),
        runs => format!("{} runs with {events} events", runs.len()),
    }
}
