//! `during(#{ … }) { … }`: a block while which people are told how it goes.

use rhai::{Dynamic, Engine, EvalAltResult, EvalContext, Expression, ImmutableString, LexError, Position};

use crate::model::{Left, Scope, ScopeKind, Updates};
use crate::primitives::language::DuringArgs;

use super::branch::Branch;
use super::host::{RhaiResult, branch_of};
use super::{call, errors};

/// Teaches an engine the syntax.
pub(super) fn register(engine: &mut Engine) {
    engine
        .register_custom_syntax_with_state_raw("during", parse, false, |context, inputs, _| evaluate(context, inputs));
}

/// What comes after the symbols read so far.
fn parse(
    symbols: &[ImmutableString],
    next: &str,
    _: &mut Dynamic,
) -> Result<Option<ImmutableString>, rhai::ParseError> {
    let wrong = |why: &str| Err(LexError::ImproperSymbol(next.to_owned(), why.to_owned()).into_err(Position::NONE));
    match symbols.len() {
        1 if next != "(" => wrong("`during` takes its options first: `during(#{ every: \"30m\", … }) { … }`"),
        1 => Ok(Some("(".into())),
        2 if next == ")" => wrong("`during` takes options: `during(#{ every: \"30m\", … }) { … }`"),
        2 => Ok(Some("$expr$".into())),
        3 => Ok(Some(")".into())),
        4 if next != "{" => wrong("`during` takes a block after its options: `during(#{ … }) { … }`"),
        4 => Ok(Some("$block$".into())),
        _ => Ok(None),
    }
}

fn evaluate(context: &mut EvalContext, inputs: &[Expression]) -> RhaiResult {
    let position = inputs[0].position();
    let Some(branch) = branch_of(Some(context.tag())) else {
        let why = "`during` stands at the top level of a module: put it into a function";
        return Err(EvalAltResult::ErrorRuntime(why.into(), position).into());
    };
    branch.check(position)?;
    let options = context.eval_expression_tree(&inputs[0])?;
    let updates = updates(&branch, options, position)?;
    let scope = Scope {
        key: branch.next_key(),
        site: branch.host.site(position),
        title: updates.message.to_string(),
        kind: ScopeKind::During(updates),
    };
    branch.host.world.enter(&scope).map_err(|halt| branch.halt(halt, position))?;
    let result = context.eval_expression_tree(&inputs[1]);
    let left = match &result {
        _ if branch.is_ended() => branch.left_early(),
        Err(error) if !error.is_pseudo_error() => Left::Faulted(errors::fault(&branch.host, error)),
        _ => Left::Completed { owes: false },
    };
    if let Err(halt) = branch.host.world.leave(&scope, &left) {
        drop(branch.halt(halt, position));
    }
    branch.check(position)?;
    result
}

fn updates(branch: &Branch, options: Dynamic, position: Position) -> RhaiResult<Updates> {
    let wrong = |why: String| call::mistake(branch, why, None, position);
    let Some(signature) = branch.host.registry.signature("during").cloned() else {
        return Err(wrong("`during` is not available here".to_owned()));
    };
    let args = call::arguments_by_name(branch, &signature, &[options], position)?;
    let DuringArgs { every, notify, message, key } = args.decode().map_err(|why| wrong(format!("`during`: {why}")))?;
    if every.0.is_zero() {
        return Err(wrong("`during`: `every` must be longer than nothing".to_owned()));
    }
    Ok(Updates { every, channel: notify, message, key })
}
