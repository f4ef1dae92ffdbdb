//! The live run.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use crate::config::Environment;
use crate::journal::UNFINISHED;
use crate::model::{
    Approval, EventBody, Halt, Letter, LetterQuery, Mode, RunId, SavedPlan, Started, UnwoundStep, Value, Verdict, World,
};
use crate::script::{Params, Script};
use crate::system::{Look, random_u32, whoami};
use crate::worlds::{Cast, Courier, Listener, Live, OnFault, Recorder, Rounds, Unanswered};

use super::active::Active;
use super::aftermath::{Aftermath, Collector};
use super::bars::is_over;
use super::deadline::Deadline;
use super::load::{params, recorded_params};
use super::saved::held_to;
use super::tenancy::Applicant;
use super::{Error, Lifeboat};

/// How long the end of a run may be delayed by messages that are not delivered yet.
const LAST_ROUND: Duration = Duration::from_secs(5);

/// What to run.
#[derive(Clone, Default)]
pub struct RunRequest {
    /// The runbook's file.
    pub runbook: PathBuf,
    /// The environment; the default one if not given.
    pub environment: Option<String>,
    /// Values of parameters, as text.
    pub params: Vec<(String, String)>,
    /// The name of the environment as the operator typed it: needed for a protected one.
    pub acknowledged: Option<String>,
    /// What to do about faults that the script does not catch on the spot.
    pub on_fault: OnFault,
    /// What to do about questions that nobody is there to answer.
    pub unanswered: Unanswered,
    /// How long to wait for runs that change one of its targets; refused at once if not given.
    pub wait: Option<Duration>,
    /// Why it takes no heed of the leases of other machines, nor of a shared journal that does not answer, nor waits for approvals.
    pub break_glass: Option<String>,
    /// A saved plan: it is run, if it is what would run now, and nothing is changed that it does not have. The runbook, the
    /// environment and the parameters are those of the plan then.
    pub plan: Option<Arc<SavedPlan>>,
    /// What other people have signed about that plan.
    pub approvals: Vec<Approval>,
}

impl RunRequest {
    /// A run of `runbook` in the default environment.
    pub fn new(runbook: impl Into<PathBuf>) -> Self {
        Self { runbook: runbook.into(), ..Self::default() }
    }
}

/// How a run ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Status {
    /// The runbook came to its end.
    Completed,
    /// It failed, and nothing that it changed is left.
    RolledBack,
    /// It failed, and something that it changed is left.
    LeftChanged,
    /// It was cancelled, and nothing that it changed is left.
    Cancelled,
    /// An effect was started and nobody knows whether it took place.
    InDoubt,
    /// It was refused.
    Refused,
    /// The runbook is wrong.
    Mistake,
    /// A person is to answer, and nobody is there: it goes on when the answer has come.
    Waiting,
    /// It was stopped for longer than its leases hold: it began nothing more.
    LeaseLost,
    /// The journal could not be written: it began nothing more, and goes on when that is mended.
    Unrecorded,
    /// It was taken up again, and its script asked for something else than what was recorded: it began nothing more.
    Diverged,
    /// It was over, and somebody had it undone: nothing that it changed is left.
    Undone,
    /// A mistake of ours.
    Internal,
}

impl Status {
    /// All of them.
    pub const ALL: [Status; 13] = [
        Status::Completed,
        Status::RolledBack,
        Status::LeftChanged,
        Status::Cancelled,
        Status::InDoubt,
        Status::Refused,
        Status::Mistake,
        Status::Waiting,
        Status::LeaseLost,
        Status::Unrecorded,
        Status::Diverged,
        Status::Undone,
        Status::Internal,
    ];

    /// Whether a run that ended so is over: otherwise it can be taken up again.
    pub fn is_over(self) -> bool {
        !UNFINISHED.contains(&self.name())
    }

    /// As the journal has it.
    pub fn name(self) -> &'static str {
        match self {
            Status::Completed => "completed",
            Status::RolledBack => "failed",
            Status::LeftChanged => "left-changed",
            Status::Cancelled => "cancelled",
            Status::InDoubt => "in-doubt",
            Status::Refused => "refused",
            Status::Mistake => "mistake",
            Status::Waiting => "waiting",
            Status::LeaseLost => "lease-lost",
            Status::Unrecorded => "unrecorded",
            Status::Diverged => "diverged",
            Status::Undone => "rolled-back",
            Status::Internal => "internal",
        }
    }
}

/// A run that is over.
#[derive(Debug)]
pub struct Ran {
    /// Its id.
    pub id: RunId,
    /// How it ended.
    pub status: Status,
    /// The verdict of the evaluation.
    pub verdict: Verdict,
    /// In which state the world is.
    pub aftermath: Aftermath,
    /// Whether its files were not as they were when it began: `--edited` takes it up again.
    pub edited: bool,
    /// Why the end could not be recorded, if it could not.
    pub unrecorded: Option<String>,
    /// Messages that wait in the outbox.
    pub undelivered: Vec<Letter>,
}

impl Lifeboat {
    /// Runs a runbook for real. An `Err` means that nothing was started.
    pub fn run(&self, request: &RunRequest) -> Result<Ran, Error> {
        if let Some(saved) = &request.plan {
            return self.run_freely(&self.as_planned(saved, request)?);
        }
        let environment = self.environment(request.environment.as_deref())?;
        if environment.approvals.is_some() && request.break_glass.is_none() {
            return Err(unapproved(environment));
        }
        self.run_freely(request)
    }

    fn run_freely(&self, request: &RunRequest) -> Result<Ran, Error> {
        let environment = self.environment(request.environment.as_deref())?;
        let script = self.load_sound(&request.runbook, environment)?;
        let params = params(&script, &request.params)?;
        acknowledge(environment, request.acknowledged.as_deref())?;
        self.start(&Prepared { script, params, environment, mode: Mode::Run }, request)
    }

    fn start(&self, prepared: &Prepared, request: &RunRequest) -> Result<Ran, Error> {
        self.start_with(prepared, request, Arc::new(Deaf))
    }

    /// Starts a run with one more listener than the host's.
    pub(super) fn start_with(
        &self,
        prepared: &Prepared,
        request: &RunRequest,
        listener: Arc<dyn Listener>,
    ) -> Result<Ran, Error> {
        let cast = self.cast(prepared.environment)?;
        let journal = self.journal()?;
        let look = self.look_in(prepared.environment).for_one_run();
        let id = RunId::new(self.system.clock.now(), random_u32());
        let _active = Active::begin(&id);
        let collector = Arc::new(Collector::default());
        let mut listeners: Vec<Arc<dyn Listener>> = self.listeners.clone();
        listeners.push(collector.clone());
        listeners.push(listener);
        let applicant = Applicant {
            run: &id,
            runbook: prepared.script.name(),
            environment: prepared.environment,
            targets: self.changed_targets(&prepared.script, &cast, &look),
            wait: request.wait,
            break_glass: request.break_glass.as_deref(),
        };
        let tenancy = self.take_leases(&applicant, &look)?;
        let recorder = Arc::new(Recorder::new(id.clone(), journal.clone(), look.clone(), listeners));
        if let Err(error) = recorder.begin(self.started(id.clone(), prepared, request)) {
            // There is no run.
            if let Some(tenancy) = &tenancy {
                tenancy.give_back(true);
            }
            return Err(error.into());
        }
        let handle = self.tokio.handle();
        let _heartbeat = tenancy.as_ref().map(|tenancy| {
            recorder.bind_to(tenancy.clone());
            tenancy.renew(handle)
        });
        let rounds = self.rounds(&cast, &recorder, &look)?;
        let _timer = Deadline::of(&prepared.script).map(|deadline| deadline.watch(&look, handle));
        let live = Live::new(cast.clone(), recorder.clone(), &look, handle.clone(), request.on_fault.clone());
        // A drill is not taken up again: what nobody answers there fails.
        let unanswered = if prepared.mode == Mode::Drill { Unanswered::Fail } else { request.unanswered };
        let live: Arc<dyn World> = Arc::new(live.unanswered(unanswered));
        let world = held_to(request.plan.as_deref(), live, cast, &look);
        let verdict = self.evaluated(&prepared.script, &prepared.params, world);
        let aftermath = collector.conclusion();
        let status = status(&verdict, &aftermath);
        recorder.note(ended(status, &verdict));
        let unrecorded = recorder.commit_if_possible().err();
        if let Some(tenancy) = tenancy.filter(|_| unrecorded.is_none()) {
            tenancy.give_back(is_over(status, still_owes(&verdict)));
        }
        let undelivered = self.last_round(&id, rounds)?;
        self.publish(&id);
        Ok(Ran { id, status, verdict, aftermath, edited: false, unrecorded, undelivered })
    }

    /// Begins to deliver, beside the run, what could not be delivered at once.
    pub(super) fn rounds(&self, cast: &Cast, recorder: &Recorder, look: &Look) -> Result<Rounds, Error> {
        let courier = Courier::new(cast.clone(), self.journal()?, look);
        Ok(Rounds::start(courier, recorder.posted(), self.tokio.handle()))
    }

    /// The run is over and recorded: only now may somebody wait for a channel. Gives what of the run is still not delivered.
    pub(super) fn last_round(&self, run: &RunId, rounds: Rounds) -> Result<Vec<Letter>, Error> {
        rounds.finish(self.tokio.handle(), LAST_ROUND);
        let of_run = LetterQuery { run: Some(run.to_string()), ..LetterQuery::waiting() };
        Ok(self.journal()?.letters(&of_run).unwrap_or_default())
    }

    fn started(&self, run: RunId, prepared: &Prepared, request: &RunRequest) -> Started {
        Started {
            run,
            mode: prepared.mode,
            runbook: prepared.script.name().to_owned(),
            environment: prepared.environment.name.clone(),
            params: recorded_params(&prepared.script, &prepared.params),
            by: whoami(),
            digests: self.digests(&prepared.script, prepared.environment),
            version: env!("CARGO_PKG_VERSION").to_owned(),
            process: Some(self.look().own_process()),
            break_glass: request.break_glass.clone(),
            plan: request.plan.as_ref().map(|plan| plan.digest.clone()),
        }
    }
}

/// Listens to nothing.
struct Deaf;

impl Listener for Deaf {
    fn on_event(&self, _: &crate::model::Event) {}
}

/// Everything that is known before the first event.
pub(super) struct Prepared<'a> {
    pub(super) script: Script,
    pub(super) params: Params,
    pub(super) environment: &'a Environment,
    pub(super) mode: Mode,
}

/// Where approvals are needed, only what was planned and approved is run.
fn unapproved(environment: &Environment) -> Error {
    Error::Refused {
        why: format!("environment {} runs only plans that other people have approved", environment.name),
        help: Some(
            "lifeboat plan RUNBOOK -o FILE, lifeboat approve FILE, lifeboat run FILE; in an emergency --break-glass WHY \
             does without, and the record says so"
                .to_owned(),
        ),
    }
}

/// A protected environment is changed only by who types its name.
pub(super) fn acknowledge(environment: &Environment, typed: Option<&str>) -> Result<(), Error> {
    let name = &environment.name;
    match typed {
        Some(typed) if typed == name => Ok(()),
        Some(typed) if typed != "yes" => Err(Error::Refused {
            why: format!("`--yes {typed}` names another environment than {name}"),
            help: Some(format!("to run in {name}: --yes {name}")),
        }),
        _ if environment.protected => Err(Error::Refused {
            why: format!("environment {name} is protected"),
            help: Some(format!("look at the plan, then type its name: --yes {name}")),
        }),
        _ => Ok(()),
    }
}

pub(super) fn status(verdict: &Verdict, aftermath: &Aftermath) -> Status {
    let failed = if aftermath.is_clean() { Status::RolledBack } else { Status::LeftChanged };
    match verdict {
        Verdict::Completed(_) => Status::Completed,
        Verdict::Failed { unwinding_halted: Some(halt), .. } | Verdict::Halted { halt, .. } => match halt {
            // These say more of what to do than that something is in doubt as well.
            Halt::Waiting { .. } => Status::Waiting,
            Halt::LeaseLost { .. } => Status::LeaseLost,
            Halt::Journal { .. } => Status::Unrecorded,
            Halt::Diverged { .. } => Status::Diverged,
            Halt::InDoubt { .. } => Status::InDoubt,
            // Whatever ended it: it is not over before everybody knows what took place.
            _ if !aftermath.in_doubt.is_empty() => Status::InDoubt,
            Halt::RolledBack { .. } if aftermath.is_clean() => Status::Undone,
            Halt::Cancelled if aftermath.is_clean() => Status::Cancelled,
            Halt::Refused { .. } | Halt::Unplanned { .. } if aftermath.is_clean() => Status::Refused,
            Halt::Mistake { .. } if aftermath.is_clean() => Status::Mistake,
            Halt::Internal { .. } | Halt::Unplannable { .. } if aftermath.is_clean() => Status::Internal,
            _ => failed,
        },
        Verdict::Failed { .. } if !aftermath.in_doubt.is_empty() => Status::InDoubt,
        Verdict::Failed { .. } => failed,
    }
}

/// Whether there are rollbacks that did not run.
pub(super) fn still_owes(verdict: &Verdict) -> bool {
    matches!(verdict, Verdict::Halted { owed, .. } if !owed.is_empty())
}

pub(super) fn ended(status: Status, verdict: &Verdict) -> EventBody {
    let (why, unwound, owed, value): (Option<String>, Vec<UnwoundStep>, Vec<String>, Value) = match verdict {
        Verdict::Completed(value) => (None, vec![], vec![], value.clone()),
        Verdict::Failed { fault, unwound, unwinding_halted } => {
            let why = match unwinding_halted {
                Some(halt) => format!("{fault}; while unwinding: {halt}"),
                None => fault.to_string(),
            };
            (Some(why), unwound.clone(), vec![], Value::Null)
        }
        Verdict::Halted { halt, unwound, owed } => (Some(halt.to_string()), unwound.clone(), owed.clone(), Value::Null),
    };
    EventBody::Ended { status: status.name().to_owned(), why, unwound, owed, value }
}
