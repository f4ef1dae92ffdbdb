//! What a path has been told of values that nobody knows: a question that the earlier answers settle is not asked.

use std::collections::HashMap;

use crate::model::{Comparison, Question, Value};

/// The answers so far.
#[derive(Debug, Default)]
pub(super) struct Facts {
    /// Conditions in the same words.
    answered: HashMap<String, bool>,
    about: HashMap<String, About>,
}

/// What is known of one value.
#[derive(Debug, Default)]
struct About {
    /// The smallest and the largest number that it can be, and whether it can be just that.
    least: Option<(f64, bool)>,
    most: Option<(f64, bool)>,
    is: Option<Value>,
    is_not: Vec<Value>,
    /// It is one of these, if anything is said of that.
    among: Option<Vec<Value>>,
}

impl Facts {
    /// The answer, if it follows from earlier ones.
    pub(super) fn answer(&self, question: &Question) -> Option<bool> {
        if let Some(answer) = self.answered.get(&question.condition) {
            return Some(*answer);
        }
        let comparison = question.comparison.as_ref()?;
        self.about.get(comparison.unknown.as_str())?.answer(comparison)
    }

    /// From now on this is the answer.
    pub(super) fn learn(&mut self, question: &Question, yes: bool) {
        self.answered.insert(question.condition.clone(), yes);
        if let Some(comparison) = &question.comparison {
            self.about.entry(comparison.unknown.to_string()).or_default().learn(comparison, yes);
        }
    }
}

#[expect(clippy::cast_precision_loss, reason = "larger ones are left out")]
fn number(value: &Value) -> Option<f64> {
    match value {
        // What is larger is not told apart from its neighbours, so nothing follows from it.
        Value::Int(number) => Some(*number as f64).filter(|number| number.abs() < 9_007_199_254_740_992.0),
        Value::Float(number) => Some(*number),
        _ => None,
    }
}

fn list(value: &Value) -> Option<&[Value]> {
    match value {
        Value::List(list) => Some(list),
        _ => None,
    }
}

fn holds(values: &[Value], value: &Value) -> bool {
    values.iter().any(|other| same(other, value))
}

/// Whether Rhai takes them for equal: `5 == 5.0`.
#[expect(clippy::float_cmp, reason = "that is what Rhai compares")]
fn same(one: &Value, other: &Value) -> bool {
    one == other || matches!((number(one), number(other)), (Some(one), Some(other)) if one == other)
}

#[expect(clippy::float_cmp, reason = "a bound is the very number that stands in the script")]
impl About {
    fn answer(&self, comparison: &Comparison) -> Option<bool> {
        let value = &comparison.value;
        match comparison.operator {
            "==" => self.equals(value),
            "!=" => self.equals(value).map(|equal| !equal),
            "in" => self.among(list(value)?),
            "<" => self.below(number(value)?, false),
            "<=" => self.below(number(value)?, true),
            ">" => self.below(number(value)?, true).map(|below| !below),
            ">=" => self.below(number(value)?, false).map(|below| !below),
            _ => None,
        }
    }

    fn equals(&self, value: &Value) -> Option<bool> {
        match &self.is {
            Some(known) => Some(same(known, value)),
            None if self.is_not.iter().any(|other| same(other, value)) => Some(false),
            None if self.among.as_ref().is_some_and(|all| !holds(all, value)) => Some(false),
            None => {
                let number = number(value)?;
                let outside = self.least.is_some_and(|(least, itself)| number < least || number == least && !itself)
                    || self.most.is_some_and(|(most, itself)| number > most || number == most && !itself);
                outside.then_some(false)
            }
        }
    }

    /// Whether it is one of these.
    fn among(&self, values: &[Value]) -> Option<bool> {
        match (&self.is, &self.among) {
            (Some(known), _) => return Some(holds(values, known)),
            (_, Some(all)) if all.iter().all(|one| holds(values, one)) => return Some(true),
            _ => {}
        }
        values.iter().all(|value| self.equals(value) == Some(false)).then_some(false)
    }

    /// What it can still be, where that is one value of those that it is among.
    fn settle(&mut self) {
        if let Some(all) = &mut self.among {
            all.retain(|one| !holds(&self.is_not, one));
            if let [only] = &all[..] {
                self.is = Some(only.clone());
            }
        }
    }

    /// Whether it is below the number, or (`or_equal`) that number.
    fn below(&self, bound: f64, or_equal: bool) -> Option<bool> {
        if let Some(known) = self.is.as_ref().and_then(number) {
            return Some(known < bound || or_equal && known == bound);
        }
        let surely = self.most.is_some_and(|(most, itself)| most < bound || most == bound && (or_equal || !itself));
        let never = self.least.is_some_and(|(least, itself)| least > bound || least == bound && !(or_equal && itself));
        match (surely, never) {
            (true, _) => Some(true),
            (_, true) => Some(false),
            _ => None,
        }
    }

    fn learn(&mut self, comparison: &Comparison, yes: bool) {
        let value = &comparison.value;
        match (comparison.operator, yes) {
            ("==", true) | ("!=", false) => self.is = Some(value.clone()),
            ("==", false) | ("!=", true) => self.is_not.push(value.clone()),
            ("in", false) => self.is_not.extend(list(value).into_iter().flatten().cloned()),
            ("in", true) => {
                let all = self.among.take().unwrap_or_else(|| list(value).unwrap_or_default().to_vec());
                let both = |one: &Value| list(value).is_some_and(|values| holds(values, one));
                self.among = Some(all.into_iter().filter(both).collect());
            }
            ("<", true) | (">=", false) => self.at_most(value, false),
            ("<=", true) | (">", false) => self.at_most(value, true),
            (">", true) | ("<=", false) => self.at_least(value, false),
            (">=", true) | ("<", false) => self.at_least(value, true),
            _ => {}
        }
        self.settle();
    }

    fn at_most(&mut self, value: &Value, itself: bool) {
        let Some(number) = number(value) else { return };
        if self.most.is_none_or(|(most, _)| number <= most) {
            self.most = Some((number, itself));
        }
    }

    fn at_least(&mut self, value: &Value, itself: bool) {
        let Some(number) = number(value) else { return };
        if self.least.is_none_or(|(least, _)| number >= least) {
            self.least = Some((number, itself));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{Site, Unknown};

    fn question(operator: &'static str, value: impl Into<Value>) -> Question {
        let (unknown, value) = (Unknown::labelled("probe:web.latency_ms"), value.into());
        let condition = format!("{unknown} {operator} {value}");
        let site = Site { file: "a.rhai".into(), line: 1, column: 1 };
        Question { site, condition, answers: 2, comparison: Some(Comparison { unknown, operator, value }) }
    }

    #[track_caller]
    fn follows(learnt: &[(&'static str, i64, bool)], operator: &'static str, value: i64, expected: Option<bool>) {
        let mut facts = Facts::default();
        for (operator, value, yes) in learnt {
            facts.learn(&question(operator, *value), *yes);
        }
        assert_eq!(facts.answer(&question(operator, value)), expected, "{learnt:?}, then {operator} {value}");
    }

    #[test]
    fn what_follows_is_not_asked_again() {
        follows(&[], ">", 5, None);
        follows(&[(">", 5, true)], ">", 5, Some(true));
        follows(&[(">", 5, true)], "<=", 5, Some(false));
        follows(&[(">", 5, true)], ">", 4, Some(true));
        follows(&[(">", 5, true)], ">", 6, None);
        follows(&[(">", 5, true)], "==", 5, Some(false));
        follows(&[(">", 5, true)], "==", 6, None);
        follows(&[(">=", 5, true)], "==", 5, None);
        follows(&[(">", 5, false)], ">=", 6, Some(false));
        follows(&[("<", 5, true), ("<", 9, true)], "<", 5, Some(true));
        follows(&[("==", 5, true)], "<", 6, Some(true));
        follows(&[("==", 5, true)], "!=", 7, Some(true));
        follows(&[("==", 5, false)], "==", 5, Some(false));
        follows(&[("==", 5, false)], "==", 6, None);
    }

    #[test]
    fn numbers_are_compared_as_rhai_compares_them() {
        let mut facts = Facts::default();
        facts.learn(&question("==", 5), true);
        assert_eq!(facts.answer(&question("==", Value::Float(5.0))), Some(true));
        let mut facts = Facts::default();
        facts.learn(&question(">", 9_007_199_254_740_992), true);
        assert_eq!(facts.answer(&question("==", 9_007_199_254_740_993)), None);
    }

    #[test]
    fn what_is_among_some_values_is_one_of_them() {
        let list = |texts: &[&str]| Value::List(texts.iter().map(|text| Value::from(*text)).collect());
        let mut facts = Facts::default();
        facts.learn(&question("in", list(&["a", "b", "c"])), true);
        assert_eq!(facts.answer(&question("==", "d")), Some(false));
        assert_eq!(facts.answer(&question("==", "a")), None);
        assert_eq!(facts.answer(&question("in", list(&["a", "b", "c", "d"]))), Some(true));
        assert_eq!(facts.answer(&question("in", list(&["d", "e"]))), Some(false));
        assert_eq!(facts.answer(&question("in", list(&["a", "b"]))), None);
        facts.learn(&question("==", "a"), false);
        facts.learn(&question("in", list(&["b", "d"])), true);
        assert_eq!(facts.answer(&question("==", "b")), Some(true));
        let mut facts = Facts::default();
        facts.learn(&question("in", list(&["a", "b"])), false);
        assert_eq!(facts.answer(&question("!=", "b")), Some(true));
        assert_eq!(facts.answer(&question("in", list(&["b"]))), Some(false));
        assert_eq!(facts.answer(&question("in", list(&["b", "c"]))), None);
        facts.learn(&question("==", "c"), true);
        assert_eq!(facts.answer(&question("in", list(&["b", "c"]))), Some(true));
    }

    #[test]
    fn a_truth_value_that_is_not_true_is_false() {
        let mut facts = Facts::default();
        facts.learn(&question("==", true), false);
        assert_eq!(facts.answer(&question("==", true)), Some(false));
        assert_eq!(facts.answer(&question("!=", true)), Some(true));
    }

    #[test]
    fn texts_are_equal_or_not() {
        let mut facts = Facts::default();
        facts.learn(&question("==", "v1"), true);
        assert_eq!(facts.answer(&question("==", "v2")), Some(false));
        assert_eq!(facts.answer(&question("!=", "v1")), Some(false));
        assert_eq!(facts.answer(&question("<", "v2")), None);
    }
}
