//! `lifeboat plan`: the dry run.

use std::path::PathBuf;

use clap::{Args, ValueEnum};

use crate::model::{Assumption, Plan, PlanVerdict, SavedPlan};
use crate::runtime::{Error, PlanRequest, estimate};

use super::printer::Printer;
use super::runs::journal_to_read;
use super::{Exit, Global, open};

mod branches;
mod failures;
mod text;
mod time;

/// What is looked at without being run: a runbook with its parameters, and what is pinned.
#[derive(Args)]
pub(super) struct Subject {
    /// The runbook
    #[arg(value_name = "RUNBOOK")]
    pub(super) runbook: PathBuf,
    /// Give a parameter of the runbook
    #[arg(long = "set", value_name = "NAME=VALUE", value_parser = pair)]
    pub(super) params: Vec<(String, String)>,
    /// Pin how a call ends, such as 'probe(primary)=fail', until that target is changed
    #[arg(long = "assume", value_name = "CALL=CASE", value_parser = assumption)]
    pub(super) assumptions: Vec<Assumption>,
    /// Pin what a scenario of the runbook pins, `//! scenario: NAME: CALL=CASE, …`
    #[arg(long, value_name = "NAME")]
    pub(super) scenario: Option<String>,
}

/// Show what a runbook would do, line by line; change nothing
#[derive(Args)]
pub(super) struct PlanCommand {
    #[command(flatten)]
    subject: Subject,
    /// Save the plan: `lifeboat run FILE` then runs what was reviewed, and nothing else
    #[arg(short = 'o', long, value_name = "FILE")]
    output: Option<PathBuf>,
    /// How to print the plan
    #[arg(long, value_enum, default_value_t)]
    format: Format,
    /// How much to show of what happens when a call fails: 0 nothing, 1 what comes of it, 2 every call that follows
    #[arg(long, value_name = "0..2", default_value_t = 1, value_parser = clap::value_parser!(u8).range(0..=2))]
    depth: u8,
    /// Exit with 2 when the plan has changes
    #[arg(long)]
    detailed_exitcode: bool,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
enum Format {
    /// For people
    #[default]
    Text,
    /// One JSON document
    Json,
}

/// `NAME=VALUE`.
pub(super) fn pair(text: &str) -> Result<(String, String), String> {
    match text.split_once('=') {
        Some((name, value)) if !name.is_empty() => Ok((name.to_owned(), value.to_owned())),
        _ => Err("write it as NAME=VALUE".to_owned()),
    }
}

fn assumption(text: &str) -> Result<Assumption, String> {
    text.parse::<Assumption>().map_err(|e| match e.hint {
        Some(hint) => format!("{}: {hint}", e.message),
        None => e.message,
    })
}

/// Prints a plan for people.
pub(super) fn show(plan: &Plan, printer: &Printer) {
    text::print(plan, 1, printer);
}

impl PlanCommand {
    pub(super) fn execute(&self, global: &Global, printer: &Printer) -> Result<Exit, Error> {
        let lifeboat = open::reading(global)?;
        printer.shorten(&lifeboat.config().root);
        printer.conceal(lifeboat.redactor());
        let mut plan = lifeboat.plan(&PlanRequest {
            runbook: self.subject.runbook.clone(),
            environment: global.env.clone(),
            params: self.subject.params.clone(),
            assumptions: self.subject.assumptions.clone(),
            scenario: self.subject.scenario.clone(),
        })?;
        // A plan that cannot look back is one all the same.
        let past = journal_to_read(global, false);
        if let Err(error) = past.and_then(|past| estimate(&mut plan, past.as_deref())) {
            printer.err(&format!("how long it takes is not known: earlier runs cannot be read: {error}"));
        }
        if self.format == Format::Json || printer.json {
            printer.out_json(&plan);
        } else {
            text::print(&plan, self.depth, printer);
        }
        let exit = self.exit(&plan);
        if let Some(file) = &self.output {
            let saved = SavedPlan::of(plan, &self.subject.params)?;
            saved.write(file)?;
            let shown = file.display();
            printer.err(&format!("saved as {shown} ({}); to run it: lifeboat run {shown}", saved.short()));
        }
        Ok(exit)
    }

    fn exit(&self, plan: &Plan) -> Exit {
        match plan.verdict {
            PlanVerdict::Completes if self.detailed_exitcode && plan.changes() > 0 => Exit::Changes,
            PlanVerdict::Completes => Exit::Done,
            PlanVerdict::Fails { .. } | PlanVerdict::Stops { .. } => Exit::RolledBack,
        }
    }
}
