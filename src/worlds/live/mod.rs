//! The live world: intend, perform, settle; each durable before the next effect.

mod courier;
mod effect;
mod fault;
mod recorder;
mod repeat;

use std::sync::Arc;

use tokio::runtime::Handle;

use crate::model::{
    After, EventBody, Fault, Halt, Impact, ImpactKind, Invocation, Left, Outcome, Performed, Question, Repeat, Scope,
    ScopeKind, Settlement, Value, World,
};
use crate::system::{Act, Look};

use super::Cast;

pub use courier::{Courier, Rounds, Zeal};
pub use fault::{Decision, Faulted, OnFault};
pub use recorder::{Listener, Recorder};

/// Carries out calls for real.
pub struct Live {
    cast: Cast,
    recorder: Arc<Recorder>,
    act: Act,
    handle: Handle,
    on_fault: OnFault,
}

impl Live {
    /// A world in which `cast` acts. This is the only place where a look becomes an act.
    pub fn new(cast: Cast, recorder: Arc<Recorder>, look: &Look, handle: Handle, on_fault: OnFault) -> Self {
        let act = Act::grant(look).with_outbox(recorder.clone());
        Self { cast, recorder, act, handle, on_fault }
    }

    /// The outcome of a call that has no driver: a mark in the record.
    fn mark(&self, call: &Invocation, kind: ImpactKind, began: Began, outcome: Outcome) -> Performed {
        self.recorder.note(EventBody::Settled(Box::new(Settlement {
            key: call.key.clone(),
            primitive: call.primitive.to_owned(),
            args: Some(call.args.clone()),
            site: call.site.clone(),
            impact: Impact::of(kind),
            outcome: outcome.clone(),
            began: began.at,
            elapsed_ms: began.elapsed_ms(&self.act),
            evidence: None,
        })));
        Performed::unchanged(outcome)
    }
}

/// When a call began, on both clocks.
#[derive(Clone, Copy)]
struct Began {
    at: jiff::Timestamp,
    monotonic: std::time::Duration,
}

impl Began {
    fn now(look: &Look) -> Self {
        Self { at: look.now(), monotonic: look.monotonic() }
    }

    fn elapsed_ms(self, look: &Look) -> u64 {
        u64::try_from(look.monotonic().saturating_sub(self.monotonic).as_millis()).unwrap_or(u64::MAX)
    }
}

impl World for Live {
    fn perform(&self, call: &Invocation) -> Result<Performed, Halt> {
        self.effect(call)
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
        Err(Halt::Internal { why: format!("a live run asked about an unknown value: {}", question.condition) })
    }

    fn enter(&self, scope: &Scope) -> Result<(), Halt> {
        match &scope.kind {
            ScopeKind::Unwinding { owed } => {
                self.act.cancel().begin_unwinding();
                self.recorder.note(EventBody::Unwinding { cause: scope.title.clone(), owed: owed.clone() });
            }
            ScopeKind::Rollback => {
                self.act.cancel().begin_unwinding();
                self.recorder.note(EventBody::Entered { scope: scope.clone() });
            }
            _ => self.recorder.note(EventBody::Entered { scope: scope.clone() }),
        }
        Ok(())
    }

    fn leave(&self, scope: &Scope, how: &Left) -> Result<After, Halt> {
        if matches!(scope.kind, ScopeKind::Rollback | ScopeKind::Unwinding { .. }) {
            self.act.cancel().end_unwinding();
        }
        if !matches!(scope.kind, ScopeKind::Unwinding { .. }) {
            self.recorder.note(EventBody::Left { key: scope.key.clone(), how: how.clone() });
        }
        Ok(After::Continue)
    }

    fn raised(&self, fault: &Fault) -> Result<(), Halt> {
        // Where nothing was changed there is nothing to decide.
        if self.recorder.is_unwinding() || !self.recorder.has_changed() {
            return Ok(());
        }
        self.on_raised(fault)
    }

    fn interrupted(&self) -> Option<Halt> {
        self.act.cancel().requested()
    }

    fn point_of_no_return(&self, call: &Invocation, forgone: &[String]) -> Result<Performed, Halt> {
        let began = Began::now(&self.act);
        let value = Value::List(forgone.iter().map(|title| Value::from(title.as_str())).collect());
        // What is forgone stands in the record; the script gets nothing.
        self.mark(call, ImpactKind::Mark, began, Ok(value));
        Ok(Performed::unchanged(Ok(Value::Null)))
    }
}
