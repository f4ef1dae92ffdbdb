//! A run that is not over, as far as its record goes: what is needed to walk the ways on which it can go on.

use crate::journal::UNFINISHED;
use crate::model::{Halt, Here, Mode, Record, RunId, Verdict};
use crate::script::{Params, Script};
use crate::worlds::{Cast, Explore, Visit, Walked, described};

use super::resume::given;
use super::unfinished::Unfinished;
use super::{Error, Lifeboat};

/// A run that is not over.
pub(super) struct Standing {
    pub(super) run: Unfinished,
    pub(super) script: Script,
    pub(super) params: Params,
    /// Whether somebody wants it to end.
    stops: bool,
}

impl Lifeboat {
    /// The run that is meant, if it is not over and its files are those with which it began.
    pub(super) fn standing(&self, run: &str) -> Result<Standing, Error> {
        let run = self.recorded_run(Some(run))?;
        if run.started.mode == Mode::Session {
            let why = format!("{} is a session: what comes next is what somebody types", run.id);
            let help = format!("lifeboat show {} says what it owes", run.id);
            return Err(Error::Refused { why, help: Some(help) });
        }
        if let Some(status) = run.status().filter(|status| !UNFINISHED.contains(status)) {
            let why = format!("run {} is over: {status}", run.id);
            return Err(Error::Refused { why, help: Some("lifeboat show tells how it ended".to_owned()) });
        }
        let environment = self.environment(Some(&run.started.environment))?;
        let script = self.load_unasked(run.started.runbook.as_ref(), environment)?;
        let edited = self.edited(&run, &script, true)?;
        if !edited.is_empty() {
            let why = format!("{} changed since run {} began", edited.join(", "), run.id);
            let help = "in which ways it goes on can be told only of what it began with".to_owned();
            return Err(Error::Refused { why, help: Some(help) });
        }
        let params = given(&script, &run.started.params);
        let stops = self.ending(&run)?.is_some();
        Ok(Standing { run, script, params, stops })
    }
}

impl Standing {
    /// The world in which every path begins with its record.
    pub(super) fn world(&self, cast: Cast) -> Explore {
        Explore::behind(cast, Record::of(&self.run.events), self.stops)
    }
}

/// The call at which such a path leaves the record.
pub(super) fn here(walked: &Walked) -> Option<Here> {
    let at = walked.strayed.as_ref()?.visit;
    let call = walked.path.visits.get(at).and_then(Visit::call)?;
    Some(Here { site: call.site.clone(), call: described(call) })
}

/// The error says where the script asks for something else than was recorded.
pub(super) fn is_its_record(run: &RunId, verdict: &Verdict) -> Result<(), Error> {
    match verdict {
        Verdict::Halted { halt: halt @ Halt::Diverged { .. }, .. }
        | Verdict::Failed { unwinding_halted: Some(halt @ Halt::Diverged { .. }), .. } => Err(Error::Refused {
            why: format!("run {run} cannot be followed to where it is: {halt}"),
            help: Some("its record is not what its runbook does now".to_owned()),
        }),
        _ => Ok(()),
    }
}
