//! How each line is known: looked up just now, computed by its driver, assumed, or pinned by the reader.

use lifeboat::model::{PlanNode, PlanResult, PlanVerdict, ScopeKind, Symbol};

use crate::project::Project;
use crate::{completes, lines, plan};

#[test]
fn a_look_is_observed_and_a_change_is_predicted() {
    let project = Project::configured("", "");
    let plan = completes(&project, "probe(\"web\");\nmaintenance(\"web\", \"on\");", &[]);
    assert_eq!(lines(&plan), ["observed probe web", "predicted maintenance web"]);
    let change = plan.lines()[1];
    assert_eq!((change.before.as_deref(), change.after.as_deref()), (Some("off"), Some("on")));
    assert_eq!(plan.changes(), 1);
    assert_eq!(project.web.requests(), 1, "what is said to be observed was looked at");
    assert_eq!(project.read("maintenance"), "", "what is said to be predicted was not done");
}

#[test]
fn what_is_as_it_should_be_is_no_change() {
    let project = Project::configured("", "");
    project.write("maintenance", "on");
    let plan = completes(&project, "maintenance(\"web\", \"on\");", &[]);
    assert_eq!((plan.lines()[0].symbol, plan.changes()), (Symbol::Nothing, 0));
}

#[test]
fn a_person_s_answer_is_assumed_and_so_is_everything_after_it() {
    let project = Project::configured("", "");
    let plan = completes(&project, "probe(\"web\");\nconfirm(\"Go on?\");\nprobe(\"web\");\nlog(\"on\");", &[]);
    assert_eq!(lines(&plan), ["observed probe web", "assumed confirm", "assumed probe web", "assumed log"]);
    assert_eq!(plan.lines()[2].because.as_deref(), Some("after a person answered at line 2"));
    assert_eq!(project.web.requests(), 1, "what is assumed is not looked at");
}

#[test]
fn what_was_waited_for_is_assumed_to_have_come() {
    let project = Project::configured("", "");
    project.web.fall_ill();
    let runbook = "wait_until(\"web answers\", || probe(\"web\").ok);\nrequire(probe(\"web\").ok, \"it is ill\");";
    let plan = completes(&project, runbook, &[]);
    assert_eq!(plan.lines().last().expect("a line").because.as_deref(), Some("after waiting at line 1"));
}

#[test]
fn the_time_of_the_plan_is_not_the_time_of_the_run() {
    let project = Project::configured("", "");
    let plan = completes(&project, "let began = now();\nlog(`began at ${began.iso}`);", &[]);
    assert_eq!(lines(&plan), ["assumed now", "predicted log"]);
    assert_eq!(plan.lines()[1].summary, "began at ‹now.iso›");
}

#[test]
fn what_the_reader_pinned_is_taken_and_not_looked_at() {
    let project = Project::configured("", "");
    let plan = completes(&project, "require(!probe(\"web\").ok, \"it answers\");", &["probe(web)=fail"]);
    assert_eq!((lines(&plan), plan.assumptions), (vec!["pinned probe web".to_owned()], vec!["probe(web)=fail".into()]));
    assert_eq!(project.web.requests(), 0);
}

#[test]
fn a_look_that_fails_ends_the_plan_as_it_would_end_the_run() {
    let project = Project::configured("", "");
    project.database(10);
    let plan = plan(&project, "let b = latest_backup(\"primary\");\nrestore(\"primary\", #{ from: b.id });", &[]);
    let plan = plan.expect("it can be planned");
    let PlanVerdict::Fails { fault } = &plan.verdict else { panic!("{:?}", plan.verdict) };
    assert_eq!(fault.code, "no-backup");
    assert_eq!(lines(&plan), ["observed latest_backup primary"]);
    assert!(matches!(plan.lines()[0].result, PlanResult::Throws(_)));
}

#[test]
fn a_fault_that_the_runbook_catches_is_shown_and_the_way_goes_on() {
    let project = Project::configured("", "");
    let plan = completes(&project, "try { latest_backup(\"primary\"); } catch { log(\"none\"); }", &[]);
    assert_eq!(lines(&plan), ["observed latest_backup primary", "predicted log"]);
}

#[test]
fn a_rollback_is_rehearsed_with_its_step_and_counts_for_nothing() {
    let project = Project::configured("", "");
    let runbook = r#"
        step "Close" {
            maintenance("web", "on");
        } rollback {
            maintenance("web", "off");
            log("open again");
        }
        step "Look" {
            probe("primary");
        } rollback {
            log("never owed");
        }
    "#;
    let plan = completes(&project, runbook, &[]);
    let [PlanNode::Scope(step), PlanNode::Scope(rehearsal), PlanNode::Scope(look)] = &plan.nodes[..] else {
        panic!("a step, its rollback, and a step that owes none: {:#?}", plan.nodes)
    };
    assert_eq!((step.scope.title.as_str(), look.scope.title.as_str()), ("Close", "Look"));
    assert_eq!((&rehearsal.scope.kind, rehearsal.scope.title.as_str()), (&ScopeKind::Rehearsal, "Close"));
    assert_eq!(rehearsal.scope.key.rolled_back_step().as_ref(), Some(&step.scope.key));
    assert_eq!(rehearsal.nodes.len(), 2);
    assert_eq!((plan.lines().len(), plan.changes()), (2, 1), "it is no part of the way that is planned");
    let because = plan.lines()[1].because.clone().expect("the service was changed");
    assert!(because.starts_with("after maintenance web"), "the rollback does not make it stale: {because}");
}

#[test]
fn a_child_runbook_is_planned_in_its_place() {
    let project = Project::configured("", "");
    project.write("runbooks/child.rhai", "param service: string;\nprobe(service);\n`${service} was seen`");
    let runbook = r#"log(runbook("runbooks/child.rhai", #{ service: "web" }));"#;
    let plan = completes(&project, runbook, &[]);
    assert_eq!(lines(&plan), ["observed probe web", "predicted log"]);
    assert_eq!(plan.lines()[1].summary, "web was seen");
    assert!(plan.digests.contains_key("runbooks/child.rhai"), "what it does is a part of what was planned");
}

#[test]
fn a_fault_that_is_foreseen_names_its_target_as_that_of_a_run_does() {
    let tables = "[environments.test.tools.pg]\ndriver = \"command\"\nprogram = [\"true\"]\n\
                  [environments.test.secrets]\nTOKEN = { file = \"token\" }";
    let project = Project::configured("", tables);
    let runbook = "try { exec(\"pg\", [], #{ stdin: secret(\"TOKEN\") }); } catch (fault) { log(`${fault.target}`); }";
    let plan = completes(&project, runbook, &[]);
    assert_eq!((lines(&plan)[0].as_str(), plan.lines()[1].summary.as_str()), ("predicted exec pg", "pg"));
}
