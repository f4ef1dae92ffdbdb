//! The record of one run: events are gathered, and made durable together before the next effect starts.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::journal::{Journal, JournalError};
use crate::model::{Event, EventBody, Halt, Impact, Invocation, Rewrite, RunId, Started};
use crate::system::Look;

/// Who is told of each event as it happens.
pub trait Listener: Send + Sync {
    /// Something happened.
    fn on_event(&self, event: &Event);

    /// A call begins that may take long and has no event of its own for that: a look, a wait, a question.
    fn on_begin(&self, _call: &Invocation, _impact: &Impact) {}
}

/// Writes the events of one run.
pub struct Recorder {
    run: RunId,
    journal: Arc<dyn Journal>,
    look: Look,
    listeners: Vec<Arc<dyn Listener>>,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    next: u64,
    /// Not durable yet.
    pending: Vec<Event>,
    /// Whether the outcome of an effect is among them.
    outcome_pending: bool,
    unwinding: bool,
    /// Whether a change has been intended.
    changing: bool,
    /// What the last look found.
    last_look: Option<String>,
}

impl Recorder {
    /// A record for `run`, which begins with [`Recorder::begin`].
    pub fn new(run: RunId, journal: Arc<dyn Journal>, look: Look, listeners: Vec<Arc<dyn Listener>>) -> Self {
        Self { run, journal, look, listeners, state: Mutex::default() }
    }

    /// The run's id.
    pub fn run(&self) -> &RunId {
        &self.run
    }

    /// Begins the record, durably. After an error there is no run.
    pub fn begin(&self, started: Started) -> Result<(), JournalError> {
        self.note(EventBody::Started(Box::new(started)));
        self.append(&mut self.state())
    }

    /// Adds an event. It is durable after the next commit: one commit takes the outcome of an effect together with the intent of
    /// the next.
    pub fn note(&self, body: EventBody) {
        let mut state = self.state();
        let changed = matches!(&body, EventBody::Settled(settled) if settled.impact.kind.is_change());
        state.outcome_pending |= changed;
        state.unwinding |= matches!(body, EventBody::Unwinding { .. });
        state.changing |= matches!(&body, EventBody::Intended { impact, .. } if impact.kind.is_change());
        if let EventBody::Settled(settled) = &body
            && let Ok(value) = &settled.outcome
            && let Some(detail) = value.get("detail")
        {
            let targets = settled.impact.targets.join(", ");
            state.last_look = Some(format!("{} {targets}: {detail}", settled.primitive));
        }
        let body = self.look.secrets().redactor().event(body);
        let event = Event { seq: state.next, at: self.look.now(), body };
        state.next += 1;
        for listener in &self.listeners {
            listener.on_event(&event);
        }
        state.pending.push(event);
    }

    /// Makes everything noted so far durable.
    pub fn commit(&self) -> Result<(), Halt> {
        let mut state = self.state();
        if state.pending.is_empty() {
            return Ok(());
        }
        self.append(&mut state).map_err(|error| Halt::Journal { why: error.to_string() })
    }

    fn append(&self, state: &mut State) -> Result<(), JournalError> {
        self.journal.append(&self.run, &state.pending)?;
        state.pending.clear();
        state.outcome_pending = false;
        Ok(())
    }

    /// Makes the outcome of the last effect durable, if it is not yet: before anything that may take long.
    pub(super) fn commit_outcome(&self) -> Result<(), Halt> {
        if self.state().outcome_pending { self.commit() } else { Ok(()) }
    }

    /// Tells the listeners of a call that begins without an event.
    pub(super) fn announce(&self, call: &Invocation, impact: &Impact) {
        let args = self.look.secrets().redactor().value(call.args.clone());
        let call = Invocation { args, ..call.clone() };
        self.listeners.iter().for_each(|listener| listener.on_begin(&call, impact));
    }

    /// What the last look found, as people read it.
    pub(super) fn last_look(&self) -> Option<String> {
        self.state().last_look.clone()
    }

    /// Whether the run has intended a change so far.
    pub(super) fn has_changed(&self) -> bool {
        self.state().changing
    }

    /// Whether the run is being unwound.
    pub(super) fn is_unwinding(&self) -> bool {
        self.state().unwinding
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
