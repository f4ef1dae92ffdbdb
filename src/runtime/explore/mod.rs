//! Every path of a runbook, or every way on of a run, walked without touching anything.

mod frontier;

use std::path::PathBuf;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use crate::config::Environment;
use crate::model::{Assumption, Bound, Exploration, Invariant, PathTree, Stand};
use crate::script::{Evaluation, Evaluator, Params, Script, on_deep_stack, outline, outlines};
use crate::system::Look;
use crate::worlds::{Beginning, Cast, Explore};

use frontier::Frontier;

use super::findings::Findings;
use super::load::{params_or_any, recorded_params};
use super::policy::Judge;
use super::standing::{Standing, is_its_record};
use super::tree::{Collected, Ground};
use super::{Error, Lifeboat};

/// What to explore, and how far.
#[derive(Clone, Debug)]
pub struct ExploreRequest {
    /// The runbook's file.
    pub runbook: PathBuf,
    /// A run that is not over: only the ways on which it can go on. Its runbook, environment and parameters are those of its record.
    pub run: Option<String>,
    /// The environment; the default one if not given.
    pub environment: Option<String>,
    /// Values of parameters, as text.
    pub params: Vec<(String, String)>,
    /// What is pinned: `probe(primary)=fail`.
    pub assumptions: Vec<Assumption>,
    /// A scenario of the runbook, which pins more.
    pub scenario: Option<String>,
    /// How many failures a path may meet; none for as many as there are.
    pub faults: Option<usize>,
    /// How many paths at most.
    pub paths: u64,
    /// For how long at most.
    pub time: Duration,
    /// How many threads walk them.
    pub threads: usize,
    /// Whether to keep the tree of all paths, and what of their source they walk.
    pub tree: bool,
}

impl ExploreRequest {
    /// All paths of `runbook` that meet at most two failures, a million of them and a minute at most, on every core.
    pub fn new(runbook: impl Into<PathBuf>) -> Self {
        Self {
            runbook: runbook.into(),
            run: None,
            environment: None,
            params: Vec::new(),
            assumptions: Vec::new(),
            scenario: None,
            faults: Some(2),
            paths: 1_000_000,
            time: Duration::from_secs(60),
            threads: std::thread::available_parallelism().map_or(1, usize::from),
            tree: false,
        }
    }
}

/// No machine gains by more threads than this.
const THREADS: usize = 64;

/// One exploration, shared by its threads.
struct Exploring<'a> {
    lifeboat: &'a Lifeboat,
    request: &'a ExploreRequest,
    pinned: &'a [Assumption],
    script: &'a Script,
    params: &'a Params,
    cast: Cast,
    judge: Judge,
    /// The run with whose record every path begins.
    standing: Option<&'a Standing>,
    /// Only where the tree is asked for.
    ground: Option<Arc<Ground>>,
    look: Look,
    began: Duration,
    frontier: Mutex<Frontier>,
    more: Condvar,
}

impl Lifeboat {
    /// Walks every path of a runbook. Nothing outside is looked at, nothing is changed.
    pub fn explore(&self, request: &ExploreRequest) -> Result<Exploration, Error> {
        if let Some(run) = &request.run {
            let standing = self.standing(run)?;
            if let Some(other) =
                request.environment.as_ref().filter(|other| **other != standing.run.started.environment)
            {
                let why = format!("run {} is in {}, not in {other}", standing.run.id, standing.run.started.environment);
                return Err(Error::Params { why, help: Some("name the run alone".to_owned()) });
            }
            let environment = self.environment(Some(&standing.run.started.environment))?;
            return self.explored(request, environment, (&standing.script, &standing.params), Some(&standing));
        }
        let environment = self.environment(request.environment.as_deref())?;
        let script = self.load_unasked(&request.runbook, environment)?;
        let params = params_or_any(&script, &request.params)?;
        self.explored(request, environment, (&script, &params), None)
    }

    fn explored(
        &self,
        request: &ExploreRequest,
        environment: &Environment,
        (script, params): (&Script, &Params),
        standing: Option<&Standing>,
    ) -> Result<Exploration, Error> {
        let pinned = self.pinned(script, request.scenario.as_deref(), &request.assumptions)?;
        let judge = self.judge(script.name(), environment)?;
        let invariants = judge.invariants.clone();
        let look = self.look_in(environment);
        let began = look.monotonic();
        let outline = outline(script, &self.registry);
        let mut frontier = Frontier::default();
        frontier.put(Beginning::default());
        let exploring = Exploring {
            lifeboat: self,
            request,
            pinned: &pinned,
            script,
            params,
            cast: self.cast_unasked(environment)?,
            // How many ways on are bad, the tree tells.
            ground: (request.tree || standing.is_some()).then(|| self.ground(script, &judge.invariants).into()),
            judge,
            standing,
            look: look.clone(),
            began,
            frontier: Mutex::new(frontier),
            more: Condvar::new(),
        };
        let frontier = exploring.walk_all();
        if let Some(why) = frontier.failed {
            return Err(why);
        }
        let complete = frontier.bounds.is_empty() && !frontier.found.has_more();
        let mut assumptions = pinned.iter().enumerate();
        if let Some((_, unmet)) = assumptions.find(|(n, _)| complete && !frontier.met.contains(n)) {
            let help = "check the spelling of the target, or whether any path leads to that call".to_owned();
            return Err(Error::Params { why: format!("no call on any path meets `{unmet}`"), help: Some(help) });
        }
        let (tree, files) = match &frontier.collected {
            Some(collected) => (Some(collected.tree()), collected.files(frontier.found.walked())),
            None => (None, Vec::new()),
        };
        let run = standing.map(|standing| Stand {
            id: standing.run.id.clone(),
            here: frontier.collected.as_ref().and_then(Collected::here),
            bad: tree.as_ref().map_or(0, PathTree::bad),
        });
        let judged = frontier.found.judge((script, &outline), request.faults, frontier.bounds, invariants);
        Ok(Exploration {
            run,
            tree,
            files,
            format: Exploration::FORMAT,
            runbook: script.name().to_owned(),
            title: script.front_matter.title.clone(),
            environment: environment.name.clone(),
            protected: environment.protected,
            params: recorded_params(script, params),
            assumptions: pinned.iter().map(ToString::to_string).collect(),
            faults: request.faults,
            took_ms: u64::try_from(look.monotonic().saturating_sub(began).as_millis()).unwrap_or(u64::MAX),
            ..judged
        })
    }
}

impl Lifeboat {
    /// What is known of a runbook before its first path.
    pub(super) fn ground(&self, script: &Script, invariants: &[Invariant]) -> Ground {
        let waived = |one: &Invariant| script.front_matter.waivers().any(|(waived, _)| waived == &*one.name);
        Ground {
            outlines: outlines(script, &self.registry, self.library().as_ref()),
            waived: invariants.iter().map(waived).collect(),
            invariants: invariants.iter().map(|one| one.name.clone()).collect(),
        }
    }
}

/// While it lives a thread is at work: the others wait for what it finds. However it ends, they must not wait for ever.
struct AtWork<'a, 'b>(&'a Exploring<'b>);

impl Drop for AtWork<'_, '_> {
    fn drop(&mut self) {
        self.0.frontier().busy -= 1;
        self.0.more.notify_all();
    }
}

impl Exploring<'_> {
    /// Walks all paths, with so many threads.
    fn walk_all(self) -> Frontier {
        std::thread::scope(|scope| {
            for _ in 1..self.request.threads.clamp(1, THREADS) {
                // A machine that gives no more threads has the others walk longer.
                let thread = std::thread::Builder::new().name("explore".into());
                if thread.spawn_scoped(scope, || self.work()).is_err() {
                    break;
                }
            }
            self.work();
        });
        self.frontier.into_inner().unwrap_or_else(PoisonError::into_inner)
    }

    /// One thread: walks paths until there are none.
    fn work(&self) {
        if let Err(why) = on_deep_stack(|| self.walk()) {
            self.frontier().fail(Error::Internal { why });
            self.more.notify_all();
        }
    }

    fn walk(&self) {
        let mut collected = self.ground.clone().map(Collected::new);
        let world = match self.standing {
            Some(standing) => standing.world(self.cast.clone()),
            None => Explore::new(self.cast.clone(), self.pinned.to_vec()),
        };
        let world = Arc::new(if collected.is_some() { world.tracing() } else { world });
        let evaluation = Evaluation {
            script: self.script,
            params: self.params,
            world: world.clone(),
            registry: self.lifeboat.registry.clone(),
            library: self.lifeboat.library(),
        };
        let evaluator = match Evaluator::new(&evaluation) {
            Ok(evaluator) => evaluator,
            // Its parameters were looked at before; no path at all must not pass for a good one.
            Err(verdict) => {
                let why = format!("the runbook cannot be evaluated: {verdict:?}");
                return self.frontier().fail(Error::Internal { why });
            }
        };
        let faults = self.request.faults.unwrap_or(usize::MAX);
        while let Some(batch) = self.next() {
            let guard = AtWork(self);
            let mut found = Findings::default();
            let (mut others, mut walked) = (Vec::new(), 0);
            let mut batch = batch.into_iter();
            // One path may take long: what is left of the batch is walked by others, or by nobody.
            for beginning in batch.by_ref() {
                world.begin(beginning);
                let verdict = evaluator.evaluate();
                if let Some(Err(why)) = self.standing.map(|standing| is_its_record(&standing.run.id, &verdict)) {
                    return self.frontier().fail(why);
                }
                let path = world.end(&verdict, faults, |other| others.push(other));
                let broken = self.judge.broken(&path);
                if let Some(collected) = &mut collected {
                    collected.add(&path, &broken);
                }
                found.add(&path, broken);
                walked += 1;
                if self.is_over() {
                    break;
                }
            }
            others.extend(batch);
            self.give_back(others, walked, found);
            drop(guard);
        }
        let mut frontier = self.frontier();
        frontier.met.extend(world.met());
        frontier.found.met(world.walked_calls());
        match (&mut frontier.collected, collected) {
            (Some(all), Some(collected)) => all.merge(&collected),
            (all, collected) => *all = collected,
        }
        if let Some((why, help)) = world.wrong_pin() {
            frontier.fail(Error::Params { why, help: Some(help) });
        }
    }

    /// Beginnings to walk from; none when there will be no more.
    fn next(&self) -> Option<Vec<Beginning>> {
        let mut frontier = self.frontier();
        loop {
            let batch = frontier.take();
            if !batch.is_empty() {
                frontier.busy += 1;
                return Some(batch);
            }
            if frontier.busy == 0 {
                return None;
            }
            frontier = self.more.wait(frontier).unwrap_or_else(PoisonError::into_inner);
        }
    }

    /// Whether there is no more time, or somebody does not want to wait.
    fn is_over(&self) -> bool {
        self.look.monotonic().saturating_sub(self.began) >= self.request.time
            || self.look.cancel().requested().is_some()
    }

    fn give_back(&self, others: Vec<Beginning>, walked: u64, found: Findings) {
        let mut frontier = self.frontier();
        frontier.walked += walked;
        frontier.found.merge(found);
        let (paths, time) = (self.request.paths, self.request.time);
        for other in others {
            frontier.put(other);
        }
        let open = !frontier.is_empty() || frontier.busy > 1;
        if open && frontier.walked >= paths {
            frontier.stop(Bound::Paths { at_most: paths });
        }
        if open && self.look.cancel().requested().is_some() {
            frontier.stop(Bound::Cancelled);
        } else if open && self.is_over() {
            frontier.stop(Bound::Time { seconds: time.as_secs() });
        }
        self.more.notify_all();
    }

    fn frontier(&self) -> MutexGuard<'_, Frontier> {
        self.frontier.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
