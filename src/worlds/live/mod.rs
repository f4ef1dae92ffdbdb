//! The live world: intend, perform, settle; each durable before the next effect.

mod activity;
mod asking;
mod conformance;
mod courier;
mod deadlines;
mod effect;
mod fault;
mod letters;
mod recorder;
mod repeat;
mod requests;
mod stops;
mod tenure;
mod turn;
mod updates;

use std::sync::{Arc, Mutex, PoisonError};

use tokio::runtime::Handle;

use crate::model::{
    After, EventBody, Fault, Halt, Impact, ImpactKind, Invocation, Key, Left, Outcome, Performed, Question, Repeat,
    Scope, ScopeKind, Settlement, Value, World,
};
use crate::system::{Act, Cancel, Look, Redactor};

use super::Cast;

pub use asking::Unanswered;
pub use conformance::{Conforms, Tried, conformance};
pub use courier::{Courier, Rounds, Zeal};
use deadlines::Deadlines;
pub(in crate::worlds) use effect::Standing;
pub use fault::{Decision, Faulted, OnFault};
pub use recorder::{Listener, Recorder};
pub(in crate::worlds) use repeat::Repeated;
use requests::{Requests, Watch};
use stops::Stops;
pub use tenure::Tenure;
use turn::Turns;
use updates::Ticker;

/// Carries out calls for real.
pub struct Live {
    cast: Cast,
    recorder: Arc<Recorder>,
    act: Act,
    /// The same for what undoes something: cancelling does not stop it.
    undoing: Act,
    handle: Handle,
    on_fault: OnFault,
    stops: Stops,
    turns: Turns,
    updates: Mutex<Vec<Ticker>>,
    deadlines: Deadlines,
    unanswered: Unanswered,
    /// Whether this is a session.
    typed: bool,
    /// The steps that are open, in the order in which they began.
    steps: Mutex<Vec<Key>>,
    requests: Arc<Requests>,
    _watch: Watch,
}

impl Live {
    /// A world in which `cast` acts. This is the only place where a look becomes an act.
    pub fn new(cast: Cast, recorder: Arc<Recorder>, look: &Look, handle: Handle, on_fault: OnFault) -> Self {
        let act = Act::grant(look).with_outbox(recorder.clone());
        let requests = Requests::new(&recorder);
        Self {
            _watch: requests.watch(&recorder, act.cancel(), &handle),
            requests,
            deadlines: Deadlines::default(),
            unanswered: Unanswered::Fail,
            typed: false,
            steps: Mutex::default(),
            cast,
            recorder,
            undoing: act.shielded(),
            act,
            handle,
            on_fault,
            stops: Stops::new(),
            turns: Turns::default(),
            updates: Mutex::default(),
        }
    }

    /// The same with something else for questions that nobody is there to answer: otherwise they fail.
    #[must_use]
    pub fn unanswered(self, unanswered: Unanswered) -> Self {
        Self { unanswered, ..self }
    }

    /// The same for what a person types: a fault undoes the step in which it comes, and nothing else; nothing is undone because nobody
    /// has decided.
    #[must_use]
    pub fn typed(self) -> Self {
        Self { typed: true, ..self }
    }

    /// Whether a fault at `key` would undo something: in a run all that is owed, in a session the step around it.
    fn would_unwind(&self, key: &Key) -> bool {
        let steps = self.steps.lock().unwrap_or_else(PoisonError::into_inner);
        !self.typed || steps.iter().any(|step| step.encloses(key))
    }

    /// What a call would do, and to which targets.
    pub(in crate::worlds) fn impact(&self, call: &Invocation) -> Result<Impact, Halt> {
        self.cast.role(call).map(|role| role.impact)
    }

    /// How the run is asked to stop.
    pub(in crate::worlds) fn cancel(&self) -> &Cancel {
        self.act.cancel()
    }

    /// A scope goes on that an earlier process entered at this moment. Also where its branch is to begin nothing more: an effect
    /// that was under way inside is not forgotten.
    pub(in crate::worlds) fn enter_again(&self, scope: &Scope, since: jiff::Timestamp) -> Result<(), Halt> {
        self.begin(scope)?;
        self.deadlines.enter(scope, &self.act, Some(since));
        Ok(())
    }

    /// A scope begins, whatever was stopped.
    fn begin(&self, scope: &Scope) -> Result<(), Halt> {
        if let ScopeKind::Step { .. } = &scope.kind {
            self.steps.lock().unwrap_or_else(PoisonError::into_inner).push(scope.key.clone());
        }
        let entered = || self.recorder.note(EventBody::Entered { scope: scope.clone() });
        match &scope.kind {
            ScopeKind::Unwinding { owed, halt } => {
                let (cause, owed, halt) = (scope.title.clone(), owed.clone(), halt.clone());
                self.recorder.note(EventBody::Unwinding { cause, owed, halt });
            }
            ScopeKind::During(updates) => {
                let carrier = self.carrier(scope, updates)?;
                entered();
                self.begin_updates(scope, updates, carrier);
            }
            _ => entered(),
        }
        Ok(())
    }

    /// What takes secrets out of what is recorded.
    pub(in crate::worlds) fn redactor(&self) -> &Redactor {
        self.act.secrets().redactor()
    }

    /// The handle with which the call at `key` acts.
    fn act_for(&self, key: &Key) -> &Act {
        if key.in_rollback() { &self.undoing } else { &self.act }
    }

    /// Waits for `work` as long as the call at `key` is to go on: for what has no effect, and can be dropped at any time.
    fn unless_stopped<T>(&self, key: &Key, work: impl Future<Output = T>) -> Result<T, Halt> {
        let cancel = self.act_for(key).cancel();
        self.handle.block_on(async {
            tokio::select! {
                biased;
                () = cancel.wait() => Err(cancel.requested().unwrap_or(Halt::Cancelled)),
                () = self.stops.wait(key) => Err(Halt::Stopped),
                done = work => Ok(done),
            }
        })
    }

    /// The outcome of a call that has no driver: a mark in the record.
    fn mark(
        &self,
        call: &Invocation,
        kind: ImpactKind,
        began: Began,
        (outcome, repeats): (Outcome, Option<u32>),
    ) -> Performed {
        self.recorder.note(EventBody::Settled(Box::new(Settlement {
            key: call.key.clone(),
            primitive: call.primitive.to_owned(),
            args: Some(call.args.clone()),
            site: call.site.clone(),
            impact: Impact::of(kind),
            outcome: outcome.clone(),
            began: began.at,
            elapsed_ms: began.elapsed_ms(&self.act),
            repeats,
            evidence: None,
        })));
        Performed::unchanged(outcome)
    }
}

/// When a call began, on both clocks.
#[derive(Clone, Copy)]
struct Began {
    at: jiff::Timestamp,
    /// On this process's clock, which may have begun later than the call.
    monotonic: std::time::Duration,
    /// How long it had gone on by then.
    before: std::time::Duration,
}

impl Began {
    fn now(look: &Look) -> Self {
        Self { at: look.now(), monotonic: look.monotonic(), before: std::time::Duration::ZERO }
    }

    /// The same for what was begun by an earlier process, at this moment of the wall clock.
    fn earlier(self, at: Option<jiff::Timestamp>) -> Self {
        let Some(at) = at else { return self };
        let before = std::time::Duration::try_from(self.at.duration_since(at)).unwrap_or_default();
        Self { at, before, ..self }
    }

    fn elapsed(self, look: &Look) -> std::time::Duration {
        self.before + look.monotonic().saturating_sub(self.monotonic)
    }

    fn elapsed_ms(self, look: &Look) -> u64 {
        u64::try_from(self.elapsed(look).as_millis()).unwrap_or(u64::MAX)
    }
}

impl World for Live {
    fn perform(&self, call: &Invocation) -> Result<Performed, Halt> {
        self.effect(call, Standing::New)
    }

    fn repeat(
        &self,
        call: &Invocation,
        policy: &Repeat,
        attempt: &mut dyn FnMut(u32) -> Result<Outcome, Halt>,
    ) -> Result<Performed, Halt> {
        self.repeat_after(call, policy, attempt, &Repeated::default())
    }

    fn choose(&self, question: &Question) -> Result<usize, Halt> {
        Err(Halt::Internal { why: format!("a live run asked about an unknown value: {}", question.condition) })
    }

    fn enter(&self, scope: &Scope) -> Result<(), Halt> {
        let undoes = matches!(scope.kind, ScopeKind::Unwinding { .. } | ScopeKind::Rollback);
        if !undoes && self.stops.reach(&scope.key) {
            return Err(Halt::Stopped);
        }
        self.begin(scope)?;
        self.deadlines.enter(scope, &self.act, None);
        Ok(())
    }

    fn leave(&self, scope: &Scope, how: &Left) -> Result<After, Halt> {
        if matches!(scope.kind, ScopeKind::During(_)) {
            self.end_updates(&scope.key);
        }
        self.turns.pass_on(&scope.key);
        self.deadlines.leave(&scope.key);
        if let ScopeKind::Step { .. } = &scope.kind {
            scope.key.close(&mut self.steps.lock().unwrap_or_else(PoisonError::into_inner));
        }
        if !matches!(scope.kind, ScopeKind::Unwinding { .. }) {
            self.recorder.note(EventBody::Left { key: scope.key.clone(), how: how.clone() });
        }
        Ok(After::Continue)
    }

    fn raised(&self, at: &Key, fault: &Fault) -> Result<(), Halt> {
        // Where nothing was changed there is nothing to decide.
        if self.recorder.is_unwinding() || at.in_rollback() || !self.recorder.has_changed() {
            return Ok(());
        }
        self.on_raised(at, fault)
    }

    fn interrupted(&self, unwinding: bool) -> Option<Halt> {
        let act = if unwinding { &self.undoing } else { &self.act };
        act.cancel().requested()
    }

    fn lanes(&self, at_most: usize) -> usize {
        at_most
    }

    fn stop(&self, within: &Key, rollbacks: bool) {
        self.stops.stop(within, rollbacks);
    }

    fn point_of_no_return(&self, call: &Invocation, forgone: &[String]) -> Result<Performed, Halt> {
        // Who asked it to stop before wants to have things undone, as long as they can be.
        if let Some(halt) = self.interrupted(call.key.in_rollback()) {
            return Err(halt);
        }
        let began = Began::now(&self.act);
        let value = Value::List(forgone.iter().map(|title| Value::from(title.as_str())).collect());
        // What is forgone stands in the record; the script gets nothing.
        self.mark(call, ImpactKind::Mark, began, (Ok(value), None));
        Ok(Performed::unchanged(Ok(Value::Null)))
    }
}
