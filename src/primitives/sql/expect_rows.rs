//! How many rows a change may change.

use std::borrow::Cow;
use std::fmt;

use schemars::{JsonSchema, Schema, SchemaGenerator};
use serde::{Deserialize, Serialize};

use crate::model::Value;

/// How many rows a change may change: a number, a range as text, or a map with `min` and `max`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "Value", into = "Value")]
pub struct ExpectRows {
    /// At least so many.
    pub min: u64,
    /// At most so many.
    pub max: u64,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Limits {
    min: Option<u64>,
    max: Option<u64>,
}

impl TryFrom<Value> for ExpectRows {
    type Error = String;

    fn try_from(value: Value) -> Result<Self, String> {
        let wrong = || {
            format!("`{value}` is no number of rows: give 5, \"1..=10\", \"1..\", \"..=10\", or #{{ min: 1, max: 10 }}")
        };
        let (min, max) = match &value {
            Value::Int(exactly) => {
                let exactly = u64::try_from(*exactly).map_err(|_| wrong())?;
                (Some(exactly), Some(exactly))
            }
            Value::String(text) => range(text).ok_or_else(wrong)?,
            Value::Map(map) if !map.is_empty() => {
                let limits: Limits = value.decode().map_err(|why| format!("{}: {why}", wrong()))?;
                (limits.min, limits.max)
            }
            _ => return Err(wrong()),
        };
        let (min, max) = (min.unwrap_or(0), max.unwrap_or(u64::MAX));
        if min > max {
            return Err(format!("no number of rows is both at least {min} and at most {max}"));
        }
        Ok(Self { min, max })
    }
}

/// `1..=10`, `1..` or `..=10`.
fn range(text: &str) -> Option<(Option<u64>, Option<u64>)> {
    let number = |text: &str| text.trim().parse::<u64>().ok();
    let (min, max) = text.split_once("..")?;
    let min = if min.trim().is_empty() { None } else { Some(number(min)?) };
    match max.strip_prefix('=') {
        Some(max) => Some((min, Some(number(max)?))),
        // `1..10` reads as if it ended at 10, and does not in Rust.
        None if max.trim().is_empty() && min.is_some() => Some((min, None)),
        None => None,
    }
}

impl From<ExpectRows> for Value {
    fn from(rows: ExpectRows) -> Self {
        match i64::try_from(rows.min) {
            Ok(exactly) if rows.min == rows.max => Value::Int(exactly),
            _ => Value::from(match (rows.min, rows.max) {
                (min, u64::MAX) => format!("{min}.."),
                (min, max) => format!("{min}..={max}"),
            }),
        }
    }
}

impl fmt::Display for ExpectRows {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self.min, self.max) {
            (min, max) if min == max => write!(f, "{min}"),
            (min, u64::MAX) => write!(f, "at least {min}"),
            (0, max) => write!(f, "at most {max}"),
            (min, max) => write!(f, "{min} to {max}"),
        }
    }
}

impl JsonSchema for ExpectRows {
    fn schema_name() -> Cow<'static, str> {
        "ExpectRows".into()
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

    fn read(json: serde_json::Value) -> Result<ExpectRows, String> {
        Value::from_json(json).decode()
    }

    #[test]
    fn numbers_ranges_and_maps_are_taken() {
        for (json, min, max, shown) in [
            (serde_json::json!(5), 5, 5, "5"),
            (serde_json::json!(0), 0, 0, "0"),
            (serde_json::json!("1..=10"), 1, 10, "1 to 10"),
            (serde_json::json!("1 .. "), 1, u64::MAX, "at least 1"),
            (serde_json::json!("..= 10"), 0, 10, "at most 10"),
            (serde_json::json!({ "min": 2 }), 2, u64::MAX, "at least 2"),
            (serde_json::json!({ "max": 2, "min": 1 }), 1, 2, "1 to 2"),
        ] {
            let rows = read(json).expect("it is a number of rows");
            assert_eq!((rows, rows.to_string().as_str()), (ExpectRows { min, max }, shown));
            assert_eq!(Value::encode(&rows).decode(), Ok(rows));
        }
    }

    #[test]
    fn anything_else_is_refused() {
        for json in [
            serde_json::json!(-1),
            serde_json::json!("1..10"),
            serde_json::json!(".."),
            serde_json::json!("x"),
            serde_json::json!("5"),
            serde_json::json!({}),
            serde_json::json!({ "least": 1 }),
            serde_json::json!([1, 2]),
            serde_json::json!(1.5),
        ] {
            assert!(read(json.clone()).expect_err("refused").contains("is no number of rows"), "{json}");
        }
        assert!(read(serde_json::json!("5..=1")).expect_err("refused").contains("at least 5 and at most 1"));
    }
}
