//! `backup(database)`: makes a backup.

#[cfg(feature = "driver-sqlite")]
mod sqlite;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::config::TargetKind;
use crate::model::{Applied, Case, Impact, ImpactKind, Value};

use super::{Primitive, Reach, TargetArg};

/// Makes a backup of a database and puts it into its store.
#[derive(Clone, Copy, Debug)]
pub struct Backup;

/// Makes a backup of a database that may be in use, and puts it into the store that is configured for it. Everything committed
/// before `taken_at` is in it. A backup that was interrupted is never taken for a whole one.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Args {
    /// The database.
    pub target: String,
}

/// A backup that was made.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Output {
    /// Its name, as `restore` takes it.
    pub id: String,
    /// Everything committed before this moment is in it (UTC).
    pub taken_at: String,
    /// The size of the database in bytes.
    pub size: u64,
    /// What it takes up in the store, in bytes.
    pub stored_size: u64,
    /// SHA-256 of the stored data.
    pub sha256: String,
    /// The database.
    pub target: String,
    /// The store.
    pub store: String,
}

impl Primitive for Backup {
    const NAME: &'static str = "backup";
    const SUMMARY: &'static str = "makes a backup of a database";
    const POSITIONAL: &'static [&'static str] = &["target"];
    const TARGET: Option<TargetArg> = Some(TargetArg { name: "target", kinds: &[TargetKind::Database] });
    const EXAMPLE: &'static str = r#"let b = backup("primary");"#;
    const REACH: Reach = Reach::Addition;
    type Args = Args;
    type Output = Output;

    fn impact(args: &Args) -> Impact {
        Impact::on(ImpactKind::Change, &args.target)
    }

    fn cases(args: &Args) -> Vec<Case> {
        let certain = Value::Map([("target".to_owned(), Value::from(args.target.as_str()))].into());
        vec![Case::returns("done", certain), Case::fails("failed", "backup-failed", Applied::No)]
    }
}
