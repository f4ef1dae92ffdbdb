//! The list of runs: one row for each, and what to ask for.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::model::{Event, EventBody, Mode, RunId, Started};

/// The status of a run that has no `ended` event: it goes on, or its process is gone and it can be resumed.
pub const RUNNING: &str = "running";
/// Statuses of runs that ended and are not over: they can be taken up again, and are never removed.
pub const UNFINISHED: [&str; 5] = ["in-doubt", "waiting", "lease-lost", "unrecorded", "diverged"];

/// One run in the list of runs.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RunSummary {
    /// Its id.
    pub id: RunId,
    /// Run or drill.
    pub mode: Mode,
    /// The runbook's path.
    pub runbook: String,
    /// The environment's name.
    pub environment: String,
    /// Who started it, as `user@host`.
    pub by: String,
    /// When it was started, UTC.
    pub started: Timestamp,
    /// When it ended, UTC.
    pub ended: Option<Timestamp>,
    /// [`RUNNING`], or what its `ended` event says.
    pub status: String,
    /// The fault or halt behind its end.
    pub why: Option<String>,
    /// How many events it has.
    pub events: u64,
    /// The hash of its last event.
    pub head: String,
}

impl RunSummary {
    /// A run that has just begun, before any event is counted.
    pub(super) fn begun(id: &RunId, at: Timestamp, started: &Started) -> Self {
        Self {
            id: id.clone(),
            mode: started.mode,
            runbook: started.runbook.clone(),
            environment: started.environment.clone(),
            by: started.by.clone(),
            started: at,
            ended: None,
            status: RUNNING.to_owned(),
            why: None,
            events: 0,
            head: String::new(),
        }
    }

    /// Counts one event.
    pub(super) fn take(&mut self, event: &Event, hash: &str) {
        self.events += 1;
        hash.clone_into(&mut self.head);
        if let EventBody::Resumed { .. } = &event.body {
            (self.ended, self.why) = (None, None);
            RUNNING.clone_into(&mut self.status);
        }
        if let EventBody::Ended { status, why, .. } = &event.body {
            self.ended = Some(event.at);
            self.status.clone_from(status);
            self.why.clone_from(why);
        }
    }
}

/// Which runs to list. The default is all of them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RunQuery {
    /// At most so many, the newest.
    pub limit: Option<usize>,
    /// Only runs with this status.
    pub status: Option<String>,
    /// Only runs of runbooks whose path contains this.
    pub runbook: Option<String>,
    /// Only runs in this environment.
    pub environment: Option<String>,
    /// Only runs whose id begins or ends like this.
    pub id: Option<String>,
    /// Only runs that somebody started whose `user@host` contains this.
    pub by: Option<String>,
    /// Only runs, or only drills.
    pub mode: Option<Mode>,
    /// Only runs that were started then or later.
    pub since: Option<Timestamp>,
    /// Only runs that were started before.
    pub until: Option<Timestamp>,
}

impl RunQuery {
    /// The newest `limit` runs.
    pub fn newest(limit: usize) -> Self {
        Self { limit: Some(limit), ..Self::default() }
    }

    /// Whether the run is one of those asked for.
    pub fn matches(&self, run: &RunSummary) -> bool {
        let is = |wanted: &Option<String>, found: &str| wanted.as_ref().is_none_or(|wanted| wanted == found);
        is(&self.status, &run.status)
            && is(&self.environment, &run.environment)
            && self.by.as_ref().is_none_or(|part| run.by.contains(part.as_str()))
            && self.mode.is_none_or(|mode| mode == run.mode)
            && self.since.is_none_or(|since| run.started >= since)
            && self.until.is_none_or(|until| run.started < until)
            && self.runbook.as_ref().is_none_or(|part| run.runbook.contains(part.as_str()))
            && self.id.as_ref().is_none_or(|part| {
                run.id.as_str().starts_with(part.as_str()) || run.id.as_str().ends_with(part.as_str())
            })
    }
}
