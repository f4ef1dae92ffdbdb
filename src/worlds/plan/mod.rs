//! The world of a plan: it looks where it may, lets drivers predict the rest, and changes nothing.
//!
//! It holds a [`Look`] and nothing else: no method of it can reach a handle that changes things.

mod assumption;
mod perform;
mod result;
mod state;

use std::sync::{Mutex, MutexGuard, PoisonError};

use tokio::runtime::Handle;

use crate::model::{
    After, Basis, Halt, Impact, ImpactKind, Invocation, Left, Outcome, Performed, PlanLine, PlanNode, PlanResult,
    Question, Repeat, Scope, ScopeKind, Symbol, Value, World,
};
use crate::system::Look;

use super::Cast;

pub use assumption::{Assumption, AssumptionError};
use state::{Cause, State};

/// Plans calls.
pub struct PlanWorld {
    cast: Cast,
    look: Look,
    handle: Handle,
    assumptions: Vec<Assumption>,
    state: Mutex<State>,
}

impl PlanWorld {
    /// A plan for the targets of `cast`, as they are now, with what the reader pinned.
    pub fn new(cast: Cast, look: Look, handle: Handle, assumptions: Vec<Assumption>) -> Self {
        let used = vec![false; assumptions.len()];
        Self { cast, look, handle, assumptions, state: Mutex::new(State::new(used)) }
    }

    /// What was planned.
    pub fn nodes(&self) -> Vec<PlanNode> {
        self.state().finish()
    }

    /// The assumptions that no call met.
    pub fn unused_assumptions(&self) -> Vec<String> {
        let state = self.state();
        let unused = self.assumptions.iter().zip(&state.used).filter(|(_, used)| !**used);
        unused.map(|(assumption, _)| assumption.to_string()).collect()
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl World for PlanWorld {
    fn perform(&self, call: &Invocation) -> Result<Performed, Halt> {
        self.planned(call)
    }

    fn repeat(
        &self,
        call: &Invocation,
        policy: &Repeat,
        attempt: &mut dyn FnMut(u32) -> Result<Outcome, Halt>,
    ) -> Result<Performed, Halt> {
        let title = call.args.get("label").map(ToString::to_string);
        let line = match (policy, &title) {
            (Repeat::Until { timeout, .. }, Some(label)) => {
                let summary = format!("{label}, for {} at most", crate::model::Span(*timeout));
                mark(call, Symbol::Wait, Basis::Assumed, summary)
            }
            (Repeat::Retry { times, .. }, _) => {
                mark(call, Symbol::Wait, Basis::Assumed, format!("{times} times at most"))
            }
            (Repeat::Until { .. }, None) => mark(call, Symbol::Wait, Basis::Assumed, String::new()),
        };
        self.state().add(line);
        let scope = Scope {
            key: call.key.clone(),
            site: call.site.clone(),
            title: title.unwrap_or_else(|| call.primitive.to_owned()),
            kind: ScopeKind::Body,
        };
        self.state().open(scope);
        let waits = matches!(policy, Repeat::Until { .. });
        self.state().waits += usize::from(waits);
        let outcome = attempt(0)?;
        self.state().close(None);
        self.state().waits -= usize::from(waits);
        if waits {
            // Whatever the condition is now: the way goes on when it holds.
            self.state().causes.push(Cause::everything(format!("after waiting at line {}", call.site.line)));
            return Ok(Performed::unchanged(Ok(Value::Null)));
        }
        Ok(Performed::unchanged(outcome))
    }

    fn choose(&self, question: &Question) -> Result<usize, Halt> {
        if self.state().waits > 0 {
            // A wait is assumed to hold, and so is the condition that it waits for.
            return Ok(0);
        }
        Err(Halt::Unplannable {
            why: format!("the way depends on `{}`, which is not known before the run", question.condition),
            site: question.site.clone(),
            hint: Some("pin the call it comes from, such as --assume 'probe(web)=fail'".into()),
        })
    }

    fn enter(&self, scope: &Scope) -> Result<(), Halt> {
        let mut state = self.state();
        if scope.kind == ScopeKind::Rehearsal {
            state.begin_rehearsal();
        }
        state.open(scope.clone());
        Ok(())
    }

    fn leave(&self, scope: &Scope, how: &Left) -> Result<After, Halt> {
        let mut state = self.state();
        let fault = if let Left::Faulted(fault) = how { Some(fault.clone()) } else { None };
        state.close(fault);
        if scope.kind == ScopeKind::Rehearsal {
            state.end_rehearsal();
        }
        let owes = matches!(how, Left::Completed { owes: true }) && state.rehearsals == 0;
        Ok(if owes { After::Rehearse } else { After::Continue })
    }

    fn interrupted(&self) -> Option<Halt> {
        self.look.cancel().requested()
    }

    fn point_of_no_return(&self, call: &Invocation, forgone: &[String]) -> Result<Performed, Halt> {
        let why = call.args.get("why").map(ToString::to_string).unwrap_or_default();
        let mut line = mark(call, Symbol::Mark, Basis::Predicted, why);
        if !forgone.is_empty() {
            line.notes.push(format!("no longer rolled back from here: {}", forgone.join(", ")));
        }
        self.state().add(line);
        Ok(Performed::unchanged(Ok(Value::Null)))
    }
}

/// A line for a call that has no driver.
fn mark(call: &Invocation, symbol: Symbol, basis: Basis, summary: String) -> PlanLine {
    let kind = if symbol == Symbol::Wait { ImpactKind::Wait } else { ImpactKind::Mark };
    PlanLine {
        key: call.key.clone(),
        site: call.site.clone(),
        primitive: call.primitive.to_owned(),
        args: call.args.clone(),
        impact: Impact::of(kind),
        symbol,
        summary,
        basis,
        because: None,
        before: None,
        after: None,
        notes: Vec::new(),
        result: PlanResult::Returns(Value::Null),
    }
}
