//! Saved plans: what was reviewed is what runs, and whatever moved is named.
#![expect(clippy::disallowed_methods, reason = "tests move what a plan was made of")]

#[path = "../harness/project.rs"]
#[expect(dead_code, reason = "little of it is needed here")]
mod project;

mod approved;
mod held;
mod moved;

use std::sync::Arc;

use lifeboat::model::SavedPlan;
use lifeboat::runtime::{Lifeboat, PlanRequest, Ran, RunRequest};
use project::Project;

/// A tool that changes something outside, as far as anybody knows.
const TOOL: &str = "[environments.test.tools.turn]\ndriver = \"command\"\nprogram = [\"sh\", \"-c\", '''SCRIPT''', \"sh\"]\nimpact = \"change\"\n";

/// The tool `turn`, which carries out `script` in the project's directory.
fn tool(script: &str) -> String {
    TOOL.replace("SCRIPT", script)
}

fn lifeboat(project: &Project) -> Lifeboat {
    project.builder().build().expect("it is configured")
}

/// The plan of this runbook, written into a file and read from it again.
fn saved(project: &Project, runbook: &str) -> SavedPlan {
    let runbook = project.write("runbooks/planned.rhai", runbook);
    let plan = lifeboat(project).plan(&PlanRequest::new(runbook)).expect("it can be planned");
    let file = project.path("plan.json");
    SavedPlan::of(plan, &[]).and_then(|saved| saved.write(&file)).expect("it can be written");
    SavedPlan::read(&file).expect("it can be read")
}

fn run(project: &Project, plan: SavedPlan) -> Ran {
    let request = RunRequest { plan: Some(Arc::new(plan)), ..RunRequest::default() };
    lifeboat(project).run(&request).expect("nothing has moved")
}
