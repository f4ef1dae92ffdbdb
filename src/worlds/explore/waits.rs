//! Calls with a body: how often it runs on a path, and what comes of it.

use std::sync::Arc;

use crate::model::{Fault, Halt, ImpactKind, Invocation, Outcome, Performed, Repeat, Value};

use super::{Call, Explore, Visit, Walk};

/// How often a body runs that has only one way, such as one that counts.
const AGAIN: u32 = 10_000;
/// The code of the fault of a `hold` that did not.
const NOT_HELD: &str = "not-held";

impl Explore {
    /// `wait_until`, `hold` and `retry`.
    pub(super) fn repeated(
        &self,
        call: &Invocation,
        policy: &Repeat,
        attempt: &mut dyn FnMut(u32) -> Result<Outcome, Halt>,
    ) -> Result<Performed, Halt> {
        if let Some(halt) = self.walk().stop(call.key.in_rollback()) {
            return Err(halt);
        }
        let label = call.args.get("label").filter(|label| **label != Value::Null).map(ToString::to_string);
        match policy {
            Repeat::Until { .. } => {
                let what = label.map_or_else(|| "it".to_owned(), |label| format!("\"{label}\""));
                self.wait(call, attempt, ("timeout", format!("waited for {what}, in vain")))
            }
            Repeat::Hold { .. } => {
                let what = label.map_or_else(|| "the condition".to_owned(), |label| format!("\"{label}\""));
                self.wait(call, attempt, (NOT_HELD, format!("{what} stopped holding")))
            }
            // It goes well at once, after it failed, or not at all: whatever failed twice fails as often as it is tried.
            Repeat::Retry { times, .. } => {
                let failed = |outcome: &Outcome| outcome.as_ref().is_err_and(|fault| fault.code != "script");
                self.walk().path.passed.push(call.site.clone());
                let outcome = self.until_it_forks(*times, attempt, &mut |outcome, _| Ok(failed(outcome)))?;
                Ok(Performed::unchanged(outcome))
            }
        }
    }

    /// Runs a body again and again while it ends so that one would, at most so many times. A body in which something can go several
    /// ways runs twice: what goes well only the third time is no other path.
    fn until_it_forks(
        &self,
        times: u32,
        attempt: &mut dyn FnMut(u32) -> Result<Outcome, Halt>,
        again: &mut dyn FnMut(&Outcome, bool) -> Result<bool, Halt>,
    ) -> Result<Outcome, Halt> {
        let before = self.walk().choices.forks();
        let mut forked = 0;
        for n in 0..times {
            let outcome = attempt(n)?;
            forked += u32::from(self.walk().choices.forks() > before);
            if n + 1 == times || forked == 2 || !again(&outcome, forked > 0)? {
                return Ok(outcome);
            }
        }
        unreachable!("a body runs at least once")
    }

    /// A wait comes true when its body says so, is over when it does not, or is cancelled.
    fn wait(
        &self,
        call: &Invocation,
        attempt: &mut dyn FnMut(u32) -> Result<Outcome, Halt>,
        (code, message): (&'static str, String),
    ) -> Result<Performed, Halt> {
        if self.planned(&call.key).is_some() {
            return self.wait_as_planned(call, attempt, Fault::new(code, message));
        }
        let cancels = !call.key.in_rollback();
        if cancels && self.walk().fork(&call.site, 2, 1)? == 1 {
            return Err(self.walk().cancel(&call.site));
        }
        let waits_for = |outcome: &Outcome| match outcome {
            // A mistake in the body is none of what it waits for.
            Err(fault) => fault.code == "script",
            Ok(value) => *value != Value::Bool(false),
        };
        let holds = code == NOT_HELD;
        let outcome =
            self.until_it_forks(AGAIN, attempt, &mut |outcome, forked| match (waits_for(outcome), forked) {
                (true, _) => Ok(false),
                // Whoever watches gives up at the first look that fails; whoever waits looks again, or has no time left.
                (false, true) => Ok(!holds && self.walk().fork(&call.site, 2, 1)? == 0),
                (false, false) => Ok(!holds),
            })?;
        if outcome.as_ref().is_err_and(|fault| fault.code == "script") {
            return Ok(Performed::unchanged(outcome));
        }
        let mut walk = self.walk();
        // Where not every way is walked any more, it is taken to come true: what is behind it counts.
        let came = waits_for(&outcome) || walk.bounded.contains(&call.site);
        let waited = Walk::waited(call, came, walk.path.open);
        walk.path.visits.push(Visit::Waited { call: waited });
        let fault = || Fault { site: Some(call.site.to_string()), ..Fault::new(code, message) };
        Ok(Performed::unchanged(if came { Ok(Value::Null) } else { Err(fault()) }))
    }
}

impl Walk {
    /// A wait, as it stands on a path.
    pub(super) fn waited(call: &Invocation, came: bool, step: Option<usize>) -> Call {
        Call {
            site: call.site.clone(),
            primitive: call.primitive,
            args: Arc::new(call.args.clone()),
            target: None,
            kind: ImpactKind::Wait,
            way: if came { "came true" } else { "not in time" },
            failed: !came,
            changed: false,
            undoing: call.key.in_rollback(),
            step,
        }
    }
}
