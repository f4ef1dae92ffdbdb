//! The events of a run, and the state machine that they must follow.

use std::collections::HashMap;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::{Fault, Impact, Key, Left, Outcome, RunId, Scope, Site, UnwoundStep, Value};

/// What kind of evaluation a run is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Mode {
    /// A live run.
    Run,
    /// A rehearsal.
    Drill,
}

/// One entry of the journal.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Event {
    /// Its number in the run, from 0.
    pub seq: u64,
    /// When it was written, UTC.
    pub at: Timestamp,
    /// What happened.
    #[serde(flatten)]
    pub body: EventBody,
}

/// What a run was started with.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Started {
    /// The run.
    pub run: RunId,
    /// Run or drill.
    pub mode: Mode,
    /// The runbook's path, relative to the project where it can be.
    pub runbook: String,
    /// The environment's name.
    pub environment: String,
    /// The parameters' values.
    pub params: Value,
    /// Who started it, as `user@host`.
    pub by: String,
    /// SHA-256 digests (hex) of the script, its modules and the configuration, by path.
    pub digests: std::collections::BTreeMap<String, String>,
    /// The version of Lifeboat.
    pub version: String,
}

/// What an [`Event`] says.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "event", rename_all = "kebab-case")]
pub enum EventBody {
    /// The run begins. Boxed: it is far larger than the others.
    Started(Box<Started>),
    /// A scope begins.
    Entered {
        /// Which.
        scope: Scope,
    },
    /// A scope ends.
    Left {
        /// Its key.
        key: Key,
        /// How.
        how: Left,
    },
    /// An effect is about to start. Durable before it does.
    Intended {
        /// The call.
        key: Key,
        /// From 1; more when a person chose to retry.
        attempt: u32,
        /// The primitive.
        primitive: String,
        /// Its arguments.
        args: Value,
        /// Its place in the script.
        site: Site,
        /// What it does.
        impact: Impact,
    },
    /// A call has its outcome. Durable before the next effect starts.
    Settled(Box<Settlement>),
    /// An effect was started, and nobody knows whether it took place.
    InDoubt {
        /// The call.
        key: Key,
        /// What is known.
        why: String,
    },
    /// A person decided about a fault.
    Decided {
        /// The call that failed.
        key: Key,
        /// `retry`, `skip`, `roll back` or `leave`.
        decision: String,
        /// The person's reason.
        reason: Option<String>,
    },
    /// The end of the run begins: what is owed is undone.
    Unwinding {
        /// Why.
        cause: String,
        /// The titles of the steps that are owed, in the order in which they will be undone.
        owed: Vec<String>,
    },
    /// The run is over.
    Ended {
        /// `completed`, `failed`, `cancelled`, `in-doubt`, …
        status: String,
        /// The fault or halt behind it.
        why: Option<String>,
        /// The rollbacks that ran.
        unwound: Vec<UnwoundStep>,
        /// The titles of the steps that are still owed.
        owed: Vec<String>,
        /// What the script returned.
        value: Value,
    },
}

/// The outcome of one call.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Settlement {
    /// The call.
    pub key: Key,
    /// The primitive.
    pub primitive: String,
    /// The arguments; only here for calls without an `intended` event.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub args: Option<Value>,
    /// Its place in the script.
    pub site: Site,
    /// What it does.
    pub impact: Impact,
    /// What came of it.
    #[serde(with = "outcome")]
    pub outcome: Outcome,
    /// When it began, UTC.
    pub began: Timestamp,
    /// How long it took, in milliseconds.
    pub elapsed_ms: u64,
    /// What proves it, when the outcome was found by looking rather than by an answer.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub evidence: Option<String>,
}

/// An event that may not follow those before it: a mistake of ours, which stops the run.
#[derive(Debug, thiserror::Error, PartialEq)]
#[error("illegal event in the journal: {0}")]
pub struct IllegalEvent(pub String);

/// The state machine of a run: `started → (entered | intended → settled | in-doubt | left)* → unwinding? → ended`.
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
            _ if self.ended => return illegal("nothing follows `ended`".into()),
            _ => {}
        }
        match body {
            EventBody::Entered { scope } => self.scopes.push(scope.key.clone()),
            EventBody::Left { key, .. } => match self.scopes.iter().rposition(|k| k == key) {
                Some(at) => self.scopes.truncate(at),
                None => return illegal(format!("`left` of {key}, which was not entered")),
            },
            EventBody::Intended { key, attempt, .. } => {
                if self.open.contains_key(key) {
                    return illegal(format!("{key} is intended twice without an outcome"));
                }
                match self.settled.get(key) {
                    Some(true) => return illegal(format!("{key} is intended again after it succeeded")),
                    Some(false) if *attempt < 2 => {
                        return illegal(format!("{key} is intended again as if for the first time"));
                    }
                    None if *attempt != 1 => {
                        return illegal(format!("the first attempt of {key} has number {attempt}"));
                    }
                    _ => {}
                }
                self.open.insert(key.clone(), *attempt);
            }
            EventBody::Settled(settlement) => {
                let key = &settlement.key;
                let intended = self.open.remove(key).is_some();
                if settlement.impact.kind.is_change() && !intended {
                    return illegal(format!("{key} has an outcome and was not intended"));
                }
                if self.settled.insert(key.clone(), settlement.outcome.is_ok()) == Some(true) {
                    return illegal(format!("{key} has two outcomes"));
                }
            }
            EventBody::InDoubt { key, .. } if !self.open.contains_key(key) => {
                return illegal(format!("{key} is in doubt and was not intended"));
            }
            EventBody::Unwinding { .. } if self.unwinding => return illegal("`unwinding` twice".into()),
            EventBody::Unwinding { .. } => self.unwinding = true,
            EventBody::Ended { .. } => self.ended = true,
            EventBody::InDoubt { .. } | EventBody::Decided { .. } | EventBody::Started(_) => {}
        }
        Ok(())
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

/// `Result` as `{"ok": …}` or `{"fault": …}`.
mod outcome {
    use serde::{Deserialize, Deserializer, Serialize, Serializer};

    use super::{Fault, Outcome, Value};

    #[derive(Serialize, Deserialize)]
    #[serde(rename_all = "lowercase")]
    enum Wire {
        Ok(Value),
        Fault(Fault),
    }

    pub(super) fn serialize<S: Serializer>(outcome: &Outcome, serializer: S) -> Result<S::Ok, S::Error> {
        match outcome {
            Ok(value) => Wire::Ok(value.clone()),
            Err(fault) => Wire::Fault(fault.clone()),
        }
        .serialize(serializer)
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Outcome, D::Error> {
        Ok(match Wire::deserialize(deserializer)? {
            Wire::Ok(value) => Ok(value),
            Wire::Fault(fault) => Err(fault),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{ImpactKind, Segment};

    fn site() -> Site {
        Site { file: "a.rhai".into(), line: 1, column: 1 }
    }

    fn started() -> EventBody {
        EventBody::Started(Box::new(Started {
            run: RunId::new(Timestamp::UNIX_EPOCH, 0),
            mode: Mode::Run,
            runbook: "a.rhai".into(),
            environment: "test".into(),
            params: Value::Null,
            by: "me@here".into(),
            digests: std::collections::BTreeMap::default(),
            version: "0".into(),
        }))
    }

    fn intended(n: u32, attempt: u32) -> EventBody {
        EventBody::Intended {
            key: Key::ROOT.child(Segment::Call(n)),
            attempt,
            primitive: "backup".into(),
            args: Value::Null,
            site: site(),
            impact: Impact::on(ImpactKind::Change, "primary"),
        }
    }

    fn settled(n: u32, outcome: Outcome) -> EventBody {
        EventBody::Settled(Box::new(Settlement {
            key: Key::ROOT.child(Segment::Call(n)),
            primitive: "backup".into(),
            args: None,
            site: site(),
            impact: Impact::on(ImpactKind::Change, "primary"),
            outcome,
            began: Timestamp::UNIX_EPOCH,
            elapsed_ms: 3,
            evidence: None,
        }))
    }

    fn ended() -> EventBody {
        EventBody::Ended { status: "completed".into(), why: None, unwound: vec![], owed: vec![], value: Value::Null }
    }

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

    #[test]
    fn events_survive_json() {
        for body in
            [started(), intended(0, 1), settled(0, Ok(Value::Int(3))), settled(1, Err(Fault::new("a", "b"))), ended()]
        {
            let event = Event { seq: 7, at: Timestamp::UNIX_EPOCH, body };
            let json = serde_json::to_string(&event).expect("writes");
            assert_eq!(serde_json::from_str::<Event>(&json).expect(&json), event);
        }
    }
}
