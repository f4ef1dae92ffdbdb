//! A database that is a SQLite or libSQL file: `driver = "sqlite"`.

use std::path::PathBuf;

use schemars::JsonSchema;
use serde::Deserialize;

use crate::config::{ConfigError, Environment, Target, TargetKind};
use crate::primitives::FromTarget;

use super::DirectoryStore;

/// A SQLite or libSQL file.
#[derive(Clone, Debug)]
pub struct SqliteDatabase {
    /// The target's name.
    pub name: String,
    /// The file.
    pub path: PathBuf,
    /// Where its backups are kept.
    pub store: Option<DirectoryStore>,
    /// The directory of its migrations.
    pub migrations: Option<PathBuf>,
}

/// Settings of `driver = "sqlite"`.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Settings {
    /// The database's file.
    path: PathBuf,
    /// The name of the store that keeps its backups.
    store: Option<String>,
    /// The directory of its migrations, `.sql` files; `migrate` needs it.
    migrations: Option<PathBuf>,
}

impl FromTarget for SqliteDatabase {
    const DRIVER: &'static str = "sqlite";
    const KIND: TargetKind = TargetKind::Database;
    type Settings = Settings;

    fn from_target(settings: Settings, target: &Target, environment: &Environment) -> Result<Self, ConfigError> {
        let store = settings.store.map(|name| {
            let store = environment.targets.get(&name).filter(|t| t.kind == TargetKind::Store);
            let Some(store) = store else {
                let stores = environment.targets.values().filter(|t| t.kind == TargetKind::Store);
                let stores: Vec<_> = stores.map(|t| t.name.as_str()).collect();
                let known = if stores.is_empty() { "none is defined".to_owned() } else { stores.join(", ") };
                let message = format!("there is no store `{name}` in environment {}", environment.name);
                return Err(target.error("store", message).help(format!("stores: {known}")));
            };
            DirectoryStore::from_target(store.settings()?, store, environment)
        });
        Ok(Self {
            name: target.name.clone(),
            path: environment.resolve(&settings.path),
            store: store.transpose()?,
            migrations: settings.migrations.map(|path| environment.resolve(&path)),
        })
    }
}
