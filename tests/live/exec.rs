//! `exec` in whole runs and plans: what a lost outcome leads to, and what a plan starts.

use lifeboat::model::{Applied, Basis, EventBody, ImpactKind, PlanResult, Value};
use lifeboat::runtime::{PlanRequest, Status};

use crate::trial::{Told, Trial};
use crate::valve;

/// A tool `NAME` that carries out `script` in the project's directory, and its other settings.
fn tool(name: &str, script: &str, settings: &str) -> String {
    format!(
        "[environments.test.tools.{name}]\ndriver = \"command\"\nprogram = [\"sh\", \"-c\", '{script}', \"sh\"]\n{settings}"
    )
}

const RUNBOOK: &str = r#"
step "Open south" {
    turn("south", "open");
} rollback {
    turn("south", "closed");
}
step "Promote" {
    let out = exec("pg", ["promote"]);
    require(out.ok, "it says so");
} rollback {
    exec("pg", ["demote"]);
}
"#;

fn promoting(script: &str, settings: &str) -> Told {
    Trial::of(RUNBOOK).table(&tool("pg", script, settings)).run()
}

fn evidence(told: &Told) -> Vec<String> {
    let of = |body: &EventBody| match body {
        EventBody::Settled(settled) => settled.evidence.clone(),
        _ => None,
    };
    told.heard.iter().filter_map(|event| of(&event.body)).collect()
}

#[test]
fn a_program_that_succeeds_is_started_once_with_the_key_of_its_call() {
    let told = promoting("echo $1 $LIFEBOAT_IDEMPOTENCY_KEY >> done", "");
    assert_eq!(told.status(), Status::Completed);
    assert_eq!(told.project.read("done"), format!("promote {}/3\n", told.ran().id));
    assert!(told.recorded().contains(&"intend exec pg".to_owned()), "{:?}", told.recorded());
}

#[test]
fn a_failure_that_the_check_finds_applied_lets_the_run_go_on() {
    let told = promoting("echo $1 >> done; exit 1", r#"check = ["grep", "-q", "promote", "done"]"#);
    assert_eq!(told.status(), Status::Completed, "{:?}", told.recorded());
    assert_eq!(told.project.read("done"), "promote\n", "it is not done twice");
    assert_eq!(evidence(&told), ["`grep -q promote done` ended with exit code 0"]);
}

#[test]
fn a_failure_that_the_check_finds_not_applied_is_rolled_back() {
    let script = "echo $1 >> done; test $1 = demote";
    let told = promoting(script, r#"check = ["test", "!", "-e", "done"]"#);
    assert_eq!((told.status(), told.fault().applied), (Status::RolledBack, Applied::No), "{:?}", told.recorded());
    assert_eq!(told.fault().code, "exec-failed");
    assert_eq!(told.project.read("done"), "promote\ndemote\n");
    assert_eq!(told.open_valves(), [""; 0]);
}

#[test]
fn a_failure_of_which_nothing_is_known_ends_the_run_in_doubt() {
    for check in ["", r#"check = ["sh", "-c", "exit 2"]"#] {
        let told = promoting("echo $1 >> done; exit 1", check);
        assert_eq!(told.status(), Status::InDoubt, "{:?}", told.recorded());
        assert_eq!(told.project.read("done"), "promote\n", "nothing is undone");
        assert_eq!(told.open_valves(), ["south"]);
    }
}

#[test]
fn a_run_that_is_asked_to_stop_ends_the_program_and_still_asks_the_check() {
    let script = "if [ $1 = demote ]; then rm -f done; exit; fi; echo $1 >> done; while :; do sleep 0.05; done";
    let table = tool("pg", script, r#"check = ["test", "-e", "done"]"#);
    // Asked just before the program starts: whether or not it comes to its first line, the check knows.
    let events = Trial::of(RUNBOOK).table(&tool("pg", "exit 0", "")).run().recorded();
    let intended = events.iter().position(|line| line == "intend exec pg").expect("it is intended");
    let told = Trial::of(RUNBOOK).table(&table).stop_at(intended).run();
    assert_eq!(told.status(), Status::Cancelled, "{:?}", told.recorded());
    assert_eq!(evidence(&told).len(), 1, "{:?}", told.recorded());
    assert_eq!((told.project.read("done").as_str(), told.open_valves()), ("", vec![]));
}

#[test]
fn a_plan_starts_what_is_declared_to_look_and_nothing_else() {
    let runbook = r#"
        let state = exec("state");
        if state.stdout == "up\n" { exec("change", ["x"]); }
        exec("state");
    "#;
    let state = tool("state", "echo up; echo x >> looked", "impact = \"look\"");
    let change = tool("change", "touch changed", "");
    let project = Trial::of(runbook).table(&state).table(&change).project();
    let path = project.write("runbooks/plan.rhai", runbook);
    let plan = project
        .builder()
        .registry(valve::registry())
        .build()
        .expect("it is configured")
        .plan(&PlanRequest::new(path))
        .expect("it is planned");
    let lines = plan.lines();
    let known: Vec<_> = lines.iter().map(|line| (line.impact.kind, line.basis)).collect();
    assert_eq!(
        known,
        [(ImpactKind::Look, Basis::Observed), (ImpactKind::Change, Basis::Assumed), (ImpactKind::Look, Basis::Assumed),],
        "after a change a look would tell nothing"
    );
    assert_eq!(project.read("looked"), "x\n");
    assert!(!project.path("changed").exists());
    let PlanResult::Returns(output) = &lines[1].result else { panic!("{:?}", lines[1].result) };
    assert_eq!((output.get("ok"), output.get("code")), (Some(&Value::Bool(true)), Some(&Value::Int(0))));
    assert!(output.get("stdout").expect("a field").find_unknown().is_some());
    assert_eq!(lines[1].because.as_deref(), Some("what the program does is not known before the run"));
}

#[test]
fn a_plan_shows_every_call_of_a_tool_and_foresees_what_it_refuses() {
    let table = tool("pg", "exit 0", "allow = [\"promote\"]");
    let project = Trial::of(RUNBOOK).table(&table).project();
    let path = project.write("runbooks/plan.rhai", r#"exec("pg", ["promote"]); exec("pg", ["demote"]);"#);
    let lifeboat = project.builder().registry(valve::registry()).build().expect("it is configured");
    let plan = lifeboat.plan(&PlanRequest::new(path)).expect("it is planned");
    let lines = plan.lines();
    assert!(lines[1].summary.ends_with(" sh demote"), "also after the first call: {}", lines[1].summary);
    assert_eq!(lines[1].because.as_deref(), Some("after exec pg at line 1"));
    let note = lines[1].notes.last().expect("a note");
    assert!(note.starts_with("as things are now it would fail: tool pg does not take `demote`"), "{note}");
}

#[test]
fn a_look_that_waits_ends_with_its_run() {
    let table = tool("state", "echo $$ > pid; while :; do sleep 0.05; done", "impact = \"look\"");
    let told = Trial::of("log(\"before\"); exec(\"state\");").table(&table).stop_at(1).run();
    assert_eq!(told.status(), Status::Cancelled);
}
