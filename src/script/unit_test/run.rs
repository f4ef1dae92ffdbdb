//! Evaluates a test file: to list its tests, or to run one of them.

use std::sync::Arc;

use rhai::{Dynamic, Engine, EvalAltResult, EvalContext, Expression, ImmutableString, LexError, Position};

use crate::model::{Given, Usage, Value, did_you_mean};
use crate::script::host::RhaiResult;
use crate::script::{convert, engine, errors};

use super::bench::Bench;
use super::{Failure, Stage, TestEnd, TestFile, TestName, expect, ran, words};

/// A file with more tests than this was not written by anybody.
const TESTS: usize = 1000;

/// Teaches an engine the words of test files; `bench` is needed to evaluate them, not to parse them.
pub(super) fn teach_syntax(engine: &mut Engine, bench: Option<&Arc<Bench>>) {
    let bench = bench.cloned();
    expect::register(engine, bench.clone());
    engine.register_custom_syntax_with_state_raw("test", parse, false, move |context, inputs, _| match &bench {
        Some(bench) => evaluate(bench, context, inputs),
        None => Ok(Dynamic::UNIT),
    });
}

/// What comes after the symbols read so far.
fn parse(
    symbols: &[ImmutableString],
    next: &str,
    _: &mut Dynamic,
) -> Result<Option<ImmutableString>, rhai::ParseError> {
    const SHAPE: &str = "a test has a title and a block: `test \"title\" { … }`";
    match symbols.len() {
        1 if next == "{" => Err(LexError::ImproperSymbol(next.to_owned(), SHAPE.to_owned()).into_err(Position::NONE)),
        1 => Ok(Some("$expr$".into())),
        2 if next != "{" => Err(LexError::ImproperSymbol(next.to_owned(), SHAPE.to_owned()).into_err(Position::NONE)),
        2 => Ok(Some("$block$".into())),
        _ => Ok(None),
    }
}

/// `test "…" { … }`: every one is met, one is run.
fn evaluate(bench: &Arc<Bench>, context: &mut EvalContext, inputs: &[Expression]) -> RhaiResult {
    let position = inputs[0].position();
    if bench.is_over() {
        return Err(bench.end(position));
    }
    let title = context.eval_expression_tree(&inputs[0])?;
    let Ok(title) = title.into_immutable_string() else {
        return Err(bench.mistake(position, 1, "the title of a test is a text", None));
    };
    let len = title.len() + 2;
    let met = bench.kept().tests.len();
    let wrong = |why: &str, hint: &str| Err(bench.mistake(position, len, why, Some(hint.to_owned())));
    if bench.kept().inside {
        return wrong("a test stands inside another test", "what several tests do, a function of the file can do");
    }
    if title.trim().is_empty() || title.contains('\n') {
        return wrong("the title of a test is one line", "say in it what holds: `test \"nothing is left changed\"`");
    }
    if bench.kept().tests.iter().any(|test| test.title == title.as_str()) {
        let why = format!("two tests are called `{title}`");
        return wrong(
            &why,
            "tests in a loop have what tells them apart in their titles: test `when ${row.name}` { … }",
        );
    }
    if met >= TESTS {
        let why = format!("there are more than {TESTS} tests in one file");
        return wrong(&why, "does a loop have no end?");
    }
    bench.kept().tests.push(TestName { title: title.to_string(), site: bench.site(position) });
    if bench.wanted != Some(met) {
        return Ok(Dynamic::UNIT);
    }
    bench.kept().inside = true;
    let result = context.eval_expression_tree(&inputs[1]);
    match result {
        Err(error) if !error.is_pseudo_error() => Err(error),
        // What comes behind it are other tests.
        _ => Err(bench.end(position)),
    }
}

fn evaluated(file: &TestFile, bench: &Arc<Bench>) {
    let mut engine = engine::with_packages();
    teach_syntax(&mut engine, Some(bench));
    words::register(&mut engine, bench);
    ran::register(&mut engine);
    let watched = bench.clone();
    engine.on_progress(move |_| watched.progress());
    if let Err(error) = engine.eval_ast::<Dynamic>(&file.ast) {
        unless_over(bench, &error);
    }
}

/// What ended a script that nobody ended.
fn unless_over(bench: &Arc<Bench>, error: &EvalAltResult) {
    if bench.is_over() || bench.stage.as_ref().is_some_and(|stage| stage.is_cancelled()) {
        return;
    }
    let (inner, position) = errors::innermost(error);
    let thrown = match inner {
        EvalAltResult::ErrorRuntime(thrown, _) => Some(thrown),
        _ => None,
    };
    let (why, hint) = match (inner, thrown) {
        _ if bench.is_endless() => ("the test goes on for ever".to_owned(), None),
        (_, Some(thrown)) => (format!("thrown: {}", said(thrown)), None),
        (EvalAltResult::ErrorPropertyNotFound(name, _), _) => missing(name, ran::MAP_FIELDS),
        // Of a type of ours, Rhai says it in words only.
        (EvalAltResult::ErrorDotExpr(text, _), _) if text.contains('\'') => {
            missing(text.split('\'').nth(1).unwrap_or_default(), ran::FIELDS)
        }
        (other, _) => errors::explain(other),
    };
    let diagnostic = bench.diagnostic((bench.site(position), 1), (why, hint));
    let mut kept = bench.kept();
    let (played, found) = (kept.played.last().cloned(), std::mem::take(&mut kept.notes));
    let failure = Failure { mistake: thrown.is_none(), played, found, ..Failure::mistake(diagnostic) };
    kept.failures.push(failure);
}

/// A field that is not there. Of a map, only those that Lifeboat makes are known here.
fn missing(name: &str, known: &[&'static str]) -> (String, Option<String>) {
    let all = || (known == ran::FIELDS).then(|| format!("what was played has: {}", known.join(", ")));
    let meant = did_you_mean(name, known.iter().chain(ran::METHODS).copied()).or_else(all);
    (format!("there is no field `{name}` here"), meant)
}

/// A value as people read it.
pub(super) fn said(value: &Dynamic) -> String {
    match convert::to_value(value) {
        Ok(Value::String(text)) => format!("{text:?}"),
        Ok(value) => value.to_string(),
        Err(_) => value.type_name().to_owned(),
    }
}

/// The tests of a file.
pub(super) fn list(file: &TestFile) -> Result<Vec<TestName>, Vec<Failure>> {
    let bench = Bench::new((&file.source, &file.sources), &file.registry, None);
    evaluated(file, &bench);
    let mut kept = bench.kept();
    if kept.failures.is_empty() { Ok(std::mem::take(&mut kept.tests)) } else { Err(std::mem::take(&mut kept.failures)) }
}

/// Runs one test.
pub(super) fn run(file: &TestFile, test: usize, stage: Arc<dyn Stage>) -> TestEnd {
    let bench = Bench::new((&file.source, &file.sources), &file.registry, Some((test, stage)));
    evaluated(file, &bench);
    let mut failures = std::mem::take(&mut bench.kept().failures);
    let mistaken = failures.iter().any(|failure| failure.mistake);
    if !mistaken {
        failures.extend(unmet(&bench));
    }
    let expectations = bench.kept().expectations;
    if failures.is_empty() && expectations == 0 {
        let site = bench.kept().tests.get(test).map(|test| test.site.clone());
        let site = site.unwrap_or_else(|| bench.site(Position::NONE));
        let why = "the test expects nothing, so it cannot fail".to_owned();
        let hint = Some("say what is to hold: `expect(ran.ended == \"well\");`".to_owned());
        failures.push(Failure::mistake(bench.diagnostic((site, 1), (why, hint))));
    }
    TestEnd { failures, expectations }
}

/// What was given and met by no call.
fn unmet(bench: &Bench) -> Vec<Failure> {
    let kept = bench.kept();
    let wrong = |(given, usage): (&Given, &Usage)| {
        let (why, hint) = unmet_because(&kept, given, *usage)?;
        let hint = format!("{hint}; what not every test meets, is said with `usually`");
        let diagnostic = bench.diagnostic((given.site.clone(), "given".len()), (why, Some(hint)));
        let mut failure = Failure::mistake(diagnostic);
        failure.played = kept.played.last().cloned();
        Some(failure)
    };
    kept.given.iter().zip(&kept.usage).filter_map(wrong).collect()
}

fn unmet_because(kept: &super::bench::Kept, given: &Given, usage: Usage) -> Option<(String, String)> {
    let (call, wanted) = (&given.call, given.outcomes.len());
    if !given.must || usage.outdone || usage.calls > 0 && (!given.in_turn || usage.calls >= wanted) {
        return None;
    }
    if usage.calls > 0 {
        let why = format!("{wanted} calls of `{call}` are given, and only {} are made", usage.calls);
        return Some((why, "give as many as there are: behind them a call goes the likely way".to_owned()));
    }
    let why = format!("no call meets `{call}`");
    if kept.played.is_empty() {
        return Some((why, "no runbook is played behind it".to_owned()));
    }
    let calls = || kept.played.iter().flat_map(|played| &played.calls);
    let same = || calls().filter(|made| made.primitive == call.primitive);
    if let Some(made) = same().find(|made| call.meets_target(made.primitive, made.target.as_deref())) {
        return Some((why, format!("it is called with other arguments: {} in line {}", made.args, made.site.line)));
    }
    let mut targets: Vec<&str> = same().filter_map(|made| made.target.as_deref()).collect();
    targets.sort_unstable();
    targets.dedup();
    let near = call.target.as_deref().and_then(|target| did_you_mean(target, targets.iter().copied()));
    let hint = match (near, targets.as_slice()) {
        (Some(near), _) => near,
        (None, []) => {
            let mut names: Vec<&str> = calls().map(|made| made.primitive).collect();
            names.sort_unstable();
            names.dedup();
            format!("`{}` is not called; what is: {}", call.primitive, names.join(", "))
        }
        (None, targets) => format!("`{}` is called on: {}", call.primitive, targets.join(", ")),
    };
    Some((why, hint))
}
