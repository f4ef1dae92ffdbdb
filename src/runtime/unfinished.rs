//! A run as it was left, and whether it can be taken up again.

use jiff::Timestamp;

use crate::journal::{RUNNING, RunQuery, UNFINISHED};
use crate::model::{Event, EventBody, Halt, Mode, RunId, Started, Wanted};
use crate::script::Script;

use super::active::Life;
use super::{Error, Lifeboat};

/// A run as it was left.
pub(super) struct Unfinished {
    pub(super) id: RunId,
    pub(super) events: Vec<Event>,
    pub(super) started: Started,
}

impl Unfinished {
    /// When it began.
    pub(super) fn began(&self) -> Timestamp {
        self.events.first().map_or(Timestamp::UNIX_EPOCH, |event| event.at)
    }

    /// The halt for which it was being unwound, or was to be: it is not gone on with, whatever process takes it up.
    fn ending(&self) -> Option<Halt> {
        let ends = self.events.iter().rev().find_map(|event| match &event.body {
            EventBody::Unwinding { halt, .. } => Some(halt.clone()),
            EventBody::Resumed { ends: ends @ Some(_), .. } => Some(ends.clone()),
            EventBody::Cancelling { abort, .. } => Some(Some(cancelled(*abort))),
            // Ctrl-C twice, with an effect in doubt.
            EventBody::Ended { why: Some(why), .. } if *why == Halt::Aborted.to_string() => Some(Some(Halt::Aborted)),
            _ => None,
        });
        ends.flatten()
    }

    /// Whether its files were not as they were when it began, when it was taken up the last time.
    pub(super) fn was_edited(&self) -> bool {
        let last = self.events.iter().rev().find_map(|event| match &event.body {
            EventBody::Resumed { process: Some(_), edited, .. } => Some(!edited.is_empty()),
            _ => None,
        });
        last.unwrap_or_default()
    }

    /// The refusal where it is a session: what was typed there is gone on with by whoever types.
    pub(super) fn is_session(&self) -> Option<Error> {
        (self.started.mode == Mode::Session)
            .then(|| Error::Refused { why: format!("{} is a session", self.id), help: Some(self.session_goes_on()) })
    }

    /// What to do about a session: follow whoever types there, or take it up.
    fn session_goes_on(&self) -> String {
        let id = &self.id;
        match Life::of(id, &self.events) {
            Life::GoesOn(_) | Life::Elsewhere(_) if self.status().is_none() => {
                format!("lifeboat attach {id} follows it; `:undo` there undoes what it owes, and `:quit` ends it")
            }
            _ => format!("take it up again: {}; `:undo` undoes what it owes", takes_up(Mode::Session, id)),
        }
    }

    /// How it ended, if it did.
    pub(super) fn status(&self) -> Option<&str> {
        match self.events.last().map(|event| &event.body) {
            Some(EventBody::Ended { status, .. }) => Some(status),
            _ => None,
        }
    }
}

/// The command with which a person takes up a run of this mode.
pub(crate) fn takes_up(mode: Mode, run: &RunId) -> String {
    let command = if mode == Mode::Session { "repl --resume" } else { "resume" };
    format!("lifeboat {command} {run}")
}

/// How a run ends that somebody asked to stop.
fn cancelled(abort: bool) -> Halt {
    if abort { Halt::Aborted } else { Halt::Cancelled }
}

impl Lifeboat {
    /// The command with which a person takes this run up again: a session is typed on.
    pub fn taken_up_by(&self, run: &RunId) -> Result<String, Error> {
        let run = self.recorded_run(Some(run.as_str()))?;
        Ok(takes_up(run.started.mode, &run.id))
    }

    /// How a run ends that is taken up again, if it does not go on: it was being unwound, or somebody has asked it to stop, and be it
    /// that its process did not live to hear of that.
    pub(super) fn ending(&self, run: &Unfinished) -> Result<Option<Halt>, Error> {
        if let Some(ending) = run.ending() {
            return Ok(Some(ending));
        }
        let asked =
            self.journal()?.requests(&run.id, 0)?.into_iter().rev().find_map(|(_, request)| match request.wanted {
                Wanted::Cancel { abort, .. } => Some(cancelled(abort)),
                Wanted::Answer { .. } => None,
            });
        Ok(asked)
    }

    /// The run that is meant, if it can be taken up again.
    pub(super) fn unfinished(&self, wanted: Option<&str>) -> Result<Unfinished, Error> {
        let run = self.recorded_run(wanted)?;
        if let Err(refused) = may_be_taken_up(&run) {
            self.publish_over(&run.id);
            return Err(refused);
        }
        Ok(run)
    }

    /// The run that is meant: the newest that is not over, if none is named.
    pub(super) fn recorded_run(&self, wanted: Option<&str>) -> Result<Unfinished, Error> {
        let journal = self.journal()?;
        let id = if let Some(wanted) = wanted {
            journal.find(wanted)?
        } else {
            let open =
                |status: &str| journal.runs(&RunQuery { status: Some(status.to_owned()), ..RunQuery::newest(20) });
            let unfinished = std::iter::once(RUNNING).chain(UNFINISHED);
            let mut open: Vec<_> = unfinished.map(open).collect::<Result<Vec<_>, _>>()?.concat();
            // What somebody types is gone on with by whoever types.
            open.retain(|run| run.mode != Mode::Session);
            open.sort_by_key(|run| run.started);
            open.pop().map(|run| run.id).ok_or_else(|| Error::Refused {
                why: "no run is unfinished".to_owned(),
                help: Some("lifeboat runs lists them all".to_owned()),
            })?
        };
        let events = journal.events(&id)?;
        let Some(EventBody::Started(started)) = events.first().map(|event| &event.body) else {
            return Err(Error::Internal { why: format!("run {id} has no beginning") });
        };
        Ok(Unfinished { id, started: (**started).clone(), events })
    }

    /// The files that are not as they were when the run began.
    pub(super) fn edited(&self, run: &Unfinished, script: &Script, allowed: bool) -> Result<Vec<String>, Error> {
        let environment = self.environment(Some(&run.started.environment))?;
        let (before, now) = (&run.started.digests, self.digests(script, environment));
        let names = before.keys().chain(now.keys().filter(|name| !before.contains_key(*name)));
        let edited: Vec<String> = names.filter(|name| before.get(*name) != now.get(*name)).cloned().collect();
        if edited.is_empty() || allowed {
            return Ok(edited);
        }
        Err(Error::Refused {
            why: format!("{} changed since run {} began", edited.join(", "), run.id),
            help: Some("put it back as it was, or add --edited: recorded calls must still match".to_owned()),
        })
    }
}

/// Whether it is not over, and nobody carries it on.
fn may_be_taken_up(run: &Unfinished) -> Result<(), Error> {
    let id = &run.id;
    let refused = |why: String, help: &str| Err(Error::Refused { why, help: Some(help.to_owned()) });
    if run.started.mode == Mode::Drill {
        return refused(format!("{id} is a drill"), "a drill is not resumed: start it again");
    }
    match run.events.last().map(|event| &event.body) {
        Some(EventBody::Ended { status, owed, .. }) if !UNFINISHED.contains(&status.as_str()) && owed.is_empty() => {
            let help = match run.started.mode {
                Mode::Session => {
                    format!("lifeboat show {id} tells what was done; {} opens it again", takes_up(Mode::Session, id))
                }
                _ => "lifeboat show tells how it ended; run it again to begin anew, or lifeboat rollback it".to_owned(),
            };
            refused(format!("run {id} is over: {status}"), &help)
        }
        Some(EventBody::Ended { .. }) => Ok(()),
        _ => match Life::of(id, &run.events) {
            Life::Interrupted => Ok(()),
            Life::GoesOn(process) if run.started.mode == Mode::Session => refused(
                format!("session {id} still goes on, in process {} of {}", process.pid, process.host),
                &format!("whoever types there says so with `:settle`; lifeboat attach {id} follows it"),
            ),
            Life::GoesOn(process) => refused(
                format!("run {id} still goes on, in process {} of {}", process.pid, process.host),
                &format!("lifeboat attach {id} follows it, lifeboat cancel {id} ends it"),
            ),
            Life::Elsewhere(process) => refused(
                format!("run {id} was started on {}: only that machine knows whether it still goes on", process.host),
                "resume it there",
            ),
        },
    }
}
