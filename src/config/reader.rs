//! Takes typed values out of a TOML document, and keeps every mistake it meets.

use std::ops::Range;
use std::path::Path;
use std::sync::Arc;

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use crate::model::instead;

use super::ConfigError;
use super::name::is_name;

/// A value of the document with its place.
pub(super) type Node<'i> = Spanned<DeValue<'i>>;

/// A document under inspection. What is wrong is noted, and reading goes on.
pub(super) struct Reader<'a> {
    /// The file.
    pub(super) path: &'a Path,
    /// Its text.
    pub(super) text: Arc<str>,
    /// What is wrong so far.
    pub(super) mistakes: Vec<ConfigError>,
}

impl<'a> Reader<'a> {
    pub(super) fn new(path: &'a Path, text: Arc<str>) -> Self {
        Self { path, text, mistakes: Vec::new() }
    }

    /// Notes a mistake.
    pub(super) fn wrong(&mut self, span: Range<usize>, message: impl Into<String>, help: impl Into<String>) {
        self.mistakes.push(ConfigError::at(self.path, &self.text, span, message).help(help));
    }

    /// The line, from 1, on which `span` begins.
    pub(super) fn line(&self, span: &Range<usize>) -> usize {
        self.text[..span.start].matches('\n').count() + 1
    }

    /// Notes a name that may not be one. `what` says whose name it is: `a target`.
    pub(super) fn name(&mut self, name: &str, span: Range<usize>, what: &str) {
        if !is_name(name) {
            let help = "begin it with a letter from a to z, and go on with a to z, 0 to 9, `_` and `-`";
            self.wrong(span, format!("`{name}` cannot be the name of {what}"), help);
        }
    }

    /// Notes every key of `table` that is none of `known`. `place` says where it stands: `a process`.
    pub(super) fn keys(&mut self, table: &DeTable<'_>, known: &[&str], place: &str) {
        for key in table.keys().filter(|key| !known.contains(&key.get_ref().as_ref())) {
            let help = instead(key.get_ref(), known, "keys");
            self.wrong(key.span(), format!("unknown key `{}` in {place}", key.get_ref()), help);
        }
    }

    fn mistyped<T>(&mut self, what: &str, value: &Node<'_>, wanted: &str, help: impl Into<String>) -> Option<T> {
        let found = match value.get_ref() {
            DeValue::String(_) => "text",
            DeValue::Integer(_) | DeValue::Float(_) => "a number",
            DeValue::Boolean(_) => "true or false",
            DeValue::Datetime(_) => "a date",
            DeValue::Array(_) => "a list",
            DeValue::Table(_) => "a table",
        };
        self.wrong(value.span(), format!("{what} must be {wanted}, not {found}"), help);
        None
    }

    /// A table; `header` is how it is begun: `[environments.NAME]`.
    pub(super) fn table<'t, 'i>(&mut self, what: &str, value: &'t Node<'i>, header: &str) -> Option<&'t DeTable<'i>> {
        let table = value.get_ref().as_table();
        table.or_else(|| self.mistyped(what, value, "a table", format!("begin it with `{header}`")))
    }

    /// A list; `example` is how it is written.
    pub(super) fn list<'t, 'i>(&mut self, what: &str, value: &'t Node<'i>, example: &str) -> Option<&'t [Node<'i>]> {
        let list = value.get_ref().as_array().map(|list| &**list);
        list.or_else(|| self.mistyped(what, value, "a list", format!("write it as `{example}`")))
    }

    /// A text that is not empty; `example` is how it is written.
    pub(super) fn text(&mut self, what: &str, value: &Node<'_>, example: &str) -> Option<String> {
        let help = || format!("write it as `{example}`");
        match value.get_ref().as_str() {
            Some("") => {
                self.wrong(value.span(), format!("{what} must not be empty"), help());
                None
            }
            Some(text) => Some(text.to_owned()),
            None => self.mistyped(what, value, "text", help()),
        }
    }

    /// `true` or `false`, the value of `key`; `false` where it is not given.
    pub(super) fn truth(&mut self, table: &DeTable<'_>, key: &str) -> bool {
        let Some(value) = table.get(key) else { return false };
        let help = || format!("write `{key} = true`, or leave it out");
        let truth = value.get_ref().as_bool();
        truth.or_else(|| self.mistyped(&format!("`{key}`"), value, "true or false", help())).unwrap_or_default()
    }
}
