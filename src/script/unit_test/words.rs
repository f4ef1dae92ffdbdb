//! `given`, `usually` and `play`: what a test says before it expects something.

use std::sync::Arc;

use rhai::{Dynamic, Engine, ImmutableString, Map, NativeCallContext, Position};

use crate::model::{Given, Played, Site, Usage, Value};
use crate::script::Params;
use crate::script::convert;
use crate::script::host::RhaiResult;

use super::bench::Bench;
use super::ran::Ran;
use super::{Failure, PlayError, outcome};

/// A test that plays more often than this was not written by anybody.
const PLAYS: usize = 1000;

/// The functions that a test file has besides its own and Rhai's.
pub(super) const NAMES: [&str; 3] = ["given", "usually", "play"];

/// Registers them.
pub(super) fn register(engine: &mut Engine, bench: &Arc<Bench>) {
    use rhai::{Dynamic as D, ImmutableString as S, NativeCallContext as C};
    for (name, must) in [("given", true), ("usually", false)] {
        let at = bench.clone();
        engine.register_fn(name, move |c: C, call: S| given(&at, &c, &call, (None, None), must));
        let at = bench.clone();
        engine.register_fn(name, move |c: C, call: S, outcome: D| given(&at, &c, &call, (None, Some(&outcome)), must));
        let at = bench.clone();
        engine.register_fn(name, move |c: C, call: S, args: D, outcome: D| {
            given(&at, &c, &call, (Some(&args), Some(&outcome)), must)
        });
    }
    let at = bench.clone();
    engine.register_fn("play", move |c: C, runbook: S| play(&at, &c, &runbook, Map::new()));
    let at = bench.clone();
    engine.register_fn("play", move |c: C, runbook: S, params: Map| play(&at, &c, &runbook, params));
}

/// Nothing is given or played where the tests are only listed, or when the test is over.
fn inside(bench: &Bench, name: &str, position: Position) -> RhaiResult<()> {
    if bench.is_over() {
        return Err(bench.end(position));
    }
    if bench.kept().inside {
        return Ok(());
    }
    let hint = "put it into a test, or into a function that tests call".to_owned();
    Err(bench.mistake(position, name.len(), format!("`{name}` stands outside of a test"), Some(hint)))
}

fn given(
    bench: &Bench,
    context: &NativeCallContext,
    text: &ImmutableString,
    (args, outcome): (Option<&Dynamic>, Option<&Dynamic>),
    must: bool,
) -> RhaiResult<()> {
    let (position, name) = (context.call_position(), if must { "given" } else { "usually" });
    inside(bench, name, position)?;
    let read = outcome::pattern(bench, text, args).and_then(|(call, case)| {
        let (outcomes, in_turn) = outcome::outcomes(&call, case, outcome)?;
        Ok(Given { call, outcomes, in_turn, must, site: bench.site(position) })
    });
    let given = read.map_err(|(why, hint)| bench.mistake(position, name.len(), why, hint))?;
    let mut kept = bench.kept();
    kept.given.push(given);
    kept.usage.push(Usage::default());
    Ok(())
}

fn play(bench: &Arc<Bench>, context: &NativeCallContext, runbook: &ImmutableString, params: Map) -> RhaiResult<Ran> {
    let position = context.call_position();
    inside(bench, "play", position)?;
    let mistake = |why: String, hint: Option<String>| bench.mistake(position, "play".len(), why, hint);
    if bench.kept().played.len() >= PLAYS {
        return Err(mistake(
            format!("a test plays more than {PLAYS} times"),
            Some("does a loop have no end?".to_owned()),
        ));
    }
    let params = convert::to_value(&params.into()).map_err(|why| mistake(why, None))?;
    let Value::Map(params) = params else { return Err(mistake("parameters are a map".to_owned(), None)) };
    let given = bench.kept().given.clone();
    let Some(stage) = bench.stage.clone() else { return Err(bench.end(position)) };
    match stage.play(&bench.source.name, runbook, &Params::from_iter(params), &given) {
        Ok((played, usage)) => Ok(keep(bench, played, &usage)),
        Err(PlayError::Given(wrong)) => {
            let site = given.get(wrong.given).map_or_else(|| bench.site(position), |given| given.site.clone());
            Err(end(bench, position, Failure::mistake(bench.diagnostic((site, 5), (wrong.why, wrong.hint)))))
        }
        Err(PlayError::Wrong { why, hint }) => Err(mistake(why, hint)),
        Err(PlayError::Stuck { why, site, hint, story }) => {
            let place = site.map(|site: Site| format!("{}:{}: ", site.file, site.line)).unwrap_or_default();
            let here = (bench.site(position), "play".len());
            let stuck = Failure::mistake(bench.diagnostic(here, (format!("{place}{why}"), hint)));
            Err(end(bench, position, Failure { story, ..stuck }))
        }
    }
}

fn end(bench: &Bench, position: Position, failure: Failure) -> Box<rhai::EvalAltResult> {
    bench.kept().failures.push(failure);
    bench.end(position)
}

fn keep(bench: &Arc<Bench>, played: Played, usage: &[Usage]) -> Ran {
    let played = Arc::new(played);
    let mut kept = bench.kept();
    for (all, now) in kept.usage.iter_mut().zip(usage) {
        // Each time a list begins anew.
        all.calls = all.calls.max(now.calls);
        all.outdone |= now.outdone;
    }
    kept.played.push(played.clone());
    drop(kept);
    Ran { played, bench: bench.clone() }
}
