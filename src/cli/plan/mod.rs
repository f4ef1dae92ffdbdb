//! `lifeboat plan`: the dry run.

use std::path::PathBuf;

use clap::{Args, ValueEnum};

use crate::model::{Assumption, Plan, PlanNode, PlanVerdict, SavedPlan};
use crate::runtime::{Error, PlanRequest, estimate};

use super::output::form;
use super::printer::Printer;
use super::runs::journal_to_read;
use super::{Exit, Global, open};

mod branches;
mod changes;
mod failures;
pub(super) mod markdown;
mod outline;
mod page;
#[cfg(test)]
mod tests;
mod text;
mod time;
mod verdict;

/// What is looked at without being run: a runbook with its parameters, and what is pinned.
#[derive(Args)]
pub(super) struct Subject {
    /// The runbook
    #[arg(value_name = "RUNBOOK")]
    pub(super) runbook: PathBuf,
    #[command(flatten)]
    pub(super) given: Given,
}

/// What is given of a runbook that is not run: its parameters, and how calls of it end.
#[derive(Args)]
pub(super) struct Given {
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
    /// How to print the plan [default: text]
    #[arg(long, value_enum, value_name = "FORMAT")]
    format: Option<Format>,
    /// How much to show of what happens when a call fails: 0 nothing, 1 what comes of it, 2 every call that follows
    #[arg(long, value_name = "0..2", default_value_t = 1, value_parser = clap::value_parser!(u8).range(0..=2))]
    depth: u8,
    /// Look at nothing: whatever is not pinned ends as is likely
    #[arg(long, conflicts_with = "output")]
    offline: bool,
    /// Exit with 2 when the plan has changes
    #[arg(long)]
    detailed_exitcode: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Format {
    /// For people at a terminal
    Text,
    /// One JSON document
    Json,
    /// A comment on a pull request, in Markdown
    Md,
    /// A page with everything, for a review
    Html,
}

/// `NAME=VALUE`.
pub(super) fn pair(text: &str) -> Result<(String, String), String> {
    match text.split_once('=') {
        Some((name, value)) if !name.is_empty() => Ok((name.to_owned(), value.to_owned())),
        _ => Err("write it as NAME=VALUE".to_owned()),
    }
}

/// `CALL=CASE`.
pub(super) fn assumption(text: &str) -> Result<Assumption, String> {
    text.parse::<Assumption>().map_err(|e| match e.hint {
        Some(hint) => format!("{}: {hint}", e.message),
        None => e.message,
    })
}

/// Prints a plan for people.
pub(super) fn show(plan: &Plan, printer: &Printer) {
    text::print(plan, 1, printer);
}

/// Prints parts of a plan: what happens, and not what comes of a failure.
pub(super) fn show_nodes(nodes: &[PlanNode], printer: &Printer) {
    text::print_nodes(nodes, printer);
}

impl PlanCommand {
    pub(super) fn execute(&self, global: &Global, printer: &Printer) -> Result<Exit, Error> {
        let format = form(self.format, global.json, (Format::Text, Format::Json))?;
        self.check_output()?;
        let lifeboat = open::reading(global)?;
        printer.shorten(&lifeboat.config().root);
        printer.conceal(lifeboat.redactor());
        let mut plan = lifeboat.plan(&PlanRequest {
            runbook: self.subject.runbook.clone(),
            environment: global.env.clone(),
            params: self.subject.given.params.clone(),
            assumptions: self.subject.given.assumptions.clone(),
            scenario: self.subject.given.scenario.clone(),
            offline: self.offline,
        })?;
        // A plan that cannot look back is one all the same.
        let past = journal_to_read(global, false);
        if let Err(error) = past.and_then(|past| estimate(&mut plan, past.as_deref())) {
            printer.err(&format!("how long it takes is not known: earlier runs cannot be read: {error}"));
        }
        let told = |text: &str| printer.told(text);
        match format {
            Format::Text => text::print(&plan, self.depth, printer),
            Format::Json => printer.out_json(&plan),
            Format::Html => printer.out(page::page(&plan, &told).trim_end()),
            Format::Md => printer.out(markdown::markdown(&plan, &told, markdown::COMMENT).trim_end()),
        }
        let exit = self.exit(&plan);
        if let Some(file) = &self.output {
            let saved = SavedPlan::of(plan, &self.subject.given.params)?;
            saved.write(file)?;
            let shown = file.display();
            printer.err(&format!("saved as {shown} ({}); to run it: lifeboat run {shown}", saved.short()));
        }
        Ok(exit)
    }

    /// A saved plan is no page, and whoever names a page does not want one.
    fn check_output(&self) -> Result<(), Error> {
        let Some(file) = self.output.as_ref() else { return Ok(()) };
        let extension = file.extension().and_then(|extension| extension.to_str()).unwrap_or_default();
        let form = match extension {
            "html" | "htm" => "html",
            "md" => "md",
            _ => return Ok(()),
        };
        Err(Error::Params {
            why: format!("-o saves the plan itself, as JSON, and {} is called like a page", file.display()),
            help: Some(format!(
                "for the page: lifeboat plan {} --format {form} > {}",
                self.subject.runbook.display(),
                file.display()
            )),
        })
    }

    fn exit(&self, plan: &Plan) -> Exit {
        match plan.verdict {
            PlanVerdict::Completes if self.detailed_exitcode && plan.changes() > 0 => Exit::Changes,
            PlanVerdict::Completes => Exit::Done,
            PlanVerdict::Fails { .. } | PlanVerdict::Stops { .. } => Exit::RolledBack,
        }
    }
}
