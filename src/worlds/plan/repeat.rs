//! `wait_until`, `hold` and `retry`, planned: the body runs once, and what it waits for is assumed to come.

use crate::model::{
    Basis, Halt, Invocation, Outcome, Performed, PlanLine, Repeat, Scope, ScopeKind, Span, Symbol, Value,
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
        let outcome = match found {
            // Neither waiting nor watching mends a mistake in the body.
            Err(fault) if fault.code == "script" => Err(fault),
            found if !waits => found,
            _ => Ok(Value::Null),
        };
        let mut state = self.state();
        state.close(None);
        state.waits -= usize::from(waits);
        state.amend_repeated(&outcome);
        if waits && outcome.is_ok() {
            // Whatever the condition is now: the way goes on when it holds.
            state.causes.push(Cause::everything(format!("after waiting at line {}", call.site.line)));
        }
        Ok(Performed::unchanged(outcome))
    }
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
