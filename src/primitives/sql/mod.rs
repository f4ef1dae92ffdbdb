//! `sql(database, statements)`: changes a database, in one transaction.

mod expect_rows;
#[cfg(feature = "driver-sqlite")]
mod sqlite;

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::config::TargetKind;
use crate::model::{Applied, Arg, Case, Impact, ImpactKind, Span, Value};

use super::{Primitive, Reach, TargetArg};

pub use expect_rows::ExpectRows;

/// Changes a database, in one transaction.
#[derive(Clone, Copy, Debug)]
pub struct Sql;

/// Changes a database. All statements are one transaction: a failure, or more or fewer rows than `expect_rows`, and everything is as it
/// was. Foreign keys are enforced. The statements may not begin or end a transaction, nor reach another file.
///
/// Should the machine fail at the very end, nobody knows whether the transaction took place. The database keeps no record of it: give
/// `check`, or the run ends in doubt and a person must look.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Args {
    /// The database.
    pub target: String,
    /// One or more statements, separated by semicolons.
    pub sql: Arg<String>,
    /// What stands for the question marks of all statements, in their order; secrets too.
    #[serde(default)]
    pub params: Vec<Value>,
    /// How many rows may be inserted, updated and deleted in all: a number, `"1..=10"`, `"1.."`, or `#{ min: 1, max: 10 }`. Those that
    /// triggers and foreign keys change do not count. Any number if not given.
    pub expect_rows: Option<ExpectRows>,
    /// A query whose first column is true (neither 0, nor empty, nor NULL) once the change has taken place, and not before. It
    /// settles what is in doubt.
    pub check: Option<Arg<String>>,
    /// How long it may take, the wait for other programs that write included.
    #[serde(default = "a_minute")]
    pub timeout: Span,
}

fn a_minute() -> Span {
    Span::from_secs(60)
}

/// A change that took place.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Output {
    /// How many rows were inserted, updated and deleted; `()` where only `check` says that it took place.
    pub rows: Option<u64>,
    /// How long it took, in milliseconds.
    pub took_ms: u64,
}

impl Primitive for Sql {
    const NAME: &'static str = "sql";
    const SUMMARY: &'static str = "changes a database, in one transaction";
    const POSITIONAL: &'static [&'static str] = &["target", "sql"];
    const TARGET: Option<TargetArg> = Some(TargetArg { name: "target", kinds: &[TargetKind::Database] });
    const EXAMPLE: &'static str =
        r#"sql("primary", "UPDATE jobs SET state = 'new' WHERE id = ?", #{ params: [17], expect_rows: 1 });"#;
    const REACH: Reach = Reach::Anything;
    type Args = Args;
    type Output = Output;

    fn impact(args: &Args) -> Impact {
        Impact::on(ImpactKind::Change, &args.target)
    }

    fn cases(args: &Args) -> Vec<Case> {
        let mut cases =
            vec![Case::returns("done", Value::Map(BTreeMap::new())), Case::fails("failed", "sql-failed", Applied::No)];
        if args.expect_rows.is_some() {
            cases.push(Case::fails("unexpected-rows", "unexpected-rows", Applied::No));
        }
        cases
    }
}
