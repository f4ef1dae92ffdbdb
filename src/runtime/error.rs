//! Why nothing was planned or run. Classed by who must act: the author, the operator, or us.

use miette::Diagnostic;

use crate::config::{ConfigError, NoEnvironment};
use crate::journal::JournalError;
use crate::script::{Diagnostic as Finding, ScriptError};

/// Why nothing was planned or run.
#[derive(Debug, thiserror::Error, Diagnostic)]
pub enum Error {
    /// There is no configuration.
    #[error("{why}")]
    #[diagnostic(code(lifeboat::config), help("make one: `lifeboat init DIR`, or name it: `--config PATH`"))]
    NoConfig {
        /// What was looked for.
        why: String,
    },
    /// The configuration is wrong.
    #[error("{} in lifeboat.toml; nothing was done", count(.0.len(), "mistake"))]
    #[diagnostic(code(lifeboat::config))]
    Config(#[related] Vec<ConfigError>),
    /// There is no such environment.
    #[error(transparent)]
    #[diagnostic(transparent)]
    Environment(#[from] NoEnvironment),
    /// The runbook cannot be read.
    #[error("{why}")]
    #[diagnostic(code(lifeboat::runbook), help("{help}"))]
    NoRunbook {
        /// What failed.
        why: String,
        /// What to do.
        help: String,
    },
    /// The runbook cannot be compiled. Boxed: it carries the source.
    #[error(transparent)]
    #[diagnostic(transparent)]
    Syntax(Box<ScriptError>),
    /// The check found errors.
    #[error("{} in {runbook}; nothing was done", count(findings.len(), "error"))]
    #[diagnostic(code(lifeboat::check))]
    Check {
        /// The runbook.
        runbook: String,
        /// The errors.
        #[related]
        findings: Vec<Finding>,
    },
    /// The values given for parameters are wrong.
    #[error("{why}")]
    #[diagnostic(code(lifeboat::params))]
    Params {
        /// What is wrong.
        why: String,
        /// What to do.
        #[help]
        help: Option<String>,
    },
    /// It is not allowed.
    #[error("refused: {why}")]
    #[diagnostic(code(lifeboat::refused))]
    Refused {
        /// Why.
        why: String,
        /// What to do.
        #[help]
        help: Option<String>,
    },
    /// A saved plan is not what would run now.
    #[error("refused: what was planned is not what would run now\n{}", listed(moved))]
    #[diagnostic(code(lifeboat::moved), help("{help}"))]
    Moved {
        /// What has moved, each with what it was and what it is.
        moved: Vec<String>,
        /// What to do.
        help: String,
    },
    /// Nobody knows what was done to a target.
    #[error("{why}")]
    #[diagnostic(code(lifeboat::in_doubt), help("{help}"))]
    InDoubt {
        /// Which, and why.
        why: String,
        /// What to do.
        help: String,
    },
    /// The processes of a drill could not be started.
    #[error("{why}")]
    #[diagnostic(code(lifeboat::drill))]
    Processes {
        /// What failed.
        why: String,
        /// What to do.
        #[help]
        help: Option<String>,
    },
    /// The journal failed before anything was done.
    #[error(transparent)]
    #[diagnostic(transparent)]
    Journal(#[from] JournalError),
    /// The beginning of the run could not be recorded.
    #[error("{why}")]
    #[diagnostic(code(lifeboat::journal), help("nothing was done: no effect starts without its record"))]
    Unrecorded {
        /// What failed.
        why: String,
    },
    /// The result cannot be written.
    #[error("{why}")]
    #[diagnostic(code(lifeboat::output), help("{help}"))]
    Unwritten {
        /// What failed.
        why: String,
        /// What to do.
        help: String,
    },
    /// A mistake of ours.
    #[error("internal error: {why}")]
    #[diagnostic(code(lifeboat::internal), help("this is a bug in Lifeboat: please report it, with the runbook"))]
    Internal {
        /// What went wrong.
        why: String,
    },
}

fn listed(lines: &[String]) -> String {
    lines.iter().map(|line| format!("- {line}")).collect::<Vec<_>>().join("\n")
}

fn count(n: usize, what: &str) -> String {
    if n == 1 { format!("one {what}") } else { format!("{n} {what}s") }
}
