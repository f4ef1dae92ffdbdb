//! Taking up a run again, and settling what is in doubt.

use std::sync::Arc;

use crate::config::Environment;
use crate::journal::{RUNNING, RunQuery};
use crate::model::{
    Applied, Event, EventBody, Fault, Halt, Impact, Key, Mode, Record, RecordedCall, RunId, Settlement, Started, Value,
    Verdict, did_you_mean,
};
use crate::script::{Evaluation, Params, Script, evaluate, on_deep_stack};
use crate::system::whoami;
use crate::worlds::{Live, NOT_APPLIED, OnFault, Recorder, Replay};

use super::active::{Active, Life};
use super::aftermath::Collector;
use super::run::{acknowledge, ended, status};
use super::{Error, Lifeboat, Ran, Status};

/// Which run to take up again.
#[derive(Clone, Default)]
pub struct ResumeRequest {
    /// The beginning or the end of its id; the newest one that is not over if not given.
    pub run: Option<String>,
    /// Whether files may have changed since it began.
    pub edited: bool,
    /// The name of the environment, typed by whoever may change a protected one.
    pub acknowledged: Option<String>,
    /// What to do when a call fails.
    pub on_fault: OnFault,
}

/// What a person knows of an effect that is in doubt.
#[derive(Clone, Debug, PartialEq)]
pub enum Settled {
    /// It took place, and returned this; where that is not known, the certain part of what it returns.
    Applied(Option<Value>),
    /// It did not: `resume` carries it out again.
    NotApplied,
}

/// A run as it was left.
struct Unfinished {
    id: RunId,
    events: Vec<Event>,
    started: Started,
}

impl Lifeboat {
    /// Carries on with a run whose process is gone, or that ended in doubt. An `Err` means that nothing was done.
    pub fn resume(&self, request: &ResumeRequest) -> Result<Ran, Error> {
        let run = self.unfinished(request.run.as_deref())?;
        let environment = self.environment(Some(&run.started.environment))?;
        let script = self.load_sound(run.started.runbook.as_ref(), environment)?;
        let edited = self.edited(&run, &script, request.edited)?;
        let params = given(&script, &run.started.params);
        acknowledge(environment, request.acknowledged.as_deref())?;
        self.take_up(&run, (&script, &params), environment, edited, request.on_fault.clone())
    }

    fn take_up(
        &self,
        run: &Unfinished,
        (script, params): (&Script, &Params),
        environment: &Environment,
        edited: Vec<String>,
        on_fault: OnFault,
    ) -> Result<Ran, Error> {
        let Some(_active) = Active::begin(&run.id) else {
            return Err(Error::Refused { why: format!("run {} goes on in this process", run.id), help: None });
        };
        let (cast, journal, look) = (self.cast(environment)?, self.journal()?, self.look_in(environment));
        let collector = Arc::new(Collector::of(&run.events));
        let mut listeners = self.listeners.clone();
        listeners.push(collector.clone());
        let recorder = Recorder::resuming(run.id.clone(), journal, look.clone(), listeners, &run.events);
        let recorder = Arc::new(recorder);
        let may_move = !edited.is_empty();
        recorder.note(EventBody::Resumed { by: whoami(), process: Some(look.own_process()), edited });
        recorder.commit_if_possible().map_err(|why| Error::Unrecorded { why })?;
        let rounds = self.rounds(&cast, &recorder, &look)?;
        let live = Live::new(cast, recorder.clone(), &look, self.tokio.handle().clone(), on_fault);
        let world = Arc::new(Replay::new(live, Record::of(&run.events), may_move));
        let evaluation = Evaluation {
            script,
            params,
            world: world.clone(),
            registry: self.registry.clone(),
            library: self.library(),
        };
        let internal = |why| Verdict::Halted { halt: Halt::Internal { why }, unwound: vec![], owed: vec![] };
        let verdict = on_deep_stack(|| evaluate(&evaluation)).unwrap_or_else(internal);
        let verdict = match (verdict, world.left_out()) {
            (Verdict::Completed(_), Some(halt)) => Verdict::Halted { halt, unwound: vec![], owed: vec![] },
            (verdict, _) => verdict,
        };
        let aftermath = collector.aftermath();
        let status = status(&verdict, &aftermath);
        recorder.note(ended(status, &verdict));
        let unrecorded = recorder.commit_if_possible().err();
        let undelivered = self.last_round(&run.id, rounds)?;
        Ok(Ran { id: run.id.clone(), status, verdict, aftermath, unrecorded, undelivered })
    }

    /// Records what a person knows of an effect that is in doubt. Returns the run's id and what the effect was.
    pub fn settle(&self, run: &str, key: Option<&str>, settled: &Settled) -> Result<(RunId, String), Error> {
        let run = self.unfinished(Some(run))?;
        let record = Record::of(&run.events);
        let (key, call) = in_doubt(&record, key)?;
        let look = self.look();
        let recorder = Recorder::resuming(run.id.clone(), self.journal()?, look.clone(), Vec::new(), &run.events);
        let by = whoami();
        let outcome = match settled {
            Settled::Applied(Some(value)) => Ok(value.clone()),
            Settled::Applied(None) => Ok(self.certain(&call)),
            Settled::NotApplied => {
                let fault = Fault::new(NOT_APPLIED, format!("{by} found that it did not take place"));
                Err(fault.applied(Applied::No))
            }
        };
        recorder.note(EventBody::Resumed { by: by.clone(), process: None, edited: Vec::new() });
        recorder.note(EventBody::Settled(Box::new(Settlement {
            key,
            primitive: call.primitive.clone(),
            args: None,
            site: call.site.clone(),
            impact: call.impact.clone(),
            outcome,
            began: look.now(),
            elapsed_ms: 0,
            repeats: None,
            evidence: Some(format!("settled by {by}")),
        })));
        recorder.commit_if_possible().map_err(|why| Error::Unrecorded { why })?;
        Ok((run.id, described(&call.primitive, &call.impact)))
    }

    /// What is certain of the output of a call that went well.
    fn certain(&self, call: &RecordedCall) -> Value {
        let likely = self.registry.signature(&call.primitive).and_then(|signature| signature.likely(&call.args));
        match likely {
            Some(crate::model::CaseResult::Returns(value)) => value,
            _ => Value::Null,
        }
    }

    /// The run that is meant, if it can be taken up again.
    fn unfinished(&self, wanted: Option<&str>) -> Result<Unfinished, Error> {
        let journal = self.journal()?;
        let id = if let Some(wanted) = wanted {
            journal.find(wanted)?
        } else {
            let open =
                |status: &str| journal.runs(&RunQuery { status: Some(status.to_owned()), ..RunQuery::newest(1) });
            let mut open: Vec<_> = open(RUNNING)?.into_iter().chain(open(Status::InDoubt.name())?).collect();
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
        let run = Unfinished { id, started: (**started).clone(), events };
        may_be_taken_up(&run)?;
        Ok(run)
    }

    /// The files that are not as they were when the run began.
    fn edited(&self, run: &Unfinished, script: &Script, allowed: bool) -> Result<Vec<String>, Error> {
        let environment = self.environment(Some(&run.started.environment))?;
        let (before, now) = (&run.started.digests, self.digests(script, environment));
        let names = before.keys().chain(now.keys().filter(|name| !before.contains_key(*name)));
        let edited: Vec<String> = names.filter(|name| before.get(*name) != now.get(*name)).cloned().collect();
        if edited.is_empty() || allowed {
            return Ok(edited);
        }
        Err(Error::Refused {
            why: format!("{} changed since run {} began", edited.join(", "), run.id),
            help: Some("put it back as it was, or resume with --edited: recorded calls must still match".to_owned()),
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
        Some(EventBody::Ended { status, owed, .. }) if status != Status::InDoubt.name() && owed.is_empty() => refused(
            format!("run {id} is over: {status}"),
            "lifeboat show tells how it ended; run it again to begin anew",
        ),
        Some(EventBody::Ended { .. }) => Ok(()),
        _ => match Life::of(id, &run.events) {
            Life::Interrupted => Ok(()),
            Life::GoesOn(process) => refused(
                format!("run {id} still goes on, in process {} of {}", process.pid, process.host),
                "wait for its end, or end that process first",
            ),
            Life::Elsewhere(process) => refused(
                format!("run {id} was started on {}: only that machine knows whether it still goes on", process.host),
                "resume it there",
            ),
        },
    }
}

/// The call that is meant, among those that are in doubt.
fn in_doubt(record: &Record, wanted: Option<&str>) -> Result<(Key, RecordedCall), Error> {
    let open: Vec<(&Key, &RecordedCall)> = record.open().collect();
    let listed = || open.iter().map(|(key, call)| format!("{key} ({})", described(&call.primitive, &call.impact)));
    let refused = |why: String, help: String| Err(Error::Refused { why, help: Some(help) });
    let found = match (wanted, &open[..]) {
        (_, []) => return refused("nothing is in doubt in this run".to_owned(), "resume it".to_owned()),
        (None, [one]) => Some(*one),
        (None, _) => {
            let why = format!("{} calls are in doubt", open.len());
            return refused(why, format!("name one: {}", listed().collect::<Vec<_>>().join(", ")));
        }
        (Some(wanted), _) => open.iter().find(|(key, _)| key.to_string() == wanted).copied(),
    };
    match (found, wanted) {
        (Some((key, call)), _) => Ok((key.clone(), call.clone())),
        (None, wanted) => {
            let keys: Vec<String> = open.iter().map(|(key, _)| key.to_string()).collect();
            let wanted = wanted.unwrap_or_default();
            let help = did_you_mean(wanted, keys.iter().map(String::as_str));
            let help = help.unwrap_or_else(|| format!("in doubt: {}", listed().collect::<Vec<_>>().join(", ")));
            refused(format!("call {wanted} is not in doubt"), help)
        }
    }
}

fn described(primitive: &str, impact: &Impact) -> String {
    format!("{primitive} {}", impact.targets.join(", ")).trim_end().to_owned()
}

/// The parameters that were given when the run began. Those that had their defaults still have them.
fn given(script: &Script, recorded: &Value) -> Params {
    let mut params = Params::new();
    for param in &script.params {
        let default = param.default.as_deref().map_or(Value::Null, |text| Value::from(text.trim_matches('"')));
        if let Some(value) = recorded.get(&param.name).filter(|value| **value != default) {
            params.insert(param.name.clone(), value.clone());
        }
    }
    params
}
