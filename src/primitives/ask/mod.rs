//! `ask`: asks a person, and goes on with the answer.

mod no_target;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::model::{Applied, Arg, Case, Fault, Impact, ImpactKind, Value};
use crate::system::{Act, Answer, Asked};

use super::{Primitive, TargetArg};

/// The contract of `ask`.
#[derive(Clone, Copy, Debug)]
pub struct Ask;

/// Asks whoever runs the runbook, waits for the answer and returns it. Without choices any text is an answer.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Args {
    /// The question, as the person sees it.
    pub question: Arg<String>,
    /// The answers to choose from; any text if not given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub choices: Option<Vec<String>>,
    /// What an empty answer means; one of the choices where there are some.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub default: Option<String>,
}

impl Args {
    /// The answers to choose from; empty for free text.
    fn choices(&self) -> &[String] {
        self.choices.as_deref().unwrap_or_default()
    }
}

impl Primitive for Ask {
    const NAME: &'static str = "ask";
    const SUMMARY: &'static str = "asks a person and returns the answer";
    const POSITIONAL: &'static [&'static str] = &["question"];
    const TARGET: Option<TargetArg> = None;
    const EXAMPLE: &'static str = r#"ask("Which region fails over?", #{ choices: ["eu", "us"], default: "eu" })"#;
    type Args = Args;
    type Output = String;

    fn impact(_: &Args) -> Impact {
        Impact::of(ImpactKind::Ask)
    }

    fn cases(_: &Args) -> Vec<Case> {
        vec![
            Case::returns("answered", Value::Map(BTreeMap::new())),
            Case::fails("nobody", "nobody-to-ask", Applied::No),
        ]
    }
}

/// Puts a question to a person. Returns the answer, and who gave it as `user@host`.
///
/// Faults: `nobody-to-ask` where nobody is there, `interrupted` when the run is asked to stop first.
pub(super) async fn put(asked: &Asked, act: &Act) -> Result<(String, String), Fault> {
    match act.ask(asked).await {
        Ok(Answer::Said { text, by }) => Ok((text, by)),
        Ok(Answer::Nobody) => {
            let hint = "run it at a terminal, or answer beforehand with `--answer TEXT` (a confirmation also with a bare `--yes`)";
            Err(Fault::new("nobody-to-ask", format!("nobody is there to answer: {}", asked.question)).hint(hint))
        }
        Err(_) => {
            Err(Fault::new("interrupted", format!("interrupted while waiting for an answer: {}", asked.question)))
        }
    }
}
