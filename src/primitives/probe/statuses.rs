//! Which HTTP statuses are expected.

use std::borrow::Cow;
use std::fmt;

use schemars::{JsonSchema, Schema, SchemaGenerator};
use serde::{Deserialize, Serialize};

use crate::model::Value;

/// Expected HTTP statuses: a number, a class such as `"2xx"`, or a list of these.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "Value", into = "Value")]
pub struct Statuses(Vec<Status>);

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Status {
    Code(u16),
    /// The first digit.
    Class(u16),
}

impl Statuses {
    /// Whether `status` is one of them.
    pub fn contain(&self, status: u16) -> bool {
        self.0.iter().any(|expected| match expected {
            Status::Code(code) => *code == status,
            Status::Class(class) => *class == status / 100,
        })
    }
}

impl Default for Statuses {
    /// Any 2xx.
    fn default() -> Self {
        Self(vec![Status::Class(2)])
    }
}

impl TryFrom<Value> for Statuses {
    type Error = String;

    fn try_from(value: Value) -> Result<Self, String> {
        match &value {
            Value::List(list) if !list.is_empty() => list.iter().map(status).collect::<Result<_, _>>().map(Self),
            one => status(one).map(|status| Self(vec![status])),
        }
    }
}

fn status(value: &Value) -> Result<Status, String> {
    let parsed = match value {
        Value::Int(code) => u16::try_from(*code).ok().filter(|c| (100..600).contains(c)).map(Status::Code),
        Value::String(text) => match text.as_bytes() {
            [class @ b'1'..=b'5', b'x' | b'X', b'x' | b'X'] => Some(Status::Class(u16::from(class - b'0'))),
            _ => None,
        },
        _ => None,
    };
    parsed.ok_or_else(|| format!("`{value}` is not an HTTP status: give 100 to 599, \"2xx\", or an array of these"))
}

impl From<Statuses> for Value {
    fn from(statuses: Statuses) -> Self {
        let value = |status: &Status| match status {
            Status::Code(code) => Value::Int(i64::from(*code)),
            Status::Class(class) => Value::from(format!("{class}xx")),
        };
        Value::List(statuses.0.iter().map(value).collect())
    }
}

impl fmt::Display for Statuses {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (i, status) in self.0.iter().enumerate() {
            f.write_str(if i > 0 { " or " } else { "" })?;
            match status {
                Status::Code(code) => write!(f, "{code}")?,
                Status::Class(class) => write!(f, "{class}xx")?,
            }
        }
        Ok(())
    }
}

impl JsonSchema for Statuses {
    fn schema_name() -> Cow<'static, str> {
        "Statuses".into()
    }
    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        Schema::from(true)
    }
    fn inline_schema() -> bool {
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(json: serde_json::Value) -> Result<Statuses, String> {
        Value::from_json(json).decode()
    }

    #[test]
    fn numbers_classes_and_lists_are_taken() {
        let statuses = read(serde_json::json!([204, "3xx"])).expect("reads");
        assert_eq!([204, 200, 301, 404].map(|s| statuses.contain(s)), [true, false, true, false]);
        assert_eq!(statuses.to_string(), "204 or 3xx");
        assert_eq!(Value::encode(&statuses).decode(), Ok(statuses));
        assert!(read(serde_json::json!(503)).expect("reads").contain(503));
        assert!(Statuses::default().contain(299) && !Statuses::default().contain(302));
    }

    #[test]
    fn what_is_no_status_is_refused() {
        for wrong in [serde_json::json!(99), "ok".into(), "6xx".into(), 600.into(), serde_json::json!([]), true.into()]
        {
            let error = read(wrong).expect_err("no status");
            assert!(error.contains("is not an HTTP status"), "{error}");
        }
    }
}
