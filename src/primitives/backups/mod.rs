//! `backups(database)`: lists the backups of a database.

#[cfg(feature = "driver-sqlite")]
mod sqlite;

use std::collections::BTreeMap;
use std::num::NonZeroU32;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::config::TargetKind;
use crate::model::{Case, Impact, ImpactKind, Value};

use super::{Primitive, TargetArg};

/// Lists the backups of a database.
#[derive(Clone, Copy, Debug)]
pub struct Backups;

/// Lists the backups of a database, the newest first. What an interrupted backup left and what has lost its manifest is not
/// listed.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Args {
    /// The database.
    pub target: String,
    /// Only those that `verify_backup` has found whole.
    #[serde(default)]
    pub verified: bool,
    /// Read each one's data now, and leave out those that are damaged.
    #[serde(default)]
    pub intact: bool,
    /// How many at most; all of them if not given.
    pub limit: Option<NonZeroU32>,
}

/// One backup.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Listed {
    /// Its name, as `restore` takes it.
    pub id: String,
    /// Everything committed before this moment is in it (UTC).
    pub taken_at: String,
    /// How long ago that is, in seconds.
    pub age_s: i64,
    /// The size of the database in bytes.
    pub size: u64,
    /// What it takes up in the store, in bytes.
    pub stored_size: u64,
    /// Whether `verify_backup` has found it whole.
    pub verified: bool,
    /// When it did so last (UTC).
    pub verified_at: Option<String>,
}

impl Primitive for Backups {
    const NAME: &'static str = "backups";
    const SUMMARY: &'static str = "lists the backups of a database, the newest first";
    const POSITIONAL: &'static [&'static str] = &["target"];
    const TARGET: Option<TargetArg> = Some(TargetArg { name: "target", kinds: &[TargetKind::Database] });
    const EXAMPLE: &'static str = r#"let last_three = backups("primary", #{ verified: true, limit: 3 });"#;
    type Args = Args;
    type Output = Vec<Listed>;

    fn impact(args: &Args) -> Impact {
        Impact::on(ImpactKind::Look, &args.target)
    }

    fn cases(_: &Args) -> Vec<Case> {
        vec![Case::returns("found", Value::Map(BTreeMap::new())), Case::returns("none", Value::List(Vec::new()))]
    }
}
