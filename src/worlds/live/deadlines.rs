//! Until when the steps that are open must be over.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use crate::model::{DEADLINE, Fault, Key, Scope, ScopeKind, Span};
use crate::system::Look;

/// The steps that are open and have a time.
#[derive(Default)]
pub(super) struct Deadlines(Mutex<Vec<Deadline>>);

#[derive(Clone)]
struct Deadline {
    step: Key,
    title: String,
    within: Span,
    /// On the monotonic clock.
    until: Duration,
}

impl Deadline {
    /// A rollback has all the time that it needs: it runs because the time is over.
    fn holds_for(&self, key: &Key) -> bool {
        self.step.encloses(key) && !key.in_rollback_within(&self.step)
    }

    fn fault(&self) -> Fault {
        Fault::new(DEADLINE, format!("step \"{}\" was to be over within {}", self.title, self.within))
            .hint("raise its `within` if it only needs longer")
    }
}

impl Deadlines {
    /// A step begins, or began at that moment in an earlier process.
    pub(super) fn enter(&self, scope: &Scope, look: &Look, since: Option<jiff::Timestamp>) {
        let ScopeKind::Step { within: Some(within), .. } = &scope.kind else { return };
        let passed = since.map(|since| look.now().duration_since(since));
        let passed = passed.and_then(|passed| Duration::try_from(passed).ok()).unwrap_or_default();
        let until = (look.monotonic() + within.0).saturating_sub(passed);
        let deadline = Deadline { step: scope.key.clone(), title: scope.title.clone(), within: *within, until };
        let mut open = self.open();
        open.retain(|other| other.step != scope.key);
        open.push(deadline);
    }

    /// A step ends.
    pub(super) fn leave(&self, step: &Key) {
        self.open().retain(|deadline| deadline.step != *step);
    }

    /// The fault of the call at `key`, if the time for it is over.
    pub(super) fn over(&self, key: &Key, look: &Look) -> Option<Fault> {
        self.next(key).filter(|deadline| deadline.until <= look.monotonic()).map(|deadline| deadline.fault())
    }

    /// Ends with the fault of the call at `key` when the time for it is over.
    pub(super) async fn wait(&self, key: &Key, look: &Look) -> Fault {
        let Some(deadline) = self.next(key) else { return std::future::pending().await };
        look.pass(deadline.until.saturating_sub(look.monotonic())).await;
        deadline.fault()
    }

    /// The one that ends first.
    fn next(&self, key: &Key) -> Option<Deadline> {
        let open = self.open();
        open.iter().filter(|deadline| deadline.holds_for(key)).min_by_key(|deadline| deadline.until).cloned()
    }

    fn open(&self) -> MutexGuard<'_, Vec<Deadline>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
