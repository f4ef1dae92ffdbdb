//! `notify`: tells people or other systems, on a channel.
//!
//! What it shares with `resolve` stands here too: a [`Message`] and the [`Channel`] that carries it.

mod answer;
mod carrier;
mod channel;
mod draft;
mod file;
mod message;
mod policy;
mod post;
mod slack;
mod slack_text;
mod smtp;
mod terminal;
#[cfg(test)]
mod tests;
mod thread;
mod webhook;
mod webhook_signature;

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

pub use carrier::Carrier;
pub(super) use carrier::Carries;
pub use channel::{Channel, Dispatch, Receipt, Undelivered};
pub(super) use draft::{Draft, reconcile};
pub use message::{Message, MessageKind};
pub use policy::{AtMost, Policy};

use crate::config::TargetKind;
use crate::model::{Applied, Arg, Case, Fault, IdempotencyKey, Impact, ImpactKind, Value};
use crate::system::{Act, Look};

use super::{Driver, Evidence, Preview, Primitive, Reconciled, TargetArg};

/// The contract of `notify`.
#[derive(Clone, Copy, Debug)]
pub struct Notify;

/// Tells people or other systems. A message that cannot be delivered does not stop the runbook, unless it is `required`: it waits
/// in the outbox and is sent as soon as the channel takes it. The answer says whether it was delivered.
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
    /// Names the problem: messages with the same key are one thread, until `resolve` ends it. The same text with the same key is
    /// not sent again for a while: see `repeat_after` of the channel.
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
    /// Whether it waits in the outbox, and is sent later.
    pub queued: bool,
    /// How it was delivered, or why it was not.
    pub detail: String,
}

impl Delivery {
    fn made(detail: impl Into<String>) -> Self {
        Self { delivered: true, queued: false, detail: detail.into() }
    }

    fn missed(detail: impl Into<String>) -> Self {
        Self { delivered: false, queued: false, detail: detail.into() }
    }
}

/// What is known of a delivery beforehand.
fn ends(delivered: bool) -> Value {
    let fields = [("delivered", delivered), ("queued", !delivered)];
    Value::Map(fields.map(|(name, truth)| (name.to_owned(), Value::Bool(truth))).into())
}

/// The cases of a call that tells somebody: the same for `notify` and `resolve`.
pub(super) fn cases(required: bool) -> Vec<Case> {
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
    const EVIDENCE: Evidence = C::EVIDENCE;

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
