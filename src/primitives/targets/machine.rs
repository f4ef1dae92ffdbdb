//! The machine on which Lifeboat runs: `driver = "local"`.

use std::path::PathBuf;

use schemars::JsonSchema;
use serde::Deserialize;

use crate::config::{ConfigError, Environment, Target, TargetKind};
use crate::primitives::FromTarget;

/// The machine on which Lifeboat runs.
#[derive(Clone, Debug)]
pub struct Machine {
    /// The target's name.
    pub name: String,
    /// A path on the file system whose space counts.
    pub disk: PathBuf,
}

/// Settings of `driver = "local"`.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Settings {
    /// A path on the file system whose space counts; the project's directory if not given.
    disk: Option<PathBuf>,
}

impl FromTarget for Machine {
    const DRIVER: &'static str = "local";
    const KIND: TargetKind = TargetKind::Host;
    type Settings = Settings;

    fn from_target(settings: Settings, target: &Target, environment: &Environment) -> Result<Self, ConfigError> {
        let disk = settings.disk.map_or_else(|| environment.root.clone(), |path| environment.resolve(&path));
        Ok(Self { name: target.name.clone(), disk })
    }
}
