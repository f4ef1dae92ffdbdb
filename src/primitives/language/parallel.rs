//! `parallel(items, #{ … }, |item| …)`.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::model::{Case, Impact, ImpactKind, Value};
use crate::primitives::{Primitive, TargetArg};

/// `parallel`
pub struct Parallel;

/// Does the same for every item of a list, for several at the same time.
///
/// The closure is called once with each item, in a branch of its own, and what the branches return is returned as a list in the
/// order of the items. A branch sees the variables around it as they were when `parallel` was called: what it changes of them is
/// lost. When a branch fails, the others begin nothing more once the effect that they are at is over, what all of them owe is
/// rolled back, the branch of the last item first, and the fault is thrown; of several faults that of the first item.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ParallelArgs {
    /// What is to be done for each of them: an array, or a range such as `0..10`.
    pub items: Vec<Value>,
    /// How many branches go on at the same time; 1 to 1000.
    #[serde(default = "eight")]
    pub at_most: u32,
    /// What the other branches finish when one fails: the `effect` that they are at, or `all` that they have to do. With `all`
    /// those that have not begun do begin.
    #[serde(default)]
    pub finish: Finish,
}

/// What the other branches finish when one fails.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Finish {
    /// The effect that they are at.
    #[default]
    Effect,
    /// Everything.
    All,
}

fn eight() -> u32 {
    8
}

impl Primitive for Parallel {
    const NAME: &'static str = "parallel";
    const SUMMARY: &'static str = "does the same for every item of a list, for several at the same time";
    const POSITIONAL: &'static [&'static str] = &["items"];
    const TARGET: Option<TargetArg> = None;
    const EXAMPLE: &'static str =
        r#"let found = parallel(["web-1", "web-2"], #{ at_most: 2 }, |host| probe(host).ok);"#;
    type Args = ParallelArgs;
    type Output = Vec<Value>;

    fn impact(_: &Self::Args) -> Impact {
        Impact::of(ImpactKind::Mark)
    }

    fn cases(_: &Self::Args) -> Vec<Case> {
        vec![Case::returns("completes", Value::List(Vec::new()))]
    }
}
