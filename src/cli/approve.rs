//! `lifeboat approve`: another person's signature under a saved plan.

use std::path::PathBuf;

use clap::Args;

use crate::model::{SavedPlan, Span};
use crate::runtime::{Error, approvals_of};

use super::printer::{Printer, Style};
use super::{Exit, Global, open, plan};

/// Approve a saved plan that somebody else has made, with an SSH key
#[derive(Args)]
pub(super) struct Approve {
    /// The plan, saved with `plan -o`
    #[arg(value_name = "PLAN")]
    plan: PathBuf,
    /// The SSH key to sign with; the public half is enough where an agent has the other
    #[arg(long, value_name = "FILE")]
    key: PathBuf,
    /// For how long it counts, such as 4h [default: as long as the environment allows]
    #[arg(long = "for", value_name = "DURATION")]
    valid: Option<Span>,
    /// Sign without being shown the plan and asked
    #[arg(long)]
    yes: bool,
}

impl Approve {
    pub(super) fn execute(&self, global: &Global, printer: &Printer) -> Result<Exit, Error> {
        let lifeboat = open::reading(global)?;
        printer.shorten(&lifeboat.config().root);
        let saved = SavedPlan::read(&self.plan)?;
        if !self.yes {
            plan::show(&saved.plan, printer);
            printer.out("");
            let question = format!("plan {} by {}: approve it? Type its environment's name: ", saved.short(), saved.by);
            let typed = printer.ask(&question).ok_or_else(|| Error::Refused {
                why: "nobody is there to read the plan".to_owned(),
                help: Some("at a terminal the plan is shown first; `--yes` signs without".to_owned()),
            })?;
            if typed.trim() != saved.plan.environment {
                printer.err("not approved");
                return Ok(Exit::Refused);
            }
        }
        let approved = lifeboat.approve(&self.plan, &self.key, self.valid)?;
        let until = approved.until.strftime("%Y-%m-%d %H:%M:%SZ");
        let said = format!("approved by {} until {until}", approved.by);
        printer.out(&printer.paint(Style::Good, &said));
        printer.out(&match approved.missing {
            0 => format!("to run it: lifeboat run {}", self.plan.display()),
            missing => format!("{missing} more needed; they stand in {}", approvals_of(&self.plan).display()),
        });
        Ok(Exit::Done)
    }
}
