//! A path as a team's policy sees it: plain data, nothing that could be called.

use crate::model::{ImpactKind, Value};

use super::{Call, Ending, Path, Visit};

/// The path and how it ends.
pub fn account(path: &Path, ending: &Ending, cancelled: bool) -> Value {
    let ends = match ending {
        Ending::Well => "well",
        Ending::Restored { .. } => "restored",
        Ending::LeftChanged { .. } => "left-changed",
        Ending::Mistake { .. } => "mistake",
        Ending::Endless => "endless",
        Ending::InDoubt => "in-doubt",
        Ending::Open { .. } => "open",
    };
    let events = path.visits.iter().enumerate().filter_map(|(n, visit)| event(path, n, visit)).collect();
    map([("ends", ends.into()), ("cancelled", cancelled.into()), ("events", Value::List(events))])
}

fn event(path: &Path, n: usize, visit: &Visit) -> Option<Value> {
    let nothing = || Value::Map([].into());
    match visit {
        Visit::Called(call) | Visit::Waited { call } => Some(called(path, n, call)),
        Visit::NoReturn { why, .. } => {
            let args = map([("why", why.as_str().into())]);
            Some(mark(n, visit, ("point_of_no_return", "mark"), (args, Value::Null)))
        }
        Visit::Updates { channel, .. } => {
            let args = map([("channel", channel.as_str().into())]);
            Some(mark(n, visit, ("during", "tell"), (args, channel.as_str().into())))
        }
        Visit::Cancelled { .. } => Some(mark(n, visit, ("cancel", "mark"), (nothing(), Value::Null))),
        Visit::RollingBack { title, .. } => {
            Some(mark(n, visit, ("rollback", "mark"), (map([("step", title.as_str().into())]), Value::Null)))
        }
        Visit::Answered { .. } => None,
    }
}

fn called(path: &Path, n: usize, call: &Call) -> Value {
    let kind = match call.kind {
        ImpactKind::Look => "look",
        ImpactKind::Change => "change",
        ImpactKind::Destroy => "destroy",
        ImpactKind::Tell => "tell",
        ImpactKind::Ask => "ask",
        ImpactKind::Wait => "wait",
        ImpactKind::Mark => "mark",
    };
    let step = path.around(call).next().map(|step| Value::from(step.title.as_str()));
    map([
        ("n", number(n)),
        ("primitive", call.primitive.into()),
        ("target", call.target.as_deref().map_or(Value::Null, Value::from)),
        ("args", plain(&call.args)),
        ("kind", kind.into()),
        ("way", call.way.into()),
        ("failed", call.failed.into()),
        ("changed", call.changed.into()),
        ("in_rollback", call.undoing.into()),
        ("in_step", step.unwrap_or_default()),
        ("file", (&*call.site.file).into()),
        ("line", number(call.site.line as usize)),
    ])
}

/// Something that happens and is no call of a primitive.
fn mark(n: usize, visit: &Visit, (primitive, kind): (&str, &str), (args, target): (Value, Value)) -> Value {
    let site = visit.site();
    map([
        ("n", number(n)),
        ("primitive", primitive.into()),
        ("target", target),
        ("args", args),
        ("kind", kind.into()),
        ("way", "".into()),
        ("failed", false.into()),
        ("changed", false.into()),
        ("in_rollback", false.into()),
        ("in_step", Value::Null),
        ("file", (&*site.file).into()),
        ("line", number(site.line as usize)),
    ])
}

fn map<const N: usize>(entries: [(&str, Value); N]) -> Value {
    Value::Map(entries.map(|(name, value)| (name.to_owned(), value)).into())
}

fn number(n: usize) -> Value {
    Value::Int(i64::try_from(n).unwrap_or(i64::MAX))
}

/// What nobody knows, and what nobody may see, as its label.
fn plain(value: &Value) -> Value {
    match value {
        Value::Unknown(_) | Value::Secret(_) => value.to_string().as_str().into(),
        Value::List(items) => Value::List(items.iter().map(plain).collect()),
        Value::Map(entries) => Value::Map(entries.iter().map(|(name, value)| (name.clone(), plain(value))).collect()),
        other => other.clone(),
    }
}
