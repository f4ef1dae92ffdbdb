//! Reads `[environments.NAME.secrets]`, and the places where settings name a secret.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use toml::de::DeTable;

use crate::model::{SecretSource, SecretStore, SecretText, instead};

use super::Target;
use super::reader::{Node, Reader};

/// How each kind of source is written.
const EXAMPLES: [(&str, &str); 4] = [
    ("env", "{ env = \"VARIABLE\" }"),
    ("file", "{ file = \"secrets/token\" }"),
    ("command", "{ command = [\"pass\", \"show\", \"token\"] }"),
    ("age", "{ age = \"secrets.age\", identity = \"key.txt\" }"),
];
/// The keys beside the one that names the kind.
fn more_keys(kind: &str) -> &'static [&'static str] {
    match kind {
        "age" => &["identity", "entry"],
        "file" => &["check"],
        "command" => &["store", "check"],
        _ => &[],
    }
}

/// The secrets of `environment`, by name.
pub(super) fn read(
    reader: &mut Reader<'_>,
    root: &Path,
    environment: &str,
    table: &DeTable<'_>,
) -> BTreeMap<String, SecretSource> {
    let header = format!("[environments.{environment}.secrets]");
    let secrets = table.get("secrets").and_then(|value| reader.table("`secrets`", value, &header));
    let mut found = BTreeMap::new();
    for (name, value) in secrets.into_iter().flatten() {
        let (span, name) = (name.span(), name.get_ref().to_string());
        if !is_name(&name) {
            let help = "begin it with a letter, and go on with letters, digits, `_` and `-`";
            reader.wrong(span, format!("`{name}` cannot be the name of a secret"), help);
        }
        if let Some(source) = source(reader, root, &name, value) {
            found.insert(name, source);
        }
    }
    found
}

/// Whether `text` may be the name of a secret. Capital letters may stand in it: many bear the name of a variable.
fn is_name(text: &str) -> bool {
    text.starts_with(|c: char| c.is_ascii_alphabetic())
        && text.chars().all(|c| c.is_ascii_alphanumeric() || c == '_' || c == '-')
}

/// Where the value of a secret comes from.
pub(super) fn source(reader: &mut Reader<'_>, root: &Path, name: &str, value: &Node<'_>) -> Option<SecretSource> {
    let forms = EXAMPLES.map(|(_, example)| example).join(", ");
    let Some(table) = value.get_ref().as_table() else {
        let message = format!("secret `{name}` must say where its value comes from, and never be the value itself");
        reader.wrong(value.span(), message, format!("write one of {forms}"));
        return None;
    };
    let given: Vec<&str> = EXAMPLES.iter().map(|(key, _)| *key).filter(|key| table.contains_key(*key)).collect();
    let [kind] = given[..] else {
        let message = match given.len() {
            0 => format!("secret `{name}` does not say where its value comes from"),
            _ => format!("secret `{name}` has {} sources: {}", given.len(), given.join(", ")),
        };
        reader.wrong(value.span(), message, format!("write one of {forms}"));
        return None;
    };
    let known: Vec<&str> = [kind].into_iter().chain(more_keys(kind).iter().copied()).collect();
    reader.keys(table, &known, &format!("secret {name}"));
    let example = EXAMPLES.iter().find(|(key, _)| *key == kind).map_or("", |(_, example)| example);
    let mut path = |key: &str| -> Option<PathBuf> {
        let Some(value) = table.get(key) else {
            reader.wrong(value.span(), format!("secret `{name}` has no `{key}`"), format!("write it as {example}"));
            return None;
        };
        reader.text(&format!("`{key}`"), value, example).map(|path| root.join(path))
    };
    match kind {
        "env" => reader.text("`env`", table.get("env")?, example).map(SecretSource::Env),
        "file" => path("file").map(SecretSource::File),
        "age" => {
            let (file, identity) = (path("age"), path("identity"));
            let entry = table.get("entry").and_then(|value| reader.text("`entry`", value, "entry = \"NAME\""));
            Some(SecretSource::Age { file: file?, identity: identity?, entry })
        }
        _ => command(reader, "command", table.get("command")?, example).map(SecretSource::Command),
    }
}

/// How the secrets of `environment` are changed, by name: those that say so.
pub(super) fn stores(reader: &mut Reader<'_>, table: &DeTable<'_>) -> BTreeMap<String, SecretStore> {
    let secrets = table.get("secrets").and_then(|value| value.get_ref().as_table());
    let mut found = BTreeMap::new();
    for (name, value) in secrets.into_iter().flatten() {
        let Some(table) = value.get_ref().as_table() else { continue };
        let mut program = |key: &str, example: &str| command(reader, key, table.get(key)?, example);
        let store = program("store", "store = [\"pass\", \"insert\", \"-m\", \"-f\", \"token\"]");
        let check = program("check", "check = [\"./token-works\"]");
        if store.is_some() || check.is_some() {
            found.insert(name.get_ref().to_string(), SecretStore { store, check });
        }
    }
    found
}

fn command(reader: &mut Reader<'_>, key: &str, value: &Node<'_>, example: &str) -> Option<Vec<String>> {
    let parts = reader.list(&format!("`{key}`"), value, example)?;
    let words: Vec<String> =
        parts.iter().filter_map(|part| reader.text(&format!("each part of `{key}`"), part, example)).collect();
    if parts.is_empty() {
        reader.wrong(value.span(), format!("`{key}` must name a program"), format!("write it as {example}"));
    }
    (!words.is_empty() && words.len() == parts.len()).then_some(words)
}

/// Notes every setting that names a secret which the environment does not have.
pub(super) fn references(
    reader: &mut Reader<'_>,
    environment: &str,
    targets: &BTreeMap<String, Target>,
    secrets: &BTreeMap<String, SecretSource>,
) {
    let known: Vec<&str> = secrets.keys().map(String::as_str).collect();
    for target in targets.values() {
        for (path, span) in &target.origin.values {
            let Some(text) = target.secret_at(path) else { continue };
            for name in text.names().filter(|name| !secrets.contains_key(*name)) {
                let message = format!("environment {environment} has no secret `{name}`");
                let help = if known.is_empty() {
                    format!("declare it: `[environments.{environment}.secrets]`, `{name} = {}`", EXAMPLES[0].1)
                } else {
                    instead(name, &known, "secrets")
                };
                reader.wrong(span.clone(), message, help);
            }
        }
    }
}

impl Target {
    /// The setting at `path`, if a secret stands in it.
    pub(super) fn secret_at(&self, path: &str) -> Option<SecretText> {
        let mut json = &self.settings;
        for step in path.split('.') {
            let (name, indices) = step.split_once('[').map_or((step, ""), |(name, rest)| (name, rest));
            json = json.get(name)?;
            for index in indices.split('[').filter(|index| !index.is_empty()) {
                json = json.get(index.strip_suffix(']')?.parse::<usize>().ok()?)?;
            }
        }
        json.get("$secret")?;
        serde_json::from_value(json.clone()).ok()
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;
    use crate::config::tests::{bad, good, places};

    #[test]
    fn secrets_come_from_four_kinds_of_places() {
        let config = good(
            "[environments.a.secrets]\nTOKEN = { env = \"API_TOKEN\" }\nurl = { file = \"s/url\" }\n\
             pass = { command = [\"pass\", \"show\", \"x\"] }\n\
             smtp = { age = \"s.age\", identity = \"/k.txt\", entry = \"SMTP\" }\n",
        );
        let secrets = &config.environments["a"].secrets;
        assert_eq!(secrets["TOKEN"], SecretSource::Env("API_TOKEN".into()));
        assert_eq!(secrets["url"], SecretSource::File(config.root.join("s/url")));
        assert_eq!(secrets["pass"], SecretSource::Command(["pass", "show", "x"].map(str::to_owned).into()));
        let age = SecretSource::Age {
            file: config.root.join("s.age"),
            identity: Path::new("/k.txt").into(),
            entry: Some("SMTP".into()),
        };
        assert_eq!(secrets["smtp"], age);
    }

    #[test]
    fn what_is_no_source_is_refused() {
        let wrong = |line: &str| places(&bad(&format!("[environments.a.secrets]\n{line}\n")));
        assert!(
            wrong("t = \"hunter2\"").starts_with("2:5 secret `t` must say where its value comes from, and never be")
        );
        assert!(wrong("t = { env = \"A\", file = \"b\" }").contains("secret `t` has 2 sources: env, file"));
        assert!(wrong("t = { age = \"x\" }").contains("secret `t` has no `identity`"));
        assert!(wrong("t = { env = \"A\", entry = \"b\" }").contains("unknown key `entry` in secret t"));
        assert!(wrong("t = { command = [] }").contains("`command` must name a program"));
        assert!(wrong("\"a b\" = { env = \"A\" }").contains("`a b` cannot be the name of a secret"));
    }

    #[test]
    fn settings_name_secrets_that_exist() {
        let web = "[environments.a.services.web]\ndriver = \"http\"\nheaders = { a = \"Bearer {secret:TOKEN}\" }\n";
        assert!(places(&bad(web)).starts_with("3:17 environment a has no secret `TOKEN` (declare it"));
        let with = |name: &str| format!("[environments.a.secrets]\n{name} = {{ env = \"T\" }}\n{web}");
        assert!(places(&bad(&with("TOKENS"))).contains("(did you mean `TOKENS`?)"));
        let config = good(&with("TOKEN"));
        let settings = &config.environments["a"].targets["web"].settings;
        let header: SecretText = serde_json::from_value(settings["headers"]["a"].clone()).expect("text with a secret");
        assert_eq!(header.to_string(), "Bearer secret(TOKEN)");
    }
}
