//! The worlds of a session: one in which changes are only planned, one in which they take place, one for what is long over; and what
//! passes calls on to the one that counts for what was typed last.

mod armed;
mod retrace;
mod switch;

use std::ops::Deref;
use std::sync::{Arc, Mutex, PoisonError};

use crate::model::{
    After, Basis, EventBody, Foreseen, Halt, ImpactKind, Invocation, Left, Outcome, Performed, PlanLine, Repeat, Scope,
    Settlement, World,
};
use crate::system::Look;

use super::around::Around;
use super::live::Recorder;
use super::plan::PlanWorld;

pub use armed::{Armed, Warden};
pub use retrace::Retrace;
pub use switch::Switch;

/// Looks are real and recorded; everything else is planned, and what the script got for it is recorded, so that it gets the same when
/// the session is taken up again.
pub struct Dry {
    plan: PlanWorld,
    look: Look,
    recorder: Arc<Recorder>,
    /// What is not recorded yet, where that is left to the caller.
    kept: Option<Mutex<Vec<EventBody>>>,
}

impl Dry {
    /// Plans in `plan`, which looks through `look`.
    pub fn new(plan: PlanWorld, look: Look, recorder: Arc<Recorder>) -> Self {
        Self { plan, look, recorder, kept: None }
    }

    /// The same, which records nothing unless [`Dry::record`] is called.
    #[must_use]
    pub fn unrecorded(self) -> Self {
        Self { kept: Some(Mutex::default()), ..self }
    }

    /// Records everything that happened.
    pub fn record(&self) {
        let kept =
            self.kept.as_ref().map(|kept| std::mem::take(&mut *kept.lock().unwrap_or_else(PoisonError::into_inner)));
        kept.into_iter().flatten().for_each(|event| self.recorder.note(event));
    }

    /// What was planned.
    pub fn plan(&self) -> &PlanWorld {
        &self.plan
    }

    fn note(&self, event: EventBody) {
        match &self.kept {
            Some(kept) => kept.lock().unwrap_or_else(PoisonError::into_inner).push(event),
            None => self.recorder.note(event),
        }
    }

    fn foreseen(&self, call: &Invocation, line: PlanLine, outcome: &Outcome, repeats: Option<u32>) {
        self.note(EventBody::Foreseen(Box::new(Foreseen {
            key: call.key.clone(),
            primitive: call.primitive.to_owned(),
            args: call.args.clone(),
            site: call.site.clone(),
            impact: line.impact,
            summary: line.summary,
            basis: line.basis,
            outcome: outcome.clone(),
            repeats,
        })));
    }
}

impl Around for Dry {
    fn inner(&self) -> impl Deref<Target = dyn World + '_> {
        &self.plan as &dyn World
    }

    fn perform(&self, call: &Invocation) -> Result<Performed, Halt> {
        let (began, clock) = (self.look.now(), self.look.monotonic());
        let performed = self.plan.perform(call)?;
        let Some(line) = self.plan.last_line() else { return Ok(performed) };
        if line.basis == Basis::Observed && line.impact.kind == ImpactKind::Look {
            let elapsed = self.look.monotonic().saturating_sub(clock);
            self.note(EventBody::Settled(Box::new(Settlement {
                key: call.key.clone(),
                primitive: call.primitive.to_owned(),
                args: Some(call.args.clone()),
                site: call.site.clone(),
                impact: line.impact,
                outcome: performed.outcome.clone(),
                began,
                elapsed_ms: u64::try_from(elapsed.as_millis()).unwrap_or(u64::MAX),
                repeats: None,
                evidence: None,
            })));
        } else {
            self.foreseen(call, line, &performed.outcome, None);
        }
        Ok(performed)
    }

    fn repeat(
        &self,
        call: &Invocation,
        policy: &Repeat,
        attempt: &mut dyn FnMut(u32) -> Result<Outcome, Halt>,
    ) -> Result<Performed, Halt> {
        let performed = self.plan.repeat(call, policy, attempt)?;
        if let Some(line) = self.plan.last_line() {
            self.foreseen(call, line, &performed.outcome, Some(1));
        }
        Ok(performed)
    }

    fn enter(&self, scope: &Scope) -> Result<(), Halt> {
        self.plan.enter(scope)?;
        self.note(EventBody::Entered { scope: scope.clone() });
        Ok(())
    }

    fn leave(&self, scope: &Scope, how: &Left) -> Result<After, Halt> {
        self.note(EventBody::Left { key: scope.key.clone(), how: how.clone() });
        self.plan.leave(scope, how)
    }

    fn point_of_no_return(&self, call: &Invocation, forgone: &[String]) -> Result<Performed, Halt> {
        let performed = self.plan.point_of_no_return(call, forgone)?;
        if let Some(line) = self.plan.last_line() {
            self.foreseen(call, line, &performed.outcome, None);
        }
        Ok(performed)
    }
}
