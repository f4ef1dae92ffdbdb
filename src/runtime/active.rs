//! Whether a run that has no end still goes on.

use std::collections::BTreeSet;
use std::sync::{Mutex, MutexGuard, PoisonError};

use crate::model::{Event, EventBody, ProcessId, RunId};
use crate::system::{Look, System};

/// The runs that this very process carries out: one that is recorded as its own, and is not among them, was given up.
static ACTIVE: Mutex<BTreeSet<RunId>> = Mutex::new(BTreeSet::new());

/// A run is carried out as long as this is there.
pub(super) struct Active(RunId);

impl Active {
    /// Begins to carry out a run; `None` if that is being done already.
    pub(super) fn begin(run: &RunId) -> Option<Self> {
        active().insert(run.clone()).then(|| Self(run.clone()))
    }
}

impl Drop for Active {
    fn drop(&mut self) {
        active().remove(&self.0);
    }
}

/// Whether a run that has no end still goes on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Life {
    /// In this process.
    GoesOn(ProcessId),
    /// Its process is gone: it can be taken up again.
    Interrupted,
    /// Only the machine of this process knows.
    Elsewhere(ProcessId),
}

impl Life {
    /// Of the run with these events.
    pub fn of(run: &RunId, events: &[Event]) -> Self {
        let carried_by = events.iter().rev().find_map(|event| match &event.body {
            EventBody::Resumed { process: Some(process), .. } => Some(process),
            EventBody::Started(started) => started.process.as_ref(),
            _ => None,
        });
        // A record of a version that did not name its process.
        let Some(process) = carried_by else { return Life::Interrupted };
        let look = Look::new(System::new(std::path::PathBuf::new()).into());
        let runs = Self::is_carried_out(run, process, &look);
        match runs {
            Some(true) => Life::GoesOn(process.clone()),
            Some(false) => Life::Interrupted,
            None => Life::Elsewhere(process.clone()),
        }
    }
}

impl Life {
    /// Whether this process still carries a run out; `None` where only its own machine knows.
    pub(super) fn is_carried_out(run: &RunId, process: &ProcessId, look: &Look) -> Option<bool> {
        if *process == look.own_process() { Some(active().contains(run)) } else { look.still_runs(process) }
    }
}

fn active() -> MutexGuard<'static, BTreeSet<RunId>> {
    ACTIVE.lock().unwrap_or_else(PoisonError::into_inner)
}
