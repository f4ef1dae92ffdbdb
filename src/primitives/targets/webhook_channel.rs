//! A channel that is an address to which messages are posted as JSON: `driver = "webhook"`.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::Deserialize;

use crate::config::{ConfigError, Environment, Target, TargetKind};
use crate::model::{SecretText, Span};
use crate::primitives::FromTarget;
use crate::primitives::notify::{AtMost, Policy};

use super::channel_limits::{check, check_url, five_minutes, five_seconds};

/// An address to which messages are posted as JSON.
#[derive(Clone, Debug)]
pub struct WebhookChannel {
    /// The target's name.
    pub name: String,
    /// The address.
    pub url: SecretText,
    /// Headers that are sent with every message.
    pub headers: BTreeMap<String, SecretText>,
    /// What messages are signed with.
    pub signature_key: Option<SecretText>,
    /// How long the answer may take.
    pub timeout: Span,
    /// What is not sent, or not at once.
    pub policy: Policy,
}

/// Settings of `driver = "webhook"`.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct WebhookSettings {
    /// Where messages are posted, `http://…` or `https://…`.
    url: SecretText,
    /// Headers that are sent with every message.
    #[serde(default)]
    headers: BTreeMap<String, SecretText>,
    /// Signs every message (Standard Webhooks: HMAC-SHA256, in the headers `webhook-id`, `webhook-timestamp` and
    /// `webhook-signature`). `whsec_` and Base64, or any text.
    signature_key: Option<SecretText>,
    /// How long the answer may take; at most 30s. What takes longer waits in the outbox.
    #[serde(default = "five_seconds")]
    timeout: Span,
    /// How many messages it takes: `{ messages = 10, per = "1m" }`. What is more waits in the outbox, and follows one by one.
    /// Critical and required ones always go through.
    at_most: Option<AtMost>,
    /// For so long after a message with a key, the same text with the same key is not sent again.
    #[serde(default = "five_minutes")]
    repeat_after: Span,
}

impl FromTarget for WebhookChannel {
    const DRIVER: &'static str = "webhook";
    const KIND: TargetKind = TargetKind::Channel;
    type Settings = WebhookSettings;

    fn from_target(settings: WebhookSettings, target: &Target, _: &Environment) -> Result<Self, ConfigError> {
        let WebhookSettings { url, headers, signature_key, timeout, at_most, repeat_after } = settings;
        check_url(target, "url", &url, "https://host/path")?;
        check(target, timeout, at_most)?;
        let policy = Policy { repeat_after: repeat_after.0, at_most, gathers: false };
        Ok(Self { name: target.name.clone(), url, headers, signature_key, timeout, policy })
    }
}
