//! The journal in an embedded libSQL file.
//!
//! Commits go to a write-ahead log and wait for the disk: one `fsync` each. The engine inside libsql 0.10 can lose committed
//! pages when two connections checkpoint and write at one instant; therefore nothing is checkpointed automatically. The log is
//! emptied when it has grown large, at moments when no effect waits, and only by `wal_checkpoint(TRUNCATE)`, which keeps writers
//! out; and when the last connection closes, which has the file to itself.

mod ahead;
mod connection;
mod directory;
mod file;
mod format;
mod leases;
mod outbox;
mod prune;
mod read;
mod remote;
mod requests;
#[cfg(test)]
mod tests;
mod wire;
mod write;

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use self::ahead::Ahead;
use self::connection::Connection;
use self::file::refused;
use self::write::Writer;
use super::tail::Tail;
use super::{Journal, JournalError, Leases, Prunes, Recorded, RunQuery, RunSummary, Transport};
use crate::model::{Event, EventBody, Fence, Letter, LetterQuery, Request, RunId};

/// How long an append waits for other processes, unless told otherwise.
const BUSY: Duration = Duration::from_secs(10);

/// How long emptying the log waits for them: it can as well be done the next time.
const BUSY_CHECKPOINT: Duration = Duration::from_millis(250);

/// From which length in bytes on the log is emptied. Thousands of events: a short run never pays for it.
const LOG_LIMIT: u64 = 4 << 20;

/// Runs recorded in a libSQL file. Several processes may use one file at the same time.
///
/// Calls block the thread: for about one `fsync`, or up to ten seconds while another process has locked the file.
pub struct LibsqlJournal(Mutex<Store>);

struct Store {
    // Before the connection, so that its statements are dropped first.
    writer: Option<Writer>,
    connection: Connection,
    tails: HashMap<RunId, Tail>,
    ahead: Ahead,
    /// How long to wait for other processes.
    patience: Duration,
}

impl LibsqlJournal {
    /// Opens the journal at `path` for writing. Makes the file if need be, and its directory with a `.gitignore` inside.
    pub fn open(path: impl AsRef<Path>) -> Result<Self, JournalError> {
        let store = Store::new(format::open(&absolute(path.as_ref())?)?);
        store.empty_large_log();
        Ok(Self(Mutex::new(store)))
    }

    /// Opens the journal at `path` for reading; `None` when there is none. Appending to it fails as read-only.
    pub fn open_existing(path: impl AsRef<Path>) -> Result<Option<Self>, JournalError> {
        let connection = format::open_existing(&absolute(path.as_ref())?)?;
        Ok(connection.map(|connection| Self(Mutex::new(Store::new(connection)))))
    }

    /// Opens the journal at the libSQL server at `url` (`http`, `https` or `libsql`), which several machines share. Makes it if need
    /// be. Calls block the thread for a few exchanges with the server.
    pub fn remote(url: &str, transport: Arc<dyn Transport>) -> Result<Self, JournalError> {
        Ok(Self(Mutex::new(Store::new(format::open_remote(url, transport)?))))
    }

    /// Opens the journal at a server for reading; `None` when there is none.
    pub fn existing_remote(url: &str, transport: Arc<dyn Transport>) -> Result<Option<Self>, JournalError> {
        let connection = format::open_existing_remote(url, transport)?;
        Ok(connection.map(|connection| Self(Mutex::new(Store::new(connection)))))
    }

    /// Waits at most so long for other processes, instead of ten seconds.
    pub fn wait_at_most(self, time: Duration) -> Result<Self, JournalError> {
        let mut store = self.lock();
        store.connection.wait_at_most(time)?;
        store.patience = time;
        drop(store);
        Ok(self)
    }

    fn add(&self, run: &RunId, events: &[Event], letters: &[Letter], fence: Option<Fence>) -> Result<(), JournalError> {
        if events.is_empty() {
            return Ok(());
        }
        let mut store = self.lock();
        let append = |store: &mut Store| store.append(run, events, letters, fence);
        // Nothing has happened in a run that has only begun. Its first intent comes behind this in the log and waits for the disk with
        // it; should the machine lose its power before, there was no run.
        let begins = letters.is_empty() && matches!(events, [event] if matches!(event.body, EventBody::Started(_)));
        let visible = begins && !store.connection.is_remote();
        let tail = if visible { store.visibly(append) } else { append(&mut store) }?;
        if tail.ended() {
            store.empty_large_log();
        } else {
            store.tails.insert(run.clone(), tail);
        }
        Ok(())
    }

    fn lock(&self) -> MutexGuard<'_, Store> {
        // A transaction that a panic left open is rolled back before the next one.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Store {
    fn new(connection: Connection) -> Self {
        Self { writer: None, connection, tails: HashMap::new(), ahead: Ahead::default(), patience: BUSY }
    }

    /// Keeps the log from growing for ever. Failing to is no reason to stop anybody: the log is as good as the file.
    fn empty_large_log(&self) {
        if !self.connection.is_remote()
            && directory::log_len(self.connection.path()) > LOG_LIMIT
            && self.connection.wait_at_most(BUSY_CHECKPOINT).is_ok()
        {
            let _ = self.connection.batch("PRAGMA wal_checkpoint(TRUNCATE)");
            let _ = self.connection.wait_at_most(self.patience);
        }
    }
}

impl Journal for LibsqlJournal {
    fn append(&self, run: &RunId, events: &[Event]) -> Result<(), JournalError> {
        self.append_with_letters(run, events, &[])
    }

    fn append_with_letters(&self, run: &RunId, events: &[Event], letters: &[Letter]) -> Result<(), JournalError> {
        self.add(run, events, letters, None)
    }

    fn append_fenced(
        &self,
        run: &RunId,
        events: &[Event],
        letters: &[Letter],
        fence: Fence,
    ) -> Result<(), JournalError> {
        self.add(run, events, letters, Some(fence))
    }

    fn leases(&self) -> Option<&dyn Leases> {
        Some(self)
    }

    fn keeps_letters(&self) -> bool {
        true
    }

    fn letters(&self, query: &LetterQuery) -> Result<Vec<Letter>, JournalError> {
        outbox::letters(&self.lock().connection, query)
    }

    fn change_letter(&self, letter: &Letter, attempts: u32) -> Result<bool, JournalError> {
        outbox::change(&self.lock().connection, letter, attempts)
    }

    fn leave_request(&self, run: &RunId, request: &Request) -> Result<(), JournalError> {
        requests::leave(&self.lock().connection, run, request)
    }

    fn requests(&self, run: &RunId, after: u64) -> Result<Vec<(u64, Request)>, JournalError> {
        requests::after(&self.lock().connection, run, after)
    }

    fn runs(&self, query: &RunQuery) -> Result<Vec<RunSummary>, JournalError> {
        read::runs(&self.lock().connection, query)
    }

    fn prunes(&self) -> Result<Prunes, JournalError> {
        prune::prunes(&self.lock().connection)
    }

    fn recorded(&self, run: &RunId) -> Result<Recorded, JournalError> {
        let store = self.lock();
        store.connection.consistently(|| read::recorded(&store.connection, run))
    }
}

/// libsql takes names such as `file:…` and `:memory:` for something else than a file; an absolute path it does not.
fn absolute(path: &Path) -> Result<PathBuf, JournalError> {
    std::path::absolute(path).map_err(|error| refused(path, &error))
}
