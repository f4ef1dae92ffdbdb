//! `runbook("path", #{ … })`: another runbook as a part of this run.

use std::sync::Arc;

use rhai::{AST, Caches, Dynamic, Engine, GlobalRuntimeState, Map, NativeCallContext, Position, Scope as RhaiScope};

use crate::model::{Left, Scope, ScopeKind, Value};

use super::branch::Branch;
use super::host::{RhaiResult, lock};
use super::{Script, call, convert, errors, params, unwind};

/// Runbooks that call each other deeper than this are taken to do so for ever.
const DEPTH: usize = 16;

/// Registers the function.
pub(super) fn register(engine: &mut Engine) {
    engine.register_fn("runbook", |c: NativeCallContext, path: Dynamic| run(&c, &path, None));
    engine.register_fn("runbook", |c: NativeCallContext, path: Dynamic, params: Map| run(&c, &path, Some(params)));
}

fn run(context: &NativeCallContext, path: &Dynamic, given: Option<Map>) -> RhaiResult {
    let position = context.call_position();
    let branch = call::branch(context, "runbook")?;
    branch.check(position)?;
    if branch.depth() >= DEPTH {
        let why = format!("runbooks call each other more than {DEPTH} levels deep");
        return Err(call::mistake(&branch, why, None, position));
    }
    let path = convert::to_value(path).ok();
    let Some(path) = path.as_ref().and_then(Value::as_str) else {
        return Err(call::mistake(&branch, "`runbook` takes the path of a runbook, a string", None, position));
    };
    let given = convert::to_value(&given.unwrap_or_default().into());
    let given = given.map_err(|why| call::mistake(&branch, why, None, position))?;
    let Value::Map(given) = given else { return Ok(Dynamic::UNIT) };
    let script = load(&branch, path, position)?;
    if let Err((why, hint)) = params::validate(&script.params, &given) {
        return Err(call::mistake(&branch, format!("{path}: {why}"), hint, position));
    }
    let scope = Scope {
        key: branch.next_key(),
        site: branch.host.site(position),
        title: path.to_owned(),
        kind: ScopeKind::Child,
    };
    branch.host.world.enter(&scope).map_err(|halt| branch.halt(halt, position))?;
    let inner = branch.child(scope.key.clone());
    let ast = params::give(&script.forking, &script.params, &given);
    let result = statements(context.engine(), &ast, &inner);
    leave(context.engine(), &branch, &inner, &scope, result, position)
}

fn load(branch: &Branch, path: &str, position: Position) -> RhaiResult<Arc<Script>> {
    if let Some(script) = lock(&branch.host.children).get(path) {
        return Ok(script.clone());
    }
    let wrong = |why: String, hint: Option<String>| call::mistake(branch, why, hint, position);
    let (name, text) = branch.host.library.runbook(path).map_err(|why| wrong(why, None))?;
    let script = Script::compile_among(branch.host.sources.clone(), &name, &text)
        .map_err(|error| wrong(format!("{}: {error}", error.site), error.help))?;
    Ok(lock(&branch.host.children).entry(path.to_owned()).or_insert(script.into()).clone())
}

/// Evaluates the statements of a script in a branch, from a clean state: nothing of a caller's scope is seen.
pub(super) fn statements(engine: &Engine, ast: &AST, branch: &Arc<Branch>) -> RhaiResult {
    let mut state: GlobalRuntimeState = engine.new_global_runtime_state();
    state.tag = Dynamic::from(branch.clone());
    state.source = ast.source().map(Into::into);
    state.lib.push(ast.shared_lib().clone());
    let mut scope = RhaiScope::new();
    #[expect(deprecated, reason = "the only entry that takes a runtime state, and with it the tag")]
    let result = engine.eval_statements_raw(&mut state, &mut Caches::new(), &mut scope, ast.statements());
    match result {
        Err(error) => match *error {
            rhai::EvalAltResult::Return(value, _) | rhai::EvalAltResult::Exit(value, _) => Ok(value),
            other => Err(other.into()),
        },
        ok => ok,
    }
}

/// What a child owes is undone when it fails, and becomes the caller's when it went well.
fn leave(
    engine: &Engine,
    branch: &Arc<Branch>,
    inner: &Arc<Branch>,
    scope: &Scope,
    result: RhaiResult,
    position: Position,
) -> RhaiResult {
    let host = &branch.host;
    let left = match &result {
        _ if branch.is_ended() => branch.left_early(),
        Ok(_) => Left::Completed { owes: !lock(&inner.owed).is_empty() },
        Err(error) => {
            let fault = errors::fault(host, error);
            unwind::down_to(engine, inner, 0);
            Left::Faulted(fault)
        }
    };
    lock(&branch.owed).append(&mut lock(&inner.owed));
    if let Err(halt) = host.world.leave(scope, &left) {
        drop(branch.halt(halt, position));
    }
    branch.check(position)?;
    result.map_err(|error| match left {
        // Rethrown with the place inside the child, which the caller's position would hide.
        Left::Faulted(fault) => call::throw(branch, fault, position),
        _ => error,
    })
}
