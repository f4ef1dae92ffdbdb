//! What is known of the targets of a path when it is over, side by side: what they were when it began, and what they are now.
//!
//! What nobody knows has a name: two values with the same name are the same. So `deploy` to the version that `version` gave before is a
//! way back, whichever version that is.

use crate::model::{Unknown, Value};
use crate::primitives::{After, Reach, Side};

use super::{Call, Path};

/// Whether a side is what it was.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Standing {
    /// It is.
    AsItWas,
    /// It is not.
    Moved,
    /// Nobody can tell.
    Open,
}

/// One side of a target.
pub(super) struct Held<'p> {
    pub(super) target: &'p str,
    pub(super) name: &'p str,
    /// What it was when the path began.
    began: Value,
    /// What it was made since without a way back.
    base: Option<Value>,
    now: Value,
    /// What else it was found to be before the path has set it: somebody else was there meanwhile.
    found: Vec<Value>,
    alike: fn(&Value, &Value) -> bool,
    /// The position in [`Path::visits`] of the call that has set it.
    pub(super) set_by: Option<usize>,
}

impl Held<'_> {
    /// What it is if all is undone that has a way back.
    fn base(&self) -> &Value {
        self.base.as_ref().unwrap_or(&self.began)
    }
}

/// What a target was when the whole of it had this value.
struct Snapshot<'p> {
    target: &'p str,
    whole: Value,
    sides: Vec<(&'p str, Value)>,
}

/// The sides that a path reads and sets.
#[derive(Default)]
pub(super) struct Ledger<'p> {
    pub(super) held: Vec<Held<'p>>,
    snapshots: Vec<Snapshot<'p>>,
    /// Names of values that turned out to be known, or to be another's.
    aliases: Vec<(Value, Value)>,
    names: usize,
}

impl<'p> Ledger<'p> {
    /// What a path adds up to.
    pub(super) fn of(path: &'p Path) -> Self {
        let mut ledger = Self::default();
        let calls = || path.visits.iter().enumerate().filter_map(|(n, visit)| Some((n, visit.call()?)));
        // Of what no call has changed, nobody asks.
        let is_changed = |target: &str| calls().any(|(_, call)| call.changed && call.target.as_deref() == Some(target));
        let mut targets: Vec<(&str, bool)> = Vec::new();
        for (n, call) in calls().filter(|(_, call)| call.effect.is_some()) {
            let target = call.target.as_deref().unwrap_or_default();
            let known = targets.iter().find(|(known, _)| *known == target).map(|(_, counts)| *counts);
            let counts = known.unwrap_or_else(|| is_changed(target));
            if known.is_none() {
                targets.push((target, counts));
            }
            if counts {
                ledger.add(path, n, call);
            }
        }
        ledger
    }

    fn add(&mut self, path: &Path, n: usize, call: &'p Call) {
        let Some(effect) = &call.effect else { return };
        if let Some(target) = call.target.as_deref() {
            for side in &effect.sides {
                // What a rollback meets may be what the path itself has made, by a call of which nobody knows how far it came.
                let from_rollback = call.undoing && self.position(target, &side.name).is_some();
                self.learn(target, side, from_rollback);
            }
        }
        let takes_place = call.kind.is_change() && (call.changed || !call.failed);
        if !takes_place {
            return;
        }
        if effect.reach == Reach::Anything {
            for at in 0..self.held.len() {
                self.held[at].now = self.nobody_knows();
            }
        }
        let Some(target) = call.target.as_deref() else { return };
        for side in effect.sets() {
            let at = self.set(target, side);
            self.held[at].set_by = Some(n);
            if path.is_kept(call) {
                let held = &mut self.held[at];
                held.base = Some(held.now.clone());
            }
        }
    }

    /// A call says what a side was before.
    fn learn(&mut self, target: &'p str, side: &'p Side, from_rollback: bool) {
        let at = self.held(target, side);
        if let Some(found) = side.before.as_ref().map(|found| self.resolved(found)) {
            let now = self.resolved(&self.held[at].now);
            match (&now, &found) {
                (Value::Unknown(_), _) if now != found && !from_rollback => self.aliases.push((now, found)),
                (_, Value::Unknown(_)) if now != found => self.aliases.push((found, now)),
                // Once the path has set it, what others do meanwhile does not count.
                _ if now != found && self.held[at].set_by.is_none() => self.held[at].found.push(found),
                _ => {}
            }
        }
        if side.name == Side::WHOLE {
            self.remember(target, at);
        }
    }

    fn set(&mut self, target: &'p str, side: &'p Side) -> usize {
        let at = self.held(target, side);
        let before = self.resolved(&self.held[at].now);
        let now = match side.value_after(Some(&before)) {
            Some(now) => self.resolved(&now),
            None => self.nobody_knows(),
        };
        if let After::Again(_) = side.after {
            self.go_back(target, &now);
        } else if side.name != Side::WHOLE {
            // What lies in it or around it is another thing now.
            for other in 0..self.held.len() {
                let held = &self.held[other];
                let beside = other != at && held.target == target && held.name != Side::WHOLE;
                if beside && Side::overlap(held.name, &side.name) {
                    self.held[other].now = self.nobody_knows();
                }
            }
        }
        self.held[at].now = now;
        if side.name == Side::WHOLE {
            self.remember(target, at);
        }
        at
    }

    /// All sides of a target are what they were when the whole of it was this.
    fn go_back(&mut self, target: &str, whole: &Value) {
        let known =
            self.snapshots.iter().rposition(|then| then.target == target && self.resolved(&then.whole) == *whole);
        for at in 0..self.held.len() {
            let held = &self.held[at];
            if held.target != target || held.name == Side::WHOLE {
                continue;
            }
            let then = known.map(|known| {
                let sides = &self.snapshots[known].sides;
                // What was not touched yet was what it was in the beginning.
                sides.iter().find(|(name, _)| *name == held.name).map_or_else(|| held.base(), |(_, then)| then).clone()
            });
            self.held[at].now = then.unwrap_or_else(|| self.nobody_knows());
        }
    }

    /// Remembers what the sides of a target are while the whole of it, which is held there, is what it is.
    fn remember(&mut self, target: &'p str, whole: usize) {
        let sides = self.held.iter().filter(|held| held.target == target && held.name != Side::WHOLE);
        let sides = sides.map(|held| (held.name, held.now.clone())).collect();
        self.snapshots.push(Snapshot { target, whole: self.held[whole].now.clone(), sides });
    }

    /// Where a side is held; from now on, if it was not.
    fn held(&mut self, target: &'p str, side: &'p Side) -> usize {
        if let Some(at) = self.position(target, &side.name) {
            return at;
        }
        let began = self.nobody_knows();
        let (now, found) = (began.clone(), Vec::new());
        let alike = side.alike;
        self.held.push(Held { target, name: &side.name, began, base: None, now, found, alike, set_by: None });
        self.held.len() - 1
    }

    fn position(&self, target: &str, name: &str) -> Option<usize> {
        self.held.iter().position(|held| held.target == target && held.name == name)
    }

    /// A value of which only this is known: that it is this one.
    fn nobody_knows(&mut self) -> Value {
        self.names += 1;
        Value::Unknown(Unknown::text(format!("{}", self.names)))
    }

    fn resolved(&self, value: &Value) -> Value {
        let alias = |value: &Value| self.aliases.iter().find(|(name, _)| name == value).map(|(_, known)| known);
        let mut known = value;
        while let Value::Unknown(_) = known
            && let Some(other) = alias(known)
        {
            known = other;
        }
        known.clone()
    }

    /// Whether this side of a target is what it was, apart from what was changed without a way back.
    pub(super) fn standing(&self, target: &str, name: &str) -> Standing {
        let Some(at) = self.position(target, name) else { return Standing::Open };
        let held = &self.held[at];
        match &held.base {
            Some(base) => self.compared(held, base),
            None => self.since_it_began(held),
        }
    }

    /// Whether a side is what it was when the path began.
    pub(super) fn since_it_began(&self, held: &Held) -> Standing {
        let found = held.found.iter().map(|found| self.compared(held, found));
        let all = found.chain([self.compared(held, &held.began)]);
        all.reduce(|one, other| if one == Standing::AsItWas { one } else { other }).unwrap_or(Standing::Open)
    }

    fn compared(&self, held: &Held, then: &Value) -> Standing {
        let (then, now) = (self.resolved(then), self.resolved(&held.now));
        if then == now || (held.alike)(&then, &now) {
            Standing::AsItWas
        } else if is_certain(&then) && is_certain(&now) {
            Standing::Moved
        } else {
            Standing::Open
        }
    }

    /// Whether a side of a target is what a call has set it to.
    pub(super) fn is_what_is_set(&self, target: &str, side: &Side) -> bool {
        let (After::Is(set), Some(at)) = (&side.after, self.position(target, &side.name)) else { return false };
        let (set, now) = (self.resolved(set), self.resolved(&self.held[at].now));
        set == now || (side.alike)(&set, &now)
    }

    /// What a side is now, if that is known.
    pub(super) fn now(&self, held: &Held) -> Option<Value> {
        Some(self.resolved(&held.now)).filter(is_certain)
    }
}

/// Whether it is known what a value is: a secret may be another one under the same name.
fn is_certain(value: &Value) -> bool {
    match value {
        Value::Unknown(_) | Value::Secret(_) => false,
        Value::List(items) => items.iter().all(is_certain),
        Value::Map(entries) => entries.values().all(is_certain),
        _ => true,
    }
}
