//! The modules that a runbook imports, directly and through others.

use std::sync::Arc;

use rhai::{AST, ASTNode, Expr, Stmt};

use super::diagnostic::Diagnostic;
use crate::script::source::{Library, Script, SourceFile};
use crate::script::{engine, errors, modules};

/// A module that was loaded, with the name under which each importer knows it.
pub(super) struct Loaded {
    pub(super) source: Arc<SourceFile>,
    pub(super) ast: AST,
    /// `(file that imports it, alias)`.
    pub(super) known_as: Vec<(Arc<str>, String)>,
}

/// Loads every module that can be reached. What cannot be loaded is a finding.
pub(super) fn load(script: &Script, library: &dyn Library, found: &mut Vec<Diagnostic>) -> Vec<Loaded> {
    let mut loaded: Vec<Loaded> = Vec::new();
    let mut queue = vec![(script.source.clone(), script.ast.clone())];
    while let Some((source, ast)) = queue.pop() {
        for (path, alias, position, len) in imports_of(&ast) {
            let site = script.sources.site(position);
            let error = |why: String| Diagnostic::error("import", &source, site.clone(), len, why);
            let Some(path) = path else {
                found.push(
                    error("the path of an import must be a string literal".into())
                        .help("what a runbook imports must be known before it runs: write `import \"name\" as name;`"),
                );
                continue;
            };
            let file = match modules::load(&script.sources, library, &source.name, &path) {
                Ok(file) => file,
                Err(why) => {
                    found.push(error(why));
                    continue;
                }
            };
            if let Some(known) = loaded.iter_mut().find(|m| m.source == file) {
                known.known_as.push((source.name.clone(), alias));
                continue;
            }
            match engine::for_parsing().compile(file.padded(&file.text)) {
                Ok(mut ast) => {
                    ast.set_source(&*file.name);
                    queue.push((file.clone(), ast.clone()));
                    loaded.push(Loaded { source: file, ast, known_as: vec![(source.name.clone(), alias)] });
                }
                Err(error) => {
                    let error = errors::syntax(&script.sources, &file, &error);
                    found.push(Diagnostic::error("syntax", &file, error.site, 1, error.message).maybe_help(error.help));
                }
            }
        }
    }
    loaded
}

type Import = (Option<String>, String, rhai::Position, usize);

fn imports_of(ast: &AST) -> Vec<Import> {
    let mut imports = Vec::new();
    ast.walk(&mut |path: &[ASTNode]| {
        if let Some(ASTNode::Stmt(Stmt::Import(import, _))) = path.last() {
            let (expression, alias) = &**import;
            let (path, len) = match expression {
                Expr::StringConstant(path, _) => (Some(path.to_string()), path.len() + 2),
                _ => (None, 1),
            };
            imports.push((path, alias.name.to_string(), expression.position(), len));
        }
        true
    });
    imports
}
