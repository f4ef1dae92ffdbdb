//! `drift`: where a configuration document differs from what it should say.

mod document;
#[cfg(test)]
#[expect(clippy::disallowed_methods, reason = "tests set up the files that the driver meets")]
mod tests;

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::config::TargetKind;
use crate::model::{Applied, ArgList, Case, Impact, ImpactKind, Value};

use super::{Primitive, TargetArg};

/// `drift(target, #{…})`.
#[derive(Clone, Copy, Debug)]
pub struct Drift;

/// Compares a configuration document with another one of this environment, with the same one of another environment, or with given
/// values. Of secrets it only says that they differ. An env file knows text only: beside one, `20` and `"20"` are the same.
///
/// With `expect`, only the keys that are given are compared; one whose value is () must not be there.
#[derive(Clone, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Args {
    /// The document.
    pub target: String,
    /// The document that it should be like, of this environment or of `environment`; of the same name if not given.
    pub against: Option<String>,
    /// The environment of the document that it should be like; this one if not given.
    pub environment: Option<String>,
    /// The values that it should have, by key.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expect: Option<BTreeMap<String, Value>>,
    /// Keys that may differ, with all below them. `*` stands for any characters.
    #[serde(default, skip_serializing_if = "ArgList::is_empty")]
    pub ignore: ArgList<String>,
}

/// Where a document differs.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Output {
    /// Whether it does not differ at all.
    pub ok: bool,
    /// Whether it does not differ at all, as `probe` says it.
    pub status: Status,
    /// Every key that differs: `key`, `change` ("added", "removed" or "changed"), `expected`, `found`, `secret`.
    pub differences: Vec<Difference>,
    /// What was found, in one line for people.
    pub detail: String,
}

/// Whether a document is as it should be.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Status {
    /// It is.
    Pass,
    /// It is not.
    Fail,
}

/// One key that differs.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Difference {
    /// The key.
    pub key: String,
    /// How it differs.
    pub change: How,
    /// The value that it should have; () if none or secret.
    pub expected: Value,
    /// The value that it has; () if none or secret.
    pub found: Value,
    /// Whether its values are secret.
    pub secret: bool,
}

/// How a key differs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum How {
    /// It should not be there.
    Added,
    /// It should be there.
    Removed,
    /// It should have another value.
    Changed,
}

impl Primitive for Drift {
    const NAME: &'static str = "drift";
    const SUMMARY: &'static str = "says where a configuration document differs from what it should say";
    const POSITIONAL: &'static [&'static str] = &["target"];
    const TARGET: Option<TargetArg> = Some(TargetArg { name: "target", kinds: &[TargetKind::Document] });
    const EXAMPLE: &'static str = r#"let found = drift("app-config", #{ environment: "staging", ignore: ["log.*"] });"#;
    type Args = Args;
    type Output = Output;

    fn impact(args: &Args) -> Impact {
        let other = args.against.iter().filter(|_| args.environment.is_none());
        let targets = std::iter::once(&args.target).chain(other).cloned().collect();
        Impact { kind: ImpactKind::Look, targets }
    }

    fn cases(_: &Args) -> Vec<Case> {
        let case = |name, ok, status: Status| {
            let mut certain = vec![("ok".to_owned(), Value::Bool(ok)), ("status".to_owned(), Value::encode(&status))];
            if ok {
                certain.push(("differences".to_owned(), Value::List(vec![])));
            }
            Case::returns(name, Value::Map(certain.into_iter().collect()))
        };
        vec![
            case("same", true, Status::Pass),
            case("differs", false, Status::Fail),
            Case::fails("unreadable", "document-unreadable", Applied::No),
        ]
    }
}
