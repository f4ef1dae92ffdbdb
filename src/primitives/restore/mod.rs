//! `restore(database)`: puts a backup in the place of a database.

#[cfg(feature = "driver-sqlite")]
mod place;
#[cfg(feature = "driver-sqlite")]
mod record;
#[cfg(feature = "driver-sqlite")]
mod sqlite;
#[cfg(feature = "driver-sqlite")]
mod swap;
#[cfg(feature = "driver-sqlite")]
mod tables;
#[cfg(all(test, feature = "driver-sqlite"))]
mod tables_tests;
#[cfg(all(test, feature = "driver-sqlite"))]
mod tests;

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::config::TargetKind;
use crate::model::{Applied, Arg, ArgList, Case, Impact, ImpactKind, Value};

use super::{Primitive, TargetArg};

/// Puts a backup in the place of a database.
#[derive(Clone, Copy, Debug)]
pub struct Restore;

/// Puts a backup in the place of a database. What was written since the backup was taken is lost to the database. The backup is unpacked
/// and checked beside the database first; only then the two change places, and what was there before is kept. Programs that have the
/// database open must be stopped: they would go on with the old file.
///
/// With `tables`, only these tables are put back, in one transaction, and programs may go on. Their columns must be the same. It is undone
/// by `restore(target, #{ from: result.replaced, tables: [...] })`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Args {
    /// The database.
    pub target: String,
    /// The backup's name, or "latest". With `tables` also the `replaced` of an earlier restore of tables.
    pub from: Arg<String>,
    /// Only these tables; all of the database if none is given.
    #[serde(default, skip_serializing_if = "ArgList::is_empty")]
    pub tables: ArgList<String>,
    /// With `tables`: let rows of other tables point to rows that are there no longer. Refused if not given.
    #[serde(default)]
    pub allow_orphans: bool,
    /// Check the unpacked database before it takes its place. Its digest is compared in any case.
    #[serde(default = "yes")]
    pub verify: bool,
    /// Keep what was there before, in a directory beside the database.
    #[serde(default = "yes")]
    pub keep: bool,
}

fn yes() -> bool {
    true
}

/// A restore that took place.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Output {
    /// The backup's name.
    pub id: String,
    /// Everything committed before this moment is in the database now (UTC).
    pub taken_at: String,
    /// The size of the database in bytes.
    pub size: u64,
    /// The directory that keeps what was there before; `()` when nothing is kept.
    pub replaced: Option<String>,
    /// The tables that were put back, if only some were: `name`, `before` and `after`, how many rows each had and has.
    #[serde(default)]
    pub tables: Vec<Table>,
    /// How long it took, in milliseconds.
    pub took_ms: u64,
    /// What somebody should look at, such as programs that still have the old file open.
    pub warnings: Vec<String>,
}

/// A table that was put back.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Table {
    /// Its name.
    pub name: String,
    /// How many rows it had; `()` if it was not there.
    pub before: Option<u64>,
    /// How many rows it has.
    pub after: u64,
}

impl Primitive for Restore {
    const NAME: &'static str = "restore";
    const SUMMARY: &'static str = "puts a backup in the place of a database";
    const POSITIONAL: &'static [&'static str] = &["target"];
    const TARGET: Option<TargetArg> = Some(TargetArg { name: "target", kinds: &[TargetKind::Database] });
    const EXAMPLE: &'static str = r#"restore("primary", #{ from: snapshot.id });"#;
    type Args = Args;
    type Output = Output;

    fn impact(args: &Args) -> Impact {
        Impact::on(ImpactKind::Destroy, &args.target)
    }

    fn cases(_: &Args) -> Vec<Case> {
        vec![
            Case::returns("done", Value::Map(BTreeMap::new())),
            Case::fails("failed", "restore-failed", Applied::No),
            Case::fails("corrupt", "backup-corrupt", Applied::No),
            Case::fails("failed-but-applied", "restore-failed", Applied::Yes),
        ]
    }
}
