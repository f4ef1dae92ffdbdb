//! How a run is asked to stop: once to cancel (what is owed is unwound), twice to abort.

use tokio_util::sync::CancellationToken;

use crate::model::Halt;

/// A handle that asks a run to stop. Clones ask the same run.
#[derive(Clone, Debug, Default)]
pub struct Cancel {
    cancelled: CancellationToken,
    aborted: CancellationToken,
    shielded: bool,
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

    /// The same run as whoever undoes what is owed sees it: only an abort stops that.
    #[must_use]
    pub fn shielded(&self) -> Self {
        Self { shielded: true, ..self.clone() }
    }

    /// What was asked, if anything that counts now.
    pub fn requested(&self) -> Option<Halt> {
        if self.aborted.is_cancelled() {
            Some(Halt::Aborted)
        } else if self.cancelled.is_cancelled() && !self.shielded {
            Some(Halt::Cancelled)
        } else {
            None
        }
    }

    /// Ends when the run is asked to stop in a way that counts now.
    pub async fn wait(&self) {
        if self.shielded {
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
        let unwinding = cancel.shielded();
        assert_eq!(unwinding.requested(), None);
        assert_eq!(cancel.requested(), Some(Halt::Cancelled), "other branches are not shielded");
        unwinding.request();
        assert_eq!((cancel.requested(), unwinding.requested()), (Some(Halt::Aborted), Some(Halt::Aborted)));
    }
}
