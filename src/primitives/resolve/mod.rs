//! `resolve`: tells on a channel that a problem is over. Every channel that `notify` can use serves it.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::config::TargetKind;
use crate::model::{Arg, Case, Fault, IdempotencyKey, Impact, ImpactKind, Value};
use crate::system::{Act, Look};

use super::notify::{self, Channel, Delivery, Draft, MessageKind, Severity};
use super::{Driver, Evidence, Preview, Primitive, Reconciled, TargetArg};

/// The contract of `resolve`.
#[derive(Clone, Copy, Debug)]
pub struct Resolve;

/// Tells that the problem which earlier messages named by their key is over. A message that cannot be delivered does not stop
/// the runbook, unless it is `required`: the answer says whether it was delivered.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Args {
    /// The channel.
    pub channel: String,
    /// The key of the messages about the problem.
    pub key: Arg<String>,
    /// What people read.
    pub message: Arg<String>,
    /// More about it, by name.
    #[serde(default)]
    pub details: BTreeMap<String, Value>,
    /// Whether the runbook fails when the message cannot be delivered.
    #[serde(default)]
    pub required: bool,
}

impl Primitive for Resolve {
    const NAME: &'static str = "resolve";
    const SUMMARY: &'static str = "tells on a channel that a problem is over";
    const POSITIONAL: &'static [&'static str] = &["channel", "key", "message"];
    const TARGET: Option<TargetArg> = Some(TargetArg { name: "channel", kinds: &[TargetKind::Channel] });
    const EXAMPLE: &'static str = r#"resolve("incidents", "primary-down", "primary is back");"#;
    type Args = Args;
    type Output = Delivery;

    fn impact(args: &Args) -> Impact {
        Impact::on(ImpactKind::Tell, &args.channel)
    }

    fn cases(args: &Args) -> Vec<Case> {
        notify::cases(args.required)
    }
}

impl From<&Args> for Draft {
    fn from(args: &Args) -> Self {
        Self {
            kind: MessageKind::Resolve,
            severity: Severity::Info,
            message: args.message.clone(),
            key: Some(args.key.clone()),
            details: args.details.clone(),
            required: args.required,
        }
    }
}

impl<C: Channel> Driver<Resolve> for C {
    const EVIDENCE: Evidence = C::EVIDENCE;

    async fn preview(&self, args: &Args, look: &Look) -> Result<Preview, Fault> {
        Ok(Draft::from(args).preview(self, look))
    }

    async fn perform(&self, args: &Args, act: &Act, key: &IdempotencyKey) -> Result<Delivery, Fault> {
        Draft::from(args).send(self, act, key).await
    }

    async fn reconcile(&self, _: &Args, look: &Look, key: &IdempotencyKey) -> Reconciled<Delivery> {
        notify::reconcile(self, look, key).await
    }
}

#[cfg(test)]
#[expect(clippy::disallowed_methods, reason = "tests read the files that the driver writes")]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::model::Key;
    use crate::primitives::Registry;
    use crate::primitives::targets::{FileChannel, TerminalChannel, WebhookChannel};
    use crate::system::System;

    #[test]
    fn every_channel_serves_it() {
        let registry = Registry::empty()
            .driver::<Resolve, FileChannel>()
            .driver::<Resolve, TerminalChannel>()
            .driver::<Resolve, WebhookChannel>();
        assert_eq!(registry.drivers(TargetKind::Channel).len(), 3);
        let signature = registry.signature("resolve").expect("it is declared");
        let required: Vec<_> = signature.args.iter().filter(|arg| arg.required).map(|arg| arg.name.as_str()).collect();
        assert_eq!(required, ["channel", "key", "message"]);
    }

    #[tokio::test]
    async fn the_end_of_a_problem_names_it_by_its_key() {
        let dir = tempfile::tempdir().expect("a directory");
        let channel = FileChannel { name: "incidents".to_owned(), path: dir.path().join("messages.jsonl") };
        let act = Act::grant(&Look::new(Arc::new(System::new(dir.path().join("scratch")))));
        let json = serde_json::json!({ "channel": "incidents", "key": "primary-down", "message": "primary is back" });
        let args: Args = Value::from_json(json).decode().expect("they are arguments");
        let key = IdempotencyKey::new("run", &Key::ROOT);

        let preview = Driver::<Resolve>::preview(&channel, &args, &act).await.expect("it can be previewed");
        assert_eq!(preview.summary, "incidents → [resolved] primary is back (primary-down)");
        assert!(!channel.path.exists());

        let delivery = Driver::<Resolve>::perform(&channel, &args, &act, &key).await.expect("it is told");
        assert!(delivery.delivered);
        let line = std::fs::read(&channel.path).expect("the message was added");
        let line: serde_json::Value = serde_json::from_slice(&line).expect("it is JSON");
        assert_eq!((line["type"].as_str(), line["severity"].as_str()), (Some("resolve"), Some("info")));
        assert_eq!((line["key"].as_str(), line["message"].as_str()), (Some("primary-down"), Some("primary is back")));

        let settled = Driver::<Resolve>::reconcile(&channel, &args, &act, &key).await;
        assert!(matches!(settled, Reconciled::Applied { output, .. } if output.delivered));
    }
}
