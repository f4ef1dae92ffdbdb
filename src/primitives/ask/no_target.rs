//! `ask` at the terminal, or wherever the host has its questions answered.

use crate::model::{Fault, IdempotencyKey, Span, Symbol, Unknown};
use crate::primitives::{Driver, Evidence, NoTarget, Preview, Reconciled};
use crate::system::{Act, Asked, Look};

use super::{Args, Ask, put};

/// What is wrong with the arguments: a default that is none of the choices is an answer that nobody could give.
fn mistake(args: &Args) -> Option<Fault> {
    // Which answers there will be is not known before the run: then nothing is wrong with them.
    let choices = args.choices().unwrap_or_default();
    let strange = |answer: &&String| !choices.is_empty() && !choices.contains(answer);
    if args.otherwise.is_some() && args.within.is_none() {
        let fault = Fault::new("argument", "ask: `otherwise` without `within`: it would never be taken");
        return Some(fault.hint("add `within: \"30m\"`"));
    }
    let default = args.default.as_ref().filter(strange).map(|default| ("the default", default));
    let (what, answer) = default.or(args.otherwise.as_ref().filter(strange).map(|other| ("`otherwise`", other)))?;
    let fault = Fault::new("argument", format!("ask: {what} `{answer}` is none of the choices"));
    Some(fault.hint(format!("make it one of: {}", choices.join(", "))))
}

/// What a plan says of the time for an answer.
pub(in crate::primitives) fn silence(within: Option<Span>, otherwise: Option<&str>) -> Option<String> {
    within.map(|within| match otherwise {
        Some(otherwise) => format!("no answer within {within} means `{otherwise}`"),
        None => format!("fails when nobody answers within {within}"),
    })
}

impl Driver<Ask> for NoTarget {
    const EVIDENCE: Evidence = Evidence::NotNeeded;

    async fn preview(&self, args: &Args, _: &Look) -> Result<Preview, Fault> {
        let mut preview = Preview::new(Symbol::Ask, args.question.to_string());
        if let Some(choices) = args.choices.as_ref().filter(|choices| !choices.is_empty()) {
            preview = preview.note(format!("choices: {choices}"));
        }
        if let Some(default) = &args.default {
            preview = preview.note(format!("an empty answer means `{default}`"));
        }
        if let Some(silence) = silence(args.within, args.otherwise.as_deref()) {
            preview = preview.note(silence);
        }
        preview.fault = mistake(args);
        Ok(preview)
    }

    async fn perform(&self, args: &Args, act: &Act, _: &IdempotencyKey) -> Result<String, Fault> {
        if let Some(fault) = mistake(args) {
            return Err(fault);
        }
        let question = args.question.to_string();
        let unknown = |label: &Unknown| Fault::new("argument", format!("ask: {label} is not known"));
        let asked = Asked { question, choices: args.choices().map_err(unknown)?, default: args.default.clone() };
        let (answer, by) = put(&asked, (args.within, args.otherwise.as_deref()), act).await?;
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
