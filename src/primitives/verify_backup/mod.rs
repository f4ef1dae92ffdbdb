//! `verify_backup(database)`: restores a backup to a scratch directory and checks it.

#[cfg(feature = "driver-sqlite")]
mod sqlite;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::config::TargetKind;
use crate::model::{Applied, Arg, ArgList, Case, Impact, ImpactKind, Value};

use super::{Primitive, Reach, TargetArg};

/// Restores a backup to a scratch directory and checks it.
#[derive(Clone, Copy, Debug)]
pub struct VerifyBackup;

/// Restores a backup to a scratch directory, checks it there, and records that it is whole: `latest_backup` can then ask for a
/// verified one. The database itself is not touched. Throws `backup-corrupt` when the backup is damaged.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Args {
    /// The database.
    pub target: String,
    /// The backup's name; the newest one if not given.
    pub id: Option<Arg<String>>,
    /// Tables that must be in it.
    #[serde(default)]
    pub tables: ArgList<String>,
}

/// What a backup that is whole was found to be.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Output {
    /// Its name.
    pub id: String,
    /// Whether nothing at all was found. A damaged backup throws; rows that point nowhere make this false.
    pub ok: bool,
    /// What was found that is no damage, such as rows that violate a foreign key.
    pub problems: Vec<String>,
    /// Everything committed before this moment is in it (UTC).
    pub taken_at: String,
    /// How long it took, in milliseconds.
    pub took_ms: u64,
}

impl Primitive for VerifyBackup {
    const NAME: &'static str = "verify_backup";
    const SUMMARY: &'static str = "restores a backup to a scratch directory and checks it";
    const POSITIONAL: &'static [&'static str] = &["target"];
    const TARGET: Option<TargetArg> = Some(TargetArg { name: "target", kinds: &[TargetKind::Database] });
    const EXAMPLE: &'static str = r#"verify_backup("primary", #{ id: b.id, tables: ["orders"] });"#;
    const REACH: Reach = Reach::Addition;
    type Args = Args;
    type Output = Output;

    fn impact(args: &Args) -> Impact {
        Impact::on(ImpactKind::Change, &args.target)
    }

    fn cases(_: &Args) -> Vec<Case> {
        let ok = |yes: bool| Value::Map([("ok".to_owned(), Value::Bool(yes))].into());
        vec![
            Case::returns("pass", ok(true)),
            Case::returns("violations", ok(false)),
            Case::fails("corrupt", "backup-corrupt", Applied::No),
            Case::fails("none", "no-backup", Applied::No),
        ]
    }
}
