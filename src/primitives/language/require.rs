//! `require(condition, message)`.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::model::{Arg, Case, Impact, ImpactKind, Value};
use crate::primitives::{Primitive, TargetArg};

/// `require`
pub struct Require;

/// Throws unless the condition holds.
///
/// The fault has the code `requirement` and the message given here. It may be caught; otherwise what is owed is rolled back.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RequireArgs {
    /// What must hold.
    pub condition: Arg<bool>,
    /// What to say when it does not.
    pub message: Arg<String>,
}

impl Primitive for Require {
    const NAME: &'static str = "require";
    const SUMMARY: &'static str = "throws unless a condition holds";
    const POSITIONAL: &'static [&'static str] = &["condition", "message"];
    const TARGET: Option<TargetArg> = None;
    const EXAMPLE: &'static str = r#"require(probe("primary").down, "the primary answers");"#;
    type Args = RequireArgs;
    type Output = ();

    fn impact(_: &Self::Args) -> Impact {
        Impact::of(ImpactKind::Mark)
    }

    fn cases(_: &Self::Args) -> Vec<Case> {
        vec![Case::returns("holds", Value::Null)]
    }
}
