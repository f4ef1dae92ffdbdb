//! Why a SQLite file could not be copied or checked.

use std::io;
use std::path::{Path, PathBuf};

use libsql::ffi;

use super::raw::RawError;

/// Why a SQLite file could not be copied or checked.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CopyError {
    /// There is no file.
    #[error("{} does not exist", .0.display())]
    Missing(PathBuf),
    /// The file is no database, or it is damaged.
    #[error("{} {why}", .path.display())]
    Corrupt {
        /// The file.
        path: PathBuf,
        /// What is wrong with it, to be read after its name.
        why: String,
    },
    /// Other processes kept it locked.
    #[error("{} stayed locked by another process", .0.display())]
    Busy(PathBuf),
    /// The disk is full.
    #[error("no space is left on the disk of {}", .0.display())]
    Full(PathBuf),
    /// The caller asked to stop.
    #[error("stopped")]
    Stopped,
    /// Anything else: permissions, a failing disk.
    #[error("{}: {why}", .path.display())]
    Failed {
        /// The file.
        path: PathBuf,
        /// What happened.
        why: String,
    },
}

impl CopyError {
    pub(super) fn of(error: RawError, path: &Path) -> Self {
        let path = path.to_path_buf();
        match error.primary() {
            _ if error.code == ffi::SQLITE_READONLY_ROLLBACK => Self::Failed {
                path,
                why: "a transaction was cut short and must be rolled back first: open it once with its own program"
                    .into(),
            },
            ffi::SQLITE_CANTOPEN if path.symlink_metadata().is_err() => Self::Missing(path),
            ffi::SQLITE_NOTADB => Self::Corrupt { path, why: "is not a SQLite database".to_owned() },
            ffi::SQLITE_CORRUPT => Self::Corrupt { path, why: format!("is damaged: {}", error.message) },
            ffi::SQLITE_BUSY | ffi::SQLITE_LOCKED => Self::Busy(path),
            ffi::SQLITE_FULL => Self::Full(path),
            ffi::SQLITE_INTERRUPT => Self::Stopped,
            _ => Self::Failed { path, why: error.message },
        }
    }

    pub(in crate::system) fn io(error: &io::Error, path: &Path) -> Self {
        let path = path.to_path_buf();
        match error.kind() {
            io::ErrorKind::NotFound => Self::Missing(path),
            io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded | io::ErrorKind::FileTooLarge => Self::Full(path),
            _ => Self::Failed { path, why: error.to_string() },
        }
    }
}
