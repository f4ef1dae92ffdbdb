//! The sessions that were left open: whose process is gone, or that ended and owe something.

use jiff::Timestamp;

use crate::journal::{RUNNING, RunQuery};
use crate::model::{EventBody, Mode, RunId};
use crate::runtime::unfinished::takes_up;
use crate::runtime::{Error, Life, Lifeboat, Status};

use super::Owed;

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
    /// Whether its process is gone; otherwise somebody ended it as it was.
    pub died: bool,
    /// What it would leave behind.
    pub owes: Owed,
}

impl LeftOpen {
    /// Which one it is, as people tell them apart: the incident, who, since when.
    pub fn described(&self) -> String {
        let incident = self.incident.as_ref().map(|title| format!("{title}, ")).unwrap_or_default();
        format!("{incident}{}, {} UTC", self.by, self.began.strftime("%Y-%m-%d %H:%M"))
    }

    fn listed(&self) -> String {
        let owes = if self.owes.is_nothing() { "owes nothing".to_owned() } else { self.owes.sentence() };
        format!("{} ({}; {owes})", takes_up(Mode::Session, &self.id), self.described())
    }
}

impl Lifeboat {
    /// The sessions that were left open, the newest first; those of one environment, if it is given.
    pub fn sessions_left_open(&self, environment: Option<&str>) -> Result<Vec<LeftOpen>, Error> {
        let journal = self.journal()?;
        let query =
            RunQuery { mode: Some(Mode::Session), environment: environment.map(str::to_owned), ..RunQuery::default() };
        let mut found = Vec::new();
        for run in journal.runs(&query)? {
            if run.status == Status::Completed.name() {
                continue;
            }
            let events = journal.events(&run.id)?;
            let died = run.status == RUNNING;
            // One that goes on belongs to whoever types there.
            if died && Life::of(&run.id, &events) != Life::Interrupted {
                continue;
            }
            let incident = events.first().and_then(|event| match &event.body {
                EventBody::Started(started) => started.params.get("incident").map(ToString::to_string),
                _ => None,
            });
            let (id, environment, by, began) = (run.id, run.environment, run.by, run.started);
            found.push(LeftOpen { id, environment, incident, by, began, died, owes: Owed::of(&events) });
        }
        Ok(found)
    }

    /// The session that is meant where none is named: the newest one of the environment whose process is gone, or the one that was ended
    /// and owes something. None is guessed where it may be another one: who takes up the wrong one undoes the wrong thing.
    pub(super) fn session_left_open(&self, environment: Option<&str>) -> Result<RunId, Error> {
        let environment = &self.environment(environment)?.name;
        let refused = |why: String, help: String| Err(Error::Refused { why, help: Some(help) });
        let open = candidates(self.sessions_left_open(Some(environment))?);
        match open.as_slice() {
            [] => {}
            [only] => return Ok(only.id.clone()),
            all => {
                let why = format!("{} sessions were left open in {environment}: which one?", all.len());
                return refused(why, all.iter().map(LeftOpen::listed).collect::<Vec<_>>().join("\n"));
            }
        }
        let elsewhere = candidates(self.sessions_left_open(None)?);
        if elsewhere.is_empty() {
            let help = "`lifeboat runs` lists them; one that was ended is named: lifeboat repl --resume RUN";
            return refused("no session is left open".to_owned(), help.to_owned());
        }
        let told = elsewhere.iter().map(|session| format!("in {}: {}", session.environment, session.listed()));
        refused(format!("no session is left open in {environment}"), told.collect::<Vec<_>>().join("\n"))
    }
}

/// Those that may be meant, the newest first. Somebody has decided to leave one as it is that was ended: it is not meant where another one
/// died. One that died and owes nothing is not missed, unless it is the newest.
fn candidates(open: Vec<LeftOpen>) -> Vec<LeftOpen> {
    let died = open.iter().any(|session| session.died);
    let meant = open.into_iter().filter(|session| if died { session.died } else { !session.owes.is_nothing() });
    meant.enumerate().filter(|(n, session)| *n == 0 || !session.owes.is_nothing()).map(|(_, session)| session).collect()
}
