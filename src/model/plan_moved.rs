//! What is not as it was when a plan was made.

use std::collections::{BTreeMap, BTreeSet};

use super::{ImpactKind, Plan, PlanLine, PlanResult, PlanVerdict, Symbol, Value};

/// Of a value, so many characters are shown.
const SHOWN: usize = 60;

impl Plan {
    /// What has moved between this plan and one of the same runbook that is made `now`: files, calls, branches, and the values that
    /// reach a change. Each names what it was and what it is. What looks find may differ as long as that leads to the same.
    pub fn moved(&self, now: &Plan) -> Vec<String> {
        let mut moved = files(&self.digests, &now.digests);
        let (planned, found) = (self.lines(), now.lines());
        let differs = planned.iter().zip(&found).position(|(was, is)| name(was) != name(is));
        let together = differs.unwrap_or(planned.len().min(found.len()));
        for (was, is) in planned.iter().zip(&found).take(together) {
            moved.extend(call(was, is));
        }
        if together < planned.len() || together < found.len() {
            moved.extend(planned.iter().zip(&found).take(together).filter_map(|(was, is)| look(was, is)));
            moved.push(match (planned.get(together), found.get(together)) {
                (Some(was), Some(is)) => format!("{} was to come next, and {} does now", place(was), place(is)),
                (Some(was), None) => format!("{} was to come next, and nothing does now", place(was)),
                (None, Some(is)) => format!("nothing was to come next, and {} does now", place(is)),
                (None, None) => String::new(),
            });
        }
        match (&self.verdict, &now.verdict) {
            (PlanVerdict::Completes, PlanVerdict::Fails { fault }) => {
                moved.push(format!("it would fail: {}", fault.message));
            }
            (PlanVerdict::Completes, PlanVerdict::Stops { why, .. }) => {
                moved.push(format!("it cannot be planned to its end any more: {why}"));
            }
            _ => {}
        }
        moved
    }
}

impl Value {
    /// Whether `found` is what was planned. What was not known may have become anything.
    pub fn is_as_planned(&self, found: &Value) -> bool {
        match (self, found) {
            (Value::Unknown(_), _) => true,
            (Value::Map(planned), Value::Map(found)) => {
                planned.len() == found.len()
                    && planned
                        .iter()
                        .all(|(name, value)| found.get(name).is_some_and(|found| value.is_as_planned(found)))
            }
            (Value::List(planned), Value::List(found)) => {
                planned.len() == found.len()
                    && planned.iter().zip(found).all(|(value, found)| value.is_as_planned(found))
            }
            _ => self == found,
        }
    }

    /// Which arguments of a call are not what was planned: each with what it was and what it is.
    pub fn moved_arguments(&self, found: &Value) -> Vec<String> {
        arguments(self, found, Value::is_as_planned)
    }

    /// Which arguments of two calls are not alike: each with what it was and what it is.
    pub fn differing_arguments(&self, now: &Value) -> Vec<String> {
        arguments(self, now, Value::eq)
    }
}

fn arguments(was: &Value, is: &Value, same: fn(&Value, &Value) -> bool) -> Vec<String> {
    let (Value::Map(before), Value::Map(after)) = (was, is) else {
        return if same(was, is) { vec![] } else { vec!["its arguments are others".to_owned()] };
    };
    let names: BTreeSet<&String> = before.keys().chain(after.keys()).collect();
    let nothing = Value::Null;
    let of = |values: &BTreeMap<String, Value>, name: &String| values.get(name).unwrap_or(&nothing).clone();
    let pairs = names.into_iter().map(|name| (name, of(before, name), of(after, name)));
    let differing = pairs.filter(|(_, was, is)| !same(was, is));
    differing.map(|(name, was, is)| format!("`{name}` was {}, and is {}", shown(&was), shown(&is))).collect()
}

fn files(planned: &BTreeMap<String, String>, now: &BTreeMap<String, String>) -> Vec<String> {
    let names: BTreeSet<&String> = planned.keys().chain(now.keys()).collect();
    let moved = |name: &String| match (planned.get(name), now.get(name)) {
        (Some(was), Some(is)) if was == is => None,
        (Some(_), Some(_)) => Some(format!("{name} has changed")),
        (Some(_), None) => Some(format!("{name} is gone, or is not used any more")),
        (None, _) => Some(format!("{name} is new")),
    };
    names.into_iter().filter_map(moved).collect()
}

fn call(was: &PlanLine, is: &PlanLine) -> Vec<String> {
    if !was.impact.kind.is_change() {
        return vec![];
    }
    let mut moved = was.args.moved_arguments(&is.args);
    moved.extend(files(&was.inputs, &is.inputs));
    match (was.symbol == Symbol::Nothing, is.symbol == Symbol::Nothing) {
        (false, true) => moved.push("would change nothing any more".to_owned()),
        (true, false) => moved.push("was to change nothing, and does now".to_owned()),
        _ => {}
    }
    moved.into_iter().map(|what| format!("{}: {what}", place(was))).collect()
}

/// What a look found that decides which way to go.
fn look(was: &PlanLine, is: &PlanLine) -> Option<String> {
    let decides = |line: &PlanLine| match &line.result {
        PlanResult::Returns(Value::Map(map)) => {
            let named = map.iter().filter(|(name, value)| *name == "status" || matches!(value, Value::Bool(_)));
            named.map(|(name, value)| format!("{name} {value}")).collect::<Vec<_>>().join(", ")
        }
        PlanResult::Returns(Value::Bool(value)) => value.to_string(),
        PlanResult::Returns(_) => String::new(),
        PlanResult::Throws(fault) => fault.message.clone(),
    };
    let (before, now) = (decides(was), decides(is));
    (was.impact.kind == ImpactKind::Look && before != now).then(|| format!("{}: was {before}; is {now}", place(was)))
}

fn name(line: &PlanLine) -> (&str, &[String]) {
    (&line.primitive, &line.impact.targets)
}

fn place(line: &PlanLine) -> String {
    let targets = line.impact.targets.join(", ");
    let gap = if targets.is_empty() { "" } else { " " };
    format!("{}{gap}{targets} (line {})", line.primitive, line.site.line)
}

fn shown(value: &Value) -> String {
    let text = value.to_string();
    let cut: String = text.chars().take(SHOWN).collect();
    if cut.len() < text.len() { format!("{cut}…") } else { text }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Unknown;

    fn map<const N: usize>(entries: [(&str, Value); N]) -> Value {
        Value::Map(entries.map(|(name, value)| (name.to_owned(), value)).into())
    }

    #[test]
    fn what_was_not_known_may_become_anything() {
        let planned = map([("from", Value::Unknown(Unknown::labelled("backup:primary.id"))), ("to", "a".into())]);
        assert!(planned.is_as_planned(&map([("from", "b1".into()), ("to", "a".into())])));
        assert!(!planned.is_as_planned(&map([("from", "b1".into()), ("to", "b".into())])));
        assert!(!planned.is_as_planned(&map([("from", "b1".into())])));
    }

    #[test]
    fn an_argument_that_moved_is_named_with_both_values() {
        let planned = map([("from", "b1".into()), ("to", "a".into())]);
        let now = map([("from", "b2".into()), ("to", "a".into()), ("force", true.into())]);
        assert_eq!(planned.moved_arguments(&now), ["`force` was (), and is true", "`from` was b1, and is b2"]);
    }
}
