//! A target: something that a runbook looks at or changes.

use std::collections::BTreeMap;
use std::fmt;
use std::ops::Range;
use std::path::PathBuf;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::ConfigError;

/// What a target is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum TargetKind {
    /// Something that answers requests: `[environments.E.services.NAME]`.
    Service,
    /// A database: `[environments.E.databases.NAME]`.
    Database,
    /// Where backups are kept: `[environments.E.stores.NAME]`.
    Store,
    /// Where people are told: `[environments.E.channels.NAME]`.
    Channel,
    /// A machine: `[environments.E.hosts.NAME]`.
    Host,
    /// A program that runbooks may start: `[environments.E.tools.NAME]`.
    Tool,
    /// A configuration document: `[environments.E.documents.NAME]`.
    Document,
    /// A log: `[environments.E.logs.NAME]`.
    Log,
    /// What shares traffic out between services: `[environments.E.routers.NAME]`.
    Router,
}

impl TargetKind {
    /// All kinds.
    pub const ALL: [TargetKind; 9] = [
        TargetKind::Service,
        TargetKind::Database,
        TargetKind::Store,
        TargetKind::Channel,
        TargetKind::Host,
        TargetKind::Tool,
        TargetKind::Document,
        TargetKind::Log,
        TargetKind::Router,
    ];

    /// The table in `lifeboat.toml` that holds targets of this kind.
    pub fn table(self) -> &'static str {
        match self {
            TargetKind::Service => "services",
            TargetKind::Database => "databases",
            TargetKind::Store => "stores",
            TargetKind::Channel => "channels",
            TargetKind::Host => "hosts",
            TargetKind::Tool => "tools",
            TargetKind::Document => "documents",
            TargetKind::Log => "logs",
            TargetKind::Router => "routers",
        }
    }
}

impl fmt::Display for TargetKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            TargetKind::Service => "service",
            TargetKind::Database => "database",
            TargetKind::Store => "store",
            TargetKind::Channel => "channel",
            TargetKind::Host => "host",
            TargetKind::Tool => "tool",
            TargetKind::Document => "document",
            TargetKind::Log => "log",
            TargetKind::Router => "router",
        })
    }
}

/// Where in `lifeboat.toml` a target stands, for errors that point at it. All ranges are in bytes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Origin {
    /// The file.
    pub path: PathBuf,
    /// Its text.
    pub text: Arc<str>,
    /// The target's table.
    pub span: Range<usize>,
    /// The keys of its settings by path (`maintenance.file`).
    pub keys: BTreeMap<String, Range<usize>>,
    /// The values of its settings by path.
    pub values: BTreeMap<String, Range<usize>>,
}

/// Something that a runbook looks at or changes, by name.
#[derive(Clone, Debug, PartialEq)]
pub struct Target {
    /// The name that scripts use.
    pub name: String,
    /// What it is.
    pub kind: TargetKind,
    /// The driver that serves it.
    pub driver: String,
    /// The settings of its driver: the table without `driver`.
    pub settings: serde_json::Value,
    /// Where it stands.
    pub origin: Origin,
}

impl Target {
    /// The table `name` of the settings, which names a driver of its own: the way in which a service is deployed is one. Errors
    /// of what it returns point into the file as those of the target do.
    pub fn part(&self, name: &str) -> Result<Self, ConfigError> {
        let mut settings = self.settings[name].clone();
        let driver = settings.as_object_mut().and_then(|table| table.remove("driver"));
        let Some(driver) = driver.as_ref().and_then(serde_json::Value::as_str) else {
            let message = format!("`{name}` of {} `{}` has no `driver`", self.kind, self.name);
            return Err(self.error(name, message).help("add `driver = \"…\"` to say how it is done"));
        };
        let prefix = format!("{name}.");
        let inside = |places: &BTreeMap<String, Range<usize>>| {
            let inside = places.iter().filter_map(|(path, span)| Some((path.strip_prefix(&prefix)?, span)));
            inside.map(|(path, span)| (path.to_owned(), span.clone())).collect()
        };
        let origin = Origin {
            path: self.origin.path.clone(),
            text: self.origin.text.clone(),
            span: self.origin.values.get(name).unwrap_or(&self.origin.span).clone(),
            keys: inside(&self.origin.keys),
            values: inside(&self.origin.values),
        };
        Ok(Self { name: self.name.clone(), kind: self.kind, driver: driver.to_owned(), settings, origin })
    }

    /// An error that points at the setting `path` (`.` for the whole target).
    pub fn error(&self, path: &str, message: impl Into<String>) -> ConfigError {
        let span = self.origin.values.get(path).unwrap_or(&self.origin.span).clone();
        ConfigError::at(&self.origin.path, &self.origin.text, span, message)
    }
}
