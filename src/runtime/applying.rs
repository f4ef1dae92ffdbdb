//! Applying for leases: at every ledger that there is, for all that a run needs; all of it is granted, or nothing.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use crate::config::Environment;
use crate::journal::Journal;
use crate::model::{Claim, Holder};
use crate::system::Look;

use super::bars::Survey;
use super::ledger::{Holding, Ledger};
use super::{Error, Lifeboat};

/// How often a run that waits looks whether it is its turn.
const TURN: Duration = Duration::from_millis(100);
/// The same, where a server is asked as well.
const TURN_ELSEWHERE: Duration = Duration::from_secs(1);

impl Lifeboat {
    /// The ledgers of a run in `environment`: always the one of this machine, and the one that is shared as far as it can be reached.
    pub(super) fn ledgers(
        &self,
        journal: &Arc<dyn Journal>,
        environment: &Environment,
        broken: bool,
    ) -> Result<Vec<Ledger>, Error> {
        let mut ledgers = vec![Ledger::local(journal.clone())];
        match self.shared_journal() {
            Ok(None) if broken => {
                let note =
                    "--break-glass: no journal is shared here; the leases of this machine are heeded all the same";
                self.system.console.show(note);
            }
            Ok(shared) => ledgers
                .extend(shared.map(|shared| Ledger::shared(shared, journal.clone(), environment.protected, broken))),
            Err(error) if !environment.protected || broken => self.go_on_alone(&error.to_string()),
            Err(error) => return Err(error),
        }
        Ok(ledgers)
    }

    fn go_on_alone(&self, why: &str) {
        self.system.console.show(&format!("{why}; going on with the journal of this machine alone"));
    }

    /// Tries until all is granted by all, the time is over, or nothing is to be waited for.
    pub(super) fn apply(&self, wish: &Wish, ledgers: &[Ledger], wait: Option<Duration>) -> Result<Vec<Holding>, Error> {
        let look = wish.look;
        let began = look.monotonic();
        let mut queue = Queue { ledger: &ledgers[0], place: None, barred_elsewhere: false };
        let mut said = String::new();
        loop {
            let survey = match self.try_all(wish, ledgers, &mut queue)? {
                Ok(holdings) => return Ok(holdings),
                Err(survey) => survey,
            };
            let Some(wait) = wait else {
                return Err(survey.refusal(&wish.holder));
            };
            // Among the machines of a team nobody can tell who still waits: there, whoever asks first is first.
            if queue.place.is_none()
                && let Some(leases) = ledgers[0].leases()
            {
                let wanted = wish.wanted(&ledgers[0]);
                let scopes: Vec<String> = wanted.iter().map(|(scope, _)| scope.clone()).collect();
                let holder = wanted.first().map(|(_, holder)| holder.clone());
                queue.place = holder.map(|holder| leases.wait_for_leases(&holder, &scopes)).transpose()?;
            }
            let now = survey.waiting_for();
            if now != said && !now.is_empty() {
                self.system.console.show(&now);
                said = now;
            }
            let left = wait.saturating_sub(look.monotonic().saturating_sub(began));
            if left.is_zero() {
                return Err(survey.refusal(&wish.holder));
            }
            let turn = if ledgers.len() > 1 { TURN_ELSEWHERE } else { TURN };
            if self.tokio.block_on(look.sleep(turn.min(left))).is_err() {
                return Err(Error::Refused { why: "cancelled while waiting for other runs".to_owned(), help: None });
            }
        }
    }

    /// Asks every ledger once: all of them give what is wanted, or none. Otherwise, what stands in the way.
    fn try_all(
        &self,
        wish: &Wish,
        ledgers: &[Ledger],
        queue: &mut Queue,
    ) -> Result<Result<Vec<Holding>, Survey>, Error> {
        let mut holdings: Vec<Holding> = Vec::new();
        let mut warnings = Vec::new();
        let give_back = |holdings: &[Holding]| holdings.iter().for_each(Holding::release);
        for ledger in ledgers {
            let place = if ledger.shared.is_some() { None } else { queue.place };
            match try_one(wish, ledger, place) {
                Ok(Ok((holding, warned))) => {
                    holdings.push(holding);
                    warnings.extend(warned);
                }
                Ok(Err(survey)) => {
                    give_back(&holdings);
                    queue.barred_elsewhere |= ledger.shared.is_some();
                    if !holdings.is_empty() {
                        // The place was used up: whoever waits takes another one.
                        queue.place = None;
                    }
                    return Ok(Err(survey));
                }
                // Whoever was known to have it still has it, as far as anybody knows.
                Err(Error::Journal(error)) if queue.barred_elsewhere => {
                    give_back(&holdings);
                    return Ok(Err(Survey::unknown(error.to_string())));
                }
                Err(Error::Journal(error)) if ledger.may_be_missed() => self.go_on_alone(&error.to_string()),
                Err(error) => {
                    give_back(&holdings);
                    return Err(error);
                }
            }
        }
        queue.place = None;
        for warning in warnings {
            self.system.console.show(&warning);
        }
        Ok(Ok(holdings))
    }
}

/// Asks one ledger. What it grants, with what is to be said of it; or what stands in the way.
fn try_one(wish: &Wish, ledger: &Ledger, ticket: Option<u64>) -> Result<Result<(Holding, Vec<String>), Survey>, Error> {
    let (look, wanted) = (wish.look, wish.wanted(ledger));
    let renewed = look.boot_ms();
    let (Some(leases), false) = (ledger.leases(), wanted.is_empty()) else {
        // A run that names nothing that it may change asks for nothing before it does.
        return Ok(Ok((Holding::new(ledger.clone(), 0, BTreeSet::new(), renewed), Vec::new())));
    };
    let scopes: BTreeSet<String> = wanted.iter().map(|(scope, _)| scope.clone()).collect();
    let beat_ms = leases.now_ms(renewed)?;
    let mut claim = Claim { wanted, token: None, over: vec![], ticket, gone: vec![], beat_ms, ttl_ms: wish.ttl_ms };
    let survey = Survey::of(ledger, look, &claim)?;
    if let Some(doubt) = survey.doubt() {
        return Err(doubt);
    }
    (claim.over, claim.gone) = (survey.over(), survey.gone());
    if survey.bars.is_empty()
        && let Some(token) = leases.take_leases(&claim)?
    {
        return Ok(Ok((Holding::new(ledger.clone(), token, scopes, renewed), survey.warnings())));
    }
    Ok(Err(survey))
}

/// What a run wants of every ledger.
pub(super) struct Wish<'a> {
    pub(super) look: &'a Look,
    pub(super) environment: &'a Environment,
    pub(super) holder: Holder,
    pub(super) targets: &'a BTreeSet<String>,
    pub(super) ttl_ms: u64,
}

impl Wish<'_> {
    /// As a ledger names it, sorted by scope; where two targets are one thing, the first names it.
    fn wanted(&self, ledger: &Ledger) -> Vec<(String, Holder)> {
        let scopes = |target: &String| ledger.scopes(self.environment, target, self.look);
        wanted(self.targets.iter().map(|target| (target, scopes(target))), &self.holder)
    }
}

/// A place in the queue, given up when nothing comes of it.
struct Queue<'a> {
    ledger: &'a Ledger,
    place: Option<u64>,
    /// Whether a run of another machine was in the way.
    barred_elsewhere: bool,
}

impl Drop for Queue<'_> {
    fn drop(&mut self) {
        if let (Some(place), Some(leases)) = (self.place, self.ledger.leases()) {
            // Whoever comes later sees that the process is gone.
            let _ = leases.leave_queue(place);
        }
    }
}

/// Sorted by scope; where two targets are one thing, the first names it.
pub(super) fn wanted<'a>(
    scopes: impl Iterator<Item = (&'a String, Vec<String>)>,
    holder: &Holder,
) -> Vec<(String, Holder)> {
    let mut wanted = BTreeMap::new();
    for (target, scopes) in scopes {
        for scope in scopes {
            wanted.entry(scope).or_insert_with(|| Holder { target: target.clone(), ..holder.clone() });
        }
    }
    wanted.into_iter().collect()
}
