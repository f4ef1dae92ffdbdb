//! Branches in a plan: one after the other, and none of them more certain than the others allow.

use std::fmt::Write as _;

use lifeboat::model::{Plan, PlanNode, PlanScope, ScopeKind};

use crate::project::Project;
use crate::{completes, lines, plan};

/// Three services, each of them independent of the others if `independent`.
fn project(independent: bool) -> Project {
    let mut tables = String::new();
    for name in ["a", "b", "c"] {
        let _ = writeln!(
            tables,
            "[environments.test.services.{name}]\ndriver = \"http\"\nurl = \"http://127.0.0.1:1/\"\nmaintenance_file = \"{name}\""
        );
    }
    let pairs = r#"independent = [["a", "b"], ["a", "c"], ["b", "c"]]"#;
    Project::configured(if independent { pairs } else { "" }, &tables)
}

fn scope(node: &PlanNode) -> &PlanScope {
    match node {
        PlanNode::Scope(scope) => scope,
        PlanNode::Call(line) => panic!("a call: {line:?}"),
    }
}

fn because(plan: &Plan) -> Vec<&str> {
    plan.lines().iter().map(|line| line.because.as_deref().unwrap_or("-")).collect()
}

const LOOK_AND_CHANGE: &str = "parallel([\"a\", \"b\", \"c\"], #{ at_most: 3 }, |s| {\n    probe(s);\n    maintenance(s, \"on\");\n});\nprobe(\"web\");";

#[test]
fn it_is_a_tree_with_a_branch_for_each_item() {
    let plan = completes(&project(true), LOOK_AND_CHANGE, &[]);
    let parallel = scope(&plan.nodes[0]);
    assert_eq!(parallel.scope.kind, ScopeKind::Parallel { branches: 3, at_most: 3 });
    let titles: Vec<&str> = parallel.nodes.iter().map(|node| scope(node).scope.title.as_str()).collect();
    assert_eq!(titles, ["a", "b", "c"]);
    let keys: Vec<String> = plan.lines().iter().map(|line| line.key.to_string()).collect();
    assert_eq!(keys, ["0.b0.0", "0.b0.1", "0.b1.0", "0.b1.1", "0.b2.0", "0.b2.1", "1"]);
    assert_eq!(plan.changes(), 3);
}

#[test]
fn what_another_branch_changes_makes_looks_assumed_in_all_of_them() {
    let plan = completes(&project(false), LOOK_AND_CHANGE, &[]);
    assert_eq!(
        lines(&plan),
        [
            "assumed probe a",
            "assumed maintenance a",
            "assumed probe b",
            "assumed maintenance b",
            "assumed probe c",
            "assumed maintenance c",
            "assumed probe web",
        ]
    );
    assert_eq!(because(&plan)[0], "after maintenance b at line 3, in another branch", "though the plan took b later");
    assert_eq!(because(&plan)[4], "after maintenance a at line 3, in another branch");
    assert_eq!(because(&plan)[6], "after maintenance a at line 3");
}

#[test]
fn independent_branches_take_no_certainty_from_each_other() {
    let plan = completes(&project(true), LOOK_AND_CHANGE, &[]);
    let observed = lines(&plan).iter().filter(|line| line.starts_with("observed probe")).count();
    assert_eq!(observed, 3, "{:?}", lines(&plan));
}

#[test]
fn a_branch_that_begins_at_once_does_not_wait_for_another_one() {
    let wait = |at_most: usize| {
        format!("parallel([\"a\", \"b\"], #{{ at_most: {at_most} }}, |s| {{ probe(s); sleep(\"1m\"); probe(s); }});")
    };
    let looks = |plan: Plan| lines(&plan).into_iter().filter(|line| line.contains("probe")).collect::<Vec<_>>();
    let project = project(true);
    let at_once = looks(completes(&project, &wait(2), &[]));
    assert_eq!(at_once, ["observed probe a", "assumed probe a", "observed probe b", "assumed probe b"]);
    let in_turn = looks(completes(&project, &wait(1), &[]));
    assert_eq!(in_turn, ["observed probe a", "assumed probe a", "assumed probe b", "assumed probe b"]);
}

#[test]
fn rollbacks_of_branches_are_rehearsed_in_their_branch() {
    let runbook =
        r#"parallel(["a", "b"], |s| { step "Close" { maintenance(s, "on"); } rollback { maintenance(s, "off"); } });"#;
    let plan = completes(&project(true), runbook, &[]);
    let branch = scope(&scope(&plan.nodes[0]).nodes[1]);
    let kinds: Vec<&ScopeKind> = branch.nodes.iter().map(|node| &scope(node).scope.kind).collect();
    assert_eq!(kinds, [&ScopeKind::Step { rollback: true, within: None }, &ScopeKind::Rehearsal]);
}

#[test]
fn a_list_that_is_not_known_ends_the_plan_with_what_to_do() {
    let runbook = "let found = backup(\"primary\");\nparallel(found.id, |id| log(id));";
    let project = Project::configured("", "");
    project.database(10);
    let plan = plan(&project, runbook, &[]).expect("it is planned as far as it goes");
    let lifeboat::model::PlanVerdict::Stops { why, site, hint } = plan.verdict else { panic!("{:?}", plan.verdict) };
    assert!(why.contains("`parallel` needs ‹backup:primary.id›"), "{why}");
    assert_eq!(site.expect("a place").line, 2);
    assert!(hint.expect("a hint").contains("--assume"));
}

#[test]
fn a_hold_is_one_line_and_what_comes_after_it_is_assumed() {
    let runbook =
        r#"hold("30m", #{ label: "web is well", every: "10s", tolerate: 2 }, || probe("web").ok); probe("web");"#;
    let project = Project::configured("", "");
    let plan = completes(&project, runbook, &[]);
    assert_eq!(lines(&plan), ["assumed hold", "observed probe web", "assumed probe web"]);
    assert_eq!(plan.lines()[0].summary, "web is well, for 30m, checked every 10s, 2 failing in a row tolerated");
    project.web.fall_ill();
    completes(&project, runbook, &[]);
}

#[test]
fn a_during_is_one_line_that_says_what_would_be_sent_and_how_often() {
    let runbook =
        r#"during(#{ every: "30m", notify: "incidents", message: "still closed" }) { maintenance("web", "on"); }"#;
    let project = Project::configured("", "");
    let plan = completes(&project, runbook, &[]);
    assert_eq!(lines(&plan), ["predicted during incidents", "predicted maintenance web"]);
    assert_eq!(plan.lines()[0].summary, "every 30m → incidents: still closed …");
    assert!(!project.path("incidents.jsonl").exists());
    let unknown = "let b = backup(\"primary\");\nduring(#{ every: \"30m\", notify: \"incidents\", message: `from ${b.id}` }) { 1 }";
    project.database(10);
    let plan = completes(&project, unknown, &[]);
    assert_eq!(plan.lines()[1].summary, "every 30m → incidents: from ‹backup:primary.id› …");
}

#[test]
fn what_undoes_the_branches_knows_what_they_did() {
    let runbook = r#"
        parallel(["a", "b"], #{ finish: "all" }, |s| {
            step "Close" { maintenance(s, "on"); } rollback { maintenance(s, "off"); }
            require(s == "a", "not b");
        });
    "#;
    let plan = plan(&project(true), runbook, &[]).expect("it can be planned");
    let expected =
        ["predicted maintenance a", "predicted maintenance b", "assumed maintenance b", "assumed maintenance a"];
    assert_eq!(lines(&plan), expected);
    assert_eq!(plan.changes(), 4, "none of them is needless");
}
