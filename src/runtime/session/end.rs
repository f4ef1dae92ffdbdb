//! How a session ends, and what it would leave behind.

use crate::model::{Event, EventBody, Key, Record, Value};

use super::LiveSession;
use crate::runtime::Status;
use crate::runtime::undo::owed_when_cut;

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
    /// What a session with these events leaves behind, leases aside. A step in which it was cut short is owed too.
    pub fn of(events: &[Event]) -> Self {
        let record = Record::of(events);
        let (maintenance, in_doubt) = (in_maintenance(events, &record), in_doubt(&record));
        Self { steps: owed_when_cut(events), maintenance, in_doubt, leases: Vec::new() }
    }

    /// In one line: `to be undone: Close; in maintenance: web`. Nothing where nothing is owed.
    pub fn sentence(&self) -> String {
        let doubts: Vec<String> = self.in_doubt.iter().map(|(key, what)| format!("{what} (call {key})")).collect();
        let parts = [("to be undone", &self.steps), ("in maintenance", &self.maintenance), ("in doubt", &doubts)];
        let told = parts.iter().filter(|(_, what)| !what.is_empty());
        told.map(|(head, what)| format!("{head}: {}", what.join(", "))).collect::<Vec<_>>().join("; ")
    }

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
        Owed {
            steps: self.script.owed(),
            maintenance: in_maintenance(&events, &record),
            in_doubt: in_doubt(&record),
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

/// The targets that were put into maintenance, and not out of it.
fn in_maintenance(events: &[Event], record: &Record) -> Vec<String> {
    let mut closed: Vec<String> = Vec::new();
    for event in events {
        let EventBody::Settled(settled) = &event.body else { continue };
        let Some(call) = record.call(&settled.key).filter(|_| settled.primitive == "maintenance") else { continue };
        let state = call.args.get("state").and_then(Value::as_str);
        for target in settled.impact.targets.iter().filter(|_| settled.outcome.is_ok()) {
            closed.retain(|known| known != target);
            closed.extend((state == Some("on")).then(|| target.clone()));
        }
    }
    closed
}

/// The effects of which nobody knows whether they took place, each with its key.
fn in_doubt(record: &Record) -> Vec<(String, String)> {
    let told = |(key, call): (&Key, &crate::model::RecordedCall)| {
        let what = format!("{} {}", call.primitive, call.impact.targets.join(", "));
        (key.to_string(), what.trim_end().to_owned())
    };
    record.open().map(told).collect()
}
