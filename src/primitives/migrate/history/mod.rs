//! Which migrations are applied: our own table, or the one that another tool began.
//!
//! | table | tool | checksums |
//! |---|---|---|
//! | `_lifeboat_migrations` | ours | SHA-256 |
//! | `_sqlx_migrations` | sqlx | SHA-384 |
//! | `schema_migrations(version)` | dbmate | none |
//! | `schema_migrations(version, dirty)` | golang-migrate | none |
//! | `_migrations(id, filename, applied_at, checksum)` | scripts of one's own | as its rows have them |

mod dbmate;
mod golang;
mod listed;
mod own;
mod sqlx;

use std::time::Duration;

use jiff::Timestamp;

use crate::model::{Fault, IdempotencyKey, Value};
use crate::system::{SqliteReader, SqliteRows};

use super::directory::Migration;
use super::faults::{code, fault, session_fault};
use super::script::Direction;
use super::version::Version;

/// A migration that the history says is applied.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Entry {
    pub(super) version: Version,
    /// The digest of its file as it was then, in hexadecimal digits, where the table keeps it.
    pub(super) checksum: Option<String>,
    /// The call that applied it, where the table keeps it.
    pub(super) key: Option<String>,
}

/// What is written down of a migration.
pub(super) struct Row<'a> {
    pub(super) migration: &'a Migration,
    pub(super) at: Timestamp,
    pub(super) took: Duration,
    pub(super) key: &'a IdempotencyKey,
}

/// A statement with its parameters.
pub(super) type Write = (String, Vec<Value>);

/// A table that keeps the history, in the form of its tool.
pub(super) trait Ledger: Send + Sync {
    /// Its name.
    fn table(&self) -> &'static str;
    /// Makes the table, if it is ours to make.
    fn create(&self) -> Option<&'static str> {
        None
    }
    /// What it says is applied, in no order.
    fn entries(&self, ask: &Ask<'_>) -> Result<Vec<Entry>, Fault>;
    /// Whether its one row stands for all versions up to it.
    fn is_cumulative(&self) -> bool {
        false
    }
    /// The digest of a file, as the table keeps it; `None` if it keeps none.
    fn checksum(&self, bytes: &[u8]) -> Option<String>;
    /// Notes a migration as applied.
    fn insert(&self, row: &Row<'_>) -> Vec<Write>;
    /// Notes that it is applied no longer; `before` is the newest one that still is.
    fn delete(&self, version: &Version, before: Option<&Version>) -> Vec<Write>;
}

/// Asks a database.
pub(super) struct Ask<'a> {
    pub(super) reader: &'a SqliteReader,
    pub(super) target: &'a str,
    pub(super) stop: &'a dyn Fn() -> bool,
}

impl Ask<'_> {
    /// The answer; a fault says that the database cannot be used.
    pub(super) fn rows(&self, sql: &str, params: &[Value]) -> Result<SqliteRows, Fault> {
        let what = format!("{} cannot be read", self.target);
        self.reader
            .rows(sql, params, self.stop)
            .map_err(|error| session_fault(code::HISTORY, self.target, &what, &error))
    }

    /// The history's table is not as its tool makes it.
    fn odd(&self, table: &str, why: &str, hint: &str) -> Fault {
        fault(code::HISTORY, self.target, format!("the history in {table} {why}")).hint(hint)
    }
}

/// A column of a table.
pub(super) struct Column {
    name: String,
    kind: String,
    has_default: bool,
}

/// The history of a database.
pub(super) struct History {
    pub(super) ledger: Box<dyn Ledger>,
    /// Whether its table exists.
    pub(super) exists: bool,
    /// What is applied, the oldest first.
    pub(super) entries: Vec<Entry>,
}

impl History {
    /// Finds the table that keeps the history, and reads it.
    pub(super) fn read(ask: &Ask<'_>) -> Result<Self, Fault> {
        let mut found = Vec::new();
        for table in [own::TABLE, sqlx::TABLE, dbmate::TABLE, listed::TABLE] {
            let sql = "SELECT name, type, dflt_value IS NOT NULL FROM pragma_table_info(?) ORDER BY cid";
            let columns = ask.rows(sql, &[Value::from(table)])?;
            let column = |row: &Vec<Value>| Column {
                name: row[0].to_string().to_ascii_lowercase(),
                kind: row[1].to_string().to_ascii_uppercase(),
                has_default: row[2] == Value::Int(1),
            };
            let columns: Vec<Column> = columns.rows.iter().map(column).collect();
            if columns.is_empty() {
                continue;
            }
            let count = ask.rows(&format!("SELECT count(*) FROM {table}"), &[])?;
            found.push((table, columns, count.first() != Some(&Value::Int(0))));
        }
        let filled: Vec<_> = found.iter().filter(|(.., filled)| *filled).map(|(table, ..)| *table).collect();
        if filled.len() > 1 {
            let message = format!("{} has several histories: {}", ask.target, filled.join(", "));
            return Err(fault(code::HISTORY, ask.target, message).hint("drop the ones that are no longer used"));
        }
        let at = found.iter().position(|(.., filled)| *filled).unwrap_or(0);
        let Some((table, columns, _)) = found.into_iter().nth(at) else {
            return Ok(Self { ledger: Box::new(own::Own), exists: false, entries: Vec::new() });
        };
        let ledger = recognise(ask, table, &columns)?;
        let mut entries = ledger.entries(ask)?;
        entries.sort_by(|a, b| a.version.cmp(&b.version));
        Ok(Self { ledger, exists: true, entries })
    }

    /// The newest applied version.
    pub(super) fn newest(&self) -> Option<&Version> {
        self.entries.last().map(|entry| &entry.version)
    }

    /// What the table says once a migration went this way; `before` is the version below it.
    pub(super) fn note(
        &mut self,
        migration: &Migration,
        direction: Direction,
        before: Option<Version>,
        key: &IdempotencyKey,
    ) {
        self.exists = true;
        if self.ledger.is_cumulative() {
            let now = if direction == Direction::Up { Some(migration.version.clone()) } else { before };
            self.entries = now.map(bare).into_iter().collect();
        } else if direction == Direction::Up {
            let (version, checksum) = (migration.version.clone(), self.ledger.checksum(&migration.up.bytes));
            self.entries.push(Entry { version, checksum, key: Some(key.to_string()) });
        } else {
            self.entries.retain(|entry| entry.version != migration.version);
        }
    }

    /// Whether a version is applied.
    pub(super) fn has(&self, version: &Version) -> bool {
        if self.ledger.is_cumulative() {
            return self.newest().is_some_and(|newest| version <= newest);
        }
        self.entries.iter().any(|entry| entry.version == *version)
    }
}

fn recognise(ask: &Ask<'_>, table: &'static str, columns: &[Column]) -> Result<Box<dyn Ledger>, Fault> {
    let has = |names: &[&str]| names.iter().all(|name| columns.iter().any(|column| column.name == *name));
    let names: Vec<&str> = columns.iter().map(|column| column.name.as_str()).collect();
    match table {
        own::TABLE if has(&own::COLUMNS) => Ok(Box::new(own::Own)),
        sqlx::TABLE if has(&sqlx::COLUMNS) => Ok(Box::new(sqlx::Sqlx)),
        dbmate::TABLE if names == ["version"] => Ok(Box::new(dbmate::Dbmate)),
        golang::TABLE if names.len() == 2 && has(&["version", "dirty"]) => Ok(Box::new(golang::Golang)),
        listed::TABLE if has(&["filename", "applied_at", "checksum"]) => listed::Listed::of(ask, columns),
        _ => {
            let why = format!("has columns of a tool that is not known: {}", names.join(", "));
            let hint = "dbmate, sqlx and golang-migrate are known; carry on with the tool that made it";
            Err(ask.odd(table, &why, hint))
        }
    }
}

/// A version out of a table.
fn version(ask: &Ask<'_>, table: &str, value: &Value) -> Result<Version, Fault> {
    Version::parse(&value.to_string()).ok_or_else(|| {
        let why = format!("has `{value}`, which is no version");
        ask.odd(table, &why, "a version is the digits at the beginning of a file's name")
    })
}

/// An entry of a table that keeps versions and nothing else.
fn bare(version: Version) -> Entry {
    Entry { version, checksum: None, key: None }
}
