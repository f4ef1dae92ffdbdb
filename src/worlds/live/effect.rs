//! One call, carried out.

use std::time::Duration;

use crate::model::{
    Applied, EventBody, Fault, Halt, IdempotencyKey, ImpactKind, Invocation, Key, Outcome, Performed, Rewrite,
    Settlement, Value,
};
use crate::primitives::{ErasedReconciled, Reconciled};
use crate::worlds::NOT_APPLIED;
use crate::worlds::cast::Role;

use super::{Began, Decision, Live};

/// How often it is looked whether a program has ended.
const OUTLAST_EVERY: Duration = Duration::from_millis(50);

/// What came of one attempt.
struct Attempted {
    outcome: Outcome,
    evidence: Option<String>,
    began: Began,
}

/// Where an effect stands when it is taken on.
pub(in crate::worlds) enum Standing {
    /// It has not been begun.
    New,
    /// It is a question or a pause that began at this moment.
    Awaited(jiff::Timestamp),
    /// Its attempt of this number was begun, and nobody knows what came of it.
    Open(u32),
    /// It is to be tried again; the number of the next attempt.
    Again(u32),
    /// Its attempt of this number failed, and nothing was made of that yet.
    Failed(u32, Outcome),
}

impl Live {
    /// Carries on with a call that an earlier process has begun.
    pub(in crate::worlds) fn go_on(&self, call: &Invocation, standing: Standing) -> Result<Performed, Halt> {
        self.effect(call, standing)
    }

    /// Finds out what came of a call that an earlier process has begun, and does nothing more about it. None where it did not take place.
    pub(in crate::worlds) fn look_into(&self, call: &Invocation) -> Result<Option<Performed>, Halt> {
        let role = self.cast.role(call)?;
        let key = IdempotencyKey::new(self.recorder.run().as_str(), &call.key);
        self.settle_open(call, &role, &key)
    }

    /// Makes durable what was noted: before a person is asked.
    pub(in crate::worlds) fn commit(&self) -> Result<(), Halt> {
        self.recorder.commit()
    }

    /// What a call would do as things are, in a few sentences: for whoever is asked whether it is to be done.
    pub(in crate::worlds) fn foreseen(&self, call: &Invocation) -> Vec<String> {
        let Ok(role) = self.cast.role(call) else { return Vec::new() };
        let Ok(preview) = self.handle.block_on(role.handler.preview(&call.args, &self.act)) else { return Vec::new() };
        let texts = std::iter::once(preview.summary).chain(preview.notes);
        texts.map(|text| self.act.secrets().redactor().text(text)).collect()
    }

    pub(super) fn effect(&self, call: &Invocation, standing: Standing) -> Result<Performed, Halt> {
        self.turns.goes_on(&call.key);
        let role = self.cast.role(call)?;
        let key = IdempotencyKey::new(self.recorder.run().as_str(), &call.key);
        let since = match &standing {
            Standing::Awaited(since) => Some(*since),
            _ => None,
        };
        let mut attempt = match standing {
            Standing::New | Standing::Awaited(_) => 1,
            Standing::Again(attempt) => attempt,
            Standing::Open(attempt) => match self.settle_open(call, &role, &key)? {
                Some(performed) => return Ok(performed),
                None => attempt + 1,
            },
            Standing::Failed(attempt, outcome) => match self.after(call, &role, outcome)? {
                Some(performed) => return Ok(performed),
                None => attempt + 1,
            },
        };
        loop {
            if let Some(halt) = self.act_for(&call.key).cancel().requested() {
                return Err(halt);
            }
            if self.stops.reach(&call.key) {
                return Err(Halt::Stopped);
            }
            if let Some(fault) = self.deadlines.over(&call.key, &self.act) {
                return Ok(self.refuse(call, &role, fault));
            }
            if let Some(fault) = self.secure(&role)? {
                return Ok(self.refuse(call, &role, fault));
            }
            self.intend(call, &role, attempt, since)?;
            let attempted = self.attempt(call, &role, &key, since)?;
            let outcome = self.settle(call, &role, attempted);
            match self.after(call, &role, outcome)? {
                Some(performed) => return Ok(performed),
                None => attempt += 1,
            }
        }
    }

    /// What an outcome leads to; `None` when a person wants another attempt.
    fn after(&self, call: &Invocation, role: &Role, outcome: Outcome) -> Result<Option<Performed>, Halt> {
        let changed = role.impact.kind.is_change();
        let Err(fault) = &outcome else { return Ok(Some(Performed { outcome, changed })) };
        if fault.is_refusal() {
            return Ok(Some(Performed { outcome, changed: false }));
        }
        // A driver that was interrupted has left its target as it says: nobody is asked about that.
        if fault.code == "interrupted" && self.act_for(&call.key).cancel().requested().is_some() {
            return Ok(Some(Performed { outcome, changed }));
        }
        Ok(match self.decide(call, &role.impact, fault)? {
            Decision::Retry => None,
            Decision::Skip => Some(Performed { outcome: Ok(Value::Null), changed }),
            Decision::Throw => Some(Performed { outcome, changed }),
        })
    }

    /// Settles an attempt that was begun and cut off: its process is gone, or a person did not wait for its end. `None` when it did not take
    /// place: it is carried out again.
    fn settle_open(&self, call: &Invocation, role: &Role, key: &IdempotencyKey) -> Result<Option<Performed>, Halt> {
        let began = Began::now(&self.act);
        let message = format!("`{}` was cut off before it was seen to end", call.primitive);
        let fault = Fault::new(NOT_APPLIED, message).applied(Applied::Unknown);
        let found = match self.evidence(call, role, key) {
            // A message that may not have come is sent again, with the same idempotency key: better twice than not at all.
            Reconciled::Unknown { .. } if role.impact.kind == ImpactKind::Tell => {
                Reconciled::NotApplied { evidence: "nobody knows whether it came: it is sent again".to_owned() }
            }
            found => found,
        };
        let (outcome, evidence) = self.settled_by(call, role, found, fault)?;
        let again = outcome.is_err();
        let outcome = self.settle(call, role, Attempted { outcome, evidence, began });
        if again {
            return Ok(None);
        }
        Ok(Some(Performed { outcome, changed: role.impact.kind.is_change() }))
    }

    /// Makes the intent durable. Looks and questions have no effect to be intended, but what came before them may not be lost
    /// while they take their time.
    fn intend(&self, call: &Invocation, role: &Role, attempt: u32, since: Option<jiff::Timestamp>) -> Result<(), Halt> {
        if !has_effect(role.impact.kind) {
            self.recorder.announce(call, &role.impact);
            // What may take long, and ends from outside, is found again after a crash.
            if matches!(role.impact.kind, ImpactKind::Ask | ImpactKind::Wait) && since.is_none() {
                let (key, primitive) = (call.key.clone(), call.primitive.to_owned());
                let (args, site) = (call.args.clone(), call.site.clone());
                self.recorder.note(EventBody::Awaiting { key, primitive, args, site });
                return self.recorder.commit();
            }
            return self.recorder.commit_outcome();
        }
        self.recorder.note(EventBody::Intended {
            key: call.key.clone(),
            attempt,
            primitive: call.primitive.to_owned(),
            args: call.args.clone(),
            site: call.site.clone(),
            impact: role.impact.clone(),
        });
        self.recorder.commit()
    }

    fn attempt(
        &self,
        call: &Invocation,
        role: &Role,
        key: &IdempotencyKey,
        since: Option<jiff::Timestamp>,
    ) -> Result<Attempted, Halt> {
        let began = Began::now(&self.act).earlier(since);
        let outcome = self.carry_out(call, role, key, began)?;
        match outcome {
            Err(fault) if fault.applied == Applied::Unknown && has_effect(role.impact.kind) => {
                let (outcome, evidence) = self.settled_by(call, role, self.evidence(call, role, key), fault)?;
                Ok(Attempted { outcome, evidence, began })
            }
            outcome => Ok(Attempted { outcome, evidence: None, began }),
        }
    }

    fn carry_out(&self, call: &Invocation, role: &Role, key: &IdempotencyKey, began: Began) -> Result<Outcome, Halt> {
        let act = self.act_for(&call.key);
        let perform = |act| role.handler.perform(&call.args, act, key);
        let waited = || act.having_waited(began.elapsed(act));
        let outcome = match role.impact.kind {
            // A look and a wait can be dropped at any time; what has an effect must say itself how far it came.
            ImpactKind::Look => self.unless_over(&call.key, perform(act)),
            ImpactKind::Wait => self.unless_over(&call.key, perform(&waited())),
            ImpactKind::Ask => {
                let _turn = self.turn_to_ask(&call.key)?;
                let act = waited().answered_by(self.asking(call));
                let answered = self.unless_over(&call.key, perform(&act))?;
                self.unless_waiting(call, answered)
            }
            _ => Ok(self.handle.block_on(perform(act))),
        };
        // A script that saw what the record does not hold could not be replayed.
        outcome.map(|outcome| self.act.secrets().redactor().outcome(outcome))
    }

    /// Waits for the outcome of a call that can be dropped, as long as there is time for it.
    fn unless_over(&self, key: &Key, work: impl Future<Output = Outcome>) -> Result<Outcome, Halt> {
        self.unless_stopped(key, async {
            tokio::select! {
                biased;
                outcome = work => outcome,
                fault = self.deadlines.wait(key, &self.act) => Err(fault),
            }
        })
    }

    /// Sees to it that the run has what it is about to change. The fault when another run has it.
    fn secure(&self, role: &Role) -> Result<Option<Fault>, Halt> {
        match (self.recorder.tenure(), role.target) {
            (Some(tenure), Some(target)) if role.impact.kind.is_change() => Ok(tenure.secure(target)?.err()),
            _ => Ok(None),
        }
    }

    /// The call is refused before it begins: there is no time for it, or another run has its target.
    fn refuse(&self, call: &Invocation, role: &Role, fault: Fault) -> Performed {
        let attempted = Attempted { outcome: Err(fault), evidence: None, began: Began::now(&self.act) };
        Performed { outcome: self.settle(call, role, attempted), changed: false }
    }

    /// Asks the driver for evidence of an effect whose outcome nobody received.
    fn evidence(&self, call: &Invocation, role: &Role, key: &IdempotencyKey) -> ErasedReconciled {
        // A request to cancel ended the effect, and must not end the search for what came of it as well.
        match self.outlast(call, key) {
            Some(why) => Reconciled::Unknown { why },
            None => self.handle.block_on(role.handler.reconcile(&call.args, &self.undoing, key)),
        }
    }

    /// What the evidence makes of an effect that ended with `fault`, as far as anybody received that.
    fn settled_by(
        &self,
        call: &Invocation,
        role: &Role,
        found: ErasedReconciled,
        fault: Fault,
    ) -> Result<(Outcome, Option<String>), Halt> {
        let redactor = self.act.secrets().redactor();
        match found {
            Reconciled::Applied { output, evidence } => Ok((Ok(redactor.value(output)), Some(evidence))),
            Reconciled::NotApplied { evidence } => Ok((Err(fault.applied(Applied::No)), Some(evidence))),
            // Whether somebody was told is no reason to stop a recovery, unless the runbook says so.
            Reconciled::Unknown { .. } if !may_stop(call, role) => Ok((Err(fault), None)),
            Reconciled::Unknown { why } => {
                let why = redactor.text(format!("{}; {why}", fault.message));
                self.recorder.note(EventBody::InDoubt { key: call.key.clone(), why: why.clone() });
                self.recorder.commit()?;
                let (key, targets) = (call.key.clone(), role.impact.targets.clone());
                Err(Halt::InDoubt { key, primitive: call.primitive.to_owned(), targets, why })
            }
        }
    }

    /// Waits until the programs of a call have ended that outlived the process which started them: what they still do is not to be
    /// seen yet. Returns why nothing can be known, if that is not to be waited for.
    fn outlast(&self, call: &Invocation, key: &IdempotencyKey) -> Option<String> {
        let mut told = false;
        loop {
            let running = self.act.carrying_out(key);
            let program = running.first()?;
            let carried_out = format!("process {} (`{}`) still carries it out", program.pid, program.command.join(" "));
            if !told {
                self.act.show(&format!("`{}`: {carried_out}; waiting for its end", call.primitive));
                told = true;
            }
            if self.handle.block_on(self.undoing.sleep(OUTLAST_EVERY)).is_err() {
                return Some(carried_out);
            }
        }
    }

    fn settle(&self, call: &Invocation, role: &Role, attempted: Attempted) -> Outcome {
        let outcome = attempted.outcome.map_err(|mut fault| {
            fault.site.get_or_insert_with(|| call.site.to_string());
            if fault.target.is_none() {
                fault.target = role.target.map(str::to_owned);
            }
            fault
        });
        let refused = matches!(&outcome, Err(fault) if fault.is_refusal());
        self.recorder.note(EventBody::Settled(Box::new(Settlement {
            key: call.key.clone(),
            primitive: call.primitive.to_owned(),
            args: (!has_effect(role.impact.kind) || refused).then(|| call.args.clone()),
            site: call.site.clone(),
            impact: role.impact.clone(),
            outcome: outcome.clone(),
            began: attempted.began.at,
            elapsed_ms: attempted.began.elapsed_ms(&self.act),
            repeats: None,
            evidence: attempted.evidence,
        })));
        outcome
    }
}

/// Whether a call of this kind reaches beyond the journal, so that its intent must be durable before it starts.
fn has_effect(kind: ImpactKind) -> bool {
    matches!(kind, ImpactKind::Change | ImpactKind::Destroy | ImpactKind::Tell)
}

/// Whether doubt about this call ends the run.
fn may_stop(call: &Invocation, role: &Role) -> bool {
    role.impact.kind != ImpactKind::Tell || call.args.get("required") == Some(&Value::Bool(true))
}
