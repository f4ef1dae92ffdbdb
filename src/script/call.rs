//! Calls of primitives: arguments by position and options become one map, the world does the rest.

use std::collections::BTreeMap;
use std::sync::Arc;

use rhai::{Dynamic, Engine, EvalAltResult, Map, NativeCallContext, Position};

use crate::model::{Fault, Halt, Invocation, Performed, Value, did_you_mean};
use crate::primitives::{ArgSpec, ArgType, Registry, Signature};

use super::branch::Branch;
use super::convert;
use super::host::{RhaiResult, branch_of};

/// Registers every primitive that a driver carries out, as a function of as many arguments as a call may have.
pub(super) fn register(engine: &mut Engine, registry: &Registry) {
    for signature in registry.signatures().filter(|s| !s.is_language) {
        for arity in 0..=signature.positional.len() + 1 {
            let signature = signature.clone();
            let name = signature.name;
            register_any(engine, name, arity, move |context, arguments| perform(context, &signature, &arguments));
        }
    }
    register_require(engine);
    register_point_of_no_return(engine, registry);
}

/// Registers a function of `arity` arguments of any type. Rhai takes values as wildcards only from typed closures.
fn register_any(
    engine: &mut Engine,
    name: &str,
    arity: usize,
    f: impl Fn(&NativeCallContext, Vec<Dynamic>) -> RhaiResult + Send + Sync + 'static,
) {
    use rhai::{Dynamic as D, NativeCallContext as C};
    match arity {
        0 => engine.register_fn(name, move |c: C| f(&c, vec![])),
        1 => engine.register_fn(name, move |c: C, x: D| f(&c, vec![x])),
        2 => engine.register_fn(name, move |c: C, x: D, y: D| f(&c, vec![x, y])),
        3 => engine.register_fn(name, move |c: C, x: D, y: D, z: D| f(&c, vec![x, y, z])),
        _ => engine.register_fn(name, move |c: C, w: D, x: D, y: D, z: D| f(&c, vec![w, x, y, z])),
    };
}

fn perform(context: &NativeCallContext, signature: &Arc<Signature>, arguments: &[Dynamic]) -> RhaiResult {
    let position = context.call_position();
    let branch = branch(context, signature.name)?;
    branch.check(position)?;
    let args = arguments_by_name(&branch, signature, arguments, position)?;
    let invocation = invocation(&branch, signature.name, args, position);
    let performed = branch.host.world.perform(&invocation);
    finish(&branch, performed, position)
}

/// The next call of a branch.
pub(super) fn invocation(branch: &Branch, primitive: &'static str, args: Value, position: Position) -> Invocation {
    let guarded = branch.host.sources.is_guarded(position);
    Invocation { key: branch.next_key(), site: branch.host.site(position), primitive, args, guarded }
}

/// Marks the enclosing steps, and gives the outcome to the script.
pub(super) fn finish(branch: &Branch, performed: Result<Performed, Halt>, position: Position) -> RhaiResult {
    match performed {
        Err(halt) => {
            if matches!(halt, Halt::InDoubt { .. }) {
                // It was intended, and may have taken place: its step is owed.
                branch.mark_changed();
            }
            Err(branch.halt(halt, position))
        }
        Ok(performed) => {
            if performed.changed {
                branch.mark_changed();
            }
            branch.check(position)?;
            match performed.outcome {
                Ok(value) => Ok(convert::to_dynamic(&value)),
                // A call that failed because the run is to stop: it ends as it was asked to, and no script may catch that.
                Err(fault) => match branch.interrupted() {
                    Some(halt) => Err(branch.halt(halt, position)),
                    None => Err(throw(branch, fault, position)),
                },
            }
        }
    }
}

/// A fault as an error that the script may catch: a map with its fields.
pub(super) fn throw(branch: &Branch, mut fault: Fault, position: Position) -> Box<EvalAltResult> {
    fault.site.get_or_insert_with(|| branch.host.site(position).to_string());
    EvalAltResult::ErrorRuntime(branch.host.thrown(fault, position), position).into()
}

/// The branch of the caller. A module's top level has none: importing must not act.
pub(super) fn branch(context: &NativeCallContext, name: &str) -> RhaiResult<Arc<Branch>> {
    branch_of(context.tag()).ok_or_else(|| {
        let why = format!("`{name}` is called at the top level of a module: put it into a function");
        EvalAltResult::ErrorRuntime(why.into(), context.call_position()).into()
    })
}

/// Ends the evaluation because the runbook is wrong.
pub(super) fn mistake(
    branch: &Branch,
    why: impl Into<String>,
    hint: Option<String>,
    position: Position,
) -> Box<EvalAltResult> {
    let halt = Halt::Mistake { why: why.into(), site: branch.host.site(position), hint };
    branch.halt(halt, position)
}

/// One map of all arguments by name, each known to the primitive and of its type.
pub(super) fn arguments_by_name(
    branch: &Branch,
    signature: &Signature,
    arguments: &[Dynamic],
    position: Position,
) -> RhaiResult<Value> {
    let name = signature.name;
    let mut args = BTreeMap::new();
    let count = arguments.len();
    for (i, argument) in arguments.iter().enumerate() {
        let expected = signature.positional.get(i).and_then(|n| signature.arg(n));
        let takes_map = expected.is_some_and(|arg| matches!(arg.kind, ArgType::Map | ArgType::Any));
        if i + 1 == count && argument.is::<Map>() && !takes_map {
            let Value::Map(options) = value(branch, argument, name, position)? else { continue };
            for (option, value) in options {
                if signature.options().all(|arg| arg.name != option) {
                    let (why, hint) = unknown_option(signature, &option);
                    return Err(mistake(branch, why, Some(hint), position));
                }
                args.insert(option, value);
            }
        } else if let Some(arg) = expected {
            args.insert(arg.name.clone(), value(branch, argument, name, position)?);
        } else {
            let why = format!("`{name}` takes {}", shape(signature));
            return Err(mistake(branch, why, Some(format!("for example: {}", signature.example)), position));
        }
    }
    if let Some(missing) = signature.args.iter().find(|arg| arg.required && !args.contains_key(&arg.name)) {
        let why = format!("`{name}` lacks its argument `{}`", missing.name);
        return Err(mistake(branch, why, Some(format!("for example: {}", signature.example)), position));
    }
    for (arg, value) in signature.args.iter().filter_map(|arg| Some((arg, args.get(&arg.name)?))) {
        let kind = value.kind();
        if !matches!(value, Value::Null | Value::Unknown(_)) && !arg.kind.takes(kind) {
            let doc = if kind == "secret" { NO_SECRET } else { &arg.doc };
            return Err(mistake(branch, wrong_type(signature, arg, kind), Some(doc.to_owned()), position));
        }
    }
    let args = Value::Map(args);
    if args.find_unknown().is_none()
        && let Err(why) = branch.host.takes((name, position), &args, || signature.impact(&args).map(drop))
    {
        return Err(mistake(branch, format!("`{name}`: {why}"), None, position));
    }
    Ok(args)
}

fn value(branch: &Branch, dynamic: &Dynamic, name: &str, position: Position) -> RhaiResult<Value> {
    convert::to_value(dynamic).map_err(|why| mistake(branch, format!("`{name}`: {why}"), None, position))
}

/// What to say of an argument of the wrong kind.
pub(super) fn wrong_type(signature: &Signature, arg: &ArgSpec, kind: &str) -> String {
    format!("`{}` of `{}` takes {}, not {kind}", arg.name, signature.name, arg.kind)
}

/// What to do with a secret that stands where everybody reads it.
const NO_SECRET: &str = "what stands here is shown and recorded; a secret goes only where it is kept";

/// What to say of an option that a primitive does not have.
pub(super) fn unknown_option(signature: &Signature, option: &str) -> (String, String) {
    let options: Vec<&str> = signature.options().map(|arg| arg.name.as_str()).collect();
    let hint = did_you_mean(option, options.iter().copied()).unwrap_or_else(|| match options.len() {
        0 => format!("`{}` takes no options", signature.name),
        _ => format!("its options: {}", options.join(", ")),
    });
    (format!("`{}` has no option `{option}`", signature.name), hint)
}

/// `(target, message, #{ … })`
pub(super) fn shape(signature: &Signature) -> String {
    let mut parts: Vec<String> = signature.positional.iter().map(|name| (*name).to_owned()).collect();
    if signature.options().next().is_some() {
        parts.push("#{ options }".to_owned());
    }
    format!("({})", parts.join(", "))
}

/// `require(condition, message)`: throws unless the condition holds. Pure: it goes through no world.
fn register_require(engine: &mut Engine) {
    let require = |context: NativeCallContext, holds: bool, message: Dynamic| -> RhaiResult<()> {
        let branch = branch(&context, "require")?;
        branch.check(context.call_position())?;
        if holds {
            return Ok(());
        }
        Err(unmet(&branch, &message, context.call_position()))
    };
    engine.register_fn("require", require);
}

/// A requirement that does not hold: the world may end the run before the fault is thrown.
pub(super) fn unmet(branch: &Branch, message: &Dynamic, position: Position) -> Box<EvalAltResult> {
    let mut fault = Fault::new("requirement", super::marks::readable(&message.to_string()));
    fault.site = Some(branch.host.site(position).to_string());
    if !branch.host.sources.is_guarded(position)
        && let Err(halt) = branch.host.world.raised(&branch.path, &fault)
    {
        return branch.halt(halt, position);
    }
    throw(branch, fault, position)
}

/// `point_of_no_return(why)`: what is owed so far is owed no longer.
fn register_point_of_no_return(engine: &mut Engine, registry: &Registry) {
    let Some(signature) = registry.signature("point_of_no_return").cloned() else { return };
    register_any(engine, signature.name, 1, move |context, arguments| {
        let position = context.call_position();
        let branch = branch(context, signature.name)?;
        branch.check(position)?;
        let args = arguments_by_name(&branch, &signature, &arguments, position)?;
        let invocation = invocation(&branch, signature.name, args, position);
        let performed = branch.host.world.point_of_no_return(&invocation, &branch.owed_so_far());
        // A run that ends here instead still owes all of it.
        if performed.is_ok() {
            branch.forgo();
        }
        finish(&branch, performed, position)
    });
}
