//! `during(#{ … }) { … }`.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::model::{Arg, Case, Impact, ImpactKind, Span, Value};
use crate::primitives::{Primitive, TargetArg};

/// `during`
pub struct During;

/// Tells people how it goes, at fixed intervals, while a block runs.
///
/// Each update says the message, the step that is under way and for how long: `Restoring primary: step 3 "Restore" for 12m 00s`.
/// The first one is sent after one interval, so a block that is shorter tells nobody. An update that cannot be delivered is
/// recorded, and neither delays nor ends the block. The block sees the variables around it, and its value is that of `during`.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct DuringArgs {
    /// The interval, such as `"30m"`.
    pub every: Span,
    /// The channel on which the updates are sent.
    pub notify: String,
    /// What each of them begins with.
    pub message: Arg<String>,
    /// Names the problem: messages with the same key belong together.
    #[serde(default)]
    pub key: Option<Arg<String>>,
}

impl Primitive for During {
    const NAME: &'static str = "during";
    const SUMMARY: &'static str = "tells people how it goes, at fixed intervals, while a block runs";
    const POSITIONAL: &'static [&'static str] = &[];
    const TARGET: Option<TargetArg> = None;
    const EXAMPLE: &'static str = r#"during(#{ every: "30m", notify: "incidents", message: "still restoring primary" }) {
    restore("primary", #{ from: latest_backup("primary").id });
}"#;
    type Args = DuringArgs;
    type Output = Value;

    fn impact(args: &Self::Args) -> Impact {
        Impact::on(ImpactKind::Tell, &args.notify)
    }

    fn cases(_: &Self::Args) -> Vec<Case> {
        vec![Case::returns("completes", Value::Null)]
    }
}
