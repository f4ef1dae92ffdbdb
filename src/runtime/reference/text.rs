//! Pieces of Markdown that several pages have in common.

use serde_json::Value as Json;

use crate::primitives::{ArgSpec, FieldSpec, Signature};

/// What no page may be edited without knowing.
pub(super) const GENERATED: &str = "<!-- Made from the code: UPDATE_REFERENCE=1 cargo test --test reference -->\n\n";

/// `text` as a sentence: a capital at its beginning, a full stop at its end.
pub(super) fn sentence(text: &str) -> String {
    let mut chars = text.trim().chars();
    let mut sentence: String =
        chars.next().map(|first| first.to_uppercase().chain(chars).collect()).unwrap_or_default();
    if !sentence.ends_with(['.', '!', '?']) {
        sentence.push('.');
    }
    sentence
}

/// A call as a script writes it.
pub(super) fn example(signature: &Signature) -> String {
    let end = if signature.example.trim_end().ends_with([';', '}']) { "" } else { ";" };
    format!("```rhai\n{}{end}\n```\n", signature.example.trim_end())
}

/// A table of arguments or settings; `none` when there are none.
pub(super) fn args<'a>(args: impl IntoIterator<Item = &'a ArgSpec>, none: &str) -> String {
    let mut args = args.into_iter().peekable();
    if args.peek().is_none() {
        return format!("{none}\n");
    }
    let mut table = "| name | type | if not given | meaning |\n|---|---|---|---|\n".to_owned();
    for arg in args {
        let absent = match (&arg.default, arg.required) {
            (_, true) => "required".to_owned(),
            (Some(default), false) => default_text(default),
            (None, false) => "–".to_owned(),
        };
        table.push_str(&row(&[code(&arg.name), code(&arg.kind.to_string()), absent, cell(&arg.doc)]));
    }
    table
}

/// A table of the fields of an output.
pub(super) fn fields(fields: &[FieldSpec]) -> String {
    let mut table = "| field | type | meaning |\n|---|---|---|\n".to_owned();
    for field in fields {
        table.push_str(&row(&[code(&field.name), code(&field.kind.to_string()), cell(&field.doc)]));
    }
    table
}

pub(super) fn row(cells: &[String]) -> String {
    format!("| {} |\n", cells.join(" | "))
}

fn default_text(default: &Json) -> String {
    match default {
        Json::Object(map) if map.is_empty() => "–".to_owned(),
        other => code(&other.to_string()),
    }
}

/// Text in the font of code. A bar would end the cell of a table, even there.
pub(super) fn code(text: &str) -> String {
    format!("`{}`", cell(text))
}

fn cell(text: &str) -> String {
    text.replace('|', "\\|").replace('\n', " ")
}
