//! A path, told to people: what is called, and how it ends, line by line.

use crate::model::{ImpactKind, StoryLine, Value};

use super::{Call, Path, Visit};

/// The arguments that tell one call from another, in the order in which one would say them.
const SAID: [&str; 11] =
    ["state", "version", "to", "from", "label", "question", "duration", "time", "weight", "message", "command"];

/// The path, line by line. `broken`: the visit at which it breaks an invariant.
pub fn story(path: &Path, broken: Option<usize>) -> Vec<StoryLine> {
    let line = |(n, visit): (usize, &Visit)| StoryLine {
        site: visit.site().clone(),
        text: told(visit),
        odd: is_odd(visit),
        broken: broken == Some(n),
    };
    path.visits.iter().enumerate().map(line).collect()
}

fn told(visit: &Visit) -> String {
    match visit {
        Visit::Called(call) if call.primitive == "maintenance" && !call.failed && call.kind.is_change() => {
            format!("{} (was {})", described(call), call.way)
        }
        Visit::Called(call) | Visit::Waited { call } => format!("{} → {}", described(call), call.way),
        Visit::Answered { condition, yes, .. } => format!("{condition}: {}", if *yes { "yes" } else { "no" }),
        Visit::Updates { channel, .. } => format!("updates to {channel} from here on"),
        Visit::Cancelled { .. } => "the run is cancelled".to_owned(),
        Visit::NoReturn { why, .. } => format!("no way back from here: {why}"),
        Visit::RollingBack { title, .. } => format!("rolling back: {title}"),
    }
}

fn is_odd(visit: &Visit) -> bool {
    match visit {
        Visit::Called(call) | Visit::Waited { call } => {
            call.failed || call.kind == ImpactKind::Look && is_ill(call.way)
        }
        Visit::Cancelled { .. } => true,
        _ => false,
    }
}

/// Whether a look that ends like this has found something ill.
pub(super) fn is_ill(way: &str) -> bool {
    ["fail", "degraded", "unhealthy", "violations", "differs"].contains(&way)
}

/// The call as one would say it, without what is long.
pub fn described(call: &Call) -> String {
    said(call.primitive, call.target.as_deref(), &call.args)
}

/// A call of this primitive as one would say it, without what is long.
pub(super) fn said(primitive: &str, target: Option<&str>, args: &Value) -> String {
    let mut text = primitive.to_owned();
    if let Some(target) = target {
        text.push(' ');
        text.push_str(target);
    }
    let said = SAID.iter().filter_map(|name| args.get(name)).find(|value| **value != Value::Null);
    if let Some(value) = said {
        text.push(' ');
        text.push_str(&value.to_string());
    }
    text
}
