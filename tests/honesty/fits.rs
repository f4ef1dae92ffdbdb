//! What a plan says of a value, against what the run recorded: which fields count, and what is true of a value that is not known.

use lifeboat::model::{Fault, Unknown, Value};

/// Fields that say how long something took, or how long ago it was. They are other ones each time, even where nothing moved, and a
/// plan that has looked just now does not mean them.
const TIMES: [&str; 4] = ["latency_ms", "took_ms", "duration_ms", "age_s"];

/// Fields that are made for people, and may mention a time among other things: the times are left out, everything else counts.
const TOLD: [&str; 1] = ["detail"];

/// Whether what was observed is what the run found, in every field that does not say how long something took.
///
/// `now` is left out as a whole: its fields are nothing but the time. The name of a secret that the call itself made ends in the run's
/// key, so only what stands before that counts.
pub(crate) fn is_observed(primitive: &str, said: &Value, found: &Value) -> bool {
    primitive == "now" || settled(said) == settled(found)
}

/// The value without times.
fn settled(value: &Value) -> Value {
    match value {
        Value::Map(map) => {
            let fields = map.iter().filter(|(name, _)| !TIMES.contains(&name.as_str()));
            let field = |(name, value): (&String, &Value)| {
                let value = match value {
                    Value::String(text) if TOLD.contains(&name.as_str()) => Value::from(without_times(text)),
                    value => settled(value),
                };
                (name.clone(), value)
            };
            Value::Map(fields.map(field).collect())
        }
        Value::List(list) => Value::List(list.iter().map(settled).collect()),
        Value::Secret(secret) => {
            let text = secret.to_string();
            Value::from(text.split_once('@').map_or(text.as_str(), |(name, _)| name))
        }
        other => other.clone(),
    }
}

/// The text without lengths of time: `200 in 3ms` and `200 in under 1ms` say the same.
pub(crate) fn without_times(text: &str) -> String {
    let is_time = |word: &str| {
        let word = word.trim_end_matches([',', ';', ':', '.']);
        let unit = word.trim_start_matches(|c: char| c.is_ascii_digit() || c == '.');
        unit.len() < word.len() && ["µs", "ms", "s", "m", "h", "d"].contains(&unit)
    };
    let words: Vec<&str> = text.split(' ').collect();
    let kept = words.iter().enumerate().filter(|(n, word)| {
        let under = **word == "under" && words.get(n + 1).is_some_and(|next| is_time(next));
        !is_time(word) && !under
    });
    kept.map(|(_, word)| *word).collect::<Vec<_>>().join(" ")
}

/// Whether the same fault was observed, its times left out.
pub(crate) fn is_same_fault(said: &Fault, met: &Fault) -> bool {
    let of = |fault: &Fault| (fault.code.clone(), without_times(&fault.message), fault.applied, fault.target.clone());
    of(said) == of(met) && is_same_place(said, met)
}

/// Whether a fault is of the kind that was foreseen or assumed, on the same target at the same place. In which words it is told only
/// the attempt knows.
pub(crate) fn is_foreseen_fault(said: &Fault, met: &Fault) -> bool {
    (&said.code, said.applied, &said.target) == (&met.code, met.applied, &met.target) && is_same_place(said, met)
}

/// A fault has its place once it is thrown into the script; a driver that foresees one, or a record of one, may not name it yet.
fn is_same_place(said: &Fault, met: &Fault) -> bool {
    said.site.as_ref().zip(met.site.as_ref()).is_none_or(|(said, met)| said == met)
}

/// Whether everything that a plan knows of a value was true. What it does not know may be anything; text around it must be there.
pub(crate) fn fits(said: &Value, found: &Value) -> bool {
    match (said, found) {
        (Value::Unknown(unknown), found) => may_be(unknown, found),
        (Value::Map(said), Value::Map(found)) => said.iter().all(|(name, said)| match (said, found.get(name)) {
            _ if TIMES.contains(&name.as_str()) => true,
            (Value::String(said), Some(Value::String(found))) if TOLD.contains(&name.as_str()) => {
                without_times(said) == without_times(found)
            }
            (said, found) => fits(said, found.unwrap_or(&Value::Null)),
        }),
        (Value::List(said), Value::List(found)) => {
            said.len() == found.len() && said.iter().zip(found).all(|(said, found)| fits(said, found))
        }
        (said, found) => settled(said) == settled(found),
    }
}

/// Whether arguments are those that were planned: none is missing, none came besides.
pub(crate) fn are_planned(said: &Value, given: &Value) -> bool {
    let (Value::Map(planned), Value::Map(came)) = (said, given) else { return fits(said, given) };
    planned.keys().eq(came.keys()) && planned.iter().zip(came).all(|((_, said), (_, given))| fits(said, given))
}

/// Whether a text such as `restored from ‹backup:primary.id›` can have become this one. What arithmetic made of an unknown
/// number is written as its formula, and can have become anything.
fn may_be(unknown: &Unknown, found: &Value) -> bool {
    let Value::String(found) = found else { return true };
    let mut rest: &str = found;
    let pieces = pieces(unknown.as_str());
    if pieces.iter().any(|piece| piece.contains('(') || piece.starts_with('-')) {
        return true;
    }
    for (n, piece) in pieces.iter().enumerate() {
        let last = n + 1 == pieces.len();
        let at = if last {
            rest.ends_with(piece.as_str()).then(|| rest.len() - piece.len())
        } else {
            rest.find(piece.as_str())
        };
        match at {
            Some(at) if n > 0 || at == 0 => rest = &rest[at + piece.len()..],
            _ => return false,
        }
    }
    true
}

/// What stands before, between and behind the labels of a text.
fn pieces(text: &str) -> Vec<String> {
    let (mut pieces, mut depth) = (vec![String::new()], 0);
    for c in text.chars() {
        match c {
            '‹' => {
                if depth == 0 {
                    pieces.push(String::new());
                }
                depth += 1;
            }
            '›' => depth -= 1,
            c if depth == 0 => pieces.last_mut().expect("there is one").push(c),
            _ => {}
        }
    }
    pieces
}

#[test]
fn what_is_not_known_leaves_the_rest_of_a_text_as_it_was_said() {
    let said = |text: &str| Value::Unknown(Unknown::text(text));
    for (planned, found, can_be) in [
        ("‹backup:primary.id›", "2026", true),
        ("from ‹backup:primary.id›", "from 2026", true),
        ("from ‹backup:primary.id›", "of 2026", false),
        ("from ‹a.id› to ‹b.id›.", "from 1 to 2.", true),
        ("from ‹a.id› to ‹b.id›.", "from 1 until 2.", false),
        ("from ‹a.id›.", "from 1", false),
        ("(‹a.n› + 1)", "8", true),
    ] {
        assert_eq!(fits(&said(planned), &Value::from(found)), can_be, "{planned}: {found}");
    }
    assert!(fits(&said("‹a.n›"), &Value::Int(3)));
}

#[test]
fn times_are_left_out_and_nothing_else() {
    assert_eq!(without_times("200 in 3ms"), without_times("200 in under 1ms"));
    assert_eq!(without_times("200 in 3ms: slow"), "200 in slow");
    assert_ne!(without_times("200 in 3ms"), without_times("503 in 3ms"));
    assert_eq!(without_times("3 orders"), "3 orders");
    let probe = |latency: i64, value: i64| {
        let detail = format!("{value} in {latency}ms");
        let fields =
            [("latency_ms", Value::Int(latency)), ("value", Value::Int(value)), ("detail", Value::from(detail))];
        Value::Map(fields.map(|(name, value)| (name.to_owned(), value)).into())
    };
    assert!(is_observed("probe", &probe(3, 200), &probe(5, 200)));
    assert!(!is_observed("probe", &probe(3, 200), &probe(3, 503)));
}
