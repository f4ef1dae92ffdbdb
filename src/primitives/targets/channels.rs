//! Channels on which people are told: `driver = "file"`, `"terminal"` or `"webhook"`.

use std::collections::BTreeMap;
use std::path::PathBuf;

use schemars::JsonSchema;
use serde::Deserialize;

use crate::config::{ConfigError, Environment, Target, TargetKind};
use crate::model::Span;
use crate::primitives::FromTarget;

/// A file to which messages are added, one JSON object a line.
#[derive(Clone, Debug)]
pub struct FileChannel {
    /// The target's name.
    pub name: String,
    /// The file.
    pub path: PathBuf,
}

/// Settings of `driver = "file"`.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct FileSettings {
    /// The file; made when the first message is.
    path: PathBuf,
}

impl FromTarget for FileChannel {
    const DRIVER: &'static str = "file";
    const KIND: TargetKind = TargetKind::Channel;
    type Settings = FileSettings;

    fn from_target(settings: FileSettings, target: &Target, environment: &Environment) -> Result<Self, ConfigError> {
        Ok(Self { name: target.name.clone(), path: environment.resolve(&settings.path) })
    }
}

/// The terminal of whoever runs the runbook.
#[derive(Clone, Debug)]
pub struct TerminalChannel {
    /// The target's name.
    pub name: String,
}

/// Settings of `driver = "terminal"`: none.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct TerminalSettings {}

impl FromTarget for TerminalChannel {
    const DRIVER: &'static str = "terminal";
    const KIND: TargetKind = TargetKind::Channel;
    type Settings = TerminalSettings;

    fn from_target(_: TerminalSettings, target: &Target, _: &Environment) -> Result<Self, ConfigError> {
        Ok(Self { name: target.name.clone() })
    }
}

/// An address to which messages are posted as JSON.
#[derive(Clone, Debug)]
pub struct WebhookChannel {
    /// The target's name.
    pub name: String,
    /// The address.
    pub url: String,
    /// Headers that are sent with every message.
    pub headers: BTreeMap<String, String>,
    /// How long the answer may take.
    pub timeout: Span,
}

/// Settings of `driver = "webhook"`.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct WebhookSettings {
    /// Where messages are posted, `http://…` or `https://…`.
    url: String,
    /// Headers that are sent with every message.
    #[serde(default)]
    headers: BTreeMap<String, String>,
    /// How long the answer may take.
    #[serde(default = "five_seconds")]
    timeout: Span,
}

fn five_seconds() -> Span {
    Span::from_secs(5)
}

impl FromTarget for WebhookChannel {
    const DRIVER: &'static str = "webhook";
    const KIND: TargetKind = TargetKind::Channel;
    type Settings = WebhookSettings;

    fn from_target(settings: WebhookSettings, target: &Target, _: &Environment) -> Result<Self, ConfigError> {
        if !settings.url.starts_with("http://") && !settings.url.starts_with("https://") {
            let message = format!("`{}` is not an address of a webhook", settings.url);
            return Err(target.error("url", message).help("write it as `https://host/path`"));
        }
        let WebhookSettings { url, headers, timeout } = settings;
        Ok(Self { name: target.name.clone(), url, headers, timeout })
    }
}
