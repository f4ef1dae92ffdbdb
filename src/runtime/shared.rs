//! The journal that a team shares: who changes what just now, and what was done. The one of the machine goes before it.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use crate::config::SharedState;
use crate::journal::{Journal, JournalError, RunQuery, Transport};
use crate::model::{RunId, SecretText};
use crate::system::{HttpRequest, Look, Redactor, Secrets, System};

use super::{Error, Lifeboat};

/// How long one exchange with the server may take.
const EXCHANGE: Duration = Duration::from_secs(5);

/// The largest answer: a run with as many events as a run may have that somebody looks at.
const LARGEST: usize = 256 << 20;

/// How many events are brought at once.
const AT_ONCE: usize = 500;

/// How long older runs may keep somebody waiting who wants to see how this one ended.
const CATCHING_UP: Duration = Duration::from_secs(3);

/// How many of the newest runs of this machine are looked through for what the shared journal has not yet.
const HISTORY: usize = 50;

impl Lifeboat {
    /// The journal that a team shares; `None` where none is configured. Opened when it is first needed, and made if need be.
    pub(super) fn shared_journal(&self) -> Result<Option<Arc<dyn Journal>>, Error> {
        if let Some(journal) = self.shared.get() {
            return Ok(Some(journal.clone()));
        }
        let Some(state) = &self.config.state.shared else { return Ok(None) };
        let journal = remote(&state.url, self.transport(state)?)?;
        Ok(Some(self.shared.get_or_init(|| journal).clone()))
    }

    /// The same, to be looked at: it is not made. `None` where nothing was ever recorded there. An error where none is configured.
    pub fn existing_shared_journal(&self) -> Result<Option<Arc<dyn Journal>>, Error> {
        if let Some(journal) = self.shared.get() {
            return Ok(Some(journal.clone()));
        }
        let Some(state) = &self.config.state.shared else {
            return Err(Error::Refused {
                why: "no journal is shared".to_owned(),
                help: Some(format!("add to {}: [state], url = \"https://…\"", self.config.path.display())),
            });
        };
        Ok(existing_remote(&state.url, self.transport(state)?)?)
    }

    fn transport(&self, state: &SharedState) -> Result<Arc<dyn Transport>, Error> {
        let unreachable = |why: String| Error::Journal(JournalError::Unreachable { url: state.url.clone(), why });
        let token = self.token(state).map_err(unreachable)?;
        let (system, redactor) = (self.system.clone(), self.redactor().clone());
        Ok(Arc::new(Http { system, redactor, token, handle: self.tokio.handle().clone() }))
    }

    /// The token with which the server lets us in.
    fn token(&self, state: &SharedState) -> Result<Option<String>, String> {
        let Some(source) = &state.token else { return Ok(None) };
        let sources = [("token".to_owned(), source.clone())].into();
        let secrets = Secrets::new(sources, self.config.root.clone(), self.redactor().clone());
        let look = Look::new(self.system.clone()).with_secrets(Arc::new(secrets));
        let text = SecretText::named("token");
        let revealed = self.tokio.block_on(look.reveal(&text)).map_err(|fault| fault.message)?;
        Ok(Some(revealed.to_string()))
    }

    /// The same over a connection of its own, for what was done: a long record keeps no lease from being renewed.
    pub(super) fn shared_history(&self) -> Option<Arc<dyn Journal>> {
        if let Some(journal) = self.history.get() {
            return Some(journal.clone());
        }
        let state = self.config.state.shared.as_ref()?;
        let journal = remote(&state.url, self.transport(state).ok()?).ok()?;
        Some(self.history.get_or_init(|| journal).clone())
    }

    /// Brings what this machine has recorded to the shared journal, as far as it is not there. A server that does not answer is no
    /// reason to stop: what it misses is brought the next time.
    pub(super) fn publish(&self, run: &RunId) {
        if self.shared.get().is_none() {
            return;
        }
        let (Some(shared), Ok(journal)) = (self.shared_history(), self.journal()) else { return };
        let brought =
            publish_run(journal.as_ref(), shared.as_ref(), run).and_then(|()| self.catch_up(&journal, &shared));
        if let Err(error) = brought {
            self.system
                .console
                .show(&format!("{error}; what was done is recorded here, and brought there the next time"));
        }
    }

    /// Tells the team how a run ended that is over, for whoever waits to hear of it. Where that cannot be told, nothing is lost.
    pub(super) fn publish_over(&self, run: &RunId) {
        if let (Some(shared), Ok(journal)) = (self.shared_history(), self.journal()) {
            let _ = publish_run(journal.as_ref(), shared.as_ref(), run);
        }
    }

    /// What of older runs of this machine is not there yet, as far as there is time for it.
    fn catch_up(&self, journal: &Arc<dyn Journal>, shared: &Arc<dyn Journal>) -> Result<(), JournalError> {
        let (look, newest) = (self.look(), RunQuery::newest(HISTORY));
        let until = look.monotonic() + CATCHING_UP;
        let ours = RunQuery { by: Some(format!("@{}", look.own_process().host)), ..newest.clone() };
        let there: HashMap<RunId, u64> = shared.runs(&ours)?.into_iter().map(|run| (run.id, run.events)).collect();
        for run in journal.runs(&newest)?.into_iter().rev() {
            if there.get(&run.id) != Some(&run.events) && look.monotonic() < until {
                publish_run(journal.as_ref(), shared.as_ref(), &run.id)?;
            }
        }
        Ok(())
    }
}

#[cfg(feature = "journal-libsql")]
fn remote(url: &str, transport: Arc<dyn Transport>) -> Result<Arc<dyn Journal>, JournalError> {
    Ok(Arc::new(crate::journal::LibsqlJournal::remote(url, transport)?))
}

#[cfg(feature = "journal-libsql")]
fn existing_remote(url: &str, transport: Arc<dyn Transport>) -> Result<Option<Arc<dyn Journal>>, JournalError> {
    let journal = crate::journal::LibsqlJournal::existing_remote(url, transport)?;
    Ok(journal.map(|journal| Arc::new(journal) as Arc<dyn Journal>))
}

#[cfg(not(feature = "journal-libsql"))]
fn remote(url: &str, _: Arc<dyn Transport>) -> Result<Arc<dyn Journal>, JournalError> {
    let why = "this Lifeboat was built without libSQL".to_owned();
    Err(JournalError::Unreachable { url: url.to_owned(), why })
}

#[cfg(not(feature = "journal-libsql"))]
fn existing_remote(url: &str, transport: Arc<dyn Transport>) -> Result<Option<Arc<dyn Journal>>, JournalError> {
    remote(url, transport).map(Some)
}

/// Brings the events of a run that are not there yet. Somebody else may be doing the same: what is there is there.
pub(super) fn publish_run(journal: &dyn Journal, shared: &dyn Journal, run: &RunId) -> Result<(), JournalError> {
    let mut again = true;
    loop {
        let there = match shared.recorded_events(run) {
            Err(JournalError::UnknownRun { .. }) => 0,
            count => count?,
        };
        let events = journal.events(run)?;
        let new = usize::try_from(there).ok().and_then(|there| events.get(there..)).unwrap_or_default();
        let brought = new.chunks(AT_ONCE).try_for_each(|some| shared.append(run, some));
        match brought {
            Err(JournalError::OutOfOrder { .. } | JournalError::Illegal { .. }) if again => again = false,
            brought => return brought,
        }
    }
}

/// Requests to the server, through the clients of this process.
struct Http {
    system: Arc<System>,
    redactor: Arc<Redactor>,
    token: Option<String>,
    handle: tokio::runtime::Handle,
}

impl Transport for Http {
    fn post(&self, url: &str, body: Vec<u8>) -> Result<(u16, Vec<u8>), String> {
        let mut request = HttpRequest { timeout: EXCHANGE, body_limit: LARGEST, ..HttpRequest::new(url) };
        request.headers.insert("content-type".to_owned(), "application/json".to_owned());
        if let Some(token) = &self.token {
            request.headers.insert("authorization".to_owned(), format!("Bearer {token}"));
        }
        let answered = self.handle.block_on(self.system.post(&request, body));
        let answered = answered.map_err(|error| self.redactor.clean(&error.message).into_owned())?;
        // What went wrong is shown to people.
        let body = match answered.status {
            200 => answered.body,
            _ => self.redactor.clean(&String::from_utf8_lossy(&answered.body)).into_owned().into_bytes(),
        };
        Ok((answered.status, body))
    }
}
