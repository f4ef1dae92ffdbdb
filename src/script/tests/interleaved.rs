//! A world in which branches overtake each other, that records what happens and goes on from a record.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Condvar, Mutex};
use std::time::Duration;

use crate::model::*;

/// What happened, in the order in which it did.
#[derive(Clone, Debug, PartialEq)]
enum Happened {
    Entered(Key),
    Left(Key),
    Call(Key, String, bool),
}

/// What happened, and what it adds up to.
#[derive(Clone, Debug, Default)]
pub(in crate::script) struct Record {
    happened: Vec<Happened>,
    /// The calls, in the order in which they ended.
    pub(super) order: Vec<String>,
    /// The calls by key, and whether they went well.
    pub(super) outcomes: BTreeMap<Key, (String, bool)>,
    entered: BTreeSet<Key>,
    left: BTreeSet<Key>,
    /// How many calls were under way at the same time at most.
    pub(super) most_at_once: usize,
    /// How many calls were carried out rather than met again.
    pub(super) carried_out: usize,
}

impl Record {
    fn add(&mut self, happened: Happened) {
        match &happened {
            Happened::Entered(key) => drop(self.entered.insert(key.clone())),
            Happened::Left(key) => drop(self.left.insert(key.clone())),
            Happened::Call(key, name, well) => {
                self.order.push(name.clone());
                self.outcomes.insert(key.clone(), (name.clone(), *well));
            }
        }
        self.happened.push(happened);
    }

    /// What a process had recorded that was killed after so many events.
    pub(super) fn up_to(&self, events: usize) -> Self {
        let mut record = Self::default();
        self.happened.iter().take(events).for_each(|happened| record.add(happened.clone()));
        record
    }

    /// How many events there are.
    pub(super) fn events(&self) -> usize {
        self.happened.len()
    }

    /// The calls by key.
    pub(super) fn calls(&self) -> impl Iterator<Item = (&Key, &str)> {
        self.outcomes.iter().map(|(key, (name, _))| (key, name.as_str()))
    }

    /// The calls of rollbacks, in the order in which they ended.
    pub(super) fn undone(&self) -> Vec<String> {
        self.order.iter().filter(|name| name.starts_with("undo")).cloned().collect()
    }

    pub(super) fn did(&self, name: &str) -> bool {
        self.order.iter().any(|did| did == name)
    }
}

/// The world. Whoever replays a record in earnest must follow the same rules: what is recorded is met again; a branch that
/// was left, or whose `parallel` was, makes no call that is not recorded.
pub(in crate::script) struct Interleaved {
    failing: Vec<String>,
    seed: u64,
    before: Record,
    state: Mutex<State>,
    arrived: Condvar,
}

#[derive(Default)]
struct State {
    record: Record,
    under_way: usize,
    arrivals: usize,
    stopped: Vec<Key>,
}

impl Interleaved {
    pub(super) fn new(failing: &[&str], seed: u64, before: Record) -> Self {
        let failing = failing.iter().map(|name| (*name).to_owned()).collect();
        let state = State { record: before.up_to(usize::MAX), ..State::default() };
        Self { failing, seed, before, state: Mutex::new(state), arrived: Condvar::new() }
    }

    pub(super) fn record(&self) -> Record {
        self.state.lock().unwrap().record.clone()
    }

    /// Whether what has this key, and is not recorded, may not begin.
    fn stops(&self, key: &Key) -> bool {
        let over = |scope: &Key| key != scope && key.starts_with(scope) && !key.in_rollback_within(scope);
        let stopped = |scope: &Key| key.starts_with(scope) && !key.in_rollback_within(scope);
        self.before.left.iter().any(over) || self.state.lock().unwrap().stopped.iter().any(stopped)
    }

    /// Lets some time pass, more or less for each key and seed.
    fn dawdle(&self, key: &Key) {
        let text = format!("{key} {}", self.seed);
        let hash =
            text.bytes().fold(0xcbf2_9ce4_8422_2325_u64, |h, b| (h ^ u64::from(b)).wrapping_mul(0x0100_0000_01b3));
        std::thread::sleep(Duration::from_micros(hash % 40));
    }

    /// `meet N` ends when N of them are under way.
    fn meet(&self, name: &str) {
        let Some(wanted) = name.strip_prefix("meet ").and_then(|n| n.parse::<usize>().ok()) else { return };
        let mut state = self.state.lock().unwrap();
        state.arrivals += 1;
        self.arrived.notify_all();
        let absent = |state: &mut State| state.arrivals < wanted;
        drop(self.arrived.wait_timeout_while(state, Duration::from_secs(20), absent).unwrap());
    }
}

impl World for Interleaved {
    fn perform(&self, call: &Invocation) -> Result<Performed, Halt> {
        let name = call.args.get("name").map(ToString::to_string).unwrap_or_default();
        let outcome = |well: bool| {
            if well { Ok(name.as_str().into()) } else { Err(Fault::new("boom", format!("{name} failed"))) }
        };
        if let Some((recorded, well)) = self.before.outcomes.get(&call.key) {
            if *recorded != name {
                return Err(Halt::Diverged { key: call.key.clone(), recorded: recorded.clone(), requested: name });
            }
            self.dawdle(&call.key);
            return Ok(Performed { outcome: outcome(*well), changed: true });
        }
        if self.stops(&call.key) {
            return Err(Halt::Stopped);
        }
        {
            let mut state = self.state.lock().unwrap();
            state.under_way += 1;
            state.record.most_at_once = state.record.most_at_once.max(state.under_way);
        }
        self.meet(&name);
        self.dawdle(&call.key);
        let well = !self.failing.contains(&name);
        let mut state = self.state.lock().unwrap();
        state.under_way -= 1;
        state.record.carried_out += 1;
        state.record.add(Happened::Call(call.key.clone(), name.clone(), well));
        Ok(Performed { outcome: outcome(well), changed: true })
    }

    fn repeat(
        &self,
        _: &Invocation,
        _: &Repeat,
        attempt: &mut dyn FnMut(u32) -> Result<Outcome, Halt>,
    ) -> Result<Performed, Halt> {
        attempt(0).map(Performed::unchanged)
    }

    fn choose(&self, _: &Question) -> Result<usize, Halt> {
        Ok(0)
    }

    fn enter(&self, scope: &Scope) -> Result<(), Halt> {
        if self.before.entered.contains(&scope.key) {
            return Ok(());
        }
        if !matches!(scope.kind, ScopeKind::Rollback | ScopeKind::Unwinding { .. }) && self.stops(&scope.key) {
            return Err(Halt::Stopped);
        }
        self.state.lock().unwrap().record.add(Happened::Entered(scope.key.clone()));
        Ok(())
    }

    fn leave(&self, scope: &Scope, _: &Left) -> Result<After, Halt> {
        // A step is no place below which keys lie.
        if matches!(scope.kind, ScopeKind::Branch | ScopeKind::Parallel { .. })
            && !self.before.left.contains(&scope.key)
        {
            self.state.lock().unwrap().record.add(Happened::Left(scope.key.clone()));
        }
        Ok(After::Continue)
    }

    fn interrupted(&self, _: bool) -> Option<Halt> {
        None
    }

    fn lanes(&self, at_most: usize) -> usize {
        at_most
    }

    fn stop(&self, within: &Key, _: bool) {
        self.state.lock().unwrap().stopped.push(within.clone());
    }

    fn point_of_no_return(&self, _: &Invocation, _: &[String]) -> Result<Performed, Halt> {
        Ok(Performed::unchanged(Ok(Value::Null)))
    }
}
