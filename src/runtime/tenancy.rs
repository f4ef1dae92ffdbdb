//! The leases of one run: taken up front for all targets that its runbook names, renewed beside it, given back at its end.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::task::JoinHandle;

use crate::config::{Environment, TargetKind};
use crate::journal::{Journal, JournalError, Leases};
use crate::model::{Claim, Event, EventBody, Fault, Fence, Halt, Holder, ImpactKind, LEASED, RunId};
use crate::primitives::Registry;
use crate::script::{Script, named_targets};
use crate::system::Look;
use crate::worlds::{Cast, Tenure};

use super::bars::Survey;
use super::{Error, Lifeboat};

/// How often a run that waits looks whether it is its turn.
const TURN: Duration = Duration::from_millis(100);

/// What a run has, and keeps.
pub(super) struct Tenancy {
    journal: Arc<dyn Journal>,
    look: Look,
    environment: Environment,
    /// Who has it; the target is filled in.
    holder: Holder,
    ttl_ms: u64,
    /// The number of the grant; 0 as long as there is none.
    token: AtomicU64,
    /// The scopes of every target that is held.
    held: Mutex<BTreeMap<String, Vec<String>>>,
    /// How many leases that are.
    leases: AtomicU64,
    /// When they were renewed last, in milliseconds of the boot-time clock.
    renewed: AtomicU64,
    lost: AtomicBool,
}

/// Leases are renewed as long as this is there.
pub(super) struct Heartbeat(JoinHandle<()>);

impl Drop for Heartbeat {
    fn drop(&mut self) {
        self.0.abort();
    }
}

/// Who wants what.
pub(super) struct Applicant<'a> {
    pub(super) run: &'a RunId,
    pub(super) runbook: &'a str,
    pub(super) environment: &'a Environment,
    pub(super) targets: BTreeSet<String>,
    /// How long to wait for others; not at all if not given.
    pub(super) wait: Option<Duration>,
}

impl Lifeboat {
    /// The targets that a runbook may change, as far as it names them.
    pub(super) fn changed_targets(&self, script: &Script, cast: &Cast, look: &Look) -> BTreeSet<String> {
        let named = named_targets(script, &cast.registry, self.library().as_ref());
        let changed = named.into_iter().filter(|named| {
            let target = cast.environment.targets.get(&named.target);
            let Some(handler) = cast.handler(named.primitive, &named.target) else { return false };
            if target.is_none_or(|target| target.kind == TargetKind::Channel)
                || handler.observe(&named.args, look).is_some()
            {
                return false;
            }
            let known = || Some(cast.registry.signature(named.primitive)?.impact(&named.args).ok()?.kind);
            handler.impact(&named.args).or_else(known).is_none_or(ImpactKind::is_change)
        });
        changed.map(|named| named.target).collect()
    }

    /// Takes the leases that a run needs. `None` where the journal keeps none. An `Err` means that nothing was taken.
    pub(super) fn take_leases(&self, applicant: &Applicant, look: &Look) -> Result<Option<Arc<Tenancy>>, Error> {
        let journal = self.journal()?;
        let Some(leases) = journal.leases() else { return Ok(None) };
        let environment = applicant.environment;
        let holder = Holder {
            run: applicant.run.clone(),
            runbook: applicant.runbook.to_owned(),
            environment: environment.name.clone(),
            target: String::new(),
            by: crate::system::whoami(),
            process: look.own_process(),
            since: look.now(),
        };
        let ttl_ms = u64::try_from(self.config.state.lease.0.as_millis()).unwrap_or(u64::MAX);
        let held: BTreeMap<String, Vec<String>> =
            applicant.targets.iter().map(|target| (target.clone(), scopes(environment, target))).collect();
        let wanted = wanted(&held, &holder);
        let beat_ms = look.boot_ms();
        let claim = Claim { wanted, token: None, over: vec![], ticket: None, gone: vec![], beat_ms, ttl_ms };
        let mut queue = Queue { leases, look, place: None };
        // A run that names nothing that it may change asks for nothing before it does.
        let granted = if claim.wanted.is_empty() {
            Granted { token: 0, leases: 0, beat_ms }
        } else {
            self.apply(&journal, look, claim, applicant.wait, &mut queue)?
        };
        Ok(Some(Arc::new(Tenancy {
            look: look.clone(),
            environment: environment.clone(),
            holder,
            ttl_ms,
            token: AtomicU64::new(granted.token),
            leases: AtomicU64::new(granted.leases),
            renewed: AtomicU64::new(granted.beat_ms),
            held: Mutex::new(held),
            lost: AtomicBool::new(false),
            journal: journal.clone(),
        })))
    }

    /// Tries until all is granted, the time is over, or nothing is to be waited for.
    fn apply(
        &self,
        journal: &Arc<dyn Journal>,
        look: &Look,
        mut claim: Claim,
        wait: Option<Duration>,
        queue: &mut Queue,
    ) -> Result<Granted, Error> {
        let began = look.monotonic();
        let mut said = String::new();
        loop {
            let survey = Survey::of(journal.as_ref(), look, &claim)?;
            if let Some(doubt) = survey.doubt() {
                return Err(doubt);
            }
            claim.beat_ms = look.boot_ms();
            (claim.over, claim.gone) = (survey.over(), survey.gone());
            claim.ticket = queue.place;
            if survey.bars.is_empty()
                && let Some(token) = queue.leases.take_leases(&claim)?
            {
                queue.place = None;
                survey.warnings().iter().for_each(|warning| self.system.console.show(warning));
                return Ok(Granted { token, leases: claim.wanted.len() as u64, beat_ms: claim.beat_ms });
            }
            let Some(wait) = wait else {
                return Err(survey.refusal());
            };
            if queue.place.is_none() {
                let scopes: Vec<String> = claim.wanted.iter().map(|(scope, _)| scope.clone()).collect();
                let holder = claim.wanted.first().map(|(_, holder)| holder.clone());
                queue.place = holder.map(|holder| queue.leases.wait_for_leases(&holder, &scopes)).transpose()?;
            }
            let now = survey.waiting_for();
            if now != said && !now.is_empty() {
                self.system.console.show(&now);
                said = now;
            }
            let left = wait.saturating_sub(look.monotonic().saturating_sub(began));
            if left.is_zero() {
                return Err(survey.refusal());
            }
            if self.tokio.block_on(look.sleep(TURN.min(left))).is_err() {
                return Err(Error::Refused { why: "cancelled while waiting for other runs".to_owned(), help: None });
            }
        }
    }
}

/// What was granted.
struct Granted {
    token: u64,
    leases: u64,
    beat_ms: u64,
}

/// A place in the queue, given up when nothing comes of it.
struct Queue<'a> {
    leases: &'a dyn Leases,
    look: &'a Look,
    place: Option<u64>,
}

impl Drop for Queue<'_> {
    fn drop(&mut self) {
        let _ = self.look;
        if let Some(place) = self.place {
            // Whoever comes later sees that the process is gone.
            let _ = self.leases.leave_queue(place);
        }
    }
}

impl Tenancy {
    /// Renews the leases from now on, beside the run.
    pub(super) fn renew(self: &Arc<Self>, handle: &tokio::runtime::Handle) -> Heartbeat {
        let tenancy = self.clone();
        Heartbeat(handle.spawn(async move {
            loop {
                tenancy.look.pass(Duration::from_millis((tenancy.ttl_ms / 3).max(1))).await;
                let renewing = tenancy.clone();
                // A journal that is busy is asked again; past the time the next effect finds out.
                let _ = tokio::task::spawn_blocking(move || renewing.renew_now()).await;
            }
        }))
    }

    /// Whether all leases are still there. An error is not known.
    fn renew_now(&self) -> Result<bool, JournalError> {
        let Some(leases) = self.journal.leases() else { return Ok(true) };
        let now = self.look.boot_ms();
        let Some(token) = self.token() else { return Ok(true) };
        // Counted before: a branch that takes one more counts it after it has it.
        let had = self.leases.load(Ordering::SeqCst);
        let whole = leases.renew_leases(token, now)? >= had;
        if whole {
            self.renewed.store(now, Ordering::SeqCst);
        } else {
            self.lost.store(true, Ordering::SeqCst);
        }
        Ok(whole)
    }

    /// Gives the leases back at the end of a run; but those of a run that is not over for good: of those it is told who had them.
    pub(super) fn give_back(&self, over: bool) {
        if let (Some(leases), Some(token), true) = (self.journal.leases(), self.token(), over) {
            // What cannot be given back now is taken by whoever wants it: this run is over.
            let _ = leases.release_leases(token, &[]);
        }
    }

    fn token(&self) -> Option<u64> {
        Some(self.token.load(Ordering::SeqCst)).filter(|token| *token > 0)
    }

    fn lost(&self) -> Halt {
        let run = self.holder.run.clone();
        Halt::LeaseLost { why: JournalError::LeaseLost { run }.to_string() }
    }
}

impl Tenure for Tenancy {
    fn secure(&self, target: &str) -> Result<Result<(), Fault>, Halt> {
        if self.lost.load(Ordering::SeqCst) {
            return Err(self.lost());
        }
        // Whoever was stopped for longer than the leases hold looks whether they are still there.
        let idle = self.look.boot_ms().saturating_sub(self.renewed.load(Ordering::SeqCst));
        if idle > self.ttl_ms && !self.renew_now().map_err(|error| Halt::Journal { why: error.to_string() })? {
            return Err(self.lost());
        }
        let mut held = self.held.lock().unwrap_or_else(PoisonError::into_inner);
        if held.contains_key(target) {
            return Ok(Ok(()));
        }
        let new = scopes(&self.environment, target);
        let known: BTreeSet<&String> = held.values().flatten().collect();
        let new: Vec<String> = new.into_iter().filter(|scope| !known.contains(scope)).collect();
        let fresh = BTreeMap::from([(target.to_owned(), new.clone())]);
        let failed = |error: JournalError| Halt::Journal { why: error.to_string() };
        let Some(leases) = self.journal.leases() else { return Ok(Ok(())) };
        let (beat_ms, ttl_ms) = (self.renewed.load(Ordering::SeqCst), self.ttl_ms);
        let wanted = wanted(&fresh, &self.holder);
        let mut claim =
            Claim { wanted, token: self.token(), over: vec![], ticket: None, gone: vec![], beat_ms, ttl_ms };
        let survey = Survey::of(self.journal.as_ref(), &self.look, &claim).map_err(failed)?;
        let refused = |survey: &Survey| {
            let message = format!("{target}: {}", survey.reason());
            Fault::new(LEASED, message).hint("wait for it, or end it; `lifeboat runs` lists what goes on")
        };
        if !survey.bars.is_empty() {
            return Ok(Err(refused(&survey)));
        }
        claim.over = survey.over();
        let Some(token) = leases.take_leases(&claim).map_err(failed)? else {
            let survey = Survey::of(self.journal.as_ref(), &self.look, &claim).map_err(failed)?;
            return Ok(Err(refused(&survey)));
        };
        self.token.store(token, Ordering::SeqCst);
        self.leases.fetch_add(new.len() as u64, Ordering::SeqCst);
        held.insert(target.to_owned(), new);
        Ok(Ok(()))
    }

    fn fence(&self) -> Option<Fence> {
        let leases = self.leases.load(Ordering::SeqCst);
        Some(Fence { token: self.token()?, leases }).filter(|_| leases > 0)
    }
}

/// What a change of a target changes.
fn scopes(environment: &Environment, target: &str) -> Vec<String> {
    environment.targets.get(target).map(|target| environment.scopes(target)).unwrap_or_default()
}

/// Sorted by scope; where two targets are one thing, the first names it.
fn wanted(held: &BTreeMap<String, Vec<String>>, holder: &Holder) -> Vec<(String, Holder)> {
    let mut wanted = BTreeMap::new();
    for (target, scopes) in held {
        for scope in scopes {
            wanted.entry(scope.clone()).or_insert_with(|| Holder { target: target.clone(), ..holder.clone() });
        }
    }
    wanted.into_iter().collect()
}

/// The targets that a run has changed so far.
pub(super) fn changed_so_far(events: &[Event], registry: &Registry) -> BTreeSet<String> {
    let changed = events.iter().filter_map(|event| match &event.body {
        EventBody::Intended { primitive, args, impact, .. } if impact.kind.is_change() => {
            registry.signature(primitive)?.target_of(args).map(str::to_owned)
        }
        _ => None,
    });
    changed.collect()
}
