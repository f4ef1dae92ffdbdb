//! `schema_migrations(version, dirty)`: the table of golang-migrate. Its one row is the newest version; it keeps no checksums.

use crate::model::{Fault, Value};
use crate::primitives::migrate::version::Version;

use super::{Ask, Entry, Ledger, Row, Write, bare, version};

pub(super) const TABLE: &str = "schema_migrations";

pub(super) struct Golang;

impl Ledger for Golang {
    fn table(&self) -> &'static str {
        TABLE
    }

    fn entries(&self, ask: &Ask<'_>) -> Result<Vec<Entry>, Fault> {
        let found = ask.rows("SELECT version, dirty FROM schema_migrations", &[])?;
        let Some(row) = found.rows.first() else { return Ok(Vec::new()) };
        if found.rows.len() > 1 {
            return Err(ask.odd(TABLE, "has several rows", "golang-migrate keeps one: remove the others"));
        }
        if !matches!(&row[1], Value::Int(0) | Value::Null) && row[1] != Value::from("false") {
            let why = format!("says that migration {} was left half done (dirty)", row[0]);
            let hint = "look at what is applied, put it right by hand, then `migrate force VERSION`";
            return Err(ask.odd(TABLE, &why, hint));
        }
        Ok(vec![bare(version(ask, TABLE, &row[0])?)])
    }

    fn is_cumulative(&self) -> bool {
        true
    }

    fn checksum(&self, _: &[u8]) -> Option<String> {
        None
    }

    fn insert(&self, row: &Row<'_>) -> Vec<Write> {
        now_at(Some(&row.migration.version))
    }

    fn delete(&self, _: &Version, before: Option<&Version>) -> Vec<Write> {
        now_at(before)
    }
}

fn now_at(version: Option<&Version>) -> Vec<Write> {
    let mut writes = vec![("DELETE FROM schema_migrations".to_owned(), Vec::new())];
    writes.extend(version.map(|version| {
        let value = version.number().map_or_else(|| Value::from(version.text()), Value::Int);
        ("INSERT INTO schema_migrations (version, dirty) VALUES (?, 0)".to_owned(), vec![value])
    }));
    writes
}
