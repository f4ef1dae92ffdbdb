//! Leases: which run may change which targets.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::{ProcessId, RunId};

/// The right of one run to change one thing, for a time.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Lease {
    /// The thing: two targets that lead to the same thing have the same scope.
    pub scope: String,
    /// The number of the grant. Every later grant has a higher one.
    pub token: u64,
    /// Who has it.
    pub holder: Holder,
    /// When it was renewed last, in milliseconds of the machine's boot-time clock, which counts suspension.
    pub beat_ms: u64,
    /// For how long it holds after that, in milliseconds.
    pub ttl_ms: u64,
}

/// Who has a lease, or waits for one.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Holder {
    /// The run.
    pub run: RunId,
    /// Its runbook.
    pub runbook: String,
    /// Its environment.
    pub environment: String,
    /// The target, as that environment calls it.
    pub target: String,
    /// Who started it, as `user@host`.
    pub by: String,
    /// The process that carries it out.
    pub process: ProcessId,
    /// Since when, UTC.
    pub since: Timestamp,
}

impl Lease {
    /// Whether nobody has renewed it for longer than it holds, at this moment of the boot-time clock.
    pub fn is_expired(&self, boot_ms: u64) -> bool {
        boot_ms.saturating_sub(self.beat_ms) > self.ttl_ms
    }
}

/// What a run wants: all of it, or nothing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Claim {
    /// Scopes with who is to hold them, sorted by scope.
    pub wanted: Vec<(String, Holder)>,
    /// The grant to which they are to be added, if the run has one.
    pub token: Option<u64>,
    /// Leases that are over, and may be taken away: scope and number of the grant.
    pub over: Vec<(String, u64)>,
    /// The place in the queue, if it has waited.
    pub ticket: Option<u64>,
    /// Places in the queue whose processes are gone.
    pub gone: Vec<u64>,
    /// The moment, in milliseconds of the boot-time clock.
    pub beat_ms: u64,
    /// For how long they hold, in milliseconds.
    pub ttl_ms: u64,
}

/// A place in the queue for leases.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Ticket {
    /// Lower ones came first.
    pub number: u64,
    /// Who waits.
    pub holder: Holder,
    /// For what.
    pub scopes: Vec<String>,
}

/// What a run must still have for an effect to begin.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Fence {
    /// The number of its grant.
    pub token: u64,
    /// How many leases that has, at least: another branch may be taking one more.
    pub leases: u64,
}
