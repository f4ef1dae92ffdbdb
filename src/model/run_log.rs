//! The state machine that the events of a run must follow.

use std::collections::HashMap;

use super::{EventBody, Key};

/// An event that may not follow those before it: a mistake of ours, which stops the run.
#[derive(Debug, thiserror::Error, PartialEq)]
#[error("illegal event in the journal: {0}")]
pub struct IllegalEvent(pub String);

/// The state machine of a run: `started → (entered | intended → settled | in-doubt | left | updated)* → unwinding? → ended (→ resumed …)*`.
///
/// The branches of a `parallel` go on at the same time, so their events lie between each other's. Each of them follows the order
/// by itself; what lies inside what is read from the keys.
#[derive(Debug, Default)]
pub struct RunLog {
    started: bool,
    unwinding: bool,
    ended: bool,
    /// Intended and not settled yet, with the attempt's number.
    open: HashMap<Key, u32>,
    settled: HashMap<Key, bool>,
    scopes: Vec<Key>,
}

impl RunLog {
    /// Takes the next event, or says why it may not be the next.
    pub fn accept(&mut self, body: &EventBody) -> Result<(), IllegalEvent> {
        let illegal = |why: String| Err(IllegalEvent(why));
        match (self.started, body) {
            (false, EventBody::Started(_)) => {
                self.started = true;
                return Ok(());
            }
            (false, _) => return illegal("a run begins with `started`".into()),
            (true, EventBody::Started(_)) => return illegal("`started` twice".into()),
            (true, EventBody::Resumed { .. }) => {
                (self.ended, self.unwinding) = (false, false);
                self.scopes.clear();
                return Ok(());
            }
            _ if self.ended => return illegal("nothing but `resumed` follows `ended`".into()),
            _ => {}
        }
        match body {
            EventBody::Entered { scope } => self.scopes.push(scope.key.clone()),
            EventBody::Left { key, .. } => {
                if !key.close(&mut self.scopes) {
                    return illegal(format!("`left` of {key}, which was not entered"));
                }
            }
            EventBody::Updated { key, .. } if !self.scopes.contains(key) => {
                return illegal(format!("an update of {key}, which is not open"));
            }
            EventBody::Intended { key, attempt, .. } => {
                self.may_be_intended(key, *attempt)?;
                self.open.insert(key.clone(), *attempt);
            }
            EventBody::Awaiting { key, .. } | EventBody::Answered { key, .. } if self.settled.contains_key(key) => {
                return illegal(format!("{key} is waited for after it had its outcome"));
            }
            EventBody::Settled(settlement) => {
                let key = &settlement.key;
                let intended = self.open.remove(key).is_some();
                if settlement.impact.kind.is_change() && !intended && !settlement.is_refusal() {
                    return illegal(format!("{key} has an outcome and was not intended"));
                }
                if self.settled.insert(key.clone(), settlement.outcome.is_ok()) == Some(true) {
                    return illegal(format!("{key} has two outcomes"));
                }
            }
            EventBody::Foreseen(foreseen) => {
                if self.settled.insert(foreseen.key.clone(), true).is_some() || self.open.contains_key(&foreseen.key) {
                    return illegal(format!("{} is planned after it was begun", foreseen.key));
                }
            }
            EventBody::InDoubt { key, .. } if !self.open.contains_key(key) => {
                return illegal(format!("{key} is in doubt and was not intended"));
            }
            EventBody::Unwinding { .. } if self.unwinding => return illegal("`unwinding` twice".into()),
            EventBody::Unwinding { .. } => self.unwinding = true,
            EventBody::Ended { .. } => self.ended = true,
            EventBody::InDoubt { .. }
            | EventBody::Updated { .. }
            | EventBody::Awaiting { .. }
            | EventBody::Answered { .. }
            | EventBody::Cancelling { .. }
            | EventBody::Decided { .. }
            | EventBody::Resumed { .. }
            | EventBody::Started(_) => {}
        }
        Ok(())
    }

    fn may_be_intended(&self, key: &Key, attempt: u32) -> Result<(), IllegalEvent> {
        let illegal = |why: String| Err(IllegalEvent(why));
        if self.open.contains_key(key) {
            return illegal(format!("{key} is intended twice without an outcome"));
        }
        match self.settled.get(key) {
            Some(true) => illegal(format!("{key} is intended again after it succeeded")),
            Some(false) if attempt < 2 => illegal(format!("{key} is intended again as if for the first time")),
            None if attempt != 1 => illegal(format!("the first attempt of {key} has number {attempt}")),
            _ => Ok(()),
        }
    }

    /// The calls that were started and have no outcome.
    pub fn open(&self) -> impl Iterator<Item = &Key> {
        self.open.keys()
    }

    /// Whether the run is over.
    pub fn ended(&self) -> bool {
        self.ended
    }
}

#[cfg(test)]
mod tests {
    use super::super::event::tests::{ended, intended, settled, started};
    use super::super::{Arg, Fault, Left, Outcome, Scope, ScopeKind, Site, Span, Updates, Value};
    use super::*;

    fn accept(events: &[EventBody]) -> Result<RunLog, IllegalEvent> {
        let mut log = RunLog::default();
        events.iter().try_for_each(|event| log.accept(event)).map(|()| log)
    }

    #[test]
    fn a_run_with_a_retry_is_legal() {
        let fault = Err(Fault::new("x", "x"));
        let events =
            [started(), intended(0, 1), settled(0, fault), intended(0, 2), settled(0, Ok(Value::Null)), ended()];
        let log = accept(&events).expect("legal");
        assert!(log.ended() && log.open().next().is_none());
    }

    #[test]
    fn illegal_events_are_refused() {
        let ok = || settled(0, Ok(Value::Null));
        for events in [
            vec![intended(0, 1)],
            vec![started(), started()],
            vec![started(), ok()],
            vec![started(), intended(0, 1), intended(0, 2)],
            vec![started(), intended(0, 1), ok(), intended(0, 2)],
            vec![started(), intended(0, 2)],
            vec![started(), ended(), intended(0, 1)],
            vec![started(), EventBody::InDoubt { key: Key::ROOT, why: String::new() }],
            vec![started(), EventBody::Left { key: Key::ROOT, how: Left::Halted }],
        ] {
            assert!(accept(&events).is_err(), "{events:?}");
        }
    }

    fn key(text: &str) -> Key {
        text.parse().expect(text)
    }

    fn entered(at: &str, kind: ScopeKind) -> EventBody {
        let site = Site { file: "a.rhai".into(), line: 1, column: 1 };
        EventBody::Entered { scope: Scope { key: key(at), site, title: "t".into(), kind } }
    }

    fn left(at: &str) -> EventBody {
        EventBody::Left { key: key(at), how: Left::Completed { owes: false } }
    }

    #[test]
    fn branches_lie_between_each_other_and_each_by_itself_is_in_order() {
        let step = || ScopeKind::Step { rollback: true, within: None };
        let legal = [
            started(),
            entered("0", ScopeKind::Parallel { branches: 2, at_most: 2 }),
            entered("0.b0", ScopeKind::Branch),
            entered("0.b0.0", step()),
            entered("0.b1", ScopeKind::Branch),
            entered("0.b1.0", step()),
            left("0.b0.0"),
            left("0.b0"),
            left("0.b1.0"),
            left("0.b1"),
            left("0"),
        ];
        accept(&legal).expect("legal");
        let mut twice = legal.to_vec();
        twice.push(left("0.b1"));
        assert!(accept(&twice).is_err(), "it was left before");
        let outer_first = [started(), entered("0", step()), entered("1", step()), left("0"), left("1")];
        assert!(accept(&outer_first).is_err(), "what lay inside ended with it");
    }

    #[test]
    fn updates_are_sent_while_their_block_is_open() {
        let updates =
            Updates { every: Span::from_secs(1), channel: "c".into(), message: Arg::Known("m".into()), key: None };
        let update = || EventBody::Updated {
            key: key("0"),
            number: 1,
            channel: "c".into(),
            message: "m".into(),
            delivered: true,
            detail: String::new(),
        };
        let open = [started(), entered("0", ScopeKind::During(updates)), intended(1, 1), update()];
        let log = accept(&open).expect("legal");
        assert_eq!(log.open().count(), 1, "an update disturbs no call");
        let over = [open.to_vec(), vec![settled(1, Outcome::Err(Fault::new("x", "x"))), left("0"), update()]].concat();
        assert!(accept(&over).is_err());
    }
}
