//! How a session ends, and what it would leave behind.

use crate::model::{EventBody, Record, Value};

use super::LiveSession;
use crate::runtime::Status;

/// What a session would leave behind.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Owed {
    /// The titles of the steps that are owed, the one that is undone first at the front.
    pub steps: Vec<String>,
    /// The targets that it has put into maintenance.
    pub maintenance: Vec<String>,
    /// Effects of which nobody knows whether they took place, each with its key.
    pub in_doubt: Vec<(String, String)>,
    /// The targets that nobody else may change meanwhile.
    pub leases: Vec<String>,
}

impl Owed {
    /// Whether nothing is left to be seen to before it ends. Leases are given back by themselves.
    pub fn is_nothing(&self) -> bool {
        self.steps.is_empty() && self.maintenance.is_empty() && self.in_doubt.is_empty()
    }
}

/// How a session ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SessionEnd {
    /// As a run.
    pub status: Status,
    /// Why the end could not be recorded, if it could not.
    pub unrecorded: Option<String>,
    /// How many messages wait in the outbox.
    pub undelivered: usize,
}

impl LiveSession<'_> {
    /// What it would leave behind if it ended now.
    pub fn owed(&self) -> Owed {
        let events = self.heard.events();
        let record = Record::of(&events);
        let mut closed: Vec<String> = Vec::new();
        for event in &events {
            let EventBody::Settled(settled) = &event.body else { continue };
            let Some(call) = record.call(&settled.key).filter(|_| settled.primitive == "maintenance") else { continue };
            let state = call.args.get("state").and_then(Value::as_str);
            for target in settled.impact.targets.iter().filter(|_| settled.outcome.is_ok()) {
                closed.retain(|known| known != target);
                closed.extend((state == Some("on")).then(|| target.clone()));
            }
        }
        let in_doubt = record.open().map(|(key, call)| {
            let what = format!("{} {}", call.primitive, call.impact.targets.join(", "));
            (key.to_string(), what.trim_end().to_owned())
        });
        Owed {
            steps: self.script.owed(),
            maintenance: closed,
            in_doubt: in_doubt.collect(),
            leases: self.tenancy.as_ref().map(|tenancy| tenancy.targets()).unwrap_or_default(),
        }
    }

    /// Ends it. What is still owed then stays as it is, and the record says so.
    pub fn end(mut self) -> SessionEnd {
        let owed = self.owed();
        let status = match (owed.in_doubt.is_empty(), owed.is_nothing()) {
            (false, _) => Status::InDoubt,
            (true, false) => Status::LeftChanged,
            (true, true) => Status::Completed,
        };
        self.heartbeat = None;
        self.recorder.note(EventBody::Ended {
            status: status.name().to_owned(),
            why: None,
            unwound: Vec::new(),
            owed: owed.steps,
            value: Value::Null,
        });
        let unrecorded = self.recorder.commit_if_possible().err();
        if let Some(tenancy) = self.tenancy.take().filter(|_| unrecorded.is_none()) {
            tenancy.give_back(status == Status::Completed);
        }
        let rounds = self.rounds.take();
        let undelivered = rounds.and_then(|rounds| self.lifeboat.last_round(&self.id, rounds).ok());
        self.lifeboat.publish(&self.id);
        SessionEnd { status, unrecorded, undelivered: undelivered.map_or(0, |letters| letters.len()) }
    }
}
