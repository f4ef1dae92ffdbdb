//! Settling what is in doubt: a person says whether an effect took place.

use crate::model::{
    Applied, EventBody, Fault, IdempotencyKey, Impact, Key, Record, RecordedCall, RunId, Settlement, Value,
    did_you_mean,
};
use crate::system::{Look, whoami};
use crate::worlds::{NOT_APPLIED, Recorder};

use super::unfinished::takes_up;
use super::{Error, Lifeboat};

/// What a person knows of an effect that is in doubt.
#[derive(Clone, Debug, PartialEq)]
pub enum Settled {
    /// It took place, and returned this; where that is not known, the certain part of what it returns.
    Applied(Option<Value>),
    /// It did not: `resume` carries it out again, and a session leaves that to whoever types.
    NotApplied,
}

impl Lifeboat {
    /// Records what a person knows of an effect that is in doubt. Returns the run's id and what the effect was.
    pub fn settle(&self, run: &str, key: Option<&str>, settled: &Settled) -> Result<(RunId, String), Error> {
        let run = self.unfinished(Some(run))?;
        let record = Record::of(&run.events);
        let (key, call) = in_doubt(&record, key, &takes_up(run.started.mode, &run.id))?;
        let look = self.look();
        nothing_goes_on(&look, &run.id, &key)?;
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
        recorder.note(EventBody::Resumed {
            by: by.clone(),
            process: None,
            edited: Vec::new(),
            ends: None,
            break_glass: None,
        });
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
            evidence: Some(Settlement::told_by(&by)),
        })));
        recorder.commit_if_possible().map_err(|why| Error::Unrecorded { why })?;
        Ok((run.id, described(&call.primitive, &call.impact)))
    }

    /// What is certain of the output of a call that went well.
    pub(super) fn certain(&self, call: &RecordedCall) -> Value {
        let likely = self.registry.signature(&call.primitive).and_then(|signature| signature.likely(&call.args));
        match likely {
            Some(crate::model::CaseResult::Returns(value)) => value,
            _ => Value::Null,
        }
    }
}

/// Refuses as long as a program that outlived its run still carries a call out: whoever looked now saw what is not there yet.
pub(super) fn nothing_goes_on(look: &Look, run: &RunId, key: &Key) -> Result<(), Error> {
    let running = look.carrying_out(&IdempotencyKey::new(run.as_str(), key));
    let Some(program) = running.first() else { return Ok(()) };
    let why = format!("process {} (`{}`) still carries call {key} out", program.pid, program.command.join(" "));
    let help = "wait for its end, look again at what it has done, and then say so";
    Err(Error::Refused { why, help: Some(help.to_owned()) })
}

/// The call that is meant, among those that are in doubt.
fn in_doubt(record: &Record, wanted: Option<&str>, again: &str) -> Result<(Key, RecordedCall), Error> {
    let open: Vec<(&Key, &RecordedCall)> = record.open().collect();
    let listed = || open.iter().map(|(key, call)| format!("{key} ({})", described(&call.primitive, &call.impact)));
    let refused = |why: String, help: String| Err(Error::Refused { why, help: Some(help) });
    let found = match (wanted, &open[..]) {
        (_, []) => return refused("nothing is in doubt in this run".to_owned(), format!("take it up again: {again}")),
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
