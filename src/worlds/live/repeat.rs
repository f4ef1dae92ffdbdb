//! `wait_until`, `hold` and `retry`, for real: attempts with pauses between them.

use std::time::Duration;

use crate::model::{
    DEADLINE, Fault, Halt, ImpactKind, Invocation, Key, Left, Outcome, Performed, Repeat, Scope, ScopeKind, Span,
    Value, World,
};

use super::{Began, Live};

/// How far an earlier process came with a call that has a body.
#[derive(Default)]
pub(in crate::worlds) struct Repeated {
    /// How many attempts it began.
    pub(in crate::worlds) attempts: u32,
    /// When it began.
    pub(in crate::worlds) entered: Option<jiff::Timestamp>,
}

impl Live {
    pub(in crate::worlds) fn repeat_after(
        &self,
        call: &Invocation,
        policy: &Repeat,
        attempt: &mut dyn FnMut(u32) -> Result<Outcome, Halt>,
        before: &Repeated,
    ) -> Result<Performed, Halt> {
        let label = call.args.get("label").filter(|label| **label != Value::Null).map(ToString::to_string);
        let title = match (policy, label) {
            (Repeat::Hold { time, .. }, label) => {
                format!("{} to hold for {}", label.as_deref().unwrap_or("the condition"), Span(*time))
            }
            (_, label) => label.unwrap_or_else(|| call.primitive.to_owned()),
        };
        let scope = Scope { key: call.key.clone(), site: call.site.clone(), title, kind: ScopeKind::Body };
        match before.entered {
            Some(since) => self.enter_again(&scope, since)?,
            None => self.enter(&scope)?,
        }
        // The time that has passed since then counts.
        let began = Began::now(&self.act).earlier(before.entered);
        let mut times = 0;
        let mut counted = |n: u32| {
            times = n + 1;
            attempt(n)
        };
        let attempt = &mut counted;
        self.recorder.watch_looks(&call.key);
        let outcome = match policy {
            Repeat::Until { timeout, every } => {
                self.until(&scope, (*timeout, *every), (began, before.attempts), attempt)
            }
            Repeat::Hold { time, every, tolerate } => {
                self.hold(call, (*time, *every, *tolerate), (began, before.attempts), attempt)
            }
            Repeat::Retry { times, every, backoff } => {
                self.retry(&call.key, (*times, *every, *backoff), before.attempts, attempt)
            }
        };
        self.recorder.forget_looks(&call.key);
        let left = match &outcome {
            Err(Halt::Stopped) => Left::Stopped,
            Ok(Ok(_)) => Left::Completed { owes: false },
            Ok(Err(fault)) => Left::Faulted(fault.clone()),
            Err(_) => Left::Halted,
        };
        self.leave(&scope, &left)?;
        let outcome = outcome?;
        let performed = self.mark(call, ImpactKind::Wait, began, (outcome.clone(), Some(times)));
        // What a body returns goes to the script of `retry`; a wait returns nothing.
        Ok(Performed { outcome, ..performed })
    }

    fn until(
        &self,
        scope: &Scope,
        (timeout, every): (Duration, Duration),
        (began, before): (Began, u32),
        attempt: &mut dyn FnMut(u32) -> Result<Outcome, Halt>,
    ) -> Result<Outcome, Halt> {
        for n in 0.. {
            let last = attempt(n)?;
            match &last {
                Ok(Value::Bool(true)) => return Ok(Ok(Value::Null)),
                // Waiting does not mend a mistake in the body.
                Err(fault) if is_final(fault) => return Ok(last),
                _ => {}
            }
            let waited = began.elapsed(&self.act);
            if waited >= timeout {
                let found = last.err().map(|fault| fault.message).or_else(|| self.recorder.last_look(&scope.key));
                let why = found.map(|found| format!(": {found}")).unwrap_or_default();
                let message = format!("waited {} for \"{label}\", in vain{why}", Span(timeout), label = scope.title);
                return Ok(Err(Fault::new("timeout", message).hint("raise `timeout` if it only needs longer")));
            }
            // The last look is taken when the time is over, not before.
            let pause = every.min(timeout.saturating_sub(waited));
            if let Some(over) = self.pause(&scope.key, (n, before), pause)? {
                return Ok(Err(over));
            }
        }
        unreachable!("the loop has no end of its own")
    }

    fn hold(
        &self,
        call: &Invocation,
        (time, every, tolerate): (Duration, Duration, u32),
        (began, before): (Began, u32),
        attempt: &mut dyn FnMut(u32) -> Result<Outcome, Halt>,
    ) -> Result<Outcome, Halt> {
        let mut failed = Failed::default();
        for n in 0.. {
            let last = attempt(n)?;
            let held = began.elapsed(&self.act);
            match last {
                Ok(Value::Bool(true)) => failed = Failed::default(),
                // A mistake in the body is none of what it watches.
                Err(fault) if is_final(&fault) => return Ok(Err(fault)),
                other => {
                    failed.since.get_or_insert(held);
                    failed.times += 1;
                    failed.found =
                        other.err().map(|fault| fault.message).or_else(|| self.recorder.last_look(&call.key));
                }
            }
            if failed.times > tolerate {
                return Ok(Err(failed.fault(call.args.get("label"), time, n)));
            }
            // A condition that does not hold when the time is over is looked at until that is decided, one way or the other.
            if held >= time && failed.times == 0 {
                return Ok(Ok(Value::Null));
            }
            let left = time.saturating_sub(held);
            let pause = if left.is_zero() { every } else { every.min(left) };
            if let Some(over) = self.pause(&call.key, (n, before), pause)? {
                return Ok(Err(over));
            }
        }
        unreachable!("the loop has no end of its own")
    }

    fn retry(
        &self,
        key: &Key,
        (times, every, backoff): (u32, Duration, f64),
        before: u32,
        attempt: &mut dyn FnMut(u32) -> Result<Outcome, Halt>,
    ) -> Result<Outcome, Halt> {
        let mut pause = every;
        let mut last = attempt(0)?;
        for n in 1..times {
            if last.as_ref().err().is_none_or(|fault| fault.code == DEADLINE) {
                break;
            }
            if let Some(over) = self.pause(key, (n - 1, before), pause)? {
                return Ok(Err(over));
            }
            pause = pause.mul_f64(backoff).min(Duration::from_secs(3600));
            last = attempt(n)?;
        }
        Ok(last)
    }

    /// Between attempt `n` and the next one; none where the next one was begun by an earlier process. The fault when there is no
    /// time left for it.
    fn pause(&self, key: &Key, (n, before): (u32, u32), time: Duration) -> Result<Option<Fault>, Halt> {
        if n + 1 < before {
            return Ok(None);
        }
        self.recorder.commit_outcome()?;
        let act = self.act_for(key);
        let paused = self.unless_stopped(key, async {
            tokio::select! {
                slept = act.sleep(time) => slept.map(|()| None),
                over = self.deadlines.wait(key, act) => Ok(Some(over)),
            }
        })?;
        paused.map_err(|_| act.cancel().requested().unwrap_or(Halt::Cancelled))
    }
}

/// Whether no further attempt can mend it: a mistake in the body, or no time is left.
fn is_final(fault: &Fault) -> bool {
    fault.code == "script" || fault.code == DEADLINE
}

/// A condition that did not hold the last few times.
#[derive(Default)]
struct Failed {
    /// How often in a row.
    times: u32,
    /// For how long it had held, or been tolerated, before.
    since: Option<Duration>,
    /// What was found the last time.
    found: Option<String>,
}

impl Failed {
    /// The fault after `n` earlier attempts.
    fn fault(self, label: Option<&Value>, time: Duration, n: u32) -> Fault {
        let label =
            label.filter(|label| **label != Value::Null).map_or("the condition".to_owned(), |l| format!("\"{l}\""));
        let when = match self.since {
            Some(held) if n >= self.times => {
                format!("{label} stopped holding after {} of {}", Span(held).human(), Span(time))
            }
            _ => format!("{label} did not hold from the beginning"),
        };
        let times = if self.times > 1 { format!(", {} times in a row", self.times) } else { String::new() };
        let found = self.found.map(|found| format!(": {found}")).unwrap_or_default();
        Fault::new("not-held", format!("{when}{times}{found}"))
            .hint("`tolerate` is how many failing checks in a row are borne with")
    }
}
