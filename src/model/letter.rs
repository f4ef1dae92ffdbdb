//! A message in the outbox: what was to be said, and how far it came. And the outbox, as those see it who write messages.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::IdempotencyKey;

/// Which run a message comes from.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Origin {
    /// The environment's name.
    #[serde(default)]
    pub environment: String,
    /// The runbook's path.
    #[serde(default)]
    pub runbook: String,
    /// The run's id.
    #[serde(default)]
    pub run: String,
    /// Who started it, as `user@host`.
    #[serde(default)]
    pub by: String,
    /// Whether it is a rehearsal.
    #[serde(default)]
    pub drill: bool,
}

/// A message, with what came of it so far. One for each call that tells somebody.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[expect(clippy::struct_excessive_bools, reason = "each is a fact of its own that people read in the stored letter")]
pub struct Letter {
    /// The same for every attempt to deliver it.
    pub key: IdempotencyKey,
    /// Where it comes from.
    pub origin: Origin,
    /// The channel's name.
    pub channel: String,
    /// The problem that it belongs to.
    pub thread: Option<String>,
    /// Whether it says that the problem is over.
    pub resolves: bool,
    /// What people read first.
    pub headline: String,
    /// SHA-256 (hex) of what it says: kind, severity, text and details.
    pub digest: String,
    /// The message as its channel takes it.
    pub message: serde_json::Value,
    /// When it was written, UTC.
    pub written: Timestamp,
    /// How far it came.
    pub state: LetterState,
    /// How many attempts there were.
    pub attempts: u32,
    /// When it was tried last, UTC.
    pub tried: Option<Timestamp>,
    /// While it waits: not tried again before, UTC.
    pub next: Timestamp,
    /// Whether somebody is trying just now; until `next`, it is theirs.
    #[serde(default)]
    pub under_way: bool,
    /// Whether it was held back because the channel had taken as many as it may.
    pub held: bool,
    /// Whether an attempt may have arrived, though nobody knows.
    pub doubtful: bool,
    /// Why it is not delivered, or how it was.
    pub detail: String,
    /// When it was delivered or dropped, UTC.
    pub done: Option<Timestamp>,
    /// Whether it was delivered after its call had gone on.
    pub late: bool,
    /// Whether it was delivered inside another message.
    pub gathered: bool,
    /// What the channel calls it.
    pub receipt: Option<String>,
    /// What the channel calls the first message of its thread.
    pub root: Option<String>,
}

/// How far a [`Letter`] came.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum LetterState {
    /// It is still to be delivered.
    Waiting,
    /// The channel took it.
    Delivered,
    /// A person decided that it need not be delivered.
    Dropped,
}

impl LetterState {
    /// As it is stored.
    pub fn as_str(self) -> &'static str {
        match self {
            LetterState::Waiting => "waiting",
            LetterState::Delivered => "delivered",
            LetterState::Dropped => "dropped",
        }
    }
}

/// Which letters are asked for. The default is all of them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct LetterQuery {
    /// Only this one.
    pub key: Option<IdempotencyKey>,
    /// Only those of this run.
    pub run: Option<String>,
    /// Only those of this environment.
    pub environment: Option<String>,
    /// Only those for this channel.
    pub channel: Option<String>,
    /// Only those about this problem.
    pub thread: Option<String>,
    /// Only those that came so far.
    pub state: Option<LetterState>,
    /// Only those that were written or delivered since.
    pub since: Option<Timestamp>,
    /// Only so many, the newest.
    pub newest: Option<usize>,
}

impl LetterQuery {
    /// Those that wait.
    pub fn waiting() -> Self {
        Self { state: Some(LetterState::Waiting), ..Self::default() }
    }

    /// Whether the letter is one of those asked for; `newest` aside.
    pub fn matches(&self, letter: &Letter) -> bool {
        fn is<T: PartialEq<U>, U>(wanted: Option<&T>, found: &U) -> bool {
            wanted.is_none_or(|wanted| wanted == found)
        }
        let thread = self.thread.is_none() || self.thread == letter.thread;
        thread
            && is(self.key.as_ref(), &letter.key)
            && is(self.run.as_ref(), &letter.origin.run)
            && is(self.environment.as_ref(), &letter.origin.environment)
            && is(self.channel.as_ref(), &letter.channel)
            && is(self.state.as_ref(), &letter.state)
            && self.since.is_none_or(|since| letter.moved() >= since)
    }
}

impl Letter {
    /// When it came as far as it is: when it was delivered or dropped, or written.
    pub fn moved(&self) -> Timestamp {
        self.done.unwrap_or(self.written)
    }
}

/// Where messages are kept until they are delivered, and remembered afterwards.
pub trait Outbox: Send + Sync {
    /// Which run speaks.
    fn origin(&self) -> Origin;

    /// The letters that `query` asks for, in the order in which they were written. An outbox that cannot be read has none: that
    /// something cannot be looked up must keep nobody from being told.
    fn letters(&self, query: &LetterQuery) -> Vec<Letter>;

    /// Keeps a letter, in place of an earlier one with its key. Returns whether it is kept: then it is durable no later than the
    /// outcome of the call that wrote it.
    fn post(&self, letter: Letter) -> bool;
}
