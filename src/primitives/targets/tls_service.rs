//! A service that speaks TLS, whatever it says inside: `driver = "tls"`.

use std::path::PathBuf;

use schemars::JsonSchema;
use serde::Deserialize;

use crate::config::{ConfigError, Environment, Target, TargetKind};
use crate::model::Span;
use crate::primitives::FromTarget;
use crate::system::StartTls;

/// A service that speaks TLS.
#[derive(Clone, Debug)]
pub struct TlsService {
    /// The target's name.
    pub name: String,
    /// `host:port`.
    pub address: String,
    /// The name that its certificate must be for.
    pub server_name: String,
    /// The file of the authorities that are trusted; those of the system if not given.
    pub ca: Option<PathBuf>,
    /// What is said before TLS begins.
    pub starttls: Option<StartTls>,
    /// How long a handshake may take.
    pub timeout: Span,
}

/// Settings of `driver = "tls"`.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Settings {
    /// Where it listens, as `host:port`.
    address: String,
    /// The name that its certificate must be for, and that it is asked for; the host of `address` if not given.
    server_name: Option<String>,
    /// A file of PEM certificates: the authorities that are trusted, and no others. Those of the system if not given.
    ca: Option<PathBuf>,
    /// How it changes to TLS, if it does not begin with it: `smtp`, `imap` or `postgres`.
    starttls: Option<Protocol>,
    /// How long a handshake may take.
    #[serde(default = "ten_seconds")]
    timeout: Span,
}

/// A protocol that begins in the open.
#[derive(Clone, Copy, Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
enum Protocol {
    /// Mail.
    Smtp,
    /// Mailboxes.
    Imap,
    /// PostgreSQL.
    Postgres,
}

fn ten_seconds() -> Span {
    Span::from_secs(10)
}

impl FromTarget for TlsService {
    const DRIVER: &'static str = "tls";
    const KIND: TargetKind = TargetKind::Service;
    type Settings = Settings;

    fn from_target(settings: Settings, target: &Target, environment: &Environment) -> Result<Self, ConfigError> {
        let host =
            settings.address.rsplit_once(':').filter(|(host, port)| !host.is_empty() && port.parse::<u16>().is_ok());
        let Some((host, _)) = host else {
            let message = format!("`{}` is not an address", settings.address);
            return Err(target
                .error("address", message)
                .help("write it as `host:port`, such as `mail.example.net:465`"));
        };
        Ok(Self {
            name: target.name.clone(),
            server_name: settings.server_name.unwrap_or_else(|| host.trim_matches(['[', ']']).to_owned()),
            ca: settings.ca.map(|path| environment.resolve(&path)),
            starttls: settings.starttls.map(|protocol| match protocol {
                Protocol::Smtp => StartTls::Smtp,
                Protocol::Imap => StartTls::Imap,
                Protocol::Postgres => StartTls::Postgres,
            }),
            timeout: settings.timeout,
            address: settings.address,
        })
    }
}
