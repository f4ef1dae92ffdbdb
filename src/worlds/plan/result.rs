//! What a planned call gives to the script, in one line for people.

use crate::model::Value;

/// The result of a look, as short as it can be said.
pub(super) fn of_look(value: &Value) -> String {
    match value {
        Value::Map(map) => {
            let known = |name: &str| map.get(name).filter(|value| !matches!(value, Value::Unknown(_)));
            let text = |name: &str| known(name).map(ToString::to_string).filter(|t| !t.is_empty() && t != "()");
            match (text("status"), text("detail"), text("id"), text("iso")) {
                (Some(status), Some(detail), ..) => format!("{status}: {detail}"),
                (Some(status), None, ..) => status,
                (None, _, Some(id), _) => {
                    let taken = text("taken_at").map(|at| format!(", taken {at}")).unwrap_or_default();
                    let skipped = match map.get("skipped") {
                        Some(Value::List(list)) if !list.is_empty() => format!(" (skipped {} newer)", list.len()),
                        _ => String::new(),
                    };
                    format!("{id}{taken}{skipped}")
                }
                (None, _, None, Some(iso)) => iso,
                (None, Some(detail), None, None) => detail,
                _ => map.get("id").map_or_else(|| value.to_string(), ToString::to_string),
            }
        }
        Value::List(list) if list.len() > 1 => format!("{} found", list.len()),
        Value::List(list) if list.is_empty() => "none".to_owned(),
        Value::List(list) => of_look(&list[0]),
        other => other.to_string(),
    }
}

/// The arguments beside the target, as a script writes them but shorter.
pub(super) fn of_args(args: &Value, target: Option<&str>, target_name: Option<&str>) -> String {
    let mut text = target.unwrap_or_default().to_owned();
    if let Value::Map(map) = args {
        let others = map.iter().filter(|(name, value)| Some(name.as_str()) != target_name && **value != Value::Null);
        let others: Vec<String> = others.map(|(name, value)| format!("{name}: {value}")).collect();
        if !others.is_empty() {
            if !text.is_empty() {
                text.push(' ');
            }
            text.push('(');
            text.push_str(&others.join(", "));
            text.push(')');
        }
    }
    text
}
