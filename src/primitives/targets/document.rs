//! A configuration document: `driver = "env-file"`, `"json"` or `"toml"`.

use std::marker::PhantomData;
use std::path::{Path, PathBuf};

use schemars::JsonSchema;
use serde::Deserialize;

use crate::config::{ConfigError, Environment, Target, TargetKind};
use crate::model::Span;
use crate::primitives::FromTarget;
use crate::primitives::documents::{Format, SecretKeys};
use crate::primitives::hook::Hook;
use crate::primitives::targets::Argv;

/// A configuration document.
#[derive(Clone, Debug)]
pub struct Document {
    /// The target's name.
    pub name: String,
    /// The file.
    pub path: PathBuf,
    /// How it is written.
    pub format: Format,
    /// Which of its keys hold secrets.
    pub secrets: SecretKeys,
    /// What checks a new text before it replaces the old one.
    pub validate: Option<Hook>,
    /// What is run after a change.
    pub reload: Option<Hook>,
    /// The documents that it can be compared with.
    pub peers: Vec<Peer>,
}

/// A document that another one can be compared with.
#[derive(Clone, Debug)]
pub struct Peer {
    /// Its environment, if it is another one.
    pub environment: Option<String>,
    /// The document; it has no peers itself.
    pub document: Document,
}

/// Settings of documents.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Settings {
    /// The file.
    path: PathBuf,
    /// Keys that hold secrets, beside those that look like it (`*_KEY`, `*TOKEN*`, `*PASSWORD*`, `*SECRET*` and the like, in any
    /// spelling). Their values are never shown, returned or recorded. `*` stands for any characters.
    #[serde(default)]
    secret_keys: Vec<String>,
    /// Keys that look like secrets and are none, such as `["token_ttl"]`.
    #[serde(default)]
    plain_keys: Vec<String>,
    /// A program that checks a new text before it replaces the old one: `["nginx", "-t", "-c", "{file}"]`. `{file}` stands for a
    /// scratch file with that text; without it the file comes last. If it fails, nothing is changed.
    validate: Option<Vec<String>>,
    /// A program that is run after every change, such as `["systemctl", "reload", "app"]`. No shell reads it.
    reload: Option<Vec<String>>,
    /// How long `validate` and `reload` may take, each.
    #[serde(default = "a_minute")]
    time_limit: Span,
}

fn a_minute() -> Span {
    Span::from_secs(60)
}

/// Which of the drivers of documents is meant.
pub trait DocumentSyntax: Send + Sync + 'static {
    /// The driver.
    const DRIVER: &'static str;
    /// How its documents are written.
    const FORMAT: Format;
}

/// `driver = "env-file"`.
#[derive(Clone, Copy, Debug)]
pub struct EnvFileSyntax;
/// `driver = "json"`.
#[derive(Clone, Copy, Debug)]
pub struct JsonSyntax;
/// `driver = "toml"`.
#[derive(Clone, Copy, Debug)]
pub struct TomlSyntax;

impl DocumentSyntax for EnvFileSyntax {
    const DRIVER: &'static str = "env-file";
    const FORMAT: Format = Format::EnvFile;
}
impl DocumentSyntax for JsonSyntax {
    const DRIVER: &'static str = "json";
    const FORMAT: Format = Format::Json;
}
impl DocumentSyntax for TomlSyntax {
    const DRIVER: &'static str = "toml";
    const FORMAT: Format = Format::Toml;
}

/// A document that is served by the driver of its syntax.
#[derive(Clone, Debug)]
pub struct ConfigDocument<S> {
    /// The document.
    pub document: Document,
    syntax: PhantomData<fn() -> S>,
}

impl<S: DocumentSyntax> FromTarget for ConfigDocument<S> {
    const DRIVER: &'static str = S::DRIVER;
    const KIND: TargetKind = TargetKind::Document;
    type Settings = Settings;

    fn from_target(settings: Settings, target: &Target, environment: &Environment) -> Result<Self, ConfigError> {
        if let Some((setting, why, help)) = mistake(&settings) {
            return Err(target.error(setting, format!("`{setting}` of document `{}` {why}", target.name)).help(help));
        }
        let here = environment.targets.values().filter(|other| other.kind == TargetKind::Document);
        let here = here.filter(|other| other.name != target.name).map(|other| (None, other));
        let elsewhere = environment.documents_elsewhere.iter();
        let elsewhere = elsewhere.flat_map(|(name, all)| all.values().map(move |other| (Some(name.clone()), other)));
        let peers = here.chain(elsewhere).filter_map(|(name, other)| {
            // What is wrong with another document is its own mistake.
            let document = document(other.settings().ok()?, other, format_of(&other.driver)?, environment);
            Some(Peer { environment: name, document })
        });
        let peers = peers.collect();
        let document = Document { peers, ..document(settings, target, S::FORMAT, environment) };
        Ok(Self { document, syntax: PhantomData })
    }
}

fn format_of(driver: &str) -> Option<Format> {
    let all = [
        (EnvFileSyntax::DRIVER, EnvFileSyntax::FORMAT),
        (JsonSyntax::DRIVER, JsonSyntax::FORMAT),
        (TomlSyntax::DRIVER, TomlSyntax::FORMAT),
    ];
    all.into_iter().find(|(name, _)| *name == driver).map(|(_, format)| format)
}

fn document(settings: Settings, target: &Target, format: Format, environment: &Environment) -> Document {
    let root = environment.resolve(Path::new(""));
    let hook = |words: Option<Vec<String>>| words.map(|words| Hook::of(words, &root, Some(settings.time_limit)));
    Document {
        name: target.name.clone(),
        path: environment.resolve(&settings.path),
        format,
        secrets: SecretKeys { more: settings.secret_keys, plain: settings.plain_keys, ..SecretKeys::default() },
        validate: hook(settings.validate),
        reload: hook(settings.reload),
        peers: Vec::new(),
    }
}

/// The setting that is wrong, why, and what to do.
fn mistake(settings: &Settings) -> Option<(&'static str, String, &'static str)> {
    let wrong =
        |words: &Option<Vec<String>>, places: &[&str]| words.as_ref().and_then(|words| Argv::mistake(words, places));
    if let Some(why) = wrong(&settings.validate, &["file"]) {
        return Some(("validate", why, "write it as `validate = [\"program\", \"{file}\"]`"));
    }
    if let Some(why) = wrong(&settings.reload, &[]) {
        return Some(("reload", why, "write it as `reload = [\"program\", \"argument\"]`"));
    }
    if settings.time_limit == Span::default() {
        return Some(("time_limit", "is 0: a program needs time".to_owned(), "write it as `time_limit = \"1m\"`"));
    }
    if settings.path.file_name().is_none() {
        return Some(("path", "names no file".to_owned(), "write it as `path = \"config/app.toml\"`"));
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Config;

    fn read(tables: &str) -> Result<ConfigDocument<TomlSyntax>, ConfigError> {
        let config = Config::parse(Path::new("/project/lifeboat.toml"), tables.into()).expect("it is TOML");
        let environment = &config.environments["test"];
        let target = &environment.targets["app"];
        ConfigDocument::from_target(target.settings()?, target, environment)
    }

    #[test]
    fn its_peers_are_the_documents_here_and_of_the_same_project_elsewhere() {
        let text = r#"
            [environments.test.documents]
            app = { driver = "toml", path = "app.toml", reload = ["bin/reload"] }
            old = { driver = "json", path = "old.json" }
            odd = { driver = "json", file = "no such setting" }
            [environments.staging.documents]
            app = { driver = "env-file", path = "/etc/app.env" }
        "#;
        let app = read(text).expect("it is configured").document;
        let peers: Vec<_> = app.peers.iter().map(|p| (p.environment.as_deref(), p.document.path.to_str())).collect();
        assert_eq!(peers, [(None, Some("/project/old.json")), (Some("staging"), Some("/etc/app.env"))]);
        assert_eq!(app.reload.expect("it is set").shown(), "/project/bin/reload");
    }

    #[test]
    fn settings_that_make_no_sense_are_refused() {
        for (settings, why) in [
            ("path = \"a\", validate = []", "`validate` of document `app` names no program"),
            ("path = \"a\", reload = [\"\"]", "`reload` of document `app` names no program"),
            ("path = \"a\", time_limit = \"0s\"", "a program needs time"),
            ("path = \"..\"", "`path` of document `app` names no file"),
            ("path = \"a\", reload = \"x\"", "must be a list"),
        ] {
            let error = read(&format!("[environments.test.documents]\napp = {{ driver = \"toml\", {settings} }}"));
            let error = error.expect_err(settings).message;
            assert!(error.contains(why), "{settings}: {error}");
        }
    }
}
