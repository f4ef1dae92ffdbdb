//! What happens when a call of a plan does not end as the plan has it.

use serde::{Deserialize, Serialize};

use super::{Key, StoryLine};

/// What happens when one call of a plan ends in another way.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct PlanFailure {
    /// The call's place in the run.
    pub key: Key,
    /// In which way it ends: one of its primitive's cases, `IN DOUBT`, or `not in time`.
    pub way: String,
    /// How the run ends then.
    pub ends: FailureEnd,
    /// Why, where it does not complete.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub why: String,
    /// The titles of the steps that are rolled back, in that order.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub rolled_back: Vec<String>,
    /// The channels to which something is told, in that order.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub told: Vec<String>,
    /// What is left changed, in its order: `restore primary (line 31)`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub left: Vec<String>,
    /// Everything that happens from there on, the call itself left out.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub then: Vec<StoryLine>,
}

/// How a run ends in which something failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum FailureEnd {
    /// At the end of the runbook, all the same.
    Completes,
    /// It fails, and nothing is left changed.
    Restored,
    /// It fails, and something is left changed.
    LeftChanged,
    /// Nobody can tell whether a change took place: a person must look.
    InDoubt,
    /// At a mistake in the runbook, or it does not end.
    Mistaken,
    /// It depends on something that is not known before the run.
    Open,
}

impl PlanFailure {
    /// Whether what comes of both is the same for a reader.
    pub fn is_like(&self, other: &Self) -> bool {
        let of =
            |failure: &Self| (failure.ends, failure.rolled_back.clone(), failure.told.clone(), failure.left.clone());
        of(self) == of(other)
    }
}
