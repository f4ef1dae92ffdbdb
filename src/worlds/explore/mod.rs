//! The world of an exploration: every way in which every call can end, one path after the other, and nothing outside is touched.
//!
//! It holds no handle at all: what a call can come to, its primitive says.

mod choices;
mod facts;
mod guide;
mod invariants;
mod path;
mod story;
mod waits;
mod ways;

use std::collections::{BTreeSet, HashMap};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::model::{
    After, Assumption, Fault, Halt, Invocation, Key, Left, Outcome, Performed, Question, Repeat, Scope, ScopeKind,
    Site, Value, Verdict, World,
};

use super::Cast;
pub use choices::Beginning;
use choices::Choices;
use facts::Facts;
use guide::Guide;
pub use guide::Strayed;
pub use invariants::{Violation, broken};
pub use path::{Call, Ending, Path, Step, Visit};
pub use story::{described, story};
use ways::Known;

/// How often a line is met on one path before only its likely way is taken.
const VISITS: u32 = 3;
/// How often it is met before the path is taken to have no end.
const LOOPS: u32 = 10_000;

/// Walks one path after the other.
pub struct Explore {
    cast: Cast,
    assumptions: Vec<Assumption>,
    walk: Mutex<Walk>,
    /// What was found out about calls on earlier paths, by their places.
    known: Mutex<HashMap<Site, Vec<Arc<Known>>>>,
    met: Mutex<BTreeSet<usize>>,
    /// A pin that no call can end in, and in what it can.
    wrong: Mutex<Option<(String, String)>>,
    /// The plan from which every path strays once at most.
    guide: Option<Guide>,
}

/// The path that is being walked.
#[derive(Default)]
struct Walk {
    choices: Choices,
    facts: Facts,
    path: Path,
    /// How often each place was met.
    met: HashMap<Site, u32>,
    /// How often each call was made whose outcome nobody knows, by what it is called.
    named: HashMap<String, u32>,
    /// Targets that were changed on this path: what was pinned of them holds no longer.
    changed: BTreeSet<String>,
    /// Every `parallel`, with how many of its branches go on at the same time, and whether one of them has failed.
    parallels: Vec<(Key, usize, bool)>,
    cancelled: bool,
    /// Whether this path seems to have no end.
    endless: bool,
    /// Lines of which not every way was taken.
    bounded: BTreeSet<Site>,
    /// Where it strayed from the plan.
    strayed: Option<Strayed>,
    /// How many bodies of planned waits are open.
    waits: usize,
}

/// A path that was walked to its end.
pub struct Walked {
    /// What happens on it.
    pub path: Path,
    /// How it ends.
    pub ending: Ending,
    /// Which way it takes at each fork.
    pub ways: Vec<u16>,
    /// How many failures it meets.
    pub failures: usize,
    /// Whether others leave it that meet too many.
    pub more: bool,
    /// Lines of which it did not take every way.
    pub bounded: BTreeSet<Site>,
    /// Where it strayed from the plan that it was to go along.
    pub strayed: Option<Strayed>,
}

impl Explore {
    /// The world for the targets of `cast`. What is pinned ends in no other way, until the path itself changes the target.
    pub fn new(cast: Cast, assumptions: Vec<Assumption>) -> Self {
        Self {
            cast,
            assumptions,
            walk: Mutex::default(),
            known: Mutex::default(),
            met: Mutex::default(),
            wrong: Mutex::default(),
            guide: None,
        }
    }

    /// The positions of the assumptions that some call has met.
    pub fn met(&self) -> BTreeSet<usize> {
        self.met.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// A pin that a call can never end in, and in what it can.
    pub fn wrong_pin(&self) -> Option<(String, String)> {
        self.wrong.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// The next evaluation takes the path with this beginning, and the likely way behind it.
    pub fn begin(&self, beginning: Beginning) {
        *self.walk() = Walk { choices: Choices::of(beginning), ..Walk::default() };
    }

    /// That evaluation is over. Gives the path, and calls `open` for the paths that leave it and meet at most `faults` failures.
    pub fn end(&self, verdict: &Verdict, faults: usize, open: impl FnMut(Beginning)) -> Walked {
        let walk = std::mem::take(&mut *self.walk());
        Walked {
            more: walk.choices.others(faults, open),
            ending: if walk.endless { Ending::Endless } else { ending(verdict, &walk.path) },
            ways: walk.choices.ways(),
            failures: walk.choices.failures(),
            bounded: walk.bounded,
            strayed: walk.strayed,
            path: walk.path,
        }
    }

    fn walk(&self) -> MutexGuard<'_, Walk> {
        self.walk.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Walk {
    /// The way to take at a place where there are so many, the last few of them failures.
    fn fork(&mut self, site: &Site, ways: usize, failures: usize) -> Result<usize, Halt> {
        let met = self.met.entry(site.clone()).or_default();
        *met += 1;
        if *met > LOOPS {
            self.endless = true;
            return Err(Halt::Aborted);
        }
        if *met > VISITS {
            if ways > 1 {
                self.bounded.insert(site.clone());
            }
            return Ok(0);
        }
        Ok(if ways > 1 { self.choices.take(ways, failures) } else { 0 })
    }

    /// Whether a branch begins although one before it has failed: one that goes on at the same time may have.
    fn begins(&mut self, branch: &Scope) -> Result<bool, Halt> {
        let around = self.parallels.iter().rfind(|(parallel, ..)| branch.key.starts_with(parallel));
        match around {
            Some((_, 1, true)) => Ok(false),
            Some((_, _, true)) => Ok(self.fork(&branch.site, 2, 0)? == 1),
            _ => Ok(true),
        }
    }

    /// A person stops the run here.
    fn cancel(&mut self, site: &Site) -> Halt {
        self.cancelled = true;
        self.path.visits.push(Visit::Cancelled { site: site.clone() });
        Halt::Cancelled
    }

    fn stop(&self, undoing: bool) -> Option<Halt> {
        (self.cancelled && !undoing).then_some(Halt::Cancelled)
    }
}

impl World for Explore {
    fn perform(&self, call: &Invocation) -> Result<Performed, Halt> {
        self.end_one_way(call)
    }

    fn repeat(
        &self,
        call: &Invocation,
        policy: &Repeat,
        attempt: &mut dyn FnMut(u32) -> Result<Outcome, Halt>,
    ) -> Result<Performed, Halt> {
        self.repeated(call, policy, attempt)
    }

    fn choose(&self, question: &Question) -> Result<usize, Halt> {
        let mut walk = self.walk();
        if walk.waits > 0 {
            return Ok(0);
        }
        if let Some(yes) = walk.facts.answer(question) {
            return Ok(usize::from(!yes));
        }
        let answer = walk.fork(&question.site, question.answers, 0)?;
        walk.facts.learn(question, answer == 0);
        let (site, condition) = (question.site.clone(), question.condition.clone());
        walk.path.visits.push(Visit::Answered { site, condition, yes: answer == 0 });
        Ok(answer)
    }

    fn enter(&self, scope: &Scope) -> Result<(), Halt> {
        let mut walk = self.walk();
        if let Some(halt) = walk.stop(scope.key.in_rollback() || matches!(scope.kind, ScopeKind::Unwinding { .. })) {
            return Err(halt);
        }
        match &scope.kind {
            ScopeKind::Step { .. } => {
                let (key, title, around) = (scope.key.clone(), scope.title.clone(), walk.path.open);
                walk.path.open = Some(walk.path.steps.len());
                walk.path.steps.push(Step { key, title, around, undone: false, tried: false, forgone: false });
            }
            ScopeKind::Rollback => {
                if let Some(key) = scope.key.rolled_back_step()
                    && let Some(step) = walk.path.step(&key)
                {
                    step.tried = true;
                }
                let (site, title) = (scope.site.clone(), scope.title.clone());
                walk.path.visits.push(Visit::RollingBack { site, title });
            }
            ScopeKind::Parallel { at_most, .. } => {
                walk.parallels.push((scope.key.clone(), *at_most, false));
                walk.path.passed.push(scope.site.clone());
            }
            ScopeKind::Child => walk.path.passed.push(scope.site.clone()),
            ScopeKind::Branch if !walk.begins(scope)? => return Err(Halt::Stopped),
            ScopeKind::During(updates) => {
                let (site, channel) = (scope.site.clone(), updates.channel.clone());
                walk.path.visits.push(Visit::Updates { site, channel });
            }
            _ => {}
        }
        Ok(())
    }

    fn leave(&self, scope: &Scope, how: &Left) -> Result<After, Halt> {
        let mut walk = self.walk();
        match &scope.kind {
            ScopeKind::Step { .. } => walk.path.open = walk.path.open.and_then(|step| walk.path.steps[step].around),
            ScopeKind::Rollback => {
                if let Some(key) = scope.key.rolled_back_step()
                    && let Some(step) = walk.path.step(&key)
                {
                    step.undone = matches!(how, Left::Completed { .. });
                }
            }
            _ => {}
        }
        Ok(After::Continue)
    }

    fn stop(&self, within: &Key, _: bool) {
        let mut walk = self.walk();
        walk.parallels.iter_mut().filter(|(parallel, ..)| parallel == within).for_each(|(.., failed)| *failed = true);
    }

    fn interrupted(&self, unwinding: bool) -> Option<Halt> {
        self.walk().stop(unwinding)
    }

    fn point_of_no_return(&self, call: &Invocation, _: &[String]) -> Result<Performed, Halt> {
        let mut walk = self.walk();
        if let Some(halt) = walk.stop(call.key.in_rollback()) {
            return Err(halt);
        }
        let why = call.args.get("why").map(ToString::to_string).unwrap_or_default();
        walk.path.steps.iter_mut().for_each(|step| step.forgone = true);
        walk.path.visits.push(Visit::NoReturn { site: call.site.clone(), why });
        Ok(Performed::unchanged(Ok(Value::Null)))
    }
}

/// How a path ends that was evaluated to this verdict.
fn ending(verdict: &Verdict, path: &Path) -> Ending {
    let halted = |halt: &Halt| match halt {
        Halt::Mistake { why, .. } if why.contains("without an end") => Some(Ending::Endless),
        Halt::InDoubt { .. } => Some(Ending::InDoubt),
        Halt::Mistake { why, site, hint } => {
            Some(Ending::Mistake { why: why.clone(), site: site.clone(), hint: hint.clone() })
        }
        Halt::Unplannable { why, site, hint } => {
            Some(Ending::Open { why: why.clone(), site: Some(site.clone()), hint: hint.clone() })
        }
        Halt::Refused { why, hint } => Some(Ending::Open { why: why.clone(), site: None, hint: hint.clone() }),
        _ => None,
    };
    // What Rhai itself throws is no failure of anything outside: the runbook is wrong.
    let mistake = |fault: &Fault| Ending::Mistake {
        why: fault.message.clone(),
        site: path.last_site(fault.site.as_deref()),
        hint: fault.hint.clone(),
    };
    let (special, why) = match verdict {
        Verdict::Completed(_) => return Ending::Well,
        Verdict::Failed { fault, unwinding_halted, .. } => {
            let mistaken = || (fault.code == "script").then(|| mistake(fault));
            (unwinding_halted.as_ref().and_then(halted).or_else(mistaken), fault.message.clone())
        }
        Verdict::Halted { halt, .. } => (halted(halt), halt.to_string()),
    };
    match special {
        Some(special) => special,
        None if path.left().next().is_none() => Ending::Restored { why },
        None => Ending::LeftChanged { why },
    }
}
