//! Whether what a run did is among the paths that an exploration walks, whatever fails and with nothing pinned.

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::path::PathBuf;
use std::sync::Arc;

use lifeboat::model::{Case, CaseResult, Site, Value};
use lifeboat::primitives::Registry;
use lifeboat::script::{Evaluation, Evaluator, Library, Params, Script, on_deep_stack};
use lifeboat::worlds::{Beginning, Call, Cast, Ending, Explore, Visit};

use crate::fits::{are_planned, fits};
use crate::record::{Attempts, End, Made, counted, one_branch_after_the_other};
use crate::world::World;

/// How many paths are walked in search of one.
const WALKS: usize = 20_000;

/// What came of the search.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Walked {
    /// A path that is taken to leave nothing changed, or to leave something.
    Found { restored: bool },
    /// No path does what the run did.
    Missing,
    /// Not every path was walked, and the exploration says so: there are too many, a line is met too often, or the way depends on
    /// something that nobody knows.
    Bounded,
}

/// The files of a project, named as Lifeboat names them.
struct Files(PathBuf);

impl Files {
    fn read(&self, name: String) -> Result<(String, String), String> {
        let text = std::fs::read_to_string(self.0.join(&name)).map_err(|error| format!("{name}: {error}"))?;
        Ok((name, text))
    }
}

impl Library for Files {
    fn module(&self, from: &str, path: &str) -> Result<(String, String), String> {
        let folder = from.rsplit_once('/').map_or("", |(folder, _)| folder);
        self.read(format!("{folder}/{path}.rhai"))
    }

    fn runbook(&self, path: &str) -> Result<(String, String), String> {
        self.read(path.to_owned())
    }
}

/// Looks for what a run did among the paths of its runbook.
pub(crate) fn walked(world: &World, runbook: &str, made: &[Made]) -> Walked {
    let mut wanted = counted(made, Attempts::AsWalked);
    // That it repeats its body is no visit: what the body does is. Nor is a wait that ends at a mistake in its body.
    let mistaken = |call: &Made| matches!(&call.end, End::Threw(fault) if fault.code == "script");
    wanted.retain(|call| call.primitive != "retry" && !mistaken(call));
    one_branch_after_the_other(&mut wanted, |call| &call.key);
    on_deep_stack(|| search(world, runbook, &wanted)).expect("it does not panic")
}

fn search(world: &World, runbook: &str, wanted: &[Made]) -> Walked {
    let lifeboat = world.builder().build().expect("it is configured");
    let environment = lifeboat.config().environment(None).expect("the default one");
    let registry = lifeboat.registry().clone();
    let cast = Cast::new(registry.clone(), environment).unwrap_or_else(|mistakes| panic!("{mistakes:?}"));
    let explore = Arc::new(Explore::new(cast, Vec::new()));
    let text = std::fs::read_to_string(world.path(runbook)).expect("it is there");
    let script = Script::compile(runbook, &text).expect("it compiles");
    let (params, library) = (Params::new(), Arc::new(Files(world.path(""))));
    let evaluation =
        Evaluation { script: &script, params: &params, world: explore.clone(), registry: registry.clone(), library };
    let evaluator = Evaluator::new(&evaluation).unwrap_or_else(|verdict| panic!("{verdict:?}"));
    let failures = wanted.iter().filter(|call| !matches!(call.end, End::Returned(_))).count();

    // Paths that leave one with a long common beginning come first.
    let mut open = BinaryHeap::from([(0, Reverse(Beginning::default()))]);
    let mut bounded = false;
    for _ in 0..WALKS {
        let Some((_, Reverse(beginning))) = open.pop() else {
            return if bounded { Walked::Bounded } else { Walked::Missing };
        };
        explore.begin(beginning);
        let verdict = evaluator.evaluate();
        let mut others = Vec::new();
        let walked = explore.end(&verdict, failures, |other| others.push(other));
        bounded |= !walked.bounded.is_empty() || matches!(walked.ending, Ending::Open { .. });
        let visits: Vec<&Visit> = walked.path.visits.iter().filter(|visit| is_call(visit)).collect();
        let common = visits.iter().zip(wanted).take_while(|(visit, call)| is_visit(visit, call, &registry)).count();
        if common == wanted.len() && common == visits.len() {
            return Walked::Found { restored: matches!(walked.ending, Ending::Restored { .. }) };
        }
        open.extend(others.into_iter().map(|other| (common, Reverse(other))));
    }
    Walked::Bounded
}

/// Whether it is a call of the runbook, rather than how a condition was answered or what a rollback belongs to.
fn is_call(visit: &Visit) -> bool {
    matches!(visit, Visit::Called(_) | Visit::Waited { .. } | Visit::Updates { .. } | Visit::NoReturn { .. })
}

fn is_visit(visit: &Visit, made: &Made, registry: &Registry) -> bool {
    let at = |site: &Site| *site == made.site;
    match visit {
        Visit::Called(call) => at(&call.site) && is_call_made(call, made, registry),
        Visit::Waited { call } => {
            at(&call.site) && call.primitive == made.primitive && call.failed == !matches!(made.end, End::Returned(_))
        }
        Visit::Updates { site, .. } => at(site) && made.primitive == "during",
        Visit::NoReturn { site, .. } => at(site) && made.primitive == "point_of_no_return",
        _ => false,
    }
}

/// Whether the call on the path is the one that was made, with these arguments, to this end.
fn is_call_made(call: &Call, made: &Made, registry: &Registry) -> bool {
    let target = call.target.as_deref();
    call.primitive == made.primitive
        && (target.is_none() || target == made.targets.first().map(String::as_str))
        && call.undoing == made.key.in_rollback()
        && are_planned(&call.args, &made.args)
        && ended_that_way(call, made, registry)
}

fn ended_that_way(call: &Call, made: &Made, registry: &Registry) -> bool {
    let cases = || registry.signature(call.primitive)?.cases(&call.args).ok();
    let case = || cases()?.into_iter().find(|case: &Case| case.name == call.way);
    let names = |wanted: &str| {
        let named = |case: &Case| matches!(case.result, CaseResult::Fails { code, .. } if code == wanted);
        cases().unwrap_or_default().iter().any(named)
    };
    match (&made.end, case().map(|case| case.result)) {
        (End::InDoubt, _) => call.way == "IN DOUBT",
        (End::Returned(value), Some(CaseResult::Returns(certain))) => {
            // An empty map says that nothing is certain, of values of every kind.
            certain == Value::Map([].into()) || fits(&certain, value)
        }
        // A fault with a code of its own that no case names is of the kind of those that leave things in the same state.
        (End::Threw(fault), Some(CaseResult::Fails { code, applied })) => {
            fault.applied == applied && (fault.code == code || !names(&fault.code))
        }
        // Where the settings say what a call can come to (a router knows its backends), the name of the case is all that is known.
        (end, None) => call.failed == matches!(end, End::Threw(_)),
        _ => false,
    }
}
