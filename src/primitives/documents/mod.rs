//! Configuration documents: read, compared and edited, with all that is not edited left as it was. Shared by `configure`,
//! `configuration` and `drift`.

mod content;
mod env_file;
mod json;
mod json_scan;
mod path;
mod reveal;
mod seal;
mod secret_keys;
#[cfg(test)]
#[expect(clippy::disallowed_methods, reason = "tests set up and read the files that the drivers meet")]
pub(in crate::primitives) mod testing;
mod toml;
mod versions;

pub(in crate::primitives) use content::Content;
pub(in crate::primitives) use path::KeyPath;
pub(in crate::primitives) use reveal::{reveal, secrets};
pub(in crate::primitives) use seal::{Difference, Differs, Seal, Sealed};
pub(in crate::primitives) use secret_keys::SecretKeys;
pub(in crate::primitives) use versions::{Change, Versions};

use crate::model::Value;

/// A value with its place. Never a table: those are taken apart. A list without tables in it is one value.
pub(in crate::primitives) type Leaf = (KeyPath, Value);

/// A document in one syntax, which can be edited.
trait Syntax: Send {
    /// Its values, in their order.
    fn leaves(&self) -> Vec<Leaf>;
    /// Gives a key its value, and makes the tables on the way. The error does not name the key.
    fn set(&mut self, path: &KeyPath, value: &Value) -> Result<(), String>;
    /// Takes a key away with all below it. One that is not there is no error.
    fn unset(&mut self, path: &KeyPath) -> Result<(), String>;
    /// The whole text.
    fn text(&self) -> String;
}

/// How a document is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// `KEY=value` lines.
    EnvFile,
    /// A JSON object.
    Json,
    /// TOML.
    Toml,
}

impl Format {
    /// The key that a script names. An env file has no tables: its keys are names, whatever is in them.
    pub(in crate::primitives) fn key(self, text: &str) -> Result<KeyPath, String> {
        match self {
            Format::EnvFile => Ok(KeyPath::name(text)),
            Format::Json | Format::Toml => KeyPath::parse(text),
        }
    }

    fn parse(self, text: &str) -> Result<Box<dyn Syntax>, String> {
        Ok(match self {
            Format::EnvFile => Box::new(env_file::EnvFile::parse(text)?),
            Format::Json => Box::new(json::Json::parse(text)?),
            Format::Toml => Box::new(toml::Toml::parse(text)?),
        })
    }

    /// For people.
    pub(in crate::primitives) fn name(self) -> &'static str {
        match self {
            Format::EnvFile => "env file",
            Format::Json => "JSON document",
            Format::Toml => "TOML document",
        }
    }
}

/// The values that a script gave, each with its key. Maps are taken apart as tables are.
pub(in crate::primitives) fn flatten(
    format: Format,
    values: &std::collections::BTreeMap<String, Value>,
) -> Result<Vec<Leaf>, String> {
    fn add(format: Format, above: &KeyPath, key: &str, value: &Value, leaves: &mut Vec<Leaf>) -> Result<(), String> {
        let path = above.join(&format.key(key)?);
        match value {
            Value::Map(map) if format != Format::EnvFile => {
                map.iter().try_for_each(|(key, value)| add(format, &path, key, value, leaves))
            }
            value => {
                leaves.push((path, value.clone()));
                Ok(())
            }
        }
    }
    let mut leaves = Vec::new();
    values.iter().try_for_each(|(key, value)| add(format, &KeyPath::default(), key, value, &mut leaves))?;
    let mut paths: Vec<&KeyPath> = leaves.iter().map(|(path, _)| path).collect();
    paths.sort();
    let pairs = paths.iter().zip(paths.iter().skip(1));
    if let Some((one, other)) = pairs.into_iter().find(|(one, other)| one.holds(other)) {
        return Err(format!("`{one}` and `{other}` are both given, and contradict each other"));
    }
    Ok(leaves)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn flat(json: serde_json::Value) -> Result<String, String> {
        let Value::Map(map) = Value::from_json(json) else { panic!("no map") };
        let leaves = flatten(Format::Json, &map)?;
        Ok(leaves.iter().map(|(path, value)| format!("{path}={value}")).collect::<Vec<_>>().join(" "))
    }

    #[test]
    fn maps_are_another_way_to_write_dotted_keys() {
        let nested = flat(serde_json::json!({ "pool": { "size": 1, "tls.on": true }, "a.b": [1] }));
        assert_eq!(nested.expect("flat"), "a.b=[1] pool.size=1 pool.tls.on=true");
        let twice = flat(serde_json::json!({ "a": { "b": 1 }, "a.b": 2 })).expect_err("twice");
        assert_eq!(twice, "`a.b` and `a.b` are both given, and contradict each other");
        assert!(flat(serde_json::json!({ "a": 1, "a.b": 2 })).expect_err("both").contains("contradict"));
        assert!(flat(serde_json::json!({ "a..b": 1 })).expect_err("no key").contains("is no key"));
        let map = [("a.b".to_owned(), Value::Int(1))].into();
        assert_eq!(flatten(Format::EnvFile, &map).expect("flat")[0].0, KeyPath::name("a.b"));
    }
}
