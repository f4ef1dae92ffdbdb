//! `configuration`: what a configuration document says.

mod document;

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::config::TargetKind;
use crate::model::{Applied, Case, Impact, ImpactKind, Value};

use super::side::returned;
use super::{Primitive, Side, TargetArg};

/// `configuration(target, key)`.
#[derive(Clone, Copy, Debug)]
pub struct Configuration;

/// Reads a configuration document, or one key of it. Keys are written with dots: `pool.size`, `users[0].name`, and a name that is
/// unusual in quotes: `servers."eu.west".port`. Secrets are left out: only the names of their keys are given, in `hidden`.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Args {
    /// The document.
    pub target: String,
    /// The key that is read; all of them if not given.
    pub key: Option<String>,
}

/// What a document says.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Output {
    /// Whether the key is there. Without `key`: whether any is.
    pub found: bool,
    /// The value of the key; () if it is not there, holds a table, is secret, or none was named.
    pub value: Value,
    /// All values by key: those below `key` if it is given.
    pub values: BTreeMap<String, Value>,
    /// The keys whose values are secret.
    pub hidden: Vec<String>,
    /// Stands for the document as it is now: `configure` takes it as `if_version` and `restore`.
    pub version: String,
    /// What was found, in one line for people.
    pub detail: String,
}

impl Primitive for Configuration {
    const NAME: &'static str = "configuration";
    const SUMMARY: &'static str = "reads a configuration document, or one key of it";
    const POSITIONAL: &'static [&'static str] = &["target", "key"];
    const TARGET: Option<TargetArg> = Some(TargetArg { name: "target", kinds: &[TargetKind::Document] });
    const EXAMPLE: &'static str = r#"let size = configuration("app-config", "pool.size").value;"#;
    type Args = Args;
    type Output = Output;

    fn impact(args: &Args) -> Impact {
        Impact::on(ImpactKind::Look, &args.target)
    }

    fn cases(args: &Args) -> Vec<Case> {
        let found = Case::returns("found", Value::Map([("found".to_owned(), Value::Bool(true))].into()));
        let nothing = [
            ("found", Value::Bool(false)),
            ("value", Value::Null),
            ("values", Value::Map([].into())),
            ("hidden", Value::List(vec![])),
        ];
        let nothing = nothing.map(|(name, value)| (name.to_owned(), value));
        let mut cases = vec![found];
        if args.key.is_some() {
            cases.push(Case::returns("missing", Value::Map(nothing.into())));
        }
        cases.push(Case::fails("unreadable", "document-unreadable", Applied::No));
        cases
    }

    fn sides(args: &Args, output: Option<&Value>) -> Vec<Side> {
        let whole = Side::looked(Side::WHOLE, returned(output, "version"));
        let key = args.key.clone().map(|key| {
            let value = match returned(output, "found") {
                // Of what is there, () stands for a table or a secret.
                Some(Value::Bool(true)) => returned(output, "value").filter(|value| *value != Value::Null),
                Some(Value::Bool(false)) => Some(Value::Null),
                _ => None,
            };
            Side::looked(key, value)
        });
        key.into_iter().chain([whole]).collect()
    }
}
