//! A service that speaks HTTP: `driver = "http"`.

use std::collections::BTreeMap;
use std::path::PathBuf;

use schemars::JsonSchema;
use serde::Deserialize;

use crate::config::{ConfigError, Environment, Target, TargetKind};
use crate::model::{Fault, SecretText, Span};
use crate::primitives::FromTarget;
use crate::system::Look;

use super::Deployment;

/// A service that speaks HTTP.
#[derive(Clone, Debug)]
pub struct HttpService {
    /// The target's name.
    pub name: String,
    /// The address that is probed.
    pub url: String,
    /// Headers that are sent with every request. They may hold secrets: `Bearer {secret:TOKEN}`.
    pub headers: BTreeMap<String, SecretText>,
    /// How long an answer may take.
    pub timeout: Span,
    /// The file that holds the service's process number.
    pub pid_file: Option<PathBuf>,
    /// The file that holds `on` while the service is in maintenance.
    pub maintenance_file: Option<PathBuf>,
    /// The file whose presence makes the service refuse connections.
    pub refuse_file: Option<PathBuf>,
    /// The file of the authorities that are trusted; those of the system if not given.
    pub ca: Option<PathBuf>,
    /// Where it answers without TLS.
    pub plain_url: Option<String>,
    /// How new versions of it are deployed.
    pub deployment: Option<Deployment>,
}

/// Settings of `driver = "http"`.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Settings {
    /// The address that is probed, `http://…` or `https://…`.
    url: String,
    /// Headers that are sent with every request. They may hold secrets: `Bearer {secret:TOKEN}`.
    #[serde(default)]
    headers: BTreeMap<String, SecretText>,
    /// How long an answer may take.
    #[serde(default = "ten_seconds")]
    timeout: Span,
    /// A file that holds the service's process number; `inject` needs it to kill the process.
    pid_file: Option<PathBuf>,
    /// A file that the service watches: it holds `on` while the service is in maintenance. `maintenance` needs it.
    maintenance_file: Option<PathBuf>,
    /// A file whose presence makes the service refuse connections; `inject` needs it for that fault.
    refuse_file: Option<PathBuf>,
    /// A file of PEM certificates: the authorities that are trusted, and no others. Those of the system if not given.
    ca: Option<PathBuf>,
    /// Where it answers without TLS, for the probe of security headers; port 80 of the same host if not given.
    plain_url: Option<String>,
    /// How new versions are deployed: a table with `driver = "release"` or `"command"` and the settings of that driver. `deploy`
    /// and `version` need it.
    deploy: Option<serde_json::Map<String, serde_json::Value>>,
}

fn ten_seconds() -> Span {
    Span::from_secs(10)
}

impl FromTarget for HttpService {
    const DRIVER: &'static str = "http";
    const KIND: TargetKind = TargetKind::Service;
    type Settings = Settings;

    fn from_target(settings: Settings, target: &Target, environment: &Environment) -> Result<Self, ConfigError> {
        if !settings.url.starts_with("http://") && !settings.url.starts_with("https://") {
            return Err(target
                .error("url", format!("`{}` is not an address of a service", settings.url))
                .help("write it as `http://host:port/path` or `https://…`"));
        }
        let resolve = |path: Option<PathBuf>| path.map(|p| environment.resolve(&p));
        Ok(Self {
            name: target.name.clone(),
            url: settings.url,
            headers: settings.headers,
            timeout: settings.timeout,
            pid_file: resolve(settings.pid_file),
            maintenance_file: resolve(settings.maintenance_file),
            refuse_file: resolve(settings.refuse_file),
            ca: resolve(settings.ca),
            plain_url: settings.plain_url,
            deployment: settings.deploy.map(|_| Deployment::of(target, environment, true)).transpose()?,
        })
    }
}

impl HttpService {
    /// The headers as they are sent.
    pub(in crate::primitives) async fn headers(&self, look: &Look) -> Result<BTreeMap<String, String>, Fault> {
        let mut headers = BTreeMap::new();
        for (name, value) in &self.headers {
            headers.insert(name.clone(), look.reveal(value).await?.to_string());
        }
        Ok(headers)
    }
}
