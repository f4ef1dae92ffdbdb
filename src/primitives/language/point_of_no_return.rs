//! `point_of_no_return(why)`.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::model::{Arg, Case, Impact, ImpactKind, Value};
use crate::primitives::{Primitive, TargetArg};

/// `point_of_no_return`
pub struct PointOfNoReturn;

/// From here on a failure leaves things as they are.
///
/// Everything that the run owes so far is owed no longer: steps before this place, and the steps around it, are not rolled
/// back any more. Steps that begin later owe their rollbacks as usual.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct PointOfNoReturnArgs {
    /// Why there is no way back; it is shown when the run fails later.
    pub why: Arg<String>,
}

impl Primitive for PointOfNoReturn {
    const NAME: &'static str = "point_of_no_return";
    const SUMMARY: &'static str = "cancels the rollbacks that are owed so far";
    const POSITIONAL: &'static [&'static str] = &["why"];
    const TARGET: Option<TargetArg> = None;
    const EXAMPLE: &'static str = r#"point_of_no_return("the old primary is gone");"#;
    type Args = PointOfNoReturnArgs;
    type Output = ();

    fn impact(_: &Self::Args) -> Impact {
        Impact::of(ImpactKind::Mark)
    }

    fn cases(_: &Self::Args) -> Vec<Case> {
        vec![Case::returns("passed", Value::Null)]
    }
}
