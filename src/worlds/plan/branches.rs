//! The branches of a `parallel`, which a plan takes one after the other although they will go on at the same time.
//!
//! What one of them changes may have been changed, or not, when another one looks. So no look of a branch is a fact that
//! anything another branch changes could have made different, whichever of the two the plan takes first.

use crate::config::Environment;
use crate::model::{Basis, ImpactKind, PlanNode, ScopeKind};

use super::state::{Cause, State};

/// A `parallel` that is open.
#[derive(Default)]
pub(super) struct Group {
    at_most: usize,
    /// How many causes there were when it began.
    before: usize,
    /// How many there were when the branch that is open began, with those of other branches; between branches how many there are of
    /// all of them.
    own_from: usize,
    /// What each branch that is over has caused.
    caused: Vec<Vec<Cause>>,
}

impl State {
    /// A `parallel` begins.
    pub(super) fn begin_group(&mut self, at_most: usize) {
        self.groups.push(Group { at_most, before: self.causes.len(), ..Group::default() });
    }

    /// Its next branch begins: as if no time had passed, if it goes on at the same time as those before it.
    pub(super) fn begin_branch(&mut self) {
        let Some(group) = self.groups.last_mut() else { return };
        let waits = group.caused.len() >= group.at_most;
        self.causes.truncate(group.before);
        let seen = group.caused.iter().flatten().filter(|cause| waits || cause.is_change());
        self.causes.extend(seen.map(Cause::elsewhere));
        group.own_from = self.causes.len();
    }

    /// That branch is over.
    pub(super) fn end_branch(&mut self) {
        let Some(group) = self.groups.last_mut() else { return };
        let own = self.causes.split_off(group.own_from.min(self.causes.len()));
        self.causes.truncate(group.before);
        group.caused.push(own);
        // Where a branch has failed, what all of them did is undone before the `parallel` is over.
        self.causes.extend(group.caused.iter().flatten().cloned());
        group.own_from = self.causes.len();
    }

    /// The `parallel` is over, and closed: what later branches change takes its certainty from what earlier ones found.
    pub(super) fn end_group(&mut self, environment: &Environment) {
        let Some(mut group) = self.groups.pop() else { return };
        let mut later: Vec<Cause> = Vec::new();
        let caused = std::mem::take(&mut group.caused);
        if let Some(PlanNode::Scope(closed)) = self.siblings().last_mut() {
            let branches = closed.nodes.iter_mut().zip(&caused).rev();
            for (branch, own) in branches {
                doubt(branch, &later, environment);
                later.extend(own.iter().filter(|cause| cause.is_change()).map(Cause::elsewhere));
            }
        }
        let undone = self.causes.split_off(group.own_from.min(self.causes.len()));
        self.causes.truncate(group.before);
        self.causes.extend(caused.into_iter().flatten().chain(undone));
    }
}

/// Whatever one of `causes` reaches is assumed.
fn doubt(node: &mut PlanNode, causes: &[Cause], environment: &Environment) {
    match node {
        PlanNode::Call(line) => {
            // Marks and updates are what they are, whatever was changed.
            let sure = line.impact.kind == ImpactKind::Mark || line.primitive == "during";
            if sure || !matches!(line.basis, Basis::Observed | Basis::Predicted) {
                return;
            }
            if let Some(cause) = causes.iter().rev().find(|cause| cause.reaches(environment, &line.impact.targets)) {
                line.basis = Basis::Assumed;
                line.because = Some(cause.text.clone());
            }
        }
        // Nothing in a rehearsal is taken for a fact in any case.
        PlanNode::Scope(scope) if scope.scope.kind == ScopeKind::Rehearsal => {}
        PlanNode::Scope(scope) => scope.nodes.iter_mut().for_each(|node| doubt(node, causes, environment)),
    }
}
