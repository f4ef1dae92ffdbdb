//! `confirm` at the terminal, or wherever the host has its questions answered.

use crate::model::{Fault, IdempotencyKey, Symbol, Value};
use crate::primitives::ask::no_target::silence;
use crate::primitives::ask::{NOBODY, put};
use crate::primitives::{Driver, Evidence, NoTarget, Preview, Reconciled};
use crate::system::{Act, Asked, Look};

use super::{Args, Confirm, YesNo};

/// Silence is no yes, unless the runbook says so.
fn otherwise(args: &Args) -> YesNo {
    args.otherwise.unwrap_or(YesNo::No)
}

fn mistake(args: &Args) -> Option<Fault> {
    let never = args.otherwise.is_some() && args.within.is_none();
    never.then(|| {
        let fault = Fault::new("argument", "confirm: `otherwise` without `within`: it would never be taken");
        fault.hint("add `within: \"30m\"`")
    })
}

impl Driver<Confirm> for NoTarget {
    const EVIDENCE: Evidence = Evidence::NotNeeded;

    async fn preview(&self, args: &Args, _: &Look) -> Result<Preview, Fault> {
        let preview = Preview::new(Symbol::Ask, args.question.to_string()).output(Value::Bool(true));
        let preview = match args.default {
            Some(default) => preview.note(format!("an empty answer means `{}`", default.as_str())),
            None => preview,
        };
        let preview = match silence(args.within, Some(otherwise(args).as_str())) {
            Some(silence) => preview.note(silence),
            None => preview,
        };
        Ok(match mistake(args) {
            Some(fault) => preview.fault(fault),
            None => preview,
        })
    }

    async fn perform(&self, args: &Args, act: &Act, _: &IdempotencyKey) -> Result<bool, Fault> {
        let choices = [YesNo::Yes, YesNo::No].map(|choice| choice.as_str().to_owned()).to_vec();
        let default = args.default.map(|default| default.as_str().to_owned());
        let asked = Asked { question: args.question.to_string(), choices, default };
        if let Some(fault) = mistake(args) {
            return Err(fault);
        }
        let (answer, by) = put(&asked, (args.within, Some(otherwise(args).as_str())), act).await?;
        // Nothing but the whole word counts: a slip of the finger must not destroy a database.
        if answer == YesNo::Yes.as_str() {
            return Ok(true);
        }
        if by == NOBODY {
            let time = args.within.map(|time| format!(" within {time}")).unwrap_or_default();
            return Err(Fault::new("not-confirmed", format!("nobody confirmed{time}: {}", asked.question)));
        }
        let message = format!("not confirmed, {by} said `{answer}`: {}", asked.question);
        Err(Fault::new("not-confirmed", message).hint("answer `yes` to go on"))
    }

    async fn reconcile(&self, _: &Args, _: &Look, _: &IdempotencyKey) -> Reconciled<bool> {
        Reconciled::NotApplied { evidence: "a question changes nothing, and may be asked again".to_owned() }
    }
}
