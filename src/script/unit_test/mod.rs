//! Unit tests of runbooks, written in Rhai: `test "…" { given(…); let ran = play(…); expect(…); }`.
//!
//! A test file is a script of its own. It calls no primitive: it plays runbooks on a [`Stage`], and says what it expects. Each test
//! is evaluated by itself, from the beginning of its file, so that no test sees what another has done.

mod bench;
mod check;
mod expect;
mod outcome;
mod ran;
mod run;
mod words;

use std::sync::Arc;

use rhai::AST;

use crate::model::{CallPattern, Given, Played, Site, StoryLine, Usage, WrongGiven};
use crate::primitives::Registry;

use super::check::UNNAMED;
use super::{Diagnostic, FrontMatter, Params, SourceFile, SourceMap, engine, errors};

/// Where the runbooks of tests are played.
pub trait Stage: Send + Sync {
    /// The names of the targets of the environment.
    fn targets(&self) -> Vec<String>;

    /// Plays a runbook that a test file names.
    fn play(
        &self,
        file: &str,
        runbook: &str,
        params: &Params,
        given: &[Given],
    ) -> Result<(Played, Vec<Usage>), PlayError>;

    /// Whether somebody does not want to wait for the end.
    fn is_cancelled(&self) -> bool;
}

/// Why a runbook could not be played.
#[derive(Clone, Debug, PartialEq)]
pub enum PlayError {
    /// What is given is wrong.
    Given(WrongGiven),
    /// There is no such runbook, it has errors, or its parameters are wrong.
    Wrong {
        /// What is wrong.
        why: String,
        /// What to do.
        hint: Option<String>,
    },
    /// It comes to no end of which a test could say anything.
    Stuck {
        /// What is wrong, or not known.
        why: String,
        /// Where, in the runbook.
        site: Option<Site>,
        /// What to do.
        hint: Option<String>,
        /// What happened until then.
        story: Vec<StoryLine>,
    },
}

/// A test: its title, and where it stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TestName {
    /// The title; no two tests of a file have the same.
    pub title: String,
    /// Where.
    pub site: Site,
}

/// What a test has found out.
#[derive(Clone, Debug, Default)]
pub struct TestEnd {
    /// What is not as expected, and mistakes of the test; empty when it has passed.
    pub failures: Vec<Failure>,
    /// How many expectations were looked at.
    pub expectations: usize,
}

/// One expectation that does not hold, or a mistake in a test.
#[derive(Clone, Debug)]
pub struct Failure {
    /// What, and where in the test file.
    pub diagnostic: Diagnostic,
    /// Whether the test is wrong, rather than the runbook.
    pub mistake: bool,
    /// What was expected, where it was compared.
    pub expected: Option<String>,
    /// What was found instead.
    pub found: Vec<String>,
    /// The runbook that the expectation is about.
    pub played: Option<Arc<Played>>,
    /// What happened in a runbook that came to no end.
    pub story: Vec<StoryLine>,
}

/// A compiled test file.
#[derive(Clone)]
pub struct TestFile {
    /// The file.
    pub source: Arc<SourceFile>,
    /// What its first lines say.
    pub front_matter: FrontMatter,
    sources: Arc<SourceMap>,
    ast: AST,
    registry: Arc<Registry>,
}

impl TestFile {
    /// How the names of test files end.
    pub const ENDING: &'static str = "_test.rhai";

    /// Compiles a test file. `name` is how errors show it.
    pub fn compile(name: &str, text: &str, registry: Arc<Registry>) -> Result<Self, Box<Diagnostic>> {
        let sources = Arc::new(SourceMap::default());
        let source = sources.add(name, text).map_err(|why| {
            let source = SourceFile { name: name.into(), text: text.into(), digest: String::new(), base: 0 };
            let site = Site { file: name.into(), line: 1, column: 1 };
            Diagnostic::error(UNNAMED, &source, site, 1, why)
        })?;
        let mut engine = engine::for_parsing();
        run::teach_syntax(&mut engine, None);
        let compiled = engine.compile(source.padded(text));
        let mut ast = compiled.map_err(|error| {
            let error = errors::syntax(&sources, &source, &error);
            Diagnostic::error(UNNAMED, &source, error.site, 1, error.message).maybe_help(error.help)
        })?;
        ast.set_source(name);
        Ok(Self { front_matter: FrontMatter::parse(&source.text), source, sources, ast, registry })
    }

    /// What can be said of it without running it.
    pub fn check(&self) -> Vec<Diagnostic> {
        check::check(self)
    }

    /// Its tests, in the order in which they are met. The error says why they cannot be told.
    pub fn tests(&self) -> Result<Vec<TestName>, Vec<Failure>> {
        run::list(self)
    }

    /// Runs the test at this position. Call it through [`super::on_deep_stack`] unless the thread has 16 MiB of stack.
    pub fn run(&self, test: usize, stage: Arc<dyn Stage>) -> TestEnd {
        run::run(self, test, stage)
    }
}

/// Whether a call is about something that there is: its primitive, its target, its arguments. The error says what is not, and what may
/// be meant.
fn known(call: &CallPattern, registry: &Registry, targets: &[String]) -> Result<(), (String, Option<String>)> {
    use crate::model::did_you_mean;
    let name = call.primitive.as_str();
    let Some(signature) = registry.signature(name) else {
        let hint = did_you_mean(name, registry.signatures().map(|signature| signature.name));
        return Err((format!("there is no primitive `{name}`"), hint));
    };
    if let Some(target) = &call.target {
        if signature.target.is_none() {
            return Err((format!("`{name}` works on no target: write \"{name}\" alone"), None));
        }
        if !targets.contains(target) {
            let hint = did_you_mean(target, targets.iter().map(String::as_str))
                .unwrap_or_else(|| format!("the targets: {}", targets.join(", ")));
            return Err((format!("there is no target `{target}`"), Some(hint)));
        }
    }
    if let Some(arg) = call.args.keys().find(|arg| signature.arg(arg).is_none()) {
        let names = || signature.args.iter().map(|arg| arg.name.as_str());
        let hint = did_you_mean(arg, names())
            .unwrap_or_else(|| format!("its arguments: {}", names().collect::<Vec<_>>().join(", ")));
        return Err((format!("`{name}` has no argument `{arg}`"), Some(hint)));
    }
    Ok(())
}
