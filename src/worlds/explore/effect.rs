//! What a call has to do with the state of its targets.

use std::sync::Arc;

use crate::model::{Impact, Invocation, Value};
use crate::primitives::{Reach, Side, Signature};

/// What a call changes, and what it says of its target.
#[derive(Debug)]
pub(super) struct Effect {
    /// What it changes.
    pub(super) targets: Vec<String>,
    /// How far that reaches.
    pub(super) reach: Reach,
    /// The sides of its target that it reads or sets.
    pub(super) sides: Vec<Side>,
}

impl Effect {
    /// That of a call which returned this, if it did; none where it neither changes anything nor says anything of its target.
    pub(super) fn of(
        call: &Invocation,
        signature: &Signature,
        impact: &Impact,
        output: Option<&Value>,
    ) -> Option<Arc<Self>> {
        let sides = signature.sides(&call.args, output);
        let counts = impact.kind.is_change() || !sides.is_empty();
        counts.then(|| Arc::new(Self { targets: impact.targets.clone(), reach: signature.reach, sides }))
    }

    /// The same, with what another end of the call would have said of what was there before.
    pub(super) fn knowing(&self, other: &Self) -> Self {
        let known = |side: &Side| {
            let same = other.sides.iter().find(|other| other.name == side.name);
            Side { before: side.before.clone().or_else(|| same?.before.clone()), ..side.clone() }
        };
        let sides = self.sides.iter().map(known).collect();
        Self { targets: self.targets.clone(), sides, ..*self }
    }

    /// Whether what it changes does no harm, and has not to be undone.
    pub(super) fn only_adds(&self) -> bool {
        self.reach == Reach::Addition
    }

    /// The sides that it sets.
    pub(super) fn sets(&self) -> impl Iterator<Item = &Side> {
        self.sides.iter().filter(|side| side.is_set())
    }
}
