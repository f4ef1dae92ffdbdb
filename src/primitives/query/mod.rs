//! `query(database, sql)`: asks a database, and gives the rows.

#[cfg(feature = "driver-sqlite")]
mod sqlite;

use std::collections::BTreeMap;
use std::num::NonZeroU32;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::config::TargetKind;
use crate::model::{Applied, Arg, Case, Impact, ImpactKind, Span, Value};

use super::{Primitive, TargetArg};

/// Asks a database, and gives the rows.
#[derive(Clone, Copy, Debug)]
pub struct Query;

/// Asks a database one question, and gives the rows as an array of maps, each with a field for every column. It cannot change
/// anything: `sql` does that. At most 10,000 rows and 16 MiB.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Args {
    /// The database.
    pub target: String,
    /// One statement that reads, such as a SELECT.
    pub sql: Arg<String>,
    /// What stands for its question marks, in their order; secrets too.
    #[serde(default)]
    pub params: Vec<Value>,
    /// How many rows at most; those after them are left out.
    pub limit: Option<NonZeroU32>,
    /// How long the answer may take.
    #[serde(default = "half_a_minute")]
    pub timeout: Span,
}

fn half_a_minute() -> Span {
    Span::from_secs(30)
}

/// One row: the value of each column by its name.
pub type Row = BTreeMap<String, Value>;

impl Primitive for Query {
    const NAME: &'static str = "query";
    const SUMMARY: &'static str = "asks a database, and gives the rows";
    const POSITIONAL: &'static [&'static str] = &["target", "sql"];
    const TARGET: Option<TargetArg> = Some(TargetArg { name: "target", kinds: &[TargetKind::Database] });
    const EXAMPLE: &'static str =
        r#"let stuck = query("primary", "SELECT id FROM jobs WHERE state = ?", #{ params: ["stuck"], limit: 10 });"#;
    type Args = Args;
    type Output = Vec<Row>;

    fn impact(args: &Args) -> Impact {
        Impact::on(ImpactKind::Look, &args.target)
    }

    fn cases(_: &Args) -> Vec<Case> {
        vec![
            Case::returns("found", Value::Map(BTreeMap::new())),
            Case::returns("none", Value::List(Vec::new())),
            Case::fails("failed", "query-failed", Applied::No),
        ]
    }
}
