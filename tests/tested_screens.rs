//! What `lifeboat test` prints: exit code, both streams and the files that it writes, as golden files in `snapshots/`.
#![expect(clippy::disallowed_methods, reason = "a test prepares files, and starts the program that it is about")]

#[expect(dead_code, reason = "these tests need a part of it")]
mod support;

use support::{Project, Run};

macro_rules! golden {
    ($run:expr) => {{
        let run: Run = $run;
        insta::with_settings!({ omit_expression => true, filters => [
            (r" in \d+\.\d s", " in [TIME]"),
            (r#"time="[0-9.]+""#, "time=\"[TIME]\""),
            (r#""took_ms":\d+"#, "\"took_ms\":0"),
        ] }, { insta::assert_snapshot!(run.told()) });
        run
    }};
}

const RUNBOOK: &str = r#"//! Close the service for a while.
param why: string = "work";

notify("incidents", `Closed: ${why}`);
step "Close" {
    maintenance("web", "on");
    confirm("Open it again?");
} rollback {
    maintenance("web", "off");
}
maintenance("web", "off");
"#;

const TESTS: &str = r#"//! Tests of close.rhai.
test "it is open again" {
    expect(play("close.rhai").state("web").maintenance == "off");
}

test "somebody is told that it is open" {
    let ran = play("close.rhai", #{ why: "an <upgrade>" });
    expect(ran.told_to("incidents", "*open*"), "who heard that it is closed hears that it is open");
    expect(ran.ended == "left changed");
}
"#;

fn project(tests: &str) -> Project {
    Project::new().file("runbooks/close.rhai", RUNBOOK).file("runbooks/close_test.rhai", tests)
}

#[test]
fn says_what_failed_and_what_was_done() {
    golden!(project(TESTS).run(["test"]));
}

#[test]
fn is_quiet_where_all_is_well() {
    golden!(project(TESTS).run(["test", "--filter", "open again"]));
}

#[test]
fn names_the_tests() {
    golden!(project(TESTS).run(["test", "--list"]));
}

#[test]
fn says_what_no_test_has_met() {
    golden!(project(TESTS).run(["test", "--filter", "open again", "--coverage-at-least", "80"]));
}

#[test]
fn points_at_what_is_wrong_with_a_test() {
    let wrong =
        "test \"a\" {\n    given(\"probe(web)=fail\");\n    expect(play(\"close.rhai\").ended == \"well\");\n}\n";
    golden!(project(wrong).run(["test"]));
}

#[test]
fn points_at_what_is_wrong_with_a_test_file() {
    golden!(project("test \"a\" {\n    probe(\"web\");\n}\n").run(["test"]));
}

#[test]
fn tells_build_servers_in_their_words() {
    golden!(project(TESTS).run(["test", "--format", "junit"]));
}

#[test]
fn tells_machines() {
    let run = golden!(project(TESTS).run(["test", "--json", "--coverage"]));
    let told: serde_json::Value = serde_json::from_str(&run.stdout).expect("one document");
    assert_eq!((&told["passed"], &told["failed"]), (&1.into(), &1.into()));
}

#[test]
fn writes_files_and_only_over_its_own() {
    let project = project(TESTS);
    let write = || project.run(["test", "--junit", "tests.xml", "-o", "tests.txt"]);
    let run = golden!(write());
    assert_eq!(run.exit, Some(1));
    let written = |name: &str| std::fs::read_to_string(project.path(name)).expect("it was written");
    assert!(written("tests.xml").starts_with("<?xml") && written("tests.txt").contains("1 test passed, 1 failed"));
    assert_eq!(write().exit, Some(1));
    golden!(project.run(["test", "-o", "runbooks/close.rhai"]));
}

#[test]
fn runs_no_runbook() {
    golden!(project(TESTS).run(["test", "runbooks/close.rhai"]));
}

#[test]
fn is_what_runs_test_files() {
    golden!(project(TESTS).run(["check", "runbooks/close_test.rhai"]));
}

#[test]
fn finds_a_test_in_a_runbook() {
    golden!(Project::new().file("runbooks/a.rhai", "test \"a\" {\n    log(\"x\");\n}\n").run(["check"]));
}

#[test]
fn leaves_test_files_out_of_a_check() {
    golden!(project(TESTS).run(["check"]));
}
