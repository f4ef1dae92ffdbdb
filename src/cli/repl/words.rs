//! The names that can be typed, and what stands behind them: for completion and hints.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use crate::primitives::{Registry, Signature};
use crate::runtime::{LiveSession, Lookup};

use super::commands::COMMANDS;

/// The names that can be typed now.
pub(super) struct Words {
    pub(super) registry: Arc<Registry>,
    /// Targets by name, each with the primitives that it takes.
    pub(super) targets: BTreeMap<String, BTreeSet<&'static str>>,
    /// Variables with what they hold, as people read it.
    pub(super) variables: BTreeMap<String, String>,
    /// Functions as `name(a, b)`.
    pub(super) functions: Vec<String>,
    /// Imported modules.
    pub(super) modules: Vec<String>,
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
            modules: session.script().modules(),
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
            Place::Word { begins, typed } => (begins, beginning_with(typed, self.words())),
        }
    }

    /// The arguments of the call in which the cursor stands at the end of `line`, as a hint behind it.
    pub(super) fn hint(&self, line: &str) -> Option<String> {
        let open = calls(line).pop()?;
        let signature = self.registry.signature(open.name)?;
        if open.typed.trim().is_empty() && open.argument == 0 {
            return Some(arguments(signature, 0));
        }
        (open.typed.trim().is_empty() && open.typed.ends_with(' ')).then(|| arguments(signature, open.argument))
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
        let modules = self.modules.iter().map(|name| choice(&format!("{name}::"), "a module"));
        let keywords = super::colour::KEYWORDS.iter().map(|word| choice(word, ""));
        let native = self.native.iter().map(|name| choice(&call(name), "a function of the language"));
        variables.chain(functions).chain(primitives).chain(modules).chain(keywords).chain(native).collect()
    }

    fn options(&self, primitive: &str) -> Vec<Choice> {
        let Some(signature) = self.registry.signature(primitive) else { return Vec::new() };
        let options = signature.args.iter().filter(|arg| !signature.positional.contains(&arg.name.as_str()));
        options.map(|arg| choice(&format!("{}: ", arg.name), &first_line(&arg.doc))).collect()
    }

    /// What a text may be: a target, a backup, a version, a module.
    fn texts(&self, within: Option<&Call>) -> Vec<Choice> {
        let Some(call) = within else { return Vec::new() };
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

/// A call that is open at the end of a line.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Call<'a> {
    name: &'a str,
    /// How many commas there were.
    argument: usize,
    /// The option whose value is typed, inside `#{ … }`.
    option: Option<&'a str>,
    /// Whether the cursor stands where the name of an option is expected.
    in_options: bool,
    /// The first argument, where it is a text.
    first_text: Option<&'a str>,
    /// What was typed of the argument.
    typed: &'a str,
}

/// Where the cursor stands.
enum Place<'a> {
    Text { begins: usize, typed: &'a str, within: Option<Call<'a>> },
    Option { begins: usize, typed: &'a str, primitive: &'a str },
    Word { begins: usize, typed: &'a str },
}

impl<'a> Place<'a> {
    fn of(line: &'a str) -> Self {
        if let Some(quote) = open_quote(line) {
            let before = &line[..quote];
            let within = calls(before).pop().or_else(|| {
                let import = before.trim_end().ends_with("import");
                let name = "import";
                import.then_some(Call {
                    name,
                    argument: 0,
                    option: None,
                    in_options: false,
                    first_text: None,
                    typed: "",
                })
            });
            return Place::Text { begins: quote + 1, typed: &line[quote + 1..], within };
        }
        let begins = line
            .rfind(|c: char| !(c.is_alphanumeric() || c == '_'))
            .map_or(0, |at| at + line[at..].chars().next().map_or(1, char::len_utf8));
        let typed = &line[begins..];
        match calls(line).pop() {
            Some(call) if call.in_options => Place::Option { begins, typed, primitive: call.name },
            _ => Place::Word { begins, typed },
        }
    }
}

/// Where the text begins that is open at the end of a line.
fn open_quote(line: &str) -> Option<usize> {
    let (mut open, mut escaped) = (None, false);
    for (at, c) in line.char_indices() {
        match (open, c) {
            _ if escaped => escaped = false,
            (Some(('"', _)), '\\') => escaped = true,
            (None, '"' | '`') => open = Some((c, at)),
            (Some((quote, _)), c) if c == quote => open = None,
            _ => {}
        }
    }
    open.map(|(_, at)| at)
}

/// The calls that are open at the end of a line, outermost first. Texts in it are closed.
fn calls(line: &str) -> Vec<Call<'_>> {
    let (mut stack, mut at): (Vec<(char, Option<Call>)>, usize) = (Vec::new(), 0);
    let mut name = "";
    for (part, text) in super::colour::parts(line) {
        let end = at + text.len();
        match text {
            _ if part == super::colour::Part::Text => {
                if let Some((_, Some(call))) = stack.last_mut()
                    && call.argument == 0
                {
                    call.first_text = text.get(1..text.len().saturating_sub(1));
                }
            }
            "(" => {
                let (option, first_text, typed) = (None, None, &line[end..]);
                let call = Call { name, argument: 0, option, in_options: false, first_text, typed };
                stack.push(('(', (!name.is_empty()).then_some(call)));
            }
            "{" | "[" => {
                let outer = stack
                    .last()
                    .and_then(|(_, call)| call.clone())
                    .filter(|_| text == "{" && line[..at].ends_with('#'));
                stack.push((
                    '{',
                    outer.map(|call| Call { in_options: true, option: None, typed: &line[end..], ..call }),
                ));
            }
            ")" | "}" | "]" => drop(stack.pop()),
            "," => {
                if let Some((kind, Some(call))) = stack.last_mut() {
                    call.typed = &line[end..];
                    if *kind == '(' {
                        call.argument += 1;
                    } else {
                        (call.in_options, call.option) = (true, None);
                    }
                }
            }
            ":" => {
                if let Some(('{', Some(call))) = stack.last_mut() {
                    (call.in_options, call.option, call.typed) = (false, Some(name), &line[end..]);
                }
            }
            _ => {}
        }
        let is_name =
            matches!(part, super::colour::Part::Name | super::colour::Part::Called | super::colour::Part::Keyword);
        if is_name {
            name = text;
        } else if !text.trim().is_empty() {
            name = "";
        }
        at = end;
    }
    stack.into_iter().filter_map(|(_, call)| call).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_known_in_which_call_and_at_which_argument_the_cursor_stands() {
        let innermost = |line: &'static str| calls(line).pop();
        let call = innermost("restore(\"primary\", #{ from: ").expect("open");
        assert_eq!(
            (call.name, call.option, call.first_text, call.in_options),
            ("restore", Some("from"), Some("primary"), false)
        );
        let call = innermost("let a = probe(\"web\", #{ timeout: \"5s\", ").expect("open");
        assert_eq!((call.name, call.option, call.in_options), ("probe", None, true));
        let call = innermost("maintenance(\"web\", ").expect("open");
        assert_eq!((call.name, call.argument), ("maintenance", 1));
        assert_eq!(innermost("probe(\"web\")"), None);
        assert_eq!(innermost("(1 + 2"), None);
        assert_eq!(innermost("f(g(1), ").map(|call| (call.name, call.argument)), Some(("f", 1)));
    }

    #[test]
    fn a_text_that_is_open_is_found_whatever_stands_before_it() {
        assert_eq!(open_quote("probe(\"we"), Some(6));
        assert_eq!(open_quote("\"a\" + `b"), Some(6));
        assert_eq!(open_quote("\"a\\\"b\""), None);
    }
}
