//! Changes of a SQLite file that other processes read and write meanwhile: one transaction, or nothing.
//!
//! The file is never made, and never checkpointed by us: that is left to the program that owns it.

#[cfg(test)]
mod tests;

use std::path::Path;
use std::time::Duration;

use libsql::ffi;

use super::sqlite::check_file;
use super::sqlite_copy::raw::{Action, Open, Raw, RawError};
use super::sqlite_error::{SqliteError, SqliteErrorKind as Kind};
use super::{Act, Look};
use crate::model::Value;

/// What is to be changed.
#[derive(Clone, Debug, PartialEq)]
pub struct SqliteChange {
    /// The statements, separated by semicolons.
    pub sql: String,
    /// What stands for the question marks of all statements, in their order.
    pub params: Vec<Value>,
    /// How many rows may be inserted, updated and deleted in all, at least and at most. Otherwise everything is undone.
    pub rows: (u64, u64),
    /// How long it may take, the wait for others that write included.
    pub timeout: Duration,
}

/// What was changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SqliteChanged {
    /// How many rows were inserted, updated and deleted, not counting those by triggers and foreign keys.
    pub rows: u64,
    /// How many statements were carried out.
    pub statements: usize,
}

/// Why a change was not made.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SqliteChangeError {
    /// It would have changed more or fewer rows than it may: so many. Everything is as it was.
    #[error("it would change {0} rows")]
    Unexpected(u64),
    /// It failed, and everything is as it was.
    #[error(transparent)]
    Failed(#[from] SqliteError),
    /// The disk failed at the very end: nobody knows whether it was made.
    #[error("the end of the transaction failed: {0}")]
    Unsettled(SqliteError),
}

impl Act {
    /// Carries out statements on the database at `path`, which must exist, in one transaction. Foreign keys are enforced. `stop` is
    /// asked now and then whether to give up. It blocks, for as long as `change.timeout` and a little more.
    pub fn sqlite_execute(
        &self,
        path: &Path,
        change: &SqliteChange,
        stop: &dyn Fn() -> bool,
    ) -> Result<SqliteChanged, SqliteChangeError> {
        check_file(path)?;
        let until = self.monotonic().saturating_add(change.timeout);
        let clock = Clock { look: self, until, stop };
        let raw = Raw::open(path, Open::Shared).map_err(|error| failure(path, error))?;
        // A checkpoint by this old SQLite can damage a file that a newer one writes at the same moment.
        for pragma in ["PRAGMA wal_autocheckpoint = 0", "PRAGMA foreign_keys = ON"] {
            raw.rows(pragma, &|| clock.is_over()).map_err(|error| clock.blame(path, error))?;
        }
        clock.patiently(&raw, "BEGIN IMMEDIATE").map_err(|error| clock.blame(path, error))?;
        let done = raw.ruled(&may_change, || carry_out(&raw, path, change, &clock));
        match done {
            Ok(changed) => commit(&raw, path, &clock).map(|()| changed),
            Err(error) => {
                roll_back(&raw);
                Err(error)
            }
        }
    }
}

/// When to give up.
struct Clock<'a> {
    look: &'a Look,
    until: Duration,
    stop: &'a dyn Fn() -> bool,
}

impl Clock<'_> {
    fn is_late(&self) -> bool {
        self.look.monotonic() >= self.until
    }

    fn is_over(&self) -> bool {
        (self.stop)() || self.is_late()
    }

    /// Carries out a statement that waits for others. SQLite itself waits a quarter of a second at a time.
    fn patiently(&self, raw: &Raw, sql: &str) -> Result<(), RawError> {
        loop {
            match raw.rows(sql, &|| self.is_over()) {
                Err(error) if error.primary() == ffi::SQLITE_BUSY && !self.is_over() => {}
                Err(error) if error.primary() == ffi::SQLITE_BUSY && (self.stop)() => {
                    return Err(RawError { code: ffi::SQLITE_INTERRUPT, message: error.message });
                }
                done => return done.map(drop),
            }
        }
    }

    /// An interruption is our own: its reason is known.
    fn blame(&self, path: &Path, error: RawError) -> SqliteError {
        if error.primary() != ffi::SQLITE_INTERRUPT {
            failure(path, error)
        } else if (self.stop)() {
            SqliteError::new(Kind::Interrupted, "interrupted")
        } else {
            SqliteError::new(Kind::TimedOut, "timed out")
        }
    }
}

fn carry_out(
    raw: &Raw,
    path: &Path,
    change: &SqliteChange,
    clock: &Clock<'_>,
) -> Result<SqliteChanged, SqliteChangeError> {
    let (mut sql, mut params) = (change.sql.as_str(), change.params.as_slice());
    let mut changed = SqliteChanged { rows: 0, statements: 0 };
    while !sql.is_empty() {
        let (statement, next) = raw.prepare(sql).map_err(|error| clock.blame(path, error))?;
        sql = &sql[next..];
        let Some(statement) = statement else { continue };
        let Some((mine, rest)) = params.split_at_checked(statement.parameters()) else {
            return Err(parameters(too_few(changed.statements, statement.parameters(), params.len())));
        };
        params = rest;
        let before = raw.total_changes();
        statement.carry_out(mine, &|| clock.is_over()).map_err(|error| clock.blame(path, error))?;
        // A statement that changes no row leaves the count of the one before it.
        if raw.total_changes() != before {
            changed.rows += u64::try_from(raw.changes()).unwrap_or(0);
        }
        changed.statements += 1;
    }
    if changed.statements == 0 {
        return Err(parameters("there is no statement in the text".to_owned()));
    }
    if !params.is_empty() {
        let given = change.params.len();
        return Err(parameters(format!("the statements take {} parameters, {given} were given", given - params.len())));
    }
    if (change.rows.0..=change.rows.1).contains(&changed.rows) {
        Ok(changed)
    } else {
        Err(SqliteChangeError::Unexpected(changed.rows))
    }
}

fn too_few(before: usize, wanted: usize, left: usize) -> String {
    format!("statement {} takes {wanted} parameters, {left} are left for it", before + 1)
}

fn parameters(message: String) -> SqliteChangeError {
    SqliteError::new(Kind::Invalid, message).into()
}

fn commit(raw: &Raw, path: &Path, clock: &Clock<'_>) -> Result<(), SqliteChangeError> {
    let Err(error) = clock.patiently(raw, "COMMIT") else { return Ok(()) };
    // What failed to be written may be found on the disk after a crash all the same.
    let unsettled = error.primary() == ffi::SQLITE_IOERR;
    let error = clock.blame(path, error);
    roll_back(raw);
    Err(if unsettled { SqliteChangeError::Unsettled(error) } else { error.into() })
}

/// If this fails, the end of the connection does it.
fn roll_back(raw: &Raw) {
    if raw.in_transaction() {
        let _ = raw.rows("ROLLBACK", &|| false);
    }
}

/// What statements may do: anything to what is in the database. Not: reach another file, end the transaction, load code, or change
/// how the database is kept.
pub(super) fn may_change(action: Action<'_>) -> bool {
    const PRAGMAS: [&str; 12] = [
        "application_id",
        "defer_foreign_keys",
        "foreign_key_check",
        "foreign_key_list",
        "index_info",
        "index_list",
        "index_xinfo",
        "integrity_check",
        "quick_check",
        "table_info",
        "table_xinfo",
        "user_version",
    ];
    let is = |name: Option<&str>, other: &str| name.is_some_and(|name| name.eq_ignore_ascii_case(other));
    match action.code {
        ffi::SQLITE_ATTACH | ffi::SQLITE_DETACH | ffi::SQLITE_TRANSACTION | ffi::SQLITE_SAVEPOINT => false,
        ffi::SQLITE_FUNCTION => !is(action.second, "load_extension"),
        ffi::SQLITE_PRAGMA => PRAGMAS.iter().any(|pragma| is(action.first, pragma)),
        _ => true,
    }
}

/// An error of SQLite in our own words.
pub(super) fn failure(path: &Path, error: RawError) -> SqliteError {
    match error.primary() {
        // A function that is refused is an ordinary error to SQLite.
        code if code == ffi::SQLITE_AUTH || error.message.starts_with("not authorized") => SqliteError::new(
            Kind::Invalid,
            "the statements reach beyond the tables of the database: ATTACH, BEGIN, COMMIT, SAVEPOINT and most PRAGMAs are refused",
        ),
        ffi::SQLITE_READONLY => SqliteError::new(Kind::Unreadable, format!("cannot write {}", path.display())),
        ffi::SQLITE_MISUSE | ffi::SQLITE_MISMATCH => SqliteError::new(Kind::Invalid, error.message),
        _ => SqliteError::of(path, &libsql::Error::SqliteFailure(error.code, error.message)),
    }
}
