//! A channel that is mail: `driver = "smtp"`.

use std::path::PathBuf;

use schemars::JsonSchema;
use serde::Deserialize;

use crate::config::{ConfigError, Environment, Target, TargetKind};
use crate::model::{SecretText, Span};
use crate::primitives::FromTarget;
use crate::primitives::notify::{AtMost, Policy};
use crate::system::check_mail_address;

use super::channel_limits::{check, five_minutes, five_seconds};

/// Mail through a server that takes it.
#[derive(Clone, Debug)]
pub struct SmtpChannel {
    /// The target's name.
    pub name: String,
    /// The server's name.
    pub host: String,
    /// Its port.
    pub port: u16,
    /// How the connection is protected.
    pub tls: SmtpTls,
    /// The certificates that are trusted, instead of the system's.
    pub ca: Option<PathBuf>,
    /// Who logs in, and the password.
    pub login: Option<(String, SecretText)>,
    /// Who writes.
    pub from: String,
    /// Who is written to.
    pub to: Vec<String>,
    /// How long all of it may take.
    pub timeout: Span,
    /// What is not sent, or not at once.
    pub policy: Policy,
}

/// How a connection to a mail server is protected.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum SmtpTls {
    /// It begins in the clear and must be encrypted before anything is said.
    #[default]
    Starttls,
    /// It is encrypted from the beginning.
    Implicit,
    /// Not at all; only to this machine.
    None,
}

/// Settings of `driver = "smtp"`.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct SmtpSettings {
    /// The mail server's name.
    host: String,
    /// Its port; 587 if not given, 465 with `tls = "implicit"`, 25 without TLS.
    port: Option<u16>,
    /// How the connection is protected: `starttls`, `implicit`, or `none`, which only a server on this machine may have.
    #[serde(default)]
    tls: SmtpTls,
    /// A file of certificates (PEM) that are trusted instead of the system's.
    ca: Option<PathBuf>,
    /// Who logs in; nobody if not given.
    username: Option<String>,
    /// The password.
    password: Option<SecretText>,
    /// Who writes: `lifeboat@example.com` or `Lifeboat <lifeboat@example.com>`.
    from: String,
    /// Who is written to.
    to: Vec<String>,
    /// How long all of it may take; at most 30s. What takes longer waits in the outbox.
    #[serde(default = "five_seconds")]
    timeout: Span,
    /// How many mails it takes: `{ messages = 10, per = "1m" }`. What is more is gathered, and follows as one mail. Critical and
    /// required ones always go through.
    at_most: Option<AtMost>,
    /// For so long after a message with a key, the same text with the same key is not sent again.
    #[serde(default = "five_minutes")]
    repeat_after: Span,
}

impl SmtpSettings {
    fn check(&self, target: &Target) -> Result<(), ConfigError> {
        let name = &target.name;
        if self.tls == SmtpTls::None && !is_loopback(&self.host) {
            let message = format!("channel `{name}` would send mail in the clear to {}", self.host);
            return Err(target.error("tls", message).help("only a server on this machine may do without TLS"));
        }
        if self.username.is_some() != self.password.is_some() {
            let setting = if self.username.is_some() { "username" } else { "password" };
            let message = format!("channel `{name}` has only one of `username` and `password`");
            return Err(target.error(setting, message).help("give both, or neither"));
        }
        if self.to.is_empty() {
            let message = format!("channel `{name}` writes to nobody");
            return Err(target.error("to", message).help("add addresses: `to = [\"oncall@example.com\"]`"));
        }
        let addresses = self.to.iter().map(|to| ("to", to)).chain([("from", &self.from)]);
        for (setting, address) in addresses {
            check_mail_address(address).map_err(|why| {
                let message = format!("`{address}` in `{setting}` of channel `{name}` is no mail address: {why}");
                target.error(setting, message).help("write it as `name@host`, or `Name <name@host>`")
            })?;
        }
        check(target, self.timeout, self.at_most)
    }
}

fn is_loopback(host: &str) -> bool {
    host == "localhost" || host.parse::<std::net::IpAddr>().is_ok_and(|address| address.is_loopback())
}

impl FromTarget for SmtpChannel {
    const DRIVER: &'static str = "smtp";
    const KIND: TargetKind = TargetKind::Channel;
    type Settings = SmtpSettings;

    fn from_target(settings: SmtpSettings, target: &Target, environment: &Environment) -> Result<Self, ConfigError> {
        settings.check(target)?;
        let SmtpSettings { host, port, tls, ca, username, password, from, to, timeout, at_most, repeat_after } =
            settings;
        let standard = match tls {
            SmtpTls::Starttls => 587,
            SmtpTls::Implicit => 465,
            SmtpTls::None => 25,
        };
        Ok(Self {
            name: target.name.clone(),
            host,
            port: port.unwrap_or(standard),
            tls,
            ca: ca.map(|path| environment.resolve(&path)),
            login: username.zip(password),
            from,
            to,
            timeout,
            policy: Policy { repeat_after: repeat_after.0, at_most, gathers: true },
        })
    }
}
