//! What is left changed when a path is over: what no rollback undid, and what a rollback did not put back.

use crate::primitives::{Reach, Side};

use super::effect::Effect;
use super::ledger::{Held, Ledger, Standing};
use super::{Call, Path, Step};

/// A change that is left when a path is over.
#[derive(Clone, Copy, Debug)]
pub struct Left<'p> {
    /// The call that has made it.
    pub call: &'p Call,
    /// Whether a rollback came to its end that was to undo it.
    pub rolled_back: bool,
}

impl Path {
    /// What is changed when it is over, in the order of the calls: what took place and was not undone with its step, and what the
    /// rollback of its step has not put back.
    pub fn left(&self) -> Vec<Left<'_>> {
        if !self.calls().any(|call| call.changed) {
            return Vec::new();
        }
        let ledger = Ledger::of(self);
        let left = |(n, call): (usize, &'_ Call)| {
            let kept = self.is_kept(call);
            kept || call.changed && (self.is_not_put_back(&ledger, call) || self.is_moved_by(&ledger, (n, call)))
        };
        let calls = self.visits.iter().enumerate().filter_map(|(n, visit)| Some((n, visit.call()?)));
        let left = calls.filter(|call| left(*call));
        left.map(|(_, call)| Left { call, rolled_back: !self.is_kept(call) }).collect()
    }

    /// Whether anything is.
    pub(super) fn leaves_something(&self) -> bool {
        self.calls().any(|call| self.is_kept(call)) || !self.left().is_empty()
    }

    /// Whether a call has changed something that no rollback was to undo, or one that did not come to its end.
    pub(super) fn is_kept(&self, call: &Call) -> bool {
        call.changed && !call.undoing && !self.around(call).any(|step| step.undone)
    }

    /// Whether a rollback came to its end that was to undo the call, and did not.
    fn is_not_put_back(&self, ledger: &Ledger, call: &Call) -> bool {
        let Some(effect) = call.effect.as_deref().filter(|effect| !call.undoing && !effect.only_adds()) else {
            return false;
        };
        let Some(target) = call.target.as_deref().filter(|_| effect.sets().next().is_some()) else {
            return !self.undoing(call).any(|(_, undoing)| reaches(undoing, effect));
        };
        decisive(effect).any(|side| match ledger.standing(target, &side.name) {
            Standing::AsItWas => false,
            Standing::Moved => true,
            // It was something else before: the call has changed it.
            Standing::Open if ledger.is_what_is_set(target, side) => true,
            Standing::Open => !self.undoing(call).any(|(call, undoing)| {
                undoing.reach == Reach::Anything || call.target.as_deref() == Some(target) && sets(undoing, side)
            }),
        })
    }

    /// Whether a call of a rollback has brought a side to what it was not, and nothing else that is left has.
    fn is_moved_by(&self, ledger: &Ledger, (n, call): (usize, &Call)) -> bool {
        let moved = |target: &str, side: &Side| {
            let forward = |other: &&Call| other.changed && !other.undoing && other.target.as_deref() == Some(target);
            let set = |other: &Call| other.effect.as_deref().is_some_and(|effect| sets(effect, side));
            let by_it = |held: &Held| held.set_by == Some(n) && held.target == target && held.name == side.name;
            ledger.held.iter().any(by_it)
                && ledger.standing(target, &side.name) == Standing::Moved
                && !self.calls().filter(forward).any(set)
        };
        match (call.effect.as_deref(), call.target.as_deref()) {
            (Some(effect), Some(target)) if call.undoing => decisive(effect).any(|side| moved(target, side)),
            _ => false,
        }
    }

    /// The changes that the rollbacks have made which were to undo a call.
    fn undoing<'p>(&'p self, call: &Call) -> impl Iterator<Item = (&'p Call, &'p Effect)> {
        let rollbacks = self.around(call).filter(|step| step.undone).map(|step: &Step| step.rollback.clone());
        let calls = rollbacks.flat_map(|range| self.visits.get(range).unwrap_or_default());
        let calls = calls.filter_map(|visit| visit.call()).filter(|call| call.changed || !call.failed);
        let changes = calls.filter(|call| call.kind.is_change());
        changes.filter_map(|call| Some((call, call.effect.as_deref()?))).filter(|(_, effect)| !effect.only_adds())
    }
}

/// The sides by which one can tell whether a call was undone. What stands for the whole of a target changes with every change of it.
fn decisive(effect: &Effect) -> impl Iterator<Item = &Side> {
    let only_whole = effect.sets().all(|side| side.name == Side::WHOLE);
    effect.sets().filter(move |side| only_whole || side.name != Side::WHOLE)
}

/// Whether a call sets some of this side of its target.
fn sets(effect: &Effect, side: &Side) -> bool {
    effect.sets().any(|other| Side::overlap(&other.name, &side.name))
}

/// Whether a change may undo what another one has done.
fn reaches(undoing: &Effect, effect: &Effect) -> bool {
    let anything = undoing.reach == Reach::Anything || effect.reach == Reach::Anything;
    anything || undoing.targets.iter().any(|target| effect.targets.contains(target))
}
