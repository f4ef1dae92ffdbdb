//! What somebody elsewhere wants of a run: another process, another terminal.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::Key;

/// Something that is wanted of a run by somebody who does not carry it out.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Request {
    /// Who, as `user@host`.
    pub by: String,
    /// When, UTC.
    pub at: Timestamp,
    /// What.
    #[serde(flatten)]
    pub wanted: Wanted,
}

/// What is wanted of a run.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "wants", rename_all = "kebab-case")]
pub enum Wanted {
    /// That it stops.
    Cancel {
        /// Why.
        reason: Option<String>,
        /// Whether nothing is rolled back.
        abort: bool,
    },
    /// That a question has this answer.
    Answer {
        /// The call that asks.
        key: Key,
        /// What is said.
        text: String,
    },
}
