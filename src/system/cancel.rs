//! How a run is asked to stop: once to cancel (what is owed is unwound), twice to abort.

use std::sync::{Arc, OnceLock};

use tokio_util::sync::CancellationToken;

use crate::model::Halt;

/// A handle that asks a run to stop. Clones ask the same run.
#[derive(Clone, Debug, Default)]
pub struct Cancel {
    cancelled: CancellationToken,
    aborted: CancellationToken,
    /// Why it is to stop, where nobody cancelled it.
    cause: Arc<OnceLock<Halt>>,
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

    /// Asks to cancel; asked again, nothing changes. For whoever does not see that somebody has asked already.
    pub fn cancel(&self) {
        self.cancelled.cancel();
    }

    /// Asks to stop at once, as if it had been asked twice.
    pub fn abort(&self) {
        // In this order: nobody sees that it was asked once.
        self.aborted.cancel();
        self.cancelled.cancel();
    }

    /// Asks to stop for another reason than that somebody cancels. Whoever was faster is the reason.
    pub fn end(&self, cause: Halt) {
        if !self.cancelled.is_cancelled() {
            let _ = self.cause.set(cause);
            self.cancelled.cancel();
        }
    }

    /// A handle for one of several runs: it is asked to stop when this one is, and not the other way round.
    #[must_use]
    pub fn for_one(&self) -> Self {
        Self {
            cancelled: self.cancelled.child_token(),
            aborted: self.aborted.child_token(),
            cause: Arc::default(),
            shielded: false,
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
            Some(self.cause.get().cloned().unwrap_or(Halt::Cancelled))
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
    fn who_only_cancels_never_aborts() {
        let cancel = Cancel::new();
        cancel.cancel();
        cancel.cancel();
        assert_eq!((cancel.requested(), cancel.shielded().requested()), (Some(Halt::Cancelled), None));
    }

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

    #[test]
    fn one_run_ends_alone_and_with_all_others() {
        let all = Cancel::new();
        let (one, other) = (all.for_one(), all.for_one());
        let over = Halt::Deadline { within: crate::model::Span::from_secs(60) };
        one.end(over.clone());
        assert_eq!((one.requested(), other.requested(), all.requested()), (Some(over.clone()), None, None));
        all.request();
        assert_eq!((one.requested(), other.requested()), (Some(over), Some(Halt::Cancelled)), "the first reason stays");
        all.request();
        assert_eq!(one.requested(), Some(Halt::Aborted));
    }
}
