//! `hold(time, #{ … }, || …)`.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::model::{Applied, Arg, Case, Impact, ImpactKind, Span, Value};
use crate::primitives::{Primitive, TargetArg};

/// `hold`
pub struct Hold;

/// Goes on only when a condition has held for a while.
///
/// The body is run again and again for the whole time; it must return `true` each time. The first time that it does not, a fault
/// with the code `not-held` is thrown, with what the last look found. The last check is made when the time is over; `"0s"` is one
/// check.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct HoldArgs {
    /// How long it must hold.
    pub time: Span,
    /// What must hold, as people read it.
    #[serde(default)]
    pub label: Option<Arg<String>>,
    /// The pause between two checks.
    #[serde(default = "ten_seconds")]
    pub every: Span,
    /// How many failing checks in a row are borne with. A hold never ends well on a failing one: it is followed until the
    /// condition holds again, or one check too many has failed.
    #[serde(default)]
    pub tolerate: u32,
}

fn ten_seconds() -> Span {
    Span::from_secs(10)
}

impl Primitive for Hold {
    const NAME: &'static str = "hold";
    const SUMMARY: &'static str = "goes on only when a condition has held for a while";
    const POSITIONAL: &'static [&'static str] = &["time"];
    const TARGET: Option<TargetArg> = None;
    const EXAMPLE: &'static str =
        r#"hold("30m", #{ label: "the canary is well", every: "30s", tolerate: 1 }, || probe("canary").ok);"#;
    type Args = HoldArgs;
    type Output = ();

    fn impact(_: &Self::Args) -> Impact {
        Impact::of(ImpactKind::Wait)
    }

    fn cases(_: &Self::Args) -> Vec<Case> {
        vec![Case::returns("holds", Value::Null), Case::fails("not-held", "not-held", Applied::No)]
    }
}
