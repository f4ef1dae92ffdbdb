//! What plans and runs cost inside a process that is up already. For cold processes see `scripts/bench`.
//!
//! `cargo bench --bench plan`
#![expect(clippy::disallowed_methods, reason = "a bench prepares its own project")]

use std::path::PathBuf;
use std::sync::Arc;

use lifeboat::journal::{Journal, LibsqlJournal, MemoryJournal};
use lifeboat::model::Plan;
use lifeboat::runtime::{Lifeboat, PlanRequest, Ran, RunRequest, Status};

fn main() {
    divan::main();
}

const CONFIG: &str = r#"
[environments.bench.services.web]
driver = "http"
url = "http://127.0.0.1:9/"
maintenance_file = "maintenance"
"#;

const ONE_STEP: &str = r#"
step "Close the service" {
    maintenance("web", "on");
} rollback {
    maintenance("web", "off");
}
"#;

/// A project with one runbook, in a directory that goes with it.
struct Project {
    dir: tempfile::TempDir,
}

impl Project {
    fn with(runbook: &str) -> Self {
        let dir = tempfile::tempdir().expect("a directory");
        std::fs::write(dir.path().join("lifeboat.toml"), CONFIG).expect("a configuration");
        std::fs::write(dir.path().join("bench.rhai"), runbook).expect("a runbook");
        Self { dir }
    }

    fn runbook(&self) -> PathBuf {
        self.dir.path().join("bench.rhai")
    }

    fn open(&self, journal: Arc<dyn Journal>) -> Lifeboat {
        let builder = Lifeboat::builder(self.dir.path().join("lifeboat.toml")).journal(journal);
        builder.build().expect("it is configured")
    }

    fn file(&self) -> Arc<dyn Journal> {
        Arc::new(LibsqlJournal::open(self.dir.path().join("journal.db")).expect("a journal"))
    }
}

fn plan(lifeboat: &Lifeboat, project: &Project) -> Plan {
    lifeboat.plan(&PlanRequest::new(project.runbook())).expect("it can be planned")
}

fn run(lifeboat: &Lifeboat, project: &Project) -> Ran {
    let ran = lifeboat.run(&RunRequest::new(project.runbook())).expect("it can be run");
    assert_eq!(ran.status, Status::Completed);
    ran
}

fn hundred() -> Project {
    Project::with(&"log(\"an effect\");\n".repeat(100))
}

/// Opens the project and plans: what a cold process does, without the process.
#[divan::bench]
fn open_and_plan_one_step(bencher: divan::Bencher) {
    let project = Project::with(ONE_STEP);
    bencher.bench_local(|| plan(&project.open(Arc::new(MemoryJournal::new())), &project));
}

#[divan::bench]
fn plan_one_step(bencher: divan::Bencher) {
    let project = Project::with(ONE_STEP);
    let lifeboat = project.open(Arc::new(MemoryJournal::new()));
    bencher.bench_local(|| plan(&lifeboat, &project));
}

#[divan::bench]
fn run_hundred_effects_in_memory(bencher: divan::Bencher) {
    let project = hundred();
    let lifeboat = project.open(Arc::new(MemoryJournal::new()));
    bencher.bench_local(|| run(&lifeboat, &project));
}

#[divan::bench(sample_count = 20)]
fn run_hundred_durable_effects(bencher: divan::Bencher) {
    let project = hundred();
    let lifeboat = project.open(project.file());
    bencher.bench_local(|| run(&lifeboat, &project));
}
