//! The schema of a database, and how two differ.

use std::collections::{BTreeMap, BTreeSet};

use crate::model::{Fault, Value};

use super::history::Ask;

/// A table, with its columns as `TYPE NOT NULL DEFAULT …` by name.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Table {
    sql: String,
    columns: BTreeMap<String, String>,
}

/// The schema of a database, without what SQLite and the history keep for themselves.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Schema {
    tables: BTreeMap<String, Table>,
    /// Indexes, triggers and views: their SQL, by kind and name.
    others: BTreeMap<(String, String), String>,
}

impl Schema {
    pub(super) fn read(ask: &Ask<'_>, history: &str) -> Result<Self, Fault> {
        let mut schema = Self::default();
        let sql = "SELECT type, name, coalesce(sql, '') FROM sqlite_schema \
                   WHERE name NOT LIKE 'sqlite\\_%' ESCAPE '\\' AND tbl_name <> ?";
        for row in ask.rows(sql, &[Value::from(history)])?.rows {
            let [kind, name, sql] = [0, 1, 2].map(|at| row[at].to_string());
            if kind == "table" {
                let columns = columns(ask, &name);
                schema.tables.insert(name, Table { sql, columns });
            } else {
                schema.others.insert((kind, name), sql);
            }
        }
        Ok(schema)
    }

    pub(super) fn has_table(&self, name: &str) -> bool {
        self.tables.contains_key(name)
    }

    /// What a change to `after` adds, removes and changes, one line each.
    pub(super) fn differences(&self, after: &Self) -> Vec<String> {
        let mut lines = Vec::new();
        for name in keys(&self.tables, &after.tables) {
            match (self.tables.get(name), after.tables.get(name)) {
                (None, Some(table)) => {
                    let columns: Vec<&str> = table.columns.keys().map(String::as_str).collect();
                    lines.push(format!("adds table {name} ({})", columns.join(", ")));
                }
                (Some(_), None) => lines.push(format!("removes table {name}")),
                (Some(before), Some(after)) if before != after => lines.extend(of_table(name, before, after)),
                _ => {}
            }
        }
        for key in keys(&self.others, &after.others) {
            let (kind, name) = key;
            match (self.others.get(key), after.others.get(key)) {
                (None, _) => lines.push(format!("adds {kind} {name}")),
                (_, None) => lines.push(format!("removes {kind} {name}")),
                (before, after) if before != after => lines.push(format!("changes {kind} {name}")),
                _ => {}
            }
        }
        lines
    }
}

fn keys<'a, K: Ord, V>(one: &'a BTreeMap<K, V>, two: &'a BTreeMap<K, V>) -> BTreeSet<&'a K> {
    one.keys().chain(two.keys()).collect()
}

fn of_table(name: &str, before: &Table, after: &Table) -> Vec<String> {
    let mut lines = Vec::new();
    for column in keys(&before.columns, &after.columns) {
        match (before.columns.get(column), after.columns.get(column)) {
            (None, Some(kind)) => lines.push(format!("adds column {name}.{column} ({kind})")),
            (Some(_), None) => lines.push(format!("removes column {name}.{column}")),
            (Some(was), Some(is)) if was != is => lines.push(format!("changes column {name}.{column}: {was} → {is}")),
            _ => {}
        }
    }
    if lines.is_empty() {
        // Its columns are the same: constraints or keys are not.
        lines.push(format!("changes table {name}"));
    }
    lines
}

/// None for a virtual table whose module is not there.
fn columns(ask: &Ask<'_>, table: &str) -> BTreeMap<String, String> {
    let sql = "SELECT name, type || CASE WHEN pk THEN ' PRIMARY KEY' ELSE '' END || \
               CASE WHEN \"notnull\" THEN ' NOT NULL' ELSE '' END || coalesce(' DEFAULT ' || dflt_value, '') \
               FROM pragma_table_xinfo(?)";
    let found = ask.rows(sql, &[Value::from(table)]).map(|found| found.rows).unwrap_or_default();
    let column = |row: Vec<Value>| {
        let kind = row[1].to_string();
        (row[0].to_string(), if kind.is_empty() { "any type".to_owned() } else { kind.trim().to_owned() })
    };
    found.into_iter().map(column).collect()
}
