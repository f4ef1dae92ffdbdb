//! What a plan says: its calls in the order in which they end, and the rollbacks that it shows.

use lifeboat::model::{Basis, Plan, PlanLine, PlanNode, PlanResult, PlanScope, ScopeKind};

use crate::record::one_branch_after_the_other;

/// The calls of the plan's main way, in the order in which they would end: a `wait_until` after its body.
pub(crate) fn lines(plan: &Plan) -> Vec<&PlanLine> {
    let mut lines = Vec::new();
    walk(&plan.nodes, &mut lines);
    one_branch_after_the_other(&mut lines, |line| &line.key);
    lines
}

fn walk<'a>(nodes: &'a [PlanNode], lines: &mut Vec<&'a PlanLine>) {
    let mut waits: Option<&PlanLine> = None;
    for node in nodes {
        if let PlanNode::Call(line) = node {
            lines.extend(waits.take());
            if ["wait_until", "hold", "retry"].contains(&line.primitive.as_str()) {
                waits = Some(line);
            } else {
                lines.push(line);
            }
        } else if let PlanNode::Scope(scope) = node
            && scope.scope.kind != ScopeKind::Rehearsal
        {
            let of_wait = waits.is_some_and(|line| line.key == scope.scope.key);
            if !of_wait {
                lines.extend(waits.take());
            }
            walk(&scope.nodes, lines);
            lines.extend(waits.take());
        }
    }
    lines.extend(waits);
}

/// The calls of the rollbacks that the plan shows for the steps that go well, in the order in which they are undone: the step that was
/// entered last comes first.
pub(crate) fn rehearsed(plan: &Plan) -> Vec<&PlanLine> {
    let mut found = Vec::new();
    rehearsals(&plan.nodes, &mut found);
    found.sort_by(|one, other| other.scope.key.cmp(&one.scope.key));
    let mut lines = Vec::new();
    for scope in found {
        walk(&scope.nodes, &mut lines);
    }
    lines
}

fn rehearsals<'a>(nodes: &'a [PlanNode], found: &mut Vec<&'a PlanScope>) {
    for node in nodes {
        let PlanNode::Scope(scope) = node else { continue };
        if scope.scope.kind == ScopeKind::Rehearsal {
            found.push(scope);
        } else {
            rehearsals(&scope.nodes, found);
        }
    }
}

/// A line in short: how it is known, the call, its targets, and the code of the fault that it throws.
pub(crate) fn short(line: &PlanLine) -> String {
    let mut text = format!("{} {}", basis(line.basis), line.primitive);
    for target in &line.impact.targets {
        text.push(' ');
        text.push_str(target);
    }
    if let PlanResult::Throws(fault) = &line.result {
        text.push_str(": ");
        text.push_str(&fault.code);
    }
    text
}

/// The word for how a line is known.
pub(crate) fn basis(basis: Basis) -> &'static str {
    match basis {
        Basis::Observed => "observed",
        Basis::Predicted => "predicted",
        Basis::Assumed => "assumed",
        Basis::Pinned => "pinned",
    }
}
