//! Loops that ask a target again and again until it answers as they want.
//!
//! Such a loop has no end of its own, no pause that a crash survives, and an exploration sees only that it is left soon.

use std::collections::BTreeSet;

use rhai::{ASTNode, Expr, Stmt};

use super::diagnostic::Diagnostic;
use super::targets::arguments;
use crate::model::ImpactKind;
use crate::primitives::Registry;
use crate::script::source::Script;

/// Warns of every `while`, `loop` and `do` of a runbook that looks at something.
pub(super) fn check(script: &Script, registry: &Registry, found: &mut Vec<Diagnostic>) {
    let mut known = BTreeSet::new();
    script.ast.walk(&mut |path: &[ASTNode]| {
        let Some(ASTNode::Expr(Expr::FnCall(call, _)) | ASTNode::Stmt(Stmt::FnCall(call, _))) = path.last() else {
            return true;
        };
        let signature = registry.signature(&call.name).filter(|_| call.namespace.is_empty());
        let looks = |impact: crate::model::Impact| impact.kind == ImpactKind::Look;
        let Some(signature) = signature.filter(|s| s.impact(&arguments(s, &call.args)).is_ok_and(looks)) else {
            return true;
        };
        let around = path.iter().find_map(|node| match node {
            ASTNode::Stmt(Stmt::While(_, at) | Stmt::Do(_, _, at)) => Some(*at),
            _ => None,
        });
        if let Some(at) = around
            && known.insert((at.line(), at.position()))
        {
            let message = format!("a loop that asks `{}` again and again may never end", signature.name);
            let help = "wait with `wait_until(\"…\", #{ timeout: \"5m\" }, || …)`, or go through a list with `for`";
            let warning = Diagnostic::error("polling", &script.source, script.sources.site(at), 4, message);
            found.push(warning.warning().help(help));
        }
        true
    });
}
