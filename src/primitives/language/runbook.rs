//! `runbook(path, #{ … })`.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::model::{Case, Impact, ImpactKind, Value};
use crate::primitives::{Primitive, TargetArg};

/// `runbook`
pub struct Runbook;

/// Runs another runbook as a part of this run.
///
/// Its parameters are given in a map. It returns the value of its last expression. When it fails, what it owes is rolled back
/// and the fault goes on; when it goes well, its rollbacks are owed by the runbook that called it.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RunbookArgs {
    /// The runbook's path, from the project's directory.
    pub path: String,
    /// Its parameters.
    #[serde(default)]
    pub params: Value,
}

impl Primitive for Runbook {
    const NAME: &'static str = "runbook";
    const SUMMARY: &'static str = "runs another runbook as a part of this run";
    const POSITIONAL: &'static [&'static str] = &["path", "params"];
    const TARGET: Option<TargetArg> = None;
    const EXAMPLE: &'static str = r#"runbook("runbooks/restore-database.rhai", #{ reason: "drill" });"#;
    type Args = RunbookArgs;
    type Output = Value;

    fn impact(_: &Self::Args) -> Impact {
        Impact::of(ImpactKind::Mark)
    }

    fn cases(_: &Self::Args) -> Vec<Case> {
        vec![Case::returns("completes", Value::Null)]
    }
}
