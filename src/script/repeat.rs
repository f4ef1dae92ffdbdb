//! `wait_until`, `hold` and `retry`: calls with a body. How often the body runs is up to the world.

use std::sync::Arc;

use rhai::{Dynamic, Engine, FnPtr, Map, NativeCallContext, Position};

use crate::model::{Fault, Halt, Invocation, Outcome, Repeat, Segment, Span, Value};
use crate::primitives::language::{HoldArgs, RetryArgs, WaitUntilArgs};

use super::branch::Branch;
use super::host::RhaiResult;
use super::{call, convert, errors, unwind};

/// Registers them.
pub(super) fn register(engine: &mut Engine) {
    use rhai::{Dynamic as D, NativeCallContext as C};
    engine.register_fn("wait_until", |c: C, label: D, body: FnPtr| repeat(&c, "wait_until", &[label], &body));
    engine.register_fn("wait_until", |c: C, label: D, options: Map, body: FnPtr| {
        repeat(&c, "wait_until", &[label, options.into()], &body)
    });
    engine.register_fn("hold", |c: C, time: D, body: FnPtr| repeat(&c, "hold", &[time], &body));
    engine.register_fn("hold", |c: C, time: D, options: Map, body: FnPtr| {
        repeat(&c, "hold", &[time, options.into()], &body)
    });
    engine.register_fn("retry", |c: C, body: FnPtr| repeat(&c, "retry", &[], &body));
    engine.register_fn("retry", |c: C, options: Map, body: FnPtr| repeat(&c, "retry", &[options.into()], &body));
}

fn repeat(context: &NativeCallContext, name: &'static str, given: &[Dynamic], body: &FnPtr) -> RhaiResult {
    let position = context.call_position();
    let branch = call::branch(context, name)?;
    branch.check(position)?;
    let Some(signature) = branch.host.registry.signature(name).cloned() else {
        return Err(call::mistake(&branch, format!("`{name}` is not available here"), None, position));
    };
    let args = call::arguments_by_name(&branch, &signature, given, position)?;
    let policy = policy(name, &args).map_err(|why| match args.find_unknown() {
        Some(unknown) => {
            let why = format!("`{name}` needs {unknown}, which is not known before the run");
            let hint = Some("give it as a parameter with --set".to_owned());
            branch.halt(Halt::Unplannable { why, site: branch.host.site(position), hint }, position)
        }
        None => call::mistake(&branch, why, None, position),
    })?;
    let invocation = call::invocation(&branch, name, args, position);
    let mut attempt = |n: u32| run(context, &branch, &invocation, body, (name, n), position);
    let performed = branch.host.world.repeat(&invocation, &policy, &mut attempt);
    call::finish(&branch, performed, position)
}

/// The body of a wait or a hold says yes or no: anything else would be waited for in vain.
fn truth(name: &str, value: Value) -> Outcome {
    if name == "retry" || matches!(value, Value::Bool(_) | Value::Unknown(_)) {
        return Ok(value);
    }
    let message = format!("the body of `{name}` returned a value of type {}, not true or false", value.kind());
    let hint = match value.get("ok") {
        Some(_) => "did you mean its field `.ok`?",
        None => "end it with a condition, such as `probe(\"web\").ok`",
    };
    Err(Fault::new("script", message).hint(hint))
}

fn policy(name: &str, args: &Value) -> Result<Repeat, String> {
    if name == "wait_until" {
        let args: WaitUntilArgs = args.decode().map_err(|why| format!("`wait_until`: {why}"))?;
        let at_least = Span::from_millis(1);
        return Ok(Repeat::Until { timeout: args.timeout.0, every: args.every.max(at_least).0 });
    }
    if name == "hold" {
        let args: HoldArgs = args.decode().map_err(|why| format!("`hold`: {why}"))?;
        let every = args.every.max(Span::from_millis(1)).0;
        return Ok(Repeat::Hold { time: args.time.0, every, tolerate: args.tolerate });
    }
    let args: RetryArgs = args.decode().map_err(|why| format!("`retry`: {why}"))?;
    if args.times == 0 || args.backoff < 1.0 || !args.backoff.is_finite() {
        return Err("`retry`: `times` must be at least 1 and `backoff` at least 1.0".to_owned());
    }
    Ok(Repeat::Retry { times: args.times, every: args.every.0, backoff: args.backoff })
}

/// Runs the body once, in a branch of its own. What its steps owe is owed by the caller when it went well.
fn run(
    context: &NativeCallContext,
    branch: &Arc<Branch>,
    invocation: &Invocation,
    body: &FnPtr,
    (name, n): (&str, u32),
    position: Position,
) -> Result<Outcome, Halt> {
    let host = &branch.host;
    let inner = branch.child(invocation.key.child(Segment::Attempt(n)));
    let mut state = context.global_runtime_state().clone();
    state.tag = Dynamic::from(inner.clone());
    let inner_context =
        NativeCallContext::new_with_all_fields(context.engine(), name, context.call_source(), &state, position);
    let result = body.call_raw(&inner_context, None, []);
    if let Some(halt) = branch.ended_by() {
        super::host::lock(&branch.owed).append(&mut super::host::lock(&inner.owed));
        return Err(halt);
    }
    match result {
        Ok(value) => {
            super::host::lock(&branch.owed).append(&mut super::host::lock(&inner.owed));
            let value = convert::to_value(&value).map_err(|why| Fault::new("script", format!("`{name}`: {why}")));
            Ok(value.and_then(|value| truth(name, value)))
        }
        Err(error) => {
            let fault = errors::fault(host, &error);
            unwind::down_to(context.engine(), &inner, 0);
            branch.ended_by().map_or(Ok(Err(fault)), Err)
        }
    }
}
