//! The record of one run: events are gathered, and made durable together before the next effect starts.

use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};

use tokio::sync::Notify;

use crate::journal::{Journal, JournalError};
use crate::model::{
    Event, EventBody, Halt, Impact, Invocation, Letter, LetterQuery, LetterState, Mode, Origin, Outbox, Rewrite, RunId,
    Started,
};
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
    origin: OnceLock<Origin>,
    posted: Arc<Notify>,
}

#[derive(Default)]
struct State {
    next: u64,
    /// Not durable yet.
    pending: Vec<Event>,
    /// Letters that are not durable yet.
    letters: Vec<Letter>,
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
        let (state, origin, posted) = (Mutex::default(), OnceLock::new(), Arc::default());
        Self { run, journal, look, listeners, state, origin, posted }
    }

    /// The run's id.
    pub fn run(&self) -> &RunId {
        &self.run
    }

    /// Begins the record, durably. After an error there is no run.
    pub fn begin(&self, started: Started) -> Result<(), JournalError> {
        let origin = Origin {
            environment: started.environment.clone(),
            runbook: started.runbook.clone(),
            run: started.run.to_string(),
            by: started.by.clone(),
            drill: started.mode == Mode::Drill,
        };
        self.origin.get_or_init(|| origin);
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
        if state.letters.is_empty() {
            self.journal.append(&self.run, &state.pending)?;
        } else {
            self.journal.append_with_letters(&self.run, &state.pending, &state.letters)?;
            state.letters.clear();
            self.posted.notify_one();
        }
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

    /// Is notified when letters have become durable.
    pub fn posted(&self) -> Arc<Notify> {
        self.posted.clone()
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Letters become durable by the commit that takes the outcome of their call: no other commit, and no other order.
impl Outbox for Recorder {
    fn origin(&self) -> Origin {
        self.origin.get().cloned().unwrap_or_default()
    }

    fn letters(&self, query: &LetterQuery) -> Vec<Letter> {
        // Before the journal is asked: what becomes durable meanwhile is found twice rather than not at all.
        let pending = self.state().letters.clone();
        let mut letters = self.journal.letters(query).unwrap_or_default();
        for letter in pending {
            letters.retain(|stored| stored.key != letter.key);
            if query.matches(&letter) {
                letters.push(letter);
            }
        }
        let older = query.newest.map_or(0, |newest| letters.len().saturating_sub(newest));
        letters.split_off(older)
    }

    fn post(&self, letter: Letter) -> bool {
        if !self.journal.keeps_letters() {
            return false;
        }
        let detail = self.look.redacted(&letter.detail);
        let mut state = self.state();
        // What waits must not be lost while something slow follows; what was delivered cannot be.
        state.outcome_pending |= letter.state == LetterState::Waiting;
        state.letters.retain(|other| other.key != letter.key);
        state.letters.push(Letter { detail, ..letter });
        true
    }
}
