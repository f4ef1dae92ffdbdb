//! `_sqlx_migrations`: the table of sqlx. Its checksums are SHA-384.

use crate::model::{Fault, Value};
use crate::primitives::migrate::version::Version;
use crate::system::hex_sha384;

use super::{Ask, Entry, Ledger, Row, Write, version};

pub(super) const TABLE: &str = "_sqlx_migrations";
pub(super) const COLUMNS: [&str; 6] =
    ["version", "description", "installed_on", "success", "checksum", "execution_time"];

pub(super) struct Sqlx;

impl Ledger for Sqlx {
    fn table(&self) -> &'static str {
        TABLE
    }

    fn entries(&self, ask: &Ask<'_>) -> Result<Vec<Entry>, Fault> {
        let rows = ask.rows("SELECT version, checksum, success FROM _sqlx_migrations", &[])?;
        let entry = |row: &Vec<Value>| {
            let version = version(ask, TABLE, &row[0])?;
            if row[2] != Value::Int(1) {
                let why = format!("says that migration {version} was left half done (success is not 1)");
                let hint = "look at what is applied, put it right by hand, then set `success` or delete the row";
                return Err(ask.odd(TABLE, &why, hint));
            }
            Ok(Entry { version, checksum: Some(row[1].to_string()), key: None })
        };
        rows.rows.iter().map(entry).collect()
    }

    fn checksum(&self, bytes: &[u8]) -> Option<String> {
        Some(hex_sha384(bytes))
    }

    fn insert(&self, row: &Row<'_>) -> Vec<Write> {
        let migration = row.migration;
        // `installed_on` has a default. The digits of the checksum are our own, and so can stand in the statement.
        let sql = format!(
            "INSERT INTO _sqlx_migrations (version, description, success, checksum, execution_time) \
             VALUES (?, ?, 1, x'{}', ?)",
            hex_sha384(&migration.up.bytes)
        );
        let nanoseconds = i64::try_from(row.took.as_nanos()).unwrap_or(i64::MAX);
        let values =
            vec![number(&migration.version), Value::from(migration.name.replace('_', " ")), Value::Int(nanoseconds)];
        vec![(sql, values)]
    }

    fn delete(&self, version: &Version, _: Option<&Version>) -> Vec<Write> {
        vec![("DELETE FROM _sqlx_migrations WHERE version = ?".to_owned(), vec![number(version)])]
    }
}

fn number(version: &Version) -> Value {
    version.number().map_or_else(|| Value::from(version.text()), Value::Int)
}
