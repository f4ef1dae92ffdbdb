//! Calls: that what is called exists, takes these arguments, and has such a target.

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use rhai::{AST, ASTNode, Expr, FnCallExpr, Position, Stmt};

use super::closures;
use super::diagnostic::Diagnostic;
use super::imports::Loaded;
use crate::config::Environment;
use crate::model::{Span, did_you_mean};
use crate::primitives::{ArgSpec, ArgType, Registry, Signature};
use crate::script::source::{Library, Script, SourceFile};
use crate::script::{call, engine, host};

/// What calls are checked against.
pub(super) struct Context<'a> {
    script: &'a Script,
    registry: &'a Arc<Registry>,
    library: &'a dyn Library,
    environment: Option<&'a Environment>,
    /// Functions of each file, by file.
    functions: BTreeMap<Arc<str>, BTreeSet<String>>,
    /// `(importing file, alias)` → imported file.
    aliases: BTreeMap<(Arc<str>, String), Arc<str>>,
    /// Functions and methods that Rhai brings.
    native: &'static BTreeSet<String>,
    /// The runbooks that are called, as they are found.
    children: RefCell<Vec<Script>>,
}

impl<'a> Context<'a> {
    pub(super) fn new(
        script: &'a Script,
        modules: &[Loaded],
        registry: &'a Arc<Registry>,
        library: &'a dyn Library,
        environment: Option<&'a Environment>,
    ) -> Self {
        let names = |ast: &AST| ast.iter_functions().map(|f| f.name.to_string()).collect::<BTreeSet<_>>();
        let mut functions = BTreeMap::from([(script.source.name.clone(), names(&script.ast))]);
        let mut aliases = BTreeMap::new();
        for module in modules {
            functions.insert(module.source.name.clone(), names(&module.ast));
            for importer in &module.known_as {
                aliases.insert(importer.clone(), module.source.name.clone());
            }
        }
        Self {
            script,
            registry,
            library,
            environment,
            functions,
            aliases,
            native: engine::native(),
            children: RefCell::default(),
        }
    }

    /// The runbooks that the checked files call.
    pub(super) fn into_children(self) -> Vec<Script> {
        self.children.into_inner()
    }

    /// Checks every call in one file.
    pub(super) fn check(&self, ast: &AST, source: &SourceFile, found: &mut Vec<Diagnostic>) {
        for function in ast.iter_functions() {
            self.shadowing(function.name, ast, source, found);
        }
        ast.walk(&mut |path: &[ASTNode]| {
            match path.last() {
                Some(ASTNode::Expr(Expr::FnCall(call, position)) | ASTNode::Stmt(Stmt::FnCall(call, position))) => {
                    self.call(call, *position, source, found);
                    closures::check(&call.name, call, *position, (self.script, ast, source), found);
                }
                // Its options are checked as those of a call; its block is walked anyway.
                Some(ASTNode::Expr(Expr::Custom(custom, _)))
                    if custom.tokens.first().is_some_and(|first| first == "during") =>
                {
                    if let (Some(signature), Some(options)) = (self.registry.signature("during"), custom.inputs.first())
                    {
                        let args = std::slice::from_ref(options);
                        self.primitive(signature, args, options.position(), source, found);
                    }
                }
                Some(ASTNode::Expr(Expr::MethodCall(call, position))) => self.method(call, *position, source, found),
                _ => {}
            }
            true
        });
    }

    fn error(
        &self,
        code: &'static str,
        source: &SourceFile,
        position: Position,
        len: usize,
        why: String,
    ) -> Diagnostic {
        Diagnostic::error(code, source, self.script.sources.site(position), len, why)
    }

    /// A script's own function would win over the primitive of the same name.
    fn shadowing(&self, name: &str, ast: &AST, source: &SourceFile, found: &mut Vec<Diagnostic>) {
        if !host::reserved_names(self.registry).contains(name) {
            return;
        }
        let _ = ast;
        let line = source.text.lines().position(|l| l.contains(&format!("fn {name}"))).unwrap_or(0);
        let column = source.text.lines().nth(line).and_then(|l| l.find(&format!("fn {name}"))).unwrap_or(0) + 4;
        let number = |n: usize| u32::try_from(n).unwrap_or(1);
        let site = crate::model::Site { file: source.name.clone(), line: number(line + 1), column: number(column) };
        let why = format!("the function `{name}` would hide the primitive of that name");
        found.push(Diagnostic::error("shadow", source, site, name.len(), why).help("give the function another name"));
    }

    fn call(&self, call: &FnCallExpr, position: Position, source: &SourceFile, found: &mut Vec<Diagnostic>) {
        let name = call.name.as_str();
        if call.op_token.is_some()
            || name.starts_with("anon$")
            || !name.starts_with(|c: char| c.is_alphabetic() || c == '_')
        {
            return;
        }
        if !call.namespace.is_empty() {
            return self.qualified(call, position, source, found);
        }
        if let Some(signature) = self.registry.signature(name) {
            return self.primitive(signature, &call.args, position, source, found);
        }
        let own = self.functions.get(&source.name).is_some_and(|functions| functions.contains(name));
        if own || self.native.contains(name) {
            return;
        }
        let why = format!("there is no function `{name}`");
        found.push(
            self.error("unknown-function", source, position, name.len(), why).maybe_help(self.similar(name, source)),
        );
    }

    fn similar(&self, name: &str, source: &SourceFile) -> Option<String> {
        if matches!(name, "given" | "usually" | "play" | "expect") {
            return Some(format!("`{name}` is a word of tests: they stand in files NAME_test.rhai"));
        }
        let primitives = self.registry.signatures().map(|s| s.name);
        let own = self.functions.get(&source.name).into_iter().flatten().map(String::as_str);
        did_you_mean(name, primitives.chain(own).chain(["step", "rollback", "param"]))
    }

    fn method(&self, call: &FnCallExpr, position: Position, source: &SourceFile, found: &mut Vec<Diagnostic>) {
        let name = call.name.as_str();
        let own = self.functions.values().any(|functions| functions.contains(name));
        if own || self.native.contains(name) || self.registry.signature(name).is_some() {
            return;
        }
        let help = did_you_mean(name, self.native.iter().map(String::as_str));
        let why = format!("there is no method `{name}`");
        found.push(self.error("unknown-function", source, position, name.len(), why).maybe_help(help));
    }

    fn qualified(&self, call: &FnCallExpr, position: Position, source: &SourceFile, found: &mut Vec<Diagnostic>) {
        let alias = call.namespace.root().to_owned();
        let Some(module) = self.aliases.get(&(source.name.clone(), alias.clone())) else { return };
        let functions = &self.functions[module];
        if functions.contains(call.name.as_str()) {
            return;
        }
        let public = functions.iter().map(String::as_str).filter(|f| !f.starts_with("anon$"));
        let help = did_you_mean(&call.name, public.clone())
            .unwrap_or_else(|| format!("its functions: {}", public.collect::<Vec<_>>().join(", ")));
        let why = format!("module `{alias}` has no function `{}`", call.name);
        found.push(self.error("unknown-function", source, position, call.name.len(), why).help(help));
    }

    fn primitive(
        &self,
        signature: &Signature,
        called: &[Expr],
        position: Position,
        source: &SourceFile,
        found: &mut Vec<Diagnostic>,
    ) {
        // A body comes last, and is no argument of the contract.
        let with_body = matches!(signature.name, "wait_until" | "hold" | "retry" | "parallel");
        let args = if with_body { &called[..called.len().saturating_sub(1)] } else { called };
        let mut given = BTreeSet::new();
        for (i, argument) in args.iter().enumerate() {
            let expected = signature.positional.get(i).and_then(|name| signature.arg(name));
            let takes_map = expected.is_some_and(|arg| matches!(arg.kind, ArgType::Map | ArgType::Any));
            match (argument, expected) {
                (Expr::Map(map, _), _) if i + 1 == args.len() && !takes_map => {
                    given.extend(self.options(signature, &map.0, source, found));
                }
                (_, Some(arg)) => {
                    given.insert(arg.name.clone());
                    self.literal(signature, arg, argument, source, found);
                }
                // A variable may hold the options.
                (_, None) if i == signature.positional.len() && kind_of(argument).is_none() => return,
                (_, None) => {
                    let why = format!("`{}` takes {}", signature.name, call::shape(signature));
                    found.push(
                        self.error("arguments", source, position, signature.name.len(), why)
                            .help(format!("for example: {}", signature.example)),
                    );
                    return;
                }
            }
        }
        if let Some(missing) = signature.args.iter().find(|arg| arg.required && !given.contains(&arg.name)) {
            let why = format!("`{}` lacks its argument `{}`", signature.name, missing.name);
            found.push(
                self.error("arguments", source, position, signature.name.len(), why)
                    .help(format!("for example: {}", signature.example)),
            );
        }
        self.secret(signature, args, source, found);
        self.place(signature, position, source, found);
        self.child(signature, args, source, found);
    }

    /// The names of the options that are given.
    fn options(
        &self,
        signature: &Signature,
        entries: &[(rhai::Ident, Expr)],
        source: &SourceFile,
        found: &mut Vec<Diagnostic>,
    ) -> Vec<String> {
        for (name, value) in entries {
            if let Some(arg) = signature.options().find(|arg| arg.name == name.name.as_str()) {
                self.literal(signature, arg, value, source, found);
            } else {
                let (why, help) = call::unknown_option(signature, &name.name);
                found.push(self.error("unknown-option", source, name.pos, name.name.len(), why).help(help));
            }
        }
        entries.iter().map(|(name, _)| name.name.to_string()).collect()
    }

    fn literal(
        &self,
        signature: &Signature,
        arg: &ArgSpec,
        value: &Expr,
        source: &SourceFile,
        found: &mut Vec<Diagnostic>,
    ) {
        let position = value.position();
        let is_target = signature.target.is_some_and(|t| t.name == arg.name);
        if let (Expr::StringConstant(text, _), "during", "notify") = (value, signature.name, arg.name.as_str()) {
            // Whatever carries messages carries updates.
            return self
                .registry
                .signature("notify")
                .into_iter()
                .for_each(|notify| self.target(notify, text, position, source, found));
        }
        if let (Expr::StringConstant(text, _), true) = (value, is_target) {
            return self.target(signature, text, position, source, found);
        }
        let mut wrong = |len: usize, why: String| {
            found.push(self.error("argument-type", source, position, len, why).help(&arg.doc));
        };
        let Some(kind) = kind_of(value) else { return };
        if kind == "()" && !arg.required {
            return;
        }
        if !arg.kind.takes(kind) {
            let len = if let Expr::StringConstant(text, _) = value { text.len() + 2 } else { 1 };
            return wrong(len, call::wrong_type(signature, arg, kind));
        }
        if let Expr::StringConstant(text, _) = value {
            match &arg.kind {
                ArgType::Duration => {
                    if let Err(why) = text.parse::<Span>() {
                        wrong(text.len() + 2, format!("`{}` of `{}`: {why}", arg.name, signature.name));
                    }
                }
                ArgType::Choice(choices) if !choices.iter().any(|choice| choice == text.as_str()) => {
                    let why = format!("`{}` of `{}` is {}, not \"{text}\"", arg.name, signature.name, arg.kind);
                    wrong(text.len() + 2, why);
                }
                _ => {}
            }
        }
    }

    fn target(
        &self,
        signature: &Signature,
        name: &str,
        position: Position,
        source: &SourceFile,
        found: &mut Vec<Diagnostic>,
    ) {
        let (Some(environment), Some(wanted)) = (self.environment, signature.target) else { return };
        let error = |code, why| self.error(code, source, position, name.len() + 2, why);
        let Some(target) = environment.targets.get(name) else {
            let known =
                environment.targets.values().filter(|t| wanted.kinds.contains(&t.kind)).map(|t| t.name.as_str());
            let help = did_you_mean(name, known.clone()).unwrap_or_else(|| {
                format!("its targets for `{}`: {}", signature.name, known.collect::<Vec<_>>().join(", "))
            });
            let why = format!("environment {} has no target `{name}`", environment.name);
            return found.push(error("unknown-target", why).help(help));
        };
        if !self.registry.served_by(target.kind, &target.driver).contains(signature.name) {
            let why = format!(
                "`{}` does not work on `{name}`: a {} served by {}",
                signature.name, target.kind, target.driver
            );
            let kinds: Vec<_> = wanted.kinds.iter().map(ToString::to_string).collect();
            let help = format!("`{}` takes a {}", signature.name, kinds.join(" or a "));
            found.push(error("target-kind", why).help(help));
        }
    }

    /// Everybody who reads a runbook sees which secrets it uses, and the environment has them.
    fn secret(&self, signature: &Signature, args: &[Expr], source: &SourceFile, found: &mut Vec<Diagnostic>) {
        let ("secret" | "rotate", Some(argument)) = (signature.name, args.first()) else { return };
        let Expr::StringConstant(name, position) = argument else {
            let why = "the name of a secret must be written out".to_owned();
            let help = format!("write `{}(\"NAME\")`, so that a reviewer sees which secrets are used", signature.name);
            return found.push(self.error("secret", source, argument.position(), 1, why).help(help));
        };
        let Some(environment) = self.environment else { return };
        if !environment.secrets.contains_key(name.as_str()) {
            let known = environment.secrets.keys().map(String::as_str);
            let help = did_you_mean(name, known).unwrap_or_else(|| {
                format!("declare it: `[environments.{}.secrets]`, `{name} = {{ env = \"{name}\" }}`", environment.name)
            });
            let why = format!("environment {} has no secret `{name}`", environment.name);
            found.push(self.error("unknown-secret", source, *position, name.len() + 2, why).help(help));
        }
    }

    fn place(&self, signature: &Signature, position: Position, source: &SourceFile, found: &mut Vec<Diagnostic>) {
        if let Some(environment) = self.environment.filter(|e| signature.drill_only && !e.drill) {
            let why = format!(
                "`{}` is refused in environment {}: it is no drill environment",
                signature.name, environment.name
            );
            found.push(
                self.error("drill-only", source, position, signature.name.len(), why)
                    .help("faults are injected only where `drill = true` stands in lifeboat.toml"),
            );
        }
    }

    /// A runbook that is called by a literal path exists and compiles.
    fn child(&self, signature: &Signature, args: &[Expr], source: &SourceFile, found: &mut Vec<Diagnostic>) {
        if signature.name != "runbook" {
            return;
        }
        if let Some(Expr::StringConstant(path, position)) = args.first() {
            let compiled = self.library.runbook(path).and_then(|(name, text)| {
                Script::compile_among(self.script.sources.clone(), &name, &text)
                    .map_err(|error| format!("{}: {error}", error.site))
            });
            match compiled {
                Ok(child) => self.children.borrow_mut().push(child),
                Err(why) => found.push(self.error("child", source, *position, path.len() + 2, why)),
            }
        }
    }
}

/// The kind of a literal, in the words of [`ArgType::takes`].
fn kind_of(expression: &Expr) -> Option<&'static str> {
    Some(match expression {
        Expr::BoolConstant(..) => "bool",
        Expr::IntegerConstant(..) => "int",
        Expr::FloatConstant(..) => "float",
        Expr::InterpolatedString(parts, _) if parts.iter().any(|part| kind_of(part) == Some("secret")) => "secret",
        Expr::StringConstant(..) | Expr::InterpolatedString(..) => "string",
        Expr::Array(..) => "array",
        Expr::Map(..) => "map",
        Expr::Unit(..) => "()",
        Expr::FnCall(call, _) if call.name == "secret" && call.namespace.is_empty() => "secret",
        _ => return None,
    })
}
