//! Which call of one plan is which of another one.

use similar::{Algorithm, DiffOp, capture_diff_slices};

use super::{Plan, PlanLine, PlanNode, ScopeKind};

/// A call of a plan, with what stands around it.
#[derive(Clone, Copy)]
pub(super) struct Flat<'a> {
    pub(super) line: &'a PlanLine,
    /// Whether it stands in a rollback that is only shown.
    pub(super) in_rollback: bool,
    /// The innermost step around it: its title, and whether it says how to undo it.
    pub(super) step: Option<(&'a str, bool)>,
}

/// The same call in two plans, or one that only one of them has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Pair {
    /// Its position in the older plan.
    pub(super) before: Option<usize>,
    /// Its position in the newer plan.
    pub(super) after: Option<usize>,
    /// Whether it comes earlier or later than it did.
    pub(super) moved: bool,
}

/// Every call of a plan, those of rollbacks that are shown among them.
pub(super) fn flat(plan: &Plan) -> Vec<Flat<'_>> {
    let mut found = Vec::new();
    walk(&plan.nodes, (false, None), &mut found);
    found
}

fn walk<'a>(nodes: &'a [PlanNode], (in_rollback, step): (bool, Option<(&'a str, bool)>), found: &mut Vec<Flat<'a>>) {
    for node in nodes {
        match node {
            PlanNode::Call(line) => found.push(Flat { line, in_rollback, step }),
            PlanNode::Scope(inner) => {
                let step = match &inner.scope.kind {
                    ScopeKind::Step { rollback, .. } => Some((inner.scope.title.as_str(), *rollback)),
                    _ => step,
                };
                let in_rollback = in_rollback || inner.scope.kind == ScopeKind::Rehearsal;
                walk(&inner.nodes, (in_rollback, step), found);
            }
        }
    }
}

/// Pairs the calls of two plans, in the order of the newer one; what is gone stands where it was.
///
/// First those that are made with the same arguments, then, between those, the ones that only have the same name; what is left over
/// on both sides has moved.
pub(super) fn align(before: &[Flat], after: &[Flat]) -> Vec<Pair> {
    let exact = |flat: &Flat| format!("{} {}", name(flat), flat.line.args);
    let exactly = |calls: &[Flat]| calls.iter().map(exact).collect::<Vec<_>>();
    let roughly = |calls: &[Flat]| calls.iter().map(name).collect::<Vec<_>>();
    let mut pairs = Vec::new();
    for (old, new, equal) in runs(&exactly(before), &exactly(after)) {
        if equal {
            pairs.extend(old.zip(new).map(|(old, new)| Pair { before: Some(old), after: Some(new), moved: false }));
            continue;
        }
        let (first, second) = (old.start, new.start);
        for (old, new, equal) in runs(&roughly(&before[old]), &roughly(&after[new])) {
            let (old, new) = (old.map(|n| n + first), new.map(|n| n + second));
            if equal {
                pairs.extend(old.zip(new).map(|(old, new)| Pair { before: Some(old), after: Some(new), moved: false }));
            } else {
                pairs.extend(old.map(|old| Pair { before: Some(old), after: None, moved: false }));
                pairs.extend(new.map(|new| Pair { before: None, after: Some(new), moved: false }));
            }
        }
    }
    unite(&mut pairs, |old, new| exact(&before[old]) == exact(&after[new]));
    unite(&mut pairs, |old, new| name(&before[old]) == name(&after[new]));
    pairs
}

/// Makes one of two that only one plan has, where they are the same call.
fn unite(pairs: &mut Vec<Pair>, same: impl Fn(usize, usize) -> bool) {
    let added: Vec<usize> = pairs.iter().filter(|pair| pair.before.is_none()).filter_map(|pair| pair.after).collect();
    for new in added {
        let gone = |pair: &Pair| pair.after.is_none() && pair.before.is_some_and(|old| same(old, new));
        if let Some(at) = pairs.iter().position(gone) {
            let old = pairs.remove(at).before;
            if let Some(pair) = pairs.iter_mut().find(|pair| pair.before.is_none() && pair.after == Some(new)) {
                (pair.before, pair.moved) = (old, true);
            }
        }
    }
}

type Range = std::ops::Range<usize>;

/// Runs of equal and of unequal names.
fn runs(before: &[String], after: &[String]) -> Vec<(Range, Range, bool)> {
    let run = |op: DiffOp| {
        let (tag, old, new) = op.as_tag_tuple();
        (old, new, tag == similar::DiffTag::Equal)
    };
    let mut found: Vec<(Range, Range, bool)> = Vec::new();
    for (old, new, equal) in capture_diff_slices(Algorithm::Myers, before, after).into_iter().map(run) {
        match found.last_mut() {
            // What is deleted and inserted side by side is one run.
            Some((last_old, last_new, false)) if !equal => {
                last_old.end = old.end;
                last_new.end = new.end;
            }
            _ => found.push((old, new, equal)),
        }
    }
    found
}

fn name(flat: &Flat) -> String {
    let back = if flat.in_rollback { "back " } else { "" };
    format!("{back}{} {}", flat.line.primitive, flat.line.impact.targets.join(","))
}
