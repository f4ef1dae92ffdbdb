//! `--assume`: what the reader pins, and what is said of a slip.

use lifeboat::model::PlanVerdict;
use lifeboat::runtime::{Error, PlanRequest};

use crate::project::Project;
use crate::{completes, lines, plan};

/// Why this runbook, with this pinned, is not planned, and what to do.
fn refused(runbook: &str, pinned: &str) -> (String, String) {
    let project = Project::configured("", "");
    match plan(&project, runbook, &[pinned]).expect_err("it is refused") {
        Error::Refused { why, help } | Error::Params { why, help } => (why, help.expect("what to do")),
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_case_that_the_call_does_not_have_is_told_with_those_it_has() {
    let (why, help) = refused("probe(\"web\");", "probe(web)=broken");
    assert_eq!(why, "`probe(web)=broken`: `probe` cannot end in `broken`");
    assert!(help.starts_with("it can end in: pass, "), "{help}");
}

#[test]
fn an_assumption_that_no_call_meets_is_a_slip() {
    let (why, help) = refused("probe(\"web\");", "probe(primary)=fail");
    assert_eq!(why, "no call in the plan meets `probe(primary)=fail`");
    assert!(help.contains("spelling"), "{help}");
}

#[test]
fn a_primitive_that_does_not_exist_is_a_slip() {
    let (why, help) = refused("probe(\"web\");", "prob(web)=fail");
    assert_eq!(why, "`prob(web)=fail`: there is no primitive `prob`");
    assert_eq!(help, "did you mean `probe`?");
}

#[test]
fn without_a_target_every_call_of_the_primitive_is_meant() {
    let project = Project::configured("", "");
    let plan = completes(&project, "probe(\"web\");\nprobe(\"primary\");", &["probe=fail"]);
    assert_eq!(lines(&plan), ["pinned probe web", "pinned probe primary"]);
}

#[test]
fn it_holds_until_the_plan_itself_changes_the_target() {
    let project = Project::configured("independent = [[\"web\", \"primary\"]]", "");
    let runbook = r#"
        require(probe("web").down, "it answers");
        maintenance("web", "on");
        require(probe("web").ok, "it does not answer");
    "#;
    let plan = completes(&project, runbook, &["probe(web)=fail"]);
    assert_eq!(lines(&plan), ["pinned probe web", "predicted maintenance web", "assumed probe web"]);
}

#[test]
fn an_answer_can_be_pinned_too() {
    let project = Project::configured("", "");
    let plan = plan(&project, "confirm(\"Go on?\");", &["confirm=no"]).expect("it can be planned");
    assert_eq!(lines(&plan), ["pinned confirm"]);
    assert!(matches!(plan.verdict, lifeboat::model::PlanVerdict::Fails { .. }), "{:?}", plan.verdict);
}

#[test]
fn a_scenario_of_the_runbook_pins_what_it_says() {
    let project = Project::configured("", "");
    let runbook = "//! Mend.\n//! scenario: it is down: probe(web)=fail, confirm=yes\nrequire(probe(\"web\").down, \"up\");\nconfirm(\"Go?\");";
    let path = project.write("runbooks/planned.rhai", runbook);
    let lifeboat = project.builder().build().expect("it is configured");
    let with = |scenario: Option<&str>, besides: &[&str]| {
        let assumptions = besides.iter().map(|text| text.parse().expect("an assumption")).collect();
        lifeboat.plan(&PlanRequest { scenario: scenario.map(str::to_owned), assumptions, ..PlanRequest::new(&path) })
    };
    let plain = with(None, &[]).expect("it can be planned");
    assert!(matches!(plain.verdict, PlanVerdict::Fails { .. }), "the service is up");
    assert_eq!(plain.scenarios, ["it is down"]);
    let down = with(Some("it is down"), &[]).expect("it can be planned");
    assert_eq!(down.verdict, PlanVerdict::Completes);
    assert_eq!(down.assumptions, ["probe(web)=fail", "confirm=yes"]);
    // What is given besides counts first.
    let unsure = with(Some("it is down"), &["confirm=no"]).expect("it can be planned");
    assert!(matches!(unsure.verdict, PlanVerdict::Fails { .. }));
    let error = with(Some("it is up"), &[]).expect_err("there is no such scenario");
    assert_eq!(error.to_string(), "runbooks/planned.rhai has no scenario `it is up`");
}
