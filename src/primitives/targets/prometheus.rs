//! A Prometheus server, or anything that answers its queries: `driver = "prometheus"`.

use std::collections::BTreeMap;
use std::path::PathBuf;

use schemars::JsonSchema;
use serde::Deserialize;

use crate::config::{ConfigError, Environment, Target, TargetKind};
use crate::model::{Fault, SecretText, Span};
use crate::primitives::FromTarget;
use crate::system::Look;

/// A Prometheus server.
#[derive(Clone, Debug)]
pub struct Prometheus {
    /// The target's name.
    pub name: String,
    /// Where its interface begins, without a slash at the end.
    pub url: String,
    /// Headers that are sent with every request.
    pub headers: BTreeMap<String, SecretText>,
    /// How long an answer may take.
    pub timeout: Span,
    /// The file of the authorities that are trusted; those of the system if not given.
    pub ca: Option<PathBuf>,
}

/// Settings of `driver = "prometheus"`.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Settings {
    /// Where its interface begins: what stands before `/api/v1/query`. Thanos, Mimir and VictoriaMetrics answer as well.
    url: String,
    /// Headers that are sent with every request. They may hold secrets: `Bearer {secret:TOKEN}`.
    #[serde(default)]
    headers: BTreeMap<String, SecretText>,
    /// How long an answer may take.
    #[serde(default = "ten_seconds")]
    timeout: Span,
    /// A file of PEM certificates: the authorities that are trusted, and no others. Those of the system if not given.
    ca: Option<PathBuf>,
}

fn ten_seconds() -> Span {
    Span::from_secs(10)
}

impl FromTarget for Prometheus {
    const DRIVER: &'static str = "prometheus";
    const KIND: TargetKind = TargetKind::Service;
    type Settings = Settings;

    fn from_target(settings: Settings, target: &Target, environment: &Environment) -> Result<Self, ConfigError> {
        if !settings.url.starts_with("http://") && !settings.url.starts_with("https://") {
            let message = format!("`{}` is not an address of a service", settings.url);
            return Err(target.error("url", message).help("write it as `http://host:9090`"));
        }
        Ok(Self {
            name: target.name.clone(),
            url: settings.url.trim_end_matches('/').to_owned(),
            headers: settings.headers,
            timeout: settings.timeout,
            ca: settings.ca.map(|path| environment.resolve(&path)),
        })
    }
}

impl Prometheus {
    /// The headers as they are sent.
    pub(in crate::primitives) async fn headers(&self, look: &Look) -> Result<BTreeMap<String, String>, Fault> {
        let mut headers = BTreeMap::new();
        for (name, value) in &self.headers {
            headers.insert(name.clone(), look.reveal(value).await?.to_string());
        }
        Ok(headers)
    }
}
