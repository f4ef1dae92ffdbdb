//! The seam between a script and everything outside it.

use serde::{Deserialize, Serialize};

use super::{Arg, Fault, Halt, Invocation, Key, Outcome, Performed, Question, Repeat, Site, Span};

/// What a script's calls meet. One implementation for each mode: plan, live, …
///
/// A world is told of everything in the order of the script; of the branches of a `parallel` in the order of each, and from
/// several threads if [`World::lanes`] allows it. An `Err` ends the evaluation: the caller latches it, and the script cannot
/// catch it. Only [`Halt::Stopped`] ends no more than the branch that it is given to.
pub trait World: Send + Sync {
    /// Carries out one call.
    fn perform(&self, call: &Invocation) -> Result<Performed, Halt>;

    /// Carries out a call that has a body, by running `attempt(n)` for n = 0, 1, … as the mode sees fit.
    fn repeat(
        &self,
        call: &Invocation,
        policy: &Repeat,
        attempt: &mut dyn FnMut(u32) -> Result<Outcome, Halt>,
    ) -> Result<Performed, Halt>;

    /// Answers a condition on an unknown value with a number below `question.answers`.
    fn choose(&self, question: &Question) -> Result<usize, Halt>;

    /// A scope begins.
    fn enter(&self, scope: &Scope) -> Result<(), Halt>;

    /// A scope ends.
    fn leave(&self, scope: &Scope, how: &Left) -> Result<After, Halt>;

    /// A fault that the script itself raised (`require`) in the branch `at`, and does not catch on the spot, is about to be thrown.
    fn raised(&self, _at: &Key, _fault: &Fault) -> Result<(), Halt> {
        Ok(())
    }

    /// Asked now and then while a script computes: whether it must stop. In a rollback (`unwinding`) a request to cancel does not
    /// count any more: what is owed is being undone already.
    fn interrupted(&self, unwinding: bool) -> Option<Halt>;

    /// How many branches of a `parallel` go on at the same time, where the script allows `at_most`.
    fn lanes(&self, _at_most: usize) -> usize {
        1
    }

    /// Whatever stands below `within` is to begin nothing more, and need not go on waiting: another branch failed, or the
    /// evaluation was halted. Effects under way are carried to their end. Rollbacks go on, unless `rollbacks` says so.
    ///
    /// From then on calls there may end in [`Halt::Stopped`]. Where that happens is up to the world: one that replays a record
    /// stops a branch where it was stopped then.
    fn stop(&self, _within: &Key, _rollbacks: bool) {}

    /// Something that this branch did itself is about to end the whole evaluation, as [`World::stop`] is told right after.
    ///
    /// The last moment at which branches beside it can come to where they were: one that replays a record waits for them.
    fn ending(&self, _halt: &Halt) {}

    /// What was owed is owed no longer, because `why`.
    fn point_of_no_return(&self, call: &Invocation, forgone: &[String]) -> Result<Performed, Halt>;
}

/// A part of a run with a beginning and an end.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Scope {
    /// Its place in the run.
    pub key: Key,
    /// Its place in the script.
    pub site: Site,
    /// Its title, as people see it.
    pub title: String,
    /// What it is.
    pub kind: ScopeKind,
}

/// What a [`Scope`] is.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ScopeKind {
    /// A `step`, with or without a rollback.
    Step {
        /// Whether it says how to undo it.
        rollback: bool,
        /// How long it may take.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        within: Option<Span>,
    },
    /// The rollback of a step.
    Rollback,
    /// A rollback that is only shown, after its step was planned; it changes nothing that follows.
    Rehearsal,
    /// Another runbook, called by this one.
    Child,
    /// Something that was typed into a session; its title is the text.
    Input {
        /// Whether its changes take place; otherwise they are only planned.
        armed: bool,
    },
    /// The body of a call that repeats it: `wait_until`, `hold`, `retry`.
    Body,
    /// A `parallel`: everything inside stands in its branches.
    Parallel {
        /// How many branches it has.
        branches: usize,
        /// How many go on at the same time at most.
        at_most: usize,
    },
    /// One branch of a `parallel`; its title is the item.
    Branch,
    /// The block of a `during`.
    During(Updates),
    /// The end of a run that failed or was cancelled: what is owed is undone.
    Unwinding {
        /// The titles of the steps that are owed, in the order in which they will be undone.
        owed: Vec<String>,
        /// The halt behind it; none where a fault left the runbook.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        halt: Option<Halt>,
    },
}

/// Which status updates are sent while a block runs.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Updates {
    /// The interval.
    pub every: Span,
    /// The channel.
    pub channel: String,
    /// What each of them begins with.
    pub message: Arg<String>,
    /// The problem that they belong to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub key: Option<Arg<String>>,
}

/// How a scope ended.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Left {
    /// It was completed; `owes` when its rollback is owed from now on.
    Completed {
        /// Whether a rollback is owed.
        owes: bool,
    },
    /// A fault left it.
    Faulted(Fault),
    /// The evaluation ended inside it.
    Halted,
    /// Its branch was stopped, because another branch of the same `parallel` failed.
    Stopped,
}

/// What the evaluation does after a scope.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum After {
    /// Goes on.
    Continue,
    /// Runs the scope's rollback as a [`ScopeKind::Rehearsal`], then goes on.
    Rehearse,
}
