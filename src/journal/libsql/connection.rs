//! One connection to a libSQL database, in a file or at a server.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use libsql::{OpenFlags, Value};

use super::super::{JournalError, Transport};
use super::file::{self, File};
use super::remote::{Answer, Remote};

/// A connection, and the file or address that its errors name.
pub(super) struct Connection {
    kind: Kind,
    path: PathBuf,
}

enum Kind {
    File(File),
    Remote(Remote),
}

/// A statement that is used again and again.
pub(super) enum Statement {
    /// Prepared.
    File(libsql::Statement),
    /// Its text: a server prepares it itself.
    Remote(String),
}

/// The values of one row. Texts are selected `AS BLOB`: libsql panics on text that is not UTF-8, and a damaged page may hold it.
pub(super) struct Row<'a> {
    cells: Cells<'a>,
    connection: &'a Connection,
}

/// Where they lie.
pub(super) enum Cells<'a> {
    /// In the engine.
    File(libsql::Row),
    /// In the answer of a server, with the names of its columns.
    Remote(&'a [Value], &'a [String]),
}

impl Connection {
    /// Opens the file at `path`, which must be absolute.
    pub(super) fn open(path: &Path, flags: OpenFlags) -> Result<Self, JournalError> {
        Ok(Self { kind: Kind::File(File::open(path, flags)?), path: path.to_owned() })
    }

    /// Speaks to the server at `url`. Nothing is sent yet.
    pub(super) fn remote(url: &str, transport: Arc<dyn Transport>) -> Self {
        Self { kind: Kind::Remote(Remote::new(url, transport)), path: PathBuf::from(url) }
    }

    /// Whether it leads to a server.
    pub(super) fn is_remote(&self) -> bool {
        matches!(self.kind, Kind::Remote(_))
    }

    /// The file, or the server's address.
    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// How long to wait for others that have locked the database.
    pub(super) fn wait_at_most(&self, time: Duration) -> Result<(), JournalError> {
        match &self.kind {
            Kind::File(file) => file.wait_at_most(&self.path, time),
            Kind::Remote(remote) => {
                remote.wait_at_most(time);
                Ok(())
            }
        }
    }

    /// Runs statements that have no parameters.
    pub(super) fn batch(&self, sql: &str) -> Result<(), JournalError> {
        match &self.kind {
            Kind::File(file) => file.batch(&self.path, sql),
            Kind::Remote(remote) => remote.batch(sql),
        }
    }

    /// Leaves a transaction that is still open: after an error, or a panic.
    pub(super) fn roll_back(&self) -> Result<(), JournalError> {
        let open = match &self.kind {
            Kind::File(file) => file.is_in_transaction(),
            Kind::Remote(remote) => remote.is_in_transaction(),
        };
        if open { self.batch("ROLLBACK") } else { Ok(()) }
    }

    /// Runs `read` on one state of the database, whatever others write meanwhile.
    pub(super) fn consistently<T>(&self, read: impl FnOnce() -> Result<T, JournalError>) -> Result<T, JournalError> {
        self.roll_back()?;
        self.batch("BEGIN")?;
        let result = read();
        let left = self.batch("COMMIT");
        let value = result?;
        left.map(|()| value)
    }

    /// Runs `work` in one transaction, which locks others out from its beginning.
    pub(super) fn changing<T>(&self, work: impl FnOnce() -> Result<T, JournalError>) -> Result<T, JournalError> {
        self.roll_back()?;
        self.batch("BEGIN IMMEDIATE")?;
        let done = work().and_then(|done| self.batch("COMMIT").map(|()| done));
        if done.is_err() {
            // The first error is the one that counts.
            let _ = self.roll_back();
        }
        done
    }

    /// Prepares a statement, to be used again and again.
    pub(super) fn prepare(&self, sql: &str) -> Result<Statement, JournalError> {
        match &self.kind {
            Kind::File(file) => file.prepare(&self.path, sql).map(Statement::File),
            Kind::Remote(_) => Ok(Statement::Remote(sql.to_owned())),
        }
    }

    /// Runs a prepared statement that returns no rows. At a server it may be sent only with the next query, or the end of the
    /// transaction.
    pub(super) fn run(&self, statement: &Statement, values: Vec<Value>) -> Result<(), JournalError> {
        match (&self.kind, statement) {
            (_, Statement::File(statement)) => file::run(&self.path, statement, values),
            (Kind::Remote(remote), Statement::Remote(sql)) => remote.run(sql, &values),
            (Kind::File(_), Statement::Remote(sql)) => self.query(sql, values, |_| Ok(())).map(drop),
        }
    }

    /// Runs a prepared query, and takes what `read` makes of each row.
    pub(super) fn rows<T>(
        &self,
        statement: &Statement,
        values: Vec<Value>,
        mut read: impl FnMut(&Row) -> Result<T, JournalError>,
    ) -> Result<Vec<T>, JournalError> {
        match (&self.kind, statement) {
            (_, Statement::File(statement)) => {
                let read = |row| read(&Row { cells: Cells::File(row), connection: self });
                file::rows(&self.path, statement, values, read)
            }
            (Kind::Remote(remote), Statement::Remote(sql)) => {
                let Answer { columns, rows } = remote.query(sql, &values)?;
                let row = |cells| Row { cells: Cells::Remote(cells, &columns), connection: self };
                rows.iter().map(|cells| read(&row(cells))).collect()
            }
            (Kind::File(_), Statement::Remote(sql)) => self.query(sql, values, read),
        }
    }

    /// Prepares and runs a query once.
    pub(super) fn query<T>(
        &self,
        sql: &str,
        values: Vec<Value>,
        read: impl FnMut(&Row) -> Result<T, JournalError>,
    ) -> Result<Vec<T>, JournalError> {
        self.rows(&self.prepare(sql)?, values, read)
    }

    /// The database is damaged in a way that only its reader notices.
    pub(super) fn corrupt(&self, why: impl Into<String>) -> JournalError {
        JournalError::Corrupt { path: self.path.clone(), why: why.into() }
    }
}

impl<'a> Row<'a> {
    /// Where it comes from.
    pub(super) fn connection(&self) -> &'a Connection {
        self.connection
    }

    /// A number.
    pub(super) fn number(&self, column: i32) -> Result<i64, JournalError> {
        match self.value(column) {
            Some(Value::Integer(number)) => Ok(number),
            _ => Err(self.connection.corrupt(format!("{} is not a number", self.name(column)))),
        }
    }

    /// A text, selected `AS BLOB`.
    pub(super) fn text(&self, column: i32) -> Result<String, JournalError> {
        let wrong = || self.connection.corrupt(format!("{} is not a text", self.name(column)));
        self.text_or_null(column)?.ok_or_else(wrong)
    }

    /// A text, selected `AS BLOB`, that may be missing.
    pub(super) fn text_or_null(&self, column: i32) -> Result<Option<String>, JournalError> {
        let wrong = || self.connection.corrupt(format!("{} is not a text", self.name(column)));
        match self.value(column) {
            Some(Value::Null) => Ok(None),
            Some(Value::Blob(bytes)) => String::from_utf8(bytes).map(Some).map_err(|_| wrong()),
            _ => Err(wrong()),
        }
    }

    /// A text, selected `AS BLOB`, that reads as something.
    pub(super) fn parse<T: std::str::FromStr>(&self, column: i32) -> Result<T, JournalError> {
        let text = self.text(column)?;
        text.parse().map_err(|_| self.connection.corrupt(format!("{} is `{text}`", self.name(column))))
    }

    fn value(&self, column: i32) -> Option<Value> {
        match &self.cells {
            Cells::File(row) => row.get_value(column).ok(),
            Cells::Remote(values, _) => values.get(usize::try_from(column).ok()?).cloned(),
        }
    }

    fn name(&self, column: i32) -> String {
        let name = match &self.cells {
            Cells::File(row) => row.column_name(column),
            Cells::Remote(_, names) => usize::try_from(column).ok().and_then(|n| names.get(n)).map(String::as_str),
        };
        format!("`{}` of a row", name.unwrap_or("a column"))
    }
}
