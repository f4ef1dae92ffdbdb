//! `confirm` at the terminal, or wherever the host has its questions answered.

use crate::model::{Fault, IdempotencyKey, Symbol, Value};
use crate::primitives::ask::put;
use crate::primitives::{Driver, NoTarget, Preview, Reconciled};
use crate::system::{Act, Asked, Look};

use super::{Args, Confirm, YesNo};

impl Driver<Confirm> for NoTarget {
    async fn preview(&self, args: &Args, _: &Look) -> Result<Preview, Fault> {
        let preview = Preview::new(Symbol::Ask, args.question.to_string()).output(Value::Bool(true));
        Ok(match args.default {
            Some(default) => preview.note(format!("an empty answer means `{}`", default.as_str())),
            None => preview,
        })
    }

    async fn perform(&self, args: &Args, act: &Act, _: &IdempotencyKey) -> Result<bool, Fault> {
        let choices = [YesNo::Yes, YesNo::No].map(|choice| choice.as_str().to_owned()).to_vec();
        let default = args.default.map(|default| default.as_str().to_owned());
        let asked = Asked { question: args.question.to_string(), choices, default };
        let (answer, by) = put(&asked, act).await?;
        // Nothing but the whole word counts: a slip of the finger must not destroy a database.
        if answer == YesNo::Yes.as_str() {
            return Ok(true);
        }
        let message = format!("not confirmed, {by} said `{answer}`: {}", asked.question);
        Err(Fault::new("not-confirmed", message).hint("answer `yes` to go on"))
    }

    async fn reconcile(&self, _: &Args, _: &Look, _: &IdempotencyKey) -> Reconciled<bool> {
        Reconciled::NotApplied { evidence: "a question changes nothing, and may be asked again".to_owned() }
    }
}
