//! What can be said of a test file without running it: that what it calls exists, and that it calls no primitive.

use std::collections::BTreeSet;

use rhai::{ASTNode, Expr, FnCallExpr, Position, Stmt};

use crate::model::did_you_mean;
use crate::script::check::UNNAMED;
use crate::script::{Diagnostic, engine};

use super::{TestFile, ran, words};

/// Checks a test file. Sorted by place.
pub(super) fn check(file: &TestFile) -> Vec<Diagnostic> {
    let own: BTreeSet<String> = file.ast.iter_functions().map(|function| function.name.to_owned()).collect();
    let mut checked = Checked { file, own, found: Vec::new() };
    checked.hidden();
    file.ast.walk(&mut |path: &[ASTNode]| {
        match path.last() {
            Some(ASTNode::Expr(Expr::FnCall(call, at)) | ASTNode::Stmt(Stmt::FnCall(call, at))) => {
                checked.call(call, *at);
            }
            Some(ASTNode::Expr(Expr::MethodCall(call, at))) => checked.method(call, *at),
            Some(ASTNode::Expr(Expr::Custom(custom, at))) => {
                let word = custom.tokens.first().map(rhai::ImmutableString::as_str).unwrap_or_default();
                if matches!(word, "step" | "during") {
                    checked.error(*at, word, format!("`{word}` stands in a runbook, not in a test of one"), PLAY);
                }
            }
            Some(ASTNode::Stmt(Stmt::Import(import, at))) => {
                let at = if at.is_none() { import.0.position() } else { *at };
                let hint = "what several tests need, a function of the file can do";
                checked.error(at, "import", "a test file imports nothing".to_owned(), hint);
            }
            _ => {}
        }
        true
    });
    let mut found = checked.found;
    found.sort_by_key(|found| (found.site.line, found.site.column));
    // Rhai's walk visits some nodes twice.
    found.dedup_by(|a, b| a.site == b.site && a.message == b.message);
    found
}

const PLAY: &str = "play the runbook that does it: `let ran = play(\"NAME.rhai\", #{ … });`";

struct Checked<'a> {
    file: &'a TestFile,
    /// The functions of the file.
    own: BTreeSet<String>,
    found: Vec<Diagnostic>,
}

impl Checked<'_> {
    fn error(&mut self, at: Position, name: &str, why: String, hint: impl Into<String>) {
        let site = self.file.sources.site(at);
        self.found.push(Diagnostic::error(UNNAMED, &self.file.source, site, name.len(), why).help(hint));
    }

    /// A function of the file that would be called in place of one of ours.
    fn hidden(&mut self) {
        let functions: Vec<(String, Position)> = self
            .file
            .ast
            .iter_fn_def()
            .filter(|function| words::NAMES.contains(&function.name.as_str()))
            .map(|function| (function.name.to_string(), function.body.start_position()))
            .collect();
        for (name, at) in functions {
            self.error(
                at,
                &name,
                format!("the function `{name}` would hide that of every test"),
                "give it another name",
            );
        }
    }

    fn call(&mut self, call: &FnCallExpr, at: Position) {
        let name = call.name.as_str();
        let is_name = name.starts_with(|c: char| c.is_alphabetic() || c == '_');
        if call.op_token.is_some() || !is_name || name.starts_with("anon$") || self.own.contains(name) {
            return;
        }
        if name == "require" {
            let why = "`require` is for runbooks".to_owned();
            return self.error(at, name, why, "a test expects: `expect(condition, \"what is to hold\")`");
        }
        if self.file.registry.signature(name).is_some() {
            let why = format!("`{name}` is called by runbooks, not by tests of them");
            return self.error(at, name, why, PLAY);
        }
        if words::NAMES.contains(&name) || engine::native().contains(name) {
            return;
        }
        if ran::METHODS.contains(&name) {
            let why = format!("`{name}` asks something of a runbook that was played");
            return self.error(at, name, why, format!("write it as `ran.{name}(…)`"));
        }
        let known = words::NAMES.into_iter().chain(["expect", "test"]).chain(self.own.iter().map(String::as_str));
        let hint =
            did_you_mean(name, known).unwrap_or_else(|| "tests have: test, given, usually, play, expect".to_owned());
        self.error(at, name, format!("there is no function `{name}`"), hint);
    }

    fn method(&mut self, call: &FnCallExpr, at: Position) {
        let name = call.name.as_str();
        if self.own.contains(name) || engine::native().contains(name) || ran::METHODS.contains(&name) {
            return;
        }
        let hint = did_you_mean(name, ran::METHODS.iter().copied().chain(engine::native().iter().map(String::as_str)))
            .unwrap_or_else(|| format!("what was played can be asked: {}", ran::METHODS.join(", ")));
        self.error(at, name, format!("there is no method `{name}`"), hint);
    }
}
