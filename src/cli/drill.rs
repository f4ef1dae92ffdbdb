//! `lifeboat drill`: rehearse, measure, report.

use std::path::PathBuf;
use std::time::Duration;

use clap::Args;

use crate::model::Span;
use crate::runtime::{Error, Judged, Objective, Report, Status};
use crate::worlds::OnFault;

use super::printer::{Printer, Style};
use super::run::{LiveArgs, conclude};
use super::{Exit, Global, exit};

/// Break a drill environment, repair it, measure RTO and RPO
#[derive(Args)]
pub(super) struct Drill {
    /// The drill
    #[arg(value_name = "DRILL")]
    drill: PathBuf,
    #[command(flatten)]
    live: LiveArgs,
}

impl Drill {
    pub(super) fn execute(&self, global: &Global, printer: &Printer) -> Result<Exit, Error> {
        let lifeboat = self.live.open(global, printer, true)?;
        let drilled = lifeboat.drill(&self.live.request(global, &self.drill, OnFault::RollBack))?;
        let (ran, report) = (&drilled.ran, &drilled.report);
        if printer.json {
            printer.out_json(report);
        } else {
            if ran.status != Status::Completed || ran.unrecorded.is_some() {
                conclude(ran, printer);
            }
            print(report, printer);
        }
        Ok(match exit::of_run(ran) {
            Exit::Done if !report.passed() => Exit::Missed,
            exit => exit,
        })
    }
}

fn print(report: &Report, printer: &Printer) {
    let row = |name: &str, text: &str| printer.out(&printer.short(&format!("  {name:<14}{text}")));
    printer.out("");
    printer.out(&printer.paint(Style::Bold, &report.title));
    for fault in &report.faults {
        row("fault", fault);
    }
    if let Some(at) = report.fault_at {
        row("injected at", &at.strftime("%Y-%m-%d %H:%M:%S%.3fZ").to_string());
    }
    if let Some(outage) = &report.outage {
        let target = &outage.target;
        row("watched", &format!("{target}: {} of {} probes failed", outage.failed, outage.probes));
    }
    for objective in &report.objectives {
        row(&objective.name.to_uppercase(), &judged(objective, printer));
    }
    for (name, value) in report.measures.iter().filter(|(name, _)| name != "rpo" && name != "rto") {
        row(name, value);
    }
    let timings: Vec<String> = report
        .timings
        .iter()
        .map(|(what, millis)| format!("{what} {}", Span(Duration::from_millis(*millis)).human()))
        .collect();
    let lines = super::wrap::wrap(&timings.join(", "), printer.width().saturating_sub(16));
    for (n, line) in lines.iter().filter(|line| !line.is_empty()).enumerate() {
        row(if n == 0 { "took" } else { "" }, line);
    }
    let (style, verdict) = if report.passed() { (Style::Good, "passed") } else { (Style::Bad, "not passed") };
    row("evidence", &format!(".lifeboat/drills/{}.json, and the run in the journal", report.run));
    printer.out(&format!("  {}", printer.paint(style, verdict)));
}

fn judged(objective: &Objective, printer: &Printer) -> String {
    let promised = format!("promised {}", objective.promised);
    match (objective.judged, objective.measured) {
        (Judged::Met, Some(measured)) => {
            format!("{:<10}{promised:<16}{}", measured.human(), printer.paint(Style::Good, "met"))
        }
        (Judged::Missed, Some(measured)) => {
            format!("{:<10}{promised:<16}{}", measured.human(), printer.paint(Style::Bad, "MISSED"))
        }
        _ => format!("{:<10}{promised:<16}{}", "-", printer.paint(Style::Bad, "NOT MEASURED")),
    }
}
