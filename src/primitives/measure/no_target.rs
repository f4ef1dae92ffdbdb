//! `measure` in the journal: the call's own record holds the figure.

use crate::model::{Fault, IdempotencyKey, Symbol, Value};
use crate::primitives::{Driver, Evidence, NoTarget, Preview, Reconciled};
use crate::system::{Act, Look};

use super::{Args, Measure};

/// What is wrong with the arguments: a report has one line for a name, so names and figures must fit on one.
fn mistake(args: &Args) -> Option<Fault> {
    let argument = |message: String, hint: &str| Some(Fault::new("argument", message).hint(hint));
    let word = |word: &str| {
        !word.is_empty() && word.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-' || c == '_')
    };
    if !args.name.split(' ').all(word) {
        let message = format!("measure: `{}` cannot be the name of a figure", args.name);
        return argument(message, "name it in words of lower case, such as `rows lost`");
    }
    match &args.value {
        Value::Bool(_) | Value::Int(_) | Value::Unknown(_) => None,
        Value::Float(number) if number.is_finite() => None,
        Value::String(text) if !text.trim().is_empty() && !text.contains(char::is_control) => None,
        other => {
            let message = format!("measure: the value of `{}` is not a figure, but {}", args.name, in_words(other));
            argument(message, "measure a number, a text such as `12s`, or true or false")
        }
    }
}

fn in_words(value: &Value) -> String {
    match value {
        Value::String(_) => "an empty text or one of several lines".to_owned(),
        // JSON, through which values travel, has no number that is not finite: such a one arrives as nothing.
        Value::Null | Value::Float(_) => "nothing".to_owned(),
        other => format!("of type {}", other.kind()),
    }
}

impl Driver<Measure> for NoTarget {
    const EVIDENCE: Evidence = Evidence::NotNeeded;

    async fn preview(&self, args: &Args, _: &Look) -> Result<Preview, Fault> {
        let unit = args.unit.as_deref().map(|unit| format!(" {unit}")).unwrap_or_default();
        let preview = Preview::new(Symbol::Mark, format!("{} = {}{unit}", args.name, args.value));
        Ok(match mistake(args) {
            None => preview.output(args.value.clone()),
            Some(fault) => preview.fault(fault),
        })
    }

    async fn perform(&self, args: &Args, _: &Act, _: &IdempotencyKey) -> Result<Value, Fault> {
        match mistake(args) {
            None => Ok(args.value.clone()),
            Some(fault) => Err(fault),
        }
    }

    async fn reconcile(&self, _: &Args, _: &Look, _: &IdempotencyKey) -> Reconciled<Value> {
        Reconciled::NotApplied { evidence: "a figure is kept by the journal alone".to_owned() }
    }
}
