//! `schema_migrations(version)`: the table of dbmate. It keeps no checksums.

use crate::model::{Fault, Value};
use crate::primitives::migrate::version::Version;

use super::{Ask, Entry, Ledger, Row, Write, bare, version};

pub(super) const TABLE: &str = "schema_migrations";

pub(super) struct Dbmate;

impl Ledger for Dbmate {
    fn table(&self) -> &'static str {
        TABLE
    }

    fn entries(&self, ask: &Ask<'_>) -> Result<Vec<Entry>, Fault> {
        let rows = ask.rows("SELECT version FROM schema_migrations", &[])?;
        rows.rows.iter().map(|row| version(ask, TABLE, &row[0]).map(bare)).collect()
    }

    fn checksum(&self, _: &[u8]) -> Option<String> {
        None
    }

    fn insert(&self, row: &Row<'_>) -> Vec<Write> {
        let sql = "INSERT INTO schema_migrations (version) VALUES (?)";
        vec![(sql.to_owned(), vec![Value::from(row.migration.version.text())])]
    }

    fn delete(&self, version: &Version, _: Option<&Version>) -> Vec<Write> {
        let sql = "DELETE FROM schema_migrations WHERE ltrim(version, '0') = ltrim(?, '0')";
        vec![(sql.to_owned(), vec![Value::from(version.text())])]
    }
}
