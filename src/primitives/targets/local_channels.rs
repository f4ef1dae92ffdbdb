//! Channels on this machine: `driver = "file"` and `"terminal"`. They take every message, at once.

use std::path::PathBuf;

use schemars::JsonSchema;
use serde::Deserialize;

use crate::config::{ConfigError, Environment, Target, TargetKind};
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
