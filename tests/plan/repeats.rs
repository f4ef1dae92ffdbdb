//! `wait_until`, `hold` and `retry`: what a plan says of a body that it runs once.

use lifeboat::model::{Basis, Plan, PlanResult, PlanVerdict, Value};

use crate::project::Project;
use crate::{completes, lines, plan};

/// The fault with which the plan of this runbook ends, in a project whose service is ill.
fn failing(runbook: &str, pinned: &[&str]) -> (Plan, String) {
    let project = Project::configured("", "");
    project.web.fall_ill();
    let plan = plan(&project, runbook, pinned).expect("it can be planned");
    let PlanVerdict::Fails { fault } = &plan.verdict else { panic!("{:?}", plan.verdict) };
    let message = fault.message.clone();
    (plan, message)
}

#[test]
fn a_mistake_in_the_body_of_a_wait_is_not_waited_for() {
    for wait in ["wait_until(\"it answers\", || probe(\"web\"));", "hold(\"1m\", || probe(\"web\"));"] {
        let (plan, message) = failing(wait, &[]);
        assert!(message.ends_with("returned a value of type map, not true or false"), "{message}");
        assert!(matches!(plan.lines()[0].result, PlanResult::Throws(_)), "{wait}");
    }
}

#[test]
fn the_line_of_a_retry_says_what_its_body_gives_or_how_it_fails() {
    let project = Project::configured("", "");
    let plan = completes(&project, "retry(|| probe(\"web\").value)", &[]);
    assert_eq!(plan.lines()[0].result, PlanResult::Returns(Value::Int(200)));
    let (plan, message) = failing("retry(|| { require(probe(\"web\").ok, \"it is ill\"); })", &[]);
    assert_eq!((lines(&plan)[0].as_str(), message.as_str()), ("assumed retry", "it is ill"));
    assert!(matches!(&plan.lines()[0].result, PlanResult::Throws(fault) if fault.code == "requirement"));
}

#[test]
fn what_is_seen_not_to_hold_is_not_assumed_to() {
    let (plan, message) = failing("hold(\"1m\", #{ label: \"it is well\" }, || probe(\"web\").ok);", &[]);
    assert_eq!(lines(&plan), ["predicted hold", "observed probe web"]);
    assert!(message.starts_with("\"it is well\" did not hold from the beginning: probe web: 503"), "{message}");
    let (_, message) = failing("hold(\"1m\", || { require(probe(\"web\").ok, \"it is ill\"); true });", &[]);
    assert_eq!(message, "the condition did not hold from the beginning: it is ill");
}

#[test]
fn what_may_yet_come_true_is_assumed_to() {
    let project = Project::configured("", "");
    project.web.fall_ill();
    for runbook in [
        "hold(\"1m\", #{ tolerate: 1 }, || probe(\"web\").ok);",
        "wait_until(\"it answers\", || probe(\"web\").ok);",
        "maintenance(\"web\", \"on\"); hold(\"1m\", || !probe(\"web\").ok);",
    ] {
        let plan = completes(&project, runbook, &[]);
        assert!(plan.lines().iter().any(|line| line.primitive != "probe" && line.basis == Basis::Assumed), "{runbook}");
    }
}

#[test]
fn how_it_ends_can_be_pinned() {
    let body = "|| probe(\"web\").ok";
    let code = |runbook: &str, pinned: &str| {
        let project = Project::configured("", "");
        let plan = plan(&project, runbook, &[pinned]).expect("it can be planned");
        let basis = plan.lines()[0].basis;
        match plan.verdict {
            PlanVerdict::Fails { fault } => (fault.code, basis),
            other => panic!("{other:?}"),
        }
    };
    let wait = format!("wait_until(\"it answers\", {body});");
    assert_eq!(code(&wait, "wait_until=timeout"), ("timeout".to_owned(), Basis::Pinned));
    assert_eq!(code(&format!("hold(\"1m\", {body});"), "hold=not-held"), ("not-held".to_owned(), Basis::Pinned));
    assert_eq!(code(&format!("retry({body});"), "retry=fails"), ("retry".to_owned(), Basis::Pinned));

    let project = Project::configured("", "");
    project.web.fall_ill();
    let plan = completes(&project, &format!("hold(\"1m\", {body});"), &["hold=holds"]);
    assert_eq!(lines(&plan), ["pinned hold", "observed probe web"]);
    let refused = crate::plan(&project, &wait, &["wait_until=never"]).expect_err("it cannot end so");
    assert!(refused.to_string().contains("`wait_until` cannot end in `never`"), "{refused}");
}
