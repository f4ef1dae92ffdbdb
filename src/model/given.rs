//! What a test gives: in which ways the calls of a runbook are to end.

use std::collections::BTreeMap;
use std::fmt;
use std::str::FromStr;

use super::{Assumption, AssumptionError, Site, Value};

/// Which calls are meant: those of a primitive, perhaps on one target, perhaps with certain arguments.
#[derive(Clone, Debug, PartialEq)]
pub struct CallPattern {
    /// The primitive's name.
    pub primitive: String,
    /// The target; `None` for every one, and for primitives that have none.
    pub target: Option<String>,
    /// Arguments that the call must have; it may have others besides. In texts `*` stands for anything.
    pub args: BTreeMap<String, Value>,
}

impl CallPattern {
    /// Whether a call is meant.
    pub fn meets(&self, primitive: &str, target: Option<&str>, args: &Value) -> bool {
        self.meets_target(primitive, target)
            && self.args.iter().all(|(name, wanted)| matches(wanted, args.get(name).unwrap_or(&Value::Null)))
    }

    /// The same, whatever its arguments are.
    pub fn meets_target(&self, primitive: &str, target: Option<&str>) -> bool {
        self.primitive == primitive && (self.target.is_none() || self.target.as_deref() == target)
    }
}

impl FromStr for CallPattern {
    type Err = AssumptionError;

    fn from_str(text: &str) -> Result<Self, AssumptionError> {
        // An assumption without its case is what is wanted, and its rules for the rest are those that people know.
        let wrong = || AssumptionError {
            message: format!("`{text}` names no call"),
            hint: Some("write it as \"probe(primary)\": a primitive and its target".to_owned()),
        };
        if text.contains('=') {
            return Err(wrong());
        }
        let call: Assumption = format!("{text}=_").parse().map_err(|_| wrong())?;
        Ok(Self { primitive: call.primitive, target: call.target, args: BTreeMap::new() })
    }
}

impl fmt::Display for CallPattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.target {
            Some(target) => write!(f, "{}({target})", self.primitive)?,
            None => f.write_str(&self.primitive)?,
        }
        if self.args.is_empty() { Ok(()) } else { write!(f, " with {}", Value::Map(self.args.clone())) }
    }
}

/// How a call ends that a test gives.
#[derive(Clone, Debug, PartialEq)]
pub struct GivenOutcome {
    /// The name of one of its cases, [`CANCELLED`] or [`IN_DOUBT`]; none where only what it returns is given.
    pub case: Option<String>,
    /// What it returns, or the fields of it that are given.
    pub value: Option<Value>,
}

/// The case of a call while which a person cancels the run: it is carried to its end first.
pub const CANCELLED: &str = "cancelled";
/// The case of a change of which nobody can tell whether it took place.
pub const IN_DOUBT: &str = "in doubt";

/// One line of a test that says how calls end.
#[derive(Clone, Debug, PartialEq)]
pub struct Given {
    /// Which calls.
    pub call: CallPattern,
    /// How they end. One after the other where it is a list; otherwise the only one holds for all of them.
    pub outcomes: Vec<GivenOutcome>,
    /// Whether it is a list: the first call ends in the first way, and those behind the last as if nothing was given.
    pub in_turn: bool,
    /// Whether some call must end as it says; what is usual, a test need not meet.
    pub must: bool,
    /// Where it stands.
    pub site: Site,
}

/// What came of a [`Given`] when a runbook was played.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Usage {
    /// How many calls ended as it says.
    pub calls: usize,
    /// Whether a later one said how a call ends that it is about, too.
    pub outdone: bool,
}

/// A [`Given`] that says of a call what it can never come to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WrongGiven {
    /// Its position among those given.
    pub given: usize,
    /// What is wrong.
    pub why: String,
    /// What to do.
    pub hint: Option<String>,
}

/// Whether a value is what is wanted: of maps those fields, of texts `*` stands for anything.
pub fn matches(wanted: &Value, found: &Value) -> bool {
    match (wanted, found) {
        (Value::Map(wanted), Value::Map(found)) => {
            wanted.iter().all(|(name, wanted)| matches(wanted, found.get(name).unwrap_or(&Value::Null)))
        }
        (Value::List(wanted), Value::List(found)) => {
            wanted.len() == found.len() && wanted.iter().zip(found).all(|(wanted, found)| matches(wanted, found))
        }
        (Value::String(pattern), Value::String(text)) => fits(pattern, text),
        // What nobody knows is told by its label; a secret by its name.
        (Value::String(pattern), Value::Unknown(_) | Value::Secret(_)) => fits(pattern, &found.to_string()),
        (Value::Int(wanted), Value::Float(found)) | (Value::Float(found), Value::Int(wanted)) => {
            #[expect(clippy::cast_precision_loss, clippy::float_cmp, reason = "that is what Rhai compares")]
            let same = *wanted as f64 == *found;
            same
        }
        _ => wanted == found,
    }
}

/// Whether a text fits a pattern in which `*` stands for anything.
pub fn fits(pattern: &str, text: &str) -> bool {
    let mut parts = pattern.split('*');
    let Some(mut rest) = text.strip_prefix(parts.next().unwrap_or_default()) else { return false };
    let Some(last) = parts.next_back() else { return rest.is_empty() };
    for part in parts {
        let Some(at) = rest.find(part) else { return false };
        rest = &rest[at + part.len()..];
    }
    rest.ends_with(last)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_star_stands_for_anything() {
        for (pattern, text, fit) in [
            ("restored", "restored", true),
            ("restored", "is restored", false),
            ("*restored", "is restored", true),
            ("*restored*", "it is restored from b1", true),
            ("it*from*", "it is restored from b1", true),
            ("a*a", "a", false),
            ("a*b*c", "a c b", false),
            ("SELECT count(*)*", "SELECT count(*) FROM orders", true),
            ("", "", true),
            ("*", "", true),
        ] {
            assert_eq!(fits(pattern, text), fit, "{pattern:?} and {text:?}");
        }
    }

    #[test]
    fn a_call_is_meant_by_its_primitive_its_target_and_some_of_its_arguments() {
        let args = Value::from_json(serde_json::json!({ "target": "db", "sql": "SELECT 1", "at_least": 1.0 }));
        let meets = |text: &str, wanted: serde_json::Value| {
            let pattern: CallPattern = text.parse().expect(text);
            let Value::Map(wanted) = Value::from_json(wanted) else { panic!("a map") };
            CallPattern { args: wanted, ..pattern }.meets("query", Some("db"), &args)
        };
        assert!(meets("query(db)", serde_json::json!({})));
        assert!(meets("query", serde_json::json!({ "sql": "SELECT*", "at_least": 1 })));
        assert!(!meets("query(web)", serde_json::json!({})));
        assert!(!meets("probe(db)", serde_json::json!({})));
        assert!(!meets("query(db)", serde_json::json!({ "sql": "DELETE*" })));
        assert!(!meets("query(db)", serde_json::json!({ "limit": 1 })));
        assert!("query(db".parse::<CallPattern>().is_err() && "query(db)=found".parse::<CallPattern>().is_err());
    }
}
