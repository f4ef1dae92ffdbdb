//! The time for a whole run: `//! deadline: 30m` at the head of its runbook.

use std::time::Duration;

use jiff::Timestamp;
use tokio::runtime::Handle;
use tokio::task::JoinHandle;

use crate::model::{Halt, Span};
use crate::script::Script;
use crate::system::Look;

use super::Error;
use super::unfinished::Unfinished;

/// How long a run may take, and how much of that is left.
pub(super) struct Deadline {
    within: Span,
    left: Duration,
}

/// The run is ended when its time is over, as long as this is there.
pub(super) struct Timer(JoinHandle<()>);

impl Drop for Timer {
    fn drop(&mut self) {
        self.0.abort();
    }
}

impl Deadline {
    /// Of a run of `script` that begins now. The check has seen that it is a duration.
    pub(super) fn of(script: &Script) -> Option<Self> {
        let within: Span = script.front_matter.get("deadline")?.parse().ok()?;
        Some(Self { within, left: within.0 })
    }

    /// Of a run that began earlier. Refused when nothing is left: whoever takes it up says what that means.
    pub(super) fn counted_from(self, run: &Unfinished, now: Timestamp) -> Result<Self, Error> {
        let passed = Duration::try_from(now.duration_since(run.began())).unwrap_or_default();
        let left = self.within.0.saturating_sub(passed);
        if left.is_zero() {
            return Err(Error::Refused {
                why: format!(
                    "run {} was to be over within {}, and began {} ago",
                    run.id,
                    self.within,
                    Span(passed).human()
                ),
                help: Some(format!(
                    "lifeboat cancel {0} rolls it back; lifeboat resume {0} --no-deadline goes on all the same",
                    run.id
                )),
            });
        }
        Ok(Self { left, ..self })
    }

    /// Ends the run of `look` when the time is over.
    pub(super) fn watch(self, look: &Look, handle: &Handle) -> Timer {
        let (look, within) = (look.clone(), self.within);
        Timer(handle.spawn(async move {
            look.pass(self.left).await;
            look.cancel().end(Halt::Deadline { within });
        }))
    }
}
