//! What an exploration is to reach: the calls of primitives, the steps and the functions of a runbook and of what it uses.

use std::collections::BTreeSet;
use std::sync::Arc;

use rhai::{AST, ASTNode, Expr, Position, Stmt};

use super::imports;
use super::targets::arguments;
use crate::model::{MissedRollback, Site};
use crate::primitives::Registry;
use crate::script::source::{Library, Script, SourceFile, SourceMap};

/// What is called like a primitive and comes to no world.
const PURE: [&str; 2] = ["require", "secret"];

/// One file of a runbook.
#[derive(Clone, Debug)]
pub struct Outline {
    /// The file.
    pub source: Arc<SourceFile>,
    /// Every call of a primitive, in their order.
    pub calls: Vec<OutlinedCall>,
    /// Every step.
    pub steps: Vec<Site>,
    /// Those of them that have a rollback.
    pub rollbacks: Vec<MissedRollback>,
    /// The functions, closures left out.
    pub functions: Vec<OutlinedFunction>,
}

/// A call of a primitive.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct OutlinedCall {
    /// Where.
    pub site: Site,
    /// The primitive.
    pub primitive: &'static str,
    /// In which ways it can end, as far as its literal arguments tell. None where they do not, or where what is inside decides.
    pub cases: Vec<&'static str>,
}

/// A function.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct OutlinedFunction {
    /// The line on which its body begins, from 1.
    pub first: u32,
    /// The line on which its body ends.
    pub last: u32,
    /// Its name.
    pub name: String,
}

/// The outline of a runbook's own file.
pub fn outline(script: &Script, registry: &Registry) -> Outline {
    of_file(&script.ast, &script.source, &script.sources, registry).0
}

/// The outlines of a runbook, of its modules, and of the runbooks that it calls by literal names; its own first.
pub fn outlines(script: &Script, registry: &Registry, library: &dyn Library) -> Vec<Outline> {
    let (mut found, mut queue, mut seen) = (Vec::new(), vec![script.clone()], BTreeSet::new());
    while let Some(script) = queue.pop() {
        if !seen.insert(script.source.name.clone()) {
            continue;
        }
        let modules = imports::load(&script, library, &mut Vec::new());
        let own = std::iter::once((&script.ast, &script.source));
        for (ast, source) in own.chain(modules.iter().map(|module| (&module.ast, &module.source))) {
            let (outline, children) = of_file(ast, source, &script.sources, registry);
            let child = |path: &String| {
                let (name, text) = library.runbook(path).ok()?;
                Script::compile_among(script.sources.clone(), &name, &text).ok()
            };
            queue.extend(children.iter().rev().filter_map(child));
            if found.iter().all(|known: &Outline| known.source.name != outline.source.name) {
                found.push(outline);
            }
        }
    }
    found
}

/// The outline of one file, and the runbooks that it calls.
fn of_file(ast: &AST, source: &Arc<SourceFile>, sources: &SourceMap, registry: &Registry) -> (Outline, Vec<String>) {
    let (mut calls, mut steps, mut rollbacks, mut children) = (vec![], vec![], vec![], vec![]);
    ast.walk(&mut |path: &[ASTNode]| {
        match path.last() {
            Some(ASTNode::Expr(Expr::FnCall(call, at)) | ASTNode::Stmt(Stmt::FnCall(call, at))) => {
                let known = registry.signature(&call.name).filter(|_| call.namespace.is_empty());
                let Some(signature) = known.filter(|signature| !PURE.contains(&signature.name)) else { return true };
                if let ("runbook", Some(Expr::StringConstant(path, _))) = (signature.name, call.args.first()) {
                    children.push(path.to_string());
                }
                let decides = !signature.is_language || matches!(signature.name, "wait_until" | "hold");
                let cases = signature.cases(&arguments(signature, &call.args)).ok().filter(|_| decides);
                let cases = cases.unwrap_or_default().iter().map(|case| case.name).collect();
                calls.push(OutlinedCall { site: sources.site(*at), primitive: signature.name, cases });
            }
            Some(ASTNode::Expr(Expr::Custom(custom, _))) => {
                if let (Some("step"), Some(Expr::StringConstant(title, at))) =
                    (custom.tokens.first().map(rhai::ImmutableString::as_str), custom.inputs.first())
                {
                    let site = sources.site(*at);
                    if custom.tokens.iter().any(|token| token == "rollback") {
                        rollbacks.push(MissedRollback { site: site.clone(), title: title.to_string() });
                    }
                    steps.push(site);
                }
            }
            _ => {}
        }
        true
    });
    let mut functions: Vec<OutlinedFunction> = Vec::new();
    for function in ast.iter_fn_def().filter(|function| !function.name.starts_with("anon$")) {
        let line = |at: Position| sources.site(at).line;
        let (first, last) = (line(function.body.start_position()), line(function.body.end_position()));
        functions.push(OutlinedFunction { first, last: last.max(first), name: function.name.to_string() });
    }
    // Rhai's walk visits some nodes twice, and functions in no order.
    sorted(&mut calls);
    sorted(&mut steps);
    sorted(&mut rollbacks);
    sorted(&mut functions);
    (Outline { source: source.clone(), calls, steps, rollbacks, functions }, children)
}

fn sorted<T: Ord>(list: &mut Vec<T>) {
    list.sort();
    list.dedup();
}
