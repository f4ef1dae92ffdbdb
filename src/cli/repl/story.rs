//! A session as a list of what was typed, each with what came of it: what the runbook and the report are written from.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;

use crate::model::{Event, EventBody, Foreseen, Impact, ImpactKind, Key, Left, ScopeKind, Settlement};

/// Something that was typed.
#[derive(Clone, Debug)]
pub(super) struct Line {
    pub(super) number: u32,
    pub(super) armed: bool,
    pub(super) text: String,
    pub(super) at: Timestamp,
    /// How it ended; nothing where it was cut short.
    pub(super) left: Option<Left>,
    /// What took place or was looked at, in order.
    pub(super) done: Vec<Settlement>,
    /// What was only planned.
    pub(super) planned: Vec<Foreseen>,
    /// The titles of steps that were rolled back.
    pub(super) undone: Vec<String>,
    /// The keys of these rollbacks.
    pub(super) undone_keys: Vec<Key>,
}

impl Line {
    /// Whether it is a command or a remark rather than a part of a runbook.
    pub(super) fn is_command(&self) -> bool {
        super::editor::is_command(&self.text)
    }

    /// Whether it came to its end.
    pub(super) fn went_well(&self) -> bool {
        matches!(self.left, Some(Left::Completed { .. }))
    }

    /// Whether something was changed or told, as far as that is known.
    pub(super) fn acted(&self) -> bool {
        self.done.iter().any(acts)
    }

    /// Whether it would have changed or told something, had the session been armed.
    pub(super) fn only_planned(&self) -> bool {
        !self.armed && self.planned.iter().any(|call| call.impact.kind.is_change() || is_message(&call.impact))
    }

    /// How it did not come to its end. What ended with its console has not failed.
    pub(super) fn came_to_nothing(&self, failed: &str) -> String {
        if self.was_cut() { self.why() } else { format!("{failed}: {}", self.why()) }
    }

    /// Whether its console ended while it was under way.
    pub(super) fn was_cut(&self) -> bool {
        self.left.is_none()
    }

    /// Whether it was only planned, and typed again later so that it took place.
    pub(super) fn made_so_later(&self, all: &[Line]) -> bool {
        let again = |other: &Line| other.armed && other.number > self.number && other.text.trim() == self.text.trim();
        self.only_planned() && all.iter().any(again)
    }

    /// Why it did not come to its end.
    pub(super) fn why(&self) -> String {
        match &self.left {
            Some(Left::Faulted(fault)) => fault.message.clone(),
            None => "cut short: the console ended".to_owned(),
            _ => "it was stopped".to_owned(),
        }
    }
}

/// Whether a call did more than look or wait.
pub(super) fn acts(call: &Settlement) -> bool {
    let kind = call.impact.kind;
    (kind.is_change() || kind == ImpactKind::Tell) && !call.is_refusal()
}

/// Whether others are told something. Whoever types reads what is logged at once, dry or not.
pub(super) fn is_message(impact: &Impact) -> bool {
    impact.kind == ImpactKind::Tell && !impact.targets.is_empty()
}

/// What was typed, in its order.
pub(super) fn lines(events: &[Event]) -> Vec<Line> {
    let mut lines: Vec<Line> = Vec::new();
    let mut cut: BTreeSet<u32> = BTreeSet::new();
    let mut begun: BTreeMap<&Key, Timestamp> = BTreeMap::new();
    for event in events {
        match &event.body {
            EventBody::Entered { scope } => {
                if let ScopeKind::Input { armed } = scope.kind {
                    let number = scope.key.to_string().parse().unwrap_or(0);
                    // Taken up again, what was cut short is entered once more.
                    if lines.iter().all(|line| line.number != number) {
                        let (text, at) = (scope.title.clone(), event.at);
                        let (left, undone, undone_keys) = (None, Vec::new(), Vec::new());
                        let (done, planned) = (Vec::new(), Vec::new());
                        lines.push(Line { number, armed, text, at, left, done, planned, undone, undone_keys });
                    }
                }
                if scope.kind == ScopeKind::Rollback
                    && let Some(line) = lines.last_mut()
                {
                    line.undone.push(scope.title.clone());
                    line.undone_keys.push(scope.key.clone());
                }
            }
            EventBody::Left { key, how } => {
                if let Some(line) = lines.iter_mut().find(|line| key.to_string() == line.number.to_string()) {
                    // What its console left behind is halted once more by the one that takes it up: that is not how it ended.
                    line.left = Some(how.clone()).filter(|how| *how != Left::Halted || !cut.contains(&line.number));
                }
            }
            EventBody::Resumed { process: Some(_), .. } => {
                cut.extend(lines.iter().filter(|line| line.left.is_none()).map(|line| line.number));
            }
            EventBody::Intended { key, .. } => {
                begun.insert(key, event.at);
            }
            EventBody::Settled(settled) => {
                if let Some(line) = owner(&mut lines, &settled.key) {
                    let mut call = (**settled).clone();
                    // Somebody said so later: it began when it was made.
                    call.began = begun.get(&call.key).filter(|_| call.person().is_some()).map_or(call.began, |at| *at);
                    line.done.push(call);
                }
            }
            EventBody::Foreseen(foreseen) if !foreseen.key.in_rollback() => {
                if let Some(line) = owner(&mut lines, &foreseen.key) {
                    line.planned.push((**foreseen).clone());
                }
            }
            _ => {}
        }
    }
    lines
}

/// A session that was taken up again.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct TakenUp {
    pub(super) at: Timestamp,
    pub(super) by: String,
    /// When its console was last heard of, where nobody had ended the session.
    pub(super) died_after: Option<Timestamp>,
}

/// Each time that it was taken up again.
pub(super) fn taken_up(events: &[Event]) -> Vec<TakenUp> {
    let mut taken = Vec::new();
    let mut heard: Option<Timestamp> = None;
    for event in events {
        match &event.body {
            EventBody::Resumed { by, process: Some(_), .. } => {
                taken.push(TakenUp { at: event.at, by: by.clone(), died_after: heard.replace(event.at) });
            }
            // That may be said from elsewhere, while no console is there.
            EventBody::Resumed { process: None, .. } => {}
            EventBody::Settled(settled) if settled.person().is_some() => {}
            EventBody::Ended { .. } => heard = None,
            _ => heard = Some(event.at),
        }
    }
    taken
}

/// The line to which a call belongs: a rollback to the one that undoes it.
fn owner<'a>(lines: &'a mut [Line], key: &Key) -> Option<&'a mut Line> {
    if key.in_rollback() {
        return lines.last_mut();
    }
    let text = key.to_string();
    let number: u32 = text.split('.').next()?.parse().ok()?;
    lines.iter_mut().find(|line| line.number == number)
}
