//! What came of a call, in few words: the same while it runs and in its record.

use crate::model::{Settlement, Value};

/// No result is longer than this, in characters: what is longer is in the record as JSON.
const LENGTH: usize = 300;

/// ` → 200 in 12 ms`, or nothing where `what` has said it already.
pub(super) fn said(settled: &Settlement, value: &Value, what: &str) -> String {
    let field = |name: &str| value.get(name).map(ToString::to_string).filter(|text| !text.is_empty());
    let text = match (field("status"), field("detail"), field("id")) {
        (Some(status), Some(detail), _) => format!("{status}: {detail}"),
        (_, Some(detail), _) => detail,
        (_, _, Some(id)) => id,
        _ if *value == Value::Null => return String::new(),
        // A change that returns a text returns what was there before.
        _ if settled.impact.kind.is_change() && value.as_str().is_some() => return format!(" (was {value})"),
        _ if settled.primitive == "point_of_no_return" => match value {
            Value::List(steps) if steps.is_empty() => return String::new(),
            Value::List(steps) => format!("no longer owed: {}", list(steps)),
            other => other.to_string(),
        },
        // How long it took stands at the end of the line.
        _ => match value {
            // How long it took stands at the end of the line.
            Value::Map(fields) => {
                let rest = fields.iter().filter(|(name, _)| name.as_str() != "took_ms");
                Value::Map(rest.map(|(name, value)| (name.clone(), value.clone())).collect()).to_string()
            }
            other => other.to_string(),
        },
    };
    if what.contains(&text) {
        return skipped(value);
    }
    let text: String = text.chars().take(LENGTH).collect();
    format!(" → {}{}", text.replace('\n', " "), skipped(value))
}

/// The newer backups that did not qualify: whoever restores an older one should know.
fn skipped(value: &Value) -> String {
    match value.get("skipped") {
        Some(Value::List(skipped)) if !skipped.is_empty() => {
            let why = |item: &Value| item.get("why").cloned().unwrap_or_default();
            let reasons: Vec<Value> = skipped.iter().map(why).collect();
            format!(" (skipped {} newer: {})", skipped.len(), list(&reasons))
        }
        _ => String::new(),
    }
}

fn list(values: &[Value]) -> String {
    values.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ")
}
