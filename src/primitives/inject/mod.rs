//! `inject`: brings about a fault on purpose, so that a drill has something to recover from.

mod directory;
mod garbage;
mod http;
mod process;
mod record;
#[cfg(feature = "driver-sqlite")]
mod sqlite;
mod strike;
mod tcp;

use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

pub use record::Record;
pub use strike::{Aim, Strike};

use crate::config::TargetKind;
use crate::model::{Applied, Case, Impact, ImpactKind, Value};

use super::{Primitive, TargetArg};

/// The contract of `inject`.
#[derive(Clone, Copy, Debug)]
pub struct Inject;

/// Brings about a fault on purpose. Only drills may: outside environments that are marked for them it is refused.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Args {
    /// The service, database or store that is hit.
    pub target: String,
    /// What happens to it.
    pub fault: FaultName,
    /// For stores: the database whose newest backup is hit.
    #[serde(default)]
    pub database: Option<String>,
    /// For `corrupt` and `corrupt-newest`: how many bytes in the middle are overwritten, at least 16.
    #[serde(default)]
    pub bytes: Option<u32>,
}

/// A fault that can be brought about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum FaultName {
    /// A service's process is ended at once.
    Kill,
    /// A service refuses connections.
    Refuse,
    /// A service accepts connections again.
    Accept,
    /// A database's files are removed.
    Delete,
    /// A database's header and middle are overwritten.
    Corrupt,
    /// The newest backup of a database is overwritten in its middle.
    CorruptNewest,
    /// The newest backup of a database is removed.
    DeleteNewest,
}

impl FaultName {
    /// As scripts write it.
    pub fn as_str(self) -> &'static str {
        match self {
            FaultName::Kill => "kill",
            FaultName::Refuse => "refuse",
            FaultName::Accept => "accept",
            FaultName::Delete => "delete",
            FaultName::Corrupt => "corrupt",
            FaultName::CorruptNewest => "corrupt-newest",
            FaultName::DeleteNewest => "delete-newest",
        }
    }

    /// Whether a failure can leave its work half done.
    fn takes_several_writes(self) -> bool {
        !matches!(self, FaultName::Kill | FaultName::Refuse | FaultName::Accept)
    }
}

impl std::fmt::Display for FaultName {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.as_str())
    }
}

/// A fault that was brought about.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Injected {
    /// Which.
    pub fault: FaultName,
    /// When, UTC; RFC 3339. Taken just before the target is hit.
    pub at: String,
    /// When, in milliseconds since 1970.
    pub at_ms: i64,
    /// What was hit.
    pub detail: String,
}

impl Injected {
    fn new(fault: FaultName, at: Timestamp, detail: String) -> Self {
        Self { fault, at: at.to_string(), at_ms: at.as_millisecond(), detail }
    }
}

impl Primitive for Inject {
    const NAME: &'static str = "inject";
    const SUMMARY: &'static str = "brings about a fault on purpose, in drills only";
    const POSITIONAL: &'static [&'static str] = &["target", "fault"];
    const TARGET: Option<TargetArg> =
        Some(TargetArg { name: "target", kinds: &[TargetKind::Service, TargetKind::Database, TargetKind::Store] });
    const EXAMPLE: &'static str = r#"let lost = inject("primary", "delete");"#;
    const DRILL_ONLY: bool = true;
    type Args = Args;
    type Output = Injected;

    fn impact(args: &Args) -> Impact {
        Impact::on(ImpactKind::Destroy, &args.target)
    }

    fn cases(args: &Args) -> Vec<Case> {
        let certain = Value::Map([("fault".to_owned(), Value::encode(&args.fault))].into());
        let mut cases = vec![Case::returns("injected", certain), Case::fails("failed", "inject-failed", Applied::No)];
        if args.fault.takes_several_writes() {
            cases.push(Case::fails("failed-applied", "inject-failed", Applied::Yes));
        }
        cases
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::CaseResult;
    use crate::primitives::targets::{DirectoryStore, HttpService, TcpService};
    use crate::primitives::{ArgType, Registry};

    fn args(fault: FaultName) -> Args {
        Args { target: "web".to_owned(), fault, database: None, bytes: None }
    }

    #[test]
    fn faults_are_a_choice_and_only_drills_may_have_them() {
        let registry = Registry::empty()
            .driver::<Inject, HttpService>()
            .driver::<Inject, TcpService>()
            .driver::<Inject, DirectoryStore>();
        let signature = registry.signature("inject").expect("it is declared");
        assert!(signature.drill_only);
        let ArgType::Choice(choices) = &signature.arg("fault").expect("it has a fault").kind else {
            panic!("no choice")
        };
        assert_eq!(choices, &["kill", "refuse", "accept", "delete", "corrupt", "corrupt-newest", "delete-newest"]);
        assert_eq!(signature.arg("bytes").expect("it has bytes").kind, ArgType::Int);
        assert_eq!(signature.arg("database").expect("it has a database").kind, ArgType::String);
        let output: Vec<_> = signature.fields.iter().map(|f| (f.name.as_str(), f.kind.is_finite())).collect();
        assert_eq!(output, [("at", false), ("at_ms", false), ("detail", false), ("fault", true)]);
    }

    #[test]
    fn a_case_that_returns_knows_the_fault() {
        for fault in [FaultName::Kill, FaultName::DeleteNewest] {
            let CaseResult::Returns(certain) = Inject::cases(&args(fault)).remove(0).result else {
                panic!("it returns")
            };
            assert_eq!(certain.get("fault"), Some(&Value::from(fault.as_str())));
        }
    }

    #[test]
    fn only_what_takes_several_writes_can_be_half_done() {
        let names = |fault| Inject::cases(&args(fault)).iter().map(|case| case.name).collect::<Vec<_>>();
        assert_eq!(names(FaultName::Kill), ["injected", "failed"]);
        assert_eq!(names(FaultName::Corrupt), ["injected", "failed", "failed-applied"]);
    }
}
