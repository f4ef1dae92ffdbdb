//! One finding of the check.

use std::sync::Arc;

use miette::{LabeledSpan, NamedSource, SourceSpan};

use crate::model::Site;
use crate::script::source::SourceFile;

/// The code of findings that are of no kind with a name: those of test files.
pub(in crate::script) const UNNAMED: &str = "";

/// How bad a finding is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Severity {
    /// The runbook can run; a reader should look at it.
    Warning,
    /// The runbook cannot be trusted: it is neither planned nor run.
    Error,
}

/// One finding of the check.
#[derive(Clone, Debug, thiserror::Error)]
#[error("{message}")]
pub struct Diagnostic {
    /// How bad it is.
    pub severity: Severity,
    /// A stable name of the kind of finding, such as `unknown-option`; empty for those of test files.
    pub code: &'static str,
    /// What is wrong, in lower case.
    pub message: String,
    /// Where.
    pub site: Site,
    /// What to do.
    pub help: Option<String>,
    text: NamedSource<Arc<str>>,
    span: SourceSpan,
}

impl Diagnostic {
    /// An error at `len` bytes from a place in `source`.
    pub(in crate::script) fn error(
        code: &'static str,
        source: &SourceFile,
        site: Site,
        len: usize,
        message: String,
    ) -> Self {
        let span = source.span(site.line, site.column, len.max(1)).into();
        let text = NamedSource::new(&*source.name, source.text.clone()).with_language("Rust");
        Self { severity: Severity::Error, code, message, site, help: None, text, span }
    }

    /// The same as a warning.
    #[must_use]
    pub(super) fn warning(mut self) -> Self {
        self.severity = Severity::Warning;
        self
    }

    /// Says what to do.
    #[must_use]
    pub(in crate::script) fn help(mut self, help: impl Into<String>) -> Self {
        self.help = Some(help.into());
        self
    }

    /// Says what to do, if that is known.
    #[must_use]
    pub(in crate::script) fn maybe_help(mut self, help: Option<String>) -> Self {
        self.help = help;
        self
    }
}

impl miette::Diagnostic for Diagnostic {
    fn code<'a>(&'a self) -> Option<Box<dyn std::fmt::Display + 'a>> {
        (self.code != UNNAMED)
            .then(|| Box::new(format!("lifeboat::check::{}", self.code)) as Box<dyn std::fmt::Display + 'a>)
    }

    fn severity(&self) -> Option<miette::Severity> {
        Some(match self.severity {
            Severity::Warning => miette::Severity::Warning,
            Severity::Error => miette::Severity::Error,
        })
    }

    fn help<'a>(&'a self) -> Option<Box<dyn std::fmt::Display + 'a>> {
        self.help.as_ref().map(|help| Box::new(help) as Box<dyn std::fmt::Display>)
    }

    fn source_code(&self) -> Option<&dyn miette::SourceCode> {
        Some(&self.text)
    }

    fn labels(&self) -> Option<Box<dyn Iterator<Item = LabeledSpan> + '_>> {
        Some(Box::new(std::iter::once(LabeledSpan::new_with_span(Some("here".to_owned()), self.span))))
    }
}
