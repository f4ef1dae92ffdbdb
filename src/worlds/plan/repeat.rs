//! `wait_until`, `hold` and `retry`, planned: the body runs once, and what it waits for is assumed to come.

use crate::model::{
    Basis, Fault, Halt, Invocation, Outcome, Performed, PlanLine, Repeat, Scope, ScopeKind, Span, Symbol, Value,
};

use super::state::Cause;
use super::{PlanWorld, mark};

impl PlanWorld {
    pub(super) fn repeated(
        &self,
        call: &Invocation,
        policy: &Repeat,
        attempt: &mut dyn FnMut(u32) -> Result<Outcome, Halt>,
    ) -> Result<Performed, Halt> {
        let label = call.args.get("label").filter(|label| **label != Value::Null).map(ToString::to_string);
        let waits = !matches!(policy, Repeat::Retry { .. });
        let scope = Scope {
            key: call.key.clone(),
            site: call.site.clone(),
            title: label.clone().unwrap_or_else(|| call.primitive.to_owned()),
            kind: ScopeKind::Body,
        };
        {
            let mut state = self.state();
            state.add(line(call, policy, label.as_deref()));
            state.open(scope);
            state.waits += usize::from(waits);
        }
        let found = attempt(0)?;
        let pinned = self.pinned_repeat(call)?;
        let mut state = self.state();
        let (outcome, basis) = match (pinned, found) {
            (Some(Err(fault)), _) => (Err(fault), Basis::Pinned),
            // Neither waiting nor watching mends a mistake in the body.
            (_, Err(fault)) if fault.code == "script" => (Err(fault), Basis::Assumed),
            (pinned, found) if !waits => (found, if pinned.is_some() { Basis::Pinned } else { Basis::Assumed }),
            (Some(Ok(value)), _) => (Ok(value), Basis::Pinned),
            (None, found) if matches!(policy, Repeat::Hold { tolerate: 0, .. }) && state.is_body_seen() => {
                match never_held(call, label.as_deref(), found, state.last_found()) {
                    Some(fault) => (Err(fault), Basis::Predicted),
                    None => (Ok(Value::Null), Basis::Assumed),
                }
            }
            _ => (Ok(Value::Null), Basis::Assumed),
        };
        state.close(None);
        state.waits -= usize::from(waits);
        state.amend_repeated(&outcome, basis);
        if waits && outcome.is_ok() {
            // Whatever the condition is now: the way goes on when it holds.
            state.causes.push(Cause::everything(format!("after waiting at line {}", call.site.line)));
        }
        Ok(Performed::unchanged(outcome))
    }
}

/// A condition of which it was seen just now that it does not hold is watched no longer than that.
fn never_held(call: &Invocation, label: Option<&str>, found: Outcome, last: Option<String>) -> Option<Fault> {
    let found = match found {
        Ok(Value::Bool(false)) => last,
        Err(fault) => Some(fault.message),
        Ok(_) => return None,
    };
    let label = label.map_or_else(|| "the condition".to_owned(), |label| format!("\"{label}\""));
    let found = found.map(|found| format!(": {found}")).unwrap_or_default();
    let fault = Fault::new("not-held", format!("{label} did not hold from the beginning{found}"));
    Some(Fault { site: Some(call.site.to_string()), ..fault })
}

/// The line before the body: how often it may run.
fn line(call: &Invocation, policy: &Repeat, label: Option<&str>) -> PlanLine {
    let summary = match (policy, label) {
        (Repeat::Until { timeout, .. }, Some(label)) => format!("{label}, for {} at most", Span(*timeout)),
        (Repeat::Until { .. }, None) => String::new(),
        (Repeat::Hold { time, every, tolerate }, label) => {
            let label = label.unwrap_or("the condition");
            let tolerated =
                if *tolerate > 0 { format!(", {tolerate} failing in a row tolerated") } else { String::new() };
            format!("{label}, for {}, checked every {}{tolerated}", Span(*time), Span(*every))
        }
        (Repeat::Retry { times, .. }, _) => format!("{times} times at most"),
    };
    mark(call, Symbol::Wait, Basis::Assumed, summary)
}
