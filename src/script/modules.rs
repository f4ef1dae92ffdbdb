//! Modules: `std/…`, which is embedded, and files in the runbook's own folder. Nothing else can be imported.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};

use rhai::{Engine, EvalAltResult, FnAccess, Module, ModuleResolver, ParseError, Position, Scope, Shared};

use crate::model::did_you_mean;

use super::engine;
use super::forks;
use super::host::{Host, RhaiResult, lock};
use super::source::{Library, STDLIB, SourceFile, SourceMap};

/// Resolves imports for one evaluator; each module is read and compiled once.
pub(super) struct Resolver {
    host: Arc<Host>,
    /// By file.
    loaded: Mutex<HashMap<String, Shared<Module>>>,
    /// By who imports, and how it is named there.
    imported: Mutex<HashMap<(String, String), Shared<Module>>>,
}

impl Resolver {
    pub(super) fn new(host: Arc<Host>) -> Self {
        Self { host, loaded: Mutex::default(), imported: Mutex::default() }
    }
}

impl ModuleResolver for Resolver {
    fn resolve(
        &self,
        engine: &Engine,
        from: Option<&str>,
        path: &str,
        position: Position,
    ) -> RhaiResult<Shared<Module>> {
        let failed = |why: String| -> Box<EvalAltResult> {
            EvalAltResult::ErrorInModule(path.to_owned(), why.into(), position).into()
        };
        let host = &self.host;
        let named = (from.unwrap_or_default().to_owned(), path.to_owned());
        if let Some(module) = lock(&self.imported).get(&named) {
            return Ok(module.clone());
        }
        let file = load(&host.sources, host.library.as_ref(), from.unwrap_or_default(), path).map_err(failed)?;
        if let Some(module) = lock(&self.loaded).get(file.name.as_ref()).cloned() {
            lock(&self.imported).insert(named, module.clone());
            return Ok(module);
        }
        let mut ast = engine
            .compile(file.padded(&file.text))
            .map_err(|ParseError(kind, at)| failed(format!("{}: {kind}", host.sources.site(at))))?;
        ast.set_source(&*file.name);
        host.sources.note_guards(&ast);
        let ast = forks::forking(&file, &ast);
        let module: Shared<Module> = Module::eval_ast_as_new(Scope::new(), &ast, engine)?.into();
        lock(&self.loaded).insert(file.name.to_string(), module.clone());
        lock(&self.imported).insert(named, module.clone());
        Ok(module)
    }
}

/// A function of a module that whoever imports it can call.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct ModuleFunction {
    /// Its name.
    pub name: String,
    /// The names of its parameters.
    pub params: Vec<String>,
    /// Its comment, without the signs.
    pub doc: String,
}

/// The functions of the module that `path`, imported by `from`, means; none where it cannot be read.
pub(super) fn functions(library: &dyn Library, from: &str, path: &str) -> Vec<ModuleFunction> {
    let Ok(file) = load(&SourceMap::default(), library, from, path) else { return Vec::new() };
    let Ok(ast) = engine::for_parsing().compile(&file.text) else { return Vec::new() };
    let seen = ast.iter_functions().filter(|f| !f.name.starts_with("anon$") && f.access == FnAccess::Public);
    let told = seen.map(|function| ModuleFunction {
        name: function.name.to_owned(),
        params: function.params.iter().map(|param| (*param).to_owned()).collect(),
        doc: documented(&function.comments),
    });
    let mut functions: Vec<ModuleFunction> = told.collect();
    functions.sort();
    functions
}

/// A comment as the text that it is.
fn documented(comments: &[&str]) -> String {
    let lines = comments.iter().flat_map(|comment| comment.lines());
    let lines = lines.map(|line| line.trim().trim_start_matches('/').trim_start_matches('*').trim());
    lines.filter(|line| !line.is_empty()).collect::<Vec<_>>().join("\n")
}

/// The file that `path`, imported by `from`, means.
pub(super) fn load(
    sources: &SourceMap,
    library: &dyn Library,
    from: &str,
    path: &str,
) -> Result<Arc<SourceFile>, String> {
    if let Some(name) = path.strip_prefix("std/") {
        let found = STDLIB.iter().find(|(known, _)| *known == path);
        let Some((known, text)) = found else {
            let names = STDLIB.iter().filter_map(|(known, _)| known.strip_prefix("std/"));
            let hint = did_you_mean(name, names.clone())
                .unwrap_or_else(|| format!("its modules: {}", names.collect::<Vec<_>>().join(", ")));
            return Err(format!("the standard library has no module `{name}`: {hint}"));
        };
        return sources.add(known, text);
    }
    let odd = path.is_empty() || path.starts_with('/') || path.contains('\\') || path.contains('\0');
    if odd || path.split('/').any(|part| part.is_empty() || part == "." || part == "..") {
        return Err(format!("`{path}` is not a module: modules lie in the runbook's own folder, or in `std/`"));
    }
    let (name, text) = library.module(from, path)?;
    sources.add(&name, &text)
}
