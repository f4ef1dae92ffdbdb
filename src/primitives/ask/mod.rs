//! `ask`: asks a person, and goes on with the answer.

pub(super) mod no_target;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::model::{Applied, Arg, ArgList, Case, Fault, Impact, ImpactKind, Span, Unknown, Value};
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
    pub choices: Option<ArgList<String>>,
    /// What an empty answer means; one of the choices where there are some.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub default: Option<String>,
    /// For how long an answer is waited for, such as `"30m"`; without it, as long as it takes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub within: Option<Span>,
    /// The answer when nobody gave one within that time; without it, the call fails with `unanswered`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub otherwise: Option<String>,
}

impl Args {
    /// The answers to choose from; empty for free text. The error is what is not known of them yet.
    fn choices(&self) -> Result<Vec<String>, &Unknown> {
        self.choices.as_ref().map_or(Ok(Vec::new()), ArgList::known)
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
            Case::fails("no answer in time", "unanswered", Applied::No),
        ]
    }
}

/// Who gives the answer when nobody did in time.
pub(super) const NOBODY: &str = "nobody in time";

/// Puts a question to a person, and waits for an answer `within` a time, if there is one. Returns the answer, and who gave it as
/// `user@host`.
///
/// Faults: `nobody-to-ask` where nobody is there, `unanswered` when the time is over and nothing is to be taken `otherwise`,
/// `interrupted` when the run is asked to stop first.
pub(super) async fn put(
    asked: &Asked,
    (within, otherwise): (Option<Span>, Option<&str>),
    act: &Act,
) -> Result<(String, String), Fault> {
    let answer = match within {
        None => Ok(act.ask(asked).await),
        Some(within) => act.unless_slow(within.0.saturating_sub(act.waited()), act.ask(asked)).await,
    };
    match (answer, otherwise) {
        (Ok(Ok(Answer::Said { text, by })), _) => Ok((text, by)),
        (Ok(Ok(Answer::Nobody)), _) => {
            let hint = "run it at a terminal, or answer beforehand with `--answer TEXT` (a confirmation also with a bare `--yes`)";
            Err(Fault::new("nobody-to-ask", format!("nobody is there to answer: {}", asked.question)).hint(hint))
        }
        (Ok(Err(_)), _) => {
            Err(Fault::new("interrupted", format!("interrupted while waiting for an answer: {}", asked.question)))
        }
        (Err(_), Some(otherwise)) => Ok((otherwise.to_owned(), NOBODY.to_owned())),
        (Err(_), None) => {
            let time = within.map(|time| format!(" within {time}")).unwrap_or_default();
            Err(Fault::new("unanswered", format!("nobody answered{time}: {}", asked.question))
                .hint("raise `within`, or say with `otherwise` which answer silence is"))
        }
    }
}
