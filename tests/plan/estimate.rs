//! How long a plan takes, from what its calls took in earlier runs.

use std::sync::Arc;

use lifeboat::journal::{Journal, MemoryJournal};
use lifeboat::model::{Estimate, Fits, Plan};
use lifeboat::runtime::{PlanRequest, RunRequest, Status, estimate};

use crate::project::Project;

/// Runs `runbook` so many times, and says how long `planned` takes after that.
fn estimated(runbook: &str, times: usize, planned: &str) -> (Plan, Estimate) {
    let project = Project::configured("", "");
    project.database(10);
    let journal: Arc<dyn Journal> = Arc::new(MemoryJournal::new());
    let lifeboat = project.builder().journal(journal.clone()).build().expect("it is configured");
    let run = project.write("runbooks/run.rhai", runbook);
    for _ in 0..times {
        let ran = lifeboat.run(&RunRequest::new(&run)).expect("it can run");
        assert_eq!(ran.status, Status::Completed, "{runbook}");
    }
    let planned = project.write("runbooks/planned.rhai", planned);
    let mut plan = lifeboat.plan(&PlanRequest::new(planned)).expect("it can be planned");
    estimate(&mut plan, Some(&*journal)).expect("the journal can be read");
    let estimate = plan.estimate.clone().expect("it was looked up");
    (plan, estimate)
}

#[test]
fn what_was_never_run_is_named_and_not_counted() {
    let (_, found) = estimated("log(\"nothing\");", 1, "//! One.\n//! rto: 1m\nsleep(\"2s\");\nbackup(\"primary\");");
    assert_eq!((found.median_ms, found.longest_ms), (2_000, 2_000), "what the runbook itself says is known");
    assert_eq!(found.unknown, ["backup primary"]);
    assert_eq!(found.fits(), None, "what nobody has measured may be what takes long");
    let known = estimated("log(\"nothing\");", 1, "//! One.\n//! rto: 1m\nsleep(\"2s\");").1;
    assert_eq!(known.fits(), Some(Fits::Yes));
}

#[test]
fn calls_take_what_they_took_in_runs_of_the_same_environment() {
    let runbook = "backup(\"primary\");\nwait_until(\"it is well\", #{ timeout: \"5s\" }, || probe(\"web\").ok);";
    let (plan, found) = estimated(runbook, 3, runbook);
    let took =
        |primitive: &str| plan.lines().iter().find(|line| line.primitive == primitive).and_then(|line| line.took);
    assert_eq!(took("backup").map(|took| took.times), Some(3));
    assert_eq!(took("wait_until").map(|took| took.times), Some(3), "by its label");
    let calls: Vec<&str> = found.critical.iter().map(|slow| slow.call.as_str()).collect();
    assert_eq!((calls[0], calls.len()), ("backup primary", 2), "the wait contains its probe");
    assert_eq!((found.runs, &found.unknown[..], found.rto_ms), (3, &[][..], None));
    assert!(found.longest_ms >= found.median_ms && found.median_ms > 0);
}

#[test]
fn branches_go_on_at_the_same_time_and_the_longest_counts() {
    let planned = r#"
parallel(["1s", "2s", "4s"], #{ at_most: 2 }, |pause| { sleep(pause); });
sleep("10s");
"#;
    let (_, found) = estimated("log(\"nothing\");", 1, planned);
    assert_eq!(found.median_ms, 15_000, "1s, then 4s in its place, beside 2s; then 10s");
    assert_eq!(found.critical[0].call, "sleep");
}

#[test]
fn an_objective_that_cannot_be_met_is_told() {
    let slow = "//! Slow.\n//! rto: 5s\nsleep(\"6s\");";
    assert_eq!(estimated("log(\"nothing\");", 0, slow).1.fits(), Some(Fits::No));
    let unknown = "//! Unknown.\n//! rto: 5s\nbackup(\"primary\");";
    assert_eq!(estimated("log(\"nothing\");", 0, unknown).1.fits(), None, "nothing is known of it");
}
