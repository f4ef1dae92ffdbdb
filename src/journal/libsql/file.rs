//! A connection to a libSQL file: no panic on a damaged one, errors that say what to do.

use std::future::Future;
use std::io;
use std::path::Path;
use std::pin::pin;
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use libsql::{Builder, OpenFlags, Statement, Value, ffi};

use super::super::JournalError;
use super::directory;

/// A connection to a file.
pub(super) struct File {
    raw: libsql::Connection,
}

impl File {
    /// Opens the file at `path`, which must be absolute.
    pub(super) fn open(path: &Path, flags: OpenFlags) -> Result<Self, JournalError> {
        let opened = ready(Builder::new_local(path).flags(flags).build()).and_then(|database| database.connect());
        Ok(Self { raw: opened.map_err(|error| explain(path, error))? })
    }

    pub(super) fn wait_at_most(&self, path: &Path, time: Duration) -> Result<(), JournalError> {
        self.raw.busy_timeout(time).map_err(|error| explain(path, error))
    }

    pub(super) fn is_in_transaction(&self) -> bool {
        !self.raw.is_autocommit()
    }

    pub(super) fn batch(&self, path: &Path, sql: &str) -> Result<(), JournalError> {
        ready(self.raw.execute_batch(sql)).map(drop).map_err(|error| explain(path, error))
    }

    pub(super) fn prepare(&self, path: &Path, sql: &str) -> Result<Statement, JournalError> {
        ready(self.raw.prepare(sql)).map_err(|error| explain(path, error))
    }
}

/// Runs a prepared statement that returns no rows.
pub(super) fn run(path: &Path, statement: &Statement, values: Vec<Value>) -> Result<(), JournalError> {
    let done = ready(statement.execute(values));
    // Without this the statement would keep its locks, and could not be run again.
    statement.reset();
    done.map(drop).map_err(|error| explain(path, error))
}

/// Runs a prepared query, and takes what `read` makes of each row.
pub(super) fn rows<T>(
    path: &Path,
    statement: &Statement,
    values: Vec<Value>,
    mut read: impl FnMut(libsql::Row) -> Result<T, JournalError>,
) -> Result<Vec<T>, JournalError> {
    let all = || {
        let mut rows = ready(statement.query(values)).map_err(|error| explain(path, error))?;
        let mut all = Vec::new();
        while let Some(raw) = ready(rows.next()).map_err(|error| explain(path, error))? {
            all.push(read(raw)?);
        }
        Ok(all)
    };
    let all = all();
    statement.reset();
    all
}

/// The result of a future of libsql on a local file. Such a future does all of its work when it is first polled, so no runtime is
/// needed, and none is in the way.
fn ready<T>(future: impl Future<Output = libsql::Result<T>>) -> libsql::Result<T> {
    match pin!(future).poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(result) => result,
        Poll::Pending => Err(libsql::Error::Misuse("a local operation did not finish at once".to_owned())),
    }
}

/// What an error of the machine means for the journal at `path`.
pub(super) fn refused(path: &Path, error: &io::Error) -> JournalError {
    use io::ErrorKind as Kind;
    let path = path.to_owned();
    match error.kind() {
        Kind::PermissionDenied | Kind::ReadOnlyFilesystem => JournalError::ReadOnly { path },
        Kind::StorageFull | Kind::QuotaExceeded => JournalError::DiskFull { path },
        Kind::IsADirectory => JournalError::NotAJournal { path, why: "it is a directory".to_owned() },
        Kind::NotADirectory | Kind::AlreadyExists => {
            let why = "a part of its path is a file, not a directory".to_owned();
            JournalError::Failed { path, why }
        }
        _ => {
            let why = error.to_string();
            let why = why.split(" (os error").next().unwrap_or_default().to_lowercase();
            JournalError::Failed { path, why }
        }
    }
}

/// What an error of libsql means for the journal at `path`.
fn explain(path: &Path, error: libsql::Error) -> JournalError {
    /// The shared memory beside the file could not be made larger: in practice, because the disk is full.
    const SHARED_MEMORY_SIZE: i32 = ffi::SQLITE_IOERR_SHMSIZE;
    let at = path.to_owned();
    let (code, why) = match error {
        libsql::Error::SqliteFailure(code, why) => (code, why),
        libsql::Error::ConnectionFailed(_) => (ffi::SQLITE_CANTOPEN, "it cannot be opened".to_owned()),
        libsql::Error::InvalidUTF8Path => (ffi::SQLITE_CANTOPEN, "its path is not UTF-8".to_owned()),
        other => (ffi::SQLITE_ERROR, other.to_string()),
    };
    // The low byte is the kind of error, the rest says more about it.
    match code & 0xff {
        _ if code == SHARED_MEMORY_SIZE => JournalError::DiskFull { path: at },
        ffi::SQLITE_BUSY | ffi::SQLITE_LOCKED | ffi::SQLITE_PROTOCOL => JournalError::Locked { path: at },
        ffi::SQLITE_READONLY | ffi::SQLITE_PERM => JournalError::ReadOnly { path: at },
        ffi::SQLITE_CANTOPEN if directory::is_read_only(path) => JournalError::ReadOnly { path: at },
        ffi::SQLITE_FULL => JournalError::DiskFull { path: at },
        ffi::SQLITE_NOTADB => JournalError::NotAJournal { path: at, why: "it is not a database".to_owned() },
        ffi::SQLITE_CORRUPT => JournalError::Corrupt { path: at, why },
        _ => JournalError::Failed { path: at, why },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn meaning(code: i32) -> JournalError {
        explain(Path::new("/j"), libsql::Error::SqliteFailure(code, "as libsql says it".to_owned()))
    }

    #[test]
    fn every_refusal_says_what_to_do() {
        assert!(matches!(meaning(ffi::SQLITE_BUSY), JournalError::Locked { .. }));
        assert!(matches!(meaning(ffi::SQLITE_BUSY_SNAPSHOT), JournalError::Locked { .. }));
        assert!(matches!(meaning(ffi::SQLITE_FULL), JournalError::DiskFull { .. }));
        assert!(matches!(meaning(ffi::SQLITE_IOERR_SHMSIZE), JournalError::DiskFull { .. }));
        assert!(matches!(meaning(ffi::SQLITE_READONLY_DIRECTORY), JournalError::ReadOnly { .. }));
        assert!(matches!(meaning(ffi::SQLITE_CORRUPT_INDEX), JournalError::Corrupt { .. }));
        assert!(matches!(meaning(ffi::SQLITE_IOERR_FSYNC), JournalError::Failed { .. }));
        for code in [ffi::SQLITE_BUSY, ffi::SQLITE_FULL, ffi::SQLITE_READONLY, ffi::SQLITE_CORRUPT, ffi::SQLITE_IOERR] {
            let error = meaning(code);
            assert!(error.to_string().contains("`/j`"), "{error}");
            assert!(miette::Diagnostic::help(&error).is_some(), "{error}");
        }
    }
}
