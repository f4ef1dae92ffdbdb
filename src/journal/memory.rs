//! A journal in memory, for tests and for hosts that keep no record of their own. Nothing of it survives the process.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use super::memory_leases::Held;
use super::tail::Tail;
use super::{GENESIS, Journal, JournalError, Leases, Recorded, RunQuery, RunSummary};
use crate::model::{Event, EventBody, Fence, Letter, LetterQuery, LetterState, Request, RunId};

/// Runs recorded in memory.
#[derive(Default)]
pub struct MemoryJournal(Mutex<Runs>);

#[derive(Default)]
pub(super) struct Runs {
    /// In the order in which they were begun.
    recorded: Vec<Recorded>,
    tails: HashMap<RunId, Tail>,
    /// In the order in which they came.
    letters: Vec<Letter>,
    /// In the order in which they were left; the first has number 1.
    requests: Vec<(RunId, Request)>,
    pub(super) held: Held,
}

impl MemoryJournal {
    /// A journal without runs.
    pub fn new() -> Self {
        Self::default()
    }

    pub(super) fn lock(&self) -> MutexGuard<'_, Runs> {
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

    /// Takes events on: all of them, or none.
    fn append(&mut self, run: &RunId, events: &[Event]) -> Result<(), JournalError> {
        let Some(first) = events.first() else { return Ok(()) };
        let position = self.position(run);
        let tail = match (self.tails.remove(run), position) {
            (Some(tail), _) => tail,
            (None, Some(at)) => Tail::rebuild(&self.recorded[at])?,
            (None, None) => Tail::new(self.last_head()),
        };
        let (tail, entries) = tail.extend(run, events)?;
        if let (None, EventBody::Started(started)) = (position, &first.body) {
            let begun = Recorded {
                pruned: None,
                summary: RunSummary::begun(run, first.at, started),
                previous: self.last_head(),
                follows: self.recorded.last().map(|last| last.summary.id.clone()),
                entries: Vec::new(),
            };
            self.recorded.push(begun);
        }
        let at = position.unwrap_or(self.recorded.len() - 1);
        for (event, entry) in events.iter().zip(&entries) {
            self.recorded[at].summary.take(event, &entry.hash);
        }
        self.recorded[at].entries.extend(entries);
        if !tail.ended() {
            self.tails.insert(run.clone(), tail);
        }
        Ok(())
    }

    fn put(&mut self, letter: &Letter) {
        match self.letters.iter_mut().find(|old| old.key == letter.key) {
            Some(old) => old.clone_from(letter),
            None => self.letters.push(letter.clone()),
        }
    }
}

impl Journal for MemoryJournal {
    fn append(&self, run: &RunId, events: &[Event]) -> Result<(), JournalError> {
        self.append_with_letters(run, events, &[])
    }

    fn append_with_letters(&self, run: &RunId, events: &[Event], letters: &[Letter]) -> Result<(), JournalError> {
        let mut runs = self.lock();
        runs.append(run, events)?;
        for letter in letters {
            runs.put(letter);
        }
        Ok(())
    }

    fn append_fenced(
        &self,
        run: &RunId,
        events: &[Event],
        letters: &[Letter],
        fence: Fence,
    ) -> Result<(), JournalError> {
        let mut runs = self.lock();
        if !runs.held.stands(fence) {
            return Err(JournalError::LeaseLost { run: run.clone() });
        }
        runs.append(run, events)?;
        for letter in letters {
            runs.put(letter);
        }
        Ok(())
    }

    fn leases(&self) -> Option<&dyn Leases> {
        Some(self)
    }

    fn keeps_letters(&self) -> bool {
        true
    }

    fn letters(&self, query: &LetterQuery) -> Result<Vec<Letter>, JournalError> {
        let runs = self.lock();
        let found: Vec<&Letter> = runs.letters.iter().filter(|letter| query.matches(letter)).collect();
        let skipped = query.newest.map_or(0, |newest| found.len().saturating_sub(newest));
        Ok(found.into_iter().skip(skipped).cloned().collect())
    }

    fn change_letter(&self, letter: &Letter, attempts: u32) -> Result<bool, JournalError> {
        let mut runs = self.lock();
        let waits = |old: &&Letter| old.key == letter.key && old.attempts == attempts;
        let found = runs.letters.iter().find(waits).is_some_and(|old| old.state == LetterState::Waiting);
        if found {
            runs.put(letter);
        }
        Ok(found)
    }

    fn runs(&self, query: &RunQuery) -> Result<Vec<RunSummary>, JournalError> {
        let runs = self.lock();
        let wanted = runs.recorded.iter().rev().map(|recorded| &recorded.summary).filter(|run| query.matches(run));
        Ok(wanted.take(query.limit.unwrap_or(usize::MAX)).cloned().collect())
    }

    fn leave_request(&self, run: &RunId, request: &Request) -> Result<(), JournalError> {
        let mut runs = self.lock();
        runs.position(run).ok_or_else(|| JournalError::UnknownRun { asked: run.to_string() })?;
        runs.requests.push((run.clone(), request.clone()));
        Ok(())
    }

    fn requests(&self, run: &RunId, after: u64) -> Result<Vec<(u64, Request)>, JournalError> {
        let runs = self.lock();
        let numbered = (1..).zip(&runs.requests).filter(|(number, (of, _))| *number > after && of == run);
        Ok(numbered.map(|(number, (_, request))| (number, request.clone())).collect())
    }

    fn recorded(&self, run: &RunId) -> Result<Recorded, JournalError> {
        let runs = self.lock();
        let at = runs.position(run).ok_or_else(|| JournalError::UnknownRun { asked: run.to_string() })?;
        Ok(runs.recorded[at].clone())
    }
}
