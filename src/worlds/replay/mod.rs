//! The world of a run that is taken up again: what was recorded is answered from the record, the rest happens.
//!
//! The script is evaluated from its beginning. Each call is looked up by its key and compared with what was recorded; a script that
//! asks for something else has diverged, and the run ends before anything is done.

mod pending;

use std::collections::BTreeSet;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, PoisonError};

use crate::model::{
    After, Fault, Halt, Invocation, Key, Left, Outcome, Performed, Question, Record, RecordedCall, RecordedScope,
    Repeat, Rewrite, Scope, ScopeKind, Value, World,
};

use super::NOT_APPLIED;
use super::live::{Live, Repeated, Standing};
use pending::Pending;

/// Answers from a record as far as it goes.
pub struct Replay {
    live: Live,
    record: Record,
    /// Whether places in the script may have moved.
    edited: bool,
    visited: Mutex<BTreeSet<Key>>,
    pending: Pending,
    ending: Option<Ending>,
}

/// The end of a run that is not to go on where its record ends.
struct Ending {
    /// How it ends.
    halt: Halt,
    /// Whether what is owed is being undone.
    unwinding: AtomicBool,
    /// Whether rollbacks that failed are tried again then.
    again: bool,
}

impl Replay {
    /// A world that answers from `record`, and goes on in `live`. `edited`: calls may stand at other places than they did.
    pub fn new(live: Live, record: Record, edited: bool) -> Self {
        let pending = Pending::new(record.calls().filter(|(key, _)| !key.in_rollback()).count());
        Self { live, record, edited, visited: Mutex::default(), pending, ending: None }
    }

    /// The same for a run that does not go on where its record ends, but ends like this; what is owed is undone then, and
    /// rollbacks that failed are tried `again`.
    #[must_use]
    pub fn ending(mut self, halt: Halt, again: bool) -> Self {
        self.ending = Some(Ending { halt, unwinding: AtomicBool::new(false), again });
        self
    }

    /// The halt with which a run ends here that is not to go on behind its record. What undoes something goes on.
    fn end_of_record(&self, key: &Key) -> Option<Halt> {
        let ending = self.ending.as_ref().filter(|_| !key.in_rollback())?;
        self.pending.wait();
        self.live.cancel().end(ending.halt.clone());
        Some(self.live.cancel().requested().unwrap_or_else(|| ending.halt.clone()))
    }

    /// The halt with which the run ends before something that is not recorded, if it does.
    fn end_at(&self, key: &Key) -> Option<Halt> {
        if key.in_rollback() {
            return None;
        }
        if let Some(halt) = self.end_of_record(key) {
            return Some(halt);
        }
        // Other branches may still be on their way to where they were: what they owe must be known before it is undone.
        if matches!(self.live.cancel().requested(), Some(halt) if halt.unwinds()) {
            self.pending.wait();
        }
        None
    }

    /// Whether this is part of what is undone at the end, and failed when that was tried before.
    fn is_tried_again(&self, key: &Key) -> bool {
        let ending = self.ending.as_ref().filter(|_| key.in_rollback());
        ending.is_some_and(|ending| ending.again && ending.unwinding.load(Ordering::SeqCst))
    }

    /// Whether this was stopped before it came here, and is not tried again.
    fn was_stopped(&self, key: &Key) -> bool {
        self.record.was_stopped(key) && !self.is_tried_again(key)
    }

    /// Whether everything inside a scope is over.
    fn is_over(&self, recorded: &RecordedScope) -> bool {
        let again =
            matches!(recorded.left, Some(Left::Faulted(_) | Left::Stopped)) && self.is_tried_again(&recorded.scope.key);
        recorded.is_over() && !again
    }

    /// What was recorded and not asked for again, if there is anything: the script has left it out.
    pub fn left_out(&self) -> Option<Halt> {
        let visited = self.visited.lock().unwrap_or_else(PoisonError::into_inner);
        let (key, recorded) = self.record.unvisited(&visited)?;
        Some(diverged(key, recorded, "the end of the runbook".to_owned()))
    }

    fn visit(&self, key: &Key) {
        let new = self.visited.lock().unwrap_or_else(PoisonError::into_inner).insert(key.clone());
        if new && !key.in_rollback() && self.record.call(key).is_some() {
            self.pending.one_less();
        }
    }

    /// What was recorded of a call, if that is the one that is asked for now.
    fn recorded(&self, call: &Invocation) -> Result<Option<&RecordedCall>, Halt> {
        self.visit(&call.key);
        let Some(recorded) = self.record.call(&call.key) else {
            self.nothing_left_out(&call.key, || requested(call))?;
            return Ok(None);
        };
        // The record holds no secrets: a text that happens to be one is compared as it is recorded.
        let args = self.live.redactor().value(call.args.clone());
        let moved = !self.edited && recorded.site != call.site;
        if recorded.primitive != call.primitive || recorded.args != args || moved {
            let place = |site: &dyn std::fmt::Display| if moved { format!(" at {site}") } else { String::new() };
            let (was, now) = (place(&recorded.site), place(&call.site));
            return Err(diverged(&call.key, recorded.describe() + was.as_str(), requested(call) + now.as_str()));
        }
        Ok(Some(recorded))
    }

    /// When the question or pause began that is asked for now, if it began.
    fn awaited(&self, call: &Invocation) -> Result<Option<jiff::Timestamp>, Halt> {
        let Some(awaited) = self.record.awaited(&call.key) else { return Ok(None) };
        let args = self.live.redactor().value(call.args.clone());
        let moved = !self.edited && awaited.site != call.site;
        if awaited.primitive != call.primitive || awaited.args != args || moved {
            let recorded = format!("{}({}) at {}", awaited.primitive, awaited.args, awaited.site);
            return Err(diverged(&call.key, recorded, format!("{} at {}", requested(call), call.site)));
        }
        Ok(Some(awaited.since))
    }

    /// An error where the record has something else at this place, or something that the script has passed over.
    fn nothing_left_out(&self, key: &Key, requested: impl Fn() -> String) -> Result<(), Halt> {
        match self.record.instead_of(key, &requested) {
            Some((at, recorded)) => Err(diverged(&at, recorded, requested())),
            None => Ok(()),
        }
    }

    /// What a recorded outcome means for the script; `None` when the process ended before anything was made of it.
    fn meant(&self, call: &Invocation, recorded: &RecordedCall, outcome: &Outcome) -> Option<Outcome> {
        match (outcome, recorded.decision.as_deref()) {
            (Err(_), Some("skip")) => Some(Ok(Value::Null)),
            (Err(_), Some("retry" | "leave")) => None,
            (Err(fault), None) if fault.code == NOT_APPLIED => None,
            (Err(_), None) if recorded.impact.kind.is_change() && self.record.ends_with(&call.key) => None,
            (outcome, _) => Some(outcome.clone()),
        }
    }
}

fn diverged(key: &Key, recorded: String, requested: String) -> Halt {
    Halt::Diverged { key: key.clone(), recorded, requested }
}

/// A scope, with what tells it from another of the same title.
fn described(scope: &Scope) -> String {
    match &scope.kind {
        ScopeKind::Parallel { branches, at_most } => {
            format!("\"{}\" of {branches} branches, {at_most} at a time", scope.title)
        }
        ScopeKind::Step { rollback: false, within: None } => format!("\"{}\", a step without a rollback", scope.title),
        ScopeKind::Step { within: Some(within), .. } => format!("\"{}\", a step within {within}", scope.title),
        _ => format!("\"{}\"", scope.title),
    }
}

fn requested(call: &Invocation) -> String {
    format!("{}({})", call.primitive, call.args)
}

impl World for Replay {
    fn perform(&self, call: &Invocation) -> Result<Performed, Halt> {
        let Some(recorded) = self.recorded(call)? else {
            if self.was_stopped(&call.key) {
                return Err(Halt::Stopped);
            }
            if let Some(halt) = self.end_at(&call.key) {
                return Err(halt);
            }
            return match self.awaited(call)? {
                Some(since) => self.live.go_on(call, Standing::Awaited(since)),
                None => self.live.perform(call),
            };
        };
        let refused = matches!(&recorded.outcome, Some(Err(fault)) if fault.is_refusal());
        let changed = recorded.impact.kind.is_change() && !refused;
        match &recorded.outcome {
            None => {
                // What came of it is found out all the same; it is not done again.
                let _ = self.end_at(&call.key);
                self.live.go_on(call, Standing::Open(recorded.attempt))
            }
            Some(Err(_)) if self.is_tried_again(&call.key) && recorded.decision.as_deref() != Some("skip") => {
                self.live.go_on(call, Standing::Again(recorded.attempt + 1))
            }
            Some(outcome) => match (self.meant(call, recorded, outcome), outcome) {
                (None, _) if self.ending.is_some() && !call.key.in_rollback() => {
                    Err(self.end_at(&call.key).unwrap_or(Halt::Cancelled))
                }
                (Some(outcome), _) => Ok(Performed { outcome, changed }),
                // It did not take place, and then the branch was stopped before it was tried again.
                (None, _) if self.was_stopped(&call.key) => Err(Halt::Stopped),
                (None, Err(fault)) if fault.code == NOT_APPLIED || recorded.decision.as_deref() == Some("retry") => {
                    self.live.go_on(call, Standing::Again(recorded.attempt + 1))
                }
                (None, _) => self.live.go_on(call, Standing::Failed(recorded.attempt, outcome.clone())),
            },
        }
    }

    fn repeat(
        &self,
        call: &Invocation,
        policy: &Repeat,
        attempt: &mut dyn FnMut(u32) -> Result<Outcome, Halt>,
    ) -> Result<Performed, Halt> {
        let recorded = self.recorded(call)?;
        let Some((recorded, outcome)) = recorded.and_then(|call| Some((call, call.outcome.clone()?))) else {
            if recorded.is_none() && self.record.scope(&call.key).is_none() && self.was_stopped(&call.key) {
                return Err(Halt::Stopped);
            }
            // What was begun is evaluated again as far as it came: what it owes is undone.
            if recorded.is_none()
                && self.record.scope(&call.key).is_none()
                && let Some(halt) = self.end_at(&call.key)
            {
                return Err(halt);
            }
            let before = Repeated {
                attempts: self.record.attempts(&call.key),
                entered: self.record.scope(&call.key).map(|scope| scope.entered),
            };
            // A body may ask for nothing at which a run that was stopped would end.
            let mut as_far_as_it_came = |n: u32| {
                let outcome = attempt(n)?;
                let ends = if n + 1 >= before.attempts { self.end_of_record(&call.key) } else { None };
                ends.map_or(Ok(outcome), Err)
            };
            return self.live.repeat_after(call, policy, &mut as_far_as_it_came, &before);
        };
        // The body runs again as often as it did: what it did to the script's variables counts.
        for n in 0..recorded.repeats.unwrap_or(1).max(self.record.attempts(&call.key)) {
            let _ = attempt(n)?;
        }
        Ok(Performed::unchanged(outcome))
    }

    fn choose(&self, question: &Question) -> Result<usize, Halt> {
        self.live.choose(question)
    }

    fn enter(&self, scope: &Scope) -> Result<(), Halt> {
        match self.record.scope(&scope.key) {
            Some(recorded) if recorded.scope.title != scope.title || recorded.scope.kind != scope.kind => {
                Err(diverged(&scope.key, described(&recorded.scope), described(scope)))
            }
            Some(recorded) if self.is_over(recorded) => Ok(()),
            Some(recorded) => self.live.enter_again(scope, recorded.entered),
            None if matches!(scope.kind, ScopeKind::Unwinding { .. }) => {
                if let Some(ending) = &self.ending {
                    ending.unwinding.store(true, Ordering::SeqCst);
                }
                self.live.enter(scope)
            }
            None => {
                if let Some(call) = self.record.call(&scope.key) {
                    return Err(diverged(&scope.key, call.describe(), format!("\"{}\"", scope.title)));
                }
                self.nothing_left_out(&scope.key, || format!("\"{}\"", scope.title))?;
                if self.was_stopped(&scope.key) {
                    return Err(Halt::Stopped);
                }
                if let Some(halt) = self.end_at(&scope.key) {
                    return Err(halt);
                }
                self.live.enter(scope)
            }
        }
    }

    fn leave(&self, scope: &Scope, how: &Left) -> Result<After, Halt> {
        match self.record.scope(&scope.key) {
            Some(recorded) if self.is_over(recorded) => Ok(After::Continue),
            _ => self.live.leave(scope, how),
        }
    }

    fn raised(&self, at: &Key, fault: &Fault) -> Result<(), Halt> {
        // A requirement that is looked at again in a replay was decided about then, unless nothing follows it.
        if self.ending.is_some() || self.record.has_thrown(fault) { Ok(()) } else { self.live.raised(at, fault) }
    }

    fn interrupted(&self, unwinding: bool) -> Option<Halt> {
        let over = self.pending.is_over();
        if let Some(ending) = self.ending.as_ref().filter(|_| over) {
            self.live.cancel().end(ending.halt.clone());
        }
        // What was done must be known before it is undone.
        if !over && !unwinding && matches!(self.live.interrupted(false), Some(halt) if halt.unwinds()) {
            return None;
        }
        self.live.interrupted(unwinding)
    }

    fn lanes(&self, at_most: usize) -> usize {
        self.live.lanes(at_most)
    }

    fn stop(&self, within: &Key, rollbacks: bool) {
        self.live.stop(within, rollbacks);
    }

    fn ending(&self, halt: &Halt) {
        // What other branches had begun would never be settled. Whoever wants to stop at once does not want to wait for that.
        let at_once =
            matches!(halt, Halt::Aborted | Halt::Diverged { .. } | Halt::LeaseLost { .. } | Halt::Journal { .. });
        if !at_once {
            self.pending.wait();
        }
    }

    fn point_of_no_return(&self, call: &Invocation, forgone: &[String]) -> Result<Performed, Halt> {
        match self.recorded(call)? {
            Some(_) => Ok(Performed::unchanged(Ok(Value::Null))),
            None if self.was_stopped(&call.key) => Err(Halt::Stopped),
            None => match self.end_at(&call.key) {
                Some(halt) => Err(halt),
                None => self.live.point_of_no_return(call, forgone),
            },
        }
    }
}
