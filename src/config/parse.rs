//! Reads a whole `lifeboat.toml`. All its mistakes are reported, not only the first.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::Path;
use std::sync::Arc;

use sha2::{Digest as _, Sha256};
use toml::de::DeTable;

use crate::model::{SecretSource, instead};

use super::reader::Reader;
use super::{Config, ConfigError, Environment, Target, TargetKind, parse_driver, parse_environment, parse_state};

/// The keys at the top of the file.
const KEYS: [&str; 4] = ["default", "environments", "drivers", "state"];

impl Config {
    /// Reads the text of the file at `path`, which should be absolute: paths in it start at its directory.
    ///
    /// The errors are all the mistakes that the file has, in the order in which they stand in it. A drill environment that shares
    /// a target with a protected one is one of them; settings are read by their drivers, later.
    pub fn parse(path: &Path, text: Arc<str>) -> Result<Self, Vec<ConfigError>> {
        let mut reader = Reader::new(path, text);
        let text = reader.text.clone();
        let (document, syntax) = DeTable::parse_recoverable(&text);
        for error in &syntax {
            reader.wrong(error.span().unwrap_or(0..0), error.message(), syntax_help(error.message()));
        }
        // After a mistake in the syntax nobody knows what belongs where, and more complaints would only distract.
        if reader.mistakes.is_empty() {
            let mut config = read(&mut reader, document.get_ref());
            parse_driver::resolve(&mut reader, &mut config);
            let shared = config.check_drills();
            reader.mistakes.extend(shared);
            if reader.mistakes.is_empty() {
                return Ok(config);
            }
        }
        let mut mistakes = reader.mistakes;
        mistakes.sort_by_key(|mistake| mistake.span.map(|span| span.offset()));
        mistakes.dedup_by(|a, b| a.span == b.span && a.message == b.message);
        Err(mistakes)
    }
}

fn read(reader: &mut Reader<'_>, document: &DeTable<'_>) -> Config {
    reader.keys(document, &KEYS, "lifeboat.toml");
    let root = reader.path.parent().unwrap_or(Path::new("")).to_path_buf();
    let tables = document.get("environments");
    let tables = tables.and_then(|tables| reader.table("`environments`", tables, "[environments.NAME]"));
    let drivers = parse_driver::drivers(reader, &root, document);
    let mut environments = BTreeMap::<String, Environment>::new();
    for (name, table) in tables.into_iter().flatten() {
        reader.name(name.get_ref(), name.span(), "an environment");
        let environment = parse_environment::read(reader, &root, name.get_ref(), table);
        environments.insert(name.get_ref().to_string(), environment);
    }
    introduce(&mut environments);
    let place = |name: &str| tables.and_then(|tables| tables.get(name)).map_or(0..0, toml::Spanned::span);
    for (drill, protected, secret, path) in shared_secrets(&environments) {
        let message =
            format!("secret {secret} of the drill environment {drill} is the same file as one of {protected}: {path}");
        let help = format!("a drill may change it, and {protected} is protected: give {drill} a file of its own");
        reader.wrong(place(&drill), message, help);
    }
    let default_environment = document.get("default").and_then(|value| {
        let name = reader.text("`default`", value, "default = \"…\"")?;
        if !environments.contains_key(&name) {
            let known: Vec<_> = environments.keys().map(String::as_str).collect();
            let help = instead(&name, &known, "environments");
            reader.wrong(value.span(), format!("there is no environment `{name}`"), help);
        }
        Some(name)
    });
    let (path, digest) = (reader.path.to_path_buf(), sha256(&reader.text));
    let state = parse_state::read(reader, &root, document);
    Config { path, root, default_environment, environments, drivers, state, digest }
}

/// Tells every environment of the documents of the others.
fn introduce(environments: &mut BTreeMap<String, Environment>) {
    let documents = |environment: &Environment| -> BTreeMap<String, Target> {
        let documents = environment.targets.values().filter(|target| target.kind == TargetKind::Document);
        documents.map(|target| (target.name.clone(), target.clone())).collect()
    };
    let all: BTreeMap<String, _> = environments.values().map(|e| (e.name.clone(), documents(e))).collect();
    for environment in environments.values_mut() {
        environment.documents_elsewhere.clone_from(&all);
        environment.documents_elsewhere.remove(&environment.name);
    }
}

/// Secrets of a drill environment that lie in a file of a protected one: both environments, the secret, and the file.
fn shared_secrets(environments: &BTreeMap<String, Environment>) -> Vec<(String, String, String, String)> {
    let mut shared = Vec::new();
    for drill in environments.values().filter(|e| e.drill) {
        for protected in environments.values().filter(|e| e.protected) {
            let file = |source: &SecretSource| match source {
                SecretSource::File(path) => Some(path.clone()),
                _ => None,
            };
            let theirs: Vec<_> = protected.secrets.values().filter_map(file).collect();
            let same = drill.secrets.iter().filter_map(|(name, source)| Some((name, file(source)?)));
            let same = same.filter(|(_, path)| theirs.contains(path));
            let names = (&drill.name, &protected.name);
            shared.extend(
                same.map(|(name, path)| (names.0.clone(), names.1.clone(), name.clone(), path.display().to_string())),
            );
        }
    }
    shared
}

/// What to do about a mistake in the syntax, where the parser's words do not say it.
fn syntax_help(message: &str) -> &'static str {
    match message {
        m if m.starts_with("duplicate key") => "keep one of them",
        m if m.starts_with("string values must be quoted") => "write text in quotes: `name = \"web\"`",
        m if m.starts_with("unclosed") || m.starts_with("invalid basic string") => "close it",
        _ => "write it as TOML: tables as `[a.b]`, values as `key = \"text\"`, `key = true`, `key = [\"a\", \"b\"]`",
    }
}

/// This floor may not use the digest of `system`, which stands beside it.
fn sha256(text: &str) -> String {
    Sha256::digest(text).iter().fold(String::with_capacity(64), |mut hex, byte| {
        let _ = write!(hex, "{byte:02x}");
        hex
    })
}
