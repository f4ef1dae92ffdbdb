//! The world of an exploration: every way in which every call can end, one path after the other, and nothing outside is touched.
//!
//! It holds no handle at all: what a call can come to, its primitive says.

mod account;
mod cases;
mod choices;
mod effect;
mod facts;
mod guide;
mod invariants;
mod ledger;
mod left;
mod limits;
mod past;
mod path;
mod places;
mod story;
mod trace;
mod unit_test;
mod waits;
mod walk;
mod ways;

use std::collections::{BTreeSet, HashMap};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::model::{
    After, Assumption, Halt, HappeningKind, Invocation, Key, Left, Mood, Outcome, Performed, Question, Repeat, Scope,
    ScopeKind, Site, Value, Verdict, World,
};

use super::Cast;
pub use account::account;
pub use cases::{WalkedCall, WalkedCalls, merge_walked};
pub use choices::Beginning;
use choices::Choices;
use facts::Facts;
use guide::Guide;
pub use guide::Strayed;
pub use invariants::{Violation, broken};
pub use left::Left as LeftCall;
use limits::Limit;
use past::Past;
use path::ending;
pub use path::{Call, Ending, Path, Step, Visit};
use places::Places;
pub use story::{described, story};
pub use trace::Trace;
use trace::{ONLY, manner};
pub use unit_test::{Met, Stuck, UnitTest};
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
    known: Mutex<Places<Vec<Arc<Known>>>>,
    /// What was walked of calls that are not worth remembering.
    forgotten: Mutex<WalkedCalls>,
    /// Whether each path is to be told event by event.
    traces: bool,
    met: Mutex<BTreeSet<usize>>,
    /// A pin that no call can end in, and in what it can.
    wrong: Mutex<Option<(String, String)>>,
    /// The plan from which every path strays once at most.
    guide: Option<Guide>,
    /// What every path begins with.
    past: Option<Past>,
}

/// The path that is being walked.
#[derive(Default)]
struct Walk {
    choices: Choices,
    facts: Facts,
    path: Path,
    /// How much happened on the path before, while none is walked.
    length: (usize, usize),
    /// How often each place was met.
    met: Places<u32>,
    /// Which ways were opened at each place, on this path or an earlier one: a bit for each.
    opened: Places<u64>,
    /// How often each call was made whose outcome nobody knows, by what it is called.
    named: HashMap<String, u32>,
    /// Targets that were changed on this path: what was pinned of them holds no longer.
    changed: BTreeSet<String>,
    /// Every `parallel`, with how many of its branches go on at the same time, and whether one of them has failed.
    parallels: Vec<(Key, usize, bool)>,
    /// The steps that are open and have a time, outermost first.
    limits: Vec<Limit>,
    cancelled: bool,
    /// Whether this path seems to have no end.
    endless: bool,
    /// Lines of which not every way was taken.
    bounded: BTreeSet<Site>,
    /// Where it strayed from the plan, or left the record.
    strayed: Option<Strayed>,
    /// How many bodies of planned waits are open.
    waits: usize,
    /// What happens, event by event, where that was asked for.
    trace: Option<Trace>,
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
    /// Where it strayed from the plan that it was to go along, or left the record that it begins with.
    pub strayed: Option<Strayed>,
    /// Whether somebody cancels it.
    pub cancelled: bool,
    /// What happens, event by event, where that was asked for.
    pub trace: Option<Trace>,
}

impl Explore {
    /// The world for the targets of `cast`. What is pinned ends in no other way, until the path itself changes the target.
    pub fn new(cast: Cast, assumptions: Vec<Assumption>) -> Self {
        Self {
            cast,
            assumptions,
            walk: Mutex::default(),
            known: Mutex::default(),
            forgotten: Mutex::default(),
            traces: false,
            met: Mutex::default(),
            wrong: Mutex::default(),
            guide: None,
            past: None,
        }
    }

    /// From now on, each path is told event by event as well.
    #[must_use]
    pub fn tracing(self) -> Self {
        Self { traces: true, ..self }
    }

    /// The calls that were met so far, with every way in which they can end.
    pub fn walked_calls(&self) -> WalkedCalls {
        let mut calls = self.forgotten.lock().unwrap_or_else(PoisonError::into_inner).clone();
        let known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        known.iter().for_each(|(site, here)| here.iter().for_each(|known| known.note(site, &mut calls)));
        calls
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
        let trace = self.traces.then(Trace::default);
        let mut walk = self.walk();
        // Most paths are about as long as the one before.
        let path = Path::with_room(walk.length);
        let (mut met, opened) = (std::mem::take(&mut walk.met), std::mem::take(&mut walk.opened));
        met.clear();
        *walk = Walk { choices: Choices::of(beginning), path, trace, met, opened, ..Walk::default() };
    }

    /// That evaluation is over. Gives the path, and calls `open` for the paths that leave it and meet at most `faults` failures.
    pub fn end(&self, verdict: &Verdict, faults: usize, open: impl FnMut(Beginning)) -> Walked {
        let mut walk = std::mem::take(&mut *self.walk());
        let (met, length) = (std::mem::take(&mut walk.met), walk.path.length());
        *self.walk() = Walk { length, met, opened: std::mem::take(&mut walk.opened), ..Walk::default() };
        Walked {
            more: walk.choices.others(faults, open),
            ending: if walk.endless { Ending::Endless } else { ending(verdict, &walk.path) },
            ways: walk.choices.ways(),
            failures: walk.choices.failures(),
            bounded: walk.bounded,
            strayed: walk.strayed,
            cancelled: walk.cancelled,
            trace: walk.trace,
            path: walk.path,
        }
    }

    fn walk(&self) -> MutexGuard<'_, Walk> {
        self.walk.lock().unwrap_or_else(PoisonError::into_inner)
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
        walk.note(&question.site, HappeningKind::Question, || {
            let yes = if answer == 0 { ("yes", Mood::Yes) } else { ("no", Mood::No) };
            (question.condition.as_str().into(), manner(answer, yes.0, yes.1))
        });
        let (site, condition) = (question.site.clone(), question.condition.clone());
        walk.path.visits.push(Visit::Answered { site, condition, yes: answer == 0 });
        Ok(answer)
    }

    fn enter(&self, scope: &Scope) -> Result<(), Halt> {
        let mut walk = self.walk();
        if let Some(halt) = walk.stop(scope.key.in_rollback() || matches!(scope.kind, ScopeKind::Unwinding { .. })) {
            return Err(halt);
        }
        if let Some(trace) = &mut walk.trace
            && scope.kind != ScopeKind::Branch
        {
            trace.enter(scope);
        }
        match &scope.kind {
            ScopeKind::Step { .. } => {
                let (key, title, around) = (scope.key.clone(), scope.title.clone(), walk.path.open);
                walk.limit(scope);
                walk.path.open = Some(walk.path.steps.len());
                let rollback = 0..0;
                walk.path.steps.push(Step {
                    key,
                    title,
                    around,
                    undone: false,
                    rollback,
                    tried: false,
                    forgone: false,
                });
            }
            ScopeKind::Rollback => {
                let here = walk.path.visits.len();
                if let Some(key) = scope.key.rolled_back_step()
                    && let Some(step) = walk.path.step(&key)
                {
                    (step.tried, step.rollback) = (true, here..here);
                }
                walk.note(&scope.site, HappeningKind::Rollback, || {
                    (format!("rolling back: {}", scope.title).into(), ONLY)
                });
                let (site, title) = (scope.site.clone(), scope.title.clone());
                walk.path.visits.push(Visit::RollingBack { site, title });
            }
            ScopeKind::Parallel { at_most, .. } => {
                walk.parallels.push((scope.key.clone(), *at_most, false));
                walk.path.passed.push(scope.site.clone());
            }
            ScopeKind::Child => walk.path.passed.push(scope.site.clone()),
            ScopeKind::Branch => {
                if !walk.begins(scope)? {
                    return Err(Halt::Stopped);
                }
                if let Some(trace) = &mut walk.trace {
                    trace.enter(scope);
                }
            }
            ScopeKind::During(updates) => {
                walk.note(&scope.site, HappeningKind::Updates, || {
                    (format!("updates to {} from here on", updates.channel).into(), ONLY)
                });
                let (site, channel) = (scope.site.clone(), updates.channel.clone());
                walk.path.visits.push(Visit::Updates { site, channel });
            }
            _ => {}
        }
        Ok(())
    }

    fn leave(&self, scope: &Scope, how: &Left) -> Result<After, Halt> {
        let mut walk = self.walk();
        if let Some(trace) = &mut walk.trace {
            trace.leave(scope);
        }
        match &scope.kind {
            ScopeKind::Step { .. } => {
                walk.unlimit(scope);
                walk.path.open = walk.path.open.and_then(|step| walk.path.steps[step].around);
            }
            ScopeKind::Rollback => {
                let here = walk.path.visits.len();
                if let Some(key) = scope.key.rolled_back_step()
                    && let Some(step) = walk.path.step(&key)
                {
                    step.undone = matches!(how, Left::Completed { .. });
                    step.rollback.end = here;
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
        walk.note(&call.site, HappeningKind::NoReturn, || (format!("no way back from here: {why}").into(), ONLY));
        walk.path.visits.push(Visit::NoReturn { site: call.site.clone(), why });
        Ok(Performed::unchanged(Ok(Value::Null)))
    }
}
