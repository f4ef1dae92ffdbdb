//! What a path has done to its targets, as far as later calls can tell: maintenance, versions, traffic.

use std::collections::BTreeMap;

use crate::model::{Invocation, Outcome, Value};

/// What is known of each target, by what it is called in a test.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct State(BTreeMap<String, BTreeMap<String, Value>>);

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
    pub(super) fn foresee(&self, call: &Invocation, target: &str) -> Foreseen {
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
                match (before, shared_out(&call.args, before)) {
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

    /// A call is over. `took_place`: whether it changed something.
    pub(super) fn learn(&mut self, call: &Invocation, target: &str, outcome: &Outcome, took_place: bool) {
        let found = |name: &str| outcome.as_ref().ok().and_then(|output| output.get(name)).cloned();
        let counts = outcome.is_ok() || took_place;
        match call.primitive {
            "maintenance" if counts => {
                let set = call.args.get("state").filter(|state| **state != Value::Null).cloned();
                self.set(target, "maintenance", set.or_else(|| outcome.clone().ok()));
            }
            "version" if counts => self.set(target, "version", found("version")),
            "deploy" if counts => self.set(target, "version", call.args.get("version").cloned()),
            "routes" if counts => self.set(target, "shares", found("shares")),
            "route" if counts => {
                let after = shared_out(&call.args, self.of(target, "shares"));
                let said = found("shares").filter(|shares| matches!(shares, Value::Map(_)));
                self.set(target, "shares", said.or(after));
            }
            _ => {}
        }
    }
}

#[expect(clippy::cast_precision_loss, reason = "per cent")]
fn number(value: &Value) -> Option<f64> {
    match value {
        Value::Int(number) => Some(*number as f64),
        Value::Float(number) => Some(*number),
        _ => None,
    }
}

/// A share as scripts see it: a whole number where it is one.
#[expect(clippy::cast_possible_truncation, reason = "per cent")]
fn percent(share: f64) -> Value {
    let share = (share * 100.0).round() / 100.0;
    if share.fract() == 0.0 { Value::Int(share as i64) } else { Value::Float(share) }
}

/// How traffic is shared out after `route` with these arguments; none where that is not known.
fn shared_out(args: &Value, before: Option<&Value>) -> Option<Value> {
    let before = match before {
        Some(Value::Map(before)) => Some(before),
        _ => None,
    };
    if let Some(Value::Map(given)) = args.get("shares") {
        let none = before.into_iter().flatten().map(|(name, _)| (name.clone(), Value::Int(0)));
        let given = given.iter().map(|(name, share)| Some((name.clone(), percent(number(share)?))));
        let given: Vec<_> = given.collect::<Option<_>>()?;
        return Some(Value::Map(none.chain(given).collect()));
    }
    let (to, before) = (args.get("to")?.as_str()?, before?);
    let share = match args.get("percent") {
        None | Some(Value::Null) => 100.0,
        Some(share) => number(share)?,
    };
    let others = || before.iter().filter(|(name, _)| *name != to);
    let all = others().map(|(_, share)| number(share)).sum::<Option<f64>>()?;
    let rest = 100.0 - share;
    if all <= 0.0 && rest > 0.0 {
        return None;
    }
    let each = others().map(|(name, share)| {
        let kept = if rest > 0.0 { number(share)? * rest / all } else { 0.0 };
        Some((name.clone(), percent(kept)))
    });
    let mut after: BTreeMap<String, Value> = each.collect::<Option<_>>()?;
    after.insert(to.to_owned(), percent(share));
    Some(Value::Map(after))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[track_caller]
    fn shares(args: serde_json::Value, before: Option<serde_json::Value>, after: Option<serde_json::Value>) {
        let before = before.map(Value::from_json);
        assert_eq!(shared_out(&Value::from_json(args), before.as_ref()), after.map(Value::from_json));
    }

    #[test]
    fn the_others_share_what_is_left_as_they_did_before() {
        let all_blue = || Some(json!({ "blue": 100, "green": 0 }));
        shares(json!({ "to": "green" }), all_blue(), Some(json!({ "blue": 0, "green": 100 })));
        shares(json!({ "to": "green", "percent": 10 }), all_blue(), Some(json!({ "blue": 90, "green": 10 })));
        shares(json!({ "shares": { "green": 100 } }), all_blue(), Some(json!({ "blue": 0, "green": 100 })));
        let three = Some(json!({ "a": 60, "b": 20, "c": 20 }));
        shares(json!({ "to": "c", "percent": 0 }), three, Some(json!({ "a": 75, "b": 25, "c": 0 })));
        shares(json!({ "to": "blue", "percent": 0 }), all_blue(), None);
        shares(json!({ "to": "green" }), None, None);
    }
}
