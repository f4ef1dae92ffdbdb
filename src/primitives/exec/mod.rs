//! `exec(tool, arguments)`: starts a program that the configuration names. Never a shell.

mod command;
mod outcome;
#[cfg(test)]
#[expect(clippy::disallowed_methods, reason = "tests set up and read the files that programs meet")]
mod tests;

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::config::TargetKind;
use crate::model::{Applied, Arg, Case, Impact, ImpactKind, SecretText, Span, Value};

use super::{Primitive, Reach, TargetArg};

/// Starts a program that the configuration names.
#[derive(Clone, Copy, Debug)]
pub struct Exec;

/// Starts a program that the configuration names, and waits for its end. No shell reads the arguments. What the tool is declared to
/// do (`impact`) decides what a plan makes of it: one that looks is run, any other is only shown.
///
/// An exit code that is no success throws `exec-failed`. Of a tool that changes something nobody knows then how far it came: its
/// `check` decides, and without one a person must. Where the check says that it took place, the call returns, without output. The
/// program finds the call's idempotency key, the same for every attempt, in `LIFEBOAT_IDEMPOTENCY_KEY`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Args {
    /// The tool.
    pub tool: String,
    /// Its arguments, texts or whole numbers, each passed on as it is. A secret among them can be read by every user of the machine:
    /// prefer `env` or `stdin`.
    #[serde(default)]
    pub args: Vec<Arg<Word>>,
    /// What is added to its environment this time, by name: text or secrets.
    #[serde(default)]
    pub env: BTreeMap<String, Arg<SecretText>>,
    /// What it reads from its standard input: text or a secret. Nothing if not given.
    pub stdin: Option<Arg<SecretText>>,
    /// How long it may take this time; the tool's `time_limit` if not given.
    pub time_limit: Option<Span>,
}

/// One argument of a program.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(untagged, expecting = "an argument of a program is text, a whole number or a secret")]
pub enum Word {
    /// Text.
    Text(String),
    /// A whole number.
    Number(i64),
    /// A secret, or text around one.
    Secret(SecretText),
}

impl std::fmt::Display for Word {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Word::Text(text) => f.write_str(text),
            Word::Number(number) => write!(f, "{number}"),
            Word::Secret(secret) => write!(f, "{secret}"),
        }
    }
}

/// What came of a program.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Output {
    /// Its exit code.
    pub code: i32,
    /// Whether that is a success; `true` wherever the call returns.
    pub ok: bool,
    /// What it wrote to its standard output; a secret where its tool has `secret_output`.
    pub stdout: SecretText,
    /// What it wrote to its standard error.
    pub stderr: String,
    /// Whether the middle of its output was left out.
    pub cut: bool,
    /// How long it took, in milliseconds.
    pub took_ms: u64,
}

impl Primitive for Exec {
    const NAME: &'static str = "exec";
    const SUMMARY: &'static str = "starts a program that the configuration names";
    const POSITIONAL: &'static [&'static str] = &["tool", "args"];
    const TARGET: Option<TargetArg> = Some(TargetArg { name: "tool", kinds: &[TargetKind::Tool] });
    const EXAMPLE: &'static str = r#"exec("pg", ["promote", "--wait"]);"#;
    const REACH: Reach = Reach::Anything;
    type Args = Args;
    type Output = Output;

    /// A tool is taken to change something; its driver knows what it is declared to do.
    fn impact(args: &Args) -> Impact {
        Impact::on(ImpactKind::Change, &args.tool)
    }

    fn cases(_: &Args) -> Vec<Case> {
        let certain = [("ok".to_owned(), Value::Bool(true)), ("cut".to_owned(), Value::Bool(false))];
        vec![
            Case::returns("done", Value::Map(certain.into())),
            Case::fails("failed", "exec-failed", Applied::No),
            Case::fails("timeout", "exec-timeout", Applied::No),
            Case::fails("not-started", "exec-not-started", Applied::No),
        ]
    }
}
