//! `latest_backup(database)`: finds the newest backup that qualifies.

#[cfg(feature = "driver-sqlite")]
mod sqlite;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::config::TargetKind;
use crate::model::{Applied, Case, Impact, ImpactKind, Span, Value};

use super::{Primitive, TargetArg};

/// Finds the newest backup that qualifies.
#[derive(Clone, Copy, Debug)]
pub struct LatestBackup;

/// Finds the newest backup of a database that qualifies. Its data are read and compared with their digest; one that is damaged is
/// passed over for the next older one, and named in `skipped`. Throws `no-backup` when none qualifies.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Args {
    /// The database.
    pub target: String,
    /// Only one that `verify_backup` has found whole.
    #[serde(default)]
    pub verified: bool,
    /// Only one that is at least so old: for going back to before something went wrong.
    pub older_than: Option<Span>,
    /// Read its data now, and pass over one that is damaged.
    #[serde(default = "yes")]
    pub intact: bool,
}

fn yes() -> bool {
    true
}

/// The backup that was found.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Output {
    /// Its name, as `restore` takes it.
    pub id: String,
    /// Everything committed before this moment is in it (UTC).
    pub taken_at: String,
    /// How long ago that is, in seconds.
    pub age_s: i64,
    /// The size of the database in bytes.
    pub size: u64,
    /// Whether `verify_backup` has found it whole.
    pub verified: bool,
    /// Newer backups that were passed over.
    pub skipped: Vec<Skipped>,
}

/// A backup that was passed over.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Skipped {
    /// Its name.
    pub id: String,
    /// Why it does not qualify.
    pub why: String,
}

impl Primitive for LatestBackup {
    const NAME: &'static str = "latest_backup";
    const SUMMARY: &'static str = "finds the newest backup that qualifies";
    const POSITIONAL: &'static [&'static str] = &["target"];
    const TARGET: Option<TargetArg> = Some(TargetArg { name: "target", kinds: &[TargetKind::Database] });
    const EXAMPLE: &'static str = r#"let snapshot = latest_backup("primary", #{ verified: true });"#;
    type Args = Args;
    type Output = Output;

    fn impact(args: &Args) -> Impact {
        Impact::on(ImpactKind::Look, &args.target)
    }

    fn cases(args: &Args) -> Vec<Case> {
        let verified = |yes: bool| Value::Map([("verified".to_owned(), Value::Bool(yes))].into());
        let mut cases = vec![Case::returns("found", verified(true))];
        if !args.verified {
            cases.push(Case::returns("unverified", verified(false)));
        }
        cases.push(Case::fails("none", "no-backup", Applied::No));
        cases
    }
}
