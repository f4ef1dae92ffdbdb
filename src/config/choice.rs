//! Which environment is meant.

use miette::Diagnostic;

use crate::model::instead;

use super::{Config, Environment};

/// An environment that does not exist, or none named where one must be.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error, Diagnostic)]
#[error("{message}")]
#[diagnostic(code(lifeboat::environment), help("{help}"))]
pub struct NoEnvironment {
    /// What is wrong.
    pub message: String,
    /// What to do.
    pub help: String,
}

impl Config {
    fn file_name(&self) -> std::borrow::Cow<'_, str> {
        self.path.file_name().unwrap_or_default().to_string_lossy()
    }

    /// The environment called `name`; without a name the default one, or else the only one.
    pub fn environment(&self, name: Option<&str>) -> Result<&Environment, NoEnvironment> {
        let known: Vec<_> = self.environments.keys().map(String::as_str).collect();
        let name = name.or(self.default_environment.as_deref());
        match (name, known.as_slice()) {
            (_, []) => Err(NoEnvironment {
                message: format!("{} has no environment", self.file_name()),
                help: "add one: `[environments.sandbox]`, and its targets below it".to_owned(),
            }),
            (Some(name), _) => self.environments.get(name).ok_or_else(|| NoEnvironment {
                message: format!("there is no environment `{name}` in {}", self.file_name()),
                help: instead(name, &known, "environments"),
            }),
            (None, [only]) => Ok(&self.environments[*only]),
            (None, several) => Err(NoEnvironment {
                message: format!("no environment is named, and {} has no default", self.file_name()),
                help: format!("name one of: {}; or begin the file with `default = \"NAME\"`", several.join(", ")),
            }),
        }
    }
}
