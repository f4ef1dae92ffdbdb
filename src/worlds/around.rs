//! Worlds around another one: what they do not decide, the inner one does.

use std::ops::Deref;

use crate::model::{After, Fault, Halt, Invocation, Key, Left, Outcome, Performed, Question, Repeat, Scope, World};

/// A world around another one. Each method is the one of [`World`], and asks the inner world unless it says otherwise: so a method
/// that [`World`] gets one day reaches the inner world through all of them.
pub(super) trait Around: Send + Sync {
    /// The world inside.
    fn inner(&self) -> impl Deref<Target = dyn World + '_>;

    fn perform(&self, call: &Invocation) -> Result<Performed, Halt> {
        self.inner().perform(call)
    }

    fn repeat(
        &self,
        call: &Invocation,
        policy: &Repeat,
        attempt: &mut dyn FnMut(u32) -> Result<Outcome, Halt>,
    ) -> Result<Performed, Halt> {
        self.inner().repeat(call, policy, attempt)
    }

    fn choose(&self, question: &Question) -> Result<usize, Halt> {
        self.inner().choose(question)
    }

    fn enter(&self, scope: &Scope) -> Result<(), Halt> {
        self.inner().enter(scope)
    }

    fn leave(&self, scope: &Scope, how: &Left) -> Result<After, Halt> {
        self.inner().leave(scope, how)
    }

    fn raised(&self, at: &Key, fault: &Fault) -> Result<(), Halt> {
        self.inner().raised(at, fault)
    }

    fn interrupted(&self, unwinding: bool) -> Option<Halt> {
        self.inner().interrupted(unwinding)
    }

    fn lanes(&self, at_most: usize) -> usize {
        self.inner().lanes(at_most)
    }

    fn stop(&self, within: &Key, rollbacks: bool) {
        self.inner().stop(within, rollbacks);
    }

    fn ending(&self, halt: &Halt) {
        self.inner().ending(halt);
    }

    fn point_of_no_return(&self, call: &Invocation, forgone: &[String]) -> Result<Performed, Halt> {
        self.inner().point_of_no_return(call, forgone)
    }
}

impl<W: Around> World for W {
    fn perform(&self, call: &Invocation) -> Result<Performed, Halt> {
        Around::perform(self, call)
    }

    fn repeat(
        &self,
        call: &Invocation,
        policy: &Repeat,
        attempt: &mut dyn FnMut(u32) -> Result<Outcome, Halt>,
    ) -> Result<Performed, Halt> {
        Around::repeat(self, call, policy, attempt)
    }

    fn choose(&self, question: &Question) -> Result<usize, Halt> {
        Around::choose(self, question)
    }

    fn enter(&self, scope: &Scope) -> Result<(), Halt> {
        Around::enter(self, scope)
    }

    fn leave(&self, scope: &Scope, how: &Left) -> Result<After, Halt> {
        Around::leave(self, scope, how)
    }

    fn raised(&self, at: &Key, fault: &Fault) -> Result<(), Halt> {
        Around::raised(self, at, fault)
    }

    fn interrupted(&self, unwinding: bool) -> Option<Halt> {
        Around::interrupted(self, unwinding)
    }

    fn lanes(&self, at_most: usize) -> usize {
        Around::lanes(self, at_most)
    }

    fn stop(&self, within: &Key, rollbacks: bool) {
        Around::stop(self, within, rollbacks);
    }

    fn ending(&self, halt: &Halt) {
        Around::ending(self, halt);
    }

    fn point_of_no_return(&self, call: &Invocation, forgone: &[String]) -> Result<Performed, Halt> {
        Around::point_of_no_return(self, call, forgone)
    }
}
