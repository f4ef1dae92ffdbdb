//! Values that a plan cannot know, inside scripts.
//!
//! They flow through interpolation, fields and arithmetic; comparing one is a question to the world.

use std::any::TypeId;
use std::cmp::Ordering;
use std::sync::Arc;

use rhai::{Dynamic, Engine, ImmutableString, Module, NativeCallContext, Position};

use crate::model::{Comparison, Halt, Question, Unknown};

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
    engine.register_fn("!", |c: NativeCallContext, a: Unknown| ask(&c, format!("!{a}")));
    engine.register_fn("-", |a: Unknown| Unknown::text(format!("-{a}")));
    engine.register_fn("to_string", |a: &mut Unknown| marks::unknown(a.as_str()));
    engine.register_fn("to_debug", |a: &mut Unknown| marks::unknown(a.as_str()));
    // Rhai's own comparison of texts would answer for a text that is not known; ours asks.
    engine.set_fast_operators(false);
    for (operator, when_equal) in [("==", true), ("!=", false)] {
        engine.register_fn(
            operator,
            move |c: NativeCallContext, a: ImmutableString, b: ImmutableString| -> RhaiResult<bool> {
                if marks::is_unknown(&a) || marks::is_unknown(&b) {
                    return ask(&c, format!("\"{}\" {operator} \"{}\"", marks::readable(&a), marks::readable(&b)));
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
                    return ask(&c, format!("\"{}\" {operator} \"{}\"", marks::readable(&a), marks::readable(&b)));
                }
                Ok(holds(a.cmp(&b)))
            },
        );
    }
    refuse_loops(engine, host);
    refuse_the_rest(engine);
    for name in UNANSWERED {
        engine.register_fn(name, move |c: NativeCallContext, a: Unknown| unanswered(&c, name, &a));
        engine.register_fn(name, move |c: NativeCallContext, a: Unknown, _: Dynamic| unanswered(&c, name, &a));
        engine.register_fn(name, move |c: NativeCallContext, a: Unknown, _: Dynamic, _: Dynamic| {
            unanswered(&c, name, &a)
        });
    }
    for name in ["max", "min", "..", "..=", "contains", "starts_with", "ends_with", "index_of", "split", "in"] {
        engine.register_fn(name, move |c: NativeCallContext, _: Dynamic, b: Unknown| unanswered(&c, name, &b));
    }
    engine.register_indexer_get(|a: &mut Unknown, name: ImmutableString| a.field(&name));
    engine.register_indexer_get(|c: NativeCallContext, a: &mut Unknown, n: i64| unanswered(&c, &format!("[{n}]"), a));
    engine.register_fn("require", |c: NativeCallContext, a: Unknown, message: Dynamic| -> RhaiResult<()> {
        if ask(&c, format!("{a} is true"))? {
            return Ok(());
        }
        let branch = call::branch(&c, "require")?;
        Err(call::unmet(&branch, &message, c.call_position()))
    });
}

/// Whether two things stand in an order.
type Stands = fn(Ordering) -> bool;

/// The comparisons of texts, beside whether they are equal.
const ORDER: [(&str, Stands); 4] =
    [("<", Ordering::is_lt), ("<=", Ordering::is_le), (">", Ordering::is_gt), (">=", Ordering::is_ge)];

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
        let why = format!("`{name}` asks something of {unknown}, which is not known before the run");
        let site = branch.host.site(Position::NONE);
        Err(branch.halt(Halt::Unplannable { why, site, hint: Some(HINT.to_owned()) }, Position::NONE))
    });
}

const HINT: &str = "compare it, or give what it comes from: a parameter with --set, a call with --assume";

/// What can be asked of a list, a map or a text, and has no answer where that is not known.
const UNANSWERED: [&str; 31] = [
    "max",
    "min",
    "len",
    "is_empty",
    "keys",
    "values",
    "contains",
    "starts_with",
    "ends_with",
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

/// What Rhai's own messages call the type.
pub(super) const TYPE_NAME: &str = "Unknown";

fn literal(value: &Dynamic) -> String {
    if value.is_string() { format!("\"{value}\"") } else { value.to_string() }
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

/// Asks the world; answer 0 is yes.
fn put(context: &NativeCallContext, condition: String, comparison: Option<Comparison>) -> RhaiResult<bool> {
    let branch = call::branch(context, "a comparison")?;
    let position = context.call_position();
    branch.check(position)?;
    let question = Question { site: branch.host.site(position), condition, answers: 2, comparison };
    branch.host.world.choose(&question).map(|answer| answer == 0).map_err(|halt| branch.halt(halt, position))
}
