//! What a plan changes: what loses something first.

use crate::model::{PlanLine, PlanResult, Symbol};

use super::outline::{Entry, What, basis, states};

/// A call that changes something.
pub(super) struct Change<'a> {
    pub(super) line: &'a PlanLine,
    /// The step or rollback in which it stands.
    pub(super) within: Option<&'a str>,
    /// How often, where branches do the same.
    pub(super) times: usize,
    /// Why it is assumed, where that is not the reason of the one before.
    because: Option<&'a str>,
}

/// The changes among the entries of a plan: those that lose something first, each kind in the order of the plan.
pub(super) fn changes<'a>(entries: &'a [Entry<'a>]) -> Vec<Change<'a>> {
    let change = |entry: &'a Entry<'a>| match entry.what {
        What::Call { line, because } if !entry.rehearsed && is_change(line) => {
            Some(Change { line, within: entry.within.as_deref(), times: entry.times, because })
        }
        _ => None,
    };
    let mut changes: Vec<Change> = entries.iter().filter_map(change).collect();
    changes.sort_by_key(|change| change.line.symbol != Symbol::Destroy);
    changes
}

fn is_change(line: &PlanLine) -> bool {
    line.impact.kind.is_change() && line.symbol != Symbol::Nothing
}

/// What a symbol says of a change.
pub(super) fn verb(symbol: Symbol) -> &'static str {
    match symbol {
        Symbol::Destroy => "destroys",
        Symbol::Create => "creates",
        _ => "changes",
    }
}

impl Change<'_> {
    /// What there is to say of it besides its line: names, and what they say.
    pub(super) fn details(&self) -> Vec<(&'static str, String)> {
        details(self.line, self.because)
    }

    /// `predicted`.
    pub(super) fn basis(&self) -> &'static str {
        basis(self.line.basis)
    }
}

/// What there is to say of a call besides its line: names, and what they say.
pub(super) fn details(line: &PlanLine, because: Option<&str>) -> Vec<(&'static str, String)> {
    let mut details = Vec::new();
    if let Some((before, after)) = states(line) {
        details.extend([("before", before.to_owned()), ("after", after.to_owned())]);
    }
    details.extend(line.notes.iter().map(|note| ("note", note.clone())));
    details.extend(because.map(|because| ("assumed", because.to_owned())));
    if let Some(took) = line.took.filter(|took| took.times > 0 && took.median_ms >= 1_000) {
        details.push(("took", super::time::of_call(took)));
    }
    if let PlanResult::Throws(fault) = &line.result {
        details.push(("fails", fault.message.clone()));
    }
    details
}
