//! A plan in a file: what a reviewer reads and approves, and what a run is held to.

use serde::{Deserialize, Serialize};

use super::Plan;

/// A plan in a file. Its format is documented in `docs/src/saved-plans.md`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct SavedPlan {
    /// The version of this format.
    pub lifeboat_plan: u32,
    /// SHA-256 (hex) of everything else: of its JSON, without this member and without white space, members by name.
    pub digest: String,
    /// The version of Lifeboat that made it.
    pub version: String,
    /// Who made it, as `user@host`.
    pub by: String,
    /// The values given for parameters, as text.
    pub given: Vec<(String, String)>,
    /// The plan.
    pub plan: Plan,
}

impl SavedPlan {
    /// The version of the format.
    pub const FORMAT: u32 = 1;

    /// The first characters of the digest: what people compare.
    pub fn short(&self) -> &str {
        self.digest.get(..12).unwrap_or(&self.digest)
    }
}
