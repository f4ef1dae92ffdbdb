//! Arguments of calls, which a plan may not know yet.

use std::fmt;

use schemars::{JsonSchema, Schema, SchemaGenerator};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::value::{Unknown, Value};

/// An argument that a plan may not know yet. A driver's `preview` meets both; in a live run it is always `Known`.
#[derive(Clone, Debug, PartialEq)]
pub enum Arg<T> {
    /// The value.
    Known(T),
    /// Not before the run.
    Unknown(Unknown),
}

impl<T> Arg<T> {
    /// The value, if it is known.
    pub fn known(&self) -> Option<&T> {
        match self {
            Arg::Known(value) => Some(value),
            Arg::Unknown(_) => None,
        }
    }

    /// The value; the error is what stands for it.
    pub fn as_known(&self) -> Result<&T, &Unknown> {
        match self {
            Arg::Known(value) => Ok(value),
            Arg::Unknown(unknown) => Err(unknown),
        }
    }
}

impl<T: fmt::Display> fmt::Display for Arg<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Arg::Known(value) => value.fmt(f),
            Arg::Unknown(unknown) => unknown.fmt(f),
        }
    }
}

impl<T: Serialize> Serialize for Arg<T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Arg::Known(value) => value.serialize(serializer),
            Arg::Unknown(unknown) => Value::Unknown(unknown.clone()).serialize(serializer),
        }
    }
}

impl<'de, T: DeserializeOwned> Deserialize<'de> for Arg<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        match Value::deserialize(deserializer)? {
            Value::Unknown(unknown) => Ok(Arg::Unknown(unknown)),
            value => value.decode().map(Arg::Known).map_err(serde::de::Error::custom),
        }
    }
}

impl<T: JsonSchema> JsonSchema for Arg<T> {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        T::schema_name()
    }
    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        T::json_schema(generator)
    }
    fn inline_schema() -> bool {
        T::inline_schema()
    }
}

/// A list of which a plan may not know some items yet, or anything. In a live run all of it is known.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(transparent, bound(serialize = "T: Serialize", deserialize = "T: DeserializeOwned"))]
pub struct ArgList<T>(Arg<Vec<Arg<T>>>);

impl<T> ArgList<T> {
    /// Whether it is known that nothing is in it.
    pub fn is_empty(&self) -> bool {
        self.0.known().is_some_and(Vec::is_empty)
    }

    /// All items. The error is the first thing that is not known.
    pub fn known(&self) -> Result<Vec<T>, &Unknown>
    where
        T: Clone,
    {
        match &self.0 {
            Arg::Unknown(unknown) => Err(unknown),
            Arg::Known(items) => items.iter().map(|item| item.as_known().cloned()).collect(),
        }
    }
}

impl<T> Default for ArgList<T> {
    fn default() -> Self {
        Self(Arg::Known(Vec::new()))
    }
}

impl<T> FromIterator<T> for ArgList<T> {
    fn from_iter<I: IntoIterator<Item = T>>(items: I) -> Self {
        Self(Arg::Known(items.into_iter().map(Arg::Known).collect()))
    }
}

impl<T: fmt::Display> fmt::Display for ArgList<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0 {
            Arg::Unknown(unknown) => unknown.fmt(f),
            Arg::Known(items) => {
                let items: Vec<String> = items.iter().map(ToString::to_string).collect();
                f.write_str(&items.join(", "))
            }
        }
    }
}

impl<T: JsonSchema> JsonSchema for ArgList<T> {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        Vec::<T>::schema_name()
    }
    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        Vec::<T>::json_schema(generator)
    }
    fn inline_schema() -> bool {
        Vec::<T>::inline_schema()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn arguments_may_be_unknown() {
        let known: Arg<u32> = Value::Int(3).decode().expect("known");
        assert_eq!(known, Arg::Known(3));
        let label = Unknown::labelled("x");
        let unknown: Arg<u32> = Value::Unknown(label.clone()).decode().expect("unknown");
        assert_eq!(unknown, Arg::Unknown(label));
    }

    #[test]
    fn a_list_may_be_unknown_in_part_or_as_a_whole() {
        let read = |json: serde_json::Value| Value::from_json(json).decode::<ArgList<String>>().expect("a list");
        let known = read(serde_json::json!(["orders", "items"]));
        assert_eq!(known.known(), Ok(vec!["orders".to_owned(), "items".to_owned()]));
        assert_eq!(known.to_string(), "orders, items");
        let part = read(serde_json::json!(["orders", { "$unknown": "‹table›" }]));
        assert_eq!((part.known(), part.to_string()), (Err(&Unknown::labelled("table")), "orders, ‹table›".to_owned()));
        let whole = read(serde_json::json!({ "$unknown": "‹tables›" }));
        assert_eq!(whole.known(), Err(&Unknown::labelled("tables")));
        assert!(!part.is_empty() && !whole.is_empty() && read(serde_json::json!([])).is_empty());
        assert_eq!(Value::encode(&part).find_unknown(), Some(&Unknown::labelled("table")));
        assert!(Value::from("orders").decode::<ArgList<String>>().is_err());
    }
}
