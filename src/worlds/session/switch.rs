//! The world of a session as its scripts see it.

use std::sync::{Arc, PoisonError, RwLock};

use crate::model::{After, Fault, Halt, Invocation, Key, Left, Outcome, Performed, Question, Repeat, Scope, World};

/// Passes everything on to the world that is set.
pub struct Switch(RwLock<Arc<dyn World>>);

impl Switch {
    /// Begins with `world`.
    pub fn new(world: Arc<dyn World>) -> Self {
        Self(RwLock::new(world))
    }

    /// From now on everything goes to `world`.
    pub fn set(&self, world: Arc<dyn World>) {
        *self.0.write().unwrap_or_else(PoisonError::into_inner) = world;
    }

    fn world(&self) -> Arc<dyn World> {
        self.0.read().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

impl World for Switch {
    fn perform(&self, call: &Invocation) -> Result<Performed, Halt> {
        self.world().perform(call)
    }

    fn repeat(
        &self,
        call: &Invocation,
        policy: &Repeat,
        attempt: &mut dyn FnMut(u32) -> Result<Outcome, Halt>,
    ) -> Result<Performed, Halt> {
        self.world().repeat(call, policy, attempt)
    }

    fn choose(&self, question: &Question) -> Result<usize, Halt> {
        self.world().choose(question)
    }

    fn enter(&self, scope: &Scope) -> Result<(), Halt> {
        self.world().enter(scope)
    }

    fn leave(&self, scope: &Scope, how: &Left) -> Result<After, Halt> {
        self.world().leave(scope, how)
    }

    fn raised(&self, at: &Key, fault: &Fault) -> Result<(), Halt> {
        self.world().raised(at, fault)
    }

    fn interrupted(&self, unwinding: bool) -> Option<Halt> {
        self.world().interrupted(unwinding)
    }

    fn lanes(&self, at_most: usize) -> usize {
        self.world().lanes(at_most)
    }

    fn stop(&self, within: &Key, rollbacks: bool) {
        self.world().stop(within, rollbacks);
    }

    fn ending(&self, halt: &Halt) {
        self.world().ending(halt);
    }

    fn point_of_no_return(&self, call: &Invocation, forgone: &[String]) -> Result<Performed, Halt> {
        self.world().point_of_no_return(call, forgone)
    }
}
