//! What a path has done to its targets, as far as later calls can tell: maintenance, versions, traffic.

use std::collections::BTreeMap;

use crate::model::{Invocation, Value};
use crate::primitives::Side;

/// What is known of each target, by what it is called in a test.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct State(BTreeMap<String, BTreeMap<String, Value>>);

/// The sides of a target by which later calls are foreseen.
const FORESEEN: [&str; 3] = ["maintenance", "version", "shares"];

/// What is known about a call that the test says nothing of.
pub(super) struct Foreseen {
    /// The name of the case in which it ends; the likely one where none is named.
    pub(super) case: Option<&'static str>,
    /// The fields that it then returns.
    pub(super) fields: BTreeMap<String, Value>,
}

impl State {
    /// All of it.
    pub(super) fn into_inner(self) -> BTreeMap<String, BTreeMap<String, Value>> {
        self.0
    }

    fn of(&self, target: &str, what: &str) -> Option<&Value> {
        self.0.get(target)?.get(what)
    }

    fn set(&mut self, target: &str, what: &str, value: Option<Value>) {
        let known = self.0.entry(target.to_owned()).or_default();
        match value {
            Some(value) => drop(known.insert(what.to_owned(), value)),
            None => drop(known.remove(what)),
        }
    }

    /// Nobody can tell any more what this target is like.
    pub(super) fn forget(&mut self, target: &str) {
        self.0.remove(target);
    }

    /// How a call ends if it ends well, where what happened before tells it.
    pub(super) fn foresee(&self, call: &Invocation, target: &str, sides: &[Side]) -> Foreseen {
        let fields = |fields: &[(&str, &Value)]| {
            fields.iter().map(|(name, value)| ((*name).to_owned(), (*value).clone())).collect::<BTreeMap<_, _>>()
        };
        let likely = || Foreseen { case: None, fields: BTreeMap::new() };
        match call.primitive {
            "maintenance" => match self.of(target, "maintenance").and_then(Value::as_str) {
                Some("on") => Foreseen { case: Some("on"), ..likely() },
                Some(_) => Foreseen { case: Some("off"), ..likely() },
                None => likely(),
            },
            "version" => match self.of(target, "version") {
                Some(Value::Null) => Foreseen { case: Some("none"), ..likely() },
                Some(version) => Foreseen { case: Some("live"), fields: fields(&[("version", version)]) },
                None => likely(),
            },
            "deploy" => {
                let there = self.of(target, "version").is_some_and(|live| Some(live) == call.args.get("version"));
                let restart = call.args.get("restart") == Some(&Value::Bool(true));
                Foreseen { case: (there && !restart).then_some("already"), ..likely() }
            }
            "routes" => match self.of(target, "shares") {
                Some(shares) => Foreseen { fields: fields(&[("shares", shares)]), ..likely() },
                None => likely(),
            },
            "route" => {
                let before = self.of(target, "shares");
                let after = sides.iter().find(|side| side.name == "shares").and_then(|side| side.value_after(before));
                match (before, after) {
                    (Some(before), Some(after)) => Foreseen {
                        case: (*before == after).then_some("already"),
                        fields: fields(&[("before", before), ("shares", &after)]),
                    },
                    _ => likely(),
                }
            }
            _ => likely(),
        }
    }

    /// A call is over that says this of its target.
    pub(super) fn learn(&mut self, target: &str, sides: &[Side]) {
        for side in sides.iter().filter(|side| FORESEEN.contains(&&*side.name)) {
            let known = self.of(target, &side.name).filter(|_| side.is_set());
            let after = side.value_after(known.or(side.before.as_ref()));
            self.set(target, &side.name, after);
        }
    }
}
