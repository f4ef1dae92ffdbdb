//! Explorations: every path once, none that cannot be, and what ends badly is found.
#![expect(clippy::disallowed_methods, reason = "tests set up what an exploration is about")]

#[path = "../harness/project.rs"]
#[expect(dead_code, reason = "nothing outside is touched here, so little of it is needed")]
mod project;

mod bounds;
mod incidents;
mod invariants;
mod paths;
mod policy;
mod restored;
mod shipped;
mod tree;

use lifeboat::model::{Exploration, StoryLine};
use lifeboat::runtime::{Error, ExploreRequest};
use project::Project;

/// Explores this runbook in the usual project, whatever fails.
fn request(project: &Project, runbook: &str) -> ExploreRequest {
    ExploreRequest { faults: None, ..ExploreRequest::new(project.write("runbooks/explored.rhai", runbook)) }
}

fn explore(request: &ExploreRequest, project: &Project) -> Result<Exploration, Error> {
    project.builder().build().expect("it is configured").explore(request)
}

/// The same in a new project; nothing is wrong with the runbook, and no bound is hit.
fn explored(runbook: &str) -> Exploration {
    let project = Project::configured("", "");
    let exploration = explore(&request(&project, runbook), &project).expect("it can be explored");
    assert_eq!((&exploration.bounds[..], &exploration.stuck[..]), (&[][..], &[][..]), "{runbook}");
    exploration
}

/// How many paths there are: all, to the end, restored, left changed.
fn counts(exploration: &Exploration) -> [u64; 4] {
    let counts = &exploration.paths;
    [counts.all, counts.well, counts.restored, counts.left_changed]
}

fn told(story: &[StoryLine]) -> Vec<String> {
    story.iter().map(|line| format!("{} {}", line.site.line, line.text)).collect()
}
