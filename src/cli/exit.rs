//! Exit codes, all of them. Documented for users in `docs/exit-codes.md`.

use crate::journal::JournalError;
use crate::runtime::{Error, Ran, Status};

/// What the process tells its caller.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum Exit {
    /// Done, or nothing to change.
    Done = 0,
    /// The run failed, and nothing that it changed is left. For a plan or an exploration: it would fail, or end badly. For tests: one
    /// failed.
    RolledBack = 1,
    /// The plan has changes (only with `--detailed-exitcode`).
    Changes = 2,
    /// Refused: protection, policy, a wrong environment.
    Refused = 3,
    /// An effect is in doubt: a person must settle it.
    InDoubt = 4,
    /// A drill missed its objectives.
    Missed = 5,
    /// The run failed, and something that it changed is left.
    LeftChanged = 6,
    /// A person is to answer; the run goes on then.
    Waiting = 7,
    /// The command line is wrong.
    Usage = 64,
    /// The runbook has errors, or a test of it is wrong.
    Runbook = 65,
    /// A mistake of ours.
    Internal = 70,
    /// The journal or the output cannot be written, or the journal is not as it was written.
    Output = 74,
    /// The configuration is wrong.
    Config = 78,
    /// Cancelled, and nothing that it changed is left.
    Cancelled = 130,
}

impl Exit {
    /// The number.
    pub fn code(self) -> u8 {
        self as u8
    }
}

/// The exit code of a run that is over.
pub(super) fn of_run(ran: &Ran) -> Exit {
    match ran.status {
        Status::Completed | Status::Undone if ran.unrecorded.is_some() => Exit::Output,
        status => of_status(status),
    }
}

/// The exit code of a run that ended like this.
pub(super) fn of_status(status: Status) -> Exit {
    match status {
        Status::Completed | Status::Undone => Exit::Done,
        Status::Waiting => Exit::Waiting,
        Status::RolledBack => Exit::RolledBack,
        Status::LeaseLost | Status::Diverged | Status::LeftChanged => Exit::LeftChanged,
        Status::Unrecorded => Exit::Output,
        Status::Cancelled => Exit::Cancelled,
        Status::InDoubt => Exit::InDoubt,
        Status::Refused => Exit::Refused,
        Status::Mistake => Exit::Runbook,
        Status::Internal => Exit::Internal,
    }
}

/// The exit code when nothing was started.
pub(super) fn of_error(error: &Error) -> Exit {
    match error {
        Error::NoConfig { .. } | Error::Config(_) | Error::Environment(_) => Exit::Config,
        Error::Syntax(_) | Error::Check { .. } => Exit::Runbook,
        Error::InDoubt { .. } => Exit::InDoubt,
        Error::Refused { .. } | Error::Moved { .. } | Error::Processes { .. } => Exit::Refused,
        Error::NoRunbook { .. }
        | Error::Params { .. }
        | Error::Journal(
            JournalError::UnknownRun { .. }
            | JournalError::RemovedRun { .. }
            | JournalError::AmbiguousRun { .. }
            | JournalError::NoRuns,
        ) => Exit::Usage,
        Error::Journal(_) | Error::Unrecorded { .. } | Error::Unwritten { .. } => Exit::Output,
        Error::Internal { .. } => Exit::Internal,
    }
}
