//! The world of a plan: it looks where it may, lets drivers predict the rest, and changes nothing.
//!
//! It holds a [`Look`] and nothing else: no method of it can reach a handle that changes things.

mod branches;
mod perform;
mod repeat;
mod result;
mod state;

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use tokio::runtime::Handle;

use crate::model::{
    After, Arg, Assumption, Basis, Halt, Impact, ImpactKind, Invocation, Left, Outcome, Performed, PlanLine, PlanNode,
    PlanResult, Question, Repeat, Scope, ScopeKind, Symbol, Updates, Value, World,
};
use crate::system::Look;

use super::Cast;

use state::State;

/// Plans calls.
pub struct PlanWorld {
    cast: Cast,
    look: Look,
    handle: Handle,
    assumptions: Vec<Assumption>,
    /// Nothing is looked at, and no driver is asked: what is not pinned ends as is likely.
    offline: bool,
    state: Mutex<State>,
}

/// Why a line is assumed in a plan for which nothing is looked at.
const OFFLINE: &str = "nothing was looked at";

impl PlanWorld {
    /// A plan for the targets of `cast`, as they are now, with what the reader pinned.
    pub fn new(cast: Cast, look: Look, handle: Handle, assumptions: Vec<Assumption>) -> Self {
        let used = vec![false; assumptions.len()];
        Self { cast, look, handle, assumptions, offline: false, state: Mutex::new(State::new(used)) }
    }

    /// The same, for which nothing is looked at: it depends on the runbook, the configuration and what is pinned alone.
    #[must_use]
    pub fn offline(mut self, offline: bool) -> Self {
        self.offline = offline;
        self
    }

    /// What was planned.
    pub fn nodes(&self) -> Vec<PlanNode> {
        self.state().finish()
    }

    /// The line of the call that was planned last, in the scope that is open.
    pub fn last_line(&self) -> Option<PlanLine> {
        self.state().last_line()
    }

    /// The assumptions that no call met.
    pub fn unused_assumptions(&self) -> Vec<String> {
        let state = self.state();
        let unused = self.assumptions.iter().zip(&state.used).filter(|(_, used)| !**used);
        unused.map(|(assumption, _)| assumption.to_string()).collect()
    }

    /// What would be told while a block runs, and how often.
    fn updates(&self, scope: &Scope, updates: &Updates) -> Result<PlanLine, Halt> {
        let text = |text: &Arg<String>| match text {
            Arg::Known(text) => Value::from(text.as_str()),
            Arg::Unknown(unknown) => Value::Unknown(unknown.clone()),
        };
        let mut args = BTreeMap::from([
            ("channel".to_owned(), Value::from(updates.channel.as_str())),
            ("message".to_owned(), text(&updates.message)),
        ]);
        args.extend(updates.key.as_ref().map(|key| ("key".to_owned(), text(key))));
        let (key, site) = (scope.key.clone(), scope.site.clone());
        let mut call = Invocation { key, site, primitive: "notify", args: Value::Map(args), guarded: true };
        let role = self.cast.role(&call)?;
        let impact = role.impact.clone();
        let notes = if self.offline {
            Vec::new()
        } else {
            let preview = self.handle.block_on(role.handler.preview(&call.args, &self.look));
            preview.map(|preview| preview.notes).unwrap_or_default()
        };
        call.primitive = "during";
        let summary = format!("every {} → {}: {} …", updates.every, updates.channel, updates.message);
        Ok(PlanLine { impact, notes, ..mark(&call, Symbol::Tell, Basis::Predicted, summary) })
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
        self.repeated(call, policy, attempt)
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
        if let ScopeKind::During(updates) = &scope.kind {
            let line = self.updates(scope, updates)?;
            self.state().add(line);
        }
        let mut state = self.state();
        match scope.kind {
            ScopeKind::Rehearsal => state.begin_rehearsal(),
            ScopeKind::Parallel { at_most, .. } => state.begin_group(at_most),
            ScopeKind::Branch => state.begin_branch(),
            _ => {}
        }
        state.open(scope.clone());
        Ok(())
    }

    fn leave(&self, scope: &Scope, how: &Left) -> Result<After, Halt> {
        let mut state = self.state();
        let fault = if let Left::Faulted(fault) = how { Some(fault.clone()) } else { None };
        state.close(fault);
        match scope.kind {
            ScopeKind::Rehearsal => state.end_rehearsal(),
            ScopeKind::Parallel { .. } => state.end_group(&self.cast.environment),
            ScopeKind::Branch => state.end_branch(),
            _ => {}
        }
        let owes = matches!(how, Left::Completed { owes: true }) && state.rehearsals == 0;
        Ok(if owes { After::Rehearse } else { After::Continue })
    }

    fn interrupted(&self, _unwinding: bool) -> Option<Halt> {
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
        inputs: BTreeMap::new(),
        result: PlanResult::Returns(Value::Null),
        took: None,
    }
}
