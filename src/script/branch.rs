//! A branch of the run: it gives its calls their keys, knows whether it has ended, and keeps what its steps owe.

use std::cell::RefCell;
use std::sync::atomic::{AtomicBool, AtomicU32, AtomicU64, Ordering};
use std::sync::{Arc, Mutex};

use rhai::{Dynamic, EvalAltResult, FnPtr, GlobalRuntimeState, Position};

use crate::model::{Halt, Key, Left, Segment};

use super::host::{Host, RhaiResult, lock, terminated};

/// After so many operations a script is taken to loop for ever.
const OPERATIONS: u64 = 5_000_000;
/// How often, in operations, the world is asked whether to stop.
const ASK_EVERY: u64 = 256;

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
    line: Arc<Line>,
}

/// What is carried out one thing after another: the runbook itself, a branch of a `parallel`, a rollback. Attempts and child
/// runbooks lie on the line of their caller.
#[derive(Default)]
struct Line {
    /// Whether it undoes something: it goes on where others are stopped.
    undoing: bool,
    /// Whether others go on beside it, so that it can be stopped by itself.
    beside_others: bool,
    /// Whether it was stopped because a branch beside it failed.
    stopped: AtomicBool,
    /// How many operations Rhai has made on it.
    operations: AtomicU64,
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
#[derive(Clone)]
pub(super) struct Owed {
    pub(super) title: String,
    pub(super) key: Key,
    pub(super) rollback: Rollback,
}

/// The closure of a rollback with the surroundings in which it was written.
#[derive(Clone)]
pub(super) struct Rollback {
    pub(super) closure: FnPtr,
    pub(super) state: Box<GlobalRuntimeState>,
    pub(super) position: Position,
}

thread_local! {
    /// Rhai tells nobody whose operation it counts; a line stays on its thread.
    static CURRENT: RefCell<Option<Arc<Branch>>> = const { RefCell::new(None) };
}

/// A line is at work on this thread until this is dropped; then the one before it goes on.
pub(super) struct AtWork(Option<Arc<Branch>>);

impl Drop for AtWork {
    fn drop(&mut self) {
        CURRENT.set(self.0.take());
    }
}

/// Called by Rhai at every operation. A value ends the script.
pub(super) fn progress() -> Option<Dynamic> {
    CURRENT.with_borrow(|current| current.as_ref().is_some_and(|branch| !branch.may_go_on()).then_some(Dynamic::UNIT))
}

impl Branch {
    pub(super) fn root(host: Arc<Host>) -> Arc<Self> {
        Self::make(host, Key::ROOT, None, Arc::default())
    }

    /// A branch inside this one, on the same line: an attempt, a child run.
    pub(super) fn child(self: &Arc<Self>, path: Key) -> Arc<Self> {
        Self::make(self.host.clone(), path, Some(self.clone()), self.line.clone())
    }

    /// The branch of something typed into a session: on a line of its own, as nobody counts what was computed before it.
    pub(super) fn input(self: &Arc<Self>, path: Key) -> Arc<Self> {
        Self::make(self.host.clone(), path, Some(self.clone()), Arc::default())
    }

    /// The branch of a rollback: on a line of its own, which goes on when this one is stopped.
    pub(super) fn undoing(self: &Arc<Self>, path: Key) -> Arc<Self> {
        let line = Arc::new(Line { undoing: true, ..Line::default() });
        Self::make(self.host.clone(), path, Some(self.clone()), line)
    }

    /// A branch of a `parallel`.
    pub(super) fn beside_others(self: &Arc<Self>, path: Key) -> Arc<Self> {
        let line = Arc::new(Line { undoing: self.line.undoing, beside_others: true, ..Line::default() });
        Self::make(self.host.clone(), path, Some(self.clone()), line)
    }

    fn make(host: Arc<Host>, path: Key, parent: Option<Arc<Branch>>, line: Arc<Line>) -> Arc<Self> {
        let next = AtomicU32::new(0);
        Arc::new(Self { host, path, parent, next, owed: Mutex::default(), frames: Mutex::default(), line })
    }

    /// From now on this thread works on this branch's line.
    pub(super) fn at_work(self: &Arc<Self>) -> AtWork {
        AtWork(CURRENT.replace(Some(self.clone())))
    }

    /// Ends what the halt ends: the evaluation, or this line alone.
    pub(super) fn halt(&self, halt: Halt, position: Position) -> Box<EvalAltResult> {
        if halt != Halt::Stopped {
            if !self.is_ended() {
                self.host.world.ending(&halt);
            }
            return self.host.latch(halt, self.line.undoing, position);
        }
        if !self.line.beside_others && !self.is_ended() {
            let why = "a branch was stopped beside which no other goes on".to_owned();
            return self.host.latch(Halt::Internal { why }, true, position);
        }
        self.line.stopped.store(true, Ordering::SeqCst);
        terminated(position)
    }

    /// What ended this branch.
    pub(super) fn ended_by(&self) -> Option<Halt> {
        if self.host.is_halted(self.line.undoing) {
            return self.host.halt();
        }
        self.line.stopped.load(Ordering::SeqCst).then_some(Halt::Stopped)
    }

    /// Whether this branch has ended, whatever the script thinks of it.
    pub(super) fn is_ended(&self) -> bool {
        self.host.is_halted(self.line.undoing) || self.line.stopped.load(Ordering::SeqCst)
    }

    /// How a scope was left in which this branch has ended.
    pub(super) fn left_early(&self) -> Left {
        if self.ended_by() == Some(Halt::Stopped) { Left::Stopped } else { Left::Halted }
    }

    /// An error when the branch has ended: asked first in everything that a script can call.
    pub(super) fn check(&self, position: Position) -> RhaiResult<()> {
        if self.is_ended() { Err(terminated(position)) } else { Ok(()) }
    }

    /// Whether the world wants the run to stop.
    pub(super) fn interrupted(&self) -> Option<Halt> {
        self.host.world.interrupted(self.line.undoing)
    }

    /// Asked at every operation.
    fn may_go_on(&self) -> bool {
        if self.is_ended() {
            return false;
        }
        // A line stays on its thread, so nobody else counts in between.
        let count = self.line.operations.load(Ordering::Relaxed);
        self.line.operations.store(count + 1, Ordering::Relaxed);
        if count >= OPERATIONS {
            let why = format!("the script made {OPERATIONS} operations without an end");
            let hint = Some("wait with `wait_until` or `retry`, not with a loop".to_owned());
            let site = self.host.sources.site(Position::NONE);
            drop(self.halt(Halt::Mistake { why, site, hint }, Position::NONE));
            return false;
        }
        if count.is_multiple_of(ASK_EVERY)
            && let Some(halt) = self.interrupted()
        {
            drop(self.halt(halt, Position::NONE));
            return false;
        }
        true
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

    /// The titles of what is owed so far, in the branches around this one and here, oldest first.
    pub(super) fn owed_so_far(&self) -> Vec<String> {
        let mut titles = self.parent.as_ref().map(|parent| parent.owed_so_far()).unwrap_or_default();
        titles.extend(lock(&self.owed).iter().map(|owed| owed.title.clone()));
        titles
    }

    /// Cancels all of it.
    pub(super) fn forgo(&self) {
        if let Some(parent) = &self.parent {
            parent.forgo();
        }
        lock(&self.owed).clear();
        lock(&self.frames).iter_mut().for_each(|frame| frame.forgone = true);
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
