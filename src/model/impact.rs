//! What a call does to the world, and in which ways it can end.

use serde::{Deserialize, Serialize};

use super::{Applied, Value};

/// What a call does.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum ImpactKind {
    /// Reads, changes nothing.
    Look,
    /// Changes a target, in a way that can be undone.
    Change,
    /// Changes a target in a way that loses something.
    Destroy,
    /// Tells people or other systems.
    Tell,
    /// Asks a person.
    Ask,
    /// Lets time pass.
    Wait,
    /// Marks a place in the run; touches nothing outside the journal.
    Mark,
}

impl ImpactKind {
    /// Whether a rollback is owed once such a call has been intended.
    pub fn is_change(self) -> bool {
        matches!(self, ImpactKind::Change | ImpactKind::Destroy)
    }
}

/// The impact of one call.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Impact {
    /// What it does.
    pub kind: ImpactKind,
    /// The targets that it reads or changes, by name.
    pub targets: Vec<String>,
}

impl Impact {
    /// An impact on one target.
    pub fn on(kind: ImpactKind, target: &str) -> Self {
        Self { kind, targets: vec![target.to_owned()] }
    }

    /// An impact without a target.
    pub fn of(kind: ImpactKind) -> Self {
        Self { kind, targets: Vec::new() }
    }
}

/// One way in which a call can end. The first case of a call is its likely one.
#[derive(Clone, Debug, PartialEq)]
pub struct Case {
    /// Its name, as `--assume` takes it: `pass`, `fail`, `none`.
    pub name: &'static str,
    /// What the script sees.
    pub result: CaseResult,
}

/// What a script sees of a [`Case`].
#[derive(Clone, Debug, PartialEq)]
pub enum CaseResult {
    /// The call returns. Fields given here are certain in this case; every other open field is unknown.
    Returns(Value),
    /// The call throws.
    Fails {
        /// The fault's code.
        code: &'static str,
        /// Whether the effect took place.
        applied: Applied,
    },
}

impl Case {
    /// A case in which the call returns, with the fields that are certain in it.
    pub fn returns(name: &'static str, certain: Value) -> Self {
        Self { name, result: CaseResult::Returns(certain) }
    }

    /// A case in which the call throws.
    pub fn fails(name: &'static str, code: &'static str, applied: Applied) -> Self {
        Self { name, result: CaseResult::Fails { code, applied } }
    }
}
