//! What the events of a run say of each call and each scope: what a run that is taken up again goes by.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Bound;

use super::{Event, EventBody, Fault, Impact, Key, Left, Outcome, Scope, ScopeKind, Segment, Site, Value};

/// A run as it was recorded, by key.
#[derive(Clone, Debug, Default)]
pub struct Record {
    calls: BTreeMap<Key, RecordedCall>,
    scopes: BTreeMap<Key, RecordedScope>,
    /// Questions and pauses that began, with when they first did.
    awaited: BTreeMap<Key, Awaited>,
    /// The call of which the last event speaks.
    last: Option<Key>,
    /// Why the run was unwound.
    unwound: Vec<String>,
}

/// A call as it was recorded.
#[derive(Clone, Debug, PartialEq)]
pub struct RecordedCall {
    /// The primitive.
    pub primitive: String,
    /// Its arguments.
    pub args: Value,
    /// Its place in the script.
    pub site: Site,
    /// What it does.
    pub impact: Impact,
    /// The number of its last attempt, from 1.
    pub attempt: u32,
    /// What came of that; `None` when nobody knows.
    pub outcome: Option<Outcome>,
    /// What a person decided after it had failed.
    pub decision: Option<String>,
    /// How often its body ran, if it has one.
    pub repeats: Option<u32>,
}

/// A question that was asked, or a pause that began.
#[derive(Clone, Debug, PartialEq)]
pub struct Awaited {
    /// The primitive.
    pub primitive: String,
    /// Its arguments.
    pub args: Value,
    /// Its place in the script.
    pub site: Site,
    /// When it began.
    pub since: jiff::Timestamp,
    /// What was answered, and by whom.
    pub answer: Option<(String, String)>,
}

/// A scope as it was recorded.
#[derive(Clone, Debug, PartialEq)]
pub struct RecordedScope {
    /// The scope.
    pub scope: Scope,
    /// When it was entered the first time.
    pub entered: jiff::Timestamp,
    /// How it was left; `None` when it was not.
    pub left: Option<Left>,
}

impl RecordedScope {
    /// Whether everything inside it is over, so that nothing of it happens any more.
    pub fn is_over(&self) -> bool {
        matches!(self.left, Some(Left::Completed { .. } | Left::Faulted(_) | Left::Stopped))
    }
}

impl Record {
    /// What these events, all of one run and in their order, say.
    pub fn of(events: &[Event]) -> Self {
        let mut record = Self::default();
        for event in events {
            record.take(event);
        }
        record
    }

    fn take(&mut self, event: &Event) {
        match &event.body {
            EventBody::Entered { scope } => {
                let entered = self.scopes.get(&scope.key).map_or(event.at, |known| known.entered);
                self.scopes.insert(scope.key.clone(), RecordedScope { scope: scope.clone(), entered, left: None });
            }
            EventBody::Unwinding { cause, .. } => self.unwound.push(cause.clone()),
            EventBody::Left { key, how } => {
                if let Some(scope) = self.scopes.get_mut(key) {
                    scope.left = Some(how.clone());
                }
            }
            EventBody::Intended { key, attempt, primitive, args, site, impact } => {
                let (primitive, args, site) = (primitive.clone(), args.clone(), site.clone());
                let (outcome, decision, repeats) = (None, None, None);
                let impact = impact.clone();
                let call =
                    RecordedCall { primitive, args, site, impact, attempt: *attempt, outcome, decision, repeats };
                self.calls.insert(key.clone(), call);
                self.last = Some(key.clone());
            }
            EventBody::Settled(settled) => {
                let call = self.calls.entry(settled.key.clone()).or_insert_with(|| RecordedCall {
                    primitive: settled.primitive.clone(),
                    args: settled.args.clone().unwrap_or_default(),
                    site: settled.site.clone(),
                    impact: settled.impact.clone(),
                    attempt: 1,
                    outcome: None,
                    decision: None,
                    repeats: settled.repeats,
                });
                call.outcome = Some(settled.outcome.clone());
                call.decision = None;
                self.last = Some(settled.key.clone());
            }
            EventBody::Foreseen(foreseen) => {
                let call = RecordedCall {
                    primitive: foreseen.primitive.clone(),
                    args: foreseen.args.clone(),
                    site: foreseen.site.clone(),
                    impact: foreseen.impact.clone(),
                    attempt: 1,
                    outcome: Some(foreseen.outcome.clone()),
                    decision: None,
                    repeats: foreseen.repeats,
                };
                self.calls.insert(foreseen.key.clone(), call);
                self.last = None;
            }
            EventBody::Awaiting { key, primitive, args, site } => {
                let (primitive, args, site) = (primitive.clone(), args.clone(), site.clone());
                let awaited = || Awaited { primitive, args, site, since: event.at, answer: None };
                self.awaited.entry(key.clone()).or_insert_with(awaited);
            }
            EventBody::Answered { key, answer, by } => {
                if let Some(awaited) = self.awaited.get_mut(key) {
                    awaited.answer = Some((answer.clone(), by.clone()));
                }
            }
            EventBody::Decided { key, decision, .. } => {
                if let Some(call) = self.calls.get_mut(key) {
                    call.decision = Some(decision.clone());
                }
                self.last = None;
            }
            _ => {}
        }
        if matches!(event.body, EventBody::Entered { .. } | EventBody::Left { .. } | EventBody::Unwinding { .. }) {
            self.last = None;
        }
    }

    /// The call at `key`.
    pub fn call(&self, key: &Key) -> Option<&RecordedCall> {
        self.calls.get(key)
    }

    /// The question or pause at `key` that has no outcome yet.
    pub fn awaited(&self, key: &Key) -> Option<&Awaited> {
        self.awaited.get(key).filter(|_| !self.calls.contains_key(key))
    }

    /// All questions and pauses that have no outcome yet.
    pub fn all_awaited(&self) -> impl Iterator<Item = (&Key, &Awaited)> {
        self.awaited.iter().filter(|(key, _)| !self.calls.contains_key(*key))
    }

    /// Every call, in the order of their keys.
    pub fn calls(&self) -> impl Iterator<Item = (&Key, &RecordedCall)> {
        self.calls.iter()
    }

    /// The scope at `key`.
    pub fn scope(&self, key: &Key) -> Option<&RecordedScope> {
        self.scopes.get(key)
    }

    /// The steps with their titles, in the order of their keys.
    pub fn steps(&self) -> impl Iterator<Item = (&Key, &str)> {
        let steps = self.scopes.iter().filter(|(_, known)| matches!(known.scope.kind, ScopeKind::Step { .. }));
        steps.map(|(key, known)| (key, known.scope.title.as_str()))
    }

    /// How many calls have an outcome.
    pub fn settled(&self) -> usize {
        self.calls.values().filter(|call| call.outcome.is_some()).count()
    }

    /// The calls that were started and have no outcome.
    pub fn open(&self) -> impl Iterator<Item = (&Key, &RecordedCall)> {
        self.calls.iter().filter(|(_, call)| call.outcome.is_none())
    }

    /// Whether nothing was recorded after this call had its outcome: the process ended before anything was made of it.
    pub fn ends_with(&self, key: &Key) -> bool {
        self.last.as_ref() == Some(key)
    }

    /// Whether this fault has left a scope, or the runbook.
    pub fn has_thrown(&self, fault: &Fault) -> bool {
        let is_it = |left: &Option<Left>| matches!(left, Some(Left::Faulted(known)) if known.message == fault.message);
        self.scopes.values().any(|scope| is_it(&scope.left)) || self.unwound.contains(&fault.message)
    }

    /// How often the body of the call at `key` was begun.
    pub fn attempts(&self, key: &Key) -> u32 {
        let numbers = self.below(key).filter_map(|inner| match inner.after(key) {
            Some(Segment::Attempt(n)) => Some(n + 1),
            _ => None,
        });
        numbers.max().unwrap_or(0)
    }

    /// What was recorded below `key`.
    fn below<'a>(&'a self, key: &'a Key) -> impl Iterator<Item = &'a Key> {
        let from = || (Bound::Excluded(key), Bound::Unbounded);
        let calls = self.calls.range(from()).map(|(key, _)| key).take_while(move |inner| inner.starts_with(key));
        let scopes = self.scopes.range(from()).map(|(key, _)| key).take_while(move |inner| inner.starts_with(key));
        let awaited = self.awaited.range(from()).map(|(key, _)| key).take_while(move |inner| inner.starts_with(key));
        calls.chain(scopes).chain(awaited)
    }

    /// The first call or scope that was recorded behind `key` on the same line: something that a script which is at `key` has
    /// left out.
    pub fn behind(&self, key: &Key) -> Option<(&Key, String)> {
        let on_this_line = |other: &&Key| other.is_behind(key);
        let from = || (Bound::Excluded(key), Bound::Unbounded);
        let call = self.calls.range(from()).find(|(other, _)| on_this_line(other));
        let scope = self.scopes.range(from()).find(|(other, _)| on_this_line(other));
        let call = call.map(|(key, call)| (key, call.describe()));
        let scope = scope.map(|(key, scope)| (key, format!("\"{}\"", scope.scope.title)));
        [call, scope].into_iter().flatten().min_by(|a, b| a.0.cmp(b.0))
    }

    /// What the record has instead of something that is `requested` at `key`, where it has no call: another scope, or something that the
    /// script has passed over.
    pub fn instead_of(&self, key: &Key, requested: impl Fn() -> String) -> Option<(Key, String)> {
        if let Some(scope) = self.scope(key).filter(|_| self.call(key).is_none()) {
            let title = format!("\"{}\"", scope.scope.title);
            let repeats = self.attempts(key) > 0 || matches!(scope.scope.kind, ScopeKind::Body);
            if requested() != title && !repeats {
                return Some((key.clone(), title));
            }
        }
        self.behind(key).map(|(at, recorded)| (at.clone(), recorded))
    }

    /// Whether this is part of a branch that was stopped before it came here, or before it began. What the steps of such a branch
    /// have done is undone all the same.
    pub fn was_stopped(&self, key: &Key) -> bool {
        let mut branch = key.innermost_branch();
        while let Some(inner) = branch {
            let parallel = inner.parent();
            let stopped = match self.scope(&inner) {
                Some(branch) => branch.left == Some(Left::Stopped),
                None => parallel.as_ref().and_then(|key| self.scope(key)).is_some_and(RecordedScope::is_over),
            };
            if stopped && !key.in_rollback_within(&inner) {
                return true;
            }
            branch = parallel.and_then(|outer| outer.innermost_branch());
        }
        false
    }

    /// What was recorded and not `visited`: something that a script which has come to its end has left out.
    pub fn unvisited(&self, visited: &BTreeSet<Key>) -> Option<(&Key, String)> {
        self.calls.iter().find(|(key, _)| !visited.contains(key)).map(|(key, call)| (key, call.describe()))
    }
}

impl RecordedCall {
    /// As people read it: `backup({ target: "primary" })`.
    pub fn describe(&self) -> String {
        format!("{}({})", self.primitive, self.args)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Site;

    fn key(text: &str) -> Key {
        text.parse().expect(text)
    }

    fn recorded(bodies: Vec<EventBody>) -> Record {
        let event = |(seq, body)| Event { seq, at: jiff::Timestamp::UNIX_EPOCH, body };
        Record::of(&(0..).zip(bodies).map(event).collect::<Vec<_>>())
    }

    fn site() -> Site {
        Site { file: "it.rhai".into(), line: 1, column: 1 }
    }

    fn entered(at: &str, kind: ScopeKind) -> EventBody {
        EventBody::Entered { scope: Scope { key: key(at), site: site(), title: at.to_owned(), kind } }
    }

    #[test]
    fn branches_that_had_not_begun_when_their_parallel_was_left_do_not_begin() {
        let parallel = || entered("7", ScopeKind::Parallel { branches: 3, at_most: 1 });
        let begun = vec![parallel(), entered("7.b0", ScopeKind::Branch)];
        let left = |at: &str, how| EventBody::Left { key: key(at), how };
        let goes_on = recorded(begun.clone());
        let over = recorded([begun, vec![left("7.b0", Left::Stopped), left("7", Left::Stopped)]].concat());
        for at in ["7.b1", "7.b1.0", "7.b2.4.b0.1", "7.b0.3"] {
            assert!(over.was_stopped(&key(at)), "{at}");
            assert!(!goes_on.was_stopped(&key(at)), "{at}");
        }
        assert!(!over.was_stopped(&key("7.b0.3.r.0")), "what it did is undone");
        assert!(!over.was_stopped(&key("8")));
    }

    #[test]
    fn an_attempt_that_only_waited_was_begun() {
        let args = Value::Null;
        let awaiting = EventBody::Awaiting { key: key("2.a1.0"), primitive: "sleep".into(), args, site: site() };
        assert_eq!(recorded(vec![entered("2", ScopeKind::Body), awaiting]).attempts(&key("2")), 2);
    }
}
