//! An error that points into `lifeboat.toml`.

use std::ops::Range;
use std::path::Path;
use std::sync::Arc;

use miette::{Diagnostic, NamedSource, SourceSpan};

/// What is wrong with the configuration, where, and what to do.
#[derive(Clone, Debug, thiserror::Error, Diagnostic)]
#[error("{message}")]
#[diagnostic(code(lifeboat::config))]
pub struct ConfigError {
    /// What is wrong.
    pub message: String,
    /// The file.
    #[source_code]
    pub source_code: NamedSource<Arc<str>>,
    /// The place.
    #[label("here")]
    pub span: Option<SourceSpan>,
    /// What to do.
    #[help]
    pub help: Option<String>,
}

impl ConfigError {
    /// An error at a place in the file; `span` is in bytes.
    pub fn at(path: &Path, text: &Arc<str>, span: Range<usize>, message: impl Into<String>) -> Self {
        Self {
            message: message.into(),
            source_code: NamedSource::new(path.to_string_lossy(), text.clone()).with_language("TOML"),
            span: Some(span.into()),
            help: None,
        }
    }

    /// Says what to do.
    #[must_use]
    pub fn help(mut self, help: impl Into<String>) -> Self {
        self.help = Some(help.into());
        self
    }
}
