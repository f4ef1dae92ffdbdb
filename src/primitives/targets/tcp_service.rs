//! A service that accepts TCP connections: `driver = "tcp"`.

use std::path::PathBuf;

use schemars::JsonSchema;
use serde::Deserialize;

use crate::config::{ConfigError, Environment, Target, TargetKind};
use crate::model::Span;
use crate::primitives::FromTarget;

use super::Deployment;

/// A service that accepts TCP connections.
#[derive(Clone, Debug)]
pub struct TcpService {
    /// The target's name.
    pub name: String,
    /// `host:port`.
    pub address: String,
    /// How long connecting may take.
    pub timeout: Span,
    /// The file that holds the service's process number.
    pub pid_file: Option<PathBuf>,
    /// How new versions of it are deployed.
    pub deployment: Option<Deployment>,
}

/// Settings of `driver = "tcp"`.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Settings {
    /// Where it listens, as `host:port`.
    address: String,
    /// How long connecting may take.
    #[serde(default = "five_seconds")]
    timeout: Span,
    /// A file that holds the service's process number; `inject` needs it to kill the process.
    pid_file: Option<PathBuf>,
    /// How new versions are deployed: a table with `driver = "release"` or `"command"` and the settings of that driver. `deploy`
    /// and `version` need it.
    deploy: Option<serde_json::Map<String, serde_json::Value>>,
}

fn five_seconds() -> Span {
    Span::from_secs(5)
}

impl FromTarget for TcpService {
    const DRIVER: &'static str = "tcp";
    const KIND: TargetKind = TargetKind::Service;
    type Settings = Settings;

    fn from_target(settings: Settings, target: &Target, environment: &Environment) -> Result<Self, ConfigError> {
        let port = settings.address.rsplit_once(':').and_then(|(_, port)| port.parse::<u16>().ok());
        if port.is_none() {
            let message = format!("`{}` is not an address", settings.address);
            return Err(target.error("address", message).help("write it as `host:port`, such as `127.0.0.1:5432`"));
        }
        Ok(Self {
            name: target.name.clone(),
            address: settings.address,
            timeout: settings.timeout,
            pid_file: settings.pid_file.map(|p| environment.resolve(&p)),
            deployment: settings.deploy.map(|_| Deployment::of(target, environment, false)).transpose()?,
        })
    }
}
