//! The messages of a run as letters: kept with the record, so that what cannot be delivered at once is not lost.

use crate::model::{Letter, LetterQuery, LetterState, Mode, Origin, Outbox, Started};

use super::Recorder;

/// Where the messages of a run come from.
pub(super) fn origin(started: &Started) -> Origin {
    Origin {
        environment: started.environment.clone(),
        runbook: started.runbook.clone(),
        run: started.run.to_string(),
        by: started.by.clone(),
        drill: started.mode == Mode::Drill,
    }
}

/// Letters become durable by the commit that takes the outcome of their call: no other commit, and no other order.
impl Outbox for Recorder {
    fn origin(&self) -> Origin {
        self.origin.get().cloned().unwrap_or_default()
    }

    fn letters(&self, query: &LetterQuery) -> Vec<Letter> {
        // Before the journal is asked: what becomes durable meanwhile is found twice rather than not at all.
        let pending = self.pending_letters();
        let mut letters = self.journal.letters(query).unwrap_or_default();
        for letter in pending {
            letters.retain(|stored| stored.key != letter.key);
            if query.matches(&letter) {
                letters.push(letter);
            }
        }
        let older = query.newest.map_or(0, |newest| letters.len().saturating_sub(newest));
        letters.split_off(older)
    }

    fn post(&self, letter: Letter) -> bool {
        if !self.journal.keeps_letters() {
            return false;
        }
        let detail = self.look.redacted(&letter.detail);
        // What waits must not be lost while something slow follows; what was delivered cannot be.
        let waits = letter.state == LetterState::Waiting;
        self.add_letter(Letter { detail, ..letter }, waits);
        true
    }
}
