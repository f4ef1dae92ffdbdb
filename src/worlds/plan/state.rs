//! What a plan has gathered so far, and what it can no longer observe.

use crate::config::Environment;
use crate::model::{Basis, Fault, ImpactKind, Outcome, PlanLine, PlanNode, PlanResult, PlanScope, Scope};

use super::branches::Group;

/// Why a look is not worth taking any more: the world will have changed by then.
#[derive(Clone, Debug)]
pub(super) struct Cause {
    /// What was changed; empty when time passed and anything may have.
    targets: Vec<String>,
    /// As people read it: `after restore primary at line 31`.
    pub(super) text: String,
}

impl Cause {
    pub(super) fn change(targets: Vec<String>, text: String) -> Self {
        Self { targets, text }
    }

    /// The same cause as another branch of a `parallel` sees it.
    pub(super) fn elsewhere(&self) -> Self {
        Self { text: format!("{}, in another branch", self.text), ..self.clone() }
    }

    /// Whether something was changed, rather than that time passed.
    pub(super) fn is_change(&self) -> bool {
        !self.targets.is_empty()
    }

    pub(super) fn everything(text: String) -> Self {
        Self { targets: Vec::new(), text }
    }

    pub(super) fn reaches(&self, environment: &Environment, targets: &[String]) -> bool {
        let dependent = |changed: &String, target: &String| !environment.are_independent(changed, target);
        self.targets.is_empty()
            || targets.is_empty()
            || targets.iter().any(|target| self.targets.iter().any(|changed| dependent(changed, target)))
    }
}

/// The tree as it grows.
#[derive(Default)]
pub(super) struct State {
    root: Vec<PlanNode>,
    open: Vec<PlanScope>,
    /// The `parallel`s that are open, outermost first.
    pub(super) groups: Vec<Group>,
    pub(super) causes: Vec<Cause>,
    /// How many causes there were when each rehearsal began.
    before_rehearsal: Vec<usize>,
    /// How many rehearsals are open.
    pub(super) rehearsals: usize,
    /// How many bodies of `wait_until` are open. Those of `retry` do not count: nothing is assumed of what they compare.
    pub(super) waits: usize,
    /// Which assumptions were met by a call.
    pub(super) used: Vec<bool>,
    /// How many calls were planned.
    calls: usize,
}

/// A plan has so many calls at most.
pub(super) const CALLS: usize = 20_000;

impl State {
    /// One call more; whether there may be one.
    pub(super) fn count(&mut self) -> bool {
        self.calls += 1;
        self.calls <= CALLS
    }

    /// An empty tree. `used`: one entry for each assumption.
    pub(super) fn new(used: Vec<bool>) -> Self {
        Self { used, ..Self::default() }
    }

    pub(super) fn siblings(&mut self) -> &mut Vec<PlanNode> {
        match self.open.last_mut() {
            Some(scope) => &mut scope.nodes,
            None => &mut self.root,
        }
    }

    /// The newest line there.
    pub(super) fn last_line(&mut self) -> Option<PlanLine> {
        self.siblings().iter().rev().find_map(|node| match node {
            PlanNode::Call(line) => Some((**line).clone()),
            PlanNode::Scope(_) => None,
        })
    }

    pub(super) fn add(&mut self, line: PlanLine) {
        self.siblings().push(PlanNode::Call(Box::new(line)));
    }

    pub(super) fn open(&mut self, scope: Scope) {
        self.open.push(PlanScope { scope, nodes: Vec::new(), fault: None });
    }

    pub(super) fn close(&mut self, fault: Option<Fault>) {
        if let Some(mut scope) = self.open.pop() {
            scope.fault = fault;
            self.siblings().push(PlanNode::Scope(Box::new(scope)));
        }
    }

    /// Whether everything that the body that is open has looked at was seen just now, or pinned.
    pub(super) fn is_body_seen(&mut self) -> bool {
        fn seen(node: &PlanNode) -> bool {
            match node {
                PlanNode::Call(line) => match line.impact.kind {
                    ImpactKind::Look => matches!(line.basis, Basis::Observed | Basis::Pinned),
                    kind => matches!(kind, ImpactKind::Tell | ImpactKind::Mark),
                },
                PlanNode::Scope(scope) => scope.nodes.iter().all(seen),
            }
        }
        self.siblings().iter().all(seen)
    }

    /// What the last look in the body that is open found, as people read it.
    pub(super) fn last_found(&mut self) -> Option<String> {
        let found = |node: &PlanNode| match node {
            PlanNode::Call(line) => match &line.result {
                PlanResult::Returns(value) => {
                    let detail = value.get("detail")?;
                    Some(format!("{} {}: {detail}", line.primitive, line.impact.targets.join(", ")))
                }
                PlanResult::Throws(_) => None,
            },
            PlanNode::Scope(_) => None,
        };
        self.siblings().iter().rev().find_map(found)
    }

    /// The line of a call whose body was closed just now says what came of it, and how that is known.
    pub(super) fn amend_repeated(&mut self, outcome: &Outcome, basis: Basis) {
        if let [.., PlanNode::Call(line), PlanNode::Scope(_)] = self.siblings().as_mut_slice() {
            line.basis = basis;
            line.result = match outcome.clone() {
                Ok(value) => PlanResult::Returns(value),
                Err(fault) => PlanResult::Throws(fault),
            };
        }
    }

    /// The whole tree. Scopes that a halt left open are closed.
    pub(super) fn finish(&mut self) -> Vec<PlanNode> {
        while !self.open.is_empty() {
            self.close(None);
        }
        std::mem::take(&mut self.root)
    }

    /// When a step is rolled back, everything may be different; and what its rehearsal does counts for nothing afterwards.
    pub(super) fn begin_rehearsal(&mut self) {
        self.before_rehearsal.push(self.causes.len());
        self.causes.push(Cause::everything("when the step is rolled back".to_owned()));
        self.rehearsals += 1;
    }

    pub(super) fn end_rehearsal(&mut self) {
        if let Some(count) = self.before_rehearsal.pop() {
            self.causes.truncate(count);
        }
        self.rehearsals = self.rehearsals.saturating_sub(1);
    }

    /// Why a look at `targets` cannot tell what the run will find.
    pub(super) fn stale(&self, environment: &Environment, targets: &[String]) -> Option<String> {
        self.causes.iter().find(|cause| cause.reaches(environment, targets)).map(|cause| cause.text.clone())
    }

    /// Whether the plan itself has changed one of `targets`.
    pub(super) fn has_changed(&self, targets: &[String]) -> bool {
        self.causes.iter().any(|cause| cause.targets.iter().any(|changed| targets.contains(changed)))
    }
}
