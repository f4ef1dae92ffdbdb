//! A driver that is a program of its own: `[drivers.NAME]`.

use std::collections::BTreeMap;
use std::path::PathBuf;

use crate::model::Span;

use super::{ConfigError, Origin};

/// A program that speaks the driver protocol, as the configuration declares it.
#[derive(Clone, Debug, PartialEq)]
pub struct DriverSpec {
    /// The name that targets use.
    pub name: String,
    /// The program and its first arguments. A path starts at the project's directory.
    pub program: Vec<String>,
    /// SHA-256 of the program's file, as hexadecimal digits in lower case: it is started only if it is that file.
    pub sha256: Option<String>,
    /// The variables of our own environment that it finds in its.
    pub pass: Vec<String>,
    /// What is added to its environment.
    pub env: BTreeMap<String, String>,
    /// How long a description, a look or a preview may take.
    pub look_time_limit: Span,
    /// How long a change may take.
    pub time_limit: Span,
    /// Whether looks and previews get the secrets in the settings of their targets, too.
    pub secrets_for_looks: bool,
    /// The project's directory.
    pub root: PathBuf,
    /// Where it stands.
    pub origin: Origin,
}

impl DriverSpec {
    /// How long a description, a look or a preview may take if nothing is said.
    pub const LOOK_TIME_LIMIT: Span = Span::from_secs(30);
    /// How long a change may take if nothing is said.
    pub const TIME_LIMIT: Span = Span::from_secs(300);

    /// A driver that nothing declares: this program, with nothing passed on.
    pub fn of_program(name: &str, program: Vec<String>, root: PathBuf) -> Self {
        let (keys, values) = (BTreeMap::new(), BTreeMap::new());
        Self {
            name: name.to_owned(),
            program,
            sha256: None,
            pass: Vec::new(),
            env: BTreeMap::new(),
            look_time_limit: Self::LOOK_TIME_LIMIT,
            time_limit: Self::TIME_LIMIT,
            secrets_for_looks: false,
            root,
            origin: Origin { path: PathBuf::new(), text: "".into(), span: 0..0, keys, values },
        }
    }

    /// An error that points at the value of `key` (at the whole table where there is none).
    pub fn error(&self, key: &str, message: impl Into<String>) -> ConfigError {
        let span = self.origin.values.get(key).unwrap_or(&self.origin.span).clone();
        ConfigError::at(&self.origin.path, &self.origin.text, span, message)
    }
}
