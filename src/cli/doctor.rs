//! `lifeboat doctor`: what a run will need, looked at before it is needed; and whether a driver keeps to the protocol.

use std::path::PathBuf;
use std::sync::Arc;

use clap::Args;

use crate::config::DriverSpec;
use crate::journal::{Journal, LibsqlJournal, MemoryJournal};
use crate::model::{Span, instead};
use crate::primitives::Registry;
use crate::primitives::external::{protocol::Trial, protocol_schema};
use crate::runtime::{Candidate, Error, Finding, Level, Lifeboat, conformance};
use crate::system::{Cancel, absolute, read_source};
use crate::worlds::{Conforms, Tried};

use super::printer::{Printer, Style};
use super::wrap::wrap;
use super::{Exit, Global, open};

/// See whether all that a run will need is there; change nothing
#[derive(Args)]
#[command(after_help = "Exit codes: 0 nothing fails, 78 something does.")]
pub(super) struct Doctor {
    /// How long each target may take
    #[arg(long, value_name = "TIME", default_value = "10s")]
    timeout: Span,
    /// Try out this driver instead: one of [drivers] in lifeboat.toml. It performs, in scratch directories
    #[arg(long, value_name = "NAME")]
    driver: Option<String>,
    /// With --driver: its program, where lifeboat.toml does not declare it
    #[arg(long, value_name = "FILE", requires = "driver")]
    program: Option<PathBuf>,
    /// With --driver: calls to try it with, as JSON, instead of those that it describes
    #[arg(long, value_name = "FILE", requires = "driver")]
    trials: Option<PathBuf>,
    /// Print the driver protocol as JSON Schema
    #[arg(long, conflicts_with_all = ["driver", "program"])]
    driver_schema: bool,
}

impl Doctor {
    pub(super) fn execute(&self, global: &Global, printer: &Printer) -> Result<Exit, Error> {
        if self.driver_schema {
            let schema = serde_json::to_string_pretty(&protocol_schema()).unwrap_or_default();
            printer.out(&schema);
            return Ok(Exit::Done);
        }
        match &self.driver {
            Some(name) => self.try_out(name, global, printer),
            None => self.examine(global, printer),
        }
    }

    fn examine(&self, global: &Global, printer: &Printer) -> Result<Exit, Error> {
        let config = open::config(global)?;
        let journal = open::journal_of(&config);
        // What is only looked at is not made.
        let opened = move || {
            let journal = LibsqlJournal::open_existing(&journal)?;
            Ok(journal.map_or_else(
                || Arc::new(MemoryJournal::new()) as Arc<dyn Journal>,
                |journal| Arc::new(journal) as Arc<dyn Journal>,
            ))
        };
        let lifeboat = Lifeboat::builder(&config).journal_when_needed(opened).build()?;
        printer.shorten(&lifeboat.config().root);
        let findings = lifeboat.doctor(global.env.as_deref(), self.timeout.0)?;
        if printer.json {
            printer.out_json(&serde_json::json!({ "findings": findings }));
        } else {
            for finding in &findings {
                show(finding, printer);
            }
            printer.out(&summary(&findings));
        }
        let failed = findings.iter().any(|finding| finding.level == Level::Fail);
        Ok(if failed { Exit::Config } else { Exit::Done })
    }

    fn try_out(&self, name: &str, global: &Global, printer: &Printer) -> Result<Exit, Error> {
        let spec = match &self.program {
            Some(program) => {
                let program = absolute(program).to_string_lossy().into_owned();
                DriverSpec::of_program(name, vec![program], absolute(".".as_ref()))
            }
            None => declared(name, global)?,
        };
        let trials = self.trials.as_ref().map(|path| trials(path)).transpose()?;
        let cancel = Cancel::new();
        cancel_on_ctrl_c(&cancel);
        let heard = |tried: &Tried| {
            // What was cut short says nothing.
            if !printer.json && cancel.requested().is_none() {
                report(tried, printer);
            }
        };
        let candidate = Candidate { spec, trials, cancel: cancel.clone() };
        let tried = conformance(candidate, &Registry::standard(), &heard)?;
        if cancel.requested().is_some() {
            printer.err("stopped before all was tried; the driver was ended, and its scratch directories are gone");
            return Ok(Exit::Cancelled);
        }
        let count = |wanted: fn(&Conforms) -> bool| tried.iter().filter(|tried| wanted(&tried.verdict)).count();
        let failed = count(|verdict| matches!(verdict, Conforms::Failed(_)));
        if printer.json {
            let cases: Vec<_> = tried.iter().map(as_json).collect();
            printer.out_json(&serde_json::json!({ "driver": name, "cases": cases }));
        } else {
            let passed = count(|verdict| *verdict == Conforms::Passed);
            let skipped = tried.len() - passed - failed;
            printer.out(&format!("driver {name}: {passed} passed, {failed} failed, {skipped} not tried"));
        }
        Ok(if failed > 0 { Exit::Config } else { Exit::Done })
    }
}

/// Ctrl-C ends the driver under way, and with it the trial.
fn cancel_on_ctrl_c(cancel: &Cancel) {
    let cancel = cancel.clone();
    let listen = move || {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_io().build();
        if runtime.is_ok_and(|runtime| runtime.block_on(tokio::signal::ctrl_c()).is_ok()) {
            cancel.request();
        }
    };
    // Without the thread, Ctrl-C ends the process as it does for any program.
    let _ = std::thread::Builder::new().name("signals".into()).spawn(listen);
}

/// What lifeboat.toml declares of the driver.
fn declared(name: &str, global: &Global) -> Result<DriverSpec, Error> {
    let lifeboat = open::reading(global)?;
    let drivers = &lifeboat.config().drivers;
    drivers.get(name).cloned().ok_or_else(|| {
        let known: Vec<&str> = drivers.keys().map(String::as_str).collect();
        let why = format!("there is no `[drivers.{name}]` in lifeboat.toml");
        let help = match known[..] {
            [] => "declare its program there, or name it: --program FILE".to_owned(),
            _ => instead(name, &known, "declared drivers"),
        };
        Error::Params { why, help: Some(help) }
    })
}

fn trials(path: &std::path::Path) -> Result<Vec<Trial>, Error> {
    let refused = |why: String| {
        let help = "write a list: [{\"kind\": …, \"primitive\": …, \"settings\": {…}, \"args\": {…}}]".to_owned();
        Error::Params { why, help: Some(help) }
    };
    let text = read_source(path).map_err(refused)?;
    serde_json::from_str(&text).map_err(|error| refused(format!("{}: {error}", path.display())))
}

fn show(finding: &Finding, printer: &Printer) {
    let (style, word) = match finding.level {
        Level::Ok => (Style::Good, "ok  "),
        Level::Warn => (Style::Caution, "warn"),
        Level::Fail => (Style::Bad, "fail"),
    };
    entry(style, word, &format!("{}: {}", finding.subject, finding.message), printer);
    if let Some(hint) = finding.hint.as_ref().filter(|_| finding.level != Level::Ok) {
        for line in wrap(&printer.short(&format!("help: {hint}")), printer.width() - 6) {
            printer.out(&format!("      {line}"));
        }
    }
}

fn report(tried: &Tried, printer: &Printer) {
    match &tried.verdict {
        Conforms::Passed => entry(Style::Good, "ok  ", &tried.case, printer),
        Conforms::Failed(why) => entry(Style::Bad, "fail", &format!("{}: {why}", tried.case), printer),
        Conforms::Skipped(why) => entry(Style::Dim, "-   ", &format!("{}: not tried, {why}", tried.case), printer),
    }
}

/// A word, and text beside it that may go on below.
fn entry(style: Style, word: &str, text: &str, printer: &Printer) {
    for (n, line) in wrap(&printer.short(text), printer.width() - 6).iter().enumerate() {
        let word = if n == 0 { printer.paint(style, word) } else { "    ".to_owned() };
        printer.out(&format!("{word}  {line}"));
    }
}

fn summary(findings: &[Finding]) -> String {
    let count = |level: Level| findings.iter().filter(|finding| finding.level == level).count();
    let plural = |n: usize, what: &str| if n == 1 { format!("1 {what}") } else { format!("{n} {what}s") };
    let (warnings, failures) = (plural(count(Level::Warn), "warning"), plural(count(Level::Fail), "failure"));
    format!("{} ok, {warnings}, {failures}", count(Level::Ok))
}

fn as_json(tried: &Tried) -> serde_json::Value {
    let (verdict, why) = match &tried.verdict {
        Conforms::Passed => ("passed", None),
        Conforms::Failed(why) => ("failed", Some(why)),
        Conforms::Skipped(why) => ("skipped", Some(why)),
    };
    serde_json::json!({ "case": tried.case, "verdict": verdict, "why": why })
}
