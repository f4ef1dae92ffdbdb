//! Rhai's errors in our words: faults at run time, diagnostics at compile time.

use rhai::{EvalAltResult, LexError, ParseError, ParseErrorType, Position};

use crate::model::{Applied, Fault, Value, did_you_mean};

use super::host::Host;
use super::source::{ScriptError, SourceFile, SourceMap};
use super::{convert, unknown};

/// The fault that an error of a script stands for.
pub(super) fn fault(host: &Host, error: &EvalAltResult) -> Fault {
    let (inner, position) = innermost(error);
    let site = (!position.is_none()).then(|| host.site(position).to_string());
    if let EvalAltResult::ErrorRuntime(thrown, _) = inner {
        let mut fault = thrown_fault(thrown);
        fault.site = fault.site.or(site);
        return fault;
    }
    let (message, hint) = match inner {
        EvalAltResult::ErrorPropertyNotFound(name, _) => missing_field(host, name),
        other => explain(other),
    };
    Fault { code: "script".into(), message, applied: Applied::No, target: None, hint, site }
}

/// Only the name is known here, not the value: the fields that primitives return are what it is compared with.
fn missing_field(host: &Host, name: &str) -> (String, Option<String>) {
    let fields = host.registry.signatures().flat_map(|signature| signature.fields.iter().map(|f| f.name.as_str()));
    let meant = did_you_mean(name, fields.chain(["code", "message", "applied", "target", "hint", "site"]));
    let hint = meant.unwrap_or_else(|| format!("ask whether it is there: `\"{name}\" in value`"));
    (format!("there is no field `{name}` here"), Some(hint))
}

/// What a script threw: one of our faults, or a value of its own.
fn thrown_fault(thrown: &rhai::Dynamic) -> Fault {
    let value = convert::to_value(thrown).unwrap_or_else(Value::from);
    if let Ok(fault) = value.decode::<Fault>() {
        return fault;
    }
    let message = value.get("message").and_then(Value::as_str).map_or_else(|| value.to_string(), str::to_owned);
    Fault::new("thrown", message)
}

/// The best place that is known for an error.
pub(super) fn position(error: &EvalAltResult) -> Position {
    innermost(error).1
}

/// The error that happened first: where, and in words.
pub(super) fn innermost_text(error: &EvalAltResult) -> (Position, String) {
    let (inner, position) = innermost(error);
    (position, explain(inner).0)
}

/// The error that happened first, and the best place that is known for it.
pub(super) fn innermost(error: &EvalAltResult) -> (&EvalAltResult, Position) {
    let mut position = error.position();
    let mut current = error;
    loop {
        let (EvalAltResult::ErrorInFunctionCall(_, _, inner, _) | EvalAltResult::ErrorInModule(_, inner, _)) = current
        else {
            return (current, position);
        };
        if !inner.position().is_none() {
            position = inner.position();
        }
        current = inner;
    }
}

pub(super) fn explain(error: &EvalAltResult) -> (String, Option<String>) {
    let hint = |text: &str| Some(text.to_owned());
    match error {
        EvalAltResult::ErrorMismatchDataType(wanted, got, _) if got.contains(unknown::TYPE_NAME) => (
            format!("a {wanted} is needed here, and the plan does not know this value yet"),
            hint("compare it first: `if value == …`"),
        ),
        EvalAltResult::ErrorMismatchDataType(wanted, got, _) => (format!("expected a {wanted}, got a {got}"), None),
        EvalAltResult::ErrorFunctionNotFound(signature, _) => (
            format!("there is no function {signature}"),
            hint("the types of the arguments count: `\"5\" + 1` and `len(5)` have none"),
        ),
        EvalAltResult::ErrorVariableNotFound(name, _) => (
            format!("there is no variable `{name}` here"),
            Some(format!("functions do not see the script's variables: pass `{name}` as an argument")),
        ),
        EvalAltResult::ErrorTooManyOperations(_) => ("the script runs for ever".into(), None),
        EvalAltResult::ErrorStackOverflow(_) => {
            ("functions call each other too deep".into(), hint("does one of them call itself for ever?"))
        }
        EvalAltResult::ErrorDataTooLarge(what, _) => (format!("a value grew too large: {what}"), None),
        other => {
            let text = other.to_string();
            let text = text.rsplit_once(" (line ").map_or(text.as_str(), |(head, _)| head);
            (lower_first(text), None)
        }
    }
}

fn lower_first(text: &str) -> String {
    let mut chars = text.chars();
    chars.next().map_or_else(String::new, |first| first.to_lowercase().chain(chars).collect())
}

/// The diagnostic of a runbook that cannot be compiled.
pub(super) fn syntax(sources: &SourceMap, source: &SourceFile, error: &ParseError) -> ScriptError {
    let ParseError(kind, position) = error;
    let site = sources.site(*position);
    let (mut line, mut column) = if position.is_none() { end_of(source) } else { (site.line, site.column) };
    if matches!(**kind, ParseErrorType::MissingToken(ref token, _) if token == ";") {
        // Rhai points at what comes next; what is missing is missing at the end of what came before.
        (line, column) = end_of_previous(source, line, column);
    }
    let (message, help) = explain_syntax(kind, source);
    let mut diagnostic = ScriptError::at(source, line, column, message);
    diagnostic.help = help;
    let word = source.text[source.span(line, column, 0).start..]
        .chars()
        .take_while(|c| c.is_alphanumeric() || *c == '_')
        .map(char::len_utf8)
        .sum::<usize>();
    diagnostic.span = Some(source.span(line, column, word.max(1)).into());
    diagnostic
}

fn end_of(source: &SourceFile) -> (u32, u32) {
    let lines = u32::try_from(source.text.lines().count()).unwrap_or(1).max(1);
    let last = source.text.lines().last().map_or(0, |line| line.chars().count());
    (lines, u32::try_from(last).unwrap_or(0).max(1))
}

fn end_of_previous(source: &SourceFile, line: u32, column: u32) -> (u32, u32) {
    let before = source.text[..source.span(line, column, 0).start].trim_end();
    let number = |n: usize| u32::try_from(n).unwrap_or(1);
    let last = before.rsplit('\n').next().unwrap_or_default();
    (number(before.matches('\n').count() + 1), number(last.chars().count() + 1))
}

/// Whether `test "…" { … }` stands in it.
fn has_test(source: &SourceFile) -> bool {
    source.text.lines().any(|line| line.trim_start().starts_with("test \"") || line.trim_start().starts_with("test `"))
}

fn explain_syntax(kind: &ParseErrorType, source: &SourceFile) -> (String, Option<String>) {
    let hint = |text: &str| Some(text.to_owned());
    match kind {
        ParseErrorType::VariableUndefined(name) if name == "test" && has_test(source) => (
            "a runbook has no tests".to_owned(),
            hint("put them into a file NAME_test.rhai: `lifeboat test` runs them"),
        ),
        ParseErrorType::VariableUndefined(name) => {
            let global =
                source.text.contains(&format!("const {name}")) || source.text.contains(&format!("param {name}"));
            let hint = if global {
                format!("inside a function, constants and parameters are read as `global::{name}`")
            } else {
                format!("declare it before: `let {name} = …;`, or quote it if it is text: \"{name}\"")
            };
            (format!("there is no variable `{name}` here"), Some(hint))
        }
        ParseErrorType::Reserved(word) | ParseErrorType::BadInput(LexError::ImproperSymbol(word, _))
            if matches!(word.as_str(), "print" | "debug") =>
        {
            (format!("there is no `{word}`"), hint("write to the run's log: `log(\"…\")`"))
        }
        ParseErrorType::Reserved(word) => {
            (format!("`{word}` is a reserved word"), hint("choose another name: it cannot be one of a variable"))
        }
        ParseErrorType::BadInput(LexError::ImproperSymbol(_, why)) if !why.is_empty() => (lower_first(why), None),
        ParseErrorType::MissingToken(token, what) if token == ";" => {
            (format!("expected `;` {what}"), hint("statements end with `;`"))
        }
        ParseErrorType::MissingToken(token, what) if matches!(token.as_str(), "}" | ")" | "]") => {
            (format!("expected `{token}` {what}"), Some(format!("is a `{token}` missing?")))
        }
        ParseErrorType::MissingToken(token, what) => (format!("expected `{token}` {what}"), None),
        ParseErrorType::UnexpectedEOF => ("the runbook ends too early".into(), hint("is a `}` or a `)` missing?")),
        ParseErrorType::ExprTooDeep => ("steps and expressions are nested too deep".into(), None),
        other => (lower_first(&other.to_string()), None),
    }
}
