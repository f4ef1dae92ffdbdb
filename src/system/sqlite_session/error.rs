//! Why a statement was not carried out.

use std::io;
use std::path::Path;

use libsql::ffi;

use super::raw::Wrong;
use crate::system::sqlite_copy::raw::RawError;

/// Why a statement was not carried out.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct SessionError {
    /// What kind of failure it is.
    pub kind: SessionErrorKind,
    /// What failed; SQLite's own words where the statement is to blame, and with the file's name where the file is.
    pub message: String,
    /// The byte of the statement at which it went wrong, where SQLite knows.
    pub offset: Option<usize>,
}

/// The kinds of failure of a [`SessionError`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SessionErrorKind {
    /// There is no file.
    Missing,
    /// The file is no database, or a damaged one.
    Corrupt,
    /// Others kept it locked.
    Busy,
    /// The disk is full.
    Full,
    /// The caller asked to stop.
    Stopped,
    /// The statement does what is not allowed here.
    Refused,
    /// Rows contradict a constraint.
    Constraint,
    /// The file cannot be read or written.
    Io,
    /// The statement is wrong, or does not fit the schema.
    Sql,
}

impl SessionError {
    pub(super) fn of(path: &Path, wrong: Wrong) -> Self {
        use SessionErrorKind as Kind;
        let Wrong { error, offset, refused } = wrong;
        if let Some(why) = refused {
            return Self { kind: Kind::Refused, message: why, offset };
        }
        let primary = error.primary();
        let RawError { code, message } = error;
        let shown = path.display();
        let (kind, message) = match primary {
            ffi::SQLITE_BUSY | ffi::SQLITE_LOCKED => (Kind::Busy, format!("{shown} stayed locked by another process")),
            ffi::SQLITE_FULL => (Kind::Full, format!("no space is left on the disk of {shown}")),
            ffi::SQLITE_INTERRUPT => (Kind::Stopped, "stopped".to_owned()),
            ffi::SQLITE_CONSTRAINT => (Kind::Constraint, message),
            ffi::SQLITE_NOTADB => (Kind::Corrupt, format!("{shown} is not a SQLite database")),
            ffi::SQLITE_CORRUPT if code != ffi::SQLITE_CORRUPT_VTAB => {
                (Kind::Corrupt, format!("{shown} is damaged: {message}"))
            }
            ffi::SQLITE_CANTOPEN if path.symlink_metadata().is_err() => {
                (Kind::Missing, format!("{shown} does not exist"))
            }
            ffi::SQLITE_CANTOPEN | ffi::SQLITE_IOERR | ffi::SQLITE_READONLY | ffi::SQLITE_PERM => {
                (Kind::Io, format!("{shown}: {message}"))
            }
            _ => (Kind::Sql, message),
        };
        Self { kind, message, offset }
    }

    pub(super) fn io(path: &Path, error: &io::Error) -> Self {
        let shown = path.display();
        match error.kind() {
            io::ErrorKind::NotFound => {
                Self { kind: SessionErrorKind::Missing, message: format!("{shown} does not exist"), offset: None }
            }
            _ => Self { kind: SessionErrorKind::Io, message: format!("{shown}: {error}"), offset: None },
        }
    }

    pub(super) fn too_large() -> Self {
        let message = "the answer has more than 100,000 rows".to_owned();
        Self { kind: SessionErrorKind::Sql, message, offset: None }
    }

    pub(super) fn stopped() -> Self {
        Self { kind: SessionErrorKind::Stopped, message: "stopped".to_owned(), offset: None }
    }
}

impl From<RawError> for Wrong {
    fn from(error: RawError) -> Self {
        Self { error, offset: None, refused: None }
    }
}
