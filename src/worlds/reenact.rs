//! A record, played to another version of its runbook: nothing is done, nothing is looked at.
//!
//! Every call gets the outcome that it had. A script that asks for something else than was recorded has changed its behaviour, and
//! the evaluation ends there.

use std::collections::BTreeSet;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, PoisonError};

use crate::model::{
    After, Halt, Invocation, Key, Left, Outcome, Performed, Question, Record, RecordedCall, Repeat, Scope, ScopeKind,
    Value, World,
};

use super::NOT_APPLIED;

/// What was recorded where a script goes on that came to its end.
pub const THE_END: &str = "the end of the runbook";

/// Answers from a record, and from nothing else.
pub struct Reenact {
    record: Record,
    /// What the run came to where its record ends; none where its script came to its own end.
    halt: Option<Halt>,
    visited: Mutex<BTreeSet<Key>>,
    /// Whether the script went on to where the record ends.
    ended: AtomicBool,
}

impl Reenact {
    /// A world of `record`. `halt`: what ended the run before its script did.
    pub fn new(record: Record, halt: Option<Halt>) -> Self {
        Self { record, halt, visited: Mutex::default(), ended: AtomicBool::new(false) }
    }

    /// How many recorded calls were asked for.
    pub fn visited(&self) -> usize {
        let visited = self.visited.lock().unwrap_or_else(PoisonError::into_inner);
        visited.iter().filter(|key| self.record.call(key).is_some()).count()
    }

    /// Whether the evaluation ended because the record does.
    pub fn reached_the_end(&self) -> bool {
        self.ended.load(Ordering::SeqCst)
    }

    /// What was recorded and not asked for, if there is anything.
    pub fn left_out(&self) -> Option<(Key, String)> {
        let visited = self.visited.lock().unwrap_or_else(PoisonError::into_inner);
        self.record.unvisited(&visited).map(|(key, recorded)| (key.clone(), recorded))
    }

    fn recorded(&self, call: &Invocation) -> Result<Option<&RecordedCall>, Halt> {
        self.visited.lock().unwrap_or_else(PoisonError::into_inner).insert(call.key.clone());
        match self.record.call(&call.key) {
            Some(recorded) if recorded.primitive != call.primitive || recorded.args != call.args => {
                let (key, recorded) = (call.key.clone(), recorded.describe());
                Err(Halt::Diverged { key, recorded, requested: requested(call) })
            }
            found => Ok(found),
        }
    }

    /// What becomes of something that was not recorded.
    fn behind(&self, key: &Key, requested: impl Fn() -> String) -> Halt {
        if let Some((key, recorded)) = self.record.instead_of(key, &requested) {
            return Halt::Diverged { key, recorded, requested: requested() };
        }
        if self.record.was_stopped(key) {
            return Halt::Stopped;
        }
        match &self.halt {
            Some(halt) => self.end(halt),
            None => Halt::Diverged { key: key.clone(), recorded: THE_END.to_owned(), requested: requested() },
        }
    }

    fn end(&self, halt: &Halt) -> Halt {
        self.ended.store(true, Ordering::SeqCst);
        halt.clone()
    }

    /// The outcome as the script got it; the halt if it got none.
    fn outcome(&self, recorded: &RecordedCall) -> Result<Outcome, Halt> {
        let end = || self.end(self.halt.as_ref().unwrap_or(&Halt::Aborted));
        match (&recorded.outcome, recorded.decision.as_deref()) {
            (None, _) | (Some(Err(_)), Some("retry" | "leave")) => Err(end()),
            (Some(Err(fault)), None) if fault.code == NOT_APPLIED => Err(end()),
            (Some(Err(_)), Some("skip")) => Ok(Ok(Value::Null)),
            (Some(outcome), _) => Ok(outcome.clone()),
        }
    }
}

fn requested(call: &Invocation) -> String {
    format!("{}({})", call.primitive, call.args)
}

impl World for Reenact {
    fn perform(&self, call: &Invocation) -> Result<Performed, Halt> {
        let Some(recorded) = self.recorded(call)? else {
            return Err(self.behind(&call.key, || requested(call)));
        };
        let outcome = self.outcome(recorded)?;
        let refused = matches!(&outcome, Err(fault) if fault.is_refusal());
        Ok(Performed { outcome, changed: recorded.impact.kind.is_change() && !refused })
    }

    fn repeat(
        &self,
        call: &Invocation,
        _: &Repeat,
        attempt: &mut dyn FnMut(u32) -> Result<Outcome, Halt>,
    ) -> Result<Performed, Halt> {
        let recorded = self.recorded(call)?;
        let attempts = self.record.attempts(&call.key);
        if recorded.is_none() && self.record.scope(&call.key).is_none() {
            return Err(self.behind(&call.key, || requested(call)));
        }
        for n in 0..recorded.and_then(|recorded| recorded.repeats).unwrap_or(1).max(attempts) {
            let _ = attempt(n)?;
        }
        match recorded {
            Some(recorded) => Ok(Performed::unchanged(self.outcome(recorded)?)),
            None => Err(self.end(self.halt.as_ref().unwrap_or(&Halt::Aborted))),
        }
    }

    fn choose(&self, question: &Question) -> Result<usize, Halt> {
        Err(Halt::Internal { why: format!("a record asked about an unknown value: {}", question.condition) })
    }

    fn enter(&self, scope: &Scope) -> Result<(), Halt> {
        let title = || format!("\"{}\"", scope.title);
        match self.record.scope(&scope.key) {
            Some(recorded) if recorded.scope.title != scope.title || recorded.scope.kind != scope.kind => {
                let recorded = format!("\"{}\"", recorded.scope.title);
                Err(Halt::Diverged { key: scope.key.clone(), recorded, requested: title() })
            }
            Some(_) => Ok(()),
            None if matches!(scope.kind, ScopeKind::Unwinding { .. }) => Ok(()),
            None => match self.record.call(&scope.key) {
                Some(call) => {
                    Err(Halt::Diverged { key: scope.key.clone(), recorded: call.describe(), requested: title() })
                }
                None => Err(self.behind(&scope.key, title)),
            },
        }
    }

    fn leave(&self, _: &Scope, _: &Left) -> Result<After, Halt> {
        Ok(After::Continue)
    }

    fn interrupted(&self, _: bool) -> Option<Halt> {
        None
    }

    fn point_of_no_return(&self, call: &Invocation, _: &[String]) -> Result<Performed, Halt> {
        match self.recorded(call)? {
            Some(_) => Ok(Performed::unchanged(Ok(Value::Null))),
            None => Err(self.behind(&call.key, || requested(call))),
        }
    }
}
