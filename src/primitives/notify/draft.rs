//! A message before it is sent: what of it a plan may not know yet, and what a failure to send it means.

use std::collections::BTreeMap;

use crate::model::{Arg, Fault, IdempotencyKey, Outbox, Rewrite, Symbol, Value};
use crate::primitives::{Preview, Reconciled};
use crate::system::{Act, Look};

use super::message::headline;
use super::post::post;
use super::{Channel, Delivery, Message, MessageKind, Severity, ends};

/// A message before it is sent.
pub(in crate::primitives) struct Draft {
    pub(in crate::primitives) kind: MessageKind,
    pub(in crate::primitives) severity: Severity,
    pub(in crate::primitives) message: Arg<String>,
    pub(in crate::primitives) key: Option<Arg<String>>,
    pub(in crate::primitives) details: BTreeMap<String, Value>,
    /// Whether a failure to send it is a fault.
    pub(in crate::primitives) required: bool,
}

impl Draft {
    /// What would be sent, and whether it can be.
    pub(in crate::primitives) fn preview(&self, channel: &impl Channel, look: &Look) -> Preview {
        let key = self.key.as_ref().map(ToString::to_string);
        let headline = headline(self.kind, self.severity, &self.message.to_string(), key.as_deref());
        let preview = Preview::new(Symbol::Tell, format!("{} → {headline}", channel.name()));
        match channel.obstacle(look) {
            Some(fault) if self.required => preview.fault(fault),
            // In which words it fails, the attempt will say.
            Some(fault) => preview.output(ends(false)).note(format!("would wait in the outbox: {}", fault.message)),
            None => preview.output(ends(true)),
        }
    }

    /// Sends it. Only a required message throws.
    pub(in crate::primitives) async fn send(
        &self,
        channel: &impl Channel,
        act: &Act,
        key: &IdempotencyKey,
    ) -> Result<Delivery, Fault> {
        post(channel, &self.message(act, key)?, self.required, act).await
    }

    /// No message holds a secret: not one that a server sent back and the script passes on, either.
    fn message(&self, act: &Act, key: &IdempotencyKey) -> Result<Message, Fault> {
        let redactor = act.secrets().redactor();
        let detail = |(name, value): (&String, &Value)| (redactor.text(name.clone()), redactor.value(value.clone()));
        Ok(Message {
            kind: self.kind,
            severity: self.severity,
            message: act.redacted(&known(&self.message)?),
            key: self.key.as_ref().map(known).transpose()?.map(|key| act.redacted(&key)),
            details: self.details.iter().map(detail).collect(),
            at: act.now(),
            idempotency_key: key.clone(),
            origin: act.outbox().map(Outbox::origin).unwrap_or_default(),
        })
    }
}

fn known(text: &Arg<String>) -> Result<String, Fault> {
    let missing = || Fault::new("argument", format!("`{text}` cannot be sent: it holds what is not known"));
    text.known().cloned().ok_or_else(missing)
}

/// Whether a message with this key was delivered.
pub(in crate::primitives) async fn reconcile(
    channel: &impl Channel,
    look: &Look,
    key: &IdempotencyKey,
) -> Reconciled<Delivery> {
    match channel.delivered(look, key).await {
        Reconciled::Applied { output, evidence } => {
            Reconciled::Applied { output: Delivery::made(output.detail), evidence }
        }
        Reconciled::NotApplied { evidence } => Reconciled::NotApplied { evidence },
        Reconciled::Unknown { why } => Reconciled::Unknown { why },
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::super::{Dispatch, Receipt, Undelivered};
    use super::*;
    use crate::model::{Key, Unknown};
    use crate::system::System;

    /// A channel on which nothing can be delivered.
    struct Broken;

    impl Channel for Broken {
        const EVIDENCE: crate::primitives::Evidence = crate::primitives::Evidence::None("nothing");

        fn name(&self) -> &'static str {
            "incidents"
        }
        fn obstacle(&self, _: &Look) -> Option<Fault> {
            Some(Fault::new("notify-failed", "it is broken").on("incidents"))
        }
        async fn deliver(&self, _: &Dispatch<'_>, look: &Act) -> Result<Receipt, Undelivered> {
            Err(self.obstacle(look).expect("it is broken").into())
        }
        async fn delivered(&self, _: &Look, _: &IdempotencyKey) -> Reconciled<Receipt> {
            Reconciled::Unknown { why: "nobody knows".to_owned() }
        }
    }

    fn draft(required: bool) -> Draft {
        Draft {
            kind: MessageKind::Notify,
            severity: Severity::Warning,
            message: Arg::Unknown(Unknown::text("restored from ‹backup:primary.id›")),
            key: Some(Arg::Known("primary-down".to_owned())),
            details: BTreeMap::new(),
            required,
        }
    }

    fn act() -> Act {
        Act::grant(&Look::new(Arc::new(System::new(std::env::temp_dir()))))
    }

    fn key() -> IdempotencyKey {
        IdempotencyKey::new("run", &Key::ROOT)
    }

    #[test]
    fn a_plan_shows_the_text_with_what_is_not_known_in_it() {
        let preview = draft(false).preview(&Broken, &act());
        assert_eq!(preview.symbol, Symbol::Tell);
        assert_eq!(preview.summary, "incidents → [warning] restored from ‹backup:primary.id› (primary-down)");
    }

    #[test]
    fn a_plan_foresees_that_it_cannot_be_delivered() {
        let preview = draft(false).preview(&Broken, &act());
        assert_eq!(preview.output.get("delivered"), Some(&Value::Bool(false)));
        assert_eq!(preview.output.get("detail"), None, "what the attempt will say is not known");
        assert_eq!((preview.fault, preview.notes), (None, vec!["would wait in the outbox: it is broken".to_owned()]));
        let fault = draft(true).preview(&Broken, &act()).fault.expect("a required message would fail");
        assert_eq!(fault.code, "notify-failed");
    }

    #[tokio::test]
    async fn a_failure_to_tell_throws_only_where_telling_is_required() {
        let ready = |required| Draft { message: Arg::Known("down".to_owned()), ..draft(required) };
        let delivery = ready(false).send(&Broken, &act(), &key()).await;
        assert_eq!(delivery, Ok(Delivery::missed("it is broken")), "there is no outbox here");
        let fault = ready(true).send(&Broken, &act(), &key()).await.expect_err("it is required");
        assert_eq!(fault.message, "it is broken");
    }

    #[tokio::test]
    async fn an_unknown_text_is_never_sent() {
        let fault = draft(false).send(&Broken, &act(), &key()).await.expect_err("it is not known");
        assert_eq!(fault.code, "argument");
    }
}
