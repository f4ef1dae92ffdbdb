//! One call, carried out.

use crate::model::{
    Applied, EventBody, Fault, Halt, IdempotencyKey, ImpactKind, Invocation, Outcome, Performed, Rewrite, Settlement,
    Value,
};
use crate::primitives::Reconciled;
use crate::worlds::cast::Role;

use super::{Began, Decision, Live};

/// What came of one attempt.
struct Attempted {
    outcome: Outcome,
    evidence: Option<String>,
    began: Began,
}

impl Live {
    pub(super) fn effect(&self, call: &Invocation) -> Result<Performed, Halt> {
        let role = self.cast.role(call)?;
        let key = IdempotencyKey::new(self.recorder.run().as_str(), &call.key);
        let mut attempt = 1;
        loop {
            if let Some(halt) = self.act.cancel().requested() {
                return Err(halt);
            }
            self.intend(call, &role, attempt)?;
            let attempted = self.attempt(call, &role, &key)?;
            let fault = attempted.outcome.as_ref().err().cloned();
            let outcome = self.settle(call, &role, attempted);
            let changed = role.impact.kind.is_change();
            // A driver that was interrupted has left its target as it says: nobody is asked about that.
            if fault.as_ref().is_some_and(|f| f.code == "interrupted") && self.act.cancel().requested().is_some() {
                return Ok(Performed { outcome, changed });
            }
            match fault {
                Some(fault) => match self.decide(call, &role.impact, &fault)? {
                    Decision::Retry => attempt += 1,
                    Decision::Skip => return Ok(Performed { outcome: Ok(Value::Null), changed }),
                    Decision::Throw => return Ok(Performed { outcome, changed }),
                },
                None => return Ok(Performed { outcome, changed }),
            }
        }
    }

    /// Makes the intent durable. Looks and questions have no effect to be intended, but what came before them may not be lost
    /// while they take their time.
    fn intend(&self, call: &Invocation, role: &Role, attempt: u32) -> Result<(), Halt> {
        if !has_effect(role.impact.kind) {
            self.recorder.announce(call, &role.impact);
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

    fn attempt(&self, call: &Invocation, role: &Role, key: &IdempotencyKey) -> Result<Attempted, Halt> {
        let began = Began::now(&self.act);
        let outcome = self.carry_out(call, role, key)?;
        match outcome {
            Err(fault) if fault.applied == Applied::Unknown && role.impact.kind.is_change() => {
                let (outcome, evidence) = self.reconcile(call, role, key, fault)?;
                Ok(Attempted { outcome, evidence, began })
            }
            outcome => Ok(Attempted { outcome, evidence: None, began }),
        }
    }

    fn carry_out(&self, call: &Invocation, role: &Role, key: &IdempotencyKey) -> Result<Outcome, Halt> {
        let work = role.handler.perform(&call.args, &self.act, key);
        let outcome = self.handle.block_on(async {
            if role.impact.kind != ImpactKind::Look {
                return Ok(work.await);
            }
            // A look can be dropped at any time; what has an effect must say itself how far it came.
            tokio::select! {
                outcome = work => Ok(outcome),
                () = self.act.cancel().wait() => Err(self.act.cancel().requested().unwrap_or(Halt::Cancelled)),
            }
        });
        // A script that saw what the record does not hold could not be replayed.
        outcome.map(|outcome| self.act.secrets().redactor().outcome(outcome))
    }

    /// Asks the driver for evidence of an effect whose outcome nobody received.
    fn reconcile(
        &self,
        call: &Invocation,
        role: &Role,
        key: &IdempotencyKey,
        fault: Fault,
    ) -> Result<(Outcome, Option<String>), Halt> {
        // A request to cancel ended the effect, and must not end the search for what came of it as well.
        self.act.cancel().begin_unwinding();
        let found = self.handle.block_on(role.handler.reconcile(&call.args, &self.act, key));
        self.act.cancel().end_unwinding();
        let redactor = self.act.secrets().redactor();
        match found {
            Reconciled::Applied { output, evidence } => Ok((Ok(redactor.value(output)), Some(evidence))),
            Reconciled::NotApplied { evidence } => Ok((Err(fault.applied(Applied::No)), Some(evidence))),
            Reconciled::Unknown { why } => {
                let why = redactor.text(format!("{}; {why}", fault.message));
                self.recorder.note(EventBody::InDoubt { key: call.key.clone(), why: why.clone() });
                self.recorder.commit()?;
                let (key, targets) = (call.key.clone(), role.impact.targets.clone());
                Err(Halt::InDoubt { key, primitive: call.primitive.to_owned(), targets, why })
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
        self.recorder.note(EventBody::Settled(Box::new(Settlement {
            key: call.key.clone(),
            primitive: call.primitive.to_owned(),
            args: (!has_effect(role.impact.kind)).then(|| call.args.clone()),
            site: call.site.clone(),
            impact: role.impact.clone(),
            outcome: outcome.clone(),
            began: attempted.began.at,
            elapsed_ms: attempted.began.elapsed_ms(&self.act),
            evidence: attempted.evidence,
        })));
        outcome
    }
}

/// Whether a call of this kind reaches beyond the journal, so that its intent must be durable before it starts.
fn has_effect(kind: ImpactKind) -> bool {
    matches!(kind, ImpactKind::Change | ImpactKind::Destroy | ImpactKind::Tell)
}
