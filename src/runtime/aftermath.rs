//! In which state a run leaves the world: what it changed, and what of that was undone.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Mutex;

use crate::model::{Applied, Event, EventBody, Impact, ImpactKind, Key, Left, ScopeKind, Site};
use crate::worlds::Listener;

/// In which state a run leaves the world.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Aftermath {
    /// Changes of which nobody knows whether they took place, in their order.
    pub in_doubt: Vec<LeftChange>,
    /// Changes that took place and were not rolled back, in their order.
    pub left: Vec<LeftChange>,
    /// How many changes took place in all, those of rollbacks not counted.
    pub changes: usize,
    /// Calls that failed and that a person skipped, in their order: primitive and place.
    pub skipped: Vec<String>,
    /// Why there was no way back from some place on; the run passed it.
    pub no_return: Option<String>,
    /// Titles of the steps that were rolled back, in their order.
    pub rolled_back: Vec<String>,
    /// Titles of the steps whose rollback failed.
    pub failed_rollbacks: Vec<String>,
}

/// A change that is left, or may be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LeftChange {
    /// The call.
    pub key: Key,
    /// The primitive.
    pub primitive: String,
    /// What it changed.
    pub impact: Impact,
    /// Its place in the script.
    pub site: Site,
}

impl Aftermath {
    /// What the events of a run add up to, in the order in which they were recorded.
    pub fn of(events: &[Event]) -> Self {
        Collector::of(events).aftermath()
    }

    /// The same of a run whose process is gone: what it had begun and has no outcome is in doubt.
    pub fn of_interrupted(events: &[Event]) -> Self {
        Collector::of(events).conclusion()
    }

    /// Whether nothing is left changed.
    pub fn is_clean(&self) -> bool {
        self.in_doubt.is_empty() && self.left.is_empty() && self.failed_rollbacks.is_empty()
    }

    /// One line that says in which state the world is.
    pub fn sentence(&self) -> String {
        if self.changes == 0 && self.is_clean() {
            return "nothing was changed".to_owned();
        }
        let list = |changes: &[LeftChange]| changes.iter().map(LeftChange::describe).collect::<Vec<_>>().join(", ");
        let mut parts = Vec::new();
        if !self.in_doubt.is_empty() {
            parts.push(format!("in doubt: {}", list(&self.in_doubt)));
        }
        if !self.rolled_back.is_empty() {
            parts.push(format!("rolled back: {}", counted(&self.rolled_back)));
        }
        if !self.failed_rollbacks.is_empty() {
            parts.push(format!("rollback FAILED: {}", counted(&self.failed_rollbacks)));
        }
        match (self.left.is_empty(), self.is_clean()) {
            (false, _) => parts.push(format!("left changed: {}", list(&self.left))),
            (true, true) => parts.push("nothing is left changed".to_owned()),
            // What is in doubt, or half undone, may be left.
            (true, false) => {}
        }
        if let Some(why) = self.no_return.as_ref().filter(|_| !self.is_clean()) {
            parts.push(format!("past the point of no return: {why}"));
        }
        parts.join("; ")
    }
}

/// Titles of steps in their order, equal ones once: `Verify, Deploy (198 times)`.
pub(crate) fn counted(titles: &[String]) -> String {
    let mut counts: Vec<(&String, usize)> = Vec::new();
    for title in titles {
        match counts.iter_mut().find(|(known, _)| *known == title) {
            Some((_, count)) => *count += 1,
            None => counts.push((title, 1)),
        }
    }
    let shown = counts.iter().map(|(title, count)| match count {
        1 => (*title).clone(),
        count => format!("{title} ({count} times)"),
    });
    shown.collect::<Vec<_>>().join(", ")
}

impl LeftChange {
    fn describe(&self) -> String {
        // What was typed has the number of its input for a name.
        let place = match (self.site.file.starts_with('['), self.site.line) {
            (true, 1) => self.site.file.to_string(),
            (true, line) => format!("{}, line {line}", self.site.file),
            (false, line) => format!("line {line}"),
        };
        format!("{} {} ({place})", self.primitive, self.impact.targets.join(", "))
    }
}

/// Follows a run's events.
#[derive(Default)]
pub(super) struct Collector(Mutex<State>);

#[derive(Default)]
struct State {
    /// Open steps, in the order in which they began.
    open: Vec<Key>,
    titles: BTreeMap<Key, String>,
    /// Changes with the steps around them.
    changes: Vec<(LeftChange, Vec<Key>)>,
    /// Calls that failed, as people know them.
    failures: BTreeMap<Key, String>,
    skipped: Vec<String>,
    no_return: Option<String>,
    /// What was intended and has no outcome, with the steps around it; one in each branch. What is settled later, by a person, stands
    /// in the steps in which it was intended.
    intended: BTreeMap<Key, (LeftChange, Vec<Key>)>,
    in_doubt: Vec<LeftChange>,
    /// The same by key.
    doubts: BTreeMap<Key, (LeftChange, Vec<Key>)>,
    /// Steps whose rollback went well, or failed, in their order.
    undone: Vec<Key>,
    failed: Vec<Key>,
}

impl State {
    /// The open steps around a call.
    fn around(&self, key: &Key) -> Vec<Key> {
        self.open.iter().filter(|step| step.encloses(key)).cloned().collect()
    }

    /// What was intended there is in doubt.
    fn doubt(&mut self, key: &Key) {
        if let Some(doubtful) = self.intended.remove(key) {
            self.in_doubt.push(doubtful.0.clone());
            self.doubts.insert(key.clone(), doubtful);
        }
    }

    /// The run goes on no further: what has no outcome now gets none.
    fn doubt_what_is_open(&mut self) {
        let open: Vec<Key> = self.intended.keys().cloned().collect();
        for key in &open {
            self.doubt(key);
        }
    }
}

impl Listener for Collector {
    fn on_event(&self, event: &Event) {
        let mut state = self.0.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        let mut around = None;
        if let EventBody::Settled(settled) = &event.body {
            around = state.intended.remove(&settled.key).map(|(_, around)| around);
            if settled.outcome.is_err() {
                state.failures.insert(settled.key.clone(), format!("{} ({})", settled.primitive, settled.site));
            }
            if settled.primitive == "point_of_no_return" {
                state.no_return = settled.args.as_ref().and_then(|args| args.get("why")).map(ToString::to_string);
            }
        }
        match &event.body {
            // What was open is entered again, unless it is over; what was in doubt is settled now, or is in doubt again.
            EventBody::Resumed { .. } => {
                state.open.clear();
                let doubtful = std::mem::take(&mut state.doubts);
                state.intended.extend(doubtful);
                state.in_doubt.clear();
            }
            EventBody::Entered { scope } => {
                if matches!(scope.kind, ScopeKind::Step { .. }) {
                    state.titles.insert(scope.key.clone(), scope.title.clone());
                    state.open.push(scope.key.clone());
                }
            }
            EventBody::Left { key, how } => {
                if let Some(step) = key.rolled_back_step() {
                    match how {
                        Left::Completed { .. } => {
                            state.failed.retain(|failed| *failed != step);
                            state.undone.push(step);
                        }
                        Left::Faulted(_) | Left::Halted | Left::Stopped => state.failed.push(step),
                    }
                } else {
                    key.close(&mut state.open);
                }
            }
            EventBody::Intended { key, primitive, impact, site, .. } => {
                let (primitive, impact, site) = (primitive.clone(), impact.clone(), site.clone());
                let (around, change) = (state.around(key), LeftChange { key: key.clone(), primitive, impact, site });
                state.intended.insert(key.clone(), (change, around));
            }
            EventBody::Decided { key, decision, .. } if decision == "skip" => {
                let skipped = state.failures.remove(key);
                state.skipped.extend(skipped);
            }
            EventBody::InDoubt { key, .. } => state.doubt(key),
            EventBody::Ended { .. } => state.doubt_what_is_open(),
            EventBody::Settled(settled) if settled.impact.kind.is_change() && !settled.key.in_rollback() => {
                let took_place = match &settled.outcome {
                    Ok(_) => true,
                    Err(fault) => fault.applied != Applied::No,
                };
                // A look by a primitive that may also change is settled as a look; what remains are changes.
                if took_place && settled.impact.kind != ImpactKind::Look {
                    let change = LeftChange {
                        key: settled.key.clone(),
                        primitive: settled.primitive.clone(),
                        impact: settled.impact.clone(),
                        site: settled.site.clone(),
                    };
                    let around = around.unwrap_or_else(|| state.around(&settled.key));
                    state.changes.push((change, around));
                }
            }
            _ => {}
        }
    }
}

impl Collector {
    /// One that has heard these events already.
    pub(super) fn of(events: &[Event]) -> Self {
        let collector = Self::default();
        for event in events {
            collector.on_event(event);
        }
        collector
    }

    /// What the events of a run add up to that goes on no further.
    pub(super) fn conclusion(&self) -> Aftermath {
        self.0.lock().unwrap_or_else(std::sync::PoisonError::into_inner).doubt_what_is_open();
        self.aftermath()
    }

    /// What the events so far add up to.
    pub(super) fn aftermath(&self) -> Aftermath {
        let state = self.0.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        let undone: BTreeSet<&Key> = state.undone.iter().collect();
        let left = state.changes.iter().filter(|(_, around)| !around.iter().any(|step| undone.contains(step)));
        let titles = |keys: &[Key]| keys.iter().filter_map(|key| state.titles.get(key).cloned()).collect();
        Aftermath {
            in_doubt: state.in_doubt.clone(),
            left: left.map(|(change, _)| change.clone()).collect(),
            skipped: state.skipped.clone(),
            no_return: state.no_return.clone(),
            changes: state.changes.len(),
            rolled_back: titles(&state.undone),
            failed_rollbacks: titles(&state.failed),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_change_is_named_by_its_line_or_by_what_was_typed() {
        let told = |file: &str, line| {
            let (key, impact) =
                (Key::ROOT, Impact { targets: vec!["web".to_owned()], ..Impact::of(ImpactKind::Change) });
            let site = Site { file: file.into(), line, column: 1 };
            LeftChange { key, primitive: "maintenance".to_owned(), impact, site }.describe()
        };
        assert_eq!(told("runbooks/a.rhai", 7), "maintenance web (line 7)");
        assert_eq!(told("[9]", 1), "maintenance web ([9])");
        assert_eq!(told("[9]", 2), "maintenance web ([9], line 2)");
    }
}
