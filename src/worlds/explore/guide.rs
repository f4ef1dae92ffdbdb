//! Paths that go as a plan has it, and stray from it at one call.
//!
//! The plan has looked at what there is, so these are the failures of the run that would begin now, not of any run.

use std::collections::HashMap;
use std::sync::Arc;

use crate::model::{CaseResult, Fault, Halt, ImpactKind, Invocation, Key, Outcome, Performed, Value};
use crate::model::{PlanLine, PlanResult, Symbol};
use crate::worlds::Cast;

use super::effect::Effect;
use super::ways::Known;
use super::{Call, Explore, Visit, Walk};

/// How each call of a plan ends.
pub(super) struct Guide(HashMap<Key, Planned>);

/// How one call ends.
pub(super) struct Planned {
    outcome: Outcome,
    changes: bool,
}

/// Where a path strayed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Strayed {
    /// At which call of the plan.
    pub key: Key,
    /// The position of that call in [`super::Path::visits`].
    pub visit: usize,
    /// What happens there: its position in [`super::Trace::events`], where these are kept.
    pub event: usize,
}

impl Explore {
    /// The world of the paths that go along a plan with these lines. The first one goes along it to its end, and those that leave it
    /// with one failure stray at one call: every other way of it counts as a failure.
    pub fn along<'a>(cast: Cast, lines: impl IntoIterator<Item = &'a PlanLine>) -> Self {
        let planned = |line: &PlanLine| Planned {
            changes: line.impact.kind.is_change() && line.symbol != Symbol::Nothing,
            outcome: match &line.result {
                PlanResult::Returns(value) => Ok(value.clone()),
                PlanResult::Throws(fault) => Err(fault.clone()),
            },
        };
        let lines = lines.into_iter().map(|line| (line.key.clone(), planned(line)));
        Self { guide: Some(Guide(lines.collect())), ..Self::new(cast, Vec::new()) }
    }

    /// How the call at this place ends in the plan.
    pub(super) fn planned(&self, key: &Key) -> Option<&Planned> {
        self.guide.as_ref()?.0.get(key)
    }

    /// A call of the plan ends as it does there, or in one of its other ways.
    pub(super) fn end_as_planned(&self, call: &Invocation, planned: &Planned) -> Result<Performed, Halt> {
        // Where nobody can say in which ways it ends, it ends as planned.
        let Ok(known) = self.known(call) else { return Ok(Performed::unchanged(planned.outcome.clone())) };
        let mut walk = self.walk();
        let others = if walk.waits > 0 || walk.strayed.is_some() { Vec::new() } else { known.others(planned) };
        let doubts = usize::from(!others.is_empty() && known.doubtful && planned.changes);
        let taken = match others.len() + doubts {
            0 => 0,
            strays => walk.choices.take(1 + strays, strays),
        };
        if taken > 0 {
            walk.stray(&call.key);
        }
        if taken > others.len() {
            return Err(walk.doubt(call, &known));
        }
        let way = taken.checked_sub(1).map(|n| &known.ways[others[n]]);
        let (name, changed) = way.map_or(("as planned", planned.changes), |way| (way.case.name, way.changed));
        let (outcome, effect) = match way {
            Some(way) => {
                let (outcome, effect) = walk.outcome(call, &known, way);
                let planned = known.effect(call, planned.outcome.as_ref().ok());
                // What the plan has looked at is so, however the call ends.
                let knowing = |(effect, planned): (Arc<Effect>, Arc<Effect>)| effect.knowing(&planned).into();
                (outcome, effect.zip(planned).map(knowing))
            }
            None => (planned.outcome.clone(), known.effect(call, planned.outcome.as_ref().ok())),
        };
        if changed {
            walk.changed.extend(known.impact.targets.iter().cloned());
        }
        let visit = known.visit(call, (name, outcome.is_err(), changed), walk.path.open);
        walk.path.visits.push(Visit::Called(Call { effect, ..visit }));
        Ok(Performed { outcome, changed: known.impact.kind.is_change() })
    }

    /// A wait of the plan comes true, or it does not.
    pub(super) fn wait_as_planned(
        &self,
        call: &Invocation,
        attempt: &mut dyn FnMut(u32) -> Result<Outcome, Halt>,
        in_vain: Fault,
    ) -> Result<Performed, Halt> {
        self.walk().waits += 1;
        let looked = attempt(0)?;
        let mut walk = self.walk();
        walk.waits -= 1;
        if looked.as_ref().is_err_and(|fault| fault.code == "script") {
            return Ok(Performed::unchanged(looked));
        }
        let came = walk.waits > 0 || walk.strayed.is_some() || walk.choices.take(2, 1) == 0;
        if !came {
            walk.stray(&call.key);
        }
        let waited = Walk::waited(call, came, walk.path.open);
        walk.path.visits.push(Visit::Waited { call: waited });
        let in_vain = Fault { site: Some(call.site.to_string()), ..in_vain };
        Ok(Performed::unchanged(if came { Ok(Value::Null) } else { Err(in_vain) }))
    }
}

impl Walk {
    pub(super) fn stray(&mut self, key: &Key) {
        let event = self.trace.as_ref().map_or(0, |trace| trace.events.len());
        self.strayed = Some(Strayed { key: key.clone(), visit: self.path.visits.len(), event });
    }
}

impl Known {
    /// The ways that are no success, and those of a look that are not as planned.
    fn others(&self, planned: &Planned) -> Vec<usize> {
        let looks = self.impact.kind == ImpactKind::Look;
        let other = |result: &CaseResult| match (result, &planned.outcome) {
            (CaseResult::Fails { code, .. }, Err(fault)) => fault.code != *code,
            (CaseResult::Fails { .. }, Ok(_)) => true,
            (CaseResult::Returns(certain), Ok(planned)) => looks && !agrees(planned, certain),
            (CaseResult::Returns(_), Err(_)) => false,
        };
        let ways = self.ways.iter().enumerate();
        ways.filter(|(_, way)| other(&way.case.result)).map(|(n, _)| n).collect()
    }
}

/// Whether everything that is certain of a case holds of a value.
pub(super) fn agrees(value: &Value, certain: &Value) -> bool {
    match (value, certain) {
        (Value::Map(_), Value::Map(certain)) => {
            certain.iter().all(|(name, certain)| value.get(name).is_some_and(|value| agrees(value, certain)))
        }
        _ => value == certain,
    }
}
