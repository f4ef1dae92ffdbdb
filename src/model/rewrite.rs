//! Rewriting every free text of a record: how secrets are taken out of what is stored and shown.

use super::{
    EventBody, Fault, Foreseen, Halt, Left, Outcome, PlanLine, PlanResult, Scope, ScopeKind, Settlement, UnwoundStep,
    Value,
};

/// Gives each text and value the form in which it may be stored and shown.
pub trait Rewrite {
    /// A text.
    fn text(&self, text: String) -> String;

    /// A value, with every text inside.
    fn value(&self, value: Value) -> Value;

    /// A fault.
    fn fault(&self, fault: Fault) -> Fault {
        Fault { message: self.text(fault.message), hint: fault.hint.map(|hint| self.text(hint)), ..fault }
    }

    /// An outcome.
    fn outcome(&self, outcome: Outcome) -> Outcome {
        outcome.map(|value| self.value(value)).map_err(|fault| self.fault(fault))
    }

    /// What an event says. Names, places and numbers stay as they are: the record is read by them.
    fn event(&self, body: EventBody) -> EventBody {
        let texts = |list: Vec<String>| list.into_iter().map(|text| self.text(text)).collect();
        match body {
            EventBody::Started(mut started) => {
                started.params = self.value(std::mem::take(&mut started.params));
                EventBody::Started(started)
            }
            EventBody::Entered { scope } => EventBody::Entered { scope: self.scope(scope) },
            EventBody::Left { key, how: Left::Faulted(fault) } => {
                EventBody::Left { key, how: Left::Faulted(self.fault(fault)) }
            }
            EventBody::Intended { key, attempt, primitive, args, site, impact } => {
                EventBody::Intended { key, attempt, primitive, args: self.value(args), site, impact }
            }
            EventBody::Settled(settled) => EventBody::Settled(Box::new(Settlement {
                args: settled.args.map(|args| self.value(args)),
                outcome: self.outcome(settled.outcome),
                evidence: settled.evidence.map(|evidence| self.text(evidence)),
                ..*settled
            })),
            EventBody::Foreseen(foreseen) => EventBody::Foreseen(Box::new(Foreseen {
                args: self.value(foreseen.args),
                summary: self.text(foreseen.summary),
                outcome: self.outcome(foreseen.outcome),
                ..*foreseen
            })),
            EventBody::InDoubt { key, why } => EventBody::InDoubt { key, why: self.text(why) },
            EventBody::Awaiting { key, primitive, args, site } => {
                EventBody::Awaiting { key, primitive, args: self.value(args), site }
            }
            EventBody::Answered { key, answer, by } => EventBody::Answered { key, answer: self.text(answer), by },
            EventBody::Cancelling { by, reason, abort } => {
                EventBody::Cancelling { by, reason: reason.map(|reason| self.text(reason)), abort }
            }
            EventBody::Decided { key, decision, reason } => {
                EventBody::Decided { key, decision, reason: reason.map(|reason| self.text(reason)) }
            }
            EventBody::Unwinding { cause, owed, halt } => EventBody::Unwinding {
                cause: self.text(cause),
                owed: texts(owed),
                halt: halt.map(|halt| self.halt(halt)),
            },
            EventBody::Ended { status, why, unwound, owed, value } => {
                let step = |step: UnwoundStep| UnwoundStep { fault: step.fault.map(|f| self.fault(f)), ..step };
                EventBody::Ended {
                    status,
                    why: why.map(|why| self.text(why)),
                    unwound: unwound.into_iter().map(step).collect(),
                    owed: texts(owed),
                    value: self.value(value),
                }
            }
            EventBody::Updated { key, number, channel, message, delivered, detail } => EventBody::Updated {
                key,
                number,
                channel,
                message: self.text(message),
                delivered,
                detail: self.text(detail),
            },
            other @ (EventBody::Left { .. } | EventBody::Resumed { .. }) => other,
        }
    }

    /// A halt. Those for which a run is unwound hold no more text than what is wrong with a runbook.
    fn halt(&self, halt: Halt) -> Halt {
        match halt {
            Halt::Mistake { why, site, hint } => {
                Halt::Mistake { why: self.text(why), site, hint: hint.map(|hint| self.text(hint)) }
            }
            halt => halt,
        }
    }

    /// A line of a plan.
    fn line(&self, line: PlanLine) -> PlanLine {
        let option = |text: Option<String>| text.map(|text| self.text(text));
        PlanLine {
            args: self.value(line.args),
            summary: self.text(line.summary),
            because: option(line.because),
            before: option(line.before),
            after: option(line.after),
            notes: line.notes.into_iter().map(|note| self.text(note)).collect(),
            result: match line.result {
                PlanResult::Returns(value) => PlanResult::Returns(self.value(value)),
                PlanResult::Throws(fault) => PlanResult::Throws(self.fault(fault)),
            },
            ..line
        }
    }

    /// A scope.
    fn scope(&self, scope: Scope) -> Scope {
        let kind = match scope.kind {
            ScopeKind::Unwinding { owed, halt } => {
                let owed = owed.into_iter().map(|title| self.text(title)).collect();
                ScopeKind::Unwinding { owed, halt: halt.map(|halt| self.halt(halt)) }
            }
            kind => kind,
        };
        Scope { title: self.text(scope.title), kind, ..scope }
    }
}
