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
            let ill = ["fail", "degraded", "unhealthy", "violations", "differs"];
            call.failed || call.kind == ImpactKind::Look && ill.contains(&call.way)
        }
        Visit::Cancelled { .. } => true,
        _ => false,
    }
}

/// The call as one would say it, without what is long.
pub fn described(call: &Call) -> String {
    let mut text = call.primitive.to_owned();
    if let Some(target) = &call.target {
        text.push(' ');
        text.push_str(target);
    }
    let said = SAID.iter().filter_map(|name| call.args.get(name)).find(|value| **value != Value::Null);
    if let Some(value) = said {
        text.push(' ');
        text.push_str(&value.to_string());
    }
    text
}
