//! Whether a SQLite file is whole.

use std::path::Path;

use libsql::ffi;

use crate::system::{Digest, Look};

use super::CopyError;
use super::raw::{Open, Raw, RawError};

/// How closely a file is checked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CheckDepth {
    /// `PRAGMA quick_check`: every page and row, but not whether indexes agree with their tables.
    Quick,
    /// `PRAGMA integrity_check`: indexes too.
    Integrity,
    /// `PRAGMA integrity_check` and `PRAGMA foreign_key_check`.
    Full,
}

/// What a check found.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SqliteCheck {
    /// What is damaged, in SQLite's words; empty when nothing is.
    pub problems: Vec<String>,
    /// Why the check could not be carried out (a collation or module that only the application has).
    pub unchecked: Option<String>,
    /// Rows that point nowhere, counted by foreign key: `3 × orders → customers`. No damage: SQLite allows them.
    pub foreign_keys: Vec<String>,
    /// The names of its tables and views.
    pub tables: Vec<String>,
    /// `PRAGMA user_version`.
    pub user_version: i64,
    /// SHA-256 of the schema: of the SQL of everything in it, by type and name.
    pub schema: String,
}

impl Look {
    /// Checks a SQLite file that *nobody writes*: a copy of our own. It is opened without locks and without its side files.
    /// `stop` is asked now and then whether to give up.
    pub fn sqlite_check(
        &self,
        path: &Path,
        depth: CheckDepth,
        stop: &dyn Fn() -> bool,
    ) -> Result<SqliteCheck, CopyError> {
        path.metadata().map_err(|error| CopyError::io(&error, path))?;
        let raw = Raw::open(path, Open::Still).map_err(|error| CopyError::of(error, path))?;
        let mut check = SqliteCheck::default();
        match examine(&raw, depth, stop, &mut check) {
            Ok(()) => Ok(check),
            Err(error) => match error.primary() {
                ffi::SQLITE_CORRUPT | ffi::SQLITE_NOTADB => {
                    check.problems.push(error.message);
                    Ok(check)
                }
                ffi::SQLITE_ERROR => {
                    check.unchecked = Some(error.message);
                    Ok(check)
                }
                _ => Err(CopyError::of(error, path)),
            },
        }
    }
}

fn examine(raw: &Raw, depth: CheckDepth, stop: &dyn Fn() -> bool, check: &mut SqliteCheck) -> Result<(), RawError> {
    let one = |rows: Vec<Vec<String>>| rows.into_iter().flatten().next().unwrap_or_default();
    check.user_version = one(raw.rows("PRAGMA user_version", stop)?).parse().unwrap_or(0);
    let mut digest = Digest::new();
    for row in raw.rows("SELECT type, name, sql FROM sqlite_schema ORDER BY type, name", stop)? {
        for part in &row {
            digest.update(part.as_bytes());
            digest.update(b"\0");
        }
        if let [kind, name, _] = row.as_slice()
            && matches!(kind.as_str(), "table" | "view")
        {
            check.tables.push(name.clone());
        }
    }
    check.schema = digest.finish();
    let pragma = match depth {
        CheckDepth::Quick => "PRAGMA quick_check(10)",
        CheckDepth::Integrity | CheckDepth::Full => "PRAGMA integrity_check(10)",
    };
    let found = raw.rows(pragma, stop)?.into_iter().flatten();
    check.problems.extend(found.filter(|line| line != "ok"));
    if depth == CheckDepth::Full && check.problems.is_empty() {
        let sql = "SELECT count(*) || ' × ' || \"table\" || ' → ' || parent FROM pragma_foreign_key_check \
                   GROUP BY \"table\", parent";
        check.foreign_keys = raw.rows(sql, stop)?.into_iter().flatten().collect();
    }
    Ok(())
}
