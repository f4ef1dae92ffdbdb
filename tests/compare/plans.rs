//! Two plans compared: which calls are the same, which are not, and what fails in another way.

use lifeboat::model::{CallChange, ImpactKind, PlanDiff};
use lifeboat::runtime::PlanRequest;

use crate::project::Project;

const TOOLS: &str = r#"
[environments.test.tools.wipe]
driver = "command"
program = ["true"]
impact = "destroy"

[environments.test.tools.turn]
driver = "command"
program = ["true"]
impact = "change"
"#;

fn compared(before: &str, after: &str) -> PlanDiff {
    let project = Project::configured("", TOOLS);
    let lifeboat = project.builder().build().expect("it is configured");
    let plan = |text: &str| {
        let runbook = project.write("runbooks/it.rhai", text);
        let request = PlanRequest { offline: true, ..PlanRequest::new(runbook) };
        lifeboat.plan(&request).unwrap_or_else(|error| panic!("{:?}", miette::Report::new(error)))
    };
    plan(before).diff(&plan(after))
}

/// Each call in short: `added exec wipe: what`.
fn calls(diff: &PlanDiff) -> Vec<String> {
    let call = |call: &lifeboat::model::CallDiff| {
        let what = if call.what.is_empty() { String::new() } else { format!(": {}", call.what.join("; ")) };
        let back = if call.in_rollback { " in a rollback" } else { "" };
        format!("{:?} {} {}{back}{what}", call.change, call.primitive, call.targets.join(",")).to_lowercase()
    };
    diff.calls.iter().map(call).collect()
}

/// Each way of failing in short.
fn failures(diff: &PlanDiff) -> Vec<String> {
    let failure = |failure: &lifeboat::model::FailureDiff| {
        let worse = if failure.worse { "worse" } else { "other" };
        let (was, is) = (failure.before, failure.after);
        format!("{worse} {} → {}: {was:?} {is:?} {}", failure.call, failure.way, failure.what.join("; "))
    };
    diff.failures.iter().map(failure).collect()
}

#[test]
fn lines_that_move_and_comments_are_no_difference() {
    let before = "maintenance(\"web\", \"on\");\nprobe(\"web\");";
    let after = "// Nobody writes meanwhile.\n\nmaintenance(\"web\", \"on\");\n\nprobe(\"web\"); // is it well?";
    let diff = compared(before, after);
    assert!(diff.is_empty(), "{diff:#?}");
}

#[test]
fn what_destroys_comes_first_whatever_its_place() {
    let diff = compared("log(\"a\");", "log(\"a\");\nlog(\"b\");\nexec(\"turn\", []);\nexec(\"wipe\", []);");
    let kinds: Vec<ImpactKind> = diff.calls.iter().map(|call| call.kind).collect();
    assert_eq!(kinds[..2], [ImpactKind::Destroy, ImpactKind::Change], "{diff:#?}");
    assert_eq!(diff.count(CallChange::Added), 3);
}

#[test]
fn an_argument_is_named_with_both_values() {
    let diff = compared("exec(\"turn\", [\"left\"]);", "exec(\"turn\", [\"right\"]);");
    assert_eq!(calls(&diff), ["changed exec turn: `args` was [\"left\"], and is [\"right\"]"]);
}

#[test]
fn a_call_that_changes_its_place_has_moved_and_is_neither_new_nor_gone() {
    let diff = compared(
        "exec(\"turn\", [\"a\"]);\nexec(\"turn\", [\"b\"]);\nexec(\"wipe\", []);",
        "exec(\"wipe\", []);\nexec(\"turn\", [\"a\"]);\nexec(\"turn\", [\"b\"]);",
    );
    assert_eq!(calls(&diff), ["moved exec wipe"]);
}

#[test]
fn a_call_more_among_others_of_its_kind_leaves_those_alone() {
    let diff = compared(
        "exec(\"turn\", [\"a\"]);\nexec(\"turn\", [\"c\"]);",
        "exec(\"turn\", [\"a\"]);\nexec(\"turn\", [\"b\"]);\nexec(\"turn\", [\"c\"]);",
    );
    let [call] = diff.calls.as_slice() else { panic!("{diff:#?}") };
    assert_eq!((call.change, call.after.as_ref().map(|site| site.line)), (CallChange::Added, Some(2)));
}

#[test]
fn a_rollback_that_is_gone_is_said_and_what_that_leaves_changed() {
    let step = "step \"Stop writes\" { maintenance(\"web\", \"on\"); }";
    let diff = compared(
        &format!("{step} rollback {{ maintenance(\"web\", \"off\"); }}\nexec(\"turn\", []);"),
        &format!("{step}\nexec(\"turn\", []);"),
    );
    assert_eq!(diff.besides, ["step \"Stop writes\" has no rollback any more"]);
    assert_eq!(calls(&diff), ["removed maintenance web in a rollback"]);
    let worse = "worse exec turn → failed: Some(Restored) Some(LeftChanged) leaves changed: maintenance web on; \
                 no longer rolls back: Stop writes";
    assert!(failures(&diff).contains(&worse.to_owned()), "{:#?}", failures(&diff));
}

#[test]
fn what_is_rolled_back_inside_is_compared_too() {
    let runbook = |state: &str| {
        format!("step \"S\" {{ maintenance(\"web\", \"on\"); }} rollback {{ maintenance(\"web\", \"{state}\"); }}")
    };
    let diff = compared(&runbook("off"), &runbook("on"));
    assert_eq!(calls(&diff), ["changed maintenance web in a rollback: `state` was off, and is on"]);
}

#[test]
fn a_channel_that_is_told_no_longer_makes_a_failure_worse() {
    let before = "try { exec(\"turn\", []); } catch (fault) { notify(\"incidents\", \"it failed\"); throw fault; }";
    let after = "exec(\"turn\", []);";
    let diff = compared(before, after);
    let silent = |failure: &&lifeboat::model::FailureDiff| {
        failure.worse && failure.what.contains(&"no longer tells: incidents".to_owned())
    };
    assert!(diff.failures.iter().any(|failure| silent(&failure)), "{:#?}", failures(&diff));
}

#[test]
fn a_step_that_is_called_otherwise_is_one_difference() {
    let diff = compared(
        "step \"A\" { probe(\"web\"); exec(\"turn\", []); log(\"done\"); }",
        "step \"B\" { probe(\"web\"); exec(\"turn\", []); log(\"done\"); }",
    );
    assert_eq!(diff.besides, ["step \"A\" is \"B\" now"]);
    assert_eq!(diff.calls, []);
}

#[test]
fn a_branch_more_is_its_calls_and_nothing_else() {
    let runbook = |hosts: &str| format!("parallel([{hosts}], |host| {{ exec(\"turn\", [host]); }});");
    let diff = compared(&runbook("\"a\", \"b\""), &runbook("\"a\", \"b\", \"c\""));
    let [call] = diff.calls.as_slice() else { panic!("{diff:#?}") };
    assert_eq!((call.change, call.summary.contains('c')), (CallChange::Added, true));
}

#[test]
fn what_lies_behind_a_failure_is_said_not_to_be_compared() {
    let diff = compared("throw \"no\";\nexec(\"wipe\", []);", "throw \"no\";\nexec(\"turn\", []);");
    assert_eq!(diff.calls, []);
    assert!(diff.cut_short.as_ref().is_some_and(|why| why.contains("no")), "{:?}", diff.cut_short);
}

#[test]
fn how_it_ends_is_compared() {
    let diff = compared("log(\"a\");", "log(\"a\");\nthrow \"no\";");
    let (was, is) = diff.ends.expect("it ends in another way");
    assert_eq!(was, "completes");
    assert!(is.starts_with("would fail: no"), "{is}");
}

#[test]
fn parameters_are_compared() {
    let runbook = |version: &str| format!("param version: string = \"{version}\";\nexec(\"turn\", [version]);");
    let diff = compared(&runbook("v1"), &runbook("v2"));
    assert_eq!(diff.besides, ["parameter `version` was v1, and is v2"]);
    assert_eq!(calls(&diff), ["changed exec turn: `args` was [\"v1\"], and is [\"v2\"]"]);
}

#[test]
fn nothing_is_looked_at() {
    let project = Project::configured("", "");
    let runbook = project.write("runbooks/it.rhai", "probe(\"web\");\nbackup(\"primary\");");
    let lifeboat = project.builder().build().expect("it is configured");
    let plan = lifeboat.plan(&PlanRequest { offline: true, ..PlanRequest::new(runbook) }).expect("it is planned");
    assert_eq!(project.web.requests(), 0);
    assert!(plan.lines().iter().all(|line| line.because.as_deref() == Some("nothing was looked at")), "{plan:#?}");
}
