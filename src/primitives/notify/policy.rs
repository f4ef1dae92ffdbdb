//! What a channel does not send, or not at once: repetitions, and what is too much for the people behind it.

use std::time::Duration;

use schemars::JsonSchema;
use serde::Deserialize;

use crate::model::Span;

/// What a channel does not send, or not at once. The default is to send everything at once.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Policy {
    /// For so long after a message with a key, the same text with the same key is not sent again.
    pub repeat_after: Duration,
    /// How many messages it takes.
    pub at_most: Option<AtMost>,
    /// Whether what is too much is sent as one message, for people; else one by one as there is room, for systems.
    pub gathers: bool,
}

/// So many messages in so much time.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct AtMost {
    /// How many messages.
    pub messages: u32,
    /// In which time.
    pub per: Span,
}
