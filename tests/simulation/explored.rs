//! What really happened is always among the paths that an exploration walks.

use std::sync::Arc;

use lifeboat::journal::{Journal as _, RunQuery};
use lifeboat::model::{EventBody, Key, Site};
use lifeboat::runtime::Lifeboat;
use lifeboat::script::{Evaluation, Evaluator, Library, Params, Script, on_deep_stack};
use lifeboat::worlds::{Beginning, Cast, Explore};

use crate::generate::{Generated, generate_once};
use crate::life::{Flaw, Fortune, Stage};
use crate::targets::registry;

/// How many paths are walked in search of one.
const WALKS: usize = 4_000;

/// The changes of a path, in their order: where, and whether they failed.
type Changes = Vec<(Site, bool)>;

struct Files<'a>(&'a Generated);

impl Library for Files<'_> {
    fn module(&self, _: &str, path: &str) -> Result<(String, String), String> {
        Err(format!("there is no module {path}"))
    }

    fn runbook(&self, path: &str) -> Result<(String, String), String> {
        Ok((path.to_owned(), self.0.child.clone()))
    }
}

/// What a run came to, by its record. A change that was tried again after a crash is one.
fn happened(outside: &crate::targets::Outside) -> Changes {
    let run = outside.journal.runs(&RunQuery::newest(1)).expect("reads").pop().expect("a run");
    let mut changes: Vec<(Key, Site, bool)> = Vec::new();
    for event in outside.journal.events(&run.id).expect("reads") {
        let EventBody::Settled(settled) = event.body else { continue };
        if settled.primitive != "set" {
            continue;
        }
        let failed = settled.outcome.is_err();
        match changes.iter_mut().find(|(key, ..)| *key == settled.key) {
            Some(known) => known.2 = failed,
            None => changes.push((settled.key, settled.site, failed)),
        }
    }
    changes.into_iter().map(|(_, site, failed)| (site, failed)).collect()
}

/// Whether some path makes these changes; none when a bound was hit before it was found, and the exploration says so.
fn is_walked(stage: &Stage, generated: &Generated, wanted: &Changes) -> Option<bool> {
    let lifeboat = Lifeboat::builder(stage.config()).registry(registry()).build().expect("it is configured");
    let environment = lifeboat.config().environment(None).expect("the default one");
    let registry = Arc::new(registry());
    let cast = Cast::new(registry.clone(), environment).unwrap_or_else(|_| panic!("it is configured"));
    let world = Arc::new(Explore::new(cast, Vec::new()));
    let script = Script::compile("runbooks/it.rhai", &generated.runbook).expect("it compiles");
    let library = Arc::new(Files(Box::leak(Box::new(generated.clone()))));
    let params = Params::new();
    let evaluation = Evaluation { script: &script, params: &params, world: world.clone(), registry, library };
    let evaluator = Evaluator::new(&evaluation).unwrap_or_else(|_| panic!("it has no parameters"));
    let failures = wanted.iter().filter(|(_, failed)| *failed).count();
    // Questions are answered with yes in these runs; whatever else fails is a change.
    let (mut open, mut bounded) = (vec![Beginning::default()], false);
    for _ in 0..WALKS {
        let Some(beginning) = open.pop() else { return (!bounded).then_some(false) };
        world.begin(beginning);
        let verdict = evaluator.evaluate();
        let walked = world.end(&verdict, failures, |other| open.push(other));
        bounded |= !walked.bounded.is_empty();
        let sets = walked.path.calls().filter(|call| call.primitive == "set");
        if sets.map(|call| (call.site.clone(), call.failed)).collect::<Changes>() == *wanted {
            return Some(true);
        }
    }
    None
}

#[test]
fn what_happened_was_walked() {
    let (mut found, mut given_up) = (0, 0);
    let stage = Stage::new();
    for seed in 1..=300 {
        let generated = generate_once(seed);
        if generated.interleaved {
            continue;
        }
        stage.write(&generated);
        let outside = stage.outside(seed, false);
        let fortune = Fortune { attended: true, ..Fortune::default() };
        stage.play(&outside, &fortune, Flaw::None).expect("it comes to its end");
        let wanted = happened(&outside);
        match on_deep_stack(|| is_walked(&stage, &generated, &wanted)).expect("it does not panic") {
            Some(true) => found += 1,
            Some(false) => panic!(
                "seed {seed}: no path does {}\n{}\n{}",
                wanted
                    .iter()
                    .map(|(site, failed)| format!("{site}{}", if *failed { " failed" } else { "" }))
                    .collect::<Vec<_>>()
                    .join(", "),
                generated.runbook,
                generated.child
            ),
            None => given_up += 1,
        }
    }
    println!("{found} runs were among the paths; {given_up} times a bound was hit");
    assert!(found > 10 * given_up, "{found} found, {given_up} given up");
}
