//! The sessions that were left open: whose process is gone, or that ended and owe something.

use jiff::Timestamp;

use crate::journal::{RUNNING, RunQuery};
use crate::model::{EventBody, Mode, RunId};
use crate::runtime::unfinished::takes_up;
use crate::runtime::{Error, Life, Lifeboat, Status};
use crate::system::whoami;

use super::Owed;
use super::past::LOOKS_BACK;

/// A session that was left open.
#[derive(Clone, Debug, PartialEq)]
pub struct LeftOpen {
    /// Its id.
    pub id: RunId,
    /// The environment's name.
    pub environment: String,
    /// What was going on, as people called it.
    pub incident: Option<String>,
    /// Who typed, as `user@host`.
    pub by: String,
    /// When it began, UTC.
    pub began: Timestamp,
    /// How it was left.
    state: State,
    /// What it would leave behind.
    pub owes: Owed,
}

/// How a session was left.
#[derive(Clone, Debug, PartialEq)]
enum State {
    /// Its process is gone.
    Died,
    /// Somebody ended it as it was.
    Ended,
    /// It was not: its process, of this number, goes on.
    GoesOn(u32),
}

impl LeftOpen {
    /// Which one it is, as people tell them apart: the incident, who, since when.
    pub fn described(&self) -> String {
        let incident = self.incident.as_ref().map(|title| format!("{title}, ")).unwrap_or_default();
        format!("{incident}{}, {} UTC", self.by, self.began.strftime("%Y-%m-%d %H:%M"))
    }

    fn listed(&self) -> String {
        if let State::GoesOn(process) = self.state {
            let (id, what) = (&self.id, self.described());
            return format!("{id} ({what}) still goes on, in process {process}: lifeboat attach {id} follows it");
        }
        let owes = if self.owes.is_nothing() { "owes nothing".to_owned() } else { self.owes.sentence() };
        format!("{} ({}; {owes})", takes_up(Mode::Session, &self.id), self.described())
    }
}

impl Lifeboat {
    /// The sessions of an environment that died and owe something, the newest first.
    pub fn sessions_that_died(&self, environment: &str) -> Result<Vec<LeftOpen>, Error> {
        let mut found = self.sessions(RunQuery {
            status: Some(RUNNING.to_owned()),
            environment: Some(environment.to_owned()),
            ..RunQuery::default()
        })?;
        found.retain(|session| session.state == State::Died && !session.owes.is_nothing());
        Ok(found)
    }

    /// The sessions that were left open, and those that go on in a process of this machine, the newest first.
    fn sessions(&self, query: RunQuery) -> Result<Vec<LeftOpen>, Error> {
        let journal = self.journal()?;
        let mut found = Vec::new();
        for run in journal.runs(&RunQuery { mode: Some(Mode::Session), ..query })? {
            if run.status == Status::Completed.name() {
                continue;
            }
            let events = journal.events(&run.id)?;
            let state = match Life::of(&run.id, &events) {
                _ if run.status != RUNNING => State::Ended,
                Life::Interrupted => State::Died,
                Life::GoesOn(process) => State::GoesOn(process.pid),
                // One that goes on there belongs to whoever types there.
                Life::Elsewhere(_) => continue,
            };
            let Some(EventBody::Started(started)) = events.first().map(|event| &event.body) else { continue };
            // In one that looks back nothing is changed.
            if started.params.get(LOOKS_BACK).is_some() {
                continue;
            }
            let incident = started.params.get("incident").map(ToString::to_string);
            let (id, environment, by, began) = (run.id, run.environment, run.by, run.started);
            found.push(LeftOpen { id, environment, incident, by, began, state, owes: Owed::of(&events) });
        }
        Ok(found)
    }

    /// The session that is meant where none is named: the newest one of the environment whose process is gone, or the one that was ended
    /// and owes something. None is guessed where it may be another one: who takes up the wrong one undoes the wrong thing.
    pub(super) fn session_left_open(&self, environment: Option<&str>) -> Result<RunId, Error> {
        let environment = &self.environment(environment)?.name;
        let refused = |why: String, told: Vec<String>| Err(Error::Refused { why, help: Some(told.join("\n")) });
        let here = RunQuery { environment: Some(environment.clone()), ..RunQuery::default() };
        let goes_on = |session: &LeftOpen| matches!(session.state, State::GoesOn(_));
        let (mut going, open): (Vec<_>, Vec<_>) = self.sessions(here)?.into_iter().partition(goes_on);
        let open = candidates(open);
        // Whose connection broke in the middle of a line means that session, which is about to end.
        going
            .retain(|session| session.by == whoami() && open.first().is_none_or(|newest| newest.began < session.began));
        let listed = || going.iter().chain(&open).map(LeftOpen::listed).collect();
        match (open.as_slice(), going.as_slice()) {
            ([], []) => {}
            ([only], []) => return Ok(only.id.clone()),
            ([], _) => return refused(format!("no session is left open in {environment}"), listed()),
            ([_], _) => {
                let why = format!("a session was left open in {environment}, and a newer one goes on: which one?");
                return refused(why, listed());
            }
            (all, _) => {
                return refused(
                    format!("{} sessions were left open in {environment}: which one?", all.len()),
                    listed(),
                );
            }
        }
        let mut elsewhere = self.sessions(RunQuery::default())?;
        elsewhere.retain(|session| !goes_on(session));
        let elsewhere = candidates(elsewhere);
        if elsewhere.is_empty() {
            let help = "`lifeboat runs` lists them; one that was ended is named: lifeboat repl --resume RUN";
            return refused("no session is left open".to_owned(), vec![help.to_owned()]);
        }
        let told = elsewhere.iter().map(|session| format!("in {}: {}", session.environment, session.listed()));
        refused(format!("no session is left open in {environment}"), told.collect())
    }
}

/// Those that may be meant, the newest first. Somebody has decided to leave one as it is that was ended: it is not meant where another one
/// died, unless that is older and owes nothing. One that died and owes nothing is missed only where it is the newest.
fn candidates(open: Vec<LeftOpen>) -> Vec<LeftOpen> {
    let owes = |session: &LeftOpen| !session.owes.is_nothing();
    let (died, ended): (Vec<_>, Vec<_>) = open.into_iter().partition(|session| session.state == State::Died);
    let ended: Vec<LeftOpen> = ended.into_iter().filter(owes).collect();
    let (last_died, last_ended) = (died.first().map(|last| last.began), ended.first().map(|last| last.began));
    // None is the least: what has not died is older than what was ended.
    if last_ended > last_died && !died.iter().any(owes) {
        return ended;
    }
    died.into_iter().enumerate().filter(|(n, session)| *n == 0 || owes(session)).map(|(_, session)| session).collect()
}
