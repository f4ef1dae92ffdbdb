//! What a driver answers, against what it may.

use serde::de::DeserializeOwned;
use serde_json::Value as Json;

use crate::model::{Applied, Fault, Symbol, Value};
use crate::primitives::{ArgType, Preview, Signature};

use super::protocol::{DriverFault, Mark, Previewed};

/// How many characters a text for people may have.
const LONGEST: usize = 1000;

/// A text as one line that does nothing to a terminal.
pub(super) fn one_line(text: &str) -> String {
    let plain = text.trim().chars().map(|c| if c == '\n' || c == '\t' { ' ' } else { c }).filter(|c| !c.is_control());
    plain.take(LONGEST).collect()
}

/// The content of `ok` as the message that it must be.
pub(super) fn message<T: DeserializeOwned>(ok: Json) -> Result<T, String> {
    serde_path_to_error::deserialize(ok).map_err(|error| {
        let path = error.path().to_string();
        let inner = error.into_inner();
        if path == "." { format!("answered wrongly: {inner}") } else { format!("answered wrongly: `{path}`: {inner}") }
    })
}

/// A fault of the driver as scripts catch it. `unsaid` is whether the effect took place if it does not say so.
pub(super) fn fault(fault: DriverFault, target: &str, unsaid: Applied) -> Result<Fault, String> {
    let plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
    if fault.code.is_empty() || fault.code.len() > 60 || !fault.code.chars().all(plain) {
        return Err(format!("answered with a fault whose code `{}` is none", one_line(&fault.code)));
    }
    let applied = fault.applied.unwrap_or(unsaid);
    let known = Fault::new(&fault.code, one_line(&fault.message)).on(target).applied(applied);
    Ok(match fault.hint {
        Some(hint) => known.hint(one_line(&hint)),
        None => known,
    })
}

/// What the call returns: what the primitive says it does.
pub(super) fn output(signature: &Signature, output: Json) -> Result<Value, String> {
    let wrong = |why: String| format!("answered with an output that is none of `{}`: {why}", signature.name);
    if marks(&output) {
        return Err(wrong("a result is known, and no secret".to_owned()));
    }
    signature.returned(&Value::from_json(output)).map_err(wrong)
}

/// Whether there is a map inside that would be taken for an unknown or for a secret.
fn marks(json: &Json) -> bool {
    match json {
        Json::Array(list) => list.iter().any(marks),
        Json::Object(map) => map.contains_key("$unknown") || map.contains_key("$secret") || map.values().any(marks),
        _ => false,
    }
}

/// What the call would do.
pub(super) fn preview(
    signature: &Signature,
    previewed: Previewed,
    symbol: Symbol,
    target: &str,
) -> Result<Preview, String> {
    let symbol = match previewed.symbol {
        Some(Mark::Create) => Symbol::Create,
        Some(Mark::Change) => Symbol::Change,
        Some(Mark::Destroy) => Symbol::Destroy,
        Some(Mark::Tell) => Symbol::Tell,
        Some(Mark::Nothing) => Symbol::Nothing,
        None => symbol,
    };
    let mut preview = Preview::new(symbol, one_line(&previewed.summary));
    preview.before = previewed.before.as_deref().map(one_line);
    preview.after = previewed.after.as_deref().map(one_line);
    preview.notes = previewed.notes.iter().map(|note| one_line(note)).collect();
    preview.assumed = previewed.assumed.as_deref().map(one_line);
    preview.fault = previewed.fault.map(|predicted| fault(predicted, target, Applied::No)).transpose()?;
    preview.output = predicted(signature, previewed.output)?;
    Ok(preview)
}

/// What is certain of the output, field by field.
fn predicted(signature: &Signature, output: Json) -> Result<Value, String> {
    let wrong = |why: String| Err(format!("predicted what `{}` cannot return: {why}", signature.name));
    if output.is_null() {
        return Ok(Value::Map(std::collections::BTreeMap::default()));
    }
    if marks(&output) {
        return wrong("leave out what is not known".to_owned());
    }
    let output = Value::from_json(output);
    if signature.fields.is_empty() {
        return if fits(&signature.output, &output) { Ok(output) } else { wrong(format!("{output}")) };
    }
    let Value::Map(fields) = &output else { return wrong("it must be an object".to_owned()) };
    for (name, value) in fields {
        match signature.fields.iter().find(|field| field.name == *name) {
            Some(field) if fits(&field.kind, value) => {}
            Some(field) => return wrong(format!("`{name}` is {}, not {}", field.kind, value.kind())),
            None => return wrong(format!("it has no `{name}`")),
        }
    }
    Ok(output)
}

fn fits(kind: &ArgType, value: &Value) -> bool {
    match (kind, value) {
        (ArgType::Choice(choices), Value::String(text)) => choices.iter().any(|choice| **choice == **text),
        (ArgType::Nothing, value) => *value == Value::Null,
        // A field that may be absent is nothing.
        (kind, Value::Null) => !kind.is_finite(),
        (kind, value) => kind.takes(value.kind()),
    }
}
