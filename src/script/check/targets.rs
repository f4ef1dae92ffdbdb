//! The targets that a runbook names, with what it does to them.

use std::collections::{BTreeMap, BTreeSet};

use rhai::{AST, ASTNode, Expr, Stmt};

use super::imports;
use crate::model::{Unknown, Value};
use crate::primitives::{Registry, Signature};
use crate::script::source::{Library, Script};

/// A call of a primitive with the name of its target as a literal.
#[derive(Clone, Debug, PartialEq)]
pub struct NamedTarget {
    /// The primitive.
    pub primitive: &'static str,
    /// The target.
    pub target: String,
    /// Its arguments, as far as they are literals; what is computed is unknown.
    pub args: Value,
}

/// Every such call in a runbook, in its modules and in the runbooks that it calls by literal names. A target whose name is
/// computed is not among them.
pub fn named_targets(script: &Script, registry: &Registry, library: &dyn Library) -> Vec<NamedTarget> {
    let (mut found, mut queue, mut seen) = (Vec::new(), vec![script.clone()], BTreeSet::new());
    while let Some(script) = queue.pop() {
        if !seen.insert(script.source.name.clone()) {
            continue;
        }
        let modules = imports::load(&script, library, &mut Vec::new());
        for ast in std::iter::once(&script.ast).chain(modules.iter().map(|module| &module.ast)) {
            for path in collect(ast, registry, &mut found) {
                let child = library.runbook(&path).ok();
                let child =
                    child.and_then(|(name, text)| Script::compile_among(script.sources.clone(), &name, &text).ok());
                queue.extend(child);
            }
        }
    }
    found
}

/// The calls in one file. Returns the runbooks that it calls.
fn collect(ast: &AST, registry: &Registry, found: &mut Vec<NamedTarget>) -> Vec<String> {
    let mut children = Vec::new();
    ast.walk(&mut |path: &[ASTNode]| {
        let Some(ASTNode::Expr(Expr::FnCall(call, _)) | ASTNode::Stmt(Stmt::FnCall(call, _))) = path.last() else {
            return true;
        };
        let Some(signature) = registry.signature(&call.name).filter(|_| call.namespace.is_empty()) else { return true };
        if let ("runbook", Some(Expr::StringConstant(path, _))) = (signature.name, call.args.first()) {
            children.push(path.to_string());
        }
        let args = arguments(signature, &call.args);
        if let Some(target) = signature.target_of(&args) {
            found.push(NamedTarget { primitive: signature.name, target: target.to_owned(), args: args.clone() });
        }
        true
    });
    children
}

pub(super) fn arguments(signature: &Signature, given: &[Expr]) -> Value {
    let mut args = BTreeMap::new();
    for (n, expression) in given.iter().enumerate() {
        match (expression, signature.positional.get(n)) {
            (_, Some(name)) => {
                args.insert((*name).to_owned(), literal(expression, name));
            }
            (Expr::Map(map, _), None) => {
                args.extend(map.0.iter().map(|(name, value)| (name.name.to_string(), literal(value, &name.name))));
            }
            _ => {}
        }
    }
    Value::Map(args)
}

fn literal(expression: &Expr, name: &str) -> Value {
    match expression {
        Expr::StringConstant(text, _) => Value::from(text.as_str()),
        Expr::BoolConstant(truth, _) => Value::Bool(*truth),
        Expr::IntegerConstant(number, _) => Value::Int(*number),
        _ => Value::Unknown(Unknown::labelled(name)),
    }
}
