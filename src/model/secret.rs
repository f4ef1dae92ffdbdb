//! Secrets as everything outside a driver holds them: by name.

use std::fmt;
use std::path::PathBuf;
use std::sync::Arc;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::Value;

/// Text in which secrets stand by name: `secret("TOKEN")` alone, or `` `Bearer ${secret("TOKEN")}` ``. Plain text is one without
/// any. Only a driver turns it into what it stands for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SecretText {
    /// No two texts stand side by side, and none is empty.
    parts: Arc<[Part]>,
}

/// A piece of a [`SecretText`].
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Part {
    /// Text as it is.
    Text(Arc<str>),
    /// What the secret of this name holds.
    Secret {
        /// The name.
        #[serde(rename = "$secret")]
        name: Arc<str>,
    },
}

impl SecretText {
    /// The secret called `name`, alone.
    pub fn named(name: &str) -> Self {
        Self { parts: [Part::Secret { name: name.into() }].into() }
    }

    /// Text without a secret.
    pub fn plain(text: &str) -> Self {
        Self::of([Part::Text(text.into())])
    }

    /// The pieces, joined.
    pub fn of(parts: impl IntoIterator<Item = Part>) -> Self {
        let mut joined: Vec<Part> = Vec::new();
        for part in parts {
            match (joined.last_mut(), part) {
                (_, Part::Text(text)) if text.is_empty() => {}
                (Some(Part::Text(before)), Part::Text(text)) => *before = format!("{before}{text}").into(),
                (_, part) => joined.push(part),
            }
        }
        Self { parts: joined.into() }
    }

    /// Text of the configuration, in which `{secret:NAME}` stands for a secret; `None` when it holds none.
    pub fn template(text: &str) -> Option<Self> {
        let (mut parts, mut rest, mut found) = (Vec::new(), text, false);
        while let Some((before, after)) = rest.split_once("{secret:") {
            let (name, behind) = after.split_once('}')?;
            parts.extend([Part::Text(before.into()), Part::Secret { name: name.into() }]);
            (rest, found) = (behind, true);
        }
        parts.push(Part::Text(rest.into()));
        found.then(|| Self::of(parts))
    }

    /// The pieces in their order.
    pub fn parts(&self) -> &[Part] {
        &self.parts
    }

    /// The names of the secrets in it.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.parts.iter().filter_map(|part| match part {
            Part::Secret { name } => Some(&**name),
            Part::Text(_) => None,
        })
    }

    /// The text, if no secret stands in it.
    pub fn as_plain(&self) -> Option<&str> {
        match &*self.parts {
            [] => Some(""),
            [Part::Text(text)] => Some(text),
            _ => None,
        }
    }
}

impl Default for SecretText {
    fn default() -> Self {
        Self::of([])
    }
}

impl From<&str> for SecretText {
    fn from(text: &str) -> Self {
        Self::plain(text)
    }
}

impl fmt::Display for SecretText {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.parts.iter().try_for_each(|part| match part {
            Part::Text(text) => f.write_str(text),
            Part::Secret { name } => write!(f, "secret({name})"),
        })
    }
}

/// Plain text is a JSON string; one secret is `{"$secret": "NAME"}`; a mixture is `{"$secret": ["Bearer ", {"$secret": "NAME"}]}`.
impl Serialize for SecretText {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        #[derive(Serialize)]
        struct Mixture<'a> {
            #[serde(rename = "$secret")]
            parts: &'a [Part],
        }
        match &*self.parts {
            [single @ Part::Secret { .. }] => single.serialize(serializer),
            parts => match self.as_plain() {
                Some(text) => serializer.serialize_str(text),
                None => Mixture { parts }.serialize(serializer),
            },
        }
    }
}

impl<'de> Deserialize<'de> for SecretText {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        match Value::deserialize(deserializer)? {
            Value::String(text) => Ok(Self::plain(&text)),
            Value::Secret(secret) => Ok(secret),
            other => {
                Err(serde::de::Error::custom(format!("invalid type: {}, expected text or a secret", other.kind())))
            }
        }
    }
}

impl JsonSchema for SecretText {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "SecretText".into()
    }
    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "type": "string", "format": "secret" })
    }
    fn inline_schema() -> bool {
        true
    }
}

/// Where the value of a secret comes from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SecretSource {
    /// A variable of our own environment.
    Env(String),
    /// A file that only its owner may read. Its last line break is left out.
    File(PathBuf),
    /// What a program writes to its standard output; the last line break is left out. It must only look.
    Command(Vec<String>),
    /// A file that is encrypted with age.
    Age {
        /// The encrypted file, binary or armored.
        file: PathBuf,
        /// The file with the identities (`AGE-SECRET-KEY-…`) that open it; only its owner may read it.
        identity: PathBuf,
        /// The line `ENTRY=value` that is meant; the whole content if not given.
        entry: Option<String>,
    },
}

/// How a secret is given another value, beside where its value comes from.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SecretStore {
    /// A program that stores the value it reads from its standard input.
    pub store: Option<Vec<String>>,
    /// A program that reads the new value from its standard input and says with its exit code whether that works.
    pub check: Option<Vec<String>>,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(name: &str) -> Part {
        Part::Text(name.into())
    }

    #[test]
    fn templates_of_the_configuration_name_secrets() {
        let bearer = SecretText::template("Bearer {secret:TOKEN}!").expect("a secret");
        assert_eq!(bearer.parts(), [text("Bearer "), Part::Secret { name: "TOKEN".into() }, text("!")]);
        assert_eq!(bearer.to_string(), "Bearer secret(TOKEN)!");
        assert_eq!(SecretText::template("{secret:A}"), Some(SecretText::named("A")));
        assert_eq!((SecretText::template("no {secrets}"), SecretText::template("{secret:open")), (None, None));
    }

    #[test]
    fn they_survive_json_and_never_hold_more_than_names() {
        for secret in [SecretText::named("A"), SecretText::template("x{secret:A}y{secret:B}").expect("two")] {
            let json = serde_json::to_value(&secret).expect("it can be written");
            assert_eq!(serde_json::from_value::<SecretText>(json.clone()).expect("it can be read"), secret);
            assert_eq!(Value::from_json(json), Value::Secret(secret));
        }
        assert_eq!(serde_json::to_value(SecretText::plain("x")).expect("text"), "x");
        assert!(serde_json::from_value::<SecretText>(3.into()).is_err());
    }

    #[test]
    fn neighbouring_texts_are_one() {
        let joined = SecretText::of([text("a"), text(""), text("b")]);
        assert_eq!(joined.as_plain(), Some("ab"));
        assert_eq!(joined, SecretText::plain("ab"));
        assert_eq!(SecretText::of([]).as_plain(), Some(""));
    }
}
