//! `migrate(database)`: brings a database's schema to a version.

#[cfg(feature = "driver-sqlite")]
mod apply;
#[cfg(feature = "driver-sqlite")]
mod decide;
#[cfg(feature = "driver-sqlite")]
mod directory;
#[cfg(feature = "driver-sqlite")]
mod faults;
#[cfg(feature = "driver-sqlite")]
mod foresee;
#[cfg(feature = "driver-sqlite")]
mod history;
#[cfg(feature = "driver-sqlite")]
mod record;
#[cfg(feature = "driver-sqlite")]
mod schema;
#[cfg(feature = "driver-sqlite")]
mod script;
#[cfg(feature = "driver-sqlite")]
mod sqlite;
#[cfg(all(test, feature = "driver-sqlite"))]
mod tests;
#[cfg(feature = "driver-sqlite")]
mod verify;
#[cfg(feature = "driver-sqlite")]
mod version;

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::config::TargetKind;
use crate::model::{Applied, Arg, ArgList, Case, Impact, ImpactKind, Value};

use super::{Primitive, TargetArg};

/// Brings a database's schema to a version.
#[derive(Clone, Copy, Debug)]
pub struct Migrate;

/// Brings a database's schema to a version, with the `.sql` files of the directory that its target names in `migrations`. A file is
/// called `0001_name.sql` (with `-- migrate:up` and `-- migrate:down` in it, or without), or `0001_name.up.sql` beside
/// `0001_name.down.sql`. Each migration is one transaction, with its row in the history: when one fails, the database is as it was
/// before that one. A history that dbmate, sqlx or golang-migrate began is read and carried on. Nothing is done when an applied
/// file was changed or is missing, or a new one is older than what is applied. Foreign keys are not enforced while a migration
/// runs, unless it says `PRAGMA foreign_keys = ON`; one that leaves rows pointing nowhere is rolled back. The plan carries the
/// migrations out on a copy, and says what they would change and lose.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Args {
    /// The database.
    pub target: String,
    /// The version to end at; the newest if not given. With `down`, "none" takes all migrations back.
    pub to: Option<Arg<String>>,
    /// Take migrations back: all that are newer than `to`, or the newest one.
    #[serde(default)]
    pub down: bool,
    /// Only note in an empty history that everything up to this version is applied; nothing is run.
    pub baseline: Option<String>,
    /// Tables that must be there afterwards.
    #[serde(default)]
    pub tables: ArgList<String>,
    /// How many rows tables must have at least afterwards, such as `#{ orders: 1 }`.
    #[serde(default)]
    pub counts: BTreeMap<String, u32>,
}

/// A migration that took place.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Output {
    /// The version before; "none" when no migration was applied.
    pub from: String,
    /// The version now; "none" when no migration is applied.
    pub to: String,
    /// The versions that were applied, or with `down` taken back, in that order.
    pub applied: Vec<String>,
    /// How long it took, in milliseconds.
    pub took_ms: u64,
}

impl Primitive for Migrate {
    const NAME: &'static str = "migrate";
    const SUMMARY: &'static str = "brings a database's schema to a version";
    const POSITIONAL: &'static [&'static str] = &["target"];
    const TARGET: Option<TargetArg> = Some(TargetArg { name: "target", kinds: &[TargetKind::Database] });
    const EXAMPLE: &'static str = r#"let m = migrate("primary", #{ tables: ["orders"] });"#;
    const DECLARES_STATE: bool = true;
    type Args = Args;
    type Output = Output;

    fn impact(args: &Args) -> Impact {
        Impact::on(ImpactKind::Change, &args.target)
    }

    fn cases(_: &Args) -> Vec<Case> {
        let nothing = Value::Map([("applied".to_owned(), Value::List(Vec::new()))].into());
        vec![
            Case::returns("done", Value::Map(BTreeMap::new())),
            Case::returns("nothing", nothing),
            Case::fails("failed", "migration-failed", Applied::No),
            Case::fails("failed-but-applied", "migration-failed", Applied::Yes),
        ]
    }
}
