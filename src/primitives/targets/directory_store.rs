//! A store of backups in a directory: `driver = "directory"`.

use std::path::PathBuf;

use schemars::JsonSchema;
use serde::Deserialize;

use crate::config::{ConfigError, Environment, Target, TargetKind};
use crate::primitives::FromTarget;

/// A directory that keeps backups.
#[derive(Clone, Debug)]
pub struct DirectoryStore {
    /// The target's name.
    pub name: String,
    /// The directory; made when the first backup is.
    pub path: PathBuf,
}

/// Settings of `driver = "directory"`.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Settings {
    /// The directory; made when the first backup is.
    path: PathBuf,
}

impl FromTarget for DirectoryStore {
    const DRIVER: &'static str = "directory";
    const KIND: TargetKind = TargetKind::Store;
    type Settings = Settings;

    fn from_target(settings: Settings, target: &Target, environment: &Environment) -> Result<Self, ConfigError> {
        Ok(Self { name: target.name.clone(), path: environment.resolve(&settings.path) })
    }
}
