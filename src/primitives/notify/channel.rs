//! What a channel must be able to do; `notify`, `resolve` and the outbox follow from it.

use std::future::Future;
use std::time::Duration;

use jiff::Timestamp;

use crate::model::{Fault, IdempotencyKey};
use crate::primitives::{Evidence, Reconciled};
use crate::system::{Act, Look};

use super::{Message, Policy};

/// Carries messages. Whoever implements it has drivers of `notify` and of `resolve`; one that is registered with
/// [`Registry::channel`](crate::primitives::Registry::channel) can also deliver what waits in the outbox.
pub trait Channel: Send + Sync + 'static {
    /// How `delivered` finds out what it says.
    const EVIDENCE: Evidence;

    /// The target's name.
    fn name(&self) -> &str;

    /// Why a message could not be delivered, as far as a look at this machine can tell.
    fn obstacle(&self, look: &Look) -> Option<Fault>;

    /// What is not sent, or not at once: repetitions, and what is too much.
    fn policy(&self) -> Policy {
        Policy::default()
    }

    /// Delivers a message, and says in a few words how. It may take a few seconds, no longer: a recovery waits for it.
    fn deliver(&self, dispatch: &Dispatch, act: &Act) -> impl Future<Output = Result<Receipt, Undelivered>> + Send;

    /// Whether a message with this key was delivered.
    fn delivered(&self, look: &Look, key: &IdempotencyKey) -> impl Future<Output = Reconciled<Receipt>> + Send;
}

/// A message on its way.
#[derive(Clone, Copy, Debug)]
pub struct Dispatch<'m> {
    /// What is said.
    pub message: &'m Message,
    /// What [`Receipt::id`] says of the first message of its thread; `None` for the first one.
    pub root: Option<&'m str>,
    /// Whether an earlier attempt may have arrived, though nobody knows.
    pub again: bool,
    /// When it is sent, UTC: later than the message was written, if it had to wait.
    pub now: Timestamp,
}

impl<'m> Dispatch<'m> {
    /// A message that is sent as it is written, for the first time, outside of a thread.
    pub fn first(message: &'m Message) -> Self {
        Self { message, root: None, again: false, now: message.at }
    }
}

/// What a channel says of a message that it took.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Receipt {
    /// How it was delivered, in a few words.
    pub detail: String,
    /// What later messages of its thread refer to, where the channel has threads.
    pub id: Option<String>,
}

impl Receipt {
    /// From a channel without threads.
    pub fn new(detail: impl Into<String>) -> Self {
        Self { detail: detail.into(), id: None }
    }
}

/// Why a message was not delivered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Undelivered {
    /// With the code `notify-failed`.
    pub fault: Fault,
    /// How long to wait before the next attempt, if the channel said so.
    pub wait: Option<Duration>,
}

impl From<Fault> for Undelivered {
    fn from(fault: Fault) -> Self {
        Self { fault, wait: None }
    }
}
