//! The arms of a `switch`, as questions about a value that is not known.
//!
//! Each arm is asked for in the order of the script, those with several values at once: is it this one? The answer that was yes goes to
//! Rhai as a value that has it, so guards, ranges and the default mean what they always mean.

use rhai::{Dynamic, EvalContext, Expr, Position, RangeCase, SwitchCasesCollection};

use crate::model::{Unknown, Value};
use crate::script::branch::Branch;
use crate::script::host::{RhaiResult, branch_of};
use crate::script::{convert, unknown};

use super::literals::Literals;

/// The arms of one `switch`.
pub(super) struct Arms {
    /// Values that lead to the same arms, in the order of the arms, and where the first of them stands.
    values: Vec<(Vec<Dynamic>, Position)>,
    /// Ranges, whether the arm behind each has no guard, and where it begins.
    ranges: Vec<(RangeCase, bool, Position)>,
    /// Whether something stands before an arm that is no plain value.
    opaque: bool,
}

impl Arms {
    /// Of a `switch` over what stands at `subject`.
    pub(super) fn of(cases: &SwitchCasesCollection, subject: Position, literals: &mut Literals) -> Self {
        let unguarded = |arm: usize| matches!(cases.expressions[arm].lhs, Expr::BoolConstant(true, _));
        let body = |arm: usize| cases.expressions[arm].rhs.position();
        let ranges = cases.ranges.iter().map(|range| (range.clone(), unguarded(range.index()), body(range.index())));
        let ranges: Vec<_> = ranges.collect();
        let mut known = Vec::new();
        let mut opaque = false;
        for (hash, case) in &cases.cases {
            match literals.of_hash(*hash) {
                Some(literal) => {
                    let within: Vec<bool> = ranges.iter().map(|(range, ..)| range.contains(&literal.value)).collect();
                    let end = case.blocks.first().map_or(subject, |arm| body(*arm));
                    let place = literal.between(subject, end).unwrap_or(subject);
                    known.push((case.blocks.to_vec(), within, place, literal.value));
                }
                // Rhai keeps ranges among them as well.
                None => opaque |= !case.blocks.iter().all(|arm| ranges.iter().any(|(range, ..)| range.index() == *arm)),
            }
        }
        let place = |at: Position| (at.line(), at.position());
        known.sort_by(|one, other| (&one.0, &one.1, place(one.2)).cmp(&(&other.0, &other.1, place(other.2))));
        let groups = known.chunk_by(|one, other| (&one.0, &one.1) == (&other.0, &other.1));
        let values = |group: &[(_, _, Position, Dynamic)]| group.iter().map(|(.., value)| value.clone()).collect();
        let values = groups.map(|group| (values(group), group[0].2)).collect();
        Self { values, ranges, opaque }
    }

    /// A value with which Rhai takes the arm that is to be taken.
    pub(super) fn choose(&self, context: &EvalContext, subject: &Unknown, position: Position) -> RhaiResult {
        let Some(branch) = branch_of(Some(context.tag())) else { return Ok(Dynamic::from(subject.clone())) };
        if self.opaque {
            return Err(unplannable(&branch, subject, position));
        }
        let asked = Asked { branch: &branch, subject };
        for (values, place) in &self.values {
            if asked.is_one_of(values, *place)? {
                return Ok(values[0].clone());
            }
        }
        let (mut inside, mut outside) = (Vec::new(), Vec::new());
        for (range, decides, place) in &self.ranges {
            // Where no number is left that could be in it, nothing is asked.
            let within = |inside: &[&RangeCase]| self.number(&[inside, &[range]].concat(), &outside);
            let yes = within(&inside).is_some() && asked.is_in(range, *place)?;
            if yes {
                inside.push(range);
            } else {
                outside.push(range);
            }
            if yes && *decides {
                break;
            }
        }
        // What is in none of them takes the default, as whatever has no hash.
        let default = || Some(Dynamic::from(subject.clone()));
        let number = if inside.is_empty() { default() } else { self.number(&inside, &outside) };
        number.ok_or_else(|| unplannable(&branch, subject, position))
    }

    /// A number in all of these ranges, in none of those, and before no arm of its own.
    fn number(&self, inside: &[&RangeCase], outside: &[&RangeCase]) -> Option<Dynamic> {
        let all = self.ranges.iter().map(|(range, ..)| range);
        let bounds = all.flat_map(|range| {
            let (from, to) = bounds(range);
            [from, from.saturating_add(1), to.saturating_sub(1), to]
        });
        #[expect(clippy::cast_precision_loss, reason = "any number of the range will do")]
        let candidates = bounds.flat_map(|bound| [Dynamic::from(bound), Dynamic::from(bound as f64 + 0.5)]);
        let taken = |number: &Dynamic| {
            let same = |value: &Dynamic| match (value.as_float(), number.as_float()) {
                (Ok(value), Ok(number)) => value.to_bits() == number.to_bits(),
                _ => value.as_int().is_ok() && value.as_int() == number.as_int(),
            };
            self.values.iter().flat_map(|(values, _)| values).any(same)
        };
        let mut fitting = candidates.filter(|number| {
            inside.iter().all(|range| range.contains(number)) && !outside.iter().any(|range| range.contains(number))
        });
        fitting.find(|number| !taken(number))
    }
}

/// Where a range begins, and where it ends.
fn bounds(range: &RangeCase) -> (i64, i64) {
    match range {
        RangeCase::ExclusiveInt(range, _) => (range.start, range.end),
        RangeCase::InclusiveInt(range, _) => (*range.start(), *range.end()),
    }
}

/// Questions about the subject of a `switch`. Each is asked where its arm stands: they are different places on a path.
struct Asked<'a> {
    branch: &'a Branch,
    subject: &'a Unknown,
}

impl Asked<'_> {
    fn is_one_of(&self, values: &[Dynamic], place: Position) -> RhaiResult<bool> {
        let mut plain = values.iter().filter_map(|value| convert::to_value(value).ok());
        match (plain.next(), values.len()) {
            (Some(value), 1) => self.compares("==", value, place),
            (first, _) => self.compares("in", Value::List(first.into_iter().chain(plain).collect()), place),
        }
    }

    fn is_in(&self, range: &RangeCase, place: Position) -> RhaiResult<bool> {
        let (from, to) = bounds(range);
        let below = if matches!(range, RangeCase::ExclusiveInt(..)) { "<" } else { "<=" };
        Ok(self.compares(">=", Value::Int(from), place)? && self.compares(below, Value::Int(to), place)?)
    }

    fn compares(&self, operator: &'static str, value: Value, place: Position) -> RhaiResult<bool> {
        unknown::compares(self.branch, (self.subject, operator, value), place)
    }
}

fn unplannable(branch: &Branch, subject: &Unknown, position: Position) -> Box<rhai::EvalAltResult> {
    unknown::depends(branch, "which arm the `switch` takes", subject, position)
}
