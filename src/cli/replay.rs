//! `lifeboat replay`: recorded runs as tests of the next version of their runbook.

use std::path::PathBuf;
use std::sync::Arc;

use clap::Args;
use serde_json::json;

use crate::journal::{Journal, JournalError};
use crate::runtime::{Error, Lifeboat, Reenacted};

use super::printer::{Printer, Style};
use super::wrap::wrap;
use super::{Exit, Global, open, runs};

/// Play recorded runs to a runbook: does it still do the same?
#[derive(Args)]
pub(super) struct Replay {
    /// The beginning or the end of a run's id, or `latest` [default: the last runs of the runbook]
    #[arg(value_name = "RUN", conflicts_with = "last")]
    run: Option<String>,
    /// The runbook that they are played to
    #[arg(long, value_name = "RUNBOOK")]
    against: PathBuf,
    /// So many of its last runs that are over
    #[arg(long, value_name = "N", default_value_t = 10)]
    last: usize,
}

impl Replay {
    pub(super) fn execute(&self, global: &Global, printer: &Printer) -> Result<Exit, Error> {
        let journal = runs::journal(global)?.ok_or(JournalError::NoRuns)?;
        let named = self.run.as_ref().map(|run| journal.find(run)).transpose()?;
        let lifeboat = Lifeboat::builder(open::config(global)?).journal(Arc::new(journal)).build()?;
        let chosen = match named {
            Some(run) => vec![run],
            None => lifeboat.runs_of(&self.against, self.last)?,
        };
        if chosen.is_empty() {
            let why = format!("{} has no runs that are over", self.against.display());
            let help = Some("name one of another path: `lifeboat replay RUN --against RUNBOOK`".to_owned());
            return Err(Error::Params { why, help });
        }
        let mut same = true;
        for run in &chosen {
            let reenacted = lifeboat.reenact(run, &self.against)?;
            same &= reenacted.difference.is_none();
            if printer.json {
                printer.out_json(&json!({ "version": 1, "same": reenacted.difference.is_none(), "replay": reenacted }));
            } else {
                show(&reenacted, printer);
            }
        }
        Ok(if same { Exit::Done } else { Exit::RolledBack })
    }
}

fn show(reenacted: &Reenacted, printer: &Printer) {
    let say = |indent: &str, text: &str| {
        for line in wrap(text, printer.width().saturating_sub(indent.len())) {
            printer.out(&format!("{indent}{line}"));
        }
    };
    let Reenacted { run, status, calls, cut_off, difference } = reenacted;
    let calls = if *calls == 1 { "1 call".to_owned() } else { format!("{calls} calls") };
    let Some(difference) = difference else {
        let far = if *cut_off { ", as far as its record goes" } else { "" };
        printer.out(&format!("{} {run}  {status}  {calls}{far}", printer.paint(Style::Good, "same   ")));
        return;
    };
    printer.out(&format!("{} {run}  {status}", printer.paint(Style::Bad, "differs")));
    let at = difference.key.as_ref().map_or_else(|| "at the end".to_owned(), |key| format!("at call {key}"));
    say("  ", &format!("{at}, after {calls} that are the same"));
    say("    recorded   ", &difference.recorded);
    say("    now        ", &difference.requested);
}
