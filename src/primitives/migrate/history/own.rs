//! `_lifeboat_migrations`: our own table.

use crate::model::{Fault, Value};
use crate::primitives::migrate::version::Version;
use crate::system::hex;

use super::{Ask, Entry, Ledger, Row, Write, version};

pub(super) const TABLE: &str = "_lifeboat_migrations";
pub(super) const COLUMNS: [&str; 6] = ["version", "name", "checksum", "applied_at", "took_ms", "idempotency_key"];

pub(super) struct Own;

impl Ledger for Own {
    fn table(&self) -> &'static str {
        TABLE
    }

    fn create(&self) -> Option<&'static str> {
        Some(
            "CREATE TABLE IF NOT EXISTS _lifeboat_migrations (version TEXT PRIMARY KEY NOT NULL, name TEXT NOT NULL, \
             checksum TEXT NOT NULL, applied_at TEXT NOT NULL, took_ms INTEGER NOT NULL, idempotency_key TEXT NOT NULL)",
        )
    }

    fn entries(&self, ask: &Ask<'_>) -> Result<Vec<Entry>, Fault> {
        let rows = ask.rows("SELECT version, checksum, idempotency_key FROM _lifeboat_migrations", &[])?;
        let entry = |row: &Vec<Value>| {
            let (checksum, key) = (row[1].to_string(), row[2].to_string());
            Ok(Entry { version: version(ask, TABLE, &row[0])?, checksum: Some(checksum), key: Some(key) })
        };
        rows.rows.iter().map(entry).collect()
    }

    fn checksum(&self, bytes: &[u8]) -> Option<String> {
        Some(hex(bytes))
    }

    fn insert(&self, row: &Row<'_>) -> Vec<Write> {
        let migration = row.migration;
        let took = i64::try_from(row.took.as_millis()).unwrap_or(i64::MAX);
        let values = vec![
            Value::from(migration.version.text()),
            Value::from(migration.name.as_str()),
            Value::from(hex(&migration.up.bytes)),
            Value::from(row.at.to_string()),
            Value::Int(took),
            Value::from(row.key.as_str()),
        ];
        vec![("INSERT INTO _lifeboat_migrations VALUES (?, ?, ?, ?, ?, ?)".to_owned(), values)]
    }

    fn delete(&self, version: &Version, _: Option<&Version>) -> Vec<Write> {
        // The file may have more leading zeros today than it had then.
        let sql = "DELETE FROM _lifeboat_migrations WHERE ltrim(version, '0') = ltrim(?, '0')";
        vec![(sql.to_owned(), vec![Value::from(version.text())])]
    }
}
