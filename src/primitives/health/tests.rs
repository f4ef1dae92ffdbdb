//! How checks roll up.

use std::collections::BTreeSet;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use super::*;
use crate::config::TargetKind;
use crate::model::CaseResult;
use crate::primitives::probe::Status::{Fail, Pass, Warn};
use crate::primitives::targets::Machine;
use crate::primitives::{ArgType, Registry};
use crate::system::System;

/// Answers each probe with the status that its `path` names, once as many probes are under way as `crowd` says.
struct Stage {
    crowd: u32,
    under_way: AtomicU32,
}

impl Observer<Probe> for Stage {
    async fn observe(&self, args: &probe::Args, _: &Look) -> Result<probe::Output, Fault> {
        self.under_way.fetch_add(1, Ordering::SeqCst);
        while self.under_way.load(Ordering::SeqCst) < self.crowd {
            tokio::task::yield_now().await;
        }
        let status = match args.path.as_ref().and_then(|path| path.known()).map_or("pass", String::as_str) {
            "pass" => Pass,
            "warn" => Warn,
            "fail" => Fail,
            other => return Err(Fault::new("probe-misuse", format!("no {other}")).on(&args.target)),
        };
        let detail = format!("{status:?}").to_lowercase();
        let (ok, value) = (status != Fail, Value::Null);
        Ok(probe::Output { status, ok, down: false, latency_ms: 1.0, value, detail, attempts: 1 })
    }
}

async fn health(args: serde_json::Value) -> Result<Output, Fault> {
    let args: Args = Value::from_json(args).decode().expect("arguments");
    let crowd = u32::try_from(args.all_checks().len()).expect("few");
    let look = Look::new(Arc::new(System::new(PathBuf::new())));
    let stage = Stage { crowd, under_way: AtomicU32::new(0) };
    Observer::<Health>::observe(&stage, &args, &look).await
}

/// Checks called a, b, … that find this; those with a `?` are not critical.
async fn found(checks: &[&str]) -> Output {
    let check =
        |status: &&str| serde_json::json!({ "path": status.trim_end_matches('?'), "critical": !status.ends_with('?') });
    let names = ["a", "b", "c"].into_iter().map(str::to_owned);
    let checks: serde_json::Map<_, _> = names.zip(checks.iter().map(check)).collect();
    health(serde_json::json!({ "target": "web", "checks": checks })).await.expect("answers")
}

#[tokio::test]
async fn the_gravest_check_decides() {
    for (checks, status) in [
        (&["pass", "pass?"][..], Status::Healthy),
        (&["pass", "warn"], Status::Degraded),
        (&["pass", "fail?", "warn?"], Status::Degraded),
        (&["fail?"], Status::Degraded),
        (&["warn", "fail", "pass"], Status::Unhealthy),
    ] {
        let output = found(checks).await;
        assert_eq!((output.status, output.ok), (status, status == Status::Healthy), "{checks:?}");
    }
}

#[tokio::test]
async fn every_check_is_reported_by_name() {
    let output = found(&["pass", "fail?", "warn"]).await;
    let lines: Vec<_> = output.checks.iter().map(|c| (c.name.as_str(), c.critical, c.status)).collect();
    assert_eq!(lines, [("a", true, Pass), ("b", false, Fail), ("c", true, Warn)]);
    assert_eq!(output.detail, "1 of 3 checks pass; b: fail; c: warn");
}

#[tokio::test]
async fn without_checks_it_is_one_probe_and_with_none_it_is_misuse() {
    let output = health(serde_json::json!({ "target": "web" })).await.expect("answers");
    assert_eq!((output.status, output.checks[0].name.as_str()), (Status::Healthy, "probe"));
    let fault = health(serde_json::json!({ "target": "web", "checks": {} })).await.expect_err("refused");
    assert_eq!(fault.code, "health-misuse");
}

#[tokio::test]
async fn a_check_that_is_misused_is_named() {
    let checks = serde_json::json!({ "live": { "path": "such" } });
    let fault = health(serde_json::json!({ "target": "web", "checks": checks })).await.expect_err("refused");
    assert_eq!((fault.code.as_str(), fault.message.as_str()), ("probe-misuse", "check `live`: no such"));
    assert_eq!(fault.target.as_deref(), Some("web"));
}

#[test]
fn whatever_can_be_probed_has_a_health() {
    let registry = Registry::empty().observer::<Probe, Machine>().observer::<Health, Machine>();
    assert_eq!(registry.served_by(TargetKind::Host, "local"), BTreeSet::from(["health", "probe"]));
    let signature = registry.signature("health").expect("declared");
    assert_eq!(signature.arg("checks").expect("an argument").kind, ArgType::Map);
    let finite: Vec<_> = signature.fields.iter().filter(|f| f.kind.is_finite()).map(|f| f.name.as_str()).collect();
    assert_eq!(finite, ["ok", "status"]);
}

#[test]
fn cases_are_those_that_its_checks_can_bring() {
    let cases = |checks: serde_json::Value| {
        let args: Args =
            Value::from_json(serde_json::json!({ "target": "web", "checks": checks })).decode().expect("args");
        Health::cases(&args).into_iter().map(|case| case.name).collect::<Vec<_>>()
    };
    assert_eq!(cases(serde_json::json!({ "a": { "path": "/" } })), ["healthy", "unhealthy"]);
    assert_eq!(cases(serde_json::json!({ "a": { "path": "/", "critical": false } })), ["healthy", "degraded"]);
    let both = serde_json::json!({ "a": { "path": "/" }, "b": { "path": "/", "warn_latency": "1s" } });
    assert_eq!(cases(both), ["healthy", "unhealthy", "degraded"]);
    let args: Args = Value::from_json(serde_json::json!({ "target": "web" })).decode().expect("args");
    for case in Health::cases(&args) {
        let CaseResult::Returns(certain) = case.result else { panic!("a health does not throw") };
        assert_eq!(certain.get("ok"), Some(&Value::Bool(case.name == "healthy")));
        assert_eq!(certain.get("status"), Some(&Value::from(case.name)));
    }
}
