//! The sides of a target that calls read and set: what a dry run compares to tell whether a rollback has put back what was changed.

use std::borrow::Cow;
use std::fmt;
use std::sync::Arc;

use crate::model::Value;

/// What follows from what a side was before.
type Computed = Arc<dyn Fn(Option<&Value>) -> Option<Value> + Send + Sync>;

/// How far what a call changes reaches, and so what can undo it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reach {
    /// It only adds something that does no harm: nothing of it has to be undone.
    Addition,
    /// Its targets: what undoes it changes one of them, too.
    Targets,
    /// Nobody can tell: any change may undo it, and it may undo any change.
    Anything,
}

/// What a call says of one side of its target.
#[derive(Clone, Debug)]
pub struct Side {
    /// Which: `maintenance`, `version`, a key of a document such as `pool.size`. [`Side::WHOLE`] stands for all sides of the target.
    pub name: Cow<'static, str>,
    /// What it was before the call, where what the call returned tells.
    pub before: Option<Value>,
    /// What it is afterwards.
    pub after: After,
    /// Whether two of its values mean the same.
    pub alike: fn(&Value, &Value) -> bool,
}

/// What a side is after a call.
#[derive(Clone)]
pub enum After {
    /// What it was before: the call only looks.
    Same,
    /// This.
    Is(Value),
    /// All sides are again what they were when the whole of the target was this.
    Again(Value),
    /// What follows from what it was before, as far as that is known.
    From(Computed),
    /// Nobody can tell.
    Unknown,
}

impl fmt::Debug for After {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            After::Same => f.write_str("Same"),
            After::Is(value) => write!(f, "Is({value})"),
            After::Again(value) => write!(f, "Again({value})"),
            After::From(_) => f.write_str("From(…)"),
            After::Unknown => f.write_str("Unknown"),
        }
    }
}

impl Side {
    /// All sides of a target: its value stands for what each of them is.
    pub const WHOLE: &'static str = "";

    /// A call has looked at this side, and found this.
    pub fn looked(name: impl Into<Cow<'static, str>>, found: Option<Value>) -> Self {
        Self { name: name.into(), before: found, after: After::Same, alike: Value::eq }
    }

    /// A call sets this side.
    pub fn set(name: impl Into<Cow<'static, str>>, before: Option<Value>, after: After) -> Self {
        Self { name: name.into(), before, after, alike: Value::eq }
    }

    /// Whether the call sets it.
    pub fn is_set(&self) -> bool {
        !matches!(self.after, After::Same)
    }

    /// What it is after the call, as far as that can be told from what it was before.
    pub fn value_after(&self, before: Option<&Value>) -> Option<Value> {
        match &self.after {
            After::Same => before.cloned(),
            After::Is(value) | After::Again(value) => Some(value.clone()),
            After::From(computed) => computed(before),
            After::Unknown => None,
        }
    }

    /// Whether whoever sets the side called `one` sets some of the side called `other`: it is the same, lies in it or around it.
    pub fn overlap(one: &str, other: &str) -> bool {
        let within = |inner: &str, outer: &str| {
            let rest = inner.strip_prefix(outer);
            rest.is_some_and(|rest| outer.is_empty() || rest.is_empty() || rest.starts_with(['.', '[']))
        };
        within(one, other) || within(other, one)
    }
}

/// What a call returned in this field.
pub(super) fn returned(output: Option<&Value>, field: &str) -> Option<Value> {
    output?.get(field).cloned()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::primitives::Primitive;
    use crate::primitives::configuration::Configuration;
    use crate::primitives::configure::Configure;
    use crate::primitives::deploy::Deploy;
    use crate::primitives::maintenance::Maintenance;
    use crate::primitives::route::Route;
    use crate::primitives::version::Version;

    #[test]
    fn a_key_overlaps_with_what_it_lies_in() {
        for (one, other, overlap) in [
            ("maintenance", "maintenance", true),
            ("pool", "pool.size", true),
            ("users[0].name", "users", true),
            ("pool", "pools", false),
            ("pool.size", "pool.max", false),
            (Side::WHOLE, "pool.size", true),
        ] {
            assert_eq!((Side::overlap(one, other), Side::overlap(other, one)), (overlap, overlap), "{one}, {other}");
        }
    }

    /// The sides of a call, each as `name: before → after`.
    fn sides<P: Primitive>(args: serde_json::Value, output: Option<serde_json::Value>) -> Vec<String> {
        let (args, output) = (Value::from_json(args), output.map(Value::from_json));
        let told = |side: &Side| {
            let text = |value: Option<Value>| value.map_or_else(|| "?".to_owned(), |value| value.to_string());
            let before = side.before.clone();
            format!("{}: {} → {}", side.name, text(before.clone()), text(side.value_after(before.as_ref())))
        };
        P::sides(&args.decode().expect("arguments"), output.as_ref()).iter().map(told).collect()
    }

    #[test]
    fn calls_say_what_they_read_and_set() {
        assert_eq!(sides::<Maintenance>(json!({ "target": "web" }), Some(json!("on"))), ["maintenance: on → on"]);
        let closed = json!({ "target": "web", "state": "on" });
        assert_eq!(sides::<Maintenance>(closed.clone(), Some(json!("off"))), ["maintenance: off → on"]);
        assert_eq!(sides::<Maintenance>(closed, None), ["maintenance: ? → on"]);
        let version = json!({ "version": "1", "available": [] });
        assert_eq!(sides::<Version>(json!({ "target": "web" }), Some(version)), ["version: 1 → 1"]);
        let deployed = json!({ "version": "2", "previous": "1", "changed": true, "took_ms": 3 });
        let deploys = json!({ "target": "web", "version": "2" });
        assert_eq!(sides::<Deploy>(deploys, Some(deployed)), ["version: 1 → 2"]);
        let before = json!({ "before": { "blue": 100, "green": 0 } });
        let routes = json!({ "target": "lb", "to": "green" });
        assert_eq!(sides::<Route>(routes, Some(before)), ["shares: { blue: 100, green: 0 } → { blue: 0, green: 100 }"]);
    }

    #[test]
    fn a_document_has_a_side_for_each_key_and_one_for_all_of_it() {
        let args = json!({ "target": "app", "set": { "a": 1, "b": 2 }, "unset": ["c"] });
        let output = json!({ "before": { "a": 7, "c": 9 }, "added": ["b"], "undo": "v1", "version": "v2" });
        assert_eq!(sides::<Configure>(args, Some(output)), ["a: 7 → 1", "b: () → 2", "c: 9 → ()", ": v1 → v2"]);
        let back = json!({ "target": "app", "restore": "v1" });
        assert_eq!(sides::<Configure>(back, None), [": ? → v1"]);
        let found = json!({ "found": true, "value": 7, "version": "v1" });
        let key = json!({ "target": "app", "key": "a" });
        assert_eq!(sides::<Configuration>(key.clone(), Some(found)), ["a: 7 → 7", ": v1 → v1"]);
        let secret = json!({ "found": true, "value": null, "version": "v1" });
        assert_eq!(sides::<Configuration>(key, Some(secret)), ["a: ? → ?", ": v1 → v1"], "() stands for a secret, too");
    }
}
