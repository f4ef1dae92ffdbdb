//! What a line of a test gives: `given("probe(web)", ["fail", "pass"])` as data.

use rhai::Dynamic;

use crate::model::{CallPattern, GivenOutcome, Value};
use crate::script::convert;

use super::bench::Bench;
use super::known;

/// What is wrong, and what to do.
type Wrong = (String, Option<String>);

/// Calls that end as what is inside them does, or that end in no way at all.
const WITHOUT_OUTCOME: [&str; 8] =
    ["retry", "parallel", "runbook", "during", "require", "secret", "point_of_no_return", "step"];

/// The call that a text and a map of arguments mean; and the case, where the text names one behind `=`.
pub(super) fn pattern(
    bench: &Bench,
    text: &str,
    args: Option<&Dynamic>,
) -> Result<(CallPattern, Option<String>), Wrong> {
    let (call, case) = match text.split_once('=') {
        Some((call, case)) => (call.trim(), Some(case.trim().to_owned())),
        None => (text.trim(), None),
    };
    let mut call: CallPattern =
        call.parse().map_err(|error: crate::model::AssumptionError| (error.message, error.hint))?;
    if case.as_deref() == Some("") {
        return Err((
            format!("`{text}` names no case"),
            Some("write how the call ends: \"probe(web)=fail\"".to_owned()),
        ));
    }
    if let Some(args) = args {
        match convert::to_value(args) {
            Ok(Value::Map(args)) => call.args = args,
            Ok(other) => return Err((format!("the arguments of a call are a map, not {}", other.kind()), None)),
            Err(why) => return Err((why, None)),
        }
    }
    let targets = bench.stage.as_ref().map(|stage| stage.targets()).unwrap_or_default();
    known(&call, &bench.registry, &targets)?;
    Ok((call, case))
}

/// How the calls end: the outcomes, and whether they come one after the other.
pub(super) fn outcomes(
    call: &CallPattern,
    case: Option<String>,
    given: Option<&Dynamic>,
) -> Result<(Vec<GivenOutcome>, bool), Wrong> {
    let name = call.primitive.as_str();
    if WITHOUT_OUTCOME.contains(&name) {
        let hint = "give the calls inside of it, or those that it depends on";
        return Err((format!("`{name}` has no outcome of its own"), Some(hint.to_owned())));
    }
    let given = given.map(convert::to_value).transpose().map_err(|why| (why, None))?;
    let one = |case: Option<String>, value: Option<Value>| GivenOutcome { case, value };
    match (case, given) {
        (None, None) => {
            let hint = format!("say how it ends: given(\"{call}=CASE\"), or given(\"{call}\", …)");
            Err((format!("nothing is given for `{call}`"), Some(hint)))
        }
        (Some(case), value) => Ok((vec![one(Some(case), value)], false)),
        (None, Some(Value::List(list))) if list.is_empty() => {
            Err((format!("no outcome of `{call}` is given"), Some("a list has an outcome for each call".to_owned())))
        }
        (None, Some(Value::List(list))) => Ok((list.into_iter().map(outcome).collect(), true)),
        (None, Some(value)) => Ok((vec![outcome(value)], false)),
    }
}

/// A text is the name of a case, anything else is what the call returns.
fn outcome(value: Value) -> GivenOutcome {
    match value {
        Value::String(case) => GivenOutcome { case: Some(case.to_string()), value: None },
        value => GivenOutcome { case: None, value: Some(value) },
    }
}
