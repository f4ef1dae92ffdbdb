//! Where a runbook calls primitives: what an exploration is to reach.

use rhai::{ASTNode, Expr, Stmt};

use crate::model::{MissedCall, Site};
use crate::primitives::Registry;
use crate::script::source::Script;

/// What is called like a primitive and comes to no world.
const PURE: [&str; 2] = ["require", "secret"];

/// Every call of a primitive in the file of a runbook, in their order.
pub fn call_sites(script: &Script, registry: &Registry) -> Vec<MissedCall> {
    let mut found = Vec::new();
    script.ast.walk(&mut |path: &[ASTNode]| {
        let Some(ASTNode::Expr(Expr::FnCall(call, at)) | ASTNode::Stmt(Stmt::FnCall(call, at))) = path.last() else {
            return true;
        };
        let known = registry.signature(&call.name).filter(|_| call.namespace.is_empty());
        if let Some(signature) = known.filter(|signature| !PURE.contains(&signature.name)) {
            found.push(MissedCall { site: script.sources.site(*at), primitive: signature.name.to_owned() });
        }
        true
    });
    found.sort();
    found.dedup();
    found
}

/// Every `switch` in the file of a runbook: Rhai takes its default where the value is not known, and tells nobody.
pub fn switches(script: &Script) -> Vec<Site> {
    let mut found = Vec::new();
    script.ast.walk(&mut |path: &[ASTNode]| {
        if let Some(ASTNode::Stmt(Stmt::Switch(_, at))) = path.last() {
            found.push(script.sources.site(*at));
        }
        true
    });
    found
}
