//! `lifeboat resume`: carry on with a run whose process is gone.

use std::sync::Arc;

use clap::Args;

use crate::runtime::{Error, ResumeRequest};

use super::printer::Printer;
use super::run::{OnFaultArg, PersonArgs, conclude};
use super::{Exit, Global};

/// Carry on with a run whose process is gone, or that is settled
///
/// What was recorded is not done again: the script is evaluated from its beginning, each recorded call is compared and answered from
/// the record, and what comes after it happens. An effect that was under way is settled by the evidence that its driver finds.
#[derive(Args)]
pub(super) struct Resume {
    /// The beginning or the end of a run's id [default: the newest that is not over]
    #[arg(value_name = "RUN")]
    run: Option<String>,
    /// Files may have changed since the run began; recorded calls must still match
    #[arg(long)]
    edited: bool,
    #[command(flatten)]
    person: PersonArgs,
    /// Let it take longer than its runbook allows
    #[arg(long)]
    no_deadline: bool,
    /// What to do when a call fails that the runbook does not catch [default: pause on a terminal, else rollback]
    #[arg(long, value_enum, value_name = "WHAT")]
    on_fault: Option<OnFaultArg>,
}

impl Resume {
    pub(super) fn execute(&self, global: &Global, printer: &Printer) -> Result<Exit, Error> {
        let lifeboat = Arc::new(self.person.open(global, printer, false)?);
        let ran = lifeboat.resume(&ResumeRequest {
            run: self.run.clone(),
            edited: self.edited,
            acknowledged: self.person.acknowledged(),
            on_fault: OnFaultArg::chosen(self.on_fault, printer, &lifeboat),
            unanswered: self.person.unanswered(),
            without_deadline: self.no_deadline,
            wait: self.person.wait(),
            break_glass: self.person.break_glass(),
        })?;
        Ok(conclude(&ran, printer))
    }
}
