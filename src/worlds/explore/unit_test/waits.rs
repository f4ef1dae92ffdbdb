//! Calls with a body: it runs as often as the time allows, without any time going by.

use std::time::Duration;

use crate::model::{CANCELLED, Fault, Halt, Invocation, Outcome, Performed, Repeat, Value};
use crate::worlds::explore::{Visit, Walk};

use super::{Met, UnitTest};

/// How often a body runs at most: nobody gives more outcomes than that, except in a list that is longer.
const LOOKS: usize = 100;
/// The names of the ways in which a wait is over.
const ENDS: [&str; 2] = ["came true", "not in time"];

impl UnitTest {
    /// `wait_until`, `hold` and `retry`.
    pub(super) fn repeat_as_given(
        &self,
        call: &Invocation,
        policy: &Repeat,
        attempt: &mut dyn FnMut(u32) -> Result<Outcome, Halt>,
    ) -> Result<Performed, Halt> {
        if let Some(halt) = self.explore.walk().stop(call.key.in_rollback()) {
            return Err(halt);
        }
        self.visit(&call.site)?;
        if let Repeat::Retry { times, .. } = policy {
            self.course().meet(&call.site, Met::Passed);
            return self.retry(*times, attempt).map(Performed::unchanged);
        }
        let outcome = match self.given_end(call)? {
            // What is in the body is called once all the same, as it would be.
            Some(came) => attempt(0)?.err().filter(is_mistake).map_or(Ok(came), Err),
            None => self.waited(call, policy, attempt)?,
        };
        let came = match outcome {
            Ok(came) => came,
            Err(mistake) => return Ok(Performed::unchanged(Err(mistake))),
        };
        let met = ENDS.iter().enumerate().map(|(n, name)| (*name, came == (n == 0))).collect();
        self.course().meet(&call.site, Met::Call(call.primitive, met));
        let mut walk = self.explore.walk();
        let waited = Walk::waited(call, came, walk.path.open);
        walk.path.visits.push(Visit::Waited { call: waited });
        Ok(Performed::unchanged(if came { Ok(Value::Null) } else { Err(in_vain(call, policy)) }))
    }

    /// What the test says of a wait: whether it comes true.
    fn given_end(&self, call: &Invocation) -> Result<Option<bool>, Halt> {
        let Some((line, given)) = self.given(call.primitive, None, &call.args) else { return Ok(None) };
        match given.case.as_deref().filter(|_| given.value.is_none()) {
            Some(CANCELLED) if !call.key.in_rollback() => Err(self.explore.walk().cancel(&call.site)),
            Some(case) if ENDS.contains(&case) => Ok(Some(case == ENDS[0])),
            _ => {
                let why = format!("`{}` ends in one of its ways, and returns nothing", call.primitive);
                let hint = format!("it can end in: {}, {CANCELLED}", ENDS.join(", "));
                Err(self.wrong(line, why, Some(hint)))
            }
        }
    }

    /// Whether what is waited for comes true, or holds; the error is a mistake in the body.
    fn waited(
        &self,
        call: &Invocation,
        policy: &Repeat,
        attempt: &mut dyn FnMut(u32) -> Result<Outcome, Halt>,
    ) -> Result<Result<bool, Fault>, Halt> {
        let (time, every, tolerate) = match policy {
            Repeat::Until { timeout, every } => (*timeout, *every, None),
            Repeat::Hold { time, every, tolerate } => (*time, *every, Some(*tolerate)),
            Repeat::Retry { .. } => return Ok(Ok(true)),
        };
        let looks = looks(time, every).min(LOOKS.max(self.in_turn() + 1));
        let mut failed = 0;
        for n in 0.. {
            let holds = match attempt(u32::try_from(n).unwrap_or(u32::MAX))? {
                Err(fault) if is_mistake(&fault) => return Ok(Err(fault)),
                Ok(Value::Unknown(unknown)) => return Err(unknown_end(call, unknown.as_str())),
                outcome => outcome == Ok(Value::Bool(true)),
            };
            failed = if holds { 0 } else { failed + 1 };
            let is_last = n + 1 >= looks;
            match tolerate {
                None if holds => return Ok(Ok(true)),
                None if is_last => return Ok(Ok(false)),
                Some(tolerate) if failed > tolerate => return Ok(Ok(false)),
                // What does not hold at the last look is looked at until that is decided.
                Some(_) if is_last && failed == 0 => return Ok(Ok(true)),
                _ => {}
            }
        }
        unreachable!("the loop has no end of its own")
    }

    fn retry(&self, times: u32, attempt: &mut dyn FnMut(u32) -> Result<Outcome, Halt>) -> Result<Outcome, Halt> {
        let mut last = attempt(0)?;
        for n in 1..times {
            if last.is_ok() || self.explore.walk().cancelled {
                break;
            }
            last = attempt(n)?;
        }
        Ok(last)
    }
}

/// How often there is time to look.
fn looks(time: Duration, every: Duration) -> usize {
    let every = every.as_millis().max(1);
    usize::try_from(time.as_millis() / every).unwrap_or(LOOKS).saturating_add(1)
}

/// Whether it is none of what is waited for.
fn is_mistake(fault: &Fault) -> bool {
    fault.code == "script"
}

fn in_vain(call: &Invocation, policy: &Repeat) -> Fault {
    let label = call.args.get("label").filter(|label| **label != Value::Null);
    let what = label.map_or_else(|| "the condition".to_owned(), |label| format!("\"{label}\""));
    let fault = match policy {
        Repeat::Hold { .. } => Fault::new("not-held", format!("{what} stopped holding")),
        _ => Fault::new("timeout", format!("waited for {what}, in vain")),
    };
    Fault { site: Some(call.site.to_string()), ..fault }
}

fn unknown_end(call: &Invocation, unknown: &str) -> Halt {
    Halt::Unplannable {
        why: format!("whether `{}` is over depends on {unknown}, which the test does not give", call.primitive),
        site: call.site.clone(),
        hint: Some(super::to_give(unknown)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_looks_at_the_beginning_and_then_as_often_as_there_is_time() {
        let looks = |time, every| looks(Duration::from_millis(time), Duration::from_millis(every));
        assert_eq!([looks(0, 10), looks(10, 10), looks(25, 10), looks(5, 0)], [1, 2, 3, 6]);
    }
}
