//! The world of a run that is taken up again: what was recorded is answered from the record, the rest happens.
//!
//! The script is evaluated from its beginning. Each call is looked up by its key and compared with what was recorded; a script that
//! asks for something else has diverged, and the run ends before anything is done.

use std::collections::BTreeSet;
use std::sync::{Mutex, PoisonError};

use crate::model::{
    After, Fault, Halt, Invocation, Key, Left, Outcome, Performed, Question, Record, RecordedCall, Repeat, Rewrite,
    Scope, ScopeKind, Value, World,
};

use super::live::{Live, Repeated, Standing};

/// The code of the fault that a person records for an effect that did not take place: it is carried out again.
pub const NOT_APPLIED: &str = "not-applied";

/// Answers from a record as far as it goes.
pub struct Replay {
    live: Live,
    record: Record,
    /// Whether places in the script may have moved.
    edited: bool,
    visited: Mutex<BTreeSet<Key>>,
}

impl Replay {
    /// A world that answers from `record`, and goes on in `live`. `edited`: calls may stand at other places than they did.
    pub fn new(live: Live, record: Record, edited: bool) -> Self {
        Self { live, record, edited, visited: Mutex::default() }
    }

    /// What was recorded and not asked for again, if there is anything: the script has left it out.
    pub fn left_out(&self) -> Option<Halt> {
        let visited = self.visited.lock().unwrap_or_else(PoisonError::into_inner);
        let (key, recorded) = self.record.unvisited(&visited)?;
        Some(diverged(key, recorded, "the end of the runbook".to_owned()))
    }

    fn visit(&self, key: &Key) {
        self.visited.lock().unwrap_or_else(PoisonError::into_inner).insert(key.clone());
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

    /// An error where the record has something else at this place, or something that the script has passed over.
    fn nothing_left_out(&self, key: &Key, requested: impl Fn() -> String) -> Result<(), Halt> {
        if let Some(scope) = self.record.scope(key).filter(|_| self.record.call(key).is_none()) {
            let same = requested() == format!("\"{}\"", scope.scope.title);
            let repeats = self.record.attempts(key) > 0 || matches!(scope.scope.kind, ScopeKind::Body);
            if !same && !repeats {
                return Err(diverged(key, format!("\"{}\"", scope.scope.title), requested()));
            }
        }
        match self.record.behind(key) {
            Some((at, recorded)) => Err(diverged(at, recorded, requested())),
            None => Ok(()),
        }
    }

    /// Whether this is part of a branch that was stopped before it came here.
    fn was_stopped(&self, key: &Key) -> bool {
        let mut branch = key.innermost_branch();
        while let Some(key) = branch {
            if self.record.scope(&key).is_some_and(|scope| scope.left == Some(Left::Stopped)) {
                return true;
            }
            branch = key.parent().and_then(|outer| outer.innermost_branch());
        }
        false
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

fn requested(call: &Invocation) -> String {
    format!("{}({})", call.primitive, call.args)
}

impl World for Replay {
    fn perform(&self, call: &Invocation) -> Result<Performed, Halt> {
        let Some(recorded) = self.recorded(call)? else {
            if self.was_stopped(&call.key) {
                return Err(Halt::Stopped);
            }
            return self.live.perform(call);
        };
        let changed = recorded.impact.kind.is_change();
        match &recorded.outcome {
            None => self.live.go_on(call, Standing::Open(recorded.attempt)),
            Some(outcome) => match (self.meant(call, recorded, outcome), outcome) {
                (Some(outcome), _) => Ok(Performed { outcome, changed }),
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
            let before = Repeated {
                attempts: self.record.attempts(&call.key),
                entered: self.record.scope(&call.key).map(|scope| scope.entered),
            };
            return self.live.repeat_after(call, policy, attempt, &before);
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
                let titled = |scope: &Scope| format!("\"{}\"", scope.title);
                Err(diverged(&scope.key, titled(&recorded.scope), titled(scope)))
            }
            Some(recorded) if recorded.is_over() => Ok(()),
            Some(_) => self.live.enter(scope),
            None if matches!(scope.kind, ScopeKind::Unwinding { .. }) => self.live.enter(scope),
            None => {
                if let Some(call) = self.record.call(&scope.key) {
                    return Err(diverged(&scope.key, call.describe(), format!("\"{}\"", scope.title)));
                }
                self.nothing_left_out(&scope.key, || format!("\"{}\"", scope.title))?;
                if self.was_stopped(&scope.key) {
                    return Err(Halt::Stopped);
                }
                self.live.enter(scope)
            }
        }
    }

    fn leave(&self, scope: &Scope, how: &Left) -> Result<After, Halt> {
        match self.record.scope(&scope.key) {
            Some(recorded) if recorded.is_over() => Ok(After::Continue),
            _ => self.live.leave(scope, how),
        }
    }

    fn raised(&self, at: &Key, fault: &Fault) -> Result<(), Halt> {
        // A requirement that is looked at again in a replay was decided about then, unless nothing follows it.
        if self.record.has_thrown(fault) { Ok(()) } else { self.live.raised(at, fault) }
    }

    fn interrupted(&self, unwinding: bool) -> Option<Halt> {
        self.live.interrupted(unwinding)
    }

    fn lanes(&self, at_most: usize) -> usize {
        self.live.lanes(at_most)
    }

    fn stop(&self, within: &Key, rollbacks: bool) {
        self.live.stop(within, rollbacks);
    }

    fn point_of_no_return(&self, call: &Invocation, forgone: &[String]) -> Result<Performed, Halt> {
        match self.recorded(call)? {
            Some(_) => Ok(Performed::unchanged(Ok(Value::Null))),
            None if self.was_stopped(&call.key) => Err(Halt::Stopped),
            None => self.live.point_of_no_return(call, forgone),
        }
    }
}
