//! When checks failed, as far as somebody looked.

use jiff::Timestamp;

use crate::model::{Settlement, Value};

use super::postmortem::{found, named};
use super::story::Line;

/// A time in which each look at a check saw it fail.
#[derive(Debug, PartialEq)]
pub(super) struct Outage {
    /// What was checked.
    pub(super) what: String,
    /// The first look that saw it fail.
    pub(super) from: Timestamp,
    /// The last one.
    pub(super) last: Timestamp,
    /// How many there were.
    pub(super) looks: usize,
    /// The first look after it that was well, if there was one.
    pub(super) to: Option<Timestamp>,
    /// The last look before it that was well.
    pub(super) well_before: Option<Timestamp>,
    /// What was seen first.
    pub(super) detail: String,
}

/// The times in which checks failed, in the order in which they began.
pub(super) fn outages(lines: &[Line]) -> Vec<Outage> {
    let mut outages: Vec<Outage> = Vec::new();
    let mut well: Vec<(String, Timestamp)> = Vec::new();
    let checks =
        lines.iter().flat_map(|line| &line.done).filter(|call| matches!(call.primitive.as_str(), "probe" | "health"));
    for call in checks {
        let Ok(value) = &call.outcome else { continue };
        let what = checked(call);
        let good = match value.get("ok").or_else(|| value.get("healthy")) {
            Some(Value::Bool(good)) => *good,
            _ => continue,
        };
        let open = outages.iter_mut().find(|outage| outage.what == what && outage.to.is_none());
        match (good, open) {
            (true, Some(outage)) => outage.to = Some(call.began),
            (false, Some(outage)) => (outage.last, outage.looks) = (call.began, outage.looks + 1),
            (false, None) => {
                let well_before = well.iter().rev().find(|(known, _)| *known == what).map(|(_, at)| *at);
                let (from, last, detail) = (call.began, call.began, found(value));
                outages.push(Outage { what, from, last, looks: 1, to: None, well_before, detail });
                continue;
            }
            (true, None) => {}
        }
        if good {
            well.push((what, call.began));
        }
    }
    outages
}

/// What was checked, with the options that make it another check than one of the same target.
fn checked(call: &Settlement) -> String {
    // How long one waits for an answer makes no other check.
    let tells = |name: &str| !matches!(name, "target" | "timeout" | "state");
    let Some(Value::Map(args)) = &call.args else { return named(call) };
    let options: Vec<String> =
        args.iter().filter(|(name, _)| tells(name)).map(|(name, value)| format!("{name}: {value}")).collect();
    if options.is_empty() { named(call) } else { format!("{} ({})", named(call), options.join(", ")) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{Impact, ImpactKind, Left, Site};

    /// A line of probes of `web`: the second, the options, and whether it was well.
    fn looked(looks: &[(i64, &str, bool)]) -> Vec<Line> {
        let at = |second: i64| Timestamp::from_second(second).expect("a time");
        let call = |(second, query, ok): &(i64, &str, bool)| Settlement {
            key: "1.0".parse().expect("a key"),
            primitive: "probe".to_owned(),
            args: Some(Value::Map(
                [("target", "web"), ("query", *query)]
                    .into_iter()
                    .filter(|(_, value)| !value.is_empty())
                    .map(|(name, value)| (name.to_owned(), Value::from(value)))
                    .collect(),
            )),
            site: Site { file: "[1]".into(), line: 1, column: 1 },
            impact: Impact::on(ImpactKind::Look, "web"),
            outcome: Ok(Value::Map([("ok".to_owned(), Value::Bool(*ok))].into())),
            began: at(*second),
            elapsed_ms: 1,
            repeats: None,
            evidence: None,
        };
        vec![Line {
            number: 1,
            armed: false,
            text: String::new(),
            at: at(0),
            left: Some(Left::Completed { owes: false }),
            done: looks.iter().map(call).collect(),
            planned: Vec::new(),
            undone: Vec::new(),
            undone_keys: Vec::new(),
        }]
    }

    fn told(looks: &[(i64, &str, bool)]) -> Vec<String> {
        let second = |at: Option<Timestamp>| at.map_or_else(|| "?".to_owned(), |at| at.as_second().to_string());
        let told = |o: Outage| {
            let (before, from, last, to) = (o.well_before, Some(o.from), Some(o.last), o.to);
            let [before, from, last, to] = [before, from, last, to].map(second);
            format!("{}: well {before}, failing {from} to {last}, well {to}", o.what)
        };
        outages(&looked(looks)).into_iter().map(told).collect()
    }

    #[test]
    fn nothing_is_said_of_the_time_after_the_last_look() {
        assert_eq!(told(&[(5, "", false)]), ["probe web: well ?, failing 5 to 5, well ?"]);
        let seen = [(1, "", true), (5, "", false), (9, "", false), (12, "", true), (14, "", false)];
        let first = "probe web: well 1, failing 5 to 9, well 12";
        assert_eq!(told(&seen), [first, "probe web: well 12, failing 14 to 14, well ?"]);
    }

    #[test]
    fn another_question_to_the_same_target_is_another_check() {
        let seen = [(1, "a", false), (2, "b", true), (3, "", true)];
        assert_eq!(told(&seen), ["probe web (query: a): well ?, failing 1 to 1, well ?"]);
    }
}
