//! Options that make no sense, for any target or for this one.

use super::Args;
use crate::model::{Arg, Fault, Span, Value};

/// Options that every target takes.
const COMMON: [&str; 5] = ["attempts", "every", "timeout", "warn_latency", "fail_latency"];

/// A probe that was asked wrongly.
pub(super) fn misuse(args: &Args, message: impl Into<String>) -> Fault {
    Fault::new("probe-misuse", message).on(&args.target)
}

/// Refuses options that make no sense for a target that is `what` and takes `takes`.
pub(super) fn check(args: &Args, what: &str, takes: &[&str]) -> Result<(), Fault> {
    let takes_it = |name: &String| COMMON.contains(&name.as_str()) || takes.contains(&name.as_str());
    if let Some(name) = args.given().into_iter().find(|name| !takes_it(name)) {
        let message = format!("`{name}` makes no sense for {}: it is {what}", args.target);
        let all: Vec<&str> = takes.iter().chain(&COMMON).copied().collect();
        return Err(misuse(args, message).hint(format!("it takes {}", all.join(", "))));
    }
    if let Some(unknown) = Value::encode(args).find_unknown() {
        return Err(misuse(args, format!("{unknown} is not known before the run")));
    }
    if !(1..=1000).contains(&args.attempts) {
        return Err(misuse(args, format!("`attempts` is {}: it must be from 1 to 1000", args.attempts)));
    }
    if args.timeout == Some(Span::default()) {
        return Err(misuse(args, "`timeout` is 0: an attempt needs time"));
    }
    below(args, "warn_latency", args.warn_latency, "fail_latency", args.fail_latency)?;
    below(args, "warn_size", args.warn_size, "fail_size", args.fail_size)?;
    // Of these the smaller one is the graver.
    below(args, "tls_days_fail", args.tls_days_fail, "tls_days_warn", args.tls_days_warn)?;
    check_expectation(args, takes.contains(&"matching"))
}

/// Of two limits the first must be below the second: the other way round one of them could never count.
pub(super) fn below<T: PartialOrd + std::fmt::Display>(
    args: &Args,
    low: &str,
    lower: Option<T>,
    high: &str,
    higher: Option<T>,
) -> Result<(), Fault> {
    match (lower, higher) {
        (Some(lower), Some(higher)) if lower >= higher => {
            Err(misuse(args, format!("`{low}` ({lower}) must be below `{high}` ({higher})")))
        }
        _ => Ok(()),
    }
}

/// `has_value` says that the target has a value in any case.
fn check_expectation(args: &Args, has_value: bool) -> Result<(), Fault> {
    let given = args.given();
    let expectation =
        ["equals", "at_least", "at_most", "above", "below"].into_iter().find(|name| given.iter().any(|g| g == name));
    if let Some(name) = expectation
        && !has_value
        && args.query.is_none()
        && args.pointer.is_none()
    {
        return Err(misuse(args, format!("`{name}` needs a value: give `query` or `pointer` as well")));
    }
    if let Some(Value::List(_) | Value::Map(_) | Value::Secret(_)) = args.equals {
        return Err(misuse(args, "`equals` takes text, a number, a bool or ()"));
    }
    let bound = |bound: &Option<Arg<f64>>| bound.as_ref().and_then(Arg::known).copied();
    for (low, lower) in [("at_least", &args.at_least), ("above", &args.above)] {
        for (high, upper) in [("at_most", &args.at_most), ("below", &args.below)] {
            let (Some(lower), Some(upper)) = (bound(lower), bound(upper)) else { continue };
            let both_take_it = low == "at_least" && high == "at_most";
            if lower > upper || (lower >= upper && !both_take_it) {
                return Err(misuse(args, format!("`{low}` ({lower}) and `{high}` ({upper}): no value can be both")));
            }
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Unknown;

    fn refused(args: &Args, takes: &[&str]) -> Fault {
        check(args, "a service that accepts connections", takes).expect_err("refused")
    }

    #[test]
    fn an_option_of_another_kind_of_target_is_named() {
        let args = Args { query: Some(Arg::Known("SELECT 1".to_owned())), ..Args::of("web") };
        let fault = refused(&args, &["path"]);
        assert_eq!(fault.code, "probe-misuse");
        assert_eq!(fault.message, "`query` makes no sense for web: it is a service that accepts connections");
        assert_eq!(fault.hint.expect("a hint"), "it takes path, attempts, every, timeout, warn_latency, fail_latency");
        assert_eq!(fault.target.expect("a target"), "web");
        assert_eq!(check(&args, "a database", &["query"]), Ok(()));
    }

    #[test]
    fn options_that_contradict_each_other_are_refused() {
        let span = |secs| Some(Span::from_secs(secs));
        let bad =
            |args: Args| refused(&args, &["query", "equals", "at_least", "at_most", "tls_days_warn", "tls_days_fail"]);
        let web = || Args::of("web");
        assert!(bad(Args { attempts: 0, ..web() }).message.contains("from 1 to 1000"));
        assert!(bad(Args { timeout: span(0), ..web() }).message.contains("needs time"));
        let slow = Args { warn_latency: span(2), fail_latency: span(1), ..web() };
        assert_eq!(bad(slow).message, "`warn_latency` (2s) must be below `fail_latency` (1s)");
        let days = Args { tls_days_warn: Some(7), tls_days_fail: Some(30), ..web() };
        assert_eq!(bad(days).message, "`tls_days_fail` (30) must be below `tls_days_warn` (7)");
        assert!(bad(Args { equals: Some(Value::Null), ..web() }).message.contains("`equals` needs a value"));
        let query = || Some(Arg::Known("SELECT 1".to_owned()));
        let known = |number: f64| Some(Arg::Known(number));
        let strict = Args { query: query(), above: known(2.0), at_most: known(2.0), ..web() };
        let fault = refused(&strict, &["query", "above", "at_most"]);
        assert_eq!(fault.message, "`above` (2) and `at_most` (2): no value can be both");
        let (least, most) = (Some(Arg::Known(2.0)), Some(Arg::Known(1.0)));
        assert!(bad(Args { query: query(), at_least: least, at_most: most, ..web() }).message.contains("no value"));
        assert!(
            bad(Args { query: query(), equals: Some(Value::List(vec![])), ..web() }).message.contains("takes text")
        );
    }

    #[test]
    fn what_is_not_known_yet_cannot_be_asked() {
        let label = Unknown::labelled("probe:db.value");
        let query = Some(Arg::Known("SELECT 1".to_owned()));
        let args = Args { query, at_least: Some(Arg::Unknown(label)), ..Args::of("db") };
        assert!(refused(&args, &["query", "at_least"]).message.contains("‹probe:db.value› is not known"));
    }
}
