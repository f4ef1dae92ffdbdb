//! The faults of backups and restores.

use std::io;
use std::path::Path;

use crate::model::Fault;
use crate::system::CopyError;

use super::human;

/// The codes of the faults, as scripts see them.
pub(in crate::primitives) mod code {
    /// A backup is damaged.
    pub(in crate::primitives) const BACKUP_CORRUPT: &str = "backup-corrupt";
    /// No backup qualifies.
    pub(in crate::primitives) const NO_BACKUP: &str = "no-backup";
    /// A disk is full, or would be.
    pub(in crate::primitives) const DISK_FULL: &str = "disk-full";
    /// The database has no file.
    pub(in crate::primitives) const DATABASE_MISSING: &str = "database-missing";
    /// The database's file is damaged, or something else.
    pub(in crate::primitives) const DATABASE_CORRUPT: &str = "database-corrupt";
    /// Others kept the database locked.
    pub(in crate::primitives) const DATABASE_BUSY: &str = "database-busy";
    /// The store cannot be read.
    pub(in crate::primitives) const STORE_UNREADABLE: &str = "store-unreadable";
    /// The run was asked to stop.
    pub(in crate::primitives) const INTERRUPTED: &str = "interrupted";
    /// The database has no store.
    pub(in crate::primitives) const NO_STORE: &str = "no-store";
    /// A backup could not be made.
    pub(in crate::primitives) const BACKUP_FAILED: &str = "backup-failed";
    /// A backup could not be checked.
    pub(in crate::primitives) const VERIFY_FAILED: &str = "verify-failed";
    /// A restore could not be carried out.
    pub(in crate::primitives) const RESTORE_FAILED: &str = "restore-failed";
}

/// The database `target` has no store.
pub(in crate::primitives) fn no_store(target: &str) -> Fault {
    Fault::new(code::NO_STORE, format!("no store is configured for {target}"))
        .on(target)
        .hint(format!("in lifeboat.toml, set `store = \"NAME\"` at the database {target}"))
}

/// There is too little space at `path`.
pub(in crate::primitives) fn disk_full(target: &str, path: &Path, needed: u64, free: u64) -> Fault {
    let message = format!("{} needs {}, {} is free", path.display(), human(needed), human(free));
    Fault::new(code::DISK_FULL, message).on(target).hint("free some space on that file system, then try again")
}

/// Doing `what` (`cannot write …`) failed; `code` unless the disk is full.
pub(in crate::primitives) fn io_fault(code: &str, target: &str, what: &str, path: &Path, error: &io::Error) -> Fault {
    let full =
        matches!(error.kind(), io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded | io::ErrorKind::FileTooLarge);
    let text = error.to_string();
    let reason = text.split(" (os error").next().unwrap_or(&text).to_lowercase();
    let fault =
        Fault::new(if full { code::DISK_FULL } else { code }, format!("cannot {what} {}: {reason}", path.display()));
    let fault = fault.on(target);
    match error.kind() {
        _ if full => fault.hint("free some space on that file system, then try again"),
        io::ErrorKind::PermissionDenied => fault.hint("run lifeboat as a user who may do that"),
        _ => fault,
    }
}

/// A SQLite file could not be copied or checked; `code` for what has no code of its own.
pub(in crate::primitives) fn copy_fault(code: &str, target: &str, error: &CopyError) -> Fault {
    let (code, hint) = match error {
        CopyError::Missing(_) => (code::DATABASE_MISSING, "check its `path` in lifeboat.toml, or restore a backup"),
        CopyError::Corrupt { .. } => (code::DATABASE_CORRUPT, "restore a backup, or check its `path` in lifeboat.toml"),
        CopyError::Busy(_) => (code::DATABASE_BUSY, "find the process with the long transaction, then try again"),
        CopyError::Full(_) => (code::DISK_FULL, "free some space on that file system, then try again"),
        CopyError::Stopped => return interrupted(target),
        CopyError::Failed { .. } => {
            (code, "see whether the disk, a quota, a limit or the file's permissions refuse it")
        }
    };
    Fault::new(code, error.to_string()).on(target).hint(hint)
}

/// The run was asked to stop.
pub(in crate::primitives) fn interrupted(target: &str) -> Fault {
    Fault::new(code::INTERRUPTED, format!("interrupted; {target} is as it was")).on(target)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_full_disk_is_told_from_other_failures() {
        let fault = |kind| io_fault("backup-failed", "primary", "write", Path::new("/b"), &io::Error::from(kind));
        assert_eq!(fault(io::ErrorKind::StorageFull).code, "disk-full");
        assert_eq!(fault(io::ErrorKind::QuotaExceeded).code, "disk-full");
        assert_eq!(fault(io::ErrorKind::PermissionDenied).code, "backup-failed");
        assert_eq!(copy_fault("x", "primary", &CopyError::Full("/b".into())).code, "disk-full");
        assert_eq!(copy_fault("x", "primary", &CopyError::Stopped).code, "interrupted");
    }
}
