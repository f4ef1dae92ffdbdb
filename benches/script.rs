//! What a script costs by itself: to parse, to set up an engine, to make a hundred calls that do nothing.
//!
//! `cargo bench --bench script`

use std::sync::Arc;

use lifeboat::model::{
    After, Halt, Invocation, Left, Outcome, Performed, Question, Repeat, Scope, Value, Verdict, World,
};
use lifeboat::primitives::Registry;
use lifeboat::script::{Evaluation, Library, Params, Script, evaluate, on_deep_stack};

/// The thread that measures has the stack that evaluations need.
fn main() {
    on_deep_stack(divan::main).expect("it does not panic");
}

/// A world in which every call returns at once, and nothing is kept.
struct Empty;

impl World for Empty {
    fn perform(&self, _: &Invocation) -> Result<Performed, Halt> {
        Ok(Performed::unchanged(Ok(Value::Null)))
    }

    fn repeat(
        &self,
        _: &Invocation,
        _: &Repeat,
        attempt: &mut dyn FnMut(u32) -> Result<Outcome, Halt>,
    ) -> Result<Performed, Halt> {
        attempt(0).map(Performed::unchanged)
    }

    fn choose(&self, _: &Question) -> Result<usize, Halt> {
        Ok(0)
    }

    fn enter(&self, _: &Scope) -> Result<(), Halt> {
        Ok(())
    }

    fn leave(&self, _: &Scope, _: &Left) -> Result<After, Halt> {
        Ok(After::Continue)
    }

    fn interrupted(&self, _: bool) -> Option<Halt> {
        None
    }

    fn point_of_no_return(&self, _: &Invocation, _: &[String]) -> Result<Performed, Halt> {
        Ok(Performed::unchanged(Ok(Value::Null)))
    }
}

/// A project without any other file.
struct NoFiles;

impl Library for NoFiles {
    fn module(&self, _: &str, path: &str) -> Result<(String, String), String> {
        Err(format!("there is no module {path}"))
    }

    fn runbook(&self, path: &str) -> Result<(String, String), String> {
        Err(format!("there is no runbook {path}"))
    }
}

/// The runbook that ships.
const RESTORE: &str = include_str!("../runbooks/restore-database.rhai");

fn hundred() -> String {
    "log(\"a call\");\n".repeat(100)
}

fn compile(text: &str) -> Script {
    Script::compile("bench.rhai", text).expect("it is a runbook")
}

fn run(script: &Script, registry: &Arc<Registry>) -> Verdict {
    let (world, library) = (Arc::new(Empty), Arc::new(NoFiles));
    evaluate(&Evaluation { script, params: &Params::new(), world, registry: registry.clone(), library })
}

fn bench(bencher: divan::Bencher, text: &str) {
    let (script, registry) = (compile(text), Arc::new(Registry::standard()));
    bencher.bench_local(|| run(&script, &registry));
}

#[divan::bench]
fn parse_the_runbook_that_ships() -> Script {
    compile(RESTORE)
}

#[divan::bench]
fn all_primitives_as_data() -> Registry {
    Registry::standard()
}

/// An empty runbook: what an engine costs before its first call.
#[divan::bench]
fn engine_set_up(bencher: divan::Bencher) {
    bench(bencher, "()");
}

#[divan::bench]
fn hundred_calls(bencher: divan::Bencher) {
    bench(bencher, &hundred());
}
