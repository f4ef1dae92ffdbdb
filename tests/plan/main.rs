//! Plans: what they say, how each line is known, and that they change nothing.
#![expect(clippy::disallowed_methods, reason = "tests set up, read and start what a plan meets")]

#[path = "../harness/project.rs"]
mod project;
#[path = "../harness/sandbox.rs"]
mod sandbox;

mod assumptions;
mod basis;
mod effect_free;
mod estimate;
mod evil_drivers;
mod failures;
mod format;
mod parallel;
mod repeats;
mod stale;
mod traced;
mod unknowns;

use lifeboat::model::{Plan, PlanVerdict};
use lifeboat::runtime::{Error, PlanRequest};
use project::Project;

/// Plans this runbook in this project, with what is pinned.
fn plan(project: &Project, runbook: &str, pinned: &[&str]) -> Result<Plan, Error> {
    let runbook = project.write("runbooks/planned.rhai", runbook);
    let assumptions = pinned.iter().map(|text| text.parse().expect("an assumption")).collect();
    let lifeboat = project.builder().build().expect("it is configured");
    lifeboat.plan(&PlanRequest { assumptions, ..PlanRequest::new(runbook) })
}

/// The same, and it comes to the end of the runbook.
fn completes(project: &Project, runbook: &str, pinned: &[&str]) -> Plan {
    let plan = plan(project, runbook, pinned).expect("it can be planned");
    assert_eq!(plan.verdict, PlanVerdict::Completes, "{:#?}", plan.nodes);
    plan
}

/// Each line in short: how it is known, the call, its targets.
fn lines(plan: &Plan) -> Vec<String> {
    let line = |line: &&lifeboat::model::PlanLine| {
        let basis = format!("{:?}", line.basis).to_lowercase();
        let mut words = vec![basis.as_str(), line.primitive.as_str()];
        words.extend(line.impact.targets.iter().map(String::as_str));
        words.join(" ")
    };
    plan.lines().iter().map(line).collect()
}
