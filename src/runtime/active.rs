//! The runs that this very process carries out: one that is recorded as its own, and is not among them, was given up.

use std::collections::BTreeSet;
use std::sync::{Mutex, MutexGuard, PoisonError};

use crate::model::RunId;

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

/// Whether this process carries out the run.
pub(super) fn is_active(run: &RunId) -> bool {
    active().contains(run)
}

fn active() -> MutexGuard<'static, BTreeSet<RunId>> {
    ACTIVE.lock().unwrap_or_else(PoisonError::into_inner)
}
