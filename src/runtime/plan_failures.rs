//! What happens when a call of a plan does not end as the plan has it: the real script once more for each way, without a look at
//! anything.

use std::sync::Arc;

use crate::model::{FailureEnd, ImpactKind, Plan, PlanFailure};
use crate::script::{Evaluation, Evaluator, Params, Script, on_deep_stack};
use crate::worlds::{Beginning, Cast, Ending, Explore, LeftCall, Path, Strayed, Visit, Walked, described, story};

use super::{Error, Lifeboat};

/// So many calls are made in all before the rest is left to `explore`.
const CALLS: usize = 200_000;

impl Lifeboat {
    /// Adds to a plan what happens when one of its calls ends in another way.
    pub(super) fn add_failures(
        &self,
        plan: &mut Plan,
        script: &Script,
        params: &Params,
        cast: Cast,
    ) -> Result<(), Error> {
        let world = Arc::new(Explore::along(cast, plan.lines()));
        let evaluation = Evaluation {
            script,
            params,
            world: world.clone(),
            registry: self.registry.clone(),
            library: self.library(),
        };
        let walked = on_deep_stack(|| {
            let evaluator = Evaluator::new(&evaluation).map_err(|verdict| format!("{verdict:?}"))?;
            let walk = |beginning: Beginning, strays: &mut Vec<Beginning>| {
                world.begin(beginning);
                let verdict = evaluator.evaluate();
                world.end(&verdict, 1, |stray| strays.push(stray))
            };
            let mut strays = Vec::new();
            let mut calls = walk(Beginning::default(), &mut strays).path.visits.len();
            let (mut failures, mut walked) = (Vec::new(), 0);
            for stray in strays.iter().cloned() {
                if calls >= CALLS {
                    break;
                }
                let path = walk(stray, &mut Vec::new());
                calls += path.path.visits.len();
                walked += 1;
                failures.extend(path.strayed.as_ref().map(|strayed| failure(&path, strayed)));
            }
            Ok((failures, strays.len() - walked))
        });
        let (mut failures, left_out) =
            walked.and_then(|found: Result<_, String>| found).map_err(|why| Error::Internal { why })?;
        let redactor = self.redactor();
        for failure in &mut failures {
            redact(failure, |text| redactor.clean(text).into_owned());
        }
        (plan.failures, plan.failures_left_out) = (failures, left_out);
        Ok(())
    }
}

fn failure(walked: &Walked, strayed: &Strayed) -> PlanFailure {
    let path = &walked.path;
    let behind = path.visits.get(strayed.visit + 1..).unwrap_or_default();
    let (ends, why) = ending(&walked.ending);
    let told = behind.iter().filter_map(Visit::call).filter(|call| call.kind == ImpactKind::Tell && !call.failed);
    let titles = behind.iter().filter_map(|visit| match visit {
        Visit::RollingBack { title, .. } => Some(title.clone()),
        _ => None,
    });
    PlanFailure {
        key: strayed.key.clone(),
        way: path.visits.get(strayed.visit).and_then(Visit::call).map_or("", |call| call.way).to_owned(),
        ends,
        why,
        rolled_back: titles.collect(),
        told: told.filter_map(|call| call.target.as_deref().map(str::to_owned)).collect(),
        left: if ends == FailureEnd::Completes { Vec::new() } else { left(path) },
        then: story(path, None).split_off((strayed.visit + 1).min(path.visits.len())),
    }
}

/// What a path leaves changed, as people read it.
pub(super) fn left(path: &Path) -> Vec<String> {
    let told = |left: LeftCall| {
        let (call, line) = (left.call, left.call.site.line);
        let how = match (left.rolled_back, call.undoing) {
            (false, _) => "",
            (true, false) => ", not put back by its rollback",
            (true, true) => ", by a rollback",
        };
        format!("{} (line {line}{how})", described(call))
    };
    path.left().into_iter().map(told).collect()
}

fn ending(ending: &Ending) -> (FailureEnd, String) {
    match ending {
        Ending::Well => (FailureEnd::Completes, String::new()),
        Ending::Restored { why } => (FailureEnd::Restored, why.clone()),
        Ending::LeftChanged { why } => (FailureEnd::LeftChanged, why.clone()),
        Ending::InDoubt => (FailureEnd::InDoubt, "a person must look, and settle it".to_owned()),
        Ending::Endless => (FailureEnd::Mistaken, "it does not end".to_owned()),
        Ending::Mistake { why, .. } => (FailureEnd::Mistaken, why.clone()),
        Ending::Open { why, .. } => (FailureEnd::Open, why.clone()),
    }
}

fn redact(failure: &mut PlanFailure, hide: impl Fn(&str) -> String) {
    let texts = failure.rolled_back.iter_mut().chain(&mut failure.left).chain([&mut failure.why]);
    for text in texts.chain(failure.then.iter_mut().map(|line| &mut line.text)) {
        *text = hide(text);
    }
}
