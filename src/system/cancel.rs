//! How a run is asked to stop: once to cancel (what is owed is unwound), twice to abort.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use tokio_util::sync::CancellationToken;

use crate::model::Halt;

/// A handle that asks a run to stop. Clones ask the same run.
#[derive(Clone, Debug, Default)]
pub struct Cancel {
    cancelled: CancellationToken,
    aborted: CancellationToken,
    unwinding: Arc<AtomicUsize>,
}

/// A wait that was ended by [`Cancel`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("interrupted")]
pub struct Interrupted;

impl Cancel {
    /// Nobody has asked yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// Asks to stop: the first time to cancel, the second time to abort.
    pub fn request(&self) {
        if self.cancelled.is_cancelled() {
            self.aborted.cancel();
        } else {
            self.cancelled.cancel();
        }
    }

    /// From now on what is owed is being undone: only an abort stops that. Rollbacks may nest.
    pub fn begin_unwinding(&self) {
        self.unwinding.fetch_add(1, Ordering::SeqCst);
    }

    /// What was being undone is undone.
    pub fn end_unwinding(&self) {
        self.unwinding.fetch_sub(1, Ordering::SeqCst);
    }

    /// What was asked, if anything that counts now.
    pub fn requested(&self) -> Option<Halt> {
        if self.aborted.is_cancelled() {
            Some(Halt::Aborted)
        } else if self.cancelled.is_cancelled() && self.unwinding.load(Ordering::SeqCst) == 0 {
            Some(Halt::Cancelled)
        } else {
            None
        }
    }

    /// Ends when the run is asked to stop in a way that counts now.
    pub async fn wait(&self) {
        if self.unwinding.load(Ordering::SeqCst) > 0 {
            self.aborted.cancelled().await;
        } else {
            self.cancelled.cancelled().await;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn once_cancels_twice_aborts_and_unwinding_ignores_the_first() {
        let cancel = Cancel::new();
        assert_eq!(cancel.requested(), None);
        cancel.request();
        assert_eq!(cancel.requested(), Some(Halt::Cancelled));
        cancel.begin_unwinding();
        assert_eq!(cancel.requested(), None);
        cancel.end_unwinding();
        assert_eq!(cancel.requested(), Some(Halt::Cancelled));
        cancel.request();
        assert_eq!(cancel.requested(), Some(Halt::Aborted));
    }
}
