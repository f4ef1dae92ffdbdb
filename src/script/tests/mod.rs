//! The language as a specification: scripts against a world that records what it is asked.

mod halts;
mod interleaved;
mod language;
mod limits;
mod modules;
mod owed;
mod parallel;
mod secrets;
mod session;
mod unknowns;
pub(super) mod world;

use std::collections::BTreeMap;
use std::sync::Arc;

use super::*;
use crate::model::{Value, Verdict};
use world::Recorder;
pub(super) use world::registry;

/// Files by path: modules and child runbooks.
#[derive(Default)]
pub(super) struct Files(pub(super) BTreeMap<String, String>);

impl Library for Files {
    fn module(&self, _: &str, path: &str) -> Result<(String, String), String> {
        self.runbook(&format!("{path}.rhai"))
    }

    fn runbook(&self, path: &str) -> Result<(String, String), String> {
        self.0.get(path).map(|text| (path.to_owned(), text.clone())).ok_or_else(|| format!("there is no file {path}"))
    }
}

/// A test of one script: `Test::new("…").fails("b").run()`.
pub(super) struct Test {
    script: String,
    files: Files,
    params: Params,
    world: Recorder,
}

/// What came of it.
pub(super) struct Ran {
    pub(super) verdict: Verdict,
    /// What the world was asked: `act a`, `> title`, `< title ok`, …
    pub(super) log: Vec<String>,
    pub(super) keys: Vec<String>,
}

impl Test {
    pub(super) fn new(script: &str) -> Self {
        Self { script: script.to_owned(), files: Files::default(), params: Params::new(), world: Recorder::default() }
    }

    pub(super) fn file(mut self, path: &str, text: &str) -> Self {
        self.files.0.insert(path.to_owned(), text.to_owned());
        self
    }

    pub(super) fn set(mut self, name: &str, value: impl Into<Value>) -> Self {
        self.params.insert(name.to_owned(), value.into());
        self
    }

    /// `act(name)` fails, and leaves its target as it was.
    pub(super) fn fails(self, name: &str) -> Self {
        self.world.failing.lock().unwrap().push(name.to_owned());
        self
    }

    /// `act(name)` halts the run.
    pub(super) fn halts(self, name: &str) -> Self {
        self.world.halting.lock().unwrap().push(name.to_owned());
        self
    }

    /// Somebody cancels the run while `act(name)` is under way.
    pub(super) fn cancelled_at(self, name: &str) -> Self {
        self.world.cancelling.lock().unwrap().push(name.to_owned());
        self
    }

    /// So many branches go on at the same time.
    pub(super) fn lanes(mut self, lanes: usize) -> Self {
        self.world.lanes = lanes;
        self
    }

    /// The first questions of the script are answered with no, so many of them.
    pub(super) fn denying(mut self, noes: usize) -> Self {
        *self.world.noes.get_mut().unwrap() = noes;
        self
    }

    pub(super) fn rehearses(mut self) -> Self {
        self.world.rehearse = true;
        self
    }

    pub(super) fn run(self) -> Ran {
        let script = Script::compile("main.rhai", &self.script).unwrap_or_else(|e| panic!("{e}\n{}", self.script));
        let world = Arc::new(self.world);
        let evaluation = Evaluation {
            script: &script,
            params: &self.params,
            world: world.clone(),
            registry: world::registry(),
            library: Arc::new(self.files),
        };
        let verdict = on_deep_stack(|| evaluate(&evaluation)).expect("the evaluation does not panic");
        let log = world.log.lock().unwrap().clone();
        let keys = world.keys.lock().unwrap().clone();
        Ran { verdict, log, keys }
    }

    /// The syntax error of the script.
    pub(super) fn syntax_error(&self) -> String {
        let error = Script::compile("main.rhai", &self.script).expect_err("does not compile");
        let help = error.help.map(|h| format!(" [{h}]")).unwrap_or_default();
        format!("{}: {}{help}", error.site, error.message)
    }
}

impl Ran {
    /// The calls alone, without steps.
    pub(super) fn calls(&self) -> Vec<&str> {
        self.log.iter().filter(|l| !l.starts_with(['>', '<', '~'])).map(String::as_str).collect()
    }

    pub(super) fn value(&self) -> &Value {
        match &self.verdict {
            Verdict::Completed(value) => value,
            other => panic!("did not complete: {other:?}"),
        }
    }

    pub(super) fn fault(&self) -> &crate::model::Fault {
        match &self.verdict {
            Verdict::Failed { fault, .. } => fault,
            other => panic!("did not fail: {other:?}"),
        }
    }

    pub(super) fn halt(&self) -> &crate::model::Halt {
        match &self.verdict {
            Verdict::Halted { halt, .. } => halt,
            other => panic!("was not halted: {other:?}"),
        }
    }
}
