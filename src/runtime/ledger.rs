//! Where the leases of a run are kept: in the journal of this machine, and in the one that a team shares.

use std::collections::BTreeSet;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::config::Environment;
use crate::journal::{Journal, JournalError, Leases};
use crate::model::{Event, Holder};
use crate::system::Look;

/// A journal that keeps leases.
#[derive(Clone)]
pub(super) struct Ledger {
    pub(super) journal: Arc<dyn Journal>,
    /// Where this one is shared.
    pub(super) shared: Option<Shared>,
}

/// What is different about a journal that several machines share.
#[derive(Clone)]
pub(super) struct Shared {
    /// The journal of this machine, which knows more of its own runs.
    local: Arc<dyn Journal>,
    /// Whether nothing may be changed without it.
    pub(super) required: bool,
    /// Whether its leases are taken from whoever has them.
    pub(super) broken: bool,
}

impl Ledger {
    /// The journal of this machine.
    pub(super) fn local(journal: Arc<dyn Journal>) -> Self {
        Self { journal, shared: None }
    }

    /// The journal that a team shares, beside the `local` one. `broken`: somebody broke the glass.
    pub(super) fn shared(journal: Arc<dyn Journal>, local: Arc<dyn Journal>, required: bool, broken: bool) -> Self {
        Self { journal, shared: Some(Shared { local, required, broken }) }
    }

    pub(super) fn leases(&self) -> Option<&dyn Leases> {
        self.journal.leases()
    }

    /// What is recorded of the run of `holder`, and whether it is a run of the journal of this machine, which alone knows all of it.
    /// Nothing of one that was killed before its record began, or has been removed since.
    pub(super) fn events_of(&self, holder: &Holder) -> Result<(Vec<Event>, bool), JournalError> {
        let found = |journal: &Arc<dyn Journal>| match journal.events(&holder.run) {
            Err(JournalError::UnknownRun { .. } | JournalError::RemovedRun { .. }) => Ok(Vec::new()),
            events => events,
        };
        let Some(shared) = &self.shared else { return Ok((found(&self.journal)?, true)) };
        let local = found(&shared.local)?;
        if local.is_empty() { Ok((found(&self.journal)?, false)) } else { Ok((local, true)) }
    }

    /// What a change of a target changes, as this ledger names it.
    pub(super) fn scopes(&self, environment: &Environment, target: &str, look: &Look) -> Vec<String> {
        let Some(target) = environment.targets.get(target) else { return Vec::new() };
        match &self.shared {
            Some(_) => environment.shared_scopes(target, &look.own_process().host),
            None => environment.scopes(target),
        }
    }

    /// Whether a run may go on when this ledger cannot be used.
    pub(super) fn may_be_missed(&self) -> bool {
        self.shared.as_ref().is_some_and(|shared| !shared.required || shared.broken)
    }
}

/// What a ledger has granted to a run, and whether it still does.
pub(super) struct Holding {
    pub(super) ledger: Ledger,
    /// The number of the grant; 0 as long as there is none.
    token: AtomicU64,
    /// What it has.
    scopes: Mutex<BTreeSet<String>>,
    /// When they were renewed last, in milliseconds of our boot-time clock: before that was asked for.
    renewed: AtomicU64,
    lost: AtomicBool,
    /// Whether the run goes on without this ledger, which did not answer in time.
    missed: AtomicBool,
}

/// What a run has of a ledger.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Standing {
    /// Its leases.
    Held,
    /// Nothing any more.
    Lost,
    /// Nothing that counts: it goes on without.
    Missed,
}

impl Holding {
    pub(super) fn new(ledger: Ledger, token: u64, scopes: BTreeSet<String>, renewed: u64) -> Self {
        let (lost, missed) = (AtomicBool::new(false), AtomicBool::new(false));
        Self { ledger, token: token.into(), scopes: Mutex::new(scopes), renewed: renewed.into(), lost, missed }
    }

    pub(super) fn token(&self) -> Option<u64> {
        Some(self.token.load(Ordering::SeqCst)).filter(|token| *token > 0)
    }

    /// How many leases it has.
    pub(super) fn count(&self) -> u64 {
        self.scopes().len() as u64
    }

    /// Of these, what it has not.
    pub(super) fn lacking(&self, scopes: Vec<String>) -> Vec<String> {
        let held = self.scopes();
        scopes.into_iter().filter(|scope| !held.contains(scope)).collect()
    }

    /// More was granted.
    pub(super) fn grow(&self, token: u64, scopes: Vec<String>) {
        self.token.store(token, Ordering::SeqCst);
        self.scopes().extend(scopes);
    }

    fn scopes(&self) -> MutexGuard<'_, BTreeSet<String>> {
        self.scopes.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The run goes on without this ledger from now on. Whether it did not already.
    pub(super) fn miss(&self) -> bool {
        !self.missed.swap(true, Ordering::SeqCst)
    }

    /// Renews the leases. An error is not known.
    pub(super) fn renew(&self, look: &Look) -> Result<Standing, JournalError> {
        let (Some(leases), Some(token)) = (self.ledger.leases(), self.token()) else { return Ok(Standing::Held) };
        if self.missed.load(Ordering::SeqCst) {
            return Ok(Standing::Missed);
        }
        let now = look.boot_ms();
        // Counted before: a branch that takes one more counts it after it has it.
        let had = self.count();
        if leases.renew_leases(token, leases.now_ms(now)?)? >= had {
            self.renewed.store(now, Ordering::SeqCst);
            return Ok(Standing::Held);
        }
        self.lost.store(true, Ordering::SeqCst);
        Ok(Standing::Lost)
    }

    /// Whether the leases are still there. Whoever was stopped for longer than they hold looks.
    pub(super) fn standing(&self, look: &Look, ttl_ms: u64) -> Result<Standing, JournalError> {
        if self.lost.load(Ordering::SeqCst) {
            return Ok(Standing::Lost);
        }
        if self.missed.load(Ordering::SeqCst) {
            return Ok(Standing::Missed);
        }
        let idle = look.boot_ms().saturating_sub(self.renewed.load(Ordering::SeqCst));
        if idle > ttl_ms { self.renew(look) } else { Ok(Standing::Held) }
    }

    /// Gives everything back.
    pub(super) fn release(&self) {
        if let (Some(leases), Some(token)) = (self.ledger.leases(), self.token()) {
            // What cannot be given back now is taken by whoever wants it: the run is over.
            let _ = leases.release_leases(token, &[]);
        }
    }
}
