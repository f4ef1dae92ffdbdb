//! `deploy(service, #{ version })`: makes a version of a service live.

mod command;
mod health;
mod name;
mod preview;
mod release;
mod service;
#[cfg(test)]
#[expect(clippy::disallowed_methods, reason = "tests set up and read the files that deployments meet")]
mod tests;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::config::TargetKind;
use crate::model::{Applied, Arg, Case, Impact, ImpactKind, Value};

use super::side::returned;
use super::{After, Primitive, Side, TargetArg};

/// Makes a version of a service live.
#[derive(Clone, Copy, Debug)]
pub struct Deploy;

/// Makes a version of a service live, as the table `deploy` of the service says: by a link to a directory of releases
/// (`driver = "release"`), or by programs (`driver = "command"`). A version that is live already is left alone.
///
/// Afterwards the service must be healthy, as `probe` sees it, and say the new version where the settings name a
/// `version_path`. If it is not within `health_timeout`, the version before is made live again, and the call fails with
/// `applied: "no"` once that one serves. A rollback gives the version before: `deploy("web", #{ version: before })`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Args {
    /// The service.
    pub target: String,
    /// The version: letters, digits and `. _ + - ~ : @`, beginning with a letter or digit. (), as `version` gives it where none was
    /// live, is refused: a rollback to nothing is not possible.
    pub version: Arg<Option<String>>,
    /// Restart the service even if this version is live already.
    #[serde(default)]
    pub restart: bool,
    /// Wait until the service is healthy. Without it, nothing says whether the new version works: for a service that is
    /// closed for maintenance.
    #[serde(default = "yes")]
    pub health: bool,
}

impl Args {
    /// The version, if it is known and there is one.
    fn version(&self) -> Option<&str> {
        self.version.known()?.as_deref()
    }

    /// The version as people read it.
    fn shown(&self) -> String {
        match &self.version {
            Arg::Known(version) => version.clone().unwrap_or_else(|| "nothing".to_owned()),
            Arg::Unknown(label) => label.to_string(),
        }
    }
}

fn yes() -> bool {
    true
}

/// A version that is live.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Output {
    /// The version that is live now.
    pub version: String,
    /// The version that was live before; () when there was none.
    pub previous: Option<String>,
    /// Whether anything was done.
    pub changed: bool,
    /// How long it took, in milliseconds.
    pub took_ms: u64,
}

impl Primitive for Deploy {
    const NAME: &'static str = "deploy";
    const SUMMARY: &'static str = "makes a version of a service live";
    const POSITIONAL: &'static [&'static str] = &["target"];
    const TARGET: Option<TargetArg> = Some(TargetArg { name: "target", kinds: &[TargetKind::Service] });
    const EXAMPLE: &'static str = r#"deploy("web", #{ version: "1.5.0" });"#;
    const DECLARES_STATE: bool = true;
    type Args = Args;
    type Output = Output;

    fn impact(args: &Args) -> Impact {
        Impact::on(ImpactKind::Change, &args.target)
    }

    fn cases(args: &Args) -> Vec<Case> {
        let certain = |changed: bool| {
            let version = args.version().map(|version| ("version".to_owned(), Value::from(version)));
            Value::Map(version.into_iter().chain([("changed".to_owned(), Value::Bool(changed))]).collect())
        };
        vec![
            Case::returns("deployed", certain(true)),
            Case::returns("already", certain(args.restart)),
            Case::fails("unhealthy", "deploy-unhealthy", Applied::No),
            Case::fails("unhealthy-but-applied", "deploy-unhealthy", Applied::Yes),
            Case::fails("no-version", "no-such-version", Applied::No),
            Case::fails("failed", "deploy-failed", Applied::No),
            Case::fails("failed-but-applied", "deploy-failed", Applied::Yes),
        ]
    }

    fn sides(args: &Args, output: Option<&Value>) -> Vec<Side> {
        vec![Side::set("version", returned(output, "previous"), After::Is(Value::encode(&args.version)))]
    }
}
