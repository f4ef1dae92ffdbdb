//! A session as a list of what was typed, each with what came of it: what the runbook and the report are written from.

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

    /// Why it did not come to its end.
    pub(super) fn why(&self) -> String {
        match &self.left {
            Some(Left::Faulted(fault)) => fault.message.clone(),
            None => "it was cut short".to_owned(),
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
                    line.left = Some(how.clone());
                }
            }
            EventBody::Settled(settled) => {
                if let Some(line) = owner(&mut lines, &settled.key) {
                    line.done.push((**settled).clone());
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

/// The line to which a call belongs: a rollback to the one that undoes it.
fn owner<'a>(lines: &'a mut [Line], key: &Key) -> Option<&'a mut Line> {
    if key.in_rollback() {
        return lines.last_mut();
    }
    let text = key.to_string();
    let number: u32 = text.split('.').next()?.parse().ok()?;
    lines.iter_mut().find(|line| line.number == number)
}
