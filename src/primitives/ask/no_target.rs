//! `ask` at the terminal, or wherever the host has its questions answered.

use crate::model::{Fault, IdempotencyKey, Symbol};
use crate::primitives::{Driver, NoTarget, Preview, Reconciled};
use crate::system::{Act, Asked, Look};

use super::{Args, Ask, put};

/// What is wrong with the arguments: a default that is none of the choices is an answer that nobody could give.
fn mistake(args: &Args) -> Option<Fault> {
    let choices = args.choices();
    let default = args.default.as_ref().filter(|default| !choices.is_empty() && !choices.contains(default))?;
    let fault = Fault::new("argument", format!("ask: the default `{default}` is none of the choices"));
    Some(fault.hint(format!("make it one of: {}", choices.join(", "))))
}

impl Driver<Ask> for NoTarget {
    async fn preview(&self, args: &Args, _: &Look) -> Result<Preview, Fault> {
        let mut preview = Preview::new(Symbol::Ask, args.question.to_string());
        if !args.choices().is_empty() {
            preview = preview.note(format!("choices: {}", args.choices().join(", ")));
        }
        if let Some(default) = &args.default {
            preview = preview.note(format!("an empty answer means `{default}`"));
        }
        preview.fault = mistake(args);
        Ok(preview)
    }

    async fn perform(&self, args: &Args, act: &Act, _: &IdempotencyKey) -> Result<String, Fault> {
        if let Some(fault) = mistake(args) {
            return Err(fault);
        }
        let question = args.question.to_string();
        let asked = Asked { question, choices: args.choices().to_vec(), default: args.default.clone() };
        let (answer, by) = put(&asked, act).await?;
        if !asked.choices.is_empty() && !asked.choices.contains(&answer) {
            // Answers that were given beforehand, or by a host, were not checked by anybody yet.
            let message = format!("`{answer}`, said by {by}, is none of the choices: {}", asked.question);
            return Err(
                Fault::new("not-a-choice", message).hint(format!("answer one of: {}", asked.choices.join(", ")))
            );
        }
        Ok(answer)
    }

    async fn reconcile(&self, _: &Args, _: &Look, _: &IdempotencyKey) -> Reconciled<String> {
        Reconciled::NotApplied { evidence: "a question changes nothing, and may be asked again".to_owned() }
    }
}
