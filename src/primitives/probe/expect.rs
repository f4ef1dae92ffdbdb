//! Whether a value is the one expected: `equals`, `at_least`, `at_most`, `above`, `below`.

use super::Args;
use super::finding::{Finding, shorten};
use crate::model::{Arg, Value};

/// Whether what was found is within a bound.
type Fits = fn(f64, f64) -> bool;

/// How much of a value is shown, in characters.
const SHOWN: usize = 80;

/// Fails `finding` where the scalar `found`, or finding none, is not what is expected.
pub(super) fn expect(args: &Args, found: Option<&Value>, finding: &mut Finding) {
    let Some(found) = found else {
        let bounds = [&args.at_least, &args.at_most, &args.above, &args.below];
        if args.equals.is_some() || bounds.into_iter().any(Option::is_some) {
            finding.fail("expected one");
        }
        return;
    };
    if let Some(expected) = &args.equals
        && !same(found, expected)
    {
        finding.fail(format!("expected {}", show(expected)));
    }
    let within = |fits: &dyn Fn(f64) -> bool| number(found).is_some_and(fits);
    let fits: [(_, Fits, _); 4] = [
        (&args.at_least, |found, bound| found >= bound, "at least"),
        (&args.at_most, |found, bound| found <= bound, "at most"),
        (&args.above, |found, bound| found > bound, "more than"),
        (&args.below, |found, bound| found < bound, "less than"),
    ];
    for (bound, fits, words) in fits {
        if let Some(bound) = bound.as_ref().and_then(Arg::known)
            && !within(&|found| fits(found, *bound))
        {
            finding.fail(format!("expected {words} {bound}"));
        }
    }
}

/// A value for people, in one line.
pub(super) fn show(value: &Value) -> String {
    match value {
        Value::String(text) => shorten(&format!("{text:?}"), SHOWN),
        other => shorten(&other.to_string(), SHOWN),
    }
}

fn same(found: &Value, expected: &Value) -> bool {
    match (found, expected) {
        (Value::Int(a), Value::Float(b)) | (Value::Float(b), Value::Int(a)) => float(*a).total_cmp(b).is_eq(),
        (found, expected) => found == expected,
    }
}

fn number(value: &Value) -> Option<f64> {
    match value {
        Value::Int(i) => Some(float(*i)),
        Value::Float(x) => Some(*x),
        _ => None,
    }
}

#[expect(clippy::cast_precision_loss, reason = "counts beyond 2^53 may be off by one in a comparison")]
fn float(int: i64) -> f64 {
    int as f64
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::primitives::probe::Status;

    fn judge(args: &Args, found: impl Into<Option<Value>>) -> Option<String> {
        let mut finding = Finding::answered(Duration::ZERO, Value::Null, "found");
        expect(args, found.into().as_ref(), &mut finding);
        (finding.status == Status::Fail).then(|| finding.detail())
    }

    #[test]
    fn numbers_are_equal_by_value_and_everything_else_by_kind() {
        let equals = |expected: Value| Args { equals: Some(expected), ..Args::of("db") };
        assert_eq!(judge(&equals(Value::Int(1)), Value::Float(1.0)), None);
        assert_eq!(judge(&equals(Value::from("ok")), Value::from("ok")), None);
        assert_eq!(judge(&equals(Value::Null), Value::Null), None);
        assert_eq!(judge(&equals(Value::Null), Value::Int(0)), Some("found: expected ()".to_owned()));
        assert_eq!(judge(&equals(Value::from("1")), Value::Int(1)), Some("found: expected \"1\"".to_owned()));
    }

    #[test]
    fn bounds_are_inclusive_and_only_for_numbers() {
        let (least, most) = (Some(Arg::Known(1.0)), Some(Arg::Known(2.5)));
        let args = Args { at_least: least, at_most: most, ..Args::of("db") };
        assert_eq!(judge(&args, Value::Int(1)), None);
        assert_eq!(judge(&args, Value::Float(2.5)), None);
        assert_eq!(judge(&args, Value::Int(0)), Some("found: expected at least 1".to_owned()));
        assert_eq!(judge(&args, Value::Int(3)), Some("found: expected at most 2.5".to_owned()));
        assert!(judge(&args, Value::from("2")).is_some());
        assert!(judge(&args, Value::Null).is_some());
        assert_eq!(judge(&args, None), Some("found: expected one".to_owned()));
        let strict = Args { above: Some(Arg::Known(1.0)), below: Some(Arg::Known(2.5)), ..Args::of("db") };
        assert_eq!(judge(&strict, Value::Int(2)), None);
        assert_eq!(judge(&strict, Value::Int(1)), Some("found: expected more than 1".to_owned()));
        assert_eq!(judge(&strict, Value::Float(2.5)), Some("found: expected less than 2.5".to_owned()));
        assert_eq!(judge(&strict, None), Some("found: expected one".to_owned()));
        assert_eq!(judge(&Args::of("db"), None), None);
        assert!(judge(&args, Value::Float(f64::NAN)).is_some());
    }
}
