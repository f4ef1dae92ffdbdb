//! `lifeboat cancel`: end a run from another terminal.

use clap::Args;

use crate::model::Mode;
use crate::runtime::{CancelRequest, Cancelled, Error, Followed};

use super::printer::Printer;
use super::progress::RunView;
use super::run::{PersonArgs, conclude};
use super::{Exit, Global, attach};

/// End a run that goes on in another terminal, or whose process is gone, and undo what it owes
///
/// The effect under way is ended first, or carried to its end, as its driver can. What its rollbacks do is shown as it happens. Asked
/// again, nothing changes; --abort leaves things as they are.
#[derive(Args)]
pub(super) struct Cancel {
    /// The beginning or the end of a run's id, or `latest`
    #[arg(value_name = "RUN")]
    run: String,
    /// Why, for the record
    #[arg(long, value_name = "TEXT")]
    reason: Option<String>,
    /// Roll nothing back: leave things as they are
    #[arg(long)]
    abort: bool,
    /// Do not wait until it has ended
    #[arg(long)]
    no_wait: bool,
    /// Files may have changed since the run began; recorded calls must still match
    #[arg(long)]
    edited: bool,
    #[command(flatten)]
    person: PersonArgs,
}

impl Cancel {
    pub(super) fn execute(&self, global: &Global, printer: &Printer) -> Result<Exit, Error> {
        let lifeboat = self.person.open(global, printer, false)?;
        let cancelled = lifeboat.cancel_run(&CancelRequest {
            run: self.run.clone(),
            reason: self.reason.clone(),
            abort: self.abort,
            edited: self.edited,
            acknowledged: self.person.acknowledged(),
            wait: self.person.wait(),
            break_glass: self.person.break_glass(),
        })?;
        match cancelled {
            Cancelled::Asked(run) if self.no_wait => {
                printer.out(&format!("run {run} was asked to end"));
                Ok(Exit::Done)
            }
            Cancelled::Asked(run) => {
                let followed = lifeboat.follow(run.as_str(), RunView::new(printer).as_ref())?;
                Ok(match attach::conclude(&followed, Mode::Run, printer) {
                    // It is what was asked for.
                    Exit::Cancelled if matches!(followed, Followed::Ended(..)) => Exit::Done,
                    exit => exit,
                })
            }
            Cancelled::Ended(ran) => Ok(match conclude(&ran, printer) {
                Exit::Cancelled => Exit::Done,
                exit => exit,
            }),
        }
    }
}
