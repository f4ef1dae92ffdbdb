//! The host of one evaluation: the world, the latch, and what each branch of the run owes.

use std::collections::BTreeSet;
use std::sync::atomic::{AtomicBool, AtomicU32, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use rhai::{Dynamic, EvalAltResult, FnPtr, GlobalRuntimeState, Position};

use crate::model::{Halt, Key, Segment, Site, UnwoundStep, World};
use crate::primitives::Registry;

use super::{Library, SourceMap};

/// What Rhai's functions return.
pub(super) type RhaiResult<T = Dynamic> = Result<T, Box<EvalAltResult>>;

/// The host of one evaluation.
pub(super) struct Host {
    pub(super) world: Arc<dyn World>,
    pub(super) registry: Arc<Registry>,
    pub(super) library: Arc<dyn Library>,
    pub(super) sources: Arc<SourceMap>,
    pub(super) unwound: Mutex<Vec<UnwoundStep>>,
    latch: Mutex<Option<Halt>>,
    halted: AtomicBool,
    operations: AtomicU64,
}

/// After so many operations a script is taken to loop for ever.
const OPERATIONS: u64 = 5_000_000;
/// How often, in operations, the world is asked whether to stop.
const ASK_EVERY: u64 = 256;

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
            latch: Mutex::default(),
            halted: AtomicBool::new(false),
            operations: AtomicU64::new(0),
        })
    }

    /// Ends the evaluation. The first halt is the one that counts.
    pub(super) fn latch(&self, halt: Halt, position: Position) -> Box<EvalAltResult> {
        lock(&self.latch).get_or_insert(halt);
        self.halted.store(true, Ordering::SeqCst);
        terminated(position)
    }

    /// The halt that ended the evaluation.
    pub(super) fn halt(&self) -> Option<Halt> {
        lock(&self.latch).clone()
    }

    pub(super) fn is_halted(&self) -> bool {
        self.halted.load(Ordering::SeqCst)
    }

    /// An error when the evaluation has ended: asked first in everything that a script can call.
    pub(super) fn check(&self, position: Position) -> RhaiResult<()> {
        if self.is_halted() { Err(terminated(position)) } else { Ok(()) }
    }

    /// Lets the rollbacks run after a halt that unwinds. Returns the halt.
    pub(super) fn unlatch(&self) -> Option<Halt> {
        self.operations.store(0, Ordering::Relaxed);
        self.halted.store(false, Ordering::SeqCst);
        lock(&self.latch).take()
    }

    /// Called by Rhai at every operation. A value ends the script.
    pub(super) fn progress(&self) -> Option<Dynamic> {
        if self.is_halted() {
            return Some(Dynamic::UNIT);
        }
        let count = self.operations.fetch_add(1, Ordering::Relaxed);
        if count >= OPERATIONS {
            let why = format!("the script made {OPERATIONS} operations without an end");
            let hint = Some("wait with `wait_until` or `retry`, not with a loop".to_owned());
            drop(self.latch(Halt::Mistake { why, site: self.sources.site(Position::NONE), hint }, Position::NONE));
            return Some(Dynamic::UNIT);
        }
        if count.is_multiple_of(ASK_EVERY)
            && let Some(halt) = self.world.interrupted()
        {
            drop(self.latch(halt, Position::NONE));
            return Some(Dynamic::UNIT);
        }
        None
    }

    pub(super) fn site(&self, position: Position) -> Site {
        self.sources.site(position)
    }
}

fn terminated(position: Position) -> Box<EvalAltResult> {
    EvalAltResult::ErrorTerminated(Dynamic::UNIT, position).into()
}

/// A branch of the run: it gives its calls their keys, and keeps what its steps owe.
pub(super) struct Branch {
    pub(super) host: Arc<Host>,
    pub(super) path: Key,
    parent: Option<Arc<Branch>>,
    next: AtomicU32,
    /// What is owed, oldest first.
    pub(super) owed: Mutex<Vec<Owed>>,
    /// The steps that are open, outermost first.
    frames: Mutex<Vec<Frame>>,
}

/// An open step.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Frame {
    /// Whether a change was intended inside.
    pub(super) changed: bool,
    /// Whether a point of no return inside cancelled its rollback.
    pub(super) forgone: bool,
}

/// A rollback that is owed.
pub(super) struct Owed {
    pub(super) title: String,
    pub(super) key: Key,
    pub(super) rollback: Rollback,
}

/// The closure of a rollback with the surroundings in which it was written.
pub(super) struct Rollback {
    pub(super) closure: FnPtr,
    pub(super) state: Box<GlobalRuntimeState>,
    pub(super) position: Position,
}

impl Branch {
    pub(super) fn root(host: Arc<Host>) -> Arc<Self> {
        Self::make(host, Key::ROOT, None)
    }

    /// A branch inside this one: a rollback, an attempt, a child run.
    pub(super) fn child(self: &Arc<Self>, path: Key) -> Arc<Self> {
        Self::make(self.host.clone(), path, Some(self.clone()))
    }

    fn make(host: Arc<Host>, path: Key, parent: Option<Arc<Branch>>) -> Arc<Self> {
        Arc::new(Self { host, path, parent, next: AtomicU32::new(0), owed: Mutex::default(), frames: Mutex::default() })
    }

    /// The key of the next call.
    pub(super) fn next_key(&self) -> Key {
        self.path.child(Segment::Call(self.next.fetch_add(1, Ordering::SeqCst)))
    }

    /// A change was intended: every open step around it owes its rollback from now on.
    pub(super) fn mark_changed(&self) {
        lock(&self.frames).iter_mut().for_each(|frame| frame.changed = true);
        if let Some(parent) = &self.parent {
            parent.mark_changed();
        }
    }

    pub(super) fn open_frame(&self) {
        lock(&self.frames).push(Frame::default());
    }

    pub(super) fn close_frame(&self) -> Frame {
        lock(&self.frames).pop().unwrap_or_default()
    }

    /// Cancels everything that is owed so far, here and in the branches around. Returns the titles.
    pub(super) fn forgo(&self) -> Vec<String> {
        let mut titles = self.parent.as_ref().map(|parent| parent.forgo()).unwrap_or_default();
        titles.extend(lock(&self.owed).drain(..).map(|owed| owed.title));
        lock(&self.frames).iter_mut().for_each(|frame| frame.forgone = true);
        titles
    }

    /// How many branches of kind child run lie around this one; a runbook that calls itself for ever is found by it.
    pub(super) fn depth(&self) -> usize {
        self.parent.as_ref().map_or(0, |parent| parent.depth() + 1)
    }

    /// The titles of what is owed, in the order in which it would be undone.
    pub(super) fn owed_titles(&self) -> Vec<String> {
        lock(&self.owed).iter().rev().map(|owed| owed.title.clone()).collect()
    }
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
