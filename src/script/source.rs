//! Source files, and how places in them survive Rhai, whose positions name no file.
//!
//! Every file is compiled with as many newlines in front as all files before it have lines, so that a line number tells the file.

use std::fmt;
use std::ops::Range;
use std::sync::{Arc, RwLock};

use miette::{NamedSource, SourceSpan};
use rhai::{AST, ASTNode, Position, Stmt};

use crate::model::Site;
use crate::system::hex;

use super::{FrontMatter, Param, Params, engine, errors, forks, params};

/// The modules that ship with Lifeboat, by the path under which they are imported.
pub const STDLIB: &[(&str, &str)] = &[
    ("std/backups", include_str!("../../stdlib/backups.rhai")),
    ("std/deploy", include_str!("../../stdlib/deploy.rhai")),
    ("std/incident", include_str!("../../stdlib/incident.rhai")),
];

/// Where modules and child runbooks come from.
pub trait Library: Send + Sync {
    /// The text of the module `path` imported by the file `from`, with the name under which errors show it.
    fn module(&self, from: &str, path: &str) -> Result<(String, String), String>;

    /// The text of the runbook `path`, with the name under which errors show it.
    fn runbook(&self, path: &str) -> Result<(String, String), String>;

    /// The names of the invariants that the team adds to those of Lifeboat.
    fn invariants(&self) -> Vec<String> {
        Vec::new()
    }
}

/// One file of source.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SourceFile {
    /// Its name, as errors show it.
    pub name: Arc<str>,
    /// Its text.
    pub text: Arc<str>,
    /// SHA-256 of the text, as hexadecimal digits.
    pub digest: String,
    pub(super) base: usize,
}

impl SourceFile {
    /// The text as Rhai gets it, with `body` in place of the file's own text.
    pub(super) fn padded(&self, body: &str) -> String {
        let mut text = "\n".repeat(self.base);
        text.push_str(body);
        text
    }

    /// The byte range of `len` bytes at a place in this file, clipped to the text.
    pub fn span(&self, line: u32, column: u32, len: usize) -> Range<usize> {
        let start = self.text.split_inclusive('\n').take(line.saturating_sub(1) as usize).map(str::len).sum::<usize>();
        let rest = &self.text[start.min(self.text.len())..];
        let within = rest.char_indices().nth(column.saturating_sub(1) as usize).map_or(rest.len(), |(at, _)| at);
        let start = (start + within).min(self.text.len());
        let mut end = (start + len).min(self.text.len());
        while !self.text.is_char_boundary(end) {
            end -= 1;
        }
        start..end.max(start)
    }
}

/// All files of one evaluation.
#[derive(Debug, Default)]
pub struct SourceMap {
    files: RwLock<Vec<Arc<SourceFile>>>,
    /// Where the bodies of `try` begin and end, in Rhai's own line numbers.
    guards: RwLock<Vec<(Position, Position)>>,
}

impl SourceMap {
    /// Adds a file, or returns the one that has this name already.
    pub(super) fn add(&self, name: &str, text: &str) -> Result<Arc<SourceFile>, String> {
        let mut files = self.files.write().unwrap_or_else(std::sync::PoisonError::into_inner);
        if let Some(file) = files.iter().find(|f| f.name.as_ref() == name) {
            return Ok(file.clone());
        }
        let base = files.last().map_or(0, |last| last.base + last.text.lines().count() + 1);
        if base + text.lines().count() >= usize::from(u16::MAX) {
            return Err(format!("{name}: the runbook and its modules have more than {} lines", u16::MAX));
        }
        let file = Arc::new(SourceFile { name: name.into(), text: text.into(), digest: hex(text.as_bytes()), base });
        files.push(file.clone());
        Ok(file)
    }

    /// Remembers where the bodies of `try` in a syntax tree stand.
    pub(super) fn note_guards(&self, ast: &AST) {
        let mut guards = self.guards.write().unwrap_or_else(std::sync::PoisonError::into_inner);
        ast.walk(&mut |path: &[ASTNode]| {
            if let Some(ASTNode::Stmt(Stmt::TryCatch(flow, _))) = path.last() {
                guards.push((flow.body.span().start(), flow.body.span().end()));
            }
            true
        });
    }

    /// Whether a place stands inside the body of a `try`.
    pub(super) fn is_guarded(&self, position: Position) -> bool {
        let guards = self.guards.read().unwrap_or_else(std::sync::PoisonError::into_inner);
        let at = (position.line(), position.position());
        guards.iter().any(|(from, to)| {
            (from.line(), from.position()) <= at && (to.is_none() || at <= (to.line(), to.position()))
        })
    }

    /// All files, in the order in which they were loaded.
    pub fn files(&self) -> Vec<Arc<SourceFile>> {
        self.files.read().unwrap_or_else(std::sync::PoisonError::into_inner).clone()
    }

    /// The file called `name`.
    pub fn file(&self, name: &str) -> Option<Arc<SourceFile>> {
        self.files().into_iter().find(|f| f.name.as_ref() == name)
    }

    /// The place that a position of Rhai's means. Without a position: the first file, line 0.
    pub(super) fn site(&self, position: Position) -> Site {
        let files = self.files.read().unwrap_or_else(std::sync::PoisonError::into_inner);
        let line = position.line().unwrap_or(0);
        let file = files.iter().rev().find(|f| f.base < line.max(1)).or(files.first());
        let Some(file) = file else { return Site { file: "?".into(), line: 0, column: 0 } };
        Site {
            file: file.name.clone(),
            line: u32::try_from(line.saturating_sub(file.base)).unwrap_or(0),
            column: u32::try_from(position.position().unwrap_or(1)).unwrap_or(1),
        }
    }
}

/// A compiled runbook.
#[derive(Clone)]
pub struct Script {
    /// Its file.
    pub source: Arc<SourceFile>,
    /// What its first lines say.
    pub front_matter: FrontMatter,
    /// Its parameters.
    pub params: Vec<Param>,
    /// Where its files are.
    pub sources: Arc<SourceMap>,
    pub(super) ast: AST,
    /// What is evaluated of it: values that nobody knows fork it.
    pub(super) forking: AST,
}

impl fmt::Debug for Script {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Script").field("name", &self.source.name).field("params", &self.params).finish_non_exhaustive()
    }
}

impl Script {
    /// Compiles a runbook. `name` is how errors show it.
    pub fn compile(name: &str, text: &str) -> Result<Self, ScriptError> {
        Self::compile_among(Arc::new(SourceMap::default()), name, text)
    }

    /// Compiles a runbook as one more file of an evaluation.
    pub(super) fn compile_among(sources: Arc<SourceMap>, name: &str, text: &str) -> Result<Self, ScriptError> {
        let source = sources.add(name, text).map_err(|why| ScriptError::whole(name, text, why))?;
        let (body, params) = params::extract(&source)?;
        let engine = engine::for_parsing();
        let mut ast =
            engine.compile(source.padded(&body)).map_err(|error| errors::syntax(&sources, &source, &error))?;
        ast.set_source(name);
        sources.note_guards(&ast);
        let forking = forks::forking(&source, &ast);
        Ok(Self { front_matter: FrontMatter::parse(&source.text), source, params, sources, ast, forking })
    }

    /// Checks given values against its parameters: every required one is there, every given one is known and of its type. The
    /// error says what is wrong and what to do.
    pub fn validate(&self, given: &Params) -> Result<(), (String, Option<String>)> {
        params::validate(&self.params, given)
    }

    /// The name of its file.
    pub fn name(&self) -> &str {
        &self.source.name
    }
}

/// A runbook that cannot be compiled.
#[derive(Clone, Debug, thiserror::Error, miette::Diagnostic)]
#[error("{message}")]
#[diagnostic(code(lifeboat::syntax))]
pub struct ScriptError {
    /// What is wrong.
    pub message: String,
    /// Where.
    pub site: Site,
    /// The file.
    #[source_code]
    pub source_code: NamedSource<Arc<str>>,
    /// The place.
    #[label("{label}")]
    pub span: Option<SourceSpan>,
    /// What stands at the place.
    pub label: String,
    /// What to do.
    #[help]
    pub help: Option<String>,
}

impl ScriptError {
    /// An error at a place in `source`.
    pub(super) fn at(source: &SourceFile, line: u32, column: u32, message: impl Into<String>) -> Self {
        Self {
            message: message.into(),
            site: Site { file: source.name.clone(), line, column },
            source_code: NamedSource::new(&*source.name, source.text.clone()).with_language("Rust"),
            span: Some(source.span(line, column, 1).into()),
            label: "here".to_owned(),
            help: None,
        }
    }

    pub(super) fn whole(name: &str, text: &str, message: String) -> Self {
        Self {
            message,
            site: Site { file: name.into(), line: 0, column: 0 },
            source_code: NamedSource::new(name, text.into()),
            span: None,
            label: String::new(),
            help: None,
        }
    }

    #[must_use]
    pub(super) fn help(mut self, help: impl Into<String>) -> Self {
        self.help = Some(help.into());
        self
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_tells_the_file() {
        let map = SourceMap::default();
        map.add("a.rhai", "one\ntwo\n").expect("fits");
        let second = map.add("b.rhai", "three\nfour").expect("fits");
        assert_eq!(map.site(Position::new(2, 3)).to_string(), "a.rhai:2:3");
        let base = u16::try_from(second.base).expect("small");
        assert_eq!(map.site(Position::new(base + 1, 1)).to_string(), "b.rhai:1:1");
        assert_eq!(map.site(Position::new(base + 2, 4)).to_string(), "b.rhai:2:4");
    }

    #[test]
    fn too_many_lines_are_refused() {
        let map = SourceMap::default();
        assert!(map.add("a.rhai", &"\n".repeat(70_000)).is_err());
    }

    #[test]
    fn a_span_counts_characters_not_bytes() {
        let map = SourceMap::default();
        let file = map.add("a.rhai", "é = 1;\nü = x;").expect("fits");
        assert_eq!(&file.text[file.span(2, 5, 1)], "x");
        assert_eq!(file.span(9, 9, 3), file.text.len()..file.text.len());
    }
}
