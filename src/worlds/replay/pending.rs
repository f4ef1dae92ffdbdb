//! How much of a record is still to be met.

use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// Branches that had begun are all carried on at the same time, so nobody waits for long. Should the machine give fewer threads than
/// it did, those who wait hold the others up: then it goes on without them.
const PATIENCE: Duration = Duration::from_secs(10);

/// Recorded calls that were not asked for again yet, outside of rollbacks.
pub(super) struct Pending {
    left: Mutex<usize>,
    over: Condvar,
}

impl Pending {
    pub(super) fn new(calls: usize) -> Self {
        Self { left: Mutex::new(calls), over: Condvar::new() }
    }

    /// One of them was asked for.
    pub(super) fn one_less(&self) {
        let mut left = self.lock();
        *left = left.saturating_sub(1);
        if *left == 0 {
            self.over.notify_all();
        }
    }

    /// Whether all of them were.
    pub(super) fn is_over(&self) -> bool {
        *self.lock() == 0
    }

    /// Waits until all of them were.
    pub(super) fn wait(&self) {
        let waited = self.over.wait_timeout_while(self.lock(), PATIENCE, |left| *left > 0);
        drop(waited.unwrap_or_else(PoisonError::into_inner));
    }

    fn lock(&self) -> MutexGuard<'_, usize> {
        self.left.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
