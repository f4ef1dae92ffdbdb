//! What a channel must be able to do; `notify` and `resolve` follow from it.

use std::future::Future;

use crate::model::{Fault, IdempotencyKey};
use crate::primitives::Reconciled;
use crate::system::{Act, Look};

use super::Message;

/// Carries messages. Whoever implements it has drivers of `notify` and of `resolve`.
pub trait Channel: Send + Sync + 'static {
    /// The target's name.
    fn name(&self) -> &str;

    /// Why a message could not be delivered, as far as a look at this machine can tell.
    fn obstacle(&self, look: &Look) -> Option<Fault>;

    /// Delivers a message, and says in a few words how. A fault has the code `notify-failed`.
    fn deliver(&self, message: &Message, act: &Act) -> impl Future<Output = Result<String, Fault>> + Send;

    /// Whether a message with this key was delivered. What is returned is what [`Channel::deliver`] says.
    fn delivered(&self, look: &Look, key: &IdempotencyKey) -> impl Future<Output = Reconciled<String>> + Send;
}
