//! How long a plan takes, as far as earlier runs tell.

use serde::{Deserialize, Serialize};

use super::Key;

/// How long a call took before.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Took {
    /// The median, in milliseconds.
    pub median_ms: u64,
    /// The longest, in milliseconds.
    pub longest_ms: u64,
    /// How many times it was measured; 0 where the runbook itself says how long it takes.
    pub times: usize,
}

/// How long a whole plan takes: its longest chain of calls.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Estimate {
    /// The sum of the medians along that chain, in milliseconds.
    pub median_ms: u64,
    /// The sum of the longest, in milliseconds.
    pub longest_ms: u64,
    /// The calls of that chain of which something is known, slowest first.
    pub critical: Vec<Slow>,
    /// Calls of the chain of which nothing is known: they are not in the sums.
    pub unknown: Vec<String>,
    /// From how many runs this was taken.
    pub runs: usize,
    /// How long a recovery may take, in milliseconds: `rto` in the front matter.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rto_ms: Option<u64>,
}

/// One call of the longest chain.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Slow {
    /// Its place in the run.
    pub key: Key,
    /// `restore primary`.
    pub call: String,
    /// How long it took before.
    pub took: Took,
}

/// Whether a recovery objective is met.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fits {
    /// Even when every call takes as long as it ever did.
    Yes,
    /// When every call takes as long as usual, and not when all take as long as they ever did.
    Usually,
    /// Not even then.
    No,
}

impl Estimate {
    /// Whether the `rto` is met; `None` without one, and where too little is known to say so.
    pub fn fits(&self) -> Option<Fits> {
        let rto = self.rto_ms?;
        Some(match () {
            () if self.median_ms > rto => Fits::No,
            // What nobody has measured may be what takes long.
            () if self.critical.is_empty() || !self.unknown.is_empty() => return None,
            () if self.longest_ms > rto => Fits::Usually,
            () => Fits::Yes,
        })
    }
}
