//! The leases of one run: taken up front for all targets that its runbook names, renewed beside it, given back at its end.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::task::JoinHandle;

use crate::config::{Environment, TargetKind};
use crate::journal::{Journal, JournalError};
use crate::model::{Claim, Event, EventBody, Fault, Fence, Halt, Holder, ImpactKind, LEASED, RunId};
use crate::primitives::Registry;
use crate::script::{Script, named_targets};
use crate::system::{Console, Look};
use crate::worlds::{Cast, Tenure};

use super::applying::{Wish, wanted};
use super::bars::Survey;
use super::ledger::{Holding, Standing};
use super::shared::publish_run;
use super::{Error, Lifeboat};

/// What a run has, and keeps.
pub(super) struct Tenancy {
    look: Look,
    environment: Environment,
    /// Who has it; the target is filled in.
    holder: Holder,
    ttl_ms: u64,
    /// What the ledgers granted; the one of this machine comes first.
    holdings: Vec<Holding>,
    /// The targets that are held, in all of them.
    held: Mutex<BTreeSet<String>>,
    /// One target is taken after the other.
    taking: Mutex<()>,
    journal: Arc<dyn Journal>,
    /// Where the team sees what was done.
    history: Option<Arc<dyn Journal>>,
    console: Arc<dyn Console>,
}

/// Leases are renewed as long as this is there.
pub(super) struct Heartbeat(Vec<JoinHandle<()>>);

impl Drop for Heartbeat {
    fn drop(&mut self) {
        self.0.iter().for_each(JoinHandle::abort);
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
    /// Why the leases of other machines do not count; they do if not given.
    pub(super) break_glass: Option<&'a str>,
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
        if journal.leases().is_none() {
            return Ok(None);
        }
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
        let ledgers = self.ledgers(&journal, environment, applicant.break_glass.is_some())?;
        let shared = ledgers.iter().any(|ledger| ledger.shared.is_some());
        let history = shared.then(|| self.shared_history()).flatten();
        let wish = Wish { look, environment, holder, targets: &applicant.targets, ttl_ms };
        let holdings = self.apply(&wish, &ledgers, applicant.wait)?;
        let (look, environment, held) = (look.clone(), environment.clone(), Mutex::new(applicant.targets.clone()));
        let (holder, console) = (wish.holder, self.system.console.clone());
        Ok(Some(Arc::new(Tenancy {
            look,
            environment,
            holder,
            ttl_ms,
            holdings,
            held,
            taking: Mutex::new(()),
            journal,
            history,
            console,
        })))
    }
}

impl Tenancy {
    /// Renews the leases from now on, beside the run, and shows the team how far it is. Each for itself: a server that takes its time
    /// keeps nobody from renewing what is kept here.
    pub(super) fn renew(self: &Arc<Self>, handle: &tokio::runtime::Handle) -> Heartbeat {
        let beat = Duration::from_millis((self.ttl_ms / 3).max(1));
        let mut tasks = Vec::new();
        for n in 0..self.holdings.len() {
            // A journal that is busy is asked again; past the time the next effect finds out.
            let renewed = move |tenancy: &Self| drop(tenancy.holdings[n].renew(&tenancy.look));
            tasks.push(handle.spawn(self.clone().again_and_again(beat, renewed)));
        }
        if self.history.is_some() {
            self.clone().publish_soon(handle);
            tasks.push(handle.spawn(self.clone().again_and_again(beat, Self::publish)));
        }
        Heartbeat(tasks)
    }

    /// The targets that are held.
    pub(super) fn targets(&self) -> Vec<String> {
        self.held.lock().unwrap_or_else(PoisonError::into_inner).iter().cloned().collect()
    }

    fn publish_soon(self: Arc<Self>, handle: &tokio::runtime::Handle) {
        handle.spawn_blocking(move || self.publish());
    }

    async fn again_and_again(self: Arc<Self>, every: Duration, work: impl Fn(&Self) + Copy + Send + 'static) {
        loop {
            self.look.pass(every).await;
            let tenancy = self.clone();
            let _ = tokio::task::spawn_blocking(move || work(&tenancy)).await;
        }
    }

    fn publish(&self) {
        if let Some(shared) = &self.history {
            // What does not arrive now arrives with the next beat, or at the end.
            let _ = publish_run(self.journal.as_ref(), shared.as_ref(), &self.holder.run);
        }
    }

    /// Gives the leases back at the end of a run; but those of a run that is not over for good: of those it is told who had them.
    pub(super) fn give_back(&self, over: bool) {
        if over {
            self.holdings.iter().for_each(Holding::release);
        }
    }

    fn lost(&self) -> Halt {
        let run = self.holder.run.clone();
        Halt::LeaseLost { why: JournalError::LeaseLost { run }.to_string() }
    }

    /// The run goes on without a ledger that does not answer, and says so once.
    fn miss(&self, holding: &Holding) {
        if holding.miss() {
            self.console.show("the shared journal does not answer; going on with the journal of this machine alone");
        }
    }

    /// Whether what a ledger gave lets the run go on.
    fn stands(&self, holding: &Holding) -> Result<bool, Halt> {
        match (holding.standing(&self.look, self.ttl_ms), &holding.ledger.shared) {
            (Ok(Standing::Held), _) => Ok(true),
            (Ok(Standing::Missed), _) => Ok(false),
            (Ok(Standing::Lost), _) => Err(self.lost()),
            (Err(error), None) => Err(Halt::Journal { why: error.to_string() }),
            (Err(_), Some(_)) if holding.ledger.may_be_missed() => {
                self.miss(holding);
                Ok(false)
            }
            (Err(error), Some(_)) => Err(Halt::LeaseLost {
                why: format!("{error}; nobody on another machine can know any more that this run goes on"),
            }),
        }
    }

    /// Takes a target from one of the ledgers. A fault when another run has it.
    fn take(&self, holding: &Holding, target: &str) -> Result<Result<(), Fault>, Halt> {
        let failed = |error: JournalError| Halt::Journal { why: error.to_string() };
        let (ledger, look) = (&holding.ledger, &self.look);
        let Some(leases) = ledger.leases() else { return Ok(Ok(())) };
        let new = holding.lacking(ledger.scopes(&self.environment, target, look));
        if new.is_empty() {
            return Ok(Ok(()));
        }
        let target_of = target.to_owned();
        let wanted = wanted([(&target_of, new.clone())].into_iter(), &self.holder);
        let (token, ttl_ms) = (holding.token(), self.ttl_ms);
        let beat_ms = leases.now_ms(look.boot_ms()).map_err(failed)?;
        let mut claim = Claim { wanted, token, over: vec![], ticket: None, gone: vec![], beat_ms, ttl_ms };
        let survey = Survey::of(ledger, look, &claim).map_err(failed)?;
        let refused = |survey: &Survey| {
            // Waiting does not help where its process is gone.
            if let Some(Error::InDoubt { why, help }) = survey.doubt() {
                return Fault::new(LEASED, why).hint(help);
            }
            let message = format!("{target}: {}", survey.reason());
            Fault::new(LEASED, message).hint("wait for it, or end it; `lifeboat runs` lists what goes on")
        };
        if !survey.bars.is_empty() || survey.doubt().is_some() {
            return Ok(Err(refused(&survey)));
        }
        claim.over = survey.over();
        let Some(token) = leases.take_leases(&claim).map_err(failed)? else {
            let survey = Survey::of(ledger, look, &claim).map_err(failed)?;
            return Ok(Err(refused(&survey)));
        };
        holding.grow(token, new);
        Ok(Ok(()))
    }
}

impl Tenure for Tenancy {
    fn secure(&self, target: &str) -> Result<Result<(), Fault>, Halt> {
        let mut standing = Vec::new();
        for holding in &self.holdings {
            if self.stands(holding)? {
                standing.push(holding);
            }
        }
        let held = || self.held.lock().unwrap_or_else(PoisonError::into_inner);
        if held().contains(target) {
            return Ok(Ok(()));
        }
        let _taking = self.taking.lock().unwrap_or_else(PoisonError::into_inner);
        if held().contains(target) {
            return Ok(Ok(()));
        }
        for holding in standing {
            match self.take(holding, target) {
                Ok(Ok(())) => {}
                Err(Halt::Journal { .. }) if holding.ledger.may_be_missed() => self.miss(holding),
                Err(Halt::Journal { why }) if holding.ledger.shared.is_some() => return Err(Halt::LeaseLost { why }),
                refused => return refused,
            }
        }
        held().insert(target.to_owned());
        Ok(Ok(()))
    }

    fn fence(&self) -> Option<Fence> {
        // What is recorded on this machine is recorded together with a look at its own leases.
        let holding = self.holdings.iter().find(|holding| holding.ledger.shared.is_none())?;
        let leases = holding.count();
        Some(Fence { token: holding.token()?, leases }).filter(|_| leases > 0)
    }
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
