//! The world of a unit test: one path, whose calls end as the test gives it, and nothing outside is touched.
//!
//! What the test does not give goes the likely way, as far as that agrees with what the path itself has done: a service that was
//! closed is closed. A condition on a value that nobody gave has no likely answer: there the path cannot be followed.

mod ends;
mod played;
mod state;
mod waits;

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use crate::model::{
    After, Fault, Given, GivenOutcome, Halt, Invocation, Key, Left, Outcome, Performed, Question, Repeat, Scope,
    ScopeKind, Site, Usage, Value, World, WrongGiven,
};
use crate::worlds::Cast;

use super::Explore;
pub use played::Stuck;
use state::State;

/// Plays one runbook once, as a test gives it.
pub struct UnitTest {
    explore: Explore,
    given: Vec<Given>,
    course: Mutex<Course>,
}

/// What has happened so far, besides the path.
#[derive(Default)]
struct Course {
    usage: Vec<Usage>,
    state: State,
    met: BTreeMap<Site, Met>,
    wrong: Option<WrongGiven>,
}

/// What a played runbook has met at one place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Met {
    /// A call: the primitive, and in which ways it can end there, each with whether it did.
    Call(&'static str, Vec<(&'static str, bool)>),
    /// A step with a rollback: its title, and whether that was run.
    Rollback(String, bool),
    /// Something that has no outcome of its own: only what is inside has.
    Passed,
}

impl Met {
    /// What was met there, and what was met there another time.
    pub fn merge(&mut self, other: &Met) {
        match (&mut *self, other) {
            (Met::Call(_, ways), Met::Call(_, others)) => {
                for (name, met) in others {
                    match ways.iter_mut().find(|(known, _)| known == name) {
                        Some(way) => way.1 |= met,
                        None => ways.push((*name, *met)),
                    }
                }
            }
            (Met::Rollback(_, run), Met::Rollback(_, other)) => *run |= *other,
            _ => {}
        }
    }
}

impl Course {
    fn meet(&mut self, site: &Site, met: Met) {
        match self.met.get_mut(site) {
            Some(known) => known.merge(&met),
            None => drop(self.met.insert(site.clone(), met)),
        }
    }
}

impl UnitTest {
    /// The world for the targets of `cast`. Of what is given for the same call the last counts, and what is usual only where nothing
    /// else is given.
    pub fn new(cast: Cast, given: Vec<Given>) -> Self {
        let course = Course { usage: vec![Usage::default(); given.len()], ..Course::default() };
        Self { explore: Explore::new(cast, Vec::new()), given, course: Mutex::new(course) }
    }

    /// What came of each line that was given.
    pub fn usage(&self) -> Vec<Usage> {
        self.course().usage.clone()
    }

    /// What was met, by place.
    pub fn met(&self) -> BTreeMap<Site, Met> {
        self.course().met.clone()
    }

    /// A line that says of a call what it can never come to.
    pub fn wrong_given(&self) -> Option<WrongGiven> {
        self.course().wrong.clone()
    }

    fn course(&self) -> MutexGuard<'_, Course> {
        self.course.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What is given for a call, and by which line.
    fn given(&self, primitive: &str, target: Option<&str>, args: &Value) -> Option<(usize, GivenOutcome)> {
        let mut course = self.course();
        let mut found = None;
        let meets = |(_, given): &(usize, &Given)| given.call.meets(primitive, target, args);
        let lines = || self.given.iter().enumerate().rev().filter(meets);
        // What is usual holds where nothing else is given.
        let usual = lines().filter(|(_, given)| !given.must);
        for (n, given) in lines().filter(|(_, given)| given.must).chain(usual) {
            let usage = &mut course.usage[n];
            if found.is_some() {
                usage.outdone = true;
                continue;
            }
            let turn = if given.in_turn { usage.calls } else { 0 };
            if let Some(outcome) = given.outcomes.get(turn) {
                usage.calls += 1;
                found = Some((n, outcome.clone()));
            }
        }
        found
    }

    /// How many calls are still to end as lists say.
    fn in_turn(&self) -> usize {
        let usage = self.usage();
        let lists = self.given.iter().zip(usage).filter(|(given, _)| given.in_turn);
        lists.map(|(given, usage)| given.outcomes.len() - usage.calls).max().unwrap_or_default()
    }

    /// Ends the evaluation, because a line of the test is wrong.
    fn wrong(&self, given: usize, why: String, hint: Option<String>) -> Halt {
        let mut course = self.course();
        course.wrong.get_or_insert(WrongGiven { given, why: why.clone(), hint: hint.clone() });
        Halt::Refused { why, hint }
    }

    /// Once more at this place: whoever comes there again and again never ends.
    fn visit(&self, site: &Site) -> Result<(), Halt> {
        self.explore.walk().fork(site, 1, 0).map(drop)
    }
}

impl World for UnitTest {
    fn perform(&self, call: &Invocation) -> Result<Performed, Halt> {
        self.end_as_given(call)
    }

    fn repeat(
        &self,
        call: &Invocation,
        policy: &Repeat,
        attempt: &mut dyn FnMut(u32) -> Result<Outcome, Halt>,
    ) -> Result<Performed, Halt> {
        self.repeat_as_given(call, policy, attempt)
    }

    fn choose(&self, question: &Question) -> Result<usize, Halt> {
        let why = format!("the way depends on `{}`, which the test does not give", question.condition);
        Err(Halt::Unplannable { why, site: question.site.clone(), hint: Some(to_give(&question.condition)) })
    }

    fn enter(&self, scope: &Scope) -> Result<(), Halt> {
        let rollback = match &scope.kind {
            ScopeKind::Step { rollback: true, .. } => Some(false),
            ScopeKind::Rollback => Some(true),
            _ => None,
        };
        if let Some(run) = rollback {
            // The place of a rollback is that of its step.
            self.course().meet(&scope.site, Met::Rollback(scope.title.clone(), run));
        }
        if matches!(scope.kind, ScopeKind::Parallel { .. } | ScopeKind::Child) {
            self.course().meet(&scope.site, Met::Passed);
        }
        self.explore.enter(scope)
    }

    fn leave(&self, scope: &Scope, how: &Left) -> Result<After, Halt> {
        self.explore.leave(scope, how)
    }

    fn raised(&self, at: &Key, fault: &Fault) -> Result<(), Halt> {
        self.explore.raised(at, fault)
    }

    fn interrupted(&self, unwinding: bool) -> Option<Halt> {
        self.explore.interrupted(unwinding)
    }

    fn stop(&self, within: &Key, rollbacks: bool) {
        self.explore.stop(within, rollbacks);
    }

    fn point_of_no_return(&self, call: &Invocation, forgone: &[String]) -> Result<Performed, Halt> {
        self.course().meet(&call.site, Met::Passed);
        self.explore.point_of_no_return(call, forgone)
    }
}

/// What a test is to say so that a value is known that was found by a call: `‹query:primary.first.n›`.
fn to_give(text: &str) -> String {
    let label = text.split_once('‹').and_then(|(_, rest)| rest.split_once('›')).map_or("", |(label, _)| label);
    let call = label.split(['.', '#']).next().unwrap_or_default();
    let fields = label.split('.').skip(1).collect::<Vec<_>>();
    let field = fields.last().copied().unwrap_or("…");
    let list = fields.first().is_some_and(|first| *first == "first");
    match call.split_once(':') {
        Some((primitive, target)) if list => {
            format!("say what it returns: given(\"{primitive}({target})\", [[#{{ {field}: … }}]])")
        }
        Some((primitive, target)) => {
            format!("say what it returns: given(\"{primitive}({target})\", #{{ {field}: … }})")
        }
        None => "say with `given` what the call returns that it comes from".to_owned(),
    }
}
