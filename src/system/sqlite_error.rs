//! Why a SQLite file gave no answer.

use std::io;
use std::path::Path;

/// Why a SQLite file gave no answer.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct SqliteError {
    /// What kind of failure it is.
    pub kind: SqliteErrorKind,
    /// What failed, in lower case; names the file where the file is to blame.
    pub message: String,
}

/// The kinds of failure of a [`SqliteError`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SqliteErrorKind {
    /// There is no file.
    Missing,
    /// The file cannot be opened or read.
    Unreadable,
    /// The file is no database.
    NotADatabase,
    /// The file is a damaged database.
    Corrupt,
    /// Another process keeps the file locked.
    Locked,
    /// A write was cut short, and only a program that may write can roll it back.
    NeedsRecovery,
    /// The question is wrong whatever the file holds: no SQL, more than one statement, one that writes.
    Invalid,
    /// The database refuses the question: no such table, too large an answer.
    Sql,
    /// The answer took too long.
    TimedOut,
    /// The run was asked to stop.
    Interrupted,
}

impl SqliteErrorKind {
    /// Whether there is a database that can be read. A locked one, or one that is slow, is not one that is gone.
    pub fn answered(self) -> bool {
        !matches!(self, Self::Missing | Self::Unreadable | Self::NotADatabase | Self::Corrupt)
    }
}

// https://www.sqlite.org/rescode.html; libsql exports them only with its unsafe interface.
const ERROR: i32 = 1;
const BUSY: i32 = 5;
const LOCKED: i32 = 6;
const READONLY: i32 = 8;
const INTERRUPT: i32 = 9;
const IOERR: i32 = 10;
const CORRUPT: i32 = 11;
const CANTOPEN: i32 = 14;
const AUTH: i32 = 23;
const NOTADB: i32 = 26;
const READONLY_ROLLBACK: i32 = READONLY | (3 << 8);

impl SqliteError {
    pub(super) fn new(kind: SqliteErrorKind, message: impl Into<String>) -> Self {
        Self { kind, message: message.into() }
    }

    /// An error of libSQL in our own words.
    pub(super) fn of(path: &Path, error: &libsql::Error) -> Self {
        use SqliteErrorKind as Kind;
        let path = path.display();
        let libsql::Error::SqliteFailure(code, text) = error else {
            return Self::new(Kind::Unreadable, format!("cannot open {path}: {}", error.to_string().to_lowercase()));
        };
        let wrong = ["syntax error", "incomplete input", "unrecognized token"];
        // A function that is refused is an ordinary error to SQLite.
        let refused = text.starts_with("not authorized");
        match (*code, code & 0xff) {
            _ if refused || matches!(*code, READONLY | AUTH) => Self::new(
                Kind::Invalid,
                "the query would change the database or reach beyond it: only reading is allowed",
            ),
            (READONLY_ROLLBACK, _) => Self::new(
                Kind::NeedsRecovery,
                format!("{path} has a write that was cut short: the next program that may write rolls it back"),
            ),
            (_, NOTADB) => Self::new(Kind::NotADatabase, format!("{path} is not a database")),
            (_, CORRUPT) => Self::new(Kind::Corrupt, format!("{path} is corrupt: {text}")),
            (_, BUSY | LOCKED) => Self::new(Kind::Locked, "another process keeps the database locked"),
            (_, INTERRUPT) => Self::new(Kind::Interrupted, "interrupted"),
            (_, ERROR) if wrong.iter().any(|w| text.contains(w)) => {
                Self::new(Kind::Invalid, format!("the query is not SQL that SQLite understands: {text}"))
            }
            (_, CANTOPEN | IOERR | READONLY) => Self::new(Kind::Unreadable, format!("cannot read {path}: {text}")),
            _ => Self::new(Kind::Sql, text.clone()),
        }
    }
}

/// A file that cannot even be looked at.
pub(super) fn file_error(path: &Path, error: &io::Error) -> SqliteError {
    let path = path.display();
    if error.kind() == io::ErrorKind::NotFound {
        return SqliteError::new(SqliteErrorKind::Missing, format!("{path} does not exist"));
    }
    let text = error.to_string().to_lowercase();
    let text = text.split(" (os error").next().unwrap_or_default();
    SqliteError::new(SqliteErrorKind::Unreadable, format!("cannot read {path}: {text}"))
}
