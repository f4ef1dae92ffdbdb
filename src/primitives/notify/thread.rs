//! Threads: messages with the same key belong together, from the first one to the one that resolves them.

use std::time::Duration;

use crate::model::{Letter, LetterQuery, LetterState, Outbox};

use super::post::{later, on};

/// A thread in which nothing was said for so long is not gone on with: nobody looks at it any more.
const SILENCE: Duration = Duration::from_secs(24 * 3600);

/// How far back a thread is searched for its beginning. Every message knows it, so this is how many may lack a receipt.
const SEARCHED: usize = 20;

/// What the channel calls the first message of the thread that `letter` goes on with; `None` when it begins one.
pub(super) fn root_of(letter: &Letter, outbox: &dyn Outbox) -> Option<String> {
    letter.thread.as_ref()?;
    let query = LetterQuery {
        thread: letter.thread.clone(),
        state: Some(LetterState::Delivered),
        newest: Some(SEARCHED),
        ..on(letter)
    };
    let before = outbox.letters(&query);
    let recent = |other: &&Letter| later(other.moved(), SILENCE) > letter.written;
    before
        .iter()
        .rev()
        .filter(|other| other.key != letter.key)
        .take_while(|other| !other.resolves)
        .filter(recent)
        .find_map(|other| other.root.clone().or_else(|| other.receipt.clone()))
}
