//! Values that travel between scripts, drivers and the journal: JSON's, and two that JSON does not have.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use schemars::{JsonSchema, Schema, SchemaGenerator};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::SecretText;
use super::secret::Part;

/// What a script passes to a primitive and gets back.
///
/// As JSON, [`Value::Unknown`] is `{"$unknown": text}` and [`Value::Secret`] is `{"$secret": name}` (see [`SecretText`]).
#[derive(Clone, Debug, Default, PartialEq)]
pub enum Value {
    /// Nothing; Rhai's `()`.
    #[default]
    Null,
    /// A truth value.
    Bool(bool),
    /// A whole number.
    Int(i64),
    /// A number with a fraction.
    Float(f64),
    /// Text.
    String(Arc<str>),
    /// An ordered list.
    List(Vec<Value>),
    /// Named values, ordered by name.
    Map(BTreeMap<String, Value>),
    /// What a plan cannot know before the run.
    Unknown(Unknown),
    /// A secret by its name, or text around one; the value itself never leaves the driver that uses it.
    Secret(SecretText),
}

/// Text that stands for something a plan cannot know, such as `‹latest_backup:primary.id›`, or text made with it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Unknown(Arc<str>);

impl Unknown {
    /// The unknown value called `label`; it prints as `‹label›`.
    pub fn labelled(label: &str) -> Self {
        Self(format!("‹{label}›").into())
    }

    /// Text that contains the marks of unknown values, such as `Restored from ‹backup:primary.id›`.
    pub fn text(text: impl Into<Arc<str>>) -> Self {
        Self(text.into())
    }

    /// The unknown field `name` of this value.
    #[must_use]
    pub fn field(&self, name: &str) -> Self {
        match self.0.strip_suffix('›') {
            Some(head) if self.is_single() => Self(format!("{head}.{name}›").into()),
            _ => Self(format!("‹{self}.{name}›").into()),
        }
    }

    /// How it prints.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether it is no more than a label: nothing is known of it.
    pub fn is_single(&self) -> bool {
        self.0.starts_with('‹') && self.0.ends_with('›') && self.0.matches('‹').count() == 1
    }
}

impl fmt::Display for Unknown {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl Value {
    /// The field `name` of a map.
    pub fn get(&self, name: &str) -> Option<&Value> {
        match self {
            Value::Map(map) => map.get(name),
            _ => None,
        }
    }

    /// The text of a string.
    pub fn as_str(&self) -> Option<&str> {
        match self {
            Value::String(text) => Some(text),
            _ => None,
        }
    }

    /// The truth value of a bool.
    pub fn as_bool(&self) -> Option<bool> {
        match self {
            Value::Bool(b) => Some(*b),
            _ => None,
        }
    }

    /// The kind of value, in the words of a script's author.
    pub fn kind(&self) -> &'static str {
        match self {
            Value::Null => "()",
            Value::Bool(_) => "bool",
            Value::Int(_) => "int",
            Value::Float(_) => "float",
            Value::String(_) => "string",
            Value::List(_) => "array",
            Value::Map(_) => "map",
            Value::Unknown(_) => "unknown",
            Value::Secret(_) => "secret",
        }
    }

    /// The first unknown inside, if there is one.
    pub fn find_unknown(&self) -> Option<&Unknown> {
        match self {
            Value::Unknown(unknown) => Some(unknown),
            Value::List(list) => list.iter().find_map(Value::find_unknown),
            Value::Map(map) => map.values().find_map(Value::find_unknown),
            _ => None,
        }
    }

    /// From JSON. Numbers outside the range of `i64` become floats.
    pub fn from_json(json: serde_json::Value) -> Self {
        use serde_json::Value as Json;
        match json {
            Json::Null => Value::Null,
            Json::Bool(b) => Value::Bool(b),
            Json::Number(n) => n.as_i64().map_or_else(|| Value::Float(n.as_f64().unwrap_or(f64::NAN)), Value::Int),
            Json::String(s) => Value::String(s.into()),
            Json::Array(list) => Value::List(list.into_iter().map(Value::from_json).collect()),
            Json::Object(mut map) => {
                if map.len() == 1 {
                    if let Some(Json::String(text)) = map.remove("$unknown") {
                        return Value::Unknown(Unknown::text(text));
                    }
                    match map.remove("$secret") {
                        Some(Json::String(name)) => return Value::Secret(SecretText::named(&name)),
                        // Whatever else stands there is a map of somebody else.
                        Some(parts) => match serde_json::from_value::<Vec<Part>>(parts.clone()) {
                            Ok(parts) => return Value::Secret(SecretText::of(parts)),
                            Err(_) => drop(map.insert("$secret".to_owned(), parts)),
                        },
                        None => {}
                    }
                }
                Value::Map(map.into_iter().map(|(k, v)| (k, Value::from_json(v))).collect())
            }
        }
    }

    /// To JSON. Floats that JSON cannot write (NaN, infinities) become null.
    pub fn to_json(&self) -> serde_json::Value {
        use serde_json::Value as Json;
        match self {
            Value::Null => Json::Null,
            Value::Bool(b) => Json::Bool(*b),
            Value::Int(i) => Json::from(*i),
            Value::Float(f) => Json::from(*f),
            Value::String(s) => Json::from(s.as_ref()),
            Value::List(list) => Json::Array(list.iter().map(Value::to_json).collect()),
            Value::Map(map) => Json::Object(map.iter().map(|(k, v)| (k.clone(), v.to_json())).collect()),
            Value::Unknown(unknown) => serde_json::json!({ "$unknown": unknown.as_str() }),
            Value::Secret(secret) => serde_json::to_value(secret).unwrap_or(Json::Null),
        }
    }

    /// Reads a typed value out of this one. The error names the field in which it lies.
    pub fn decode<T: DeserializeOwned>(&self) -> Result<T, String> {
        serde_path_to_error::deserialize(self.to_json()).map_err(|error| {
            let path = error.path().to_string();
            let inner = error.into_inner().to_string();
            if path == "." { inner } else { format!("`{path}`: {inner}") }
        })
    }

    /// From a typed value.
    pub fn encode<T: Serialize>(typed: &T) -> Self {
        serde_json::to_value(typed).map_or(Value::Null, Value::from_json)
    }
}

impl fmt::Display for Value {
    /// Short form for people: text without quotes at the top, compact inside.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Value::String(text) => f.write_str(text),
            other => other.write_nested(f),
        }
    }
}

impl Value {
    /// As a script would write it: texts in quotes.
    pub fn quoted(&self) -> String {
        match self {
            Value::String(text) => format!("{text:?}"),
            other => other.to_string(),
        }
    }

    fn write_nested(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Value::Null => f.write_str("()"),
            Value::Bool(b) => write!(f, "{b}"),
            Value::Int(i) => write!(f, "{i}"),
            Value::Float(x) => write!(f, "{x}"),
            Value::String(text) => write!(f, "{text:?}"),
            Value::Unknown(unknown) => write!(f, "{unknown}"),
            Value::Secret(secret) => write!(f, "{secret}"),
            Value::List(list) => {
                f.write_str("[")?;
                for (i, item) in list.iter().enumerate() {
                    if i > 0 {
                        f.write_str(", ")?;
                    }
                    item.write_nested(f)?;
                }
                f.write_str("]")
            }
            Value::Map(map) => {
                f.write_str("{")?;
                for (i, (name, item)) in map.iter().enumerate() {
                    f.write_str(if i > 0 { ", " } else { " " })?;
                    write!(f, "{name}: ")?;
                    item.write_nested(f)?;
                }
                f.write_str(if map.is_empty() { "}" } else { " }" })
            }
        }
    }
}

impl Serialize for Value {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.to_json().serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for Value {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        serde_json::Value::deserialize(deserializer).map(Value::from_json)
    }
}

impl JsonSchema for Value {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Value".into()
    }
    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        Schema::from(true)
    }
    fn inline_schema() -> bool {
        true
    }
}

impl From<&str> for Value {
    fn from(text: &str) -> Self {
        Value::String(text.into())
    }
}
impl From<String> for Value {
    fn from(text: String) -> Self {
        Value::String(text.into())
    }
}
impl From<bool> for Value {
    fn from(b: bool) -> Self {
        Value::Bool(b)
    }
}
impl From<i64> for Value {
    fn from(i: i64) -> Self {
        Value::Int(i)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn unknowns_and_secrets_survive_json() {
        let value = Value::Map(BTreeMap::from([
            ("id".to_owned(), Value::Unknown(Unknown::labelled("backup:primary.id"))),
            ("token".to_owned(), Value::Secret(SecretText::named("TOKEN"))),
            ("list".to_owned(), Value::List(vec![Value::Int(1), Value::Float(1.5), Value::Null])),
        ]));
        assert_eq!(Value::from_json(value.to_json()), value);
    }

    #[test]
    fn fields_of_an_unknown_keep_its_label() {
        let backup = Unknown::labelled("latest_backup:primary");
        assert_eq!(backup.field("id").as_str(), "‹latest_backup:primary.id›");
        assert_eq!(Unknown::text("a ‹b› c").field("d").as_str(), "‹a ‹b› c.d›");
    }

    #[test]
    fn a_decoding_error_names_the_field() {
        #[derive(Deserialize, Debug)]
        #[serde(deny_unknown_fields)]
        struct Inner {
            #[serde(rename = "port")]
            _port: u16,
        }
        let value = Value::Map(BTreeMap::from([("port".to_owned(), Value::from("x"))]));
        let error = value.decode::<Inner>().expect_err("a text is not a port");
        assert!(error.starts_with("`port`: invalid type"), "{error}");
    }

    #[test]
    fn prints_short_for_people() {
        let value = Value::Map(BTreeMap::from([("a".to_owned(), Value::from("x")), ("b".to_owned(), Value::Null)]));
        assert_eq!(value.to_string(), r#"{ a: "x", b: () }"#);
        assert_eq!(Value::from("x").to_string(), "x");
    }
}
