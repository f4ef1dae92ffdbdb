//! Bodies of functions, rewritten.
//!
//! Rhai lets nobody make the body of a function. So one that is rewritten becomes the state of a node, which is all that stands in the
//! function that Rhai compiles: evaluated in the function's own scope, as the block of a step is.

use std::sync::{Arc, Mutex};

use rhai::{
    AST, ASTNode, Dynamic, Engine, Expr, Expression, ImmutableString, LexError, Module, Position, ScriptFuncDef, Stmt,
    StmtBlock,
};

use crate::script::engine;
use crate::script::host::lock;

use super::rewrite::Rewriter;

/// Stands for a body. A word, as Rhai has to compile it; what a script writes is refused.
const BODY: &str = "lifeboat_body";

/// Teaches an engine to evaluate such bodies.
pub(super) fn register(engine: &mut Engine) {
    let refused = |_: &[ImmutableString], _: &str, _: &mut Dynamic| {
        Err(LexError::ImproperSymbol(BODY.to_owned(), format!("`{BODY}` is a reserved word")).into_err(Position::NONE))
    };
    engine.register_custom_syntax_with_state_raw(BODY, refused, false, |context, _, body| {
        let body = body.read_lock::<Arc<Expr>>().map(|body| body.clone());
        body.map_or(Ok(Dynamic::UNIT), |body| context.eval_expression_tree(&Expression::from(&*body)))
    });
}

/// The functions of a syntax tree. Those in which nothing is rewritten are what they were.
pub(super) fn rewritten(ast: &AST, rewriter: &mut Rewriter) -> Module {
    let mut functions = Module::new();
    let mut compiler = None;
    for function in ast.iter_fn_def() {
        let (mut body, before) = (statements(function), rewriter.count());
        for statement in &mut body {
            rewriter.statement(statement);
        }
        if rewriter.count() == before {
            functions.set_script_fn(function.clone());
            continue;
        }
        let block = StmtBlock::new(body, function.body.start_position(), function.body.end_position());
        let standing = compiler.get_or_insert_with(Compiler::new).function(block);
        let mut changed = (**function).clone();
        // One that cannot be compiled stays as it was written: it can only be so that Rhai is another one.
        if let Some(standing) = standing {
            changed.body = standing.body.clone();
        }
        functions.set_script_fn(changed);
    }
    functions
}

/// The statements of a function. Only a walk reaches them.
fn statements(function: &Arc<ScriptFuncDef>) -> Vec<Stmt> {
    let mut alone = Module::new();
    alone.set_script_fn(function.clone());
    let mut statements = Vec::new();
    AST::new([], alone).walk(&mut |path: &[ASTNode]| {
        if let [ASTNode::Stmt(statement)] = path {
            statements.push((*statement).clone());
        }
        true
    });
    statements
}

/// Compiles functions that consist of one node, with the body that is next as its state.
struct Compiler {
    engine: Engine,
    next: Arc<Mutex<Dynamic>>,
}

impl Compiler {
    fn new() -> Self {
        let (mut engine, next) = (engine::for_lexing(), Arc::<Mutex<Dynamic>>::default());
        let body = next.clone();
        let parse = move |_: &[ImmutableString], _: &str, state: &mut Dynamic| {
            *state = std::mem::take(&mut *lock(&body));
            Ok(None)
        };
        engine.register_custom_syntax_with_state_raw(BODY, parse, false, |_, _, _| Ok(Dynamic::UNIT));
        Self { engine, next }
    }

    fn function(&self, body: StmtBlock) -> Option<Arc<ScriptFuncDef>> {
        *lock(&self.next) = Dynamic::from(Arc::new(Expr::Stmt(Box::new(body))));
        let ast = self.engine.compile(format!("fn f() {{ {BODY} }}")).ok()?;
        ast.iter_fn_def().next().cloned()
    }
}
