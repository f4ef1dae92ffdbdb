//! Taking up a run again.

use std::sync::Arc;
use std::time::Duration;

use crate::config::Environment;
use crate::model::{EventBody, Halt, Record, Value, Verdict, World};
use crate::script::{Params, Script};
use crate::system::whoami;
use crate::worlds::{Live, OnFault, Recorder, Replay, Unanswered};

use super::active::Active;
use super::aftermath::Collector;
use super::bars::is_over;
use super::deadline::Deadline;
use super::run::{acknowledge, ended, status, still_owes};
use super::saved::held_to;
use super::tenancy::{Applicant, changed_so_far};
use super::unfinished::Unfinished;
use super::{Error, Lifeboat, Ran};

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
    /// What to do about questions that nobody is there to answer.
    pub unanswered: Unanswered,
    /// Whether it may take longer than its runbook allows.
    pub without_deadline: bool,
    /// How long to wait for runs that change one of its targets; refused at once if not given.
    pub wait: Option<Duration>,
    /// Why it takes no heed of the leases of other machines, nor of a shared journal that does not answer.
    pub break_glass: Option<String>,
}

/// How a run is taken up.
pub(super) struct Way {
    /// Files that are not as they were when it began.
    pub(super) edited: Vec<String>,
    pub(super) on_fault: OnFault,
    pub(super) unanswered: Unanswered,
    pub(super) deadline: Option<Deadline>,
    /// Where the record ends, the run ends like this, and what is owed is undone; it goes on if not given.
    pub(super) ends: Option<Halt>,
    /// Whether rollbacks that failed are tried again.
    pub(super) again: bool,
    /// How long to wait for runs that change one of its targets.
    pub(super) wait: Option<Duration>,
    /// Why it takes no heed of the leases of other machines.
    pub(super) break_glass: Option<String>,
}

impl Lifeboat {
    /// Carries on with a run whose process is gone, or that ended in doubt. An `Err` means that nothing was done.
    pub fn resume(&self, request: &ResumeRequest) -> Result<Ran, Error> {
        let run = self.unfinished(request.run.as_deref())?;
        if let Some(refused) = run.is_session() {
            return Err(refused);
        }
        let environment = self.environment(Some(&run.started.environment))?;
        let script = self.load_sound(run.started.runbook.as_ref(), environment)?;
        let edited = self.edited(&run, &script, request.edited)?;
        let params = given(&script, &run.started.params);
        acknowledge(environment, request.acknowledged.as_deref())?;
        let deadline = match Deadline::of(&script) {
            Some(deadline) if !request.without_deadline => Some(deadline.counted_from(&run, self.look().now())?),
            _ => None,
        };
        let way = Way {
            edited,
            on_fault: request.on_fault.clone(),
            unanswered: request.unanswered,
            deadline,
            ends: self.ending(&run)?,
            again: false,
            wait: request.wait,
            break_glass: request.break_glass.clone(),
        };
        self.take_up(&run, (&script, &params), environment, way)
    }

    pub(super) fn take_up(
        &self,
        run: &Unfinished,
        (script, params): (&Script, &Params),
        environment: &Environment,
        way: Way,
    ) -> Result<Ran, Error> {
        let Some(_active) = Active::begin(&run.id) else {
            return Err(Error::Refused { why: format!("run {} goes on in this process", run.id), help: None });
        };
        let (cast, journal, look) = (self.cast(environment)?, self.journal()?, self.look_in(environment).for_one_run());
        let saved = run.started.plan.as_deref().map(|digest| self.kept_plan(digest)).transpose()?;
        let collector = Arc::new(Collector::of(&run.events));
        let mut listeners = self.listeners.clone();
        listeners.push(collector.clone());
        let changed = self.changed_targets(script, &cast, &look);
        let applicant = Applicant {
            run: &run.id,
            runbook: &run.started.runbook,
            environment,
            targets: changed.into_iter().chain(changed_so_far(&run.events, &cast.registry)).collect(),
            wait: way.wait,
            break_glass: way.break_glass.as_deref(),
        };
        let tenancy = self.take_leases(&applicant, &look)?;
        let recorder = Recorder::resuming(run.id.clone(), journal, look.clone(), listeners, &run.events);
        let recorder = Arc::new(recorder);
        let may_move = !way.edited.is_empty();
        recorder.note(EventBody::Resumed {
            by: whoami(),
            process: Some(look.own_process()),
            edited: way.edited,
            ends: way.ends.clone(),
            break_glass: way.break_glass.clone(),
        });
        recorder.commit_if_possible().map_err(|why| Error::Unrecorded { why })?;
        let _heartbeat = tenancy.as_ref().map(|tenancy| {
            recorder.bind_to(tenancy.clone());
            tenancy.renew(self.tokio.handle())
        });
        let rounds = self.rounds(&cast, &recorder, &look)?;
        let handle = self.tokio.handle();
        let _timer = way.deadline.map(|deadline| deadline.watch(&look, handle));
        let live =
            Live::new(cast.clone(), recorder.clone(), &look, handle.clone(), way.on_fault).unanswered(way.unanswered);
        let world = Replay::new(live, Record::of(&run.events), may_move);
        let world = Arc::new(match way.ends {
            Some(halt) => world.ending(halt, way.again),
            None => world,
        });
        let held: Arc<dyn World> = held_to(saved.as_ref(), world.clone(), cast, &look);
        let verdict = match (self.evaluated(script, params, held), world.left_out()) {
            (Verdict::Completed(_), Some(halt)) => Verdict::Halted { halt, unwound: vec![], owed: vec![] },
            (verdict, _) => verdict,
        };
        let aftermath = collector.conclusion();
        let status = status(&verdict, &aftermath);
        recorder.note(ended(status, &verdict));
        let unrecorded = recorder.commit_if_possible().err();
        if let Some(tenancy) = tenancy.filter(|_| unrecorded.is_none()) {
            tenancy.give_back(is_over(status, still_owes(&verdict)));
        }
        let undelivered = self.last_round(&run.id, rounds)?;
        self.publish(&run.id);
        Ok(Ran { id: run.id.clone(), status, verdict, aftermath, edited: may_move, unrecorded, undelivered })
    }
}

/// The parameters that were given when the run began. Those that had their defaults still have them.
pub(super) fn given(script: &Script, recorded: &Value) -> Params {
    let mut params = Params::new();
    for param in &script.params {
        let default = param.default.as_deref().map_or(Value::Null, |text| Value::from(text.trim_matches('"')));
        if let Some(value) = recorded.get(&param.name).filter(|value| **value != default) {
            params.insert(param.name.clone(), value.clone());
        }
    }
    params
}
