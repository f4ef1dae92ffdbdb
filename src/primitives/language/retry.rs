//! `retry(#{ … }, || …)`.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::model::{Applied, Case, Impact, ImpactKind, Span, Value};
use crate::primitives::{Primitive, TargetArg};

/// `retry`
pub struct Retry;

/// Runs a body again while it fails.
///
/// Returns what the body returns. When every attempt fails, the fault of the last one is thrown. All attempts of one call of a
/// primitive share one idempotency key.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RetryArgs {
    /// How many attempts in all.
    #[serde(default = "three")]
    pub times: u32,
    /// The pause before the second attempt.
    #[serde(default = "five_seconds")]
    pub every: Span,
    /// What the pause is multiplied by after each attempt.
    #[serde(default = "one")]
    pub backoff: f64,
}

fn three() -> u32 {
    3
}

fn five_seconds() -> Span {
    Span::from_secs(5)
}

fn one() -> f64 {
    1.0
}

impl Primitive for Retry {
    const NAME: &'static str = "retry";
    const SUMMARY: &'static str = "runs a body again while it fails";
    const POSITIONAL: &'static [&'static str] = &[];
    const TARGET: Option<TargetArg> = None;
    const EXAMPLE: &'static str = r#"retry(#{ times: 3, every: "10s" }, || backup("primary"));"#;
    type Args = RetryArgs;
    type Output = Value;

    fn impact(_: &Self::Args) -> Impact {
        Impact::of(ImpactKind::Wait)
    }

    fn cases(_: &Self::Args) -> Vec<Case> {
        vec![Case::returns("succeeds", Value::Null), Case::fails("fails", "retry", Applied::No)]
    }
}
