//! The names that can be typed, and what stands behind them: for completion and hints.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use crate::primitives::{Registry, Signature};
use crate::runtime::{LiveSession, Lookup};
use crate::script::ModuleFunction;

use super::commands::COMMANDS;
use super::offers::Destroying;
use super::place::{Call, Place, calls};

/// The names that can be typed now.
pub(super) struct Words {
    pub(super) registry: Arc<Registry>,
    /// Targets by name, each with the primitives that it takes.
    pub(super) targets: BTreeMap<String, BTreeSet<&'static str>>,
    /// Variables with what they hold, as people read it.
    pub(super) variables: BTreeMap<String, String>,
    /// Functions as `name(a, b)`.
    pub(super) functions: Vec<String>,
    /// Imported modules by the names that they have here, each with its functions.
    pub(super) modules: BTreeMap<String, Vec<ModuleFunction>>,
    /// What destroys something.
    pub(super) destroying: Destroying,
    /// Functions that Rhai brings.
    pub(super) native: Vec<String>,
    /// Names of modules that can be imported.
    pub(super) importable: Vec<String>,
    /// Files that can be loaded.
    pub(super) runbooks: Vec<String>,
    /// Asks what only the targets know: backups, versions.
    pub(super) lookup: Lookup,
}

/// One thing that can stand where the cursor is.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Choice {
    /// What is put in.
    pub(super) text: String,
    /// What it is, beside it in the list.
    pub(super) what: String,
}

impl Words {
    /// What can be typed now in this session.
    pub(super) fn of(session: &LiveSession) -> Self {
        let cast = session.cast();
        let targets = cast.environment.targets.keys().map(|name| {
            let takes = cast.registry.signatures().filter(|s| cast.handler(s.name, name).is_some());
            (name.clone(), takes.map(|s| s.name).collect())
        });
        let shown = |value: Option<crate::model::Value>| {
            let text = value.map_or_else(|| "a closure".to_owned(), |value| value.to_string());
            if text.chars().count() > 40 { text.chars().take(39).chain(['…']).collect() } else { text }
        };
        Self {
            registry: cast.registry.clone(),
            targets: targets.collect(),
            variables: session.script().variables().into_iter().map(|(name, value)| (name, shown(value))).collect(),
            functions: session.script().functions(),
            modules: session.script().module_functions(),
            destroying: Destroying::of(cast),
            native: session.script().native(),
            importable: session.importable(),
            runbooks: session.runbooks(),
            lookup: session.lookup(),
        }
    }

    /// What can stand at the end of `line`, and where it begins.
    pub(super) fn choices(&self, line: &str) -> (usize, Vec<Choice>) {
        if let Some(command) = line.strip_prefix(':') {
            return self.of_command(line, command);
        }
        if let Some(name) = line.strip_prefix('?') {
            let names = self.registry.signatures().map(|s| choice(s.name, s.summary));
            return (1, beginning_with(name.trim_start(), names.collect()));
        }
        match Place::of(line) {
            Place::Text { begins, typed, within } => (begins, beginning_with(typed, self.texts(within.as_ref()))),
            Place::Option { begins, typed, primitive } => (begins, beginning_with(typed, self.options(primitive))),
            Place::Inner { begins, typed, module } => (begins, beginning_with(typed, self.of_module(module))),
            Place::Word { begins, typed } => (begins, beginning_with(typed, self.words())),
        }
    }

    /// The arguments of the call in which the cursor stands at the end of `line`, as a hint behind it.
    pub(super) fn hint(&self, line: &str) -> Option<String> {
        let open = calls(line).pop()?;
        let at_begin = open.typed.trim().is_empty() && (open.argument == 0 || open.typed.ends_with(' '));
        if !at_begin {
            return None;
        }
        let own = |params: &[String]| {
            (open.argument < params.len()).then(|| format!("{})", params[open.argument..].join(", ")))
        };
        if let Some(module) = open.module {
            let function = self.modules.get(module)?.iter().find(|function| function.name == open.name)?;
            return own(&function.params);
        }
        if let Some(signature) = self.registry.signature(open.name) {
            return Some(arguments(signature, open.argument));
        }
        let head = format!("{}(", open.name);
        let params = self.functions.iter().find_map(|function| function.strip_prefix(&head)?.strip_suffix(')'))?;
        own(&params.split(", ").filter(|param| !param.is_empty()).map(str::to_owned).collect::<Vec<_>>())
    }

    fn of_command(&self, line: &str, command: &str) -> (usize, Vec<Choice>) {
        match command.split_once(' ') {
            None => {
                let all = COMMANDS.iter().map(|known| choice(known.name, known.help)).collect();
                (1, beginning_with(command, all))
            }
            Some(("load" | "plan" | "explore", typed)) => {
                let files = self.runbooks.iter().map(|file| choice(file, "a runbook")).collect();
                (line.len() - typed.len(), beginning_with(typed, files))
            }
            Some(("help", typed)) => {
                let all = COMMANDS.iter().map(|known| choice(known.name, known.help)).collect();
                (line.len() - typed.len(), beginning_with(typed, all))
            }
            Some(("health", typed)) => {
                let targets = self.targets.keys().map(|name| choice(name, "a target")).collect();
                (line.len() - typed.len(), beginning_with(typed, targets))
            }
            Some((_, rest)) => {
                let (begins, choices) = self.choices(rest);
                (line.len() - rest.len() + begins, choices)
            }
        }
    }

    fn words(&self) -> Vec<Choice> {
        let call = |name: &str| format!("{name}(");
        let primitives = self.registry.signatures().map(|s| choice(&call(s.name), s.summary));
        let variables = self.variables.iter().map(|(name, value)| choice(name, value));
        let functions = self
            .functions
            .iter()
            .map(|function| choice(&call(function.split('(').next().unwrap_or_default()), function));
        let modules = self.modules.keys().map(|name| choice(&format!("{name}::"), "a module"));
        let keywords = super::colour::KEYWORDS.iter().map(|word| choice(word, ""));
        let native = self.native.iter().map(|name| choice(&call(name), "a function of the language"));
        variables.chain(functions).chain(primitives).chain(modules).chain(keywords).chain(native).collect()
    }

    /// The functions of an imported module, with what they take and do.
    fn of_module(&self, module: &str) -> Vec<Choice> {
        let told = |function: &ModuleFunction| {
            let doc = first_line(&function.doc);
            let what = format!("({})  {doc}", function.params.join(", "));
            choice(&format!("{}(", function.name), what.trim_end())
        };
        self.modules.get(module).into_iter().flatten().map(told).collect()
    }

    fn options(&self, primitive: &str) -> Vec<Choice> {
        let Some(signature) = self.registry.signature(primitive) else { return Vec::new() };
        let options = signature.args.iter().filter(|arg| !signature.positional.contains(&arg.name.as_str()));
        options.map(|arg| choice(&format!("{}: ", arg.name), &first_line(&arg.doc))).collect()
    }

    /// What a text may be: a target, a backup, a version, a module.
    fn texts(&self, within: Option<&Call>) -> Vec<Choice> {
        let Some(call) = within.filter(|call| call.module.is_none()) else { return Vec::new() };
        if call.name == "import" {
            return self.importable.iter().map(|name| choice(name, "a module")).collect();
        }
        if call.name == "runbook" {
            return self.runbooks.iter().map(|name| choice(name, "a runbook")).collect();
        }
        let Some(signature) = self.registry.signature(call.name) else { return Vec::new() };
        let argument = call.option.or(signature.positional.get(call.argument).copied());
        let target = signature.target.map(|target| target.name);
        if argument == target || argument.is_some_and(|name| name == "to" && call.name == "route") {
            let takes = |takes: &BTreeSet<&str>| takes.contains(call.name);
            let fitting = self.targets.iter().filter(|(_, primitives)| takes(primitives));
            return fitting.map(|(name, _)| choice(name, "a target")).collect();
        }
        let Some(target) = call.first_text else { return Vec::new() };
        let looked = match argument {
            Some("from" | "backup" | "id") => self.lookup.ask("backups", target, "a backup"),
            Some("version" | "to") => self.lookup.ask("version", target, "the version now"),
            _ => Vec::new(),
        };
        looked.into_iter().map(|(text, what)| choice(&text, &what)).collect()
    }
}

fn choice(text: &str, what: &str) -> Choice {
    Choice { text: text.to_owned(), what: what.to_owned() }
}

fn first_line(doc: &str) -> String {
    doc.lines().next().unwrap_or_default().to_owned()
}

fn beginning_with(typed: &str, all: Vec<Choice>) -> Vec<Choice> {
    let mut seen = BTreeSet::new();
    let fits = |choice: &Choice| choice.text.starts_with(typed);
    let mut fitting: Vec<Choice> = all.into_iter().filter(fits).filter(|c| seen.insert(c.text.clone())).collect();
    fitting.sort();
    fitting
}

/// The arguments of a primitive from the one of this number on: ` target, #{ timeout, … })`.
fn arguments(signature: &Signature, from: usize) -> String {
    let positional = signature.positional.iter().skip(from).map(|name| (*name).to_owned());
    let options: Vec<&str> = signature
        .args
        .iter()
        .filter(|arg| !signature.positional.contains(&arg.name.as_str()))
        .map(|arg| arg.name.as_str())
        .collect();
    let shown = match options.as_slice() {
        [] => None,
        few @ ([_] | [_, _] | [_, _, _]) => Some(format!("#{{ {} }}", few.join(", "))),
        [a, b, c, ..] => Some(format!("#{{ {a}, {b}, {c}, … }}")),
    };
    let all: Vec<String> = positional.chain(shown).collect();
    format!("{})", all.join(", "))
}
