//! Values that cannot be known before the run: they flow into texts, and are never passed off as facts.

use lifeboat::model::{Plan, PlanVerdict, Unknown, Value};

use crate::project::Project;
use crate::{completes, plan};

/// What a plan of this runbook stops with: why, where, what to do.
fn stops(runbook: &str) -> (String, String, String) {
    let project = Project::configured("", "");
    project.database(10);
    let plan: Plan = plan(&project, runbook, &[]).expect("it can be planned");
    let PlanVerdict::Stops { why, site, hint } = plan.verdict else { panic!("{runbook}: {:?}", plan.verdict) };
    (why, site.expect("a place").to_string(), hint.expect("what to do"))
}

#[test]
fn a_text_with_an_unknown_in_it_is_unknown_and_shows_it() {
    let project = Project::configured("", "");
    project.database(10);
    let runbook = "let taken = backup(\"primary\");\nlog(`took ${taken.id} of ${taken.target}`);";
    let plan = completes(&project, runbook, &[]);
    let line = plan.lines()[1];
    assert_eq!(line.summary, "took ‹backup:primary.id› of primary");
    let text = Unknown::text("took ‹backup:primary.id› of primary");
    assert_eq!(line.args.get("message"), Some(&Value::Unknown(text)), "it is not a text like any other");
}

#[test]
fn a_way_that_depends_on_an_unknown_is_not_guessed() {
    for (condition, asked) in [
        ("taken.stored_size > 5", "‹backup:primary.stored_size› > 5"),
        ("5 > taken.stored_size", "5 > ‹backup:primary.stored_size›"),
        ("taken.id == \"x\"", "‹backup:primary.id› == \"x\""),
        ("`${taken.id}` != \"x\"", "\"‹backup:primary.id›\" != \"x\""),
        ("taken.stored_size + 1 == 2", "(‹backup:primary.stored_size› + 1) == 2"),
    ] {
        let runbook = format!("let taken = backup(\"primary\");\nif {condition} {{ maintenance(\"web\", \"on\"); }}");
        let (why, site, hint) = stops(&runbook);
        assert_eq!(why, format!("the way depends on `{asked}`, which is not known before the run"));
        assert!(site.starts_with("runbooks/planned.rhai:2:"), "{condition}: {site}");
        assert!(hint.contains("--assume"), "{condition}: {hint}");
    }
}

#[test]
fn a_requirement_on_an_unknown_is_a_way_that_depends_on_it() {
    let (why, site, _) = stops("let taken = backup(\"primary\");\nrequire(taken.stored_size > 5, \"too small\");");
    assert!(why.contains("‹backup:primary.stored_size› > 5"), "{why}");
    assert!(site.starts_with("runbooks/planned.rhai:2:"), "{site}");
}

#[test]
fn a_script_cannot_catch_that() {
    let runbook =
        "let taken = backup(\"primary\");\ntry { if taken.id == \"x\" {} } catch {}\nmaintenance(\"web\", \"on\");";
    let project = Project::configured("", "");
    project.database(10);
    let plan = plan(&project, runbook, &[]).expect("it can be planned");
    assert!(matches!(plan.verdict, PlanVerdict::Stops { .. }), "{:?}", plan.verdict);
    assert_eq!(plan.lines().len(), 1, "nothing is planned after the place where the way is not known");
}

#[test]
fn an_unknown_cannot_be_counted_with() {
    for use_of in ["for i in 0..taken.stored_size {}", "let x = [1, 2][taken.stored_size];", "if taken.id {}"] {
        let (why, site, _) = stops(&format!("let taken = backup(\"primary\");\n{use_of}"));
        assert!(why.contains("does not know") || why.contains("not known"), "{use_of}: {why}");
        assert!(site.starts_with("runbooks/planned.rhai:2:"), "{use_of}: {site}");
    }
}

#[test]
fn an_unknown_target_is_a_clear_end() {
    let (why, _, hint) = stops("let name = ask(\"Which one?\");\nprobe(name);");
    assert!(why.contains("`probe` needs ‹ask›"), "{why}");
    assert!(hint.contains("--assume") || hint.contains("parameter"), "{hint}");
}

#[test]
fn what_has_finitely_many_values_is_never_unknown() {
    let project = Project::configured("", "");
    project.database(10);
    let runbook = r#"
        backup("primary");
        let seen = probe("primary");
        if seen.ok && !seen.down && seen.status == "pass" { log("the likely way"); } else { throw "another way"; }
    "#;
    assert_eq!(completes(&project, runbook, &[]).lines().len(), 3);
}

#[test]
fn a_wait_is_assumed_to_hold_and_nothing_is_assumed_of_a_retry() {
    let body = "|| { if taken.stored_size > 5 { maintenance(\"web\", \"on\"); } true }";
    let (why, ..) = stops(&format!("let taken = backup(\"primary\");\nretry({body});"));
    assert_eq!(why, "the way depends on `‹backup:primary.stored_size› > 5`, which is not known before the run");
    let project = Project::configured("", "");
    project.database(10);
    let wait = "let taken = backup(\"primary\");\nwait_until(\"it grew\", || taken.stored_size > 5);";
    completes(&project, wait, &[]);
    // What is compared after the wait is not covered by it.
    let (why, ..) = stops(&format!("{wait}\nif taken.stored_size > 7 {{ log(\"x\"); }}"));
    assert!(why.contains("> 7"), "{why}");
}
