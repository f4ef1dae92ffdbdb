//! `expect(condition)` and `expect(condition, "what is to hold")`: one that does not hold says what was found instead.

use std::sync::Arc;

use rhai::{Dynamic, Engine, EvalContext, Expr, Expression, ImmutableString, LexError, Position};

use crate::script::host::RhaiResult;

use super::Failure;
use super::bench::Bench;
use super::run::said;

/// Teaches an engine the syntax.
pub(super) fn register(engine: &mut Engine, bench: Option<Arc<Bench>>) {
    engine.register_custom_syntax_with_state_raw("expect", parse, false, move |context, inputs, _| match &bench {
        Some(bench) => evaluate(bench, context, inputs),
        None => Ok(Dynamic::UNIT),
    });
}

/// What comes after the symbols read so far.
fn parse(
    symbols: &[ImmutableString],
    next: &str,
    _: &mut Dynamic,
) -> Result<Option<ImmutableString>, rhai::ParseError> {
    const SHAPE: &str = "`expect` takes a condition: `expect(ran.ended == \"well\", \"what is to hold\")`";
    let wrong = || Err(LexError::ImproperSymbol(next.to_owned(), SHAPE.to_owned()).into_err(Position::NONE));
    let closed = symbols.last().is_some_and(|symbol| symbol == ")");
    match symbols.len() {
        1 if next != "(" => wrong(),
        1 => Ok(Some("(".into())),
        2 if next == ")" => wrong(),
        2 => Ok(Some("$expr$".into())),
        3 if next == "," => Ok(Some(",".into())),
        3 if next != ")" => wrong(),
        3 | 5 => Ok(Some(")".into())),
        4 if !closed => Ok(Some("$expr$".into())),
        _ => Ok(None),
    }
}

fn evaluate(bench: &Arc<Bench>, context: &mut EvalContext, inputs: &[Expression]) -> RhaiResult {
    let condition = &inputs[0];
    let position = start(condition);
    if bench.is_over() {
        return Err(bench.end(position));
    }
    if !bench.kept().inside {
        let why = "`expect` stands outside of a test";
        return Err(bench.mistake(position, 1, why, Some("tests are `test \"title\" { … }`".to_owned())));
    }
    (bench.kept().notes, bench.kept().about) = (Vec::new(), None);
    let (holds, sides) = compared(context, condition)?;
    let (len, text) = written(bench, position);
    let Ok(holds) = holds.as_bool() else {
        let why = format!("`expect` takes a condition, and this is {}", said(&holds));
        return Err(bench.mistake(position, len, why, Some("compare it with something".to_owned())));
    };
    bench.kept().expectations += 1;
    if holds {
        return Ok(Dynamic::UNIT);
    }
    let why = match inputs.get(1) {
        Some(why) => context.eval_expression_tree(why)?.to_string(),
        None => format!("this does not hold: {text}"),
    };
    let diagnostic = bench.diagnostic((bench.site(position), len), (why, None));
    let mut kept = bench.kept();
    let (expected, found) = sides.unzip();
    let mut failure = Failure { mistake: false, expected, ..Failure::mistake(diagnostic) };
    failure.found.extend(found);
    failure.found.append(&mut kept.notes);
    failure.played = kept.about.take().or_else(|| kept.played.last().cloned());
    kept.failures.push(failure);
    Ok(Dynamic::UNIT)
}

/// What the condition comes to; of a comparison, what is expected and what was found.
fn compared(context: &mut EvalContext, condition: &Expression) -> RhaiResult<(Dynamic, Option<(String, String)>)> {
    let Expr::FnCall(call, position) = condition.as_ref() else {
        return Ok((context.eval_expression_tree(condition)?, None));
    };
    let operator = call.name.as_str();
    if !matches!(operator, "==" | "!=" | "<" | "<=" | ">" | ">=") || call.op_token.is_none() || call.args.len() != 2 {
        return Ok((context.eval_expression_tree(condition)?, None));
    }
    // Each side is evaluated once: it may play a runbook.
    let mut call = call.clone();
    let mut sides = Vec::new();
    for argument in &mut call.args {
        let value = context.eval_expression_tree(&Expression::from(&*argument))?;
        sides.push(said(&value));
        *argument = Expr::DynamicConstant(Box::new(value), argument.position());
    }
    let holds = context.eval_expression_tree(&Expression::from(&Expr::FnCall(call, *position)))?;
    let right = sides.pop().unwrap_or_default();
    let left = sides.pop().unwrap_or_default();
    let expected = if operator == "==" { right } else { format!("{operator} {right}") };
    Ok((holds, Some((expected, left))))
}

/// Where an expression begins: Rhai places an operator where it stands, between its sides.
fn start(expression: &Expr) -> Position {
    match expression {
        Expr::FnCall(call, _) if call.op_token.is_some() && call.args.len() > 1 => start(&call.args[0]),
        Expr::And(all, _) | Expr::Or(all, _) | Expr::Coalesce(all, _) => {
            all.first().map_or(expression.position(), start)
        }
        Expr::Dot(chain, ..) | Expr::Index(chain, ..) => start(&chain.lhs),
        other => other.start_position(),
    }
}

/// The condition as it is written, on its first line: its length in bytes and its text.
fn written(bench: &Bench, position: Position) -> (usize, String) {
    let site = bench.site(position);
    let start = bench.source.span(site.line, site.column, 0).start;
    let rest = bench.source.text[start..].lines().next().unwrap_or_default();
    let (mut depth, mut quote) = (0_usize, None);
    let mut end = rest.trim_end().len();
    for (at, c) in rest.char_indices() {
        match (quote, c) {
            (Some(open), c) => quote = Some(open).filter(|open| *open != c),
            (None, '"' | '`') => quote = Some(c),
            (None, '(' | '[' | '{') => depth += 1,
            (None, ')' | ']' | '}' | ',') if depth == 0 => {
                end = at;
                break;
            }
            (None, ')' | ']' | '}') => depth -= 1,
            _ => {}
        }
    }
    (end.max(1), rest[..end].to_owned())
}
