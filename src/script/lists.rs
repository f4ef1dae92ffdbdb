//! Lists and maps that are asked with closures: `filter`, `some`, `all`, `find`, `index_of`, `drain`, `retain`, `sort`, `dedup`.
//!
//! Rhai takes whatever a closure returns that is no bool for no, and sorts by what it cannot compare as by types: a value that is not
//! known would be a silent no. Here it is a question to the world, or a clear end of the plan.

use std::cmp::Ordering;

use rhai::{Array, Dynamic, Engine, EvalAltResult, FnPtr, Map, NativeCallContext};

use crate::model::{Unknown, Value};

use super::host::RhaiResult;
use super::{call, convert, texts, unknown};

/// Puts them in the place of Rhai's own.
pub(super) fn register(engine: &mut Engine) {
    arrays(engine);
    maps(engine);
    for name in ["sort", "sort_by"] {
        engine.register_fn(name, move |c: NativeCallContext, list: &mut Array, by: FnPtr| -> RhaiResult<()> {
            *list = sorted(&c, name, list.clone(), &by)?;
            Ok(())
        });
    }
    for name in ["order", "order_by"] {
        engine.register_fn(name, move |c: NativeCallContext, list: Array, by: FnPtr| sorted(&c, name, list, &by));
    }
    for name in ["sort", "sort_desc", "order", "order_desc", "dedup"] {
        engine.register_fn(name, move |c: NativeCallContext, list: &mut Array| in_order(&c, name, list));
    }
    engine.register_fn("dedup", |c: NativeCallContext, list: &mut Array, same: FnPtr| -> RhaiResult<()> {
        let mut kept = Array::new();
        for item in std::mem::take(list) {
            let again = match kept.last() {
                Some(last) => holds(&c, &same.call_raw(&c, None, [item.clone(), last.clone()])?)?,
                None => false,
            };
            if !again {
                kept.push(item);
            }
        }
        *list = kept;
        Ok(())
    });
}

fn arrays(engine: &mut Engine) {
    engine.register_fn("filter", |c: NativeCallContext, list: Array, f: FnPtr| -> RhaiResult<Array> {
        Ok(split(&c, "filter", list, &f)?.0)
    });
    engine.register_fn("drain", |c: NativeCallContext, list: &mut Array, f: FnPtr| -> RhaiResult<Array> {
        let (drained, left) = split(&c, "drain", list.clone(), &f)?;
        *list = left;
        Ok(drained)
    });
    engine.register_fn("retain", |c: NativeCallContext, list: &mut Array, f: FnPtr| -> RhaiResult<Array> {
        let (retained, left) = split(&c, "retain", list.clone(), &f)?;
        *list = retained;
        Ok(left)
    });
    engine.register_fn("some", |c: NativeCallContext, list: Array, f: FnPtr| -> RhaiResult<bool> {
        Ok(first(&c, "some", (list, 0), (&f, true))?.is_some())
    });
    engine.register_fn("all", |c: NativeCallContext, list: Array, f: FnPtr| -> RhaiResult<bool> {
        Ok(first(&c, "all", (list, 0), (&f, false))?.is_none())
    });
    for found in ["find", "index_of"] {
        let find = move |c: &NativeCallContext, list: Array, f: &FnPtr, from: i64| -> RhaiResult {
            let first = first(c, found, (list, from), (f, true))?;
            Ok(match (found, first) {
                ("find", first) => first.map(|(_, item)| item).unwrap_or_default(),
                (_, first) => first.and_then(|(n, _)| i64::try_from(n).ok()).unwrap_or(-1).into(),
            })
        };
        engine.register_fn(found, move |c: NativeCallContext, list: Array, f: FnPtr| find(&c, list, &f, 0));
        engine
            .register_fn(found, move |c: NativeCallContext, list: Array, f: FnPtr, from: i64| find(&c, list, &f, from));
    }
}

fn maps(engine: &mut Engine) {
    engine.register_fn("filter", |c: NativeCallContext, map: Map, f: FnPtr| -> RhaiResult<Map> {
        Ok(split_map(&c, "filter", map, &f)?.0)
    });
    engine.register_fn("drain", |c: NativeCallContext, map: &mut Map, f: FnPtr| -> RhaiResult<Map> {
        let (drained, left) = split_map(&c, "drain", map.clone(), &f)?;
        *map = left;
        Ok(drained)
    });
    engine.register_fn("retain", |c: NativeCallContext, map: &mut Map, f: FnPtr| -> RhaiResult<Map> {
        let (retained, left) = split_map(&c, "retain", map.clone(), &f)?;
        *map = retained;
        Ok(left)
    });
}

/// Lets Rhai put a list in order, unless something in it is not known.
fn in_order(context: &NativeCallContext, name: &str, list: &mut Array) -> RhaiResult {
    let unknown = convert::to_value(&Dynamic::from(list.clone())).ok().as_ref().and_then(Value::find_unknown).cloned();
    if let Some(unknown) = unknown.filter(|_| list.len() > 1) {
        return unknown::unanswered(context, name, &unknown);
    }
    let mut ordered = Dynamic::from(std::mem::take(list));
    let result = texts::answered(context, name, &mut [&mut ordered]);
    *list = ordered.try_cast::<Array>().unwrap_or_default();
    result
}

/// What a closure's answer means. As with Rhai's own, what is no bool means no.
fn holds(context: &NativeCallContext, answer: &Dynamic) -> RhaiResult<bool> {
    let Some(unknown) = answer.read_lock::<Unknown>().map(|unknown| unknown.clone()) else {
        return Ok(answer.as_bool().unwrap_or(false));
    };
    let branch = call::branch(context, "a closure")?;
    unknown::is_true(&branch, &unknown, context.call_position())
}

fn item_holds(
    context: &NativeCallContext,
    name: &str,
    (item, n): (&mut Dynamic, usize),
    f: &FnPtr,
) -> RhaiResult<bool> {
    let n = [i64::try_from(n).unwrap_or(i64::MAX).into()];
    holds(context, &f.call_raw_with_extra_args(name, context, Some(item), [], n, Some(0))?)
}

/// The items for which it holds, and the others.
fn split(context: &NativeCallContext, name: &str, list: Array, f: &FnPtr) -> RhaiResult<(Array, Array)> {
    let (mut fitting, mut others) = (Array::new(), Array::new());
    for (n, mut item) in list.into_iter().enumerate() {
        let holds = item_holds(context, name, (&mut item, n), f)?;
        if holds { fitting.push(item) } else { others.push(item) }
    }
    Ok((fitting, others))
}

fn split_map(context: &NativeCallContext, name: &str, map: Map, f: &FnPtr) -> RhaiResult<(Map, Map)> {
    let (mut fitting, mut others) = (Map::new(), Map::new());
    for (key, mut item) in map {
        let answer = f.call_raw_with_extra_args(name, context, Some(&mut item), [key.clone().into()], [], Some(1))?;
        let part = if holds(context, &answer)? { &mut fitting } else { &mut others };
        part.insert(key, item);
    }
    Ok((fitting, others))
}

/// The first item, with its position, for which it holds, or (`wanted` is false) does not. A negative start counts from the end.
fn first(
    context: &NativeCallContext,
    name: &str,
    (list, from): (Array, i64),
    (f, wanted): (&FnPtr, bool),
) -> RhaiResult<Option<(usize, Dynamic)>> {
    let length = i64::try_from(list.len()).unwrap_or(i64::MAX);
    let from = if from < 0 { from.saturating_add(length).max(0) } else { from };
    for (n, mut item) in list.into_iter().enumerate().skip(usize::try_from(from).unwrap_or(0)) {
        if item_holds(context, name, (&mut item, n), f)? == wanted {
            return Ok(Some((n, item)));
        }
    }
    Ok(None)
}

/// Sorts by merging, so that whatever goes wrong in the closure ends it.
fn sorted(context: &NativeCallContext, name: &str, mut list: Array, by: &FnPtr) -> RhaiResult<Array> {
    if list.len() < 2 {
        return Ok(list);
    }
    let right = sorted(context, name, list.split_off(list.len() / 2), by)?;
    let left = sorted(context, name, list, by)?;
    let (mut merged, mut right) = (Array::with_capacity(left.len() + right.len()), right.into_iter().peekable());
    for item in left {
        while let Some(next) = right.peek()
            && compared(context, name, (next, &item), by)?.is_lt()
        {
            merged.extend(right.next());
        }
        merged.push(item);
    }
    merged.extend(right);
    Ok(merged)
}

/// How two items stand to each other. As with Rhai's own, `true` means before.
fn compared(context: &NativeCallContext, name: &str, (a, b): (&Dynamic, &Dynamic), by: &FnPtr) -> RhaiResult<Ordering> {
    let answer = by.call_raw(context, None, [a.clone(), b.clone()])?;
    if let Ok(number) = answer.as_int() {
        return Ok(number.cmp(&0));
    }
    if let Ok(number) = answer.as_float() {
        return Ok(number.total_cmp(&0.0));
    }
    if let Ok(before) = answer.as_bool() {
        return Ok(if before { Ordering::Less } else { Ordering::Greater });
    }
    let unknown = convert::to_value(&answer).ok().as_ref().and_then(Value::find_unknown).cloned();
    if let Some(unknown) = unknown {
        return unknown::unanswered(context, name, &unknown).map(|_| Ordering::Equal);
    }
    let why = format!("`{name}` takes a closure that returns a number or a bool, not a {}", answer.type_name());
    Err(EvalAltResult::ErrorRuntime(why.into(), context.call_position()).into())
}
