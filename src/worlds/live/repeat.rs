//! `wait_until` and `retry`, for real: attempts with pauses between them.

use std::time::Duration;

use crate::model::{
    Fault, Halt, ImpactKind, Invocation, Left, Outcome, Performed, Repeat, Scope, ScopeKind, Span, Value, World,
};

use super::{Began, Live};

impl Live {
    pub(super) fn repeated(
        &self,
        call: &Invocation,
        policy: &Repeat,
        attempt: &mut dyn FnMut(u32) -> Result<Outcome, Halt>,
    ) -> Result<Performed, Halt> {
        let title = call.args.get("label").map_or_else(|| call.primitive.to_owned(), ToString::to_string);
        let scope = Scope { key: call.key.clone(), site: call.site.clone(), title, kind: ScopeKind::Body };
        self.enter(&scope)?;
        let began = Began::now(&self.act);
        let outcome = match policy {
            Repeat::Until { timeout, every } => self.until(&scope.title, (*timeout, *every), began, attempt),
            Repeat::Retry { times, every, backoff } => self.retry((*times, *every, *backoff), attempt),
        };
        let left = match &outcome {
            Ok(Ok(_)) => Left::Completed { owes: false },
            Ok(Err(fault)) => Left::Faulted(fault.clone()),
            Err(_) => Left::Halted,
        };
        self.leave(&scope, &left)?;
        let outcome = outcome?;
        let performed = self.mark(call, ImpactKind::Wait, began, outcome.clone());
        // What a body returns goes to the script of `retry`; a wait returns nothing.
        Ok(Performed { outcome, ..performed })
    }

    fn until(
        &self,
        label: &str,
        (timeout, every): (Duration, Duration),
        began: Began,
        attempt: &mut dyn FnMut(u32) -> Result<Outcome, Halt>,
    ) -> Result<Outcome, Halt> {
        for n in 0.. {
            let last = attempt(n)?;
            match &last {
                Ok(Value::Bool(true)) => return Ok(Ok(Value::Null)),
                // Waiting does not mend a mistake in the body.
                Err(fault) if fault.code == "script" => return Ok(last),
                _ => {}
            }
            let waited = self.act.monotonic().saturating_sub(began.monotonic);
            if waited >= timeout {
                let found = last.err().map(|fault| fault.message).or_else(|| self.recorder.last_look());
                let why = found.map(|found| format!(": {found}")).unwrap_or_default();
                let message = format!("waited {} for \"{label}\", in vain{why}", Span(timeout));
                return Ok(Err(Fault::new("timeout", message).hint("raise `timeout` if it only needs longer")));
            }
            // The last look is taken when the time is over, not before.
            self.pause(every.min(timeout.saturating_sub(waited)))?;
        }
        unreachable!("the loop has no end of its own")
    }

    fn retry(
        &self,
        (times, every, backoff): (u32, Duration, f64),
        attempt: &mut dyn FnMut(u32) -> Result<Outcome, Halt>,
    ) -> Result<Outcome, Halt> {
        let mut pause = every;
        let mut last = attempt(0)?;
        for n in 1..times {
            if last.is_ok() {
                break;
            }
            self.pause(pause)?;
            pause = pause.mul_f64(backoff).min(Duration::from_secs(3600));
            last = attempt(n)?;
        }
        Ok(last)
    }

    fn pause(&self, time: Duration) -> Result<(), Halt> {
        self.recorder.commit_outcome()?;
        let slept = self.handle.block_on(self.act.sleep(time));
        slept.map_err(|_| self.act.cancel().requested().unwrap_or(Halt::Cancelled))
    }
}
