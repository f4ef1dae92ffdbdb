//! A channel of Slack, or of what understands Slack's webhooks: `driver = "slack"`.

use schemars::JsonSchema;
use serde::Deserialize;

use crate::config::{ConfigError, Environment, Target, TargetKind};
use crate::model::{SecretText, Span};
use crate::primitives::FromTarget;
use crate::primitives::notify::{AtMost, Policy};

use super::channel_limits::{check, check_url, five_minutes, five_seconds};

/// A channel of Slack.
#[derive(Clone, Debug)]
pub struct SlackChannel {
    /// The target's name.
    pub name: String,
    /// How it is reached.
    pub way: SlackWay,
    /// Who is mentioned in critical messages.
    pub mention: Option<String>,
    /// How long the answer may take.
    pub timeout: Span,
    /// What is not sent, or not at once.
    pub policy: Policy,
}

/// How a channel of Slack is reached.
#[derive(Clone, Debug)]
pub enum SlackWay {
    /// An incoming webhook. It has no threads.
    Webhook {
        /// Its address, which is what gives access.
        url: SecretText,
    },
    /// The method `chat.postMessage`.
    Api {
        /// The token of a bot.
        token: SecretText,
        /// The channel's id or name.
        channel: String,
        /// Where the methods are.
        base: String,
    },
}

/// Settings of `driver = "slack"`: either `url`, or `token` and `channel`.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct SlackSettings {
    /// The address of an incoming webhook, of Slack or of a system that understands the same. It has no threads.
    url: Option<SecretText>,
    /// The token of a bot that may write (`chat:write`), `xoxb-…`. With `channel`; messages with the same key become a thread.
    token: Option<SecretText>,
    /// The channel's id, such as `C0123456789`, or its name.
    channel: Option<String>,
    /// Where Slack's methods are, for proxies and tests.
    #[serde(default = "slack_com")]
    api: String,
    /// Who is mentioned in critical messages: `<!here>`, `<!channel>`, `<@U012AB3CD>` or `<!subteam^S012AB3CD>`.
    mention: Option<String>,
    /// How long the answer may take; at most 30s. What takes longer waits in the outbox.
    #[serde(default = "five_seconds")]
    timeout: Span,
    /// How many messages it takes: `{ messages = 10, per = "1m" }`. What is more is gathered, and follows as one message. Critical
    /// and required ones always go through.
    at_most: Option<AtMost>,
    /// For so long after a message with a key, the same text with the same key is not sent again.
    #[serde(default = "five_minutes")]
    repeat_after: Span,
}

fn slack_com() -> String {
    "https://slack.com/api".to_owned()
}

impl SlackSettings {
    fn way(&self, target: &Target) -> Result<SlackWay, ConfigError> {
        let help = "give `url` of an incoming webhook, or `token` and `channel`";
        let wrong = |setting: &str, message: String| Err(target.error(setting, message).help(help));
        let name = &target.name;
        match (&self.url, &self.token, &self.channel) {
            (Some(url), None, None) => {
                check_url(target, "url", url, "https://hooks.slack.com/services/…")?;
                Ok(SlackWay::Webhook { url: url.clone() })
            }
            (None, Some(token), Some(channel)) => {
                check_url(target, "api", &SecretText::plain(&self.api), "https://slack.com/api")?;
                let base = self.api.trim_end_matches('/').to_owned();
                Ok(SlackWay::Api { token: token.clone(), channel: channel.clone(), base })
            }
            (Some(_), _, _) => {
                wrong("url", format!("channel `{name}` has a `url`, and a `token` or `channel` besides"))
            }
            (None, Some(_), None) => wrong("token", format!("channel `{name}` has a `token` and no `channel`")),
            (None, None, Some(_)) => wrong("channel", format!("channel `{name}` has a `channel` and no `token`")),
            (None, None, None) => wrong("driver", format!("channel `{name}` has neither `url` nor `token`")),
        }
    }
}

impl FromTarget for SlackChannel {
    const DRIVER: &'static str = "slack";
    const KIND: TargetKind = TargetKind::Channel;
    type Settings = SlackSettings;

    fn from_target(settings: SlackSettings, target: &Target, _: &Environment) -> Result<Self, ConfigError> {
        let way = settings.way(target)?;
        let SlackSettings { mention, timeout, at_most, repeat_after, .. } = settings;
        check(target, timeout, at_most)?;
        let policy = Policy { repeat_after: repeat_after.0, at_most, gathers: true };
        Ok(Self { name: target.name.clone(), way, mention, timeout, policy })
    }
}
