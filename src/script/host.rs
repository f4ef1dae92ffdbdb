//! The host of one evaluation: the world and the latch.

use std::collections::{BTreeSet, HashMap};
use std::sync::atomic::{AtomicU8, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use rhai::{Dynamic, EvalAltResult, Position};

use crate::model::{Fault, Halt, Key, Site, UnwoundStep, Value, World};
use crate::primitives::Registry;

use super::branch::Branch;
use super::{Library, Script, SourceMap, convert};

/// What Rhai's functions return.
pub(super) type RhaiResult<T = Dynamic> = Result<T, Box<EvalAltResult>>;

/// The host of one evaluation.
pub(super) struct Host {
    pub(super) world: Arc<dyn World>,
    pub(super) registry: Arc<Registry>,
    pub(super) library: Arc<dyn Library>,
    pub(super) sources: Arc<SourceMap>,
    pub(super) unwound: Mutex<Vec<UnwoundStep>>,
    /// Runbooks that were called, by path: each is read and compiled once.
    pub(super) children: Mutex<HashMap<String, Arc<Script>>>,
    /// The arguments with which a primitive was called last at each place, where it takes them.
    taken: Mutex<HashMap<Position, (&'static str, Value)>>,
    /// The fault that was thrown last at each place, as scripts see it.
    thrown: Mutex<HashMap<Position, (Fault, Dynamic)>>,
    latch: Mutex<Option<Halt>>,
    /// What the latched halt ends: [`OPEN`], [`UNWINDS`] or [`ENDS`].
    level: AtomicU8,
    /// How many threads more may be started for branches.
    threads: AtomicUsize,
}

/// Nothing is latched.
const OPEN: u8 = 0;
/// What was latched ends everything but rollbacks under way: they undo what is owed, as is to be done next anyway.
const UNWINDS: u8 = 1;
/// What was latched ends rollbacks, too.
const ENDS: u8 = 2;

/// However many branches a script asks for: not more than so many threads for all of them. The rest take turns.
const THREADS: usize = 1024;

impl Host {
    pub(super) fn new(
        world: Arc<dyn World>,
        registry: Arc<Registry>,
        library: Arc<dyn Library>,
        sources: Arc<SourceMap>,
    ) -> Arc<Self> {
        Arc::new(Self {
            world,
            registry,
            library,
            sources,
            unwound: Mutex::default(),
            children: Mutex::default(),
            taken: Mutex::default(),
            thrown: Mutex::default(),
            latch: Mutex::default(),
            level: AtomicU8::new(OPEN),
            threads: AtomicUsize::new(THREADS),
        })
    }

    /// Forgets how the last evaluation ended.
    pub(super) fn begin(&self) {
        lock(&self.unwound).clear();
        self.unlatch();
    }

    /// Ends the evaluation. The first halt counts, unless one comes after it that allows no unwinding. One that happens in a
    /// rollback (`undoing`) never does: what was half undone is not undone twice.
    pub(super) fn latch(&self, halt: Halt, undoing: bool, position: Position) -> Box<EvalAltResult> {
        let level = if halt.unwinds() && !undoing { UNWINDS } else { ENDS };
        let before = {
            let mut latch = lock(&self.latch);
            let before = self.level.fetch_max(level, Ordering::SeqCst);
            if before < level {
                *latch = Some(halt);
            }
            before
        };
        if before < level {
            self.world.stop(&Key::ROOT, level == ENDS);
        }
        terminated(position)
    }

    /// The halt that ended the evaluation.
    pub(super) fn halt(&self) -> Option<Halt> {
        lock(&self.latch).clone()
    }

    /// Whether the evaluation has ended, for what runs in a rollback (`undoing`) or elsewhere.
    pub(super) fn is_halted(&self, undoing: bool) -> bool {
        self.level.load(Ordering::SeqCst) >= if undoing { ENDS } else { UNWINDS }
    }

    /// Lets the rollbacks run after a halt that unwinds. Returns the halt.
    pub(super) fn unlatch(&self) -> Option<Halt> {
        let mut latch = lock(&self.latch);
        self.level.store(OPEN, Ordering::SeqCst);
        latch.take()
    }

    /// Takes up to `wanted` threads for branches from what is left. Returns how many; they are to be given back.
    pub(super) fn take_threads(&self, wanted: usize) -> usize {
        let take = |left: usize| Some(left.saturating_sub(wanted));
        let left = self.threads.fetch_update(Ordering::SeqCst, Ordering::SeqCst, take).unwrap_or_default();
        wanted.min(left)
    }

    pub(super) fn give_back_threads(&self, count: usize) {
        self.threads.fetch_add(count, Ordering::SeqCst);
    }

    /// Whether a primitive takes these arguments, as `find_out` says. What it said of a place is remembered until other arguments
    /// stand there: explorations come to the same call again and again.
    pub(super) fn takes(
        &self,
        (primitive, position): (&'static str, Position),
        args: &Value,
        find_out: impl FnOnce() -> Result<(), String>,
    ) -> Result<(), String> {
        if lock(&self.taken).get(&position).is_some_and(|(known, taken)| *known == primitive && taken == args) {
            return Ok(());
        }
        find_out()?;
        lock(&self.taken).insert(position, (primitive, args.clone()));
        Ok(())
    }

    /// A fault as scripts see it: a map with its fields, a copy for each who catches it. Made once for the same fault at a place.
    pub(super) fn thrown(&self, fault: Fault, position: Position) -> Dynamic {
        let mut thrown = lock(&self.thrown);
        if let Some((known, seen)) = thrown.get(&position)
            && *known == fault
        {
            return seen.clone();
        }
        let seen = convert::to_dynamic(&fault.to_value());
        thrown.insert(position, (fault, seen.clone()));
        seen
    }

    pub(super) fn site(&self, position: Position) -> Site {
        self.sources.site(position)
    }
}

pub(super) fn terminated(position: Position) -> Box<EvalAltResult> {
    EvalAltResult::ErrorTerminated(Dynamic::UNIT, position).into()
}

/// The branch in which a call stands. `None` at the top level of a module, which belongs to no run.
pub(super) fn branch_of(tag: Option<&Dynamic>) -> Option<Arc<Branch>> {
    tag?.read_lock::<Arc<Branch>>().map(|branch| branch.clone())
}

/// Names that a script must not define: everything that the host brings.
pub(super) fn reserved_names(registry: &Registry) -> BTreeSet<&'static str> {
    registry.signatures().map(|s| s.name).collect()
}

pub(super) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
