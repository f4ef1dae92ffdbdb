//! Files and history that contradict each other.

use super::*;

#[tokio::test]
async fn every_kind_of_drift_is_named_before_anything_is_done() {
    let project = Project::of_three();
    project.call(0, &to("3")).await.expect("applies");
    project.file("0001_one.sql", "CREATE TABLE one(changed);");
    project.remove("0003_three.sql");
    project.file("0002.sql", "");
    project.remove("0002.sql");
    project.file("4_four.sql", "CREATE TABLE four(a);");
    let fault = project.call(1, &args()).await.expect_err("drift");
    assert_fault(
        &fault,
        "migration-drift",
        &["\n  0001_one.sql: changed since it was applied", "\n  0003: applied, but its file is missing"],
    );
    assert!(!fault.message.contains("0002"), "{}", fault.message);
    let hint = fault.hint.clone().unwrap_or_default();
    assert!(hint.contains("bring a changed file back") && hint.contains("missing"), "{hint}");
    assert_eq!(project.tables(), 3);
    assert_eq!(project.plan(&args()).await.fault, Some(fault));
}

#[tokio::test]
async fn a_file_that_came_late_is_out_of_order() {
    let project = Project::of_three();
    project.remove("0002_two.sql");
    project.migrate().await.expect("applies");
    project.file("0002_two.sql", "CREATE TABLE two(a);");
    let fault = project.call(1, &args()).await.expect_err("out of order");
    assert_fault(&fault, "migration-drift", &["0002_two.sql: not applied, but older than 0003"]);
    assert!(fault.hint.is_some_and(|hint| hint.contains("a newer version")));
}

#[tokio::test]
async fn another_name_or_more_zeros_are_no_drift() {
    let project = Project::of_three();
    project.migrate().await.expect("applies");
    let directory = project.bench.path("migrations");
    std::fs::rename(directory.join("0001_one.sql"), directory.join("1_first.sql")).expect("renames");
    assert_eq!(project.call(1, &args()).await.expect("is the same").applied.len(), 0);
}

#[tokio::test]
async fn versions_that_cannot_be_reached_are_explained() {
    let project = Project::of_three();
    project.call(0, &to("0002")).await.expect("applies");
    for (args, part) in [
        (to("7"), "there is no migration `7`"),
        (to("none"), "there is no migration `none`"),
        (to("1"), "is at 0002 already, which is newer than 0001"),
        (Args { down: true, ..to("3") }, "is at 0002, which is older than 0003"),
        (baseline("7"), "there is no migration `7`"),
    ] {
        let fault = project.call(1, &args).await.expect_err(part);
        assert_fault(&fault, "migration-version", &[part]);
        assert!(fault.hint.is_some());
    }
    let both = Args { down: true, ..baseline("1") };
    assert_eq!(project.call(1, &both).await.expect_err("both").code, "argument");
}
