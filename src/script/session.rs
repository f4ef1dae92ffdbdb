//! What a person types, one thing after the other: variables, functions, imports and owed rollbacks live on in between.
//!
//! Rhai forgets imports between evaluations and compiles each text by itself. So each input is compiled with the imports before it in
//! a line of their own, against the variables that are there, and evaluated with all functions so far.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use rhai::{AST, ASTNode, Caches, Dynamic, Engine, Expr, GlobalRuntimeState, Position, Scope as RhaiScope, Stmt};

use crate::config::Environment;
use crate::model::{Key, Left, Scope, ScopeKind, Segment, Site, UnwoundStep, Value, Verdict, World};
use crate::primitives::Registry;

use super::branch::Branch;
use super::host::{Host, RhaiResult, lock};
use super::incomplete::{is_open, left_behind};
use super::modules::{self, ModuleFunction};
use super::{
    Diagnostic, FrontMatter, Library, Params, Script, ScriptError, SourceFile, SourceMap, check, convert, engine,
    errors, evaluate, forks, params, unwind,
};

/// The file whose lines hold the imports so far.
const PRELUDE: &str = "(session)";

/// A session: the state that one input leaves for the next.
pub struct Session {
    engine: Engine,
    host: Arc<Host>,
    root: Arc<Branch>,
    scope: RhaiScope<'static>,
    state: GlobalRuntimeState,
    /// All functions so far, as they were written.
    functions: AST,
    /// The same as they are evaluated.
    forking: AST,
    /// All imports so far, as source.
    imports: Vec<String>,
    /// The functions of what was imported, by the name that it has here.
    imported: BTreeMap<String, Vec<ModuleFunction>>,
}

/// Something typed that can be evaluated.
#[derive(Clone)]
pub struct Input {
    script: Script,
    imports: Vec<String>,
    params: Params,
}

/// Why something typed cannot be evaluated.
#[derive(Debug)]
pub enum Unread {
    /// More is to be typed: a bracket, a text or a block is open.
    Incomplete,
    /// It is wrong.
    Wrong(Box<ScriptError>),
}

impl Session {
    /// An empty session in a world.
    pub fn new(world: Arc<dyn World>, registry: Arc<Registry>, library: Arc<dyn Library>) -> Self {
        let sources = Arc::new(SourceMap::default());
        // An empty file fits always.
        let _ = sources.add(PRELUDE, "");
        let host = Host::new(world, registry, library, sources);
        let engine = engine::for_evaluation(&host);
        let state = engine.new_global_runtime_state();
        let root = Branch::root(host.clone());
        let (scope, functions, forking) = (RhaiScope::new(), AST::empty(), AST::empty());
        Self { engine, host, root, scope, state, functions, forking, imports: Vec::new(), imported: BTreeMap::new() }
    }

    /// Whether more is to be typed, or what is wrong. `name` is how errors show it.
    pub fn is_complete(&self, name: &str, text: &str) -> Result<(), Unread> {
        self.compile(Arc::new(SourceMap::default()), name, text, &Params::new()).map(|_| ())
    }

    /// Reads what was typed, for [`Session::evaluate`]. No two texts of a session may have the same `name`.
    pub fn read(&self, name: &str, text: &str) -> Result<Input, Unread> {
        self.read_with(name, text, &Params::new())
    }

    /// The same with values for the parameters that it declares.
    pub fn read_with(&self, name: &str, text: &str, params: &Params) -> Result<Input, Unread> {
        // What cannot be evaluated leaves no source behind.
        self.compile(Arc::new(SourceMap::default()), name, text, params)?;
        self.compile(self.host.sources.clone(), name, text, params)
    }

    fn compile(&self, sources: Arc<SourceMap>, name: &str, text: &str, given: &Params) -> Result<Input, Unread> {
        let wrong = |error: ScriptError| Unread::Wrong(Box::new(error));
        if sources.file(PRELUDE).is_none() {
            let _ = sources.add(PRELUDE, "");
        }
        let source = sources.add(name, text).map_err(|why| wrong(ScriptError::whole(name, text, why)))?;
        let (body, params) = params::extract(&source).map_err(wrong)?;
        if let Some(word) = left_behind(text) {
            let mut error =
                ScriptError::whole(name, text, format!("`{word}` stands alone: what was typed before is over"));
            error.help = Some(format!("write `}} {word}` in one line; what is in this block was not done"));
            return Err(wrong(error));
        }
        let padded = format!("{}{}", self.imports.concat(), source.padded(&body));
        let parsed = engine::for_parsing().compile_with_scope(&self.scope, padded);
        let mut ast = parsed.map_err(|error| {
            if is_open(&error, &source) { Unread::Incomplete } else { wrong(errors::syntax(&sources, &source, &error)) }
        })?;
        if let Err((why, hint)) = params::validate(&params, given) {
            let mut error = ScriptError::whole(name, text, why);
            error.help = hint;
            return Err(wrong(error));
        }
        ast = params::give(&ast, &params, given);
        ast.set_source(name);
        sources.note_guards(&ast);
        let imports = self.imported(&ast);
        let forking = forks::forking(&source, &ast);
        let script = Script { front_matter: FrontMatter::parse(""), source, params, sources, ast, forking };
        Ok(Input { script, imports, params: given.clone() })
    }

    /// The imports of an input that are not among those so far.
    fn imported(&self, ast: &AST) -> Vec<String> {
        let imports = ast.statements().iter().filter_map(|statement| match statement {
            Stmt::Import(import, _) => match &import.0 {
                Expr::StringConstant(path, _) => Some(format!("import {:?} as {}; ", path.as_str(), import.1.name)),
                _ => None,
            },
            _ => None,
        });
        imports.filter(|import| !self.imports.contains(import)).collect()
    }

    /// What the static check finds in an input.
    pub fn check(&self, input: &Input, registry: &Arc<Registry>, environment: &Environment) -> Vec<Diagnostic> {
        let ast = self.functions.merge(&input.script.ast);
        let mut whole = Script { ast, ..input.script.clone() };
        whole.ast.set_source(&*input.script.source.name);
        let found = check::check(&whole, registry, self.host.library.as_ref(), Some(environment));
        // A statement by itself uses nothing: what follows may.
        let here = |found: &Diagnostic| found.site.file == input.script.source.name && found.code != "unused";
        found.into_iter().filter(here).collect()
    }

    /// Evaluates an input as the one of this number. Whatever ends it, the session goes on: steps that it has completed stay owed.
    /// Call it through [`evaluate::on_deep_stack`] unless the calling thread has 16 MiB of stack.
    pub fn evaluate(&mut self, input: Input, number: u32, armed: bool) -> Verdict {
        let title = input.script.source.text.to_string();
        let site = Site { file: input.script.source.name.clone(), line: 1, column: 1 };
        let ast = self.define(input);
        self.enclosed(number, armed, (title, site), |session, branch| {
            let result = session.statements(&ast, branch);
            let verdict = session.conclude(branch, result);
            if armed {
                lock(&session.root.owed).append(&mut lock(&branch.owed));
            }
            verdict
        })
    }

    /// Takes over the functions and imports of an input. What is to be evaluated of it.
    fn define(&mut self, input: Input) -> AST {
        self.functions = self.functions.merge(&input.script.ast.clone_functions_only());
        self.forking = self.forking.merge(&input.script.forking.clone_functions_only());
        for import in &input.imports {
            let named = import.strip_prefix("import ").and_then(|import| import.rsplit_once(" as "));
            let Some((path, alias)) = named else { continue };
            let functions = modules::functions(self.host.library.as_ref(), PRELUDE, path.trim_matches('"'));
            self.imported.insert(alias.trim_end_matches("; ").to_owned(), functions);
        }
        self.imports.extend(input.imports);
        input.script.forking
    }

    /// Evaluates a runbook as what was there before the first input: its calls have the keys that they have in a run of it.
    pub fn evaluate_at_root(&mut self, input: Input) -> Verdict {
        self.host.begin();
        let ast = self.define(input);
        let branch = self.root.input(Key::ROOT);
        let _at_work = branch.at_work();
        let result = self.statements(&ast, &branch);
        self.conclude(&branch, result)
    }

    /// Undoes the newest step that is owed. None where nothing is.
    pub fn undo(&mut self, number: u32, text: &str) -> Option<(UnwoundStep, Verdict)> {
        let left = self.owed().len().checked_sub(1)?;
        let title = self.owed().swap_remove(0);
        let site = Site { file: format!("[{number}]").into(), line: 1, column: 1 };
        let newest = lock(&self.root.owed).last().cloned();
        let verdict = self.enclosed(number, true, (text.to_owned(), site), |session, _| {
            unwind::down_to(&session.engine, &session.root, left);
            let failed = lock(&session.host.unwound).last().and_then(|step| step.fault.clone());
            match (session.host.halt(), failed) {
                (Some(halt), _) => Verdict::Halted { halt, unwound: vec![], owed: session.root.owed_titles() },
                (None, Some(fault)) => {
                    // What it has not undone is still to be undone.
                    lock(&session.root.owed).extend(newest);
                    Verdict::Failed { fault, unwound: vec![], unwinding_halted: None }
                }
                (None, None) => Verdict::Completed(Value::Null),
            }
        });
        let unwound = std::mem::take(&mut *lock(&self.host.unwound)).pop();
        Some((unwound.unwrap_or(UnwoundStep { title, fault: None }), verdict))
    }

    /// Takes note of something that evaluates nothing: a command, a remark.
    pub fn note(&mut self, number: u32, armed: bool, text: &str) -> Verdict {
        let site = Site { file: format!("[{number}]").into(), line: 1, column: 1 };
        self.enclosed(number, armed, (text.to_owned(), site), |_, _| Verdict::Completed(Value::Null))
    }

    /// Does something inside the scope of an input.
    fn enclosed(
        &mut self,
        number: u32,
        armed: bool,
        (title, site): (String, Site),
        work: impl FnOnce(&mut Self, &Arc<Branch>) -> Verdict,
    ) -> Verdict {
        let halted = |halt| Verdict::Halted { halt, unwound: vec![], owed: vec![] };
        self.host.begin();
        let key = Key::ROOT.child(Segment::Call(number));
        let scope = Scope { key: key.clone(), site, title, kind: ScopeKind::Input { armed } };
        if let Err(halt) = self.host.world.enter(&scope) {
            return halted(halt);
        }
        let branch = self.root.input(key);
        let verdict = {
            let _at_work = branch.at_work();
            work(self, &branch)
        };
        let left = match &verdict {
            Verdict::Completed(_) => Left::Completed { owes: !lock(&self.root.owed).is_empty() },
            Verdict::Failed { fault, .. } => Left::Faulted(fault.clone()),
            Verdict::Halted { .. } => Left::Halted,
        };
        match self.host.world.leave(&scope, &left) {
            Ok(_) => verdict,
            Err(halt) => halted(halt),
        }
    }

    fn statements(&mut self, ast: &AST, branch: &Arc<Branch>) -> RhaiResult {
        let state = &mut self.state;
        state.tag = Dynamic::from(branch.clone());
        state.source = ast.source().map(Into::into);
        state.truncate_imports(0);
        state.lib.clear();
        state.lib.push(self.forking.shared_lib().clone());
        let constants = self.scope.iter_raw().filter(|(_, constant, _)| *constant);
        let constants = constants.map(|(name, _, value)| (name.into(), value.clone())).collect();
        state.constants = Some(rhai::Shared::new(rhai::Locked::new(constants)));
        #[expect(deprecated, reason = "the only entry that takes a runtime state, and with it the tag")]
        let result = self.engine.eval_statements_raw(state, &mut Caches::new(), &mut self.scope, ast.statements());
        // A kept tag would hold the branch that holds the host: a cycle that is never freed.
        state.tag = Dynamic::UNIT;
        match result {
            Err(error) => match *error {
                rhai::EvalAltResult::Return(value, _) | rhai::EvalAltResult::Exit(value, _) => Ok(value),
                other => Err(other.into()),
            },
            ok => ok,
        }
    }

    /// How an input ended: read from the host, and never from the script's own error.
    fn conclude(&self, branch: &Arc<Branch>, result: RhaiResult) -> Verdict {
        let halted = |halt| Verdict::Halted { halt, unwound: vec![], owed: branch.owed_so_far() };
        if let Some(halt) = self.host.halt() {
            let position = result.err().map_or(Position::NONE, |error| errors::position(&error));
            return halted(evaluate::placed(&self.host, halt, position));
        }
        if let Some(halt) = branch.interrupted() {
            return halted(halt);
        }
        match result {
            Ok(value) => Verdict::Completed(convert::to_value(&value).unwrap_or(Value::Null)),
            Err(error) => {
                if let Some(halt) = evaluate::mismatch_with_unknown(&self.host, &error) {
                    return halted(halt);
                }
                let fault = errors::fault(&self.host, &error);
                let unwound = std::mem::take(&mut *lock(&self.host.unwound));
                Verdict::Failed { fault, unwound, unwinding_halted: None }
            }
        }
    }

    /// The titles of the steps that are owed, the one that is undone first at the front.
    pub fn owed(&self) -> Vec<String> {
        self.root.owed_titles()
    }

    /// The variables that are there, each with its value where it has one that can be shown; the newest of a name.
    pub fn variables(&self) -> Vec<(String, Option<Value>)> {
        let mut seen = BTreeSet::new();
        // Rhai gives the newest first.
        let newest = self.scope.iter_raw().filter(|(name, ..)| seen.insert((*name).to_owned()));
        newest.map(|(name, _, value)| (name.to_owned(), convert::to_value(value).ok())).collect()
    }

    /// The functions that were defined, as `name(a, b)`.
    pub fn functions(&self) -> Vec<String> {
        let named = self.functions.iter_functions().filter(|f| !f.name.starts_with("anon$"));
        let mut all: Vec<String> = named.map(|f| format!("{}({})", f.name, f.params.join(", "))).collect();
        all.sort();
        all
    }

    /// The functions that the language brings.
    pub fn native(&self) -> Vec<String> {
        let is_word = |name: &&String| name.chars().all(|c| c.is_alphanumeric() || c == '_');
        engine::native().iter().filter(is_word).cloned().collect()
    }

    /// The names under which modules were imported.
    pub fn modules(&self) -> Vec<String> {
        self.imported.keys().cloned().collect()
    }

    /// The same, each with the functions that can be called.
    pub fn module_functions(&self) -> BTreeMap<String, Vec<ModuleFunction>> {
        self.imported.clone()
    }

    /// The source of an input, for errors that point into it.
    pub fn source(&self, name: &str) -> Option<Arc<SourceFile>> {
        self.host.sources.file(name)
    }
}

impl Input {
    /// The values that were given for its parameters.
    pub fn params(&self) -> &Params {
        &self.params
    }

    /// Whether it calls a primitive or a function, rather than only computing with what is there.
    pub fn has_calls(&self) -> bool {
        let mut found = false;
        self.script.ast.walk(&mut |path: &[ASTNode]| {
            found |= matches!(path.last(), Some(ASTNode::Expr(Expr::FnCall(..)) | ASTNode::Stmt(Stmt::FnCall(..))));
            !found
        });
        found
    }
}
