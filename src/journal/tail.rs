//! The end of a run's record: what a writer must know to check the next events and to chain them on.

use super::chain::{Entry, link};
use super::{JournalError, Recorded};
use crate::model::{Event, IllegalEvent, RunId, RunLog};

/// Where the record of a run stands.
pub(super) struct Tail {
    log: RunLog,
    next: u64,
    head: String,
}

impl Tail {
    /// A run without events; `previous` is the hash that its first event follows.
    pub(super) fn new(previous: String) -> Self {
        Self { log: RunLog::default(), next: 0, head: previous }
    }

    /// The end of a run that was read back.
    pub(super) fn rebuild(recorded: &Recorded) -> Result<Self, JournalError> {
        let run = &recorded.summary.id;
        let mut tail = Self::new(recorded.previous.clone());
        for entry in &recorded.entries {
            tail.check(run, &entry.event(run)?)?;
            tail.head.clone_from(&entry.hash);
        }
        Ok(tail)
    }

    /// The number of the next event.
    #[cfg(feature = "journal-libsql")]
    pub(super) fn next(&self) -> u64 {
        self.next
    }

    /// The last hash.
    #[cfg(feature = "journal-libsql")]
    pub(super) fn head(&self) -> &str {
        &self.head
    }

    /// Whether nothing can follow.
    pub(super) fn ended(&self) -> bool {
        self.log.ended()
    }

    /// Takes events on. Consumes the tail, since a state that took in half of a refused batch would be wrong for the next.
    pub(super) fn extend(mut self, run: &RunId, events: &[Event]) -> Result<(Self, Vec<Entry>), JournalError> {
        let mut entries = Vec::with_capacity(events.len());
        for event in events {
            self.check(run, event)?;
            let json = serde_json::to_string(event).map_err(|error| JournalError::Illegal {
                run: run.clone(),
                why: IllegalEvent(format!("it cannot be written as JSON: {error}")),
            })?;
            self.head = link(&self.head, &json);
            entries.push(Entry { seq: event.seq, json, hash: self.head.clone() });
        }
        Ok((self, entries))
    }

    fn check(&mut self, run: &RunId, event: &Event) -> Result<(), JournalError> {
        self.log.accept(&event.body).map_err(|why| JournalError::Illegal { run: run.clone(), why })?;
        if event.seq != self.next {
            return Err(JournalError::OutOfOrder { run: run.clone(), found: event.seq, next: self.next });
        }
        self.next += 1;
        Ok(())
    }
}
