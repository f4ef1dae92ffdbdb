//! Drivers that are programs of their own, in whole plans and runs: the example in Python, and what becomes of a run when it lies or
//! breaks.

use std::os::unix::fs::PermissionsExt as _;

use lifeboat::model::{Basis, EventBody, PlanResult, Value};
use lifeboat::runtime::{Error, PlanRequest, Status};

use crate::project::Project;
use crate::trial::{Told, Trial};
use crate::valve;

const EXAMPLE: &str = include_str!("../../examples/drivers/lifeboat-driver-flag");

const DECLARED: &str = "[drivers.flag]\nprogram = [\"./driver\"]\n\
    [environments.test.services.door]\ndriver = \"external:flag\"\nflag = \"door.flag\"\n";

const RUNBOOK: &str = r#"
let before = maintenance("door");
step "Close" {
    maintenance("door", "on");
} rollback {
    maintenance("door", before);
}
step "Open south" {
    turn("south", "open");
}
require(maintenance("door") == "on", "it is closed");
"#;

/// A trial of the runbook with the example, `right` in it replaced by `wrong`.
fn trial(runbook: &str, right: &str, wrong: &str) -> (Trial, Project) {
    assert!(EXAMPLE.contains(right), "the example has no `{right}`");
    let trial = Trial::of(runbook).table(DECLARED).file("driver", &EXAMPLE.replace(right, wrong));
    let project = trial.project();
    let mode = std::fs::Permissions::from_mode(0o755);
    std::fs::set_permissions(project.path("driver"), mode).expect("it may be executed");
    (trial, project)
}

fn run(runbook: &str, right: &str, wrong: &str) -> Told {
    let (trial, project) = trial(runbook, right, wrong);
    trial.run_in(project)
}

fn evidence(told: &Told) -> Vec<String> {
    let of = |body: &EventBody| match body {
        EventBody::Settled(settled) => settled.evidence.clone(),
        _ => None,
    };
    told.heard.iter().filter_map(|event| of(&event.body)).collect()
}

#[test]
fn a_run_uses_it_as_any_other_driver_and_records_which_program_it_was() {
    let told = run(RUNBOOK, "", "");
    assert_eq!(told.status(), Status::Completed, "{:?}", told.recorded());
    let flag = told.project.read("door.flag");
    assert_eq!(flag, format!("on\n{}/2 off\n", told.ran().id), "one call changed it, with its key");
    let started = told.heard.iter().find_map(|event| match &event.body {
        EventBody::Started(started) => Some(started.digests.clone()),
        _ => None,
    });
    assert_eq!(started.expect("an event")["driver flag"].len(), 64);
}

#[test]
fn what_it_did_is_rolled_back() {
    let runbook = RUNBOOK.replace("turn(\"south\", \"open\");", "require(false, \"enough\");");
    let told = run(&runbook, "", "");
    assert_eq!(told.status(), Status::RolledBack, "{:?}", told.recorded());
    assert!(told.project.read("door.flag").starts_with("off\n"));
}

#[test]
fn a_plan_changes_nothing_and_says_what_the_driver_foresees() {
    let (_, project) = trial(RUNBOOK, "", "");
    let path = project.write("runbooks/plan.rhai", r#"let was = maintenance("door"); maintenance("door", "on");"#);
    let lifeboat = project.builder().registry(valve::registry()).build().expect("it is configured");
    let plan = lifeboat.plan(&PlanRequest::new(path)).expect("it is planned");
    let known: Vec<_> = plan.lines().iter().map(|line| line.basis).collect();
    assert_eq!(known, [Basis::Observed, Basis::Predicted]);
    assert_eq!(plan.lines()[1].summary, "the flag: off → on");
    assert_eq!(plan.lines()[1].result, PlanResult::Returns(Value::from("off")));
    assert_eq!(plan.digests["driver flag"].len(), 64);
    assert!(!project.path("door.flag").exists());
}

#[test]
fn a_driver_that_lies_in_its_preview_cannot_be_prevented() {
    let lie = "open(path, \"w\").write(\"on\\n\")\n    if what == \"preview\":";
    let (_, project) = trial(RUNBOOK, "if what == \"preview\":", lie);
    let path = project.write("runbooks/plan.rhai", r#"maintenance("door", "on");"#);
    let lifeboat = project.builder().registry(valve::registry()).build().expect("it is configured");
    lifeboat.plan(&PlanRequest::new(path)).expect("it is planned");
    assert_eq!(project.read("door.flag"), "on\n", "declaring a driver is trusting it");
}

#[test]
fn a_crash_after_the_effect_is_settled_by_evidence() {
    let told = run(RUNBOOK, "os.replace(path + \".new\", path)", "os.replace(path + \".new\", path); os._exit(9)");
    assert_eq!(told.status(), Status::Completed, "{:?}", told.recorded());
    assert_eq!(evidence(&told).len(), 1);
    assert!(evidence(&told)[0].ends_with("names 1 calls"), "{:?}", evidence(&told));
}

#[test]
fn a_crash_before_the_effect_is_rolled_back_and_one_of_which_nothing_is_known_is_in_doubt() {
    let crash = "wanted == \"on\" and os._exit(9); os.replace(path + \".new\", path)";
    let told = run(RUNBOOK, "os.replace(path + \".new\", path)", crash);
    assert_eq!((told.status(), told.fault().code.as_str()), (Status::RolledBack, "driver-failed"));
    assert!(told.project.read("door.flag").starts_with("off\n"));
    let crash = "if what in (\"perform\", \"reconcile\"):\n        os._exit(9)\n    if what == \"observe\":";
    let told = run(RUNBOOK, "if what == \"observe\":", crash);
    assert_eq!(told.status(), Status::InDoubt, "{:?}", told.recorded());
}

#[test]
fn what_no_driver_serves_is_found_before_anything_is_done() {
    let (trial, project) = trial(r#"probe("door");"#, "", "");
    let told = trial.run_in(project);
    let Err(Error::Check { findings, .. }) = &told.ran else { panic!("{:?}", told.ran.as_ref().map(|ran| ran.status)) };
    assert!(findings[0].message.contains("`probe` does not work on `door`: a service served by flag"));
    let told = run(RUNBOOK, "print(json", "sys.exit(4); print(json");
    let Err(Error::Config(mistakes)) = &told.ran else { panic!("it was started") };
    assert!(mistakes[0].message.contains("ended with exit code 4 (asked to `describe`)"), "{}", mistakes[0].message);
    assert!(mistakes[0].span.is_some() && !told.project.path("door.flag").exists());
}

#[test]
fn a_declared_driver_may_not_hide_one_that_lifeboat_brings() {
    let table = "[drivers.tcp]\nprogram = [\"./driver\"]\n[environments.test.services.door]\ndriver = \"tcp\"\naddress = \"h:1\"";
    let told = Trial::of("log(\"x\");").table(table).run();
    let Err(Error::Config(mistakes)) = &told.ran else { panic!("it was started") };
    assert_eq!(mistakes[0].message, "`tcp` is a driver that Lifeboat brings");
}
