//! Calls with a body: how often it runs on a path, and what comes of it.

use std::sync::{Arc, PoisonError};

use crate::model::{
    Fault, Halt, HappeningKind, ImpactKind, Invocation, Manner, Mood, Outcome, Performed, Repeat, Value,
};

use super::cases::{CANCELLED, note};
use super::limits::is_final;
use super::story::said;
use super::trace::manner;
use super::{Call, Explore, Visit, Walk};

/// How often a body runs that has only one way, such as one that counts.
const AGAIN: u32 = 10_000;
/// The names of the ways in which a wait is over.
const CAME_TRUE: &str = "came true";
const IN_VAIN: &str = "not in time";
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
        if let Some(recorded) = self.repeat_as_recorded(call, policy, attempt)? {
            return Ok(recorded);
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
                let failed = |outcome: &Outcome| outcome.as_ref().is_err_and(|fault| !is_final(fault));
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
        if !call.key.in_rollback() && !self.was_begun(call) {
            let mut walk = self.walk();
            let cancelled = walk.fork(&call.site, 2, 1)? == 1;
            let way = if cancelled { manner(1, CANCELLED, Mood::Cancelled) } else { manner(0, "begins", Mood::Fine) };
            walk.note_wait(call, way);
            self.note_end(call, (CANCELLED, usize::MAX - 1, cancelled));
            if cancelled {
                return Err(walk.cancel(&call.site));
            }
        }
        let waits_for = |outcome: &Outcome| match outcome {
            // A mistake in the body is none of what it waits for.
            Err(fault) => is_final(fault),
            Ok(value) => *value != Value::Bool(false),
        };
        let holds = code == NOT_HELD;
        let outcome =
            self.until_it_forks(AGAIN, attempt, &mut |outcome, forked| match (waits_for(outcome), forked) {
                (true, _) => Ok(false),
                // Whoever watches gives up at the first look that fails; whoever waits looks again, or has no time left.
                (false, true) if holds => Ok(false),
                (false, true) => self.walk().looks_again(call),
                (false, false) => Ok(!holds),
            })?;
        if outcome.as_ref().is_err_and(is_final) {
            return Ok(Performed::unchanged(outcome));
        }
        let mut walk = self.walk();
        // Where not every way is walked any more, it is taken to come true: what is behind it counts.
        let came = waits_for(&outcome) || walk.bounded.contains(&call.site);
        let (way, mood) = if came { (CAME_TRUE, Mood::Fine) } else { (IN_VAIN, Mood::Failed) };
        self.note_end(call, (CAME_TRUE, 0, came));
        self.note_end(call, (IN_VAIN, 1, !came));
        walk.note_wait(call, manner(usize::from(!came), way, mood));
        let waited = Walk::waited(call, came, walk.path.open);
        walk.path.visits.push(Visit::Waited { call: waited });
        let fault = || Fault { site: Some(call.site.to_string()), ..Fault::new(code, message) };
        Ok(Performed::unchanged(if came { Ok(Value::Null) } else { Err(fault()) }))
    }

    /// A way in which a wait can be over: its name, its position, and whether this path takes it.
    fn note_end(&self, call: &Invocation, way: (&'static str, usize, bool)) {
        let mut forgotten = self.forgotten.lock().unwrap_or_else(PoisonError::into_inner);
        note(&mut forgotten, &call.site, call.primitive, [way]);
    }
}

impl Walk {
    /// Whether there is time to look once more.
    fn looks_again(&mut self, call: &Invocation) -> Result<bool, Halt> {
        let over = self.fork(&call.site, 2, 1)?;
        let way = if over == 0 { ("looks again", Mood::Fine) } else { ("no time left", Mood::Failed) };
        self.note_wait(call, manner(over, way.0, way.1));
        Ok(over == 0)
    }

    pub(super) fn note_wait(&mut self, call: &Invocation, manner: Manner) {
        let kind = HappeningKind::Call(ImpactKind::Wait);
        self.note(&call.site, kind, || (said(call.primitive, None, &call.args).into(), manner));
    }

    /// A wait, as it stands on a path.
    pub(super) fn waited(call: &Invocation, came: bool, step: Option<usize>) -> Call {
        Call {
            site: call.site.clone(),
            primitive: call.primitive,
            args: Arc::new(call.args.clone()),
            target: None,
            kind: ImpactKind::Wait,
            way: if came { CAME_TRUE } else { IN_VAIN },
            failed: !came,
            changed: false,
            undoing: call.key.in_rollback(),
            step,
            effect: None,
        }
    }
}
