//! Lifeboat inside another program, with a driver of its own: `probe` asks how long a queue of that program is.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering::SeqCst};

use lifeboat::config::{ConfigError, Environment, Target, TargetKind};
use lifeboat::journal::{Journal, MemoryJournal, RunQuery};
use lifeboat::model::{Fault, PlanVerdict, Value, Verdict};
use lifeboat::primitives::probe::{Args, Output, Probe, Status};
use lifeboat::primitives::{FromTarget, Observer, Registry};
use lifeboat::runtime::{Lifeboat, PlanRequest, RunRequest};
use lifeboat::system::Look;

static WAITING: AtomicI64 = AtomicI64::new(7);

struct Queue;

impl FromTarget for Queue {
    const DRIVER: &'static str = "queue";
    const KIND: TargetKind = TargetKind::Service;
    type Settings = std::collections::BTreeMap<String, u32>; // most have a struct, whose doc comments are the reference
    fn from_target(_: Self::Settings, _: &Target, _: &Environment) -> Result<Self, ConfigError> {
        Ok(Self)
    }
}

impl Observer<Probe> for Queue {
    async fn observe(&self, _: &Args, _: &Look) -> Result<Output, Fault> {
        let waiting = WAITING.load(SeqCst);
        let (status, detail) = (if waiting < 100 { Status::Pass } else { Status::Fail }, format!("{waiting} waiting"));
        let (ok, value) = (status == Status::Pass, Value::Int(waiting));
        Ok(Output { status, ok, down: false, latency_ms: 0.0, value, detail, attempts: 1 })
    }
}

const RUNBOOK: &str = r#"let queue = probe("orders");
require(queue.ok, `too long: ${queue.detail}`);
queue.value"#;

#[expect(clippy::disallowed_methods, reason = "a host may touch files; Lifeboat's own rooms may not")]
fn main() -> Result<(), Box<dyn std::error::Error>> {
    let project = tempfile::tempdir()?;
    let (config, runbook) = (project.path().join("lifeboat.toml"), project.path().join("drain.rhai"));
    std::fs::write(&config, "environments.test.services.orders.driver = \"queue\"")?;
    std::fs::write(&runbook, RUNBOOK)?;
    let (registry, journal) = (Registry::standard().observer::<Probe, Queue>(), Arc::new(MemoryJournal::new()));
    let lifeboat = Lifeboat::builder(config).registry(registry).journal(journal.clone()).build()?;
    assert_eq!(lifeboat.plan(&PlanRequest::new(&runbook))?.verdict, PlanVerdict::Completes);
    assert_eq!(lifeboat.run(&RunRequest::new(&runbook))?.verdict, Verdict::Completed(Value::Int(7)));
    WAITING.store(250, SeqCst);
    lifeboat.run(&RunRequest::new(&runbook))?;
    assert_eq!(journal.runs(&RunQuery::newest(1))?[0].why.as_deref(), Some("too long: 250 waiting"));
    Ok(())
}

#[test]
fn it_does_what_it_says() {
    main().expect("it runs");
}
