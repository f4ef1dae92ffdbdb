//! Floor 1: the journal, the durable and append-only record of runs.
//!
//! Intent is durable before an effect starts, its outcome before the next one: that is what [`Journal::append`] promises, and what
//! lets a run be resumed after its process was killed at any instant. Events are checked against the state machine of a run
//! ([`RunLog`](crate::model::RunLog)) and chained by hashes (see [`link`]), so that a change to the record shows.

mod chain;
#[cfg(test)]
#[macro_use]
mod every_journal;
#[cfg(test)]
mod conformance;
#[cfg(test)]
mod conformance_leases;
#[cfg(test)]
mod conformance_outbox;
#[cfg(test)]
mod conformance_requests;
mod error;
mod leases;
#[cfg(feature = "journal-libsql")]
mod libsql;
mod memory;
mod memory_leases;
mod prune;
#[cfg(all(test, feature = "journal-libsql"))]
mod server;
mod summary;
mod tail;
mod transport;

pub use self::chain::{Broken, Entry, Found, GENESIS, Recorded, Verified, Whole, link};
pub use self::error::JournalError;
pub use self::leases::Leases;
#[cfg(feature = "journal-libsql")]
pub use self::libsql::LibsqlJournal;
pub use self::memory::MemoryJournal;
pub use self::prune::{Prune, Pruned, PrunedRun, Prunes};
pub use self::summary::{RUNNING, RunQuery, RunSummary, UNFINISHED};
pub use self::transport::Transport;

use crate::model::{Event, Fence, Letter, LetterQuery, Request, RunId};

/// How many candidates an ambiguous name lists.
const CANDIDATES: usize = 8;

/// Where runs are recorded.
pub trait Journal: Send + Sync {
    /// Adds events to the record of `run`, by one commit. When it returns, all of them are durable; after an error, none of them
    /// is written. `started` alone is seen by everybody and survives its process, and may wait for the disk with the next append:
    /// nothing has happened in that run yet.
    ///
    /// The first event of a run is `started`, its number 0; the numbers have no gaps. A run that was begun by another process is
    /// read back first, so that it can be resumed.
    fn append(&self, run: &RunId, events: &[Event]) -> Result<(), JournalError>;

    /// Whether it has an outbox. Without one, messages that could not be delivered are not tried again.
    fn keeps_letters(&self) -> bool {
        false
    }

    /// Appends, and puts letters into the outbox by the same commit: all of it is durable afterwards, or none. A letter takes the
    /// place of an earlier one with its key.
    fn append_with_letters(&self, run: &RunId, events: &[Event], letters: &[Letter]) -> Result<(), JournalError> {
        let _ = letters;
        self.append(run, events)
    }

    /// The same, if a grant still has its leases at that instant; otherwise nothing is written. An effect whose intent was written so
    /// has begun while its run had them.
    fn append_fenced(
        &self,
        run: &RunId,
        events: &[Event],
        letters: &[Letter],
        fence: Fence,
    ) -> Result<(), JournalError> {
        let _ = fence;
        self.append_with_letters(run, events, letters)
    }

    /// Where the leases are kept; `None` where every run may change what it wants.
    fn leases(&self) -> Option<&dyn Leases> {
        None
    }

    /// The letters that `query` asks for, in the order in which they came into the outbox.
    fn letters(&self, query: &LetterQuery) -> Result<Vec<Letter>, JournalError> {
        let _ = query;
        Ok(Vec::new())
    }

    /// Changes a letter that still waits and has been tried `attempts` times so far; durable when it returns. `false` when
    /// somebody else was faster: so one letter is never sent by two processes at once.
    fn change_letter(&self, letter: &Letter, attempts: u32) -> Result<bool, JournalError> {
        let _ = (letter, attempts);
        Ok(false)
    }

    /// Leaves a request to whoever carries the run out; durable when it returns. Unlike events, anybody may at any time.
    fn leave_request(&self, run: &RunId, request: &Request) -> Result<(), JournalError> {
        let _ = (run, request);
        Err(JournalError::NoRequests)
    }

    /// The requests to a run with numbers above `after`, oldest first. The first of a journal has a number above 0.
    fn requests(&self, run: &RunId, after: u64) -> Result<Vec<(u64, Request)>, JournalError> {
        let _ = (run, after);
        Ok(Vec::new())
    }

    /// The runs that `query` asks for; the one begun last comes first.
    fn runs(&self, query: &RunQuery) -> Result<Vec<RunSummary>, JournalError>;

    /// All that is stored about a run, as it is stored. An unknown run is an error.
    fn recorded(&self, run: &RunId) -> Result<Recorded, JournalError>;

    /// What was removed.
    fn prunes(&self) -> Result<Prunes, JournalError> {
        Ok(Prunes { prunes: Vec::new(), head: GENESIS.to_owned(), broken: None })
    }

    /// The events of a run, in order. An unknown run is an error.
    fn events(&self, run: &RunId) -> Result<Vec<Event>, JournalError> {
        self.recorded(run)?.entries.iter().map(|entry| entry.event(run)).collect()
    }

    /// How many events a run has. An unknown run is an error.
    fn recorded_events(&self, run: &RunId) -> Result<u64, JournalError> {
        let query = RunQuery { id: Some(run.to_string()), ..RunQuery::default() };
        let found = self.runs(&query)?.into_iter().find(|summary| summary.id == *run);
        found.map(|run| run.events).ok_or_else(|| JournalError::UnknownRun { asked: run.to_string() })
    }

    /// The run that a person means by the beginning or the end of its id, or by `latest`.
    fn find(&self, prefix_or_latest: &str) -> Result<RunId, JournalError> {
        let asked = prefix_or_latest.trim();
        if asked == "latest" {
            return self.runs(&RunQuery::newest(1))?.pop().map(|run| run.id).ok_or(JournalError::NoRuns);
        }
        let unknown = || JournalError::UnknownRun { asked: asked.to_owned() };
        if asked.is_empty() {
            return Err(unknown());
        }
        let query = RunQuery { id: Some(asked.to_owned()), ..RunQuery::default() };
        let mut candidates: Vec<RunId> = self.runs(&query)?.into_iter().map(|run| run.id).collect();
        if let Some(exact) = candidates.iter().find(|id| id.as_str() == asked) {
            return Ok(exact.clone());
        }
        if candidates.len() > 1 {
            let more = candidates.len() > CANDIDATES;
            candidates.truncate(CANDIDATES);
            return Err(JournalError::AmbiguousRun { asked: asked.to_owned(), candidates, more });
        }
        let removed = |prunes: Prunes| prunes.removed(asked).unwrap_or_else(unknown);
        candidates.pop().map_or_else(|| Err(self.prunes().map_or_else(|error| error, removed)), Ok)
    }

    /// Recomputes the hash chain of a run, and compares it with the list of runs and with the run begun before it.
    fn verify(&self, run: &RunId) -> Result<Verified, JournalError> {
        let recorded = self.recorded(run)?;
        let before = recorded.follows.as_ref().map(|before| self.recorded(before)).transpose()?;
        Ok(recorded.verify(recorded.is_anchored(before.as_ref())))
    }

    /// The same for all runs, and for what was removed. Looks for the hash `wanted`, which somebody has noted elsewhere.
    fn verify_all(&self, wanted: Option<&str>) -> Result<Whole, JournalError> {
        let mut whole = Whole::new(self.prunes()?, wanted);
        let mut before: Option<Recorded> = None;
        for run in self.runs(&RunQuery::default())?.iter().rev() {
            let recorded = self.recorded(&run.id)?;
            let verified = recorded.verify(recorded.is_anchored(before.as_ref()));
            whole.take(&recorded, verified, wanted);
            before = Some(recorded);
        }
        Ok(whole)
    }
}
