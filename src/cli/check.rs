//! `lifeboat check`: what can be said of runbooks without running them.

use std::path::PathBuf;

use clap::{Args, ValueEnum};

use crate::runtime::{Error, Lifeboat, Loaded};
use crate::script::Severity;

use super::printer::{Printer, Style};
use super::{Exit, Global, open};

/// Check runbooks without running them: names, options, targets
#[derive(Args)]
pub(super) struct Check {
    /// The runbooks [default: every .rhai file below runbooks/]
    #[arg(value_name = "RUNBOOK")]
    runbooks: Vec<PathBuf>,
    /// How to print what was found
    #[arg(long, value_enum, default_value_t)]
    format: Format,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
enum Format {
    /// For people
    #[default]
    Text,
    /// One JSON object a finding
    Json,
}

impl Check {
    pub(super) fn execute(&self, global: &Global, printer: &Printer) -> Result<Exit, Error> {
        let lifeboat = open::reading(global)?;
        lifeboat.check_settings()?;
        lifeboat.policy()?;
        let environment = lifeboat.environment(global.env.as_deref())?;
        let runbooks = if self.runbooks.is_empty() { lifeboat.runbooks() } else { self.runbooks.clone() };
        let json = self.format == Format::Json || printer.json;
        let (mut errors, mut warnings) = (0, 0);
        for runbook in &runbooks {
            match lifeboat.load(runbook, Some(environment)) {
                Ok(loaded) => {
                    show(&loaded, printer, json);
                    let found = loaded.findings.iter().filter(|f| f.severity == Severity::Error).count();
                    errors += found;
                    warnings += loaded.findings.len() - found;
                }
                Err(error @ Error::Syntax(_)) => {
                    errors += 1;
                    if json { printer.out_json(&syntax_json(&error)) } else { printer.error(&error) }
                }
                Err(error) => return Err(error),
            }
        }
        if !json {
            summary(&lifeboat, printer, runbooks.len(), errors, warnings);
        }
        Ok(if errors == 0 { Exit::Done } else { Exit::Runbook })
    }
}

fn show(loaded: &Loaded, printer: &Printer, json: bool) {
    for finding in &loaded.findings {
        if json {
            printer.out_json(&serde_json::json!({
                "severity": if finding.severity == Severity::Error { "error" } else { "warning" },
                "code": finding.code,
                "message": finding.message,
                "file": finding.site.file,
                "line": finding.site.line,
                "column": finding.site.column,
                "help": finding.help,
            }));
        } else {
            printer.error(finding);
        }
    }
}

fn syntax_json(error: &Error) -> serde_json::Value {
    let Error::Syntax(error) = error else { return serde_json::Value::Null };
    serde_json::json!({
        "severity": "error", "code": "syntax", "message": error.message, "file": error.site.file,
        "line": error.site.line, "column": error.site.column, "help": error.help,
    })
}

fn summary(lifeboat: &Lifeboat, printer: &Printer, runbooks: usize, errors: usize, warnings: usize) {
    let plural = |n: usize, what: &str| if n == 1 { format!("1 {what}") } else { format!("{n} {what}s") };
    let (style, word) = if errors == 0 { (Style::Good, "ok") } else { (Style::Bad, "not ok") };
    let counts = format!("{}, {}", plural(errors, "error"), plural(warnings, "warning"));
    printer.out(&format!("{}  {}: {counts}", printer.paint(style, word), plural(runbooks, "runbook")));
    if runbooks == 0 {
        printer.err(&format!("no runbook lies below {}", lifeboat.config().root.join("runbooks").display()));
    }
}
