//! `version(service)`: the version of a service that is live, and which there are.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::config::TargetKind;
use crate::model::{Applied, Case, Impact, ImpactKind, Value};

use super::side::returned;
use super::{Primitive, Side, TargetArg};

/// The version of a service that is live.
#[derive(Clone, Copy, Debug)]
pub struct Version;

/// The version of a service that is live, as its table `deploy` can tell: where the link `current` leads to, or what the program
/// `status` prints.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Args {
    /// The service.
    pub target: String,
}

/// The versions of a service.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Output {
    /// The version that is live; () when none is.
    pub version: Option<String>,
    /// The versions that can be deployed, as far as the settings tell, in order.
    pub available: Vec<String>,
}

impl Primitive for Version {
    const NAME: &'static str = "version";
    const SUMMARY: &'static str = "the version of a service that is live, and which there are";
    const POSITIONAL: &'static [&'static str] = &["target"];
    const TARGET: Option<TargetArg> = Some(TargetArg { name: "target", kinds: &[TargetKind::Service] });
    const EXAMPLE: &'static str = r#"let before = version("web").version;"#;
    type Args = Args;
    type Output = Output;

    fn impact(args: &Args) -> Impact {
        Impact::on(ImpactKind::Look, &args.target)
    }

    fn cases(_: &Args) -> Vec<Case> {
        let none = Value::Map([("version".to_owned(), Value::Null)].into());
        vec![
            Case::returns("live", Value::Map([].into())),
            Case::returns("none", none),
            Case::fails("failed", "version-unknown", Applied::No),
        ]
    }

    fn sides(_: &Args, output: Option<&Value>) -> Vec<Side> {
        vec![Side::looked("version", returned(output, "version"))]
    }
}
