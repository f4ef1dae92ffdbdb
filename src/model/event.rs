//! The events of a run: the entries of the journal.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::{Basis, Fault, Halt, Impact, Key, Left, Outcome, RunId, Scope, Site, UnwoundStep, Value};

/// What kind of evaluation a run is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Mode {
    /// A live run.
    Run,
    /// A rehearsal.
    Drill,
    /// A person who types one thing after the other.
    Session,
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
    /// The process that carries it out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub process: Option<ProcessId>,
    /// Why it does not heed the leases of other machines; none if it does.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub break_glass: Option<String>,
    /// The digest of the saved plan that it is held to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub plan: Option<String>,
}

/// A process of a machine, told apart from every later one that gets the same number.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ProcessId {
    /// The machine's name.
    pub host: String,
    /// What tells this start of the machine from every other.
    pub boot: String,
    /// Its number.
    pub pid: u32,
    /// When it was started, in milliseconds after the machine was.
    pub started_ms: u64,
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
    /// A call of a session was planned, and did not take place: what the script got for it, so that it gets the same again.
    Foreseen(Box<Foreseen>),
    /// An effect was started, and nobody knows whether it took place.
    InDoubt {
        /// The call.
        key: Key,
        /// What is known.
        why: String,
    },
    /// A status update was sent while the block of a `during` ran, or could not be. Not a call of the script: no re-execution
    /// needs it.
    Updated {
        /// The key of the `during`.
        key: Key,
        /// Its number, from 1.
        number: u32,
        /// The channel.
        channel: String,
        /// What was said.
        message: String,
        /// Whether the channel took it.
        delivered: bool,
        /// How, or why not.
        detail: String,
    },
    /// The run is taken up again by another process, or a person settles what is in doubt. What was entered and not left, or left by a
    /// halt, is entered again.
    Resumed {
        /// Who, as `user@host`.
        by: String,
        /// The process that carries it on; none when a person only settles something.
        process: Option<ProcessId>,
        /// Files that are not as they were when the run began; only with `--edited`.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        edited: Vec<String>,
        /// What ends it where its record ends: it is taken up only to be undone.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        ends: Option<Halt>,
        /// Why it does not heed the leases of other machines; none if it does.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        break_glass: Option<String>,
    },
    /// A question is asked or a pause begins: what ends it comes from outside. Whoever takes the run up again waits for the rest.
    Awaiting {
        /// The call.
        key: Key,
        /// The primitive.
        primitive: String,
        /// Its arguments.
        args: Value,
        /// Its place in the script.
        site: Site,
    },
    /// A person answered a question.
    Answered {
        /// The call that asked.
        key: Key,
        /// What was said.
        answer: String,
        /// Who, as `user@host`.
        by: String,
    },
    /// Somebody asks the run to stop, from elsewhere.
    Cancelling {
        /// Who, as `user@host`.
        by: String,
        /// The person's reason.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        reason: Option<String>,
        /// Whether nothing is rolled back.
        #[serde(default, skip_serializing_if = "std::ops::Not::not")]
        abort: bool,
    },
    /// A person decided about a fault.
    Decided {
        /// The call that failed; the branch, where a requirement did not hold.
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
        /// The halt behind it; none where a fault left the runbook. Whoever takes the run up again does not go on behind it.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        halt: Option<Halt>,
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

/// A call that was planned.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Foreseen {
    /// The call.
    pub key: Key,
    /// The primitive.
    pub primitive: String,
    /// Its arguments.
    pub args: Value,
    /// Its place in the script.
    pub site: Site,
    /// What it would do.
    pub impact: Impact,
    /// What it would do, in one line.
    pub summary: String,
    /// How that is known.
    pub basis: Basis,
    /// What the script got.
    #[serde(with = "outcome")]
    pub outcome: Outcome,
    /// How often the body ran, for calls that have one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub repeats: Option<u32>,
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
    /// How often the body ran, for calls that have one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub repeats: Option<u32>,
    /// What proves it, when the outcome was found by looking rather than by an answer.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub evidence: Option<String>,
}

/// How the evidence begins where a person said what came of a call.
const PERSON: &str = "settled by ";

impl Settlement {
    /// The evidence of a call that `by` settled.
    pub fn told_by(by: &str) -> String {
        format!("{PERSON}{by}")
    }

    /// Who said what came of the call, where no machine could tell.
    pub fn person(&self) -> Option<&str> {
        self.evidence.as_deref()?.strip_prefix(PERSON)
    }

    /// Whether the call was refused before it began.
    pub fn is_refusal(&self) -> bool {
        matches!(&self.outcome, Err(fault) if fault.is_refusal())
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
pub(super) mod tests {
    use super::*;
    use crate::model::{ImpactKind, Segment};

    pub(in crate::model) fn site() -> Site {
        Site { file: "a.rhai".into(), line: 1, column: 1 }
    }

    pub(in crate::model) fn started() -> EventBody {
        EventBody::Started(Box::new(Started {
            run: RunId::new(Timestamp::UNIX_EPOCH, 0),
            mode: Mode::Run,
            runbook: "a.rhai".into(),
            environment: "test".into(),
            params: Value::Null,
            by: "me@here".into(),
            digests: std::collections::BTreeMap::default(),
            version: "0".into(),
            process: None,
            break_glass: None,
            plan: None,
        }))
    }

    pub(in crate::model) fn intended(n: u32, attempt: u32) -> EventBody {
        EventBody::Intended {
            key: Key::ROOT.child(Segment::Call(n)),
            attempt,
            primitive: "backup".into(),
            args: Value::Null,
            site: site(),
            impact: Impact::on(ImpactKind::Change, "primary"),
        }
    }

    pub(in crate::model) fn settled(n: u32, outcome: Outcome) -> EventBody {
        EventBody::Settled(Box::new(Settlement {
            key: Key::ROOT.child(Segment::Call(n)),
            primitive: "backup".into(),
            args: None,
            site: site(),
            impact: Impact::on(ImpactKind::Change, "primary"),
            outcome,
            began: Timestamp::UNIX_EPOCH,
            elapsed_ms: 3,
            repeats: None,
            evidence: None,
        }))
    }

    pub(in crate::model) fn ended() -> EventBody {
        EventBody::Ended { status: "completed".into(), why: None, unwound: vec![], owed: vec![], value: Value::Null }
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
