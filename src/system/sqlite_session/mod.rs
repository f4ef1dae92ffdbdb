//! A connection to a SQLite file on which a script is carried out statement by statement.
//!
//! Three handles lead to one: [`Look::sqlite_reader`] can only ask; [`Look::scratch_copy`] can change a copy in our own scratch
//! directory, which goes when the handle goes; [`Act::sqlite_session`] changes the file itself. None of them can reach a second
//! file (`ATTACH`, `VACUUM INTO`), load an extension, or end a transaction that it did not begin:
//!
//! ```compile_fail,E0599
//! fn preview(look: &lifeboat::system::Look) {
//!     // A look opens no database of others for writing.
//!     let session = look.sqlite_session("/srv/orders.db".as_ref());
//! }
//! ```
//!
//! ```compile_fail,E0599
//! fn preview(look: &lifeboat::system::Look) {
//!     // What it opens for reading cannot run a script.
//!     let reader = look.sqlite_reader("/srv/orders.db".as_ref()).unwrap();
//!     reader.run("DELETE FROM orders", &[], &|| false).unwrap();
//! }
//! ```
//!
//! ```compile_fail,E0451
//! fn preview(session: lifeboat::system::SqliteSession) {
//!     // A scratch copy is made by a look alone: nobody can pass another database off as one.
//!     let scratch = lifeboat::system::SqliteScratch { session, directory: "/srv".into() };
//! }
//! ```

mod actions;
mod error;
mod raw;
mod scratch;
mod split;
mod tables;
#[cfg(test)]
mod tests;

use std::ops::Deref;
use std::path::{Path, PathBuf};
use std::time::Duration;

use actions::{Rules, losses, touches_rows};
use raw::Connection;

use super::sqlite_copy::raw::Open;
use super::{Act, Look, SqliteRows};
use crate::model::Value;

pub use actions::SqlLoss;
pub use error::{SessionError, SessionErrorKind};
pub use scratch::SqliteScratch;
pub use split::{SqlStatement, split_sql};
pub use tables::{PutTables, TablePut, TablesError};

/// How many rows an answer may have.
const ROWS: usize = 100_000;
/// How long one question or statement waits for a lock, in milliseconds.
const PATIENCE: i32 = 5_000;

/// A connection that can only ask.
#[derive(Debug)]
pub struct SqliteReader {
    connection: Connection,
    path: PathBuf,
}

/// A connection that can change the database. What was not committed is rolled back when it is dropped.
#[derive(Debug)]
pub struct SqliteSession(SqliteReader);

/// What a statement of a script did.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct StatementReport {
    /// Rows inserted, updated and deleted, by triggers too.
    pub changes: u64,
    /// What it lost.
    pub losses: Vec<SqlLoss>,
    /// Whether it may have left a foreign key that points nowhere.
    pub touches_rows: bool,
}

impl Look {
    /// Opens an existing database that others may use, to ask it only. Blocks; no checkpoint is made.
    pub fn sqlite_reader(&self, path: &Path) -> Result<SqliteReader, SessionError> {
        SqliteReader::open(path, Open::Live, Rules::Read)
    }
}

impl Act {
    /// Opens an existing database that others may use, to change it. Blocks; no checkpoint is made: those are left to the programs
    /// whose database it is. Foreign keys are not enforced until [`SqliteSession::enforce_foreign_keys`] says so.
    pub fn sqlite_session(&self, path: &Path) -> Result<SqliteSession, SessionError> {
        let session = SqliteSession::open(path, Open::Shared)?;
        session.own("PRAGMA wal_autocheckpoint = 0")?;
        Ok(session)
    }
}

impl SqliteReader {
    fn open(path: &Path, how: Open, rules: Rules) -> Result<Self, SessionError> {
        if how != Open::Own {
            path.metadata().map_err(|error| SessionError::io(path, &error))?;
        }
        let connection = Connection::open(path, how, rules).map_err(|error| SessionError::of(path, error.into()))?;
        connection.wait_for_locks(PATIENCE);
        Ok(Self { connection, path: path.to_path_buf() })
    }

    /// The answer to a question of one statement that reads; more than 100,000 rows are an error.
    pub fn rows(&self, sql: &str, params: &[Value], stop: &dyn Fn() -> bool) -> Result<SqliteRows, SessionError> {
        let answer = self.connection.run(sql, params, ROWS + 1, stop);
        let done = answer.map_err(|wrong| SessionError::of(&self.path, wrong))?;
        if done.rows.len() > ROWS {
            return Err(SessionError::too_large());
        }
        Ok(SqliteRows { columns: done.columns, rows: done.rows })
    }

    fn own(&self, sql: &str) -> Result<(), SessionError> {
        self.connection.own(sql).map_err(|error| SessionError::of(&self.path, error.into()))
    }
}

impl Deref for SqliteSession {
    type Target = SqliteReader;
    fn deref(&self) -> &SqliteReader {
        &self.0
    }
}

impl SqliteSession {
    fn open(path: &Path, how: Open) -> Result<Self, SessionError> {
        let session = Self(SqliteReader::open(path, how, Rules::Write)?);
        // libSQL is built with foreign keys on; dropping a table would then delete the rows that point to it.
        session.enforce_foreign_keys(false)?;
        Ok(session)
    }

    /// Whether foreign keys are enforced. Has no effect while a transaction is open.
    pub fn enforce_foreign_keys(&self, on: bool) -> Result<(), SessionError> {
        self.own(if on { "PRAGMA foreign_keys = ON" } else { "PRAGMA foreign_keys = OFF" })
    }

    /// Begins a transaction that may write, as soon as nobody else writes; gives up after `patience`.
    pub fn begin(&self, look: &Look, patience: Duration, stop: &dyn Fn() -> bool) -> Result<(), SessionError> {
        self.patiently("BEGIN IMMEDIATE", look, patience, stop)
    }

    /// Commits. While others read a database with a rollback journal, waits for them up to `patience`; after an error the
    /// transaction is still open.
    pub fn commit(&self, look: &Look, patience: Duration, stop: &dyn Fn() -> bool) -> Result<(), SessionError> {
        self.patiently("COMMIT", look, patience, stop)
    }

    /// Ends a transaction without a trace, if one is open.
    pub fn rollback(&self) -> Result<(), SessionError> {
        if self.in_transaction() { self.own("ROLLBACK") } else { Ok(()) }
    }

    /// Whether a transaction is open.
    pub fn in_transaction(&self) -> bool {
        self.connection.in_transaction()
    }

    /// Carries out one statement, with its parameters. `stop` is asked now and then whether to interrupt it.
    pub fn run(
        &self,
        statement: &str,
        params: &[Value],
        stop: &dyn Fn() -> bool,
    ) -> Result<StatementReport, SessionError> {
        let done =
            self.connection.run(statement, params, 0, stop).map_err(|wrong| SessionError::of(&self.path, wrong))?;
        let deletes_all = SqlStatement { text: statement, offset: 0 }.deletes_all();
        Ok(StatementReport {
            changes: done.changes,
            losses: losses(&done.events, deletes_all),
            touches_rows: touches_rows(&done.events),
        })
    }

    /// Locks are waited for a quarter of a second at a time, so that a request to stop is heard.
    fn patiently(
        &self,
        sql: &str,
        look: &Look,
        patience: Duration,
        stop: &dyn Fn() -> bool,
    ) -> Result<(), SessionError> {
        let began = look.monotonic();
        self.connection.wait_for_locks(250);
        let done = loop {
            match self.own(sql) {
                Err(error) if error.kind == SessionErrorKind::Busy => {
                    if stop() {
                        break Err(SessionError::stopped());
                    }
                    if look.monotonic().saturating_sub(began) > patience {
                        break Err(error);
                    }
                    // In some states SQLite gives up at once, without waiting.
                    std::thread::sleep(Duration::from_millis(10));
                }
                done => break done,
            }
        };
        self.connection.wait_for_locks(PATIENCE);
        done
    }
}
