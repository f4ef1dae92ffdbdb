//! `lifeboat rollback`: undo a run that is over.

use clap::Args;

use crate::runtime::{Error, RollbackRequest};

use super::printer::Printer;
use super::run::{PersonArgs, conclude};
use super::{Exit, Global};

/// Undo a run that is over: the rollbacks that it still owes, newest first
///
/// Steps that went well keep their rollbacks. This evaluates the runbook again from its record, without doing anything, and runs them.
/// It is refused where a target is not in the state in which the run left it.
#[derive(Args)]
pub(super) struct Rollback {
    /// The beginning or the end of a run's id, or `latest`
    #[arg(value_name = "RUN")]
    run: String,
    /// Files may have changed since the run began; recorded calls must still match
    #[arg(long)]
    edited: bool,
    /// Even where a target is not as the run left it
    #[arg(long)]
    anyway: bool,
    #[command(flatten)]
    person: PersonArgs,
}

impl Rollback {
    pub(super) fn execute(&self, global: &Global, printer: &Printer) -> Result<Exit, Error> {
        let lifeboat = self.person.open(global, printer, false)?;
        let ran = lifeboat.roll_back(&RollbackRequest {
            run: self.run.clone(),
            edited: self.edited,
            acknowledged: self.person.acknowledged(),
            anyway: self.anyway,
            wait: self.person.wait(),
            break_glass: self.person.break_glass(),
        })?;
        Ok(conclude(&ran, printer))
    }
}
