//! `wait_until(label, #{ … }, || …)`.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::model::{Applied, Arg, Case, Impact, ImpactKind, Span, Value};
use crate::primitives::{Primitive, TargetArg};

/// `wait_until`
pub struct WaitUntil;

/// Waits until a condition holds.
///
/// The body is run again and again until it returns `true`. When the time is over, a fault with the code `timeout` is thrown.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct WaitUntilArgs {
    /// What is waited for, as people read it.
    pub label: Arg<String>,
    /// How long to wait at most.
    #[serde(default = "five_minutes")]
    pub timeout: Span,
    /// The pause between two looks.
    #[serde(default = "two_seconds")]
    pub every: Span,
}

fn five_minutes() -> Span {
    Span::from_secs(300)
}

fn two_seconds() -> Span {
    Span::from_secs(2)
}

impl Primitive for WaitUntil {
    const NAME: &'static str = "wait_until";
    const SUMMARY: &'static str = "waits until a condition holds";
    const POSITIONAL: &'static [&'static str] = &["label"];
    const TARGET: Option<TargetArg> = None;
    const EXAMPLE: &'static str = r#"wait_until("web answers", #{ timeout: "5m" }, || probe("web").ok);"#;
    type Args = WaitUntilArgs;
    type Output = ();

    fn impact(_: &Self::Args) -> Impact {
        Impact::of(ImpactKind::Wait)
    }

    fn cases(_: &Self::Args) -> Vec<Case> {
        vec![Case::returns("holds", Value::Null), Case::fails("timeout", "timeout", Applied::No)]
    }
}
