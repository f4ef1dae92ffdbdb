//! Migrations that are taken back.

use super::*;

#[tokio::test]
async fn one_is_taken_back_or_all_that_are_newer() {
    let project = Project::of_three();
    project.migrate().await.expect("applies");
    let output = project.call(1, &down()).await.expect("takes back");
    assert_eq!((output.from.as_str(), output.to.as_str(), project.schema().as_str()), ("0003", "0002", "one,two"));
    assert_eq!(output.applied, ["0003"]);
    project.call(2, &args()).await.expect("applies");
    let output = project.call(3, &Args { down: true, ..to("1") }).await.expect("takes back");
    assert_eq!((output.to.as_str(), output.applied), ("0001", vec!["0003".to_owned(), "0002".to_owned()]));
    let output = project.call(4, &Args { down: true, ..to("none") }).await.expect("takes all back");
    assert_eq!((output.to.as_str(), project.tables()), ("none", 0));
    let output = project.call(5, &down()).await.expect("has nothing to do");
    assert_eq!((output.from.as_str(), output.applied.len()), ("none", 0));
}

#[tokio::test]
async fn a_second_attempt_does_not_take_back_another_one() {
    let project = Project::of_three();
    project.migrate().await.expect("applies");
    let first = project.call(1, &down()).await.expect("takes back");
    assert!(matches!(project.settle(1).await, Reconciled::Applied { output, .. } if output.applied == ["0003"]));
    let second = project.call(1, &down()).await.expect("finds it done");
    assert_eq!((second.from, second.to, second.applied), (first.from, first.to, first.applied));
    assert_eq!(project.schema(), "one,two");
}

#[tokio::test]
async fn what_has_no_way_back_is_not_taken_back() {
    let project = Project::of_three();
    project.file("0002_two.sql", "CREATE TABLE two(a);");
    project.migrate().await.expect("applies");
    let fault = project.call(1, &Args { down: true, ..to("1") }).await.expect_err("no way back");
    assert_fault(&fault, "migration-no-down", &["migration 0002 cannot be taken back"]);
    assert_eq!(project.tables(), 3, "not even the third");
    project.file("0004_four.up.sql", "CREATE TABLE four(a);");
    project.call(2, &args()).await.expect("applies");
    let fault = project.call(3, &down()).await.expect_err("no way back");
    assert!(fault.hint.is_some_and(|hint| hint.contains("0004_four.down.sql")));
}

#[tokio::test]
async fn another_file_does_not_stand_in_the_way_of_a_rollback_but_its_own_does() {
    let project = Project::of_three();
    project.migrate().await.expect("applies");
    project.file("0001_one.sql", "CREATE TABLE one(changed);");
    project.call(1, &down()).await.expect("the third is as it was");
    project.file("0002_two.sql", "-- migrate:up\nCREATE TABLE two(b);\n-- migrate:down\nDROP TABLE two;");
    let fault = project.call(2, &down()).await.expect_err("the second is not");
    assert_fault(&fault, "migration-drift", &["0002_two.sql: changed"]);
    project.remove("0002_two.sql");
    let fault = project.call(3, &down()).await.expect_err("the second is gone");
    assert_fault(&fault, "migration-drift", &["0002: applied, but its file is missing"]);
}
