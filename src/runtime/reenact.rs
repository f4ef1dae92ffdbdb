//! A recorded run as a test of another version of its runbook.

use std::path::Path;
use std::sync::Arc;

use serde::Serialize;

use crate::journal::{RUNNING, RunQuery};
use crate::model::{EventBody, Halt, Key, Record, RunId, Value, Verdict};
use crate::worlds::{Reenact, THE_END};

use super::resume::given;
use super::{Error, Lifeboat, Status};

/// What came of playing a run to a runbook.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Reenacted {
    /// The run.
    pub run: RunId,
    /// How it ended when it was recorded.
    pub status: String,
    /// How many of its calls the runbook asked for, as they were recorded.
    pub calls: usize,
    /// Whether the record ends before the runbook does: the run was cancelled, killed, or is in doubt.
    pub cut_off: bool,
    /// Where the runbook does something else, if it does.
    pub difference: Option<Difference>,
}

/// Where a runbook does something else than was recorded.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Difference {
    /// The place in the run; none at its end.
    pub key: Option<Key>,
    /// What was recorded.
    pub recorded: String,
    /// What the runbook does instead.
    pub requested: String,
}

impl Lifeboat {
    /// Plays the record of `run` to the runbook at `against`: each call gets the outcome that it had, nothing is done.
    pub fn reenact(&self, run: &RunId, against: &Path) -> Result<Reenacted, Error> {
        let mut recorded = self.recorded_run(Some(run.as_str()))?;
        // What was undone later, when it was over, is none of the runbook's doing.
        let undone = |event: &crate::model::Event| {
            matches!(event.body, EventBody::Resumed { ends: Some(Halt::RolledBack { .. }), .. })
        };
        let over = recorded.events.iter().position(undone).unwrap_or(recorded.events.len());
        recorded.events.truncate(over);
        let environment = self.environment(Some(&recorded.started.environment))?;
        let script = self.load_sound(against, environment)?;
        let params = given(&script, &recorded.started.params);
        script.validate(&params).map_err(|(why, help)| Error::Params { why, help })?;
        let end = recorded.events.iter().rev().find_map(|event| match &event.body {
            EventBody::Ended { status, why, value, .. } => Some((status.clone(), why.clone(), value.clone())),
            _ => None,
        });
        let unwinding = recorded.events.iter().rev().find_map(|event| match &event.body {
            EventBody::Unwinding { halt, .. } => halt.clone(),
            _ => None,
        });
        let status = end.as_ref().map_or_else(|| RUNNING.to_owned(), |(status, _, _)| status.clone());
        // A run whose script did not come to its end was halted, or its process is gone.
        let fault = recorded.events.iter().any(|event| matches!(&event.body, EventBody::Unwinding { halt: None, .. }));
        let ended = |as_one_of: &[Status]| as_one_of.iter().any(|known| known.name() == status);
        let whole = ended(&[Status::Completed]) || ended(&[Status::RolledBack, Status::LeftChanged]) && fault;
        let halt = (!whole || unwinding.is_some()).then(|| unwinding.unwrap_or(Halt::Aborted));
        let world = Arc::new(Reenact::new(Record::of(&recorded.events), halt));
        let verdict = self.evaluated(&script, &params, world.clone());
        let cut_off = world.reached_the_end();
        let difference = fails_now(&verdict, end.as_ref())
            .or_else(|| difference(&verdict, cut_off))
            .or_else(|| {
                let (key, recorded) = world.left_out()?;
                Some(Difference { key: Some(key), recorded, requested: THE_END.to_owned() })
            })
            .or_else(|| (!cut_off).then(|| at_the_end(&verdict, end.as_ref()?)).flatten());
        Ok(Reenacted { run: recorded.id, status, calls: world.visited(), cut_off, difference })
    }

    /// The newest runs of a runbook that are over, at most so many, newest first.
    pub fn runs_of(&self, runbook: &Path, last: usize) -> Result<Vec<RunId>, Error> {
        let name = self.library().name(&crate::system::absolute(runbook));
        let query = RunQuery { runbook: Some(name.clone()), ..RunQuery::default() };
        let runs = self.journal()?.runs(&query)?;
        let runs = runs.into_iter().filter(|run| run.runbook == name && run.ended.is_some());
        Ok(runs.take(last).map(|run| run.id).collect())
    }
}

fn difference(verdict: &Verdict, cut_off: bool) -> Option<Difference> {
    let (Verdict::Halted { halt, .. } | Verdict::Failed { unwinding_halted: Some(halt), .. }) = verdict else {
        return None;
    };
    match halt {
        Halt::Diverged { key, recorded, requested } => {
            let (recorded, requested) = (recorded.clone(), requested.clone());
            Some(Difference { key: Some(key.clone()), recorded, requested })
        }
        _ if cut_off => None,
        other => {
            let (recorded, requested) = ("that it goes on".to_owned(), format!("it ends: {other}"));
            Some(Difference { key: None, recorded, requested })
        }
    }
}

/// How a run ended: its status, why, and what it returned.
type End = (String, Option<String>, Value);

fn told((status, why, value): &End) -> String {
    match why {
        Some(why) => format!("the end: {why}"),
        None => format!("the end: {status}, with {value}"),
    }
}

/// Where the script fails that came to its end then, that is the difference, and not what it undoes because of it.
fn fails_now(verdict: &Verdict, end: Option<&End>) -> Option<Difference> {
    match verdict {
        Verdict::Failed { fault, unwinding_halted: Some(Halt::Diverged { recorded, .. }), .. }
            if recorded == THE_END =>
        {
            Some(Difference { key: None, recorded: told(end?), requested: format!("the end: {fault}") })
        }
        _ => None,
    }
}

/// Whether it ends as it did.
fn at_the_end(verdict: &Verdict, end: &End) -> Option<Difference> {
    let then = told(end);
    let now = match verdict {
        Verdict::Completed(value) => format!("the end: completed, with {value}"),
        Verdict::Failed { fault, .. } => format!("the end: {fault}"),
        Verdict::Halted { .. } => return None,
    };
    let differs = then != now && !then.starts_with(&format!("{now};"));
    differs.then_some(Difference { key: None, recorded: then, requested: now })
}
