//! What is long over, once more: everything is answered from the record, and nothing takes place.
//!
//! A session that is taken up again evaluates what was typed before, so that its variables, functions and rollbacks are there again. A
//! run that goes on is another matter: what was typed and cut short is not gone on with, because nobody has asked for that again.
//! Only what came of an effect that was under way is found out.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use crate::model::{
    After, EventBody, Halt, Invocation, Key, Left, Outcome, Performed, Question, Record, RecordedCall, Repeat, Scope,
    Value, World,
};
use crate::worlds::live::{Live, Recorder};

/// Answers from a record, and ends where the record ends.
pub struct Retrace {
    record: Arc<Record>,
    /// Where what was under way is settled, and recorded; nowhere for a run of which only the past is of interest.
    onward: Option<(Live, Arc<Recorder>)>,
    /// The call before which it ends, though the record may go on.
    until: Option<Key>,
    /// How many bodies are open that wait for something.
    waits: AtomicUsize,
}

impl Retrace {
    /// The past of a session: what was under way is settled in `live`.
    pub fn settling(record: Arc<Record>, live: Live, recorder: Arc<Recorder>) -> Self {
        Self { record, onward: Some((live, recorder)), until: None, waits: AtomicUsize::new(0) }
    }

    /// The past of a run, up to the call or scope at `until`.
    pub fn up_to(record: Arc<Record>, until: Option<Key>) -> Self {
        Self { record, onward: None, until, waits: AtomicUsize::new(0) }
    }

    /// The halt with which a line ends behind its record. The branches beside it are retraced all the same: what they owe is to be known.
    fn over(key: &Key) -> Halt {
        if key.innermost_branch().is_some() { Halt::Stopped } else { Halt::Cancelled }
    }

    fn recorded(&self, call: &Invocation) -> Result<&RecordedCall, Halt> {
        if self.until.as_ref().is_some_and(|until| call.key.starts_with(until)) {
            return Err(Self::over(&call.key));
        }
        let recorded = self.record.call(&call.key).ok_or_else(|| Self::over(&call.key))?;
        if recorded.primitive != call.primitive {
            let (key, requested) = (call.key.clone(), format!("{}({})", call.primitive, call.args));
            return Err(Halt::Diverged { key, recorded: recorded.describe(), requested });
        }
        Ok(recorded)
    }
}

impl World for Retrace {
    fn perform(&self, call: &Invocation) -> Result<Performed, Halt> {
        let recorded = self.recorded(call)?;
        let refused = matches!(&recorded.outcome, Some(Err(fault)) if fault.is_refusal());
        let changed = recorded.impact.kind.is_change() && !refused;
        match (&recorded.outcome, &self.onward) {
            (Some(Err(_)), _) if recorded.decision.as_deref() == Some("skip") => {
                Ok(Performed { outcome: Ok(Value::Null), changed })
            }
            (Some(outcome), _) => Ok(Performed { outcome: outcome.clone(), changed }),
            (None, Some((live, _))) => {
                // Whoever wants it done again says so.
                live.look_into(call)?.ok_or_else(|| Self::over(&call.key))
            }
            (None, None) => Err(Self::over(&call.key)),
        }
    }

    fn repeat(
        &self,
        call: &Invocation,
        policy: &Repeat,
        attempt: &mut dyn FnMut(u32) -> Result<Outcome, Halt>,
    ) -> Result<Performed, Halt> {
        let waits = usize::from(!matches!(policy, Repeat::Retry { .. }));
        self.waits.fetch_add(waits, Ordering::SeqCst);
        let attempts = self.record.attempts(&call.key);
        let recorded = self.recorded(call).ok();
        let times = recorded.map_or(attempts, |recorded| recorded.repeats.unwrap_or(1).max(attempts));
        let bodies = (0..times).try_for_each(|n| attempt(n).map(drop));
        self.waits.fetch_sub(waits, Ordering::SeqCst);
        bodies?;
        let outcome = recorded.and_then(|recorded| recorded.outcome.clone());
        outcome.map(Performed::unchanged).ok_or_else(|| Self::over(&call.key))
    }

    fn choose(&self, _: &Question) -> Result<usize, Halt> {
        // As in a plan: what is waited for comes.
        if self.waits.load(Ordering::SeqCst) > 0 { Ok(0) } else { Err(Halt::Cancelled) }
    }

    fn enter(&self, scope: &Scope) -> Result<(), Halt> {
        if self.until.as_ref().is_some_and(|until| scope.key.starts_with(until)) {
            return Err(Self::over(&scope.key));
        }
        match (self.record.scope(&scope.key), &self.onward) {
            (Some(known), Some((_, recorder))) if known.left.is_none() => {
                recorder.note(EventBody::Entered { scope: scope.clone() });
                Ok(())
            }
            (Some(_), _) => Ok(()),
            (None, _) => Err(Self::over(&scope.key)),
        }
    }

    fn leave(&self, scope: &Scope, how: &Left) -> Result<After, Halt> {
        if let (Some(known), Some((_, recorder))) = (self.record.scope(&scope.key), &self.onward)
            && known.left.is_none()
        {
            recorder.note(EventBody::Left { key: scope.key.clone(), how: how.clone() });
        }
        Ok(After::Continue)
    }

    fn interrupted(&self, _unwinding: bool) -> Option<Halt> {
        None
    }

    fn point_of_no_return(&self, call: &Invocation, _forgone: &[String]) -> Result<Performed, Halt> {
        self.recorded(call).map(|_| Performed::unchanged(Ok(Value::Null)))
    }
}
