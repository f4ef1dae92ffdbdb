//! What must hold afterwards: the file is whole, required tables are there, and they hold something.

use std::collections::BTreeMap;

use crate::model::{Fault, Unknown, Value};

use super::Args;
use super::history::Ask;

/// What must hold afterwards.
#[derive(Clone, Debug, Default)]
pub(super) struct Required {
    pub(super) tables: Vec<String>,
    pub(super) counts: BTreeMap<String, u32>,
}

impl Required {
    /// The error says which argument is not known yet.
    pub(super) fn of(args: &Args) -> Result<Self, Fault> {
        let unknown = |label: &Unknown| Fault::new("argument", format!("{label} is not known before the run"));
        Ok(Self { tables: args.tables.known().map_err(unknown)?, counts: args.counts.clone() })
    }

    /// What does not hold. `thorough`: the file is checked too (`PRAGMA quick_check`).
    pub(super) fn problems(&self, ask: &Ask<'_>, thorough: bool) -> Result<Vec<String>, Fault> {
        let mut problems = Vec::new();
        if thorough {
            let found = ask.rows("PRAGMA quick_check(5)", &[])?;
            let lines = found.rows.iter().flatten().map(ToString::to_string).filter(|line| line != "ok");
            problems.extend(lines.map(|line| format!("the file is damaged: {line}")));
        }
        for table in self.tables.iter().filter(|table| !self.counts.contains_key(*table)) {
            if !exists(ask, table)? {
                problems.push(format!("there is no table {table}"));
            }
        }
        for (table, least) in &self.counts {
            if !exists(ask, table)? {
                problems.push(format!("there is no table {table}"));
                continue;
            }
            let name = table.replace('"', "\"\"");
            // No more rows than necessary are counted.
            let sql = format!("SELECT count(*) FROM (SELECT 1 FROM \"{name}\" LIMIT ?)");
            let found = ask.rows(&sql, &[Value::Int(i64::from(*least))])?;
            if found.first() != Some(&Value::Int(i64::from(*least))) {
                let count = found.first().map(ToString::to_string).unwrap_or_default();
                problems.push(format!("table {table} has {count} rows, at least {least} are required"));
            }
        }
        Ok(problems)
    }
}

fn exists(ask: &Ask<'_>, table: &str) -> Result<bool, Fault> {
    let sql = "SELECT 1 FROM sqlite_schema WHERE type IN ('table', 'view') AND name = ? COLLATE NOCASE";
    Ok(!ask.rows(sql, &[Value::from(table)])?.rows.is_empty())
}

/// Rows that point nowhere, by foreign key, and how many in all; `None` where SQLite cannot tell (a key without a unique parent).
pub(super) fn dangling(ask: &Ask<'_>) -> Option<(i64, String)> {
    let sql = "SELECT count(*), count(*) || ' × ' || \"table\" || ' → ' || parent FROM pragma_foreign_key_check \
               GROUP BY \"table\", parent";
    let found = ask.rows(sql, &[]).ok()?;
    let count = |row: &Vec<Value>| if let Value::Int(count) = row[0] { count } else { 0 };
    let lines: Vec<String> = found.rows.iter().map(|row| row[1].to_string()).collect();
    Some((found.rows.iter().map(count).sum(), lines.join(", ")))
}
