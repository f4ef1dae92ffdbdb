//! How a session begins.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex};

use crate::config::Environment;
use crate::journal::Journal;
use crate::model::{Event, EventBody, Mode, Record, RunId, Started, Value};
use crate::script::{self, Library};
use crate::system::{Look, random_u32, whoami};
use crate::worlds::{Cast, Recorder, Retrace, Rounds, Switch};

use super::past::LOOKS_BACK;
use super::warden::Arms;
use super::{Heard, Interrupter, LiveSession, SessionRequest};
use crate::runtime::active::Active;
use crate::runtime::library::ProjectFiles;
use crate::runtime::tenancy::{Applicant, changed_so_far};
use crate::runtime::{Error, Lifeboat};

/// What the journal has where runs have their runbook.
pub(in crate::runtime) const SESSION: &str = "(session)";

/// What is needed for a session, whether it begins or goes on.
pub(super) struct Parts<'a> {
    pub(super) environment: &'a Environment,
    pub(super) cast: Cast,
    pub(super) look: Look,
    pub(super) journal: Arc<dyn Journal>,
    pub(super) heard: Arc<Heard>,
}

impl Lifeboat {
    /// Begins a session. An `Err` means that nothing was started.
    pub fn open_session(&self, request: &SessionRequest) -> Result<LiveSession<'_>, Error> {
        let mut session = self.prepared_session(request)?;
        self.begin_session(&mut session, request)?;
        Ok(session)
    }

    /// A session of which nothing is recorded yet.
    pub(super) fn prepared_session(&self, request: &SessionRequest) -> Result<LiveSession<'_>, Error> {
        let parts = self.parts(request.environment.as_deref(), Vec::new())?;
        let id = RunId::new(self.system.clock.now(), random_u32());
        let active = Active::begin(&id);
        let listeners: Vec<Arc<dyn crate::worlds::Listener>> = vec![parts.heard.clone()];
        let recorder = Recorder::new(id.clone(), parts.journal.clone(), parts.look.clone(), listeners);
        Ok(self.assembled(parts, (id, Arc::new(recorder), active), request))
    }

    /// From now on it is on record.
    pub(super) fn begin_session(&self, session: &mut LiveSession, request: &SessionRequest) -> Result<(), Error> {
        let incident = request.incident.clone();
        let named = incident.as_deref().map(|title| ("incident".to_owned(), Value::from(title)));
        let past = session.looks_back.as_ref().map(|past| (LOOKS_BACK.to_owned(), Value::from(past.given())));
        let mut digests = BTreeMap::from([("lifeboat.toml".to_owned(), self.config.digest.clone())]);
        digests.extend(self.driver_digests(session.environment));
        session.recorder.begin(Started {
            run: session.id.clone(),
            mode: Mode::Session,
            runbook: SESSION.to_owned(),
            environment: session.environment.name.clone(),
            params: Value::Map(named.into_iter().chain(past).collect()),
            by: whoami(),
            digests,
            version: env!("CARGO_PKG_VERSION").to_owned(),
            process: Some(self.look().own_process()),
            break_glass: request.break_glass.clone(),
            plan: None,
        })?;
        session.incident = incident;
        Ok(())
    }

    pub(super) fn parts(&self, environment: Option<&str>, events: Vec<Event>) -> Result<Parts<'_>, Error> {
        let environment = self.environment(environment)?;
        let cast = self.cast(environment)?;
        let journal = self.journal()?;
        let look = self.look_in(environment);
        let heard = Heard::new(self.listeners.clone(), events);
        Ok(Parts { environment, cast, look, journal, heard })
    }

    pub(super) fn assembled<'a>(
        &'a self,
        parts: Parts<'a>,
        (id, recorder, active): (RunId, Arc<Recorder>, Option<Active>),
        request: &SessionRequest,
    ) -> LiveSession<'a> {
        let nothing = Retrace::up_to(Arc::new(Record::default()), None);
        let switch = Arc::new(Switch::new(Arc::new(nothing)));
        let library = Arc::new(Typed(self.library()));
        let script = script::Session::new(switch.clone(), self.registry.clone(), library);
        let interrupter = Interrupter(Arc::new(Mutex::new(None)));
        let arms = Arms::none(self, &parts.look, interrupter.clone());
        LiveSession {
            lifeboat: self,
            environment: parts.environment,
            id,
            incident: None,
            began: self.system.clock.now(),
            on_fault: request.on_fault.clone(),
            break_glass: request.break_glass.clone(),
            cast: parts.cast,
            look: parts.look,
            recorder,
            heard: parts.heard,
            tenancy: None,
            rounds: None,
            switch,
            script,
            number: 0,
            arms,
            interrupter,
            known: Arc::default(),
            unkept: None,
            undoing: false,
            stopped: false,
            looks_back: None,
            wait: request.wait,
            heartbeat: None,
            _active: active,
        }
    }
}

impl LiveSession<'_> {
    /// Takes the leases of what the session has changed so far, and from now on those of what it changes. Only who acts needs any.
    pub(super) fn bind(&mut self) -> Result<(), Error> {
        if self.rounds.is_some() {
            return Ok(());
        }
        let events = self.heard.events();
        let applicant = Applicant {
            run: &self.id,
            runbook: SESSION,
            environment: self.environment,
            targets: changed_so_far(&events, &self.cast.registry).into_iter().collect::<BTreeSet<_>>(),
            wait: self.wait,
            break_glass: self.break_glass.as_deref(),
        };
        let handle = self.lifeboat.tokio.handle();
        self.tenancy = self.lifeboat.take_leases(&applicant, &self.look)?;
        self.heartbeat = self.tenancy.as_ref().map(|tenancy| {
            self.recorder.bind_to(tenancy.clone());
            tenancy.renew(handle)
        });
        let rounds: Rounds = self.lifeboat.rounds(&self.cast, &self.recorder, &self.look)?;
        self.rounds = Some(rounds);
        Ok(())
    }
}

/// Modules that are imported by what is typed lie where runbooks lie.
struct Typed(Arc<ProjectFiles>);

impl Library for Typed {
    fn module(&self, from: &str, path: &str) -> Result<(String, String), String> {
        self.0.module(if from.starts_with('[') || from == "(session)" { "runbooks/session.rhai" } else { from }, path)
    }

    fn runbook(&self, path: &str) -> Result<(String, String), String> {
        self.0.runbook(path)
    }

    fn invariants(&self) -> Vec<String> {
        self.0.invariants()
    }
}

/// The numbers of the inputs of a session, in their order.
pub(super) fn last_number(events: &[Event]) -> u32 {
    let numbers = events.iter().filter_map(|event| match &event.body {
        EventBody::Entered { scope } if matches!(scope.kind, crate::model::ScopeKind::Input { .. }) => {
            scope.key.to_string().parse::<u32>().ok()
        }
        _ => None,
    });
    numbers.max().unwrap_or(0)
}
