//! Paths that begin as a run did: what is recorded ends as it ended, and behind that every way is open.

use crate::model::{
    Applied, Case, CaseResult, Fault, Halt, HappeningKind, Invocation, Manner, Mood, Outcome, Performed, Record,
    RecordedCall, Repeat, Value,
};
use crate::worlds::{Cast, NOT_APPLIED};

use super::guide::agrees;
use super::trace::manner;
use super::ways::{Known, took_place};
use super::{Call, Explore, Visit, Walk};

/// What a run has recorded.
pub(super) struct Past {
    record: Record,
    /// Whether somebody wants it to end: it goes on with nothing but rollbacks.
    stops: bool,
}

/// How a recorded call ended, where that counts still.
const RECORDED: &str = "as recorded";
/// A person lets the fault pass at which a run stands.
const GIVEN_UP: &str = "not tried again";

impl Explore {
    /// The world of the paths on which a run with this record can go on from where it is. `stops`: whether somebody wants it to end.
    pub fn behind(cast: Cast, record: Record, stops: bool) -> Self {
        Self { past: Some(Past { record, stops }), ..Self::new(cast, Vec::new()) }
    }

    /// How a call ends that is recorded; none where it is open how it ends. The error says that it is another call than was recorded,
    /// or that the run is to stop here.
    pub(super) fn end_as_recorded(&self, call: &Invocation) -> Result<Option<Performed>, Halt> {
        let Some(past) = &self.past else { return Ok(None) };
        let recorded = past.call(call)?;
        let outcome = recorded.and_then(counting);
        let mut walk = self.walk();
        let (outcome, way) = match (recorded, outcome) {
            (Some(recorded), Some(Err(_))) if past.stands_at(recorded, call) => {
                walk.arrive(call);
                let gives_up = walk.choices.take(2, 1) == 1;
                let outcome = recorded.outcome.clone().filter(|_| gives_up);
                let Some(outcome) = outcome else { return Ok(None) };
                (outcome, GIVEN_UP)
            }
            (_, Some(outcome)) => (outcome, RECORDED),
            (_, None) => {
                walk.arrive(call);
                if past.stops && !call.key.in_rollback() {
                    return Err(walk.cancel(&call.site));
                }
                return Ok(None);
            }
        };
        drop(walk);
        let Ok(known) = self.known(call) else { return Ok(Some(Performed::unchanged(outcome))) };
        let may_change = known.impact.kind.is_change();
        let refused = matches!(&outcome, Err(fault) if fault.is_refusal());
        let changed = may_change && took_effect(call, &outcome);
        let mut walk = self.walk();
        if changed {
            walk.changed.extend(known.impact.targets.iter().cloned());
        }
        let kind = HappeningKind::Call(known.impact.kind);
        walk.note(&call.site, kind, || (known.said(), known.recorded(&outcome, way, changed)));
        let effect = known.effect(call, outcome.as_ref().ok());
        let visit = known.visit(call, (way, outcome.is_err(), changed), walk.path.open);
        walk.path.visits.push(Visit::Called(Call { effect, ..visit }));
        Ok(Some(Performed { outcome, changed: may_change && !refused }))
    }

    /// What comes of a body that ran as often as is recorded; none where it may run again.
    pub(super) fn repeat_as_recorded(
        &self,
        call: &Invocation,
        policy: &Repeat,
        attempt: &mut dyn FnMut(u32) -> Result<Outcome, Halt>,
    ) -> Result<Option<Performed>, Halt> {
        let Some(past) = &self.past else { return Ok(None) };
        let Some(recorded) = past.call(call)? else { return Ok(None) };
        let Some(outcome) = counting(recorded) else { return Ok(None) };
        for n in 0..recorded.repeats.unwrap_or(1).max(past.record.attempts(&call.key)) {
            let _ = attempt(n)?;
        }
        let mut walk = self.walk();
        if matches!(policy, Repeat::Retry { .. }) {
            walk.path.passed.push(call.site.clone());
        } else {
            let waited = Walk::waited(call, outcome.is_ok(), walk.path.open);
            let mood = if waited.failed { Mood::Failed } else { Mood::Fine };
            walk.note_wait(call, manner(0, waited.way, mood));
            walk.path.visits.push(Visit::Waited { call: waited });
        }
        Ok(Some(Performed::unchanged(outcome)))
    }

    /// Whether the body of a call has been begun by the run.
    pub(super) fn was_begun(&self, call: &Invocation) -> bool {
        self.past.as_ref().is_some_and(|past| past.record.attempts(&call.key) > 0)
    }
}

impl Known {
    /// How a recorded call went: the way that is like it, if there is one.
    fn recorded(&self, outcome: &Outcome, way: &'static str, changed: bool) -> Manner {
        let like = |case: &CaseResult| match (case, outcome) {
            (CaseResult::Fails { code, .. }, Err(fault)) => fault.code == *code,
            (CaseResult::Returns(certain), Ok(value)) => agrees(value, certain),
            _ => false,
        };
        if way == RECORDED
            && let Some(manner) = self.manner_like(like)
        {
            return manner;
        }
        let mood = match (outcome, changed) {
            (Ok(_), _) => Mood::Fine,
            (Err(_), true) => Mood::Applied,
            (Err(_), false) => Mood::Failed,
        };
        manner(usize::from(way == GIVEN_UP), way, mood)
    }
}

impl Past {
    fn call(&self, call: &Invocation) -> Result<Option<&RecordedCall>, Halt> {
        let requested = || format!("{}({})", call.primitive, call.args);
        match self.record.call(&call.key) {
            Some(recorded) if recorded.primitive != call.primitive || recorded.args != call.args => {
                Err(Halt::Diverged { key: call.key.clone(), recorded: recorded.describe(), requested: requested() })
            }
            found => Ok(found),
        }
    }

    /// Whether the run stands at this call, which failed: nobody has decided yet what becomes of that.
    fn stands_at(&self, recorded: &RecordedCall, call: &Invocation) -> bool {
        recorded.decision.is_none() && recorded.impact.kind.is_change() && self.record.ends_with(&call.key)
    }
}

impl Walk {
    /// The path leaves what is recorded.
    fn arrive(&mut self, call: &Invocation) {
        if self.strayed.is_none() {
            self.stray(&call.key);
        }
    }
}

/// What the script got of a recorded call; none where it is carried out (once more).
fn counting(recorded: &RecordedCall) -> Option<Outcome> {
    match (recorded.outcome.as_ref()?, recorded.decision.as_deref()) {
        (Err(_), Some("retry" | "leave")) => None,
        (Err(fault), None) if fault.code == NOT_APPLIED => None,
        (Err(_), Some("skip")) => Some(Ok(Value::Null)),
        (outcome, _) => Some(outcome.clone()),
    }
}

fn took_effect(call: &Invocation, outcome: &Outcome) -> bool {
    match outcome {
        Ok(output) => took_place(call, &Case::returns(RECORDED, output.clone())),
        Err(Fault { applied, .. }) => *applied != Applied::No,
    }
}
