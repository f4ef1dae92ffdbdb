//! The hash chain: what makes a change to a recorded event show.
//!
//! The hash of an event is the SHA-256 of the hash before it (64 hexadecimal digits) followed by the event's JSON text, exactly
//! as it is stored. What comes before a run's first event is the hash that stood last, at that moment, in the run begun
//! before it; so the runs of a journal are one chain, and a head that was written down elsewhere vouches for all before it.

use std::fmt::Write as _;

use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

use super::{JournalError, PrunedRun, Prunes, RunSummary};
use crate::model::{Event, EventBody, IllegalEvent, RunId, RunLog};

/// What comes before the first event of a journal's first run.
pub const GENESIS: &str = "0000000000000000000000000000000000000000000000000000000000000000";

/// The hash, as 64 hexadecimal digits, of an event that follows `previous`.
pub fn link(previous: &str, json: &str) -> String {
    let mut digest = Sha256::new();
    digest.update(previous.as_bytes());
    digest.update(json.as_bytes());
    let mut text = String::with_capacity(64);
    for byte in digest.finalize() {
        // Writing to a string cannot fail.
        let _ = write!(text, "{byte:02x}");
    }
    text
}

/// One event as it is stored.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Entry {
    /// Its number in the run, from 0.
    pub seq: u64,
    /// The text that was hashed.
    pub json: String,
    /// Its hash.
    pub hash: String,
}

impl Entry {
    /// The event that it holds.
    pub fn event(&self, run: &RunId) -> Result<Event, JournalError> {
        let unreadable = |why: String| JournalError::Unreadable { run: run.clone(), seq: self.seq, why };
        serde_json::from_str(&self.json).map_err(|error| unreadable(error.to_string()))
    }
}

/// All that a journal holds about one run.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Recorded {
    /// Its row in the list of runs.
    pub summary: RunSummary,
    /// The hash before its first event.
    pub previous: String,
    /// The run that was begun last before it.
    pub follows: Option<RunId>,
    /// The hash behind which it goes on, if the run begun before it was removed since.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pruned: Option<String>,
    /// Its events, in order.
    pub entries: Vec<Entry>,
}

/// Whether the record of a run is as it was written.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Verified {
    /// How many events, from the first, are as they were written.
    pub events: u64,
    /// The hash of the last of them.
    pub head: String,
    /// Where the record is not what it was.
    pub broken: Option<Broken>,
}

/// The first place at which a record is not what it was.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Broken {
    /// The event's number.
    pub seq: u64,
    /// What does not fit.
    pub why: String,
}

/// Whether a whole journal is as it was written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Whole {
    /// How many runs are.
    pub runs: u64,
    /// How many events they have.
    pub events: u64,
    /// The hash of the last event of the run begun last.
    pub head: String,
    /// The runs that are not, the one begun first comes first.
    pub broken: Vec<(RunId, Broken)>,
    /// What was removed.
    pub prunes: Prunes,
    /// Where the hash stands that was asked for.
    pub found: Option<Found>,
}

/// Where a hash stands.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Found {
    /// The run.
    pub run: RunId,
    /// The number of its event; none when the run was removed since.
    pub seq: Option<u64>,
}

impl Whole {
    /// Nothing yet.
    pub(super) fn new(prunes: Prunes, wanted: Option<&str>) -> Self {
        let is = |run: &&PrunedRun| Some(run.head.as_str()) == wanted || Some(run.next.as_str()) == wanted;
        let gone = prunes.prunes.iter().flat_map(|prune| &prune.runs).find(is);
        let found = gone.map(|run| Found { run: run.id.clone(), seq: None });
        Self { runs: 0, events: 0, head: GENESIS.to_owned(), broken: Vec::new(), prunes, found }
    }

    /// Takes the next run, and what was found out about it.
    pub(super) fn take(&mut self, recorded: &Recorded, verified: Verified, wanted: Option<&str>) {
        let id = &recorded.summary.id;
        self.events += verified.events;
        self.head.clone_from(&verified.head);
        let is = |entry: &&Entry| entry.seq < verified.events && Some(entry.hash.as_str()) == wanted;
        if let Some(entry) = recorded.entries.iter().find(is) {
            self.found = Some(Found { run: id.clone(), seq: Some(entry.seq) });
        }
        match verified.broken {
            Some(broken) => self.broken.push((id.clone(), broken)),
            None => self.runs += 1,
        }
    }
}

impl Recorded {
    /// Whether it begins where the run before it ends; `before` is that run.
    pub(super) fn is_anchored(&self, before: Option<&Recorded>) -> bool {
        match (&self.pruned, before) {
            (Some(next), _) => *next == self.previous,
            (None, Some(before)) => before.entries.iter().any(|entry| entry.hash == self.previous),
            (None, None) => self.previous == GENESIS,
        }
    }

    /// Recomputes the chain. `anchored` says whether `previous` was found where it comes from.
    pub(super) fn verify(&self, anchored: bool) -> Verified {
        let mut walk = Walk { head: self.previous.clone(), log: RunLog::default(), summary: None };
        let mut events = 0;
        let mut broken = (!anchored).then(|| "the run before it was changed or removed".to_owned());
        for entry in &self.entries {
            broken = broken.or_else(|| walk.step(events, entry, &self.summary.id).err());
            if broken.is_some() {
                break;
            }
            events += 1;
        }
        let mut broken = broken.map(|why| Broken { seq: events, why });
        if broken.is_none() {
            broken = self.compare(walk.summary.as_ref(), events);
        }
        Verified { events, head: walk.head, broken }
    }

    /// Compares the run's row with what its events say.
    fn compare(&self, told: Option<&RunSummary>, events: u64) -> Option<Broken> {
        let row = &self.summary;
        let Some(told) = told.filter(|_| events >= row.events) else {
            return Some(Broken { seq: events, why: format!("it is missing: the run had {} events", row.events) });
        };
        if told == row {
            return None;
        }
        let begun = |s: &RunSummary| (s.mode, s.runbook.clone(), s.environment.clone(), s.by.clone(), s.started);
        let seq = if begun(told) == begun(row) { events - 1 } else { 0 };
        Some(Broken { seq, why: "the list of runs says something else than this event".to_owned() })
    }
}

/// The state of a walk along the chain.
struct Walk {
    head: String,
    log: RunLog,
    summary: Option<RunSummary>,
}

impl Walk {
    fn step(&mut self, expected: u64, entry: &Entry, run: &RunId) -> Result<(), String> {
        if entry.seq != expected {
            return Err("it is missing".to_owned());
        }
        if link(&self.head, &entry.json) != entry.hash {
            return Err("its hash is not that of its text and of the hash before it".to_owned());
        }
        let event: Event = serde_json::from_str(&entry.json).map_err(|error| format!("it cannot be read: {error}"))?;
        if event.seq != expected {
            return Err(format!("it says that it is event {}", event.seq));
        }
        self.log.accept(&event.body).map_err(|IllegalEvent(why)| why)?;
        self.head.clone_from(&entry.hash);
        if let EventBody::Started(started) = &event.body {
            self.summary = Some(RunSummary::begun(run, event.at, started));
        }
        if let Some(summary) = &mut self.summary {
            summary.take(&event, &entry.hash);
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_link_can_be_checked_with_standard_tools() {
        // printf '%s' "$(printf '0%.0s' $(seq 64)){}" | sha256sum
        assert_eq!(link(GENESIS, "{}"), "5508d2b710e64bc470079e1b211d9c58e21011e59d0559e422345dc19d659a75");
    }
}
