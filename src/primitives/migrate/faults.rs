//! The faults of migrations.

use crate::model::Fault;
use crate::primitives::store;
use crate::system::{SessionError, SessionErrorKind};

/// The codes of the faults, as scripts see them.
pub(super) mod code {
    /// The database has no directory of migrations, or it cannot be read.
    pub(in super::super) const NO_MIGRATIONS: &str = "no-migrations";
    /// A file cannot be a migration, or cannot be run as one.
    pub(in super::super) const FILE: &str = "migration-file";
    /// Files and history contradict each other.
    pub(in super::super) const DRIFT: &str = "migration-drift";
    /// The history cannot be read or carried on.
    pub(in super::super) const HISTORY: &str = "migration-history";
    /// There is no such version, or it cannot be reached in that way.
    pub(in super::super) const VERSION: &str = "migration-version";
    /// A migration cannot be taken back.
    pub(in super::super) const NO_DOWN: &str = "migration-no-down";
    /// A migration failed and was rolled back.
    pub(in super::super) const FAILED: &str = "migration-failed";
    /// What must hold afterwards does not.
    pub(in super::super) const UNVERIFIED: &str = "migration-unverified";
}

/// A fault on `target`.
pub(super) fn fault(code: &str, target: &str, message: impl Into<String>) -> Fault {
    Fault::new(code, message).on(target)
}

/// The database could not be used; `code` and `what` (`migration 0003 failed`) for what is neither the file's nor the disk's fault.
pub(super) fn session_fault(code: &str, target: &str, what: &str, error: &SessionError) -> Fault {
    use store::code;
    let (code, hint) = match error.kind {
        SessionErrorKind::Missing => (
            code::DATABASE_MISSING,
            "check its `path` in lifeboat.toml, or restore a backup; for a new database make an empty file there first",
        ),
        SessionErrorKind::Corrupt => (code::DATABASE_CORRUPT, "restore a backup, or check its `path` in lifeboat.toml"),
        SessionErrorKind::Busy => (code::DATABASE_BUSY, "find the process with the long transaction, then try again"),
        SessionErrorKind::Full => (code::DISK_FULL, "free some space on that file system, then try again"),
        SessionErrorKind::Stopped => {
            return interrupted(target);
        }
        _ => return fault(code, target, format!("{what}: {}", error.message)),
    };
    fault(code, target, error.message.clone()).hint(hint)
}

/// The run was asked to stop.
pub(super) fn interrupted(target: &str) -> Fault {
    fault(store::code::INTERRUPTED, target, format!("interrupted; {target} is as it was"))
}
