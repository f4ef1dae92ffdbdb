//! `secret(name)`.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::model::{Case, Impact, ImpactKind, SecretText, Value};
use crate::primitives::{Primitive, TargetArg};

/// `secret`
pub struct Secret;

/// Stands for a secret of the environment: a reference, which can be joined with text and given to arguments that take a secret.
///
/// Scripts never hold its value: it cannot be compared, measured, taken apart, logged or sent to people. Only the driver that
/// needs it gets the value, from where `[environments.NAME.secrets]` says. The name is written out, so that everybody sees which
/// secrets a runbook uses.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct SecretArgs {
    /// Its name.
    pub name: String,
}

impl Primitive for Secret {
    const NAME: &'static str = "secret";
    const SUMMARY: &'static str = "stands for a secret of the environment";
    const POSITIONAL: &'static [&'static str] = &["name"];
    const TARGET: Option<TargetArg> = None;
    const EXAMPLE: &'static str =
        r#"exec("psql", ["-f", "grants.sql"], #{ env: #{ PGPASSWORD: secret("DB_PASSWORD") } });"#;
    type Args = SecretArgs;
    type Output = SecretText;

    fn impact(_: &Self::Args) -> Impact {
        Impact::of(ImpactKind::Mark)
    }

    fn cases(args: &Self::Args) -> Vec<Case> {
        vec![Case::returns("named", Value::Secret(SecretText::named(&args.name)))]
    }
}
