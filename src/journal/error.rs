//! Why a journal could not be written or read, and what to do about it.

use std::path::PathBuf;

use miette::Diagnostic;

use crate::model::{IllegalEvent, RunId};

/// What went wrong with a journal. Whoever appends must not go on: no effect starts without its record.
#[derive(Debug, thiserror::Error, Diagnostic)]
pub enum JournalError {
    /// Somebody else kept the file busy for longer than we wait.
    #[error("the journal `{}` is locked by another process", path.display())]
    #[diagnostic(
        code(lifeboat::journal::locked),
        help("try again once the other process is done; `fuser` with the file's name shows which one it is")
    )]
    Locked {
        /// The file.
        path: PathBuf,
    },
    /// The file or its directory may not be written.
    #[error("the journal `{}` cannot be written: it is read-only here", path.display())]
    #[diagnostic(
        code(lifeboat::journal::read_only),
        help("the file and its directory must be writable by this user, on a file system that is mounted writable")
    )]
    ReadOnly {
        /// The file.
        path: PathBuf,
    },
    /// No space is left.
    #[error("the journal `{}` cannot be written: the disk is full", path.display())]
    #[diagnostic(code(lifeboat::journal::disk_full), help("free some space on its file system, then try again"))]
    DiskFull {
        /// The file.
        path: PathBuf,
    },
    /// The file is something else.
    #[error("`{}` is not a journal of Lifeboat: {why}", path.display())]
    #[diagnostic(
        code(lifeboat::journal::not_a_journal),
        help("nothing was changed in it: move the file away, and the next run makes a new journal")
    )]
    NotAJournal {
        /// The file.
        path: PathBuf,
        /// What it seems to be.
        why: String,
    },
    /// A later version of Lifeboat has written it.
    #[error("the journal `{}` has format {found}, and this version of Lifeboat knows formats up to {known}", path.display())]
    #[diagnostic(code(lifeboat::journal::newer_format), help("use the newer version of Lifeboat that wrote it"))]
    NewerFormat {
        /// The file.
        path: PathBuf,
        /// Its format.
        found: i64,
        /// The newest format that we know.
        known: i64,
    },
    /// The file is damaged.
    #[error("the journal `{}` is damaged: {why}", path.display())]
    #[diagnostic(
        code(lifeboat::journal::corrupt),
        help(
            "keep the file and those beside it (`-wal`, `-shm`) as they are, move them away and restore the newest copy"
        )
    )]
    Corrupt {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        why: String,
    },
    /// Anything else that the machine refused.
    #[error("the journal `{}` failed: {why}", path.display())]
    #[diagnostic(
        code(lifeboat::journal::failed),
        help(
            "look at the directory's permissions, the disk and the system's log; no effect starts without the journal"
        )
    )]
    Failed {
        /// The file.
        path: PathBuf,
        /// What the machine said.
        why: String,
    },
    /// The server of the journal that a team shares does not do what is asked of it.
    #[error("the shared journal at {url} cannot be used: {why}")]
    #[diagnostic(
        code(lifeboat::journal::unreachable),
        help(
            "look at `url` and `token` below [state], and at the network between; `--break-glass \"why\"` goes on without it"
        )
    )]
    Unreachable {
        /// Its address.
        url: String,
        /// What is wrong.
        why: String,
    },
    /// An event that may not follow those before it. Nothing of its batch was written.
    #[error("run {run}: {why}")]
    #[diagnostic(
        code(lifeboat::journal::illegal),
        help("this is a mistake in Lifeboat; nothing was written, please report it")
    )]
    Illegal {
        /// The run.
        run: RunId,
        /// What is illegal about it.
        why: IllegalEvent,
    },
    /// An event whose number is not the next. Nothing of its batch was written.
    #[error("run {run}: event {found} comes out of order, the next one is {next}")]
    #[diagnostic(
        code(lifeboat::journal::out_of_order),
        help("another process may be writing to the same run: `lifeboat show {run}` says how far it is")
    )]
    OutOfOrder {
        /// The run.
        run: RunId,
        /// The number that was offered.
        found: u64,
        /// The number that would have been right.
        next: u64,
    },
    /// A recorded event that does not read as one.
    #[error("run {run}: event {seq} of the journal cannot be read: {why}")]
    #[diagnostic(
        code(lifeboat::journal::unreadable_event),
        help(
            "`lifeboat show {run}` says whether it was tampered with; a newer version of Lifeboat may have written it"
        )
    )]
    Unreadable {
        /// The run.
        run: RunId,
        /// The event.
        seq: u64,
        /// What is wrong with it.
        why: String,
    },
    /// No run has this name, or one that begins or ends like this.
    #[error("no run `{asked}` in the journal")]
    #[diagnostic(
        code(lifeboat::journal::unknown_run),
        help("give the beginning or the end of a run's id, or `latest`; `lifeboat runs` lists them")
    )]
    UnknownRun {
        /// What was asked for.
        asked: String,
    },
    /// The run was there once.
    #[error("run {run} was removed from the journal at {at} by {by}")]
    #[diagnostic(
        code(lifeboat::journal::removed_run),
        help("its hashes are kept: `lifeboat verify --head HASH` still vouches for what was noted of it")
    )]
    RemovedRun {
        /// The run.
        run: RunId,
        /// When, UTC.
        at: String,
        /// Who removed it.
        by: String,
    },
    /// Another run has the targets now.
    #[error("run {run} has lost its leases: it was stopped for longer than they hold, and another run may have them")]
    #[diagnostic(code(lifeboat::journal::lease_lost), help("look at its targets, then `lifeboat resume {run}`"))]
    LeaseLost {
        /// The run.
        run: RunId,
    },
    /// This journal keeps no requests.
    #[error("this journal takes no requests to runs")]
    #[diagnostic(code(lifeboat::journal::no_requests), help("ask the process that carries the run out"))]
    NoRequests,
    /// There is no run at all.
    #[error("the journal has no runs yet")]
    #[diagnostic(code(lifeboat::journal::no_runs), help("`lifeboat run` starts one"))]
    NoRuns,
    /// Several runs have such a name.
    #[error("`{asked}` fits several runs: {}", listed(candidates, *more))]
    #[diagnostic(code(lifeboat::journal::ambiguous_run), help("give more of the run's id"))]
    AmbiguousRun {
        /// What was asked for.
        asked: String,
        /// The runs that fit, newest first; the first few.
        candidates: Vec<RunId>,
        /// Whether there are more than those.
        more: bool,
    },
}

fn listed(candidates: &[RunId], more: bool) -> String {
    let mut text = candidates.iter().map(RunId::as_str).collect::<Vec<_>>().join(", ");
    if more {
        text.push_str(", …");
    }
    text
}
