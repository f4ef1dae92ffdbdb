//! The record of one run: events are gathered, and made durable together before the next effect starts.

use std::sync::{Arc, Condvar, Mutex, MutexGuard, OnceLock, PoisonError};

use tokio::sync::Notify;

use crate::journal::{Journal, JournalError};
use crate::model::{Event, EventBody, Halt, Impact, Invocation, Key, Letter, Origin, Rewrite, RunId, Started};
use crate::system::Look;

use super::activity::Activity;
use super::letters::origin;
use super::tenure::{Tenant, Tenure};

/// So many events are made durable without waiting for an effect, so that a run that only looks does not keep them all.
const GATHERED: usize = 512;

/// Who is told of each event as it happens.
pub trait Listener: Send + Sync {
    /// Something happened. The branches of a `parallel` are told of one event at a time, in the order of their numbers.
    fn on_event(&self, event: &Event);

    /// A call begins that may take long and has no event of its own for that: a look, a wait, a question.
    fn on_begin(&self, _call: &Invocation, _impact: &Impact) {}
}

/// Writes the events of one run. Branches that go on at the same time share their commits: while one commit waits for the disk,
/// what others note is gathered for the next.
pub struct Recorder {
    run: RunId,
    pub(super) journal: Arc<dyn Journal>,
    pub(super) look: Look,
    listeners: Vec<Arc<dyn Listener>>,
    state: Mutex<State>,
    /// A commit is over.
    committed: Condvar,
    pub(super) origin: OnceLock<Origin>,
    pub(super) posted: Arc<Notify>,
    tenant: Tenant,
}

#[derive(Default)]
#[expect(clippy::struct_excessive_bools, reason = "each is a fact of its own, and none follows from another")]
struct State {
    next: u64,
    /// Not durable, and in no commit under way.
    pending: Vec<Event>,
    /// Letters that are not durable yet.
    letters: Vec<Letter>,
    /// Those that the commit under way takes.
    letters_under_way: Vec<Letter>,
    /// Whether the outcome of an effect is among them.
    outcome_pending: bool,
    /// The number of the first event that is not durable.
    durable: u64,
    /// Whether somebody waits for the disk.
    committing: bool,
    /// Why a commit failed: no effect may start after that.
    failed: Option<String>,
    /// Whether that was because the leases are lost.
    lost: bool,
    unwinding: bool,
    /// Whether a change has been intended.
    changing: bool,
    /// What the last look inside each of the calls that are watched found.
    last_looks: Vec<(Key, Option<String>)>,
    /// What goes on inside each of the scopes that are watched.
    activities: Vec<Activity>,
}

impl State {
    /// What was intended, and is not recorded, does not begin any more.
    fn forget_intents(&mut self) {
        self.pending.retain(|event| !matches!(event.body, EventBody::Intended { .. }));
        for (seq, event) in (self.durable..).zip(&mut self.pending) {
            event.seq = seq;
        }
        self.next = self.durable + self.pending.len() as u64;
    }
}

impl Recorder {
    /// A record for `run`, which begins with [`Recorder::begin`].
    pub fn new(run: RunId, journal: Arc<dyn Journal>, look: Look, listeners: Vec<Arc<dyn Listener>>) -> Self {
        let (state, committed) = (Mutex::default(), Condvar::new());
        Self {
            run,
            journal,
            look,
            listeners,
            state,
            committed,
            origin: OnceLock::new(),
            posted: Arc::default(),
            tenant: Tenant::new(),
        }
    }

    /// A record that goes on where an earlier process left it, after `events`.
    pub fn resuming(
        run: RunId,
        journal: Arc<dyn Journal>,
        look: Look,
        listeners: Vec<Arc<dyn Listener>>,
        events: &[Event],
    ) -> Self {
        let recorder = Self::new(run, journal, look, listeners);
        if let Some(EventBody::Started(started)) = events.first().map(|event| &event.body) {
            recorder.origin.get_or_init(|| origin(started));
        }
        {
            let mut state = recorder.state();
            state.next = events.len() as u64;
            state.durable = state.next;
            let change =
                |body: &EventBody| matches!(body, EventBody::Intended { impact, .. } if impact.kind.is_change());
            state.changing = events.iter().any(|event| change(&event.body));
        }
        recorder
    }

    /// From now on an intent is recorded only while the run has its leases.
    pub fn bind_to(&self, tenure: Arc<dyn Tenure>) {
        self.tenant.get_or_init(|| tenure);
    }

    /// The leases of the run, if it has any.
    pub(super) fn tenure(&self) -> Option<&Arc<dyn Tenure>> {
        self.tenant.get()
    }

    /// The run's id.
    pub fn run(&self) -> &RunId {
        &self.run
    }

    /// Begins the record: others see the run now. After an error there is none.
    pub fn begin(&self, started: Started) -> Result<(), JournalError> {
        self.origin.get_or_init(|| origin(&started));
        self.note(EventBody::Started(Box::new(started)));
        let mut state = self.state();
        self.journal.append(&self.run, &state.pending)?;
        state.durable = state.next;
        state.pending.clear();
        Ok(())
    }

    /// Adds an event. It is durable after the next commit: one commit takes the outcome of an effect together with the intent of
    /// the next.
    pub fn note(&self, body: EventBody) {
        let mut state = self.state();
        let changed = matches!(&body, EventBody::Settled(settled) if settled.impact.kind.is_change());
        state.outcome_pending |= changed;
        state.unwinding |= matches!(body, EventBody::Unwinding { .. });
        state.changing |= matches!(&body, EventBody::Intended { impact, .. } if impact.kind.is_change());
        if !state.last_looks.is_empty()
            && let EventBody::Settled(settled) = &body
            && let Ok(value) = &settled.outcome
            && let Some(detail) = value.get("detail")
        {
            let found = format!("{} {}: {detail}", settled.primitive, settled.impact.targets.join(", "));
            let around = state.last_looks.iter_mut().filter(|(call, _)| settled.key.starts_with(call));
            around.for_each(|(_, last)| *last = Some(found.clone()));
        }
        if !state.activities.is_empty() {
            let now = self.look.monotonic();
            state.activities.iter_mut().for_each(|activity| activity.take(&body, now));
        }
        let body = self.look.secrets().redactor().event(body);
        let event = Event { seq: state.next, at: self.look.now(), body };
        state.next += 1;
        for listener in &self.listeners {
            listener.on_event(&event);
        }
        state.pending.push(event);
    }

    /// Makes everything noted so far durable: before an effect starts. After an error no later call succeeds either.
    pub(super) fn commit(&self) -> Result<(), Halt> {
        self.append_all(true)
            .map_err(|why| if self.state().lost { Halt::LeaseLost { why } } else { Halt::Journal { why } })
    }

    /// Makes everything noted so far durable if that is possible: for what nothing depends on, and for the end of the run, which is
    /// recorded if it can be.
    pub fn commit_if_possible(&self) -> Result<(), String> {
        self.append_all(false)
    }

    /// One thread at a time hands what was gathered to the journal, without keeping others from noting more. When it is done,
    /// one of those who waited takes what has come together meanwhile. `binding`: an effect depends on it, so that a failure is
    /// the last word.
    fn append_all(&self, binding: bool) -> Result<(), String> {
        let mut state = self.state();
        let wanted = state.next;
        loop {
            if let Some(why) = state.failed.as_ref().filter(|_| binding) {
                return Err(why.clone());
            }
            if state.durable >= wanted {
                return Ok(());
            }
            if !state.committing {
                break;
            }
            state = self.committed.wait(state).unwrap_or_else(PoisonError::into_inner);
        }
        state.committing = true;
        let mut batch = std::mem::take(&mut state.pending);
        let outcome_pending = std::mem::take(&mut state.outcome_pending);
        let letters = std::mem::take(&mut state.letters);
        state.letters_under_way.clone_from(&letters);
        drop(state);
        let fence = self.tenant.get().filter(|_| binding).and_then(|tenure| tenure.fence());
        let appended = match (letters.as_slice(), fence) {
            (letters, Some(fence)) => self.journal.append_fenced(&self.run, &batch, letters, fence),
            ([], None) => self.journal.append(&self.run, &batch),
            (letters, None) => self.journal.append_with_letters(&self.run, &batch, letters),
        };
        let lost = matches!(appended, Err(JournalError::LeaseLost { .. }));
        let appended = appended.map_err(|error| error.to_string());
        let mut state = self.state();
        state.committing = false;
        state.lost |= lost;
        state.letters_under_way.clear();
        if appended.is_err() {
            let newer = std::mem::take(&mut state.letters);
            let older = letters.into_iter().filter(|letter| newer.iter().all(|other| other.key != letter.key));
            state.letters = older.chain(newer.iter().cloned()).collect();
        } else if !letters.is_empty() {
            self.posted.notify_one();
        }
        match &appended {
            Ok(()) => state.durable = batch.last().map_or(state.durable, |last| last.seq + 1),
            Err(why) => {
                if binding {
                    state.failed = Some(why.clone());
                }
                batch.append(&mut state.pending);
                state.pending = batch;
                state.outcome_pending |= outcome_pending;
                if lost {
                    state.forget_intents();
                }
            }
        }
        self.committed.notify_all();
        appended
    }

    /// Makes the outcome of the last effect durable, if it is not yet: before anything that may take long.
    pub(super) fn commit_outcome(&self) -> Result<(), Halt> {
        let due = {
            let state = self.state();
            state.outcome_pending || (state.pending.len() >= GATHERED && !state.committing)
        };
        if due { self.commit() } else { Ok(()) }
    }

    /// Tells the listeners of a call that begins without an event.
    pub(super) fn announce(&self, call: &Invocation, impact: &Impact) {
        let mut state = self.state();
        if !state.activities.is_empty() {
            let now = self.look.monotonic();
            state.activities.iter_mut().for_each(|activity| activity.begins(call, impact, now));
        }
        let args = self.look.secrets().redactor().value(call.args.clone());
        let call = Invocation { args, ..call.clone() };
        self.listeners.iter().for_each(|listener| listener.on_begin(&call, impact));
    }

    /// From now on it is remembered what the last look inside the call at `key` found.
    pub(super) fn watch_looks(&self, key: &Key) {
        self.state().last_looks.push((key.clone(), None));
    }

    /// What the last look inside the call at `key` found, as people read it.
    pub(super) fn last_look(&self, key: &Key) -> Option<String> {
        self.state().last_looks.iter().find(|(call, _)| call == key)?.1.clone()
    }

    /// That is of no interest any more.
    pub(super) fn forget_looks(&self, key: &Key) {
        self.state().last_looks.retain(|(call, _)| call != key);
    }

    /// From now on it is followed what goes on inside the scope with this key, which begins.
    pub(super) fn watch_activity(&self, key: &Key) {
        let activity = Activity::new(key.clone(), self.look.monotonic());
        self.state().activities.push(activity);
    }

    /// What goes on inside the scope with this key.
    pub(super) fn activity(&self, key: &Key) -> Option<Activity> {
        self.state().activities.iter().find(|activity| activity.is_of(key)).cloned()
    }

    /// That is of no interest any more.
    pub(super) fn forget_activity(&self, key: &Key) {
        self.state().activities.retain(|activity| !activity.is_of(key));
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

    /// The letters that are not durable yet, oldest first.
    pub(super) fn pending_letters(&self) -> Vec<Letter> {
        let state = self.state();
        [&state.letters_under_way[..], &state.letters[..]].concat()
    }

    /// Adds a letter to the next commit, in the place of an older one of the same message. `soon`: before anything slow follows.
    pub(super) fn add_letter(&self, letter: Letter, soon: bool) {
        let mut state = self.state();
        state.outcome_pending |= soon;
        state.letters.retain(|other| other.key != letter.key);
        state.letters.push(letter);
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
