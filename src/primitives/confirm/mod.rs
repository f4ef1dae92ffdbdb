//! `confirm`: goes on only if a person says yes.

mod no_target;
#[cfg(test)]
mod tests;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::model::{Applied, Arg, Case, Impact, ImpactKind, Span, Value};

use super::{Primitive, TargetArg};

/// The contract of `confirm`.
#[derive(Clone, Copy, Debug)]
pub struct Confirm;

/// Asks whoever runs the runbook for a yes, and fails with `not-confirmed` on any other answer.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Args {
    /// The question, as the person sees it; one that yes or no answers.
    pub question: Arg<String>,
    /// What an empty answer means; without it, the answer must be typed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub default: Option<YesNo>,
    /// For how long an answer is waited for, such as `"30m"`; without it, as long as it takes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub within: Option<Span>,
    /// The answer when nobody gave one within that time; `no` unless given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub otherwise: Option<YesNo>,
}

/// Yes or no.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum YesNo {
    /// Go on.
    Yes,
    /// Do not.
    No,
}

impl YesNo {
    /// As it is asked and answered.
    fn as_str(self) -> &'static str {
        match self {
            YesNo::Yes => "yes",
            YesNo::No => "no",
        }
    }
}

impl Primitive for Confirm {
    const NAME: &'static str = "confirm";
    const SUMMARY: &'static str = "asks a person for a yes, and fails without one";
    const POSITIONAL: &'static [&'static str] = &["question"];
    const TARGET: Option<TargetArg> = None;
    const EXAMPLE: &'static str = r#"confirm("Restore the primary database from last night's backup?")"#;
    type Args = Args;
    type Output = bool;

    fn impact(_: &Args) -> Impact {
        Impact::of(ImpactKind::Ask)
    }

    fn cases(_: &Args) -> Vec<Case> {
        vec![Case::returns("yes", Value::Bool(true)), Case::fails("no", "not-confirmed", Applied::No)]
    }
}
