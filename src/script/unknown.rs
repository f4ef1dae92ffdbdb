//! Values that a plan cannot know, inside scripts.
//!
//! They flow through interpolation, fields and arithmetic; comparing one is a question to the world.

use std::any::TypeId;
use std::cmp::Ordering;
use std::sync::Arc;

use rhai::{Array, Dynamic, Engine, ImmutableString, Map, Module, NativeCallContext, Position};

use crate::model::{Comparison, Halt, Question, Unknown, Value};

use super::branch::Branch;
use super::host::{Host, RhaiResult, branch_of};
use super::{call, convert, marks};

/// Teaches an engine the operators.
pub(super) fn register(engine: &mut Engine, host: &Arc<Host>) {
    engine.register_type_with_name::<Unknown>(TYPE_NAME);
    for operator in ["==", "!=", "<", "<=", ">", ">="] {
        engine.register_fn(operator, move |c: NativeCallContext, a: Unknown, b: Dynamic| {
            compare(&c, format!("{a} {operator} {}", literal(&b)), (&a, operator, &b))
        });
        engine.register_fn(operator, move |c: NativeCallContext, a: Dynamic, b: Unknown| {
            compare(&c, format!("{} {operator} {b}", literal(&a)), (&b, turned(operator), &a))
        });
        engine.register_fn(operator, move |c: NativeCallContext, a: Unknown, b: Unknown| {
            ask(&c, format!("{a} {operator} {b}"))
        });
    }
    for operator in ["+", "-", "*", "/", "%", "**"] {
        // In parentheses: (a + b) * 2 is not a + b * 2.
        let text = move |a: &str, b: &str| Unknown::text(format!("({a} {operator} {b})"));
        engine.register_fn(operator, move |a: Unknown, b: Dynamic| text(a.as_str(), &literal(&b)));
        engine.register_fn(operator, move |a: Dynamic, b: Unknown| text(&literal(&a), b.as_str()));
        engine.register_fn(operator, move |a: Unknown, b: Unknown| text(a.as_str(), b.as_str()));
    }
    // Interpolation joins text with `+`; text that an unknown went into is unknown.
    engine.register_fn("+", |a: ImmutableString, b: Unknown| Unknown::text(format!("{a}{b}")));
    engine.register_fn("+", |a: Unknown, b: ImmutableString| Unknown::text(format!("{a}{b}")));
    engine.register_fn("!", |c: NativeCallContext, a: Unknown| {
        let (branch, position) = (call::branch(&c, "!")?, c.call_position());
        is_true(&branch, &a, position).map(|yes| !yes)
    });
    engine.register_fn("-", |a: Unknown| Unknown::text(format!("-{a}")));
    engine.register_fn("to_string", |a: &mut Unknown| marks::unknown(a.as_str()));
    engine.register_fn("to_debug", |a: &mut Unknown| marks::unknown(a.as_str()));
    texts(engine);
    questions(engine);
    refuse_loops(engine, host);
    refuse_the_rest(engine);
    for name in UNANSWERED {
        engine.register_fn(name, move |c: NativeCallContext, a: Unknown| unanswered(&c, name, &a));
        engine.register_fn(name, move |c: NativeCallContext, a: Unknown, _: Dynamic| unanswered(&c, name, &a));
        engine.register_fn(name, move |c: NativeCallContext, a: Unknown, _: Dynamic, _: Dynamic| {
            unanswered(&c, name, &a)
        });
    }
    for name in ["max", "min", "..", "..=", "index_of", "split"] {
        engine.register_fn(name, move |c: NativeCallContext, _: Dynamic, b: Unknown| unanswered(&c, name, &b));
    }
    engine.register_indexer_get(|a: &mut Unknown, name: ImmutableString| a.field(&name));
    engine.register_indexer_get(|c: NativeCallContext, a: &mut Unknown, n: i64| unanswered(&c, &format!("[{n}]"), a));
    engine.register_indexer_set(|c: NativeCallContext, a: &mut Unknown, name: ImmutableString, _: Dynamic| {
        unanswered(&c, &name, a).map(drop)
    });
    engine.register_indexer_set(|c: NativeCallContext, a: &mut Unknown, n: i64, _: Dynamic| {
        unanswered(&c, &format!("[{n}]"), a).map(drop)
    });
    engine.register_fn("require", |c: NativeCallContext, a: Unknown, message: Dynamic| -> RhaiResult<()> {
        let branch = call::branch(&c, "require")?;
        if is_true(&branch, &a, c.call_position())? {
            return Ok(());
        }
        Err(call::unmet(&branch, &message, c.call_position()))
    });
}

/// Compares texts.
fn texts(engine: &mut Engine) {
    // Rhai's own comparison of texts would answer for a text that is not known; ours asks.
    engine.set_fast_operators(false);
    for (operator, when_equal) in [("==", true), ("!=", false)] {
        engine.register_fn(
            operator,
            move |c: NativeCallContext, a: ImmutableString, b: ImmutableString| -> RhaiResult<bool> {
                if marks::is_unknown(&a) || marks::is_unknown(&b) {
                    return put(&c, quoted(&a, operator, &b), of_texts(&a, operator, &b));
                }
                Ok((a == b) == when_equal)
            },
        );
    }
    for (operator, holds) in ORDER {
        engine.register_fn(
            operator,
            move |c: NativeCallContext, a: ImmutableString, b: ImmutableString| -> RhaiResult<bool> {
                if marks::is_unknown(&a) || marks::is_unknown(&b) {
                    return ask(&c, quoted(&a, operator, &b));
                }
                Ok(holds(a.cmp(&b)))
            },
        );
    }
}

/// Whether two things stand in an order.
type Stands = fn(Ordering) -> bool;

/// The comparisons of texts, beside whether they are equal.
const ORDER: [(&str, Stands); 4] =
    [("<", Ordering::is_lt), ("<=", Ordering::is_le), (">", Ordering::is_gt), (">=", Ordering::is_ge)];

/// What is answered with yes or no is a question to the world, where the value is not known and nothing went into it that is.
fn questions(engine: &mut Engine) {
    for name in ["contains", "starts_with", "ends_with"] {
        engine.register_fn(name, move |c: NativeCallContext, a: Unknown, b: Dynamic| {
            asks(&c, name, (&a, format!("{a} {} {}", said(name), literal(&b))))
        });
        engine.register_fn(name, move |c: NativeCallContext, a: ImmutableString, b: Unknown| {
            asks(&c, name, (&b, format!("\"{}\" {} {b}", marks::readable(&a), said(name))))
        });
        engine.register_fn(name, move |c: NativeCallContext, a: Unknown, b: Unknown| {
            asks(&c, name, (&a, format!("{a} {} {b}", said(name))))
        });
    }
    engine.register_fn("is_empty", |c: NativeCallContext, a: Unknown| {
        asks(&c, "is_empty", (&a, format!("{a} is empty")))
    });
    // `in` as well. Values that are known are compared at once, others one by one.
    engine.register_fn("contains", |c: NativeCallContext, list: Array, b: Unknown| -> RhaiResult<bool> {
        match convert::to_value(&Dynamic::from(list.clone())) {
            Ok(plain) if plain.find_unknown().is_none() => among(&c, &b, plain),
            _ => {
                for item in list {
                    if c.call_native_fn("==", (item, b.clone()))? {
                        return Ok(true);
                    }
                }
                Ok(false)
            }
        }
    });
    engine.register_fn("contains", |c: NativeCallContext, map: Map, b: Unknown| {
        among(&c, &b, Value::List(map.keys().map(|key| Value::from(key.as_str())).collect()))
    });
}

/// Whether an unknown value is one of these.
fn among(context: &NativeCallContext, unknown: &Unknown, values: Value) -> RhaiResult<bool> {
    if values == Value::List(Vec::new()) {
        return Ok(false);
    }
    let branch = call::branch(context, "in")?;
    compares(&branch, (unknown, "in", values), context.call_position())
}

fn said(name: &str) -> &str {
    match name {
        "starts_with" => "starts with",
        "ends_with" => "ends with",
        other => other,
    }
}

/// Of text around an unknown value a part is known: nobody is asked what may be clear from that.
fn asks(context: &NativeCallContext, name: &str, (unknown, condition): (&Unknown, String)) -> RhaiResult<bool> {
    if unknown.is_single() {
        return ask(context, condition);
    }
    unanswered(context, name, unknown).map(|_| false)
}

/// Nobody knows how often the body of `for` would run.
fn refuse_loops(engine: &mut Engine, host: &Arc<Host>) {
    let (mut module, host) = (Module::new(), host.clone());
    module.set_iter_result(TypeId::of::<Unknown>(), move |list| {
        let list = list.try_cast::<Unknown>().map(|list| list.to_string()).unwrap_or_default();
        let why = format!("how often the loop runs depends on {list}, which is not known before the run");
        // The place is that of the error, which is not known here.
        let site = host.site(Position::NONE);
        let halt = Halt::Unplannable { why, site, hint: Some(HINT.to_owned()) };
        Box::new(std::iter::once(Err(host.latch(halt, false, Position::NONE))))
    });
    engine.register_global_module(module.into());
}

/// Whatever else Rhai cannot do with an unknown value would be an error of the script, which may be caught.
fn refuse_the_rest(engine: &mut Engine) {
    #[expect(deprecated, reason = "marked so because it may change, and the version of Rhai is pinned")]
    engine.on_missing_function(|name, arguments, _, context| {
        let unknown = arguments.iter().find_map(|argument| Some(argument.read_lock::<Unknown>()?.clone()));
        let (Some(unknown), Some(branch)) = (unknown, branch_of(Some(context.tag()))) else { return Ok(None) };
        // A primitive says itself what it cannot do, and it may be caught in a run as well.
        if branch.is_ended() || branch.host.registry.signature(name).is_some() {
            return Ok(None);
        }
        // Of a function of the script Rhai tries with how many arguments it can be called: `[x].map(|item, n| …)`.
        let is_script = || context.iter_namespaces().any(|module| module.iter_script_fn_info().any(|f| f.2 == name));
        if name.starts_with("anon$") || is_script() {
            return Ok(None);
        }
        let why = format!("`{name}` asks something of {unknown}, which is not known before the run");
        let site = branch.host.site(Position::NONE);
        Err(branch.halt(Halt::Unplannable { why, site, hint: Some(HINT.to_owned()) }, Position::NONE))
    });
}

const HINT: &str = "compare it, or give what it comes from: a parameter with --set, a call with --assume";

/// What can be asked of a list, a map or a text, and has no answer where that is not known.
const UNANSWERED: [&str; 27] = [
    "max",
    "min",
    "len",
    "keys",
    "values",
    "index_of",
    "split",
    "sub_string",
    "to_upper",
    "to_lower",
    "trim",
    "replace",
    "parse_int",
    "parse_float",
    "to_int",
    "to_float",
    "filter",
    "map",
    "reduce",
    "some",
    "all",
    "find",
    "sort",
    "reverse",
    "abs",
    "..",
    "..=",
];

/// It would be an error of the script, which may be caught: the evaluation ends instead, as nobody knows what a run would do.
pub(super) fn unanswered(context: &NativeCallContext, name: &str, unknown: &Unknown) -> RhaiResult {
    let branch = call::branch(context, name)?;
    let position = context.call_position();
    let why = format!("`{name}` asks something of {unknown}, which is not known before the run");
    let hint = Some(HINT.to_owned());
    Err(branch.halt(Halt::Unplannable { why, site: branch.host.site(position), hint }, position))
}

/// The end of a plan, as `what` depends on a value that nobody knows.
pub(super) fn depends(branch: &Branch, what: &str, unknown: &Unknown, position: Position) -> Box<rhai::EvalAltResult> {
    let why = format!("{what} depends on {unknown}, which is not known before the run");
    branch.halt(Halt::Unplannable { why, site: branch.host.site(position), hint: Some(HINT.to_owned()) }, position)
}

/// What Rhai's own messages call the type.
pub(super) const TYPE_NAME: &str = "Unknown";

fn literal(value: &Dynamic) -> String {
    if value.is_string() { format!("\"{value}\"") } else { value.to_string() }
}

/// A comparison of texts, one of which at least is not known.
fn quoted(a: &str, operator: &str, b: &str) -> String {
    format!("\"{}\" {operator} \"{}\"", marks::readable(a), marks::readable(b))
}

/// The same as data, where the other text is known.
fn of_texts(a: &str, operator: &'static str, b: &str) -> Option<Comparison> {
    let (unknown, known) = match (marks::is_unknown(a), marks::is_unknown(b)) {
        (true, false) => (a, b),
        (false, true) => (b, a),
        _ => return None,
    };
    Some(Comparison { unknown: Unknown::text(marks::readable(unknown)), operator, value: Value::from(known) })
}

/// The same comparison, seen from its other side.
fn turned(operator: &'static str) -> &'static str {
    match operator {
        "<" => ">",
        "<=" => ">=",
        ">" => "<",
        ">=" => "<=",
        same => same,
    }
}

fn compare(
    context: &NativeCallContext,
    condition: String,
    (unknown, operator, other): (&Unknown, &'static str, &Dynamic),
) -> RhaiResult<bool> {
    let value = convert::to_value(other).ok();
    let comparison = value.map(|value| Comparison { unknown: unknown.clone(), operator, value });
    put(context, condition, comparison)
}

fn ask(context: &NativeCallContext, condition: String) -> RhaiResult<bool> {
    put(context, condition, None)
}

/// Whether a condition holds of which nothing but its value is known.
pub(super) fn is_true(branch: &Branch, unknown: &Unknown, position: Position) -> RhaiResult<bool> {
    let comparison = Comparison { unknown: unknown.clone(), operator: "==", value: Value::Bool(true) };
    put_at(branch, position, (format!("{unknown} is true"), Some(comparison)))
}

/// Whether an unknown value compares like this.
pub(super) fn compares(
    branch: &Branch,
    (unknown, operator, value): (&Unknown, &'static str, Value),
    position: Position,
) -> RhaiResult<bool> {
    let condition = format!("{unknown} {operator} {}", value.quoted());
    put_at(branch, position, (condition, Some(Comparison { unknown: unknown.clone(), operator, value })))
}

fn put(context: &NativeCallContext, condition: String, comparison: Option<Comparison>) -> RhaiResult<bool> {
    let branch = call::branch(context, "a comparison")?;
    put_at(&branch, context.call_position(), (condition, comparison))
}

/// Asks the world; answer 0 is yes.
fn put_at(
    branch: &Branch,
    position: Position,
    (condition, comparison): (String, Option<Comparison>),
) -> RhaiResult<bool> {
    branch.check(position)?;
    let question = Question { site: branch.host.site(position), condition, answers: 2, comparison };
    branch.host.world.choose(&question).map(|answer| answer == 0).map_err(|halt| branch.halt(halt, position))
}
