//! An approval: what another person than its author has signed about a saved plan.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::SavedPlan;

/// One line of the file of approvals beside a saved plan.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Approval {
    /// The version of this format.
    pub lifeboat_approval: u32,
    /// The digest of the plan.
    pub plan: String,
    /// The environment that it is for.
    pub environment: String,
    /// When it was given, UTC.
    pub at: Timestamp,
    /// Until when it counts, UTC.
    pub until: Timestamp,
    /// The SSH signature (namespace [`Approval::PURPOSE`]) of [`Approval::signed`].
    pub signature: String,
}

impl Approval {
    /// The version of the format.
    pub const FORMAT: u32 = 1;
    /// What the signature is for: a signature for anything else does not count.
    pub const PURPOSE: &str = "lifeboat-plan";

    /// An approval of a plan that is still to be signed.
    pub fn unsigned(saved: &SavedPlan, at: Timestamp, until: Timestamp) -> Self {
        let (plan, environment) = (saved.digest.clone(), saved.plan.environment.clone());
        Self { lifeboat_approval: Self::FORMAT, plan, environment, at, until, signature: String::new() }
    }

    /// The text that is signed.
    pub fn signed(&self) -> String {
        let Self { lifeboat_approval, plan, environment, at, until, .. } = self;
        format!(
            "lifeboat approval {lifeboat_approval}\nplan {plan}\nenvironment {environment}\nat {at}\nuntil {until}\n"
        )
    }
}
