//! `rollback`: what a run that is over still owes is undone.

use std::collections::BTreeSet;
use std::time::Duration;

use crate::config::Environment;
use crate::model::{Event, EventBody, Halt, Key, Left, Mode, Record, ScopeKind, Symbol, Value};
use crate::system::whoami;
use crate::worlds::{NOT_APPLIED, OnFault, Unanswered};

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
    Owing::of(events).titles()
}

/// The same, with the steps in which its process ended.
pub(super) fn owed_when_cut(events: &[Event]) -> Vec<String> {
    let mut owing = Owing::of(events);
    let record = Record::of(events);
    let came_back = |key: &Key| record.call(key).is_some_and(|call| call.outcome.is_some());
    let cut = std::mem::take(&mut owing.open).into_iter().filter(|step| step.changes.iter().any(came_back));
    cut.rev().for_each(|step| owing.owe(step));
    owing.titles()
}

/// What the record says of the steps that have a rollback.
#[derive(Default)]
struct Owing {
    open: Vec<OpenStep>,
    /// The one that is undone first at the end.
    owed: Vec<(Key, String)>,
    undone: BTreeSet<Key>,
}

struct OpenStep {
    key: Key,
    title: String,
    /// How much was owed when it began: the steps inside are undone before it.
    base: usize,
    /// The changes that were begun in it.
    changes: BTreeSet<Key>,
}

impl Owing {
    fn of(events: &[Event]) -> Self {
        let mut owing = Self::default();
        for event in events {
            owing.take(&event.body);
        }
        owing
    }

    fn take(&mut self, body: &EventBody) {
        match body {
            // Taken up again, what was cut short is entered once more.
            EventBody::Entered { scope }
                if matches!(scope.kind, ScopeKind::Step { rollback: true, .. })
                    && self.open.iter().all(|step| step.key != scope.key) =>
            {
                let (key, title) = (scope.key.clone(), scope.title.clone());
                self.open.push(OpenStep { key, title, base: self.owed.len(), changes: BTreeSet::new() });
            }
            EventBody::Intended { key, impact, .. } if impact.kind.is_change() => {
                let around = self.open.iter_mut().filter(|step| step.key < *key && step.key.encloses(key));
                around.for_each(|step| step.changes.extend([key.clone()]));
            }
            EventBody::Left { key, how } => self.left(key, how),
            EventBody::Settled(settled) if settled.primitive == "point_of_no_return" => {
                if let Ok(Value::List(forgone)) = &settled.outcome {
                    let forgone: Vec<String> = forgone.iter().map(ToString::to_string).collect();
                    self.owed.retain(|(_, title)| !forgone.contains(title));
                }
            }
            // Its process ended in it, and it was found that it had not taken place.
            EventBody::Settled(settled)
                if settled.person().is_none()
                    && settled.outcome.as_ref().is_err_and(|fault| fault.code == NOT_APPLIED) =>
            {
                self.open.iter_mut().for_each(|step| step.changes.retain(|key| *key != settled.key));
            }
            _ => {}
        }
    }

    fn left(&mut self, key: &Key, how: &Left) {
        if let Some(step) = key.rolled_back_step() {
            if matches!(how, Left::Completed { .. }) {
                self.owed.retain(|(other, _)| *other != step);
                self.undone.insert(step);
            }
            return;
        }
        let Some(at) = self.open.iter().position(|step| step.key == *key) else { return };
        let step = self.open.remove(at);
        // What was refused has changed nothing.
        let halted = *how == Left::Halted && !step.changes.is_empty();
        if halted || matches!(how, Left::Completed { owes: true }) {
            self.owe(step);
        }
    }

    fn owe(&mut self, step: OpenStep) {
        if !self.undone.contains(&step.key) && self.owed.iter().all(|(other, _)| *other != step.key) {
            self.owed.insert(step.base.min(self.owed.len()), (step.key, step.title));
        }
    }

    fn titles(self) -> Vec<String> {
        self.owed.into_iter().rev().map(|(_, title)| title).collect()
    }
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{Applied, Fault, Impact, ImpactKind, Outcome, Scope, Settlement, Site};

    fn site() -> Site {
        Site { file: "[1]".into(), line: 1, column: 1 }
    }

    fn key(text: &str) -> Key {
        text.parse().expect("a key")
    }

    fn step(at: &str) -> EventBody {
        let kind = ScopeKind::Step { rollback: true, within: None };
        EventBody::Entered { scope: Scope { key: key(at), site: site(), title: at.to_owned(), kind } }
    }

    fn begun(at: &str) -> EventBody {
        let (primitive, args, impact) = ("exec".to_owned(), Value::Null, Impact::on(ImpactKind::Change, "web"));
        EventBody::Intended { key: key(at), attempt: 1, primitive, args, site: site(), impact }
    }

    fn came(at: &str, outcome: Outcome) -> EventBody {
        EventBody::Settled(Box::new(Settlement {
            key: key(at),
            primitive: "exec".to_owned(),
            args: None,
            site: site(),
            impact: Impact::on(ImpactKind::Change, "web"),
            outcome,
            began: jiff::Timestamp::UNIX_EPOCH,
            elapsed_ms: 0,
            repeats: None,
            evidence: None,
        }))
    }

    fn done(at: &str) -> EventBody {
        came(at, Ok(Value::Null))
    }

    fn left(at: &str, how: Left) -> EventBody {
        EventBody::Left { key: key(at), how }
    }

    fn undone(at: &str) -> EventBody {
        let rollback = key(at).child(crate::model::Segment::Rollback);
        EventBody::Left { key: rollback, how: Left::Completed { owes: false } }
    }

    fn owes(bodies: Vec<EventBody>) -> Vec<String> {
        let at = jiff::Timestamp::UNIX_EPOCH;
        let events: Vec<Event> = (0..).zip(bodies).map(|(seq, body)| Event { seq, at, body }).collect();
        owed_when_cut(&events)
    }

    #[test]
    fn a_step_is_owed_in_which_something_was_changed() {
        assert_eq!(owes(vec![step("1.0"), begun("1.1"), done("1.1"), left("1.0", Left::Halted)]), ["1.0"]);
        assert_eq!(owes(vec![step("1.0"), begun("1.1"), left("1.0", Left::Halted)]), ["1.0"], "it is in doubt");
        assert_eq!(owes(vec![step("1.0"), begun("1.1"), done("1.1")]), ["1.0"], "it was cut short");
        let inner = [step("1.0"), step("1.1"), begun("1.2"), done("1.2"), left("1.1", Left::Completed { owes: true })];
        assert_eq!(owes(inner.to_vec()), ["1.1", "1.0"], "what is inside is undone first");
    }

    #[test]
    fn a_step_that_did_nothing_or_was_undone_is_not_owed() {
        let none = Vec::<String>::new();
        assert_eq!(owes(vec![step("1.0"), left("1.0", Left::Halted)]), none, "its only call was refused");
        assert_eq!(owes(vec![step("1.0")]), none);
        let not = Fault::new(NOT_APPLIED, "it is not there").applied(Applied::No);
        let found = [step("1.0"), begun("1.1"), step("1.0"), came("1.1", Err(not)), left("1.0", Left::Halted)];
        assert_eq!(owes(found.to_vec()), none, "it was looked into: it did not take place");
        let changed = vec![step("1.0"), begun("1.1"), done("1.1")];
        assert_eq!(owes([changed.clone(), vec![left("1.0", Left::Halted), undone("1.0")]].concat()), none);
        assert_eq!(owes([changed.clone(), vec![undone("1.0")]].concat()), none, "its end was not recorded any more");
        assert_eq!(owes([changed, vec![undone("1.0"), step("1.0"), left("1.0", Left::Halted)]].concat()), none);
    }
}
