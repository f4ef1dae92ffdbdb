//! A journal in memory, for tests and for hosts that keep no record of their own. Nothing of it survives the process.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use super::tail::Tail;
use super::{GENESIS, Journal, JournalError, Recorded, RunQuery, RunSummary};
use crate::model::{Event, EventBody, RunId};

/// Runs recorded in memory.
#[derive(Default)]
pub struct MemoryJournal(Mutex<Runs>);

#[derive(Default)]
struct Runs {
    /// In the order in which they were begun.
    recorded: Vec<Recorded>,
    tails: HashMap<RunId, Tail>,
}

impl MemoryJournal {
    /// A journal without runs.
    pub fn new() -> Self {
        Self::default()
    }

    fn lock(&self) -> MutexGuard<'_, Runs> {
        // A batch is checked before anything is stored: a panic elsewhere leaves nothing half done.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Runs {
    fn position(&self, run: &RunId) -> Option<usize> {
        self.recorded.iter().position(|recorded| &recorded.summary.id == run)
    }

    fn last_head(&self) -> String {
        self.recorded.last().map_or_else(|| GENESIS.to_owned(), |last| last.summary.head.clone())
    }
}

impl Journal for MemoryJournal {
    fn append(&self, run: &RunId, events: &[Event]) -> Result<(), JournalError> {
        let Some(first) = events.first() else { return Ok(()) };
        let mut runs = self.lock();
        let position = runs.position(run);
        let tail = match (runs.tails.remove(run), position) {
            (Some(tail), _) => tail,
            (None, Some(at)) => Tail::rebuild(&runs.recorded[at])?,
            (None, None) => Tail::new(runs.last_head()),
        };
        let (tail, entries) = tail.extend(run, events)?;
        if let (None, EventBody::Started(started)) = (position, &first.body) {
            let begun = Recorded {
                summary: RunSummary::begun(run, first.at, started),
                previous: runs.last_head(),
                follows: runs.recorded.last().map(|last| last.summary.id.clone()),
                entries: Vec::new(),
            };
            runs.recorded.push(begun);
        }
        let at = position.unwrap_or(runs.recorded.len() - 1);
        for (event, entry) in events.iter().zip(&entries) {
            runs.recorded[at].summary.take(event, &entry.hash);
        }
        runs.recorded[at].entries.extend(entries);
        if !tail.ended() {
            runs.tails.insert(run.clone(), tail);
        }
        Ok(())
    }

    fn runs(&self, query: &RunQuery) -> Result<Vec<RunSummary>, JournalError> {
        let runs = self.lock();
        let wanted = runs.recorded.iter().rev().map(|recorded| &recorded.summary).filter(|run| query.matches(run));
        Ok(wanted.take(query.limit.unwrap_or(usize::MAX)).cloned().collect())
    }

    fn recorded(&self, run: &RunId) -> Result<Recorded, JournalError> {
        let runs = self.lock();
        let at = runs.position(run).ok_or_else(|| JournalError::UnknownRun { asked: run.to_string() })?;
        Ok(runs.recorded[at].clone())
    }
}
