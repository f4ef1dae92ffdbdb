//! `rollback`: what a run that is over still owes is undone.

use std::time::Duration;

use crate::config::Environment;
use crate::model::{Event, EventBody, Halt, Key, Left, Mode, ScopeKind, Symbol, Value};
use crate::system::whoami;
use crate::worlds::{OnFault, Unanswered};

use super::resume::{Way, given};
use super::run::acknowledge;
use super::unfinished::Unfinished;
use super::{Error, Life, Lifeboat, Ran};

/// Which run to undo.
#[derive(Clone, Default)]
pub struct RollbackRequest {
    /// The beginning or the end of its id, or `latest`.
    pub run: String,
    /// Whether files may have changed since it began.
    pub edited: bool,
    /// The name of the environment, typed by whoever may change a protected one.
    pub acknowledged: Option<String>,
    /// Undo it even where a target is not as the run left it.
    pub anyway: bool,
    /// How long to wait for runs that change one of its targets; refused at once if not given.
    pub wait: Option<Duration>,
    /// Why it takes no heed of the leases of other machines, nor of a shared journal that does not answer.
    pub break_glass: Option<String>,
}

/// A target that is not in the state in which a run left it.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Moved {
    call: String,
    left: String,
    now: String,
}

impl Lifeboat {
    /// Undoes what a run that is over still owes: the rollbacks of the steps that went well, newest first. An `Err` means that
    /// nothing was done.
    pub fn roll_back(&self, request: &RollbackRequest) -> Result<Ran, Error> {
        let run = self.recorded_run(Some(&request.run))?;
        may_be_undone(&run)?;
        let environment = self.environment(Some(&run.started.environment))?;
        let script = self.load_sound(run.started.runbook.as_ref(), environment)?;
        let edited = self.edited(&run, &script, request.edited)?;
        let params = given(&script, &run.started.params);
        acknowledge(environment, request.acknowledged.as_deref())?;
        if !request.anyway {
            self.still_as_left(&run, environment)?;
        }
        let way = Way {
            edited,
            on_fault: OnFault::RollBack,
            unanswered: Unanswered::Fail,
            deadline: None,
            ends: Some(Halt::RolledBack { by: whoami() }),
            again: true,
            wait: request.wait,
            break_glass: request.break_glass.clone(),
        };
        self.take_up(&run, (&script, &params), environment, way)
    }

    /// Refuses where a target is not in the state in which the run left it. What a call brings about that would do nothing if it
    /// were made again is still there; of calls that do something each time nobody can tell.
    fn still_as_left(&self, run: &Unfinished, environment: &Environment) -> Result<(), Error> {
        let cast = self.cast(environment)?;
        let look = self.look_in(environment);
        let mut moved = Vec::new();
        for (primitive, args, targets) in last_states(&run.events) {
            let Some(signature) = self.registry.signature(&primitive).filter(|signature| signature.declares_state)
            else {
                continue;
            };
            let [target] = targets.as_slice() else { continue };
            let Some(handler) = cast.handler(signature.name, target) else { continue };
            let call = format!("{primitive} {target}");
            match self.tokio.block_on(handler.preview(&args, &look)) {
                Ok(preview) if preview.symbol == Symbol::Nothing => {}
                Ok(preview) => moved.push(Moved {
                    call,
                    left: preview.after.unwrap_or_else(|| preview.summary.clone()),
                    now: preview.before.unwrap_or_else(|| "something else".to_owned()),
                }),
                Err(fault) => moved.push(Moved { call, left: "as it was made".to_owned(), now: fault.message }),
            }
        }
        if moved.is_empty() {
            return Ok(());
        }
        let shown = moved.iter().map(|Moved { call, left, now }| format!("{call}: left as {left}, now {now}"));
        Err(Error::Refused {
            why: format!("not as run {} left it: {}", run.id, shown.collect::<Vec<_>>().join("; ")),
            help: Some(format!(
                "somebody else changed it since; if its rollbacks are right all the same: lifeboat rollback {} --anyway",
                run.id
            )),
        })
    }
}

/// The titles of the steps whose rollbacks a run still owes, the one that is undone first at the front.
pub(super) fn owed(events: &[Event]) -> Vec<String> {
    let mut owed: Vec<(Key, String)> = Vec::new();
    let mut titles: Vec<(Key, String)> = Vec::new();
    for event in events {
        match &event.body {
            EventBody::Entered { scope } if matches!(scope.kind, ScopeKind::Step { rollback: true, .. }) => {
                titles.push((scope.key.clone(), scope.title.clone()));
            }
            EventBody::Left { key, how } => match (key.rolled_back_step(), how) {
                (Some(step), Left::Completed { .. }) => owed.retain(|(other, _)| *other != step),
                (None, Left::Completed { owes: true } | Left::Halted) => {
                    let title = titles.iter().rev().find(|(step, _)| step == key);
                    owed.extend(title.cloned().filter(|(step, _)| owed.iter().all(|(other, _)| other != step)));
                }
                _ => {}
            },
            EventBody::Settled(settled) if settled.primitive == "point_of_no_return" => {
                if let Ok(Value::List(forgone)) = &settled.outcome {
                    let forgone: Vec<String> = forgone.iter().map(ToString::to_string).collect();
                    owed.retain(|(_, title)| !forgone.contains(title));
                }
            }
            _ => {}
        }
    }
    owed.into_iter().rev().map(|(_, title)| title).collect()
}

fn may_be_undone(run: &Unfinished) -> Result<(), Error> {
    let id = &run.id;
    let refused = |why: String, help: String| Err(Error::Refused { why, help: Some(help) });
    if run.started.mode == Mode::Drill {
        return refused(format!("{id} is a drill"), "what a drill changed is only its own environment".to_owned());
    }
    if let Some(refused) = run.is_session() {
        return Err(refused);
    }
    match (run.status(), Life::of(id, &run.events)) {
        (None, Life::GoesOn(_)) => {
            refused(format!("run {id} still goes on"), format!("lifeboat cancel {id} ends it and rolls it back"))
        }
        (None, Life::Elsewhere(process)) => {
            refused(format!("run {id} was started on {}, and is not over", process.host), "ask that machine".to_owned())
        }
        (None, Life::Interrupted) => {
            refused(format!("run {id} is not over: its process is gone"), format!("lifeboat cancel {id} rolls it back"))
        }
        (Some("in-doubt"), _) => {
            refused(format!("run {id} is in doubt"), format!("lifeboat show {id} says how to settle that"))
        }
        (Some("waiting"), _) => {
            refused(format!("run {id} waits for an answer"), format!("lifeboat cancel {id} rolls it back"))
        }
        (Some(status), _) if owed(&run.events).is_empty() => refused(
            format!("run {id} ({status}) owes no rollback: there is nothing to undo"),
            "steps that changed nothing, have no rollback, were undone, or came before a point of no return owe none"
                .to_owned(),
        ),
        (Some(_), _) => Ok(()),
    }
}

/// The last change of each kind to each of the targets, outside of rollbacks and of steps that were undone.
fn last_states(events: &[Event]) -> Vec<(String, Value, Vec<String>)> {
    let mut undone: Vec<Key> = Vec::new();
    for event in events {
        if let EventBody::Left { key, how: Left::Completed { .. } } = &event.body
            && let Some(step) = key.rolled_back_step()
        {
            undone.push(step);
        }
    }
    let mut args: Vec<(Key, Value)> = Vec::new();
    let mut last: Vec<(String, Value, Vec<String>)> = Vec::new();
    for event in events {
        match &event.body {
            EventBody::Intended { key, args: given, .. } => args.push((key.clone(), given.clone())),
            EventBody::Settled(settled) if settled.impact.kind.is_change() && settled.outcome.is_ok() => {
                let key = &settled.key;
                let given = args.iter().rev().find(|(of, _)| of == key).map(|(_, args)| args.clone());
                if key.in_rollback() || undone.iter().any(|step| step.encloses(key)) {
                    continue;
                }
                let targets = settled.impact.targets.clone();
                last.retain(|(primitive, _, of)| *primitive != settled.primitive || *of != targets);
                last.extend(given.map(|given| (settled.primitive.clone(), given, targets)));
            }
            _ => {}
        }
    }
    last
}
