//! `notify`: tells people or other systems, on a channel.
//!
//! What it shares with `resolve` stands here too: a [`Message`] and the [`Channel`] that carries it.

mod channel;
mod draft;
mod file;
mod message;
mod terminal;
mod webhook;

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

pub use channel::Channel;
pub(super) use draft::{Draft, reconcile};
pub use message::{Message, MessageKind};

use crate::config::TargetKind;
use crate::model::{Applied, Arg, Case, Fault, IdempotencyKey, Impact, ImpactKind, Value};
use crate::system::{Act, Look};

use super::{Driver, Preview, Primitive, Reconciled, TargetArg};

/// The contract of `notify`.
#[derive(Clone, Copy, Debug)]
pub struct Notify;

/// Tells people or other systems. A message that cannot be delivered does not stop the runbook, unless it is `required`: the
/// answer says whether it was delivered.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Args {
    /// The channel.
    pub channel: String,
    /// What people read.
    pub message: Arg<String>,
    /// How bad it is.
    #[serde(default)]
    pub severity: Severity,
    /// Names the problem: messages with the same key belong together, and `resolve` ends them.
    #[serde(default)]
    pub key: Option<Arg<String>>,
    /// More about it, by name.
    #[serde(default)]
    pub details: BTreeMap<String, Value>,
    /// Whether the runbook fails when the message cannot be delivered.
    #[serde(default)]
    pub required: bool,
}

/// How bad it is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Severity {
    /// Good to know.
    #[default]
    Info,
    /// Somebody should look at it.
    Warning,
    /// Somebody must act now.
    Critical,
}

impl Severity {
    /// As scripts write it.
    pub fn as_str(self) -> &'static str {
        match self {
            Severity::Info => "info",
            Severity::Warning => "warning",
            Severity::Critical => "critical",
        }
    }
}

/// What came of a message.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Delivery {
    /// Whether the channel took it.
    pub delivered: bool,
    /// How it was delivered, or why it was not.
    pub detail: String,
}

/// The cases of a call that tells somebody: the same for `notify` and `resolve`.
pub(super) fn cases(required: bool) -> Vec<Case> {
    let ends = |delivered| Value::Map(BTreeMap::from([("delivered".to_owned(), Value::Bool(delivered))]));
    let other = if required {
        Case::fails("failed", "notify-failed", Applied::No)
    } else {
        Case::returns("undelivered", ends(false))
    };
    vec![Case::returns("delivered", ends(true)), other]
}

impl Primitive for Notify {
    const NAME: &'static str = "notify";
    const SUMMARY: &'static str = "tells people or other systems, on a channel";
    const POSITIONAL: &'static [&'static str] = &["channel", "message"];
    const TARGET: Option<TargetArg> = Some(TargetArg { name: "channel", kinds: &[TargetKind::Channel] });
    const EXAMPLE: &'static str =
        r#"notify("incidents", "primary is down", #{ severity: "critical", key: "primary-down" });"#;
    type Args = Args;
    type Output = Delivery;

    fn impact(args: &Args) -> Impact {
        Impact::on(ImpactKind::Tell, &args.channel)
    }

    fn cases(args: &Args) -> Vec<Case> {
        cases(args.required)
    }
}

impl From<&Args> for Draft {
    fn from(args: &Args) -> Self {
        Self {
            kind: MessageKind::Notify,
            severity: args.severity,
            message: args.message.clone(),
            key: args.key.clone(),
            details: args.details.clone(),
            required: args.required,
        }
    }
}

impl<C: Channel> Driver<Notify> for C {
    async fn preview(&self, args: &Args, look: &Look) -> Result<Preview, Fault> {
        Ok(Draft::from(args).preview(self, look))
    }

    async fn perform(&self, args: &Args, act: &Act, key: &IdempotencyKey) -> Result<Delivery, Fault> {
        Draft::from(args).send(self, act, key).await
    }

    async fn reconcile(&self, _: &Args, look: &Look, key: &IdempotencyKey) -> Reconciled<Delivery> {
        reconcile(self, look, key).await
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{CaseResult, Unknown};
    use crate::primitives::targets::{FileChannel, TerminalChannel, WebhookChannel};
    use crate::primitives::{ArgType, Registry};

    fn args(json: serde_json::Value) -> Result<Args, String> {
        Value::from_json(json).decode()
    }

    #[test]
    fn scripts_give_channel_and_message_and_may_say_more() {
        let registry = Registry::empty()
            .driver::<Notify, FileChannel>()
            .driver::<Notify, TerminalChannel>()
            .driver::<Notify, WebhookChannel>();
        let signature = registry.signature("notify").expect("it is declared");
        let kind = |name: &str| signature.arg(name).map(|arg| (arg.kind.clone(), arg.required));
        assert_eq!(kind("message"), Some((ArgType::String, true)));
        assert_eq!(kind("key"), Some((ArgType::String, false)));
        assert_eq!(kind("details"), Some((ArgType::Map, false)));
        assert_eq!(kind("required"), Some((ArgType::Bool, false)));
        let severities = ["info", "warning", "critical"].map(str::to_owned).to_vec();
        assert_eq!(kind("severity"), Some((ArgType::Choice(severities), false)));
        assert_eq!(registry.drivers(TargetKind::Channel).len(), 3);
    }

    #[test]
    fn only_a_required_message_can_fail() {
        let ends = |json| -> Vec<_> {
            let cases = Notify::cases(&args(json).expect("they are arguments"));
            cases.iter().map(|case| (case.name, matches!(case.result, CaseResult::Fails { .. }))).collect()
        };
        let plain = serde_json::json!({ "channel": "c", "message": "m" });
        assert_eq!(ends(plain), [("delivered", false), ("undelivered", false)]);
        let required = serde_json::json!({ "channel": "c", "message": "m", "required": true });
        assert_eq!(ends(required), [("delivered", false), ("failed", true)]);
    }

    #[test]
    fn a_plan_may_not_know_the_text_yet() {
        let unknown = |text: &str| serde_json::json!({ "$unknown": text });
        let args = args(serde_json::json!({
            "channel": "c", "message": unknown("from ‹b›"), "key": unknown("‹k›"), "details": { "id": unknown("‹i›") },
        }))
        .expect("unknowns are welcome");
        assert_eq!(args.message, Arg::Unknown(Unknown::text("from ‹b›")));
        assert_eq!(args.key, Some(Arg::Unknown(Unknown::text("‹k›"))));
        assert_eq!(args.details["id"], Value::Unknown(Unknown::text("‹i›")));
        assert!(self::args(serde_json::json!({ "channel": "c", "message": "m", "severty": "info" })).is_err());
    }
}
