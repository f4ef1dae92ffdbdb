//! A session: a person types one thing after the other. Changes are planned until the session is armed; everything is recorded.

mod begin;
mod commands;
mod end;
mod left_open;
mod lookup;
mod past;
mod resume;
mod secrets;
mod typed;
mod warden;

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use jiff::Timestamp;

use crate::config::Environment;
use crate::model::{Event, EventBody, Impact, Invocation, RunId};
use crate::script;
use crate::system::{Cancel, Look};
use crate::worlds::{Cast, Dry, Listener, OnFault, Recorder, Rounds, Switch};

use super::active::Active;
use super::aftermath::{Aftermath, Collector};
use super::tenancy::{Heartbeat, Tenancy};
use super::{Error, Lifeboat};

pub(super) use begin::SESSION;
pub use end::{Owed, SessionEnd};
pub use left_open::LeftOpen;
pub use lookup::Lookup;
pub use past::Past;
pub use resume::{Cut, Fate, Retraced};
pub use secrets::looks_secret;
pub use typed::{Typed, Untyped};
pub use warden::ARMED_AT_MOST;
use warden::Arms;

/// What a session begins with.
#[derive(Clone, Default)]
pub struct SessionRequest {
    /// The environment; the default one if not given.
    pub environment: Option<String>,
    /// What is going on, as people call it.
    pub incident: Option<String>,
    /// What to do about faults that are not caught on the spot.
    pub on_fault: OnFault,
    /// How long a change waits for runs that have its target; it is refused at once if not given.
    pub wait: Option<Duration>,
    /// Why no heed is taken of the leases of other machines, nor of a shared journal that does not answer, nor of missing approvals.
    pub break_glass: Option<String>,
}

/// A session that goes on. Dropped without [`LiveSession::end`], it can be taken up again.
pub struct LiveSession<'a> {
    lifeboat: &'a Lifeboat,
    environment: &'a Environment,
    id: RunId,
    incident: Option<String>,
    began: Timestamp,
    on_fault: OnFault,
    break_glass: Option<String>,
    wait: Option<Duration>,
    cast: Cast,
    look: Look,
    recorder: Arc<Recorder>,
    heard: Arc<Heard>,
    tenancy: Option<Arc<Tenancy>>,
    rounds: Option<Rounds>,
    switch: Arc<Switch>,
    script: script::Session,
    /// The number of the last input.
    number: u32,
    arms: Arc<Arms>,
    interrupter: Interrupter,
    /// What targets have told while somebody typed.
    known: Arc<Mutex<lookup::Known>>,
    /// What the last watch saw, until it is recorded or forgotten.
    unkept: Option<Arc<Dry>>,
    /// Whether what is about to be evaluated is a rollback.
    undoing: bool,
    /// Whether somebody asked what was evaluated last to stop.
    stopped: bool,
    /// The run at which it only looks back.
    looks_back: Option<Past>,
    heartbeat: Option<Heartbeat>,
    _active: Option<Active>,
}

/// Stops what goes on in a session, and not the session.
#[derive(Clone, Default)]
pub struct Interrupter(Arc<Mutex<Option<(Cancel, Under)>>>);

/// What goes on in a session.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Under {
    /// Something that was typed is evaluated.
    Evaluation,
    /// A step is undone: asked once to stop, it comes to its end.
    Undo,
    /// Something is looked at until it is stopped.
    Watch,
}

impl Interrupter {
    /// Asks what goes on to stop: the first time to cancel, the second time to leave things as they are. What goes on, and whether it was
    /// asked before; `None` where nothing does.
    pub fn interrupt(&self) -> Option<(Under, bool)> {
        let current = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let (cancel, what) = current.as_ref()?;
        let again = cancel.requested().is_some();
        cancel.request();
        Some((*what, again))
    }

    /// Ends when what goes on is asked to stop.
    async fn interrupted(&self) {
        let current = self.0.lock().unwrap_or_else(PoisonError::into_inner).clone();
        match current {
            Some((cancel, _)) => cancel.wait().await,
            None => std::future::pending().await,
        }
    }

    /// Whether anything goes on.
    pub fn goes_on(&self) -> bool {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).is_some()
    }

    /// From now on `cancel` is what goes on, until the guard is dropped.
    fn during(&self, cancel: &Cancel, what: Under) -> Interruptible {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Some((cancel.clone(), what));
        Interruptible(self.clone())
    }
}

/// Something goes on as long as this is there.
struct Interruptible(Interrupter);

impl Drop for Interruptible {
    fn drop(&mut self) {
        *self.0.0.lock().unwrap_or_else(PoisonError::into_inner) = None;
    }
}

/// Keeps what was recorded, and lets the host's listeners hear what takes place; what is planned is shown by whoever typed it.
struct Heard {
    events: Mutex<Vec<Event>>,
    collector: Collector,
    aloud: AtomicBool,
    listeners: Vec<Arc<dyn Listener>>,
}

impl Heard {
    fn new(listeners: Vec<Arc<dyn Listener>>, events: Vec<Event>) -> Arc<Self> {
        let collector = Collector::of(&events);
        Arc::new(Self { events: Mutex::new(events), collector, aloud: AtomicBool::new(false), listeners })
    }

    fn speak(&self, aloud: bool) {
        self.aloud.store(aloud, Ordering::SeqCst);
    }

    fn events(&self) -> Vec<Event> {
        self.events.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

impl Listener for Heard {
    fn on_event(&self, event: &Event) {
        self.events.lock().unwrap_or_else(PoisonError::into_inner).push(event.clone());
        self.collector.on_event(event);
        if !self.aloud.load(Ordering::SeqCst) {
            return;
        }
        if !matches!(event.body, EventBody::Started(_) | EventBody::Resumed { .. }) {
            self.listeners.iter().for_each(|listener| listener.on_event(event));
        }
    }

    fn on_begin(&self, call: &Invocation, impact: &Impact) {
        if self.aloud.load(Ordering::SeqCst) {
            self.listeners.iter().for_each(|listener| listener.on_begin(call, impact));
        }
    }
}

impl<'a> LiveSession<'a> {
    /// Its id in the journal.
    pub fn id(&self) -> &RunId {
        &self.id
    }

    /// The environment in which it acts.
    pub fn environment(&self) -> &'a Environment {
        self.environment
    }

    /// What is going on, as people call it.
    pub fn incident(&self) -> Option<&str> {
        self.incident.as_deref()
    }

    /// How long it has gone on.
    pub fn age(&self) -> Duration {
        Duration::try_from(self.look.now().duration_since(self.began)).unwrap_or_default()
    }

    /// The moment, UTC.
    pub fn now(&self) -> Timestamp {
        self.look.now()
    }

    /// The number of the next input.
    pub fn next_number(&self) -> u32 {
        self.number + 1
    }

    /// Stops what goes on in it.
    pub fn interrupter(&self) -> Interrupter {
        self.interrupter.clone()
    }

    /// Everything that was recorded, in its order.
    pub fn events(&self) -> Vec<Event> {
        self.heard.events()
    }

    /// In which state it leaves the world so far.
    pub fn aftermath(&self) -> Aftermath {
        self.heard.collector.aftermath()
    }

    /// What was defined so far.
    pub fn script(&self) -> &script::Session {
        &self.script
    }

    /// The drivers of its environment.
    pub fn cast(&self) -> &Cast {
        &self.cast
    }
}

impl From<script::ScriptError> for Untyped {
    fn from(error: script::ScriptError) -> Self {
        Self::Wrong(Error::Syntax(Box::new(error)))
    }
}
