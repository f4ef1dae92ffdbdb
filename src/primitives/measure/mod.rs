//! `measure`: a figure for the report of a drill and the timeline of a run.

mod no_target;
#[cfg(test)]
mod tests;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::model::{Case, Impact, ImpactKind, Value};

use super::{Primitive, TargetArg};

/// The contract of `measure`.
#[derive(Clone, Copy, Debug)]
pub struct Measure;

/// Keeps a figure in the journal, for the report of a drill and the timeline of a run, and returns it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Args {
    /// What was measured, in lower case, such as `rpo` or `rows lost`.
    pub name: String,
    /// The figure: a number, a text such as `12s`, or true or false.
    pub value: Value,
    /// What the number counts, such as `rows` or `MB`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub unit: Option<String>,
}

impl Primitive for Measure {
    const NAME: &'static str = "measure";
    const SUMMARY: &'static str = "keeps a figure for the report of a drill";
    const POSITIONAL: &'static [&'static str] = &["name", "value"];
    const TARGET: Option<TargetArg> = None;
    const EXAMPLE: &'static str = r#"measure("rows lost", 42, #{ unit: "rows" })"#;
    type Args = Args;
    type Output = Value;

    fn impact(_: &Args) -> Impact {
        Impact::of(ImpactKind::Mark)
    }

    fn cases(args: &Args) -> Vec<Case> {
        vec![Case::returns("measured", args.value.clone())]
    }
}
