//! `if`, `while`, `&&`, `||` and `switch` over values that a plan cannot know.
//!
//! Rhai has no hook for any of them: of such a value `if` says that it is no bool, which a script may catch, and `switch` takes its
//! default. So what is evaluated is a copy of the syntax tree in which each condition, and what each `switch` decides on, stands inside a
//! node of ours. It hands on every value that is known, as it is, and asks the world about the others. What is checked, and where
//! everything stands, is the tree as it was written.

mod arms;
mod bodies;
mod literals;
mod rewrite;

use std::sync::Arc;

use rhai::{AST, CustomExpr, Dynamic, Engine, EvalContext, Expr, Expression};

use crate::model::Unknown;

use super::host::{RhaiResult, branch_of};
use super::source::SourceFile;
use super::{marks, unknown};
use arms::Arms;
use literals::Literals;
use rewrite::Rewriter;

/// Stands for a condition. No script can write it: it is no word.
const CONDITION: &str = "a condition";
/// Stands for what a `switch` decides on.
const SUBJECT: &str = "the subject of a switch";

/// Stands for what stands in `[…]`.
const INDEX: &str = "an index";

/// Teaches an engine to evaluate what [`forking`] puts into syntax trees.
pub(super) fn register(engine: &mut Engine) {
    bodies::register(engine);
    let nothing = |_: &[rhai::ImmutableString], _: &str, _: &mut Dynamic| Ok(None);
    engine.register_custom_syntax_with_state_raw(CONDITION, nothing, false, |context, inputs, _| {
        let value = context.eval_expression_tree(&inputs[0])?;
        if value.is_bool() { Ok(value) } else { decided(context, &inputs[0], value) }
    });
    engine.register_custom_syntax_with_state_raw(INDEX, nothing, false, |context, inputs, _| {
        let value = context.eval_expression_tree(&inputs[0])?;
        if value.is_int() { Ok(value) } else { place(context, &inputs[0], value) }
    });
    engine.register_custom_syntax_with_state_raw(SUBJECT, nothing, false, |context, inputs, arms| {
        let value = context.eval_expression_tree(&inputs[0])?;
        match (subject(&value), arms.read_lock::<Arc<Arms>>()) {
            (Some(unknown), Some(arms)) => arms.choose(context, &unknown, inputs[0].position()),
            _ => Ok(value),
        }
    });
}

/// What a list or a map holds there, nobody knows: Rhai would say that it has no such thing, which a script may catch.
fn place(context: &EvalContext, index: &Expression, value: Dynamic) -> RhaiResult {
    match (subject(&value), branch_of(Some(context.tag()))) {
        (Some(unknown), Some(branch)) => {
            Err(unknown::depends(&branch, "what stands at `[…]`", &unknown, index.position()))
        }
        _ => Ok(value),
    }
}

/// The same tree, in which conditions and switches ask the world about what is not known.
pub(super) fn forking(source: &SourceFile, ast: &AST) -> AST {
    let mut rewriter = Rewriter::new(Literals::of(source));
    let mut statements = ast.statements().to_vec();
    for statement in &mut statements {
        rewriter.statement(statement);
    }
    let functions = bodies::rewritten(ast, &mut rewriter);
    let mut forking = AST::new(statements, functions);
    if let Some(source) = ast.source() {
        forking.set_source(source);
    }
    forking
}

/// A node of ours around an expression, in its place.
fn wrap(key: &'static str, expression: &mut Expr, state: Dynamic) {
    let position = expression.position();
    let inner = std::mem::take(expression);
    let node = CustomExpr {
        inputs: std::iter::once(inner).collect(),
        tokens: std::iter::once(key.into()).collect(),
        state,
        scope_may_be_changed: false,
        self_terminated: false,
    };
    *expression = Expr::Custom(Box::new(node), position);
}

/// Whether a condition holds that is no bool. What is no unknown value either is handed on: Rhai says what is wrong with it.
fn decided(context: &EvalContext, condition: &Expression, value: Dynamic) -> RhaiResult {
    let unknown = value.read_lock::<Unknown>().map(|unknown| unknown.clone());
    match (unknown, branch_of(Some(context.tag()))) {
        (Some(unknown), Some(branch)) => unknown::is_true(&branch, &unknown, condition.position()).map(Dynamic::from),
        _ => Ok(value),
    }
}

/// What is not known of the subject of a `switch`: a value, or text that one went into.
fn subject(value: &Dynamic) -> Option<Unknown> {
    if let Ok(text) = value.as_immutable_string_ref() {
        return marks::is_unknown(&text).then(|| Unknown::text(marks::readable(&text)));
    }
    value.read_lock::<Unknown>().map(|unknown| unknown.clone())
}
