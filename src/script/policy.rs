//! A team's own invariants: functions in Rhai that judge a path. They can reach nothing but the path that they are given.

use std::sync::Arc;

use rhai::{AST, Dynamic, Engine, EvalAltResult, FnAccess, ImmutableString, Map, Scope};

use crate::model::{INVARIANTS, Invariant, Site, Value};

use super::source::{ScriptError, SourceFile, SourceMap};
use super::{convert, engine, errors};

/// So much may be computed of one path.
const OPERATIONS: u64 = 1_000_000;

/// The invariants of a team, compiled.
pub struct Policy {
    engine: Engine,
    sources: SourceMap,
    rules: Vec<Rule>,
}

struct Rule {
    invariant: Invariant,
    function: String,
    ast: Arc<AST>,
}

/// A path that breaks an invariant of a team.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PolicyBroken {
    /// The invariant's position among those of the policy.
    pub rule: usize,
    /// The event that breaks it, by its number `n`; none for the path as a whole.
    pub at: Option<usize>,
    /// In which way.
    pub why: String,
}

impl std::fmt::Debug for Policy {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_list().entries(self.invariants()).finish()
    }
}

impl Policy {
    /// Compiles files, each its name and its text. Every public function is an invariant: it takes the path, and returns nothing where
    /// the path keeps it.
    pub fn compile(files: &[(String, String)]) -> Result<Self, ScriptError> {
        let mut policy = Self { engine: engine(), sources: SourceMap::default(), rules: Vec::new() };
        for (name, text) in files {
            policy.add(name, text)?;
        }
        Ok(policy)
    }

    fn add(&mut self, name: &str, text: &str) -> Result<(), ScriptError> {
        let source = self.sources.add(name, text).map_err(|why| ScriptError::whole(name, text, why))?;
        let compiled = self.engine.compile(source.padded(&source.text));
        let mut ast = compiled.map_err(|error| errors::syntax(&self.sources, &source, &error))?;
        ast.set_source(name);
        if let Some(statement) = ast.statements().first() {
            let site = self.sources.site(statement.position());
            let help = "write each invariant as a function: fn name(path) { … }";
            return Err(ScriptError::at(&source, site.line, site.column, "a policy consists of functions").help(help));
        }
        let ast = Arc::new(ast);
        let mut functions: Vec<_> = ast.iter_functions().filter(|f| f.access == FnAccess::Public).collect();
        functions.sort_by_key(|function| line_of(&source, function.name));
        for function in functions {
            let line = line_of(&source, function.name);
            let wrong = |message: String, help: &str| Err(ScriptError::at(&source, line, 1, message).help(help));
            if function.params.len() != 1 {
                let message = format!("`{}` is no invariant: it takes {} values", function.name, function.params.len());
                return wrong(message, "an invariant takes the path; what helps it is private: private fn …");
            }
            let invariant =
                Invariant { name: function.name.replace('_', "-").into(), summary: summary(&function.comments) };
            let known = self.invariants().any(|known| known.name == invariant.name);
            if known || INVARIANTS.iter().any(|(name, _)| *name == &*invariant.name) {
                return wrong(
                    format!("there is an invariant `{}` already", invariant.name),
                    "give each a name of its own",
                );
            }
            self.rules.push(Rule { invariant, function: function.name.to_owned(), ast: ast.clone() });
        }
        Ok(())
    }

    /// Its invariants.
    pub fn invariants(&self) -> impl Iterator<Item = &Invariant> {
        self.rules.iter().map(|rule| &rule.invariant)
    }

    /// The files, with their digests.
    pub fn files(&self) -> Vec<Arc<SourceFile>> {
        self.sources.files()
    }

    /// The invariants that a path breaks. One that cannot judge it is broken: nobody may rely on it.
    pub fn broken(&self, path: &Value) -> Vec<PolicyBroken> {
        let path = convert::to_dynamic(path);
        let judged = self.rules.iter().enumerate().filter_map(|(n, rule)| {
            let judged = self.judge(rule, path.clone());
            let (at, why) = judged.unwrap_or_else(|error| Some((None, self.failed(&error))))?;
            Some(PolicyBroken {
                rule: n,
                at,
                why: if why.is_empty() { rule.invariant.summary.to_string() } else { why },
            })
        });
        judged.collect()
    }

    fn judge(&self, rule: &Rule, path: Dynamic) -> Result<Option<(Option<usize>, String)>, Box<EvalAltResult>> {
        let options = rhai::CallFnOptions::new().eval_ast(false);
        let said: Dynamic =
            self.engine.call_fn_with_options(options, &mut Scope::new(), &rule.ast, &rule.function, (path,))?;
        if said.is_unit() || said.as_bool() == Ok(true) {
            return Ok(None);
        }
        if said.as_bool() == Ok(false) {
            return Ok(Some((None, String::new())));
        }
        if let Some(broken) = said.read_lock::<Broken>() {
            return Ok(Some((broken.at, broken.why.clone())));
        }
        match said.into_immutable_string() {
            Ok(why) => Ok(Some((None, why.to_string()))),
            Err(kind) => {
                Err(format!("it returned a value of type {kind}; nothing, a text or `event.breaks(why)` is expected")
                    .into())
            }
        }
    }

    fn failed(&self, error: &EvalAltResult) -> String {
        let Site { file, line, .. } = self.sources.site(errors::position(error));
        let (_, what) = errors::innermost_text(error);
        let place = if line == 0 { file.to_string() } else { format!("{file}:{line}") };
        format!("it cannot tell: {what} ({place})")
    }
}

/// What a function returns that names the event.
#[derive(Clone)]
struct Broken {
    at: Option<usize>,
    why: String,
}

fn engine() -> Engine {
    let mut engine = engine::with_packages();
    engine.set_max_operations(OPERATIONS);
    engine.set_fail_on_invalid_map_property(true);
    engine.register_fn("breaks", |call: Map, why: ImmutableString| {
        let at = call.get("n").and_then(|n| n.as_int().ok()).and_then(|n| usize::try_from(n).ok());
        Broken { at, why: why.to_string() }
    });
    engine
}

/// The first line on which a function of this name begins.
fn line_of(source: &SourceFile, name: &str) -> u32 {
    let begins = |line: &str| {
        let rest = line.trim_start().strip_prefix("fn ").map(str::trim_start);
        rest.and_then(|rest| rest.strip_prefix(name)).is_some_and(|rest| rest.trim_start().starts_with('('))
    };
    let line = source.text.lines().position(begins).map_or(1, |line| line + 1);
    u32::try_from(line).unwrap_or(1)
}

/// What the comment above a function says, on one line, without the full stop.
fn summary(comments: &[&str]) -> Arc<str> {
    let lines = comments.iter().flat_map(|comment| comment.lines());
    let words: Vec<&str> =
        lines.map(|line| line.trim().trim_start_matches('/').trim()).filter(|line| !line.is_empty()).collect();
    words.join(" ").trim_end_matches('.').into()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn compiled(text: &str) -> Policy {
        Policy::compile(&[("policy/team.rhai".to_owned(), text.to_owned())]).unwrap_or_else(|error| panic!("{error}"))
    }

    fn refused(text: &str) -> String {
        let error = Policy::compile(&[("policy/team.rhai".to_owned(), text.to_owned())]).expect_err("it is refused");
        format!("{}:{}: {error}", error.site.file, error.site.line)
    }

    fn path() -> Value {
        let call = Value::Map(
            [
                ("n".to_owned(), Value::Int(3)),
                ("primitive".to_owned(), "restore".into()),
                ("changed".to_owned(), true.into()),
            ]
            .into(),
        );
        Value::Map([("ends".to_owned(), "well".into()), ("events".to_owned(), Value::List(vec![call]))].into())
    }

    #[test]
    fn every_public_function_is_an_invariant_with_its_comment() {
        let policy = compiled("/// Nobody restores.\nfn nobody_restores(path) { }\nprivate fn help(a, b) { a + b }\n");
        let found: Vec<(&str, &str)> = policy.invariants().map(|one| (&*one.name, &*one.summary)).collect();
        assert_eq!(found, [("nobody-restores", "Nobody restores")]);
    }

    #[test]
    fn what_is_returned_says_whether_the_path_keeps_it() {
        let text = "fn a(path) { for event in path.events { if event.changed { return event.breaks(`${event.primitive} changes`); } } }\n\
                    fn b(path) { path.ends == \"well\" }\n/// It never ends well.\nfn c(path) { path.ends != \"well\" }\n\
                    fn d(path) { \"as it is\" }\n";
        let found: Vec<(usize, Option<usize>, String)> =
            compiled(text).broken(&path()).into_iter().map(|one| (one.rule, one.at, one.why)).collect();
        let expected = [
            (0, Some(3), "restore changes".to_owned()),
            (2, None, "It never ends well".to_owned()),
            (3, None, "as it is".to_owned()),
        ];
        assert_eq!(found, expected);
    }

    #[test]
    fn one_that_cannot_tell_is_broken() {
        let text = "fn a(path) {\n    path.nothing\n}\nfn b(path) { loop { } }\nfn c(path) { 42 }\n";
        let found: Vec<String> = compiled(text).broken(&path()).into_iter().map(|one| one.why).collect();
        assert!(found[0].starts_with("it cannot tell: ") && found[0].ends_with("(policy/team.rhai:2)"), "{}", found[0]);
        assert!(found[1].contains("it cannot tell: the script runs for ever (policy/team.rhai)"), "{}", found[1]);
        assert!(found[2].contains("a text or `event.breaks(why)` is expected"), "{}", found[2]);
    }

    #[test]
    fn what_is_no_policy_is_refused_at_its_place() {
        assert_eq!(refused("let a = 1;\n"), "policy/team.rhai:1: a policy consists of functions");
        assert_eq!(refused("\nfn a(b, c) { }\n"), "policy/team.rhai:2: `a` is no invariant: it takes 2 values");
        assert_eq!(refused("fn told(path) { }\n"), "policy/team.rhai:1: there is an invariant `told` already");
        assert!(refused("fn a(path) {\n").starts_with("policy/team.rhai:2: "));
    }

    #[test]
    fn a_policy_reaches_nothing() {
        for call in ["probe(\"web\")", "exec(\"x\", [])", "eval(\"1\")", "print(1)"] {
            let text = format!("fn a(path) {{ {call}; }}\n");
            match Policy::compile(&[("policy/team.rhai".to_owned(), text)]) {
                Err(_) => {}
                Ok(policy) => assert!(policy.broken(&path())[0].why.contains("it cannot tell"), "{call}"),
            }
        }
    }
}
