//! One check of a health: the options of a probe, and how much it matters.

use std::borrow::Cow;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Serialize};

use crate::model::Value;
use crate::primitives::probe;

/// One check. A script writes it as one map: the options of a probe, and `critical`.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(try_from = "Value", into = "Value")]
pub struct Check {
    /// Whether the target is unhealthy when it fails.
    pub critical: bool,
    /// The probe; its target is that of the health.
    pub probe: probe::Args,
}

impl Default for Check {
    /// A critical probe without options.
    fn default() -> Self {
        Self { critical: true, probe: probe::Args::of("") }
    }
}

impl TryFrom<Value> for Check {
    type Error = String;

    fn try_from(value: Value) -> Result<Self, String> {
        let Value::Map(mut options) = value else {
            return Err(format!("a check is a map of a probe's options, not of type {}", value.kind()));
        };
        let critical = match options.remove("critical") {
            None => true,
            Some(Value::Bool(critical)) => critical,
            Some(other) => return Err(format!("`critical` is true or false, not of type {}", other.kind())),
        };
        if options.insert("target".to_owned(), Value::from("")).is_some() {
            return Err("a check has no target of its own: leave `target` out".to_owned());
        }
        Value::Map(options).decode().map(|probe| Self { critical, probe })
    }
}

impl From<Check> for Value {
    fn from(check: Check) -> Self {
        let Value::Map(mut options) = Value::encode(&check.probe) else { return Value::Null };
        options.remove("target");
        options.insert("critical".to_owned(), Value::Bool(check.critical));
        Value::Map(options)
    }
}

impl JsonSchema for Check {
    fn schema_name() -> Cow<'static, str> {
        "Check".into()
    }
    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "type": "object" })
    }
    fn inline_schema() -> bool {
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(json: serde_json::Value) -> Result<Check, String> {
        Value::from_json(json).decode()
    }

    #[test]
    fn it_is_a_probe_s_options_and_how_much_it_matters() {
        let check = read(serde_json::json!({ "path": "/health", "equals": null, "critical": false })).expect("reads");
        assert!(!check.critical);
        assert_eq!(check.probe.equals, Some(Value::Null));
        assert!(read(serde_json::json!({})).expect("reads").critical);
        let again: Check = Value::encode(&check).decode().expect("reads what it wrote");
        assert_eq!(Value::encode(&again), Value::encode(&check));
    }

    #[test]
    fn mistakes_are_named() {
        let error = |json| read(json).expect_err("refused");
        assert!(error(serde_json::json!({ "pth": "/" })).contains("unknown field `pth`"));
        assert!(error(serde_json::json!({ "target": "web" })).contains("leave `target` out"));
        assert!(error(serde_json::json!({ "critical": 1 })).contains("true or false"));
        assert!(error(serde_json::json!("/health")).contains("not of type string"));
    }
}
