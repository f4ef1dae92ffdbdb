//! How one call ends: as the test gives it, else the likely way.

use std::collections::BTreeMap;

use crate::model::{
    CANCELLED, CaseResult, GivenOutcome, Halt, IN_DOUBT, Invocation, Performed, Unknown, Value, did_you_mean,
};
use crate::primitives::{ArgType, FieldSpec, Signature};
use crate::worlds::explore::ways::{Known, Way};
use crate::worlds::explore::{Call, Visit};

use super::{Met, UnitTest};

/// The end that was found for a call.
struct End {
    /// The position of its way among those known.
    way: usize,
    /// What it returns, or the fields of it that are known.
    value: Option<Value>,
    cancelled: bool,
    in_doubt: bool,
}

impl UnitTest {
    /// Ends a call.
    pub(super) fn end_as_given(&self, call: &Invocation) -> Result<Performed, Halt> {
        if let Some(halt) = self.explore.walk().stop(call.key.in_rollback()) {
            return Err(halt);
        }
        self.visit(&call.site)?;
        let known = self.explore.known(call)?;
        let role = self.explore.cast.role(call)?;
        let (target, signature) = (role.target, role.signature);
        let end = match self.given(call.primitive, target, &call.args) {
            Some((line, outcome)) => self.as_given(call, (&known, signature), line, outcome)?,
            None => self.likely(call, &known, target),
        };
        let names = known.ways.iter().enumerate();
        let taken = |n: usize| n == end.way && !end.in_doubt;
        let names = names.map(|(n, way)| (way.case.name, taken(n))).collect();
        self.course().meet(&call.site, Met::Call(signature.name, names));
        let mut walk = self.explore.walk();
        if end.in_doubt {
            if let Some(target) = target {
                self.course().state.forget(target);
            }
            return Err(walk.doubt(call, &known));
        }
        let way = &known.ways[end.way];
        let outcome = walk.outcome(call, &known, way).0.map(|output| filled(signature, output, end.value));
        let effect = known.effect(call, outcome.as_ref().ok());
        if way.changed {
            walk.changed.extend(known.impact.targets.iter().cloned());
        }
        if let (Some(target), Some(effect)) = (target, effect.as_ref().filter(|_| outcome.is_ok() || way.changed)) {
            self.course().state.learn(target, &effect.sides);
        }
        let visit = known.visit(call, (way.case.name, outcome.is_err(), way.changed), walk.path.open);
        walk.path.visits.push(Visit::Called(Call { effect, ..visit }));
        if end.cancelled {
            walk.cancel(&call.site);
        }
        Ok(Performed { outcome, changed: known.impact.kind.is_change() })
    }

    /// The way that the test does not give.
    fn likely(&self, call: &Invocation, known: &Known, target: Option<&str>) -> End {
        let likely = End { way: 0, value: None, cancelled: false, in_doubt: false };
        let Some(target) = target else { return likely };
        let effect = known.effect(call, None);
        let sides = effect.as_ref().map_or(&[][..], |effect| &effect.sides);
        let foreseen = self.course().state.foresee(call, target, sides);
        let way = foreseen.case.and_then(|case| known.ways.iter().position(|way| way.case.name == case));
        let value = Some(Value::Map(foreseen.fields)).filter(|fields| *fields != Value::Map(BTreeMap::new()));
        End { way: way.unwrap_or(0), value, ..likely }
    }

    /// The way that the test gives. The error says why the call can never end so.
    fn as_given(
        &self,
        call: &Invocation,
        (known, signature): (&Known, &Signature),
        line: usize,
        outcome: GivenOutcome,
    ) -> Result<End, Halt> {
        let pattern = &self.given[line].call;
        let GivenOutcome { case, value } = outcome;
        let wrong = |why: String, hint: Option<String>| Err(self.wrong(line, format!("`{pattern}`: {why}"), hint));
        if let Some(value) = &value
            && let Err((why, hint)) = may_return(signature, value)
        {
            return wrong(why, hint);
        }
        let end = |way| End { way, value: value.clone(), cancelled: false, in_doubt: false };
        let position = |case: &str| known.ways.iter().position(|way| way.case.name == case);
        match case.as_deref() {
            Some(CANCELLED) if call.key.in_rollback() => {
                wrong("the call stands in a rollback, and nobody cancels one of those".to_owned(), None)
            }
            Some(CANCELLED) => {
                let target = signature.target_of(&call.args);
                Ok(End { cancelled: true, ..self.likely(call, known, target) })
            }
            Some(IN_DOUBT) if !known.impact.kind.is_change() => {
                wrong(format!("`{}` changes nothing, so it never ends in doubt", call.primitive), None)
            }
            Some(IN_DOUBT) if !known.doubtful => {
                let hint = "a crash or a lost answer is settled by that evidence: give one of its other outcomes";
                let why = format!("its driver has evidence: `{}` never ends in doubt there", call.primitive);
                wrong(why, Some(hint.to_owned()))
            }
            Some(IN_DOUBT) => Ok(End { in_doubt: true, ..end(0) }),
            Some(case) => match position(case) {
                Some(way) if value.is_some() && matches!(known.ways[way].case.result, CaseResult::Fails { .. }) => {
                    wrong(format!("in `{case}` it throws, and returns nothing"), None)
                }
                Some(way) => Ok(end(way)),
                None => {
                    let doubtful = known.doubtful && known.impact.kind.is_change();
                    let ways = known.ways.iter().map(|way| way.case.name).chain([CANCELLED]);
                    let ways: Vec<&str> = ways.chain(doubtful.then_some(IN_DOUBT)).collect();
                    let hint = did_you_mean(case, ways.iter().copied())
                        .unwrap_or_else(|| format!("it can end in: {}", ways.join(", ")));
                    wrong(format!("`{}` cannot end in `{case}`", call.primitive), Some(hint))
                }
            },
            None => match value.as_ref().and_then(|value| returning(&known.ways, value)) {
                Some(way) => Ok(end(way)),
                None => wrong(
                    format!("`{}` never returns {}", call.primitive, value.unwrap_or_default()),
                    Some("name the case that it ends in, and give only fields that agree with it".to_owned()),
                ),
            },
        }
    }
}

/// The way in which a call returns this: the one with which it agrees best.
fn returning(ways: &[Way], value: &Value) -> Option<usize> {
    let agreement = |way: &Way| match &way.case.result {
        CaseResult::Returns(certain) if certain == value => Some(usize::MAX),
        CaseResult::Returns(Value::Map(certain)) => match value {
            Value::Map(given) => {
                let both = || given.iter().filter_map(|(name, given)| Some((given, certain.get(name)?)));
                both().all(|(given, certain)| given == certain).then(|| both().count())
            }
            _ => certain.is_empty().then_some(0),
        },
        CaseResult::Fails { .. } | CaseResult::Returns(_) => None,
    };
    let mut best: Option<(usize, usize)> = None;
    for (n, agreement) in ways.iter().enumerate().filter_map(|(n, way)| Some((n, agreement(way)?))) {
        if best.is_none_or(|(_, most)| agreement > most) {
            best = Some((n, agreement));
        }
    }
    best.map(|(n, _)| n)
}

/// Whether a primitive returns such a value. The error says what it returns instead.
fn may_return(signature: &Signature, value: &Value) -> Result<(), (String, Option<String>)> {
    let fields = match (&signature.output, value) {
        (ArgType::List(_), Value::Map(_)) => {
            let hint = "a list is what calls return one after the other: write a list in it, [[…]]";
            return Err((format!("`{}` returns a list", signature.name), Some(hint.to_owned())));
        }
        (ArgType::List(_), Value::List(items)) => {
            for item in items {
                known_fields(signature, &signature.item_fields, item)?;
            }
            return Ok(());
        }
        (output, value) if signature.fields.is_empty() => {
            return if *value == Value::Null || output.takes(value.kind()) {
                Ok(())
            } else {
                Err((format!("`{}` returns {output}, not {}", signature.name, value.kind()), None))
            };
        }
        _ => &signature.fields,
    };
    if !matches!(value, Value::Map(_)) {
        return Err((format!("`{}` returns a map, not {}", signature.name, value.kind()), None));
    }
    known_fields(signature, fields, value)
}

fn known_fields(signature: &Signature, fields: &[FieldSpec], value: &Value) -> Result<(), (String, Option<String>)> {
    let Value::Map(given) = value else { return Ok(()) };
    if fields.is_empty() {
        return Ok(());
    }
    for (name, value) in given {
        let Some(field) = fields.iter().find(|field| field.name == *name) else {
            let names = fields.iter().map(|field| field.name.as_str());
            let all = || format!("its fields: {}", names.clone().collect::<Vec<_>>().join(", "));
            let hint = did_you_mean(name, names.clone()).unwrap_or_else(all);
            return Err((format!("what `{}` returns has no field `{name}`", signature.name), Some(hint)));
        };
        if *value != Value::Null && !field.kind.takes(value.kind()) {
            let why = format!("the field `{name}` of `{}` is {}, not {}", signature.name, field.kind, value.kind());
            return Err((why, Some(field.doc.clone()).filter(|doc| !doc.is_empty())));
        }
    }
    Ok(())
}

/// What a call returns, with what is given of it.
fn filled(signature: &Signature, output: Value, given: Option<Value>) -> Value {
    match (output, given) {
        (output, None) => output,
        (Value::Map(mut fields), Some(Value::Map(given))) => {
            fields.extend(given);
            Value::Map(fields)
        }
        (_, Some(Value::List(items))) => {
            let label = Unknown::labelled(&format!("{}.item", signature.name));
            let whole = |item: Value| match item {
                Value::Map(given) => {
                    let fields = signature.item_fields.iter();
                    let unknown = fields.map(|f| (f.name.clone(), Value::Unknown(label.field(&f.name))));
                    Value::Map(unknown.chain(given).collect())
                }
                other => other,
            };
            Value::List(items.into_iter().map(whole).collect())
        }
        (_, Some(value)) => value,
    }
}
