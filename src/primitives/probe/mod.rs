//! `probe`: how a target is, now.

mod args;
mod attempts;
mod certificate;
mod directory;
mod expect;
mod finding;
mod http;
mod log;
mod machine;
mod misuse;
mod prometheus;
mod security_headers;
mod space;
#[cfg(feature = "driver-sqlite")]
mod sqlite;
mod stamp;
mod statuses;
mod tcp;
mod tls;

pub use args::{Args, Resource};
pub use statuses::Statuses;

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Primitive, TargetArg};
use crate::config::TargetKind;
use crate::model::{Case, Impact, ImpactKind, Value};

/// `probe(target, #{…})`.
#[derive(Debug)]
pub struct Probe;

/// How a target was found.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Output {
    /// Whether it is as it should be.
    pub status: Status,
    /// Whether the status is not `fail`.
    pub ok: bool,
    /// Whether nothing answered at all in any attempt: refused, timed out, the file missing or no database. A target that
    /// answers, however badly, is not down.
    pub down: bool,
    /// How long the last attempt took, in milliseconds.
    pub latency_ms: f64,
    /// What was measured: the HTTP status or what `pointer` points at, the first column of the first row, what a query of Prometheus
    /// gives, the percentage used, the days left on a certificate, the number of lines. () when nothing answered.
    pub value: Value,
    /// What was found, in one line for people.
    pub detail: String,
    /// How many attempts were made.
    pub attempts: u32,
}

/// Whether a target is as it should be.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Status {
    /// It is.
    Pass,
    /// It works, but a limit of `warn_…` is passed.
    Warn,
    /// It is not.
    Fail,
}

impl Primitive for Probe {
    const NAME: &'static str = "probe";
    const SUMMARY: &'static str = "looks at a target and says how it is";
    const POSITIONAL: &'static [&'static str] = &["target"];
    const TARGET: Option<TargetArg> = Some(TargetArg {
        name: "target",
        kinds: &[TargetKind::Service, TargetKind::Database, TargetKind::Host, TargetKind::Store, TargetKind::Log],
    });
    const EXAMPLE: &'static str = r#"probe("web", #{ path: "/health", attempts: 3, warn_latency: "500ms" })"#;
    type Args = Args;
    type Output = Output;

    fn impact(args: &Args) -> Impact {
        Impact::on(ImpactKind::Look, &args.target)
    }

    /// The arguments do not say what the target is. A warning is left out when they show that it is none of those whose limits have
    /// defaults (hosts, stores, certificates, logs), and give no limit of their own.
    fn cases(args: &Args) -> Vec<Case> {
        let hosts = ["resource", "warn_percent", "fail_percent", "min_free", "tls_days_fail", "tls_names"];
        let common = ["timeout", "warn_latency", "fail_latency"];
        let given = args.given();
        let may_be_host = given.iter().all(|name| hosts.contains(&name.as_str()) || common.contains(&name.as_str()));
        let mut cases = vec![
            Self::case("pass", Status::Pass, false),
            Self::case("fail", Status::Fail, true),
            Self::case("degraded", Status::Fail, false),
        ];
        if may_be_host || args.warns() {
            cases.push(Self::case("warn", Status::Warn, false));
        }
        cases
    }
}

impl Probe {
    fn case(name: &'static str, status: Status, down: bool) -> Case {
        let mut certain = BTreeMap::from([
            ("status".to_owned(), Value::encode(&status)),
            ("ok".to_owned(), Value::Bool(status != Status::Fail)),
            ("down".to_owned(), Value::Bool(down)),
        ]);
        if down {
            certain.insert("value".to_owned(), Value::Null);
        }
        Case::returns(name, Value::Map(certain))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::CaseResult;
    use crate::primitives::Registry;
    use crate::primitives::targets::HttpService;

    fn args(json: serde_json::Value) -> Result<Args, String> {
        Value::from_json(json).decode()
    }

    fn cases(json: serde_json::Value) -> Vec<&'static str> {
        Probe::cases(&args(json).expect("arguments")).iter().map(|case| case.name).collect()
    }

    #[test]
    fn a_probe_passes_fails_degrades_or_warns() {
        assert_eq!(cases(serde_json::json!({ "target": "web" })), ["pass", "fail", "degraded", "warn"]);
        let query = serde_json::json!({ "target": "db", "query": "SELECT 1", "attempts": 3 });
        assert_eq!(cases(query), ["pass", "fail", "degraded"]);
        let slow = serde_json::json!({ "target": "web", "path": "/", "warn_latency": "1s" });
        assert_eq!(cases(slow), ["pass", "fail", "degraded", "warn"]);
    }

    #[test]
    fn every_case_settles_what_scripts_branch_on() {
        for case in Probe::cases(&Args::of("web")) {
            let CaseResult::Returns(certain) = case.result else { panic!("a probe does not throw") };
            let field = |name: &str| certain.get(name).and_then(Value::as_bool).expect(name);
            assert!(certain.get("status").is_some());
            assert!(!(field("ok") && field("down")));
        }
    }

    #[test]
    fn arguments_that_are_no_arguments_are_refused() {
        let refused = |json| args(json).expect_err("refused");
        assert!(refused(serde_json::json!({ "target": "web", "pth": "/" })).contains("unknown field `pth`"));
        assert!(refused(serde_json::json!({ "target": "web", "at_least": null })).contains("at_least"));
        assert!(refused(serde_json::json!({ "target": "web", "attempts": -1 })).contains("attempts"));
        assert!(refused(serde_json::json!({ "target": "web", "status": "ok" })).contains("is not an HTTP status"));
    }

    #[test]
    fn the_help_names_every_option() {
        let registry = Registry::empty().observer::<Probe, HttpService>();
        let signature = registry.signature("probe").expect("declared");
        assert!(signature.args.iter().all(|arg| !arg.doc.is_empty() && arg.required == (arg.name == "target")));
        let kind = |name: &str| signature.arg(name).expect(name).kind.to_string();
        let names =
            ["warn_latency", "path", "headers", "params", "equals", "at_least", "resource", "integrity", "min_free"];
        let kinds = [
            "duration",
            "string",
            "map",
            "array of anything",
            "anything",
            "number",
            r#""disk" | "memory""#,
            "bool",
            "int",
        ];
        assert_eq!(names.map(kind), kinds);
        let finite: Vec<_> = signature.fields.iter().filter(|f| f.kind.is_finite()).map(|f| f.name.as_str()).collect();
        assert_eq!(finite, ["down", "ok", "status"]);
    }
}
