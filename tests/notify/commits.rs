//! Letters become durable together with what the journal says of their call, and cost no commit of their own.

use std::sync::{Arc, Mutex};

use lifeboat::journal::{Journal, JournalError, MemoryJournal, Recorded, RunQuery, RunSummary};
use lifeboat::model::{Event, EventBody, Letter, LetterQuery, LetterState, RunId};

use crate::http::{Ill, Server};
use crate::scene::Scene;
use crate::webhook::{ok, settings};

/// Notes what was made durable, and together with what.
#[derive(Default)]
struct Attentive {
    inner: MemoryJournal,
    commits: Mutex<Vec<(Vec<Event>, Vec<Letter>)>>,
    /// How often a letter was changed by itself.
    changes: Mutex<Vec<LetterState>>,
}

impl Journal for Attentive {
    fn append(&self, run: &RunId, events: &[Event]) -> Result<(), JournalError> {
        self.append_with_letters(run, events, &[])
    }

    fn append_with_letters(&self, run: &RunId, events: &[Event], letters: &[Letter]) -> Result<(), JournalError> {
        self.commits.lock().expect("nobody panicked").push((events.to_vec(), letters.to_vec()));
        self.inner.append_with_letters(run, events, letters)
    }

    fn keeps_letters(&self) -> bool {
        true
    }

    fn letters(&self, query: &LetterQuery) -> Result<Vec<Letter>, JournalError> {
        self.inner.letters(query)
    }

    fn change_letter(&self, letter: &Letter, attempts: u32) -> Result<bool, JournalError> {
        self.changes.lock().expect("nobody panicked").push(letter.state);
        self.inner.change_letter(letter, attempts)
    }

    fn runs(&self, query: &RunQuery) -> Result<Vec<RunSummary>, JournalError> {
        self.inner.runs(query)
    }

    fn recorded(&self, run: &RunId) -> Result<Recorded, JournalError> {
        self.inner.recorded(run)
    }
}

/// The keys of the calls whose outcome is among the events.
fn settled(events: &[Event]) -> Vec<String> {
    let key = |event: &Event| match &event.body {
        EventBody::Settled(settled) => Some(settled.key.to_string()),
        _ => None,
    };
    events.iter().filter_map(key).collect()
}

#[test]
fn a_letter_is_durable_with_the_outcome_of_its_call_and_by_the_same_commit() {
    let server = Server::start(ok()).ill([Ill::HangsUp]);
    let journal = Arc::new(Attentive::default());
    let scene = Scene::with(&settings(&server, "")).journal(journal.clone());
    scene.run(&r#"notify("people", "hello");"#.repeat(3));
    let commits = journal.commits.lock().expect("nobody panicked");
    for (events, letters) in commits.iter().filter(|(_, letters)| !letters.is_empty()) {
        for letter in letters {
            let call = letter.key.as_str().rsplit('/').next().expect("a call").to_owned();
            assert!(settled(events).contains(&call), "{call} is not among {:?}", settled(events));
        }
    }
    assert_eq!(commits.iter().map(|(_, letters)| letters.len()).sum::<usize>(), 3);
    assert_eq!(commits.len(), 3 + 2, "one commit for each effect, one for the beginning, one for the end");
    let delivered = LetterState::Delivered;
    let changes = journal.changes.lock().expect("nobody panicked").clone();
    assert_eq!(changes, [LetterState::Waiting, delivered].repeat(3), "each late attempt is claimed before it is made");
}

#[test]
fn a_message_that_waits_is_durable_before_anything_slow() {
    let server = Server::start(ok()).ill(std::iter::repeat_n(Ill::HangsUp, 9));
    let journal = Arc::new(Attentive::default());
    let scene = Scene::with(&settings(&server, "")).journal(journal.clone());
    scene.run(r#"notify("people", "hello"); sleep("1ms"); now();"#);
    let commits = journal.commits.lock().expect("nobody panicked");
    let with_letter = commits.iter().position(|(_, letters)| !letters.is_empty()).expect("it was kept");
    assert_eq!(settled(&commits[with_letter].0), ["0"], "before the sleep had its outcome");
}

/// A journal of a host that knows nothing of an outbox.
struct Simple(MemoryJournal);

impl Journal for Simple {
    fn append(&self, run: &RunId, events: &[Event]) -> Result<(), JournalError> {
        self.0.append(run, events)
    }

    fn runs(&self, query: &RunQuery) -> Result<Vec<RunSummary>, JournalError> {
        self.0.runs(query)
    }

    fn recorded(&self, run: &RunId) -> Result<Recorded, JournalError> {
        self.0.recorded(run)
    }
}

#[test]
fn without_an_outbox_nobody_is_promised_a_later_message() {
    let server = Server::start(ok()).ill([Ill::HangsUp]);
    let scene = Scene::with(&settings(&server, "")).journal(Arc::new(Simple(MemoryJournal::new())));
    scene.run(r#"notify("people", "hello");"#);
    assert_eq!((scene.told(), server.requests().len()), (vec![(false, false)], 0));
}
