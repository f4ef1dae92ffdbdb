//! The runbooks that ship pass the tests that ship with them.

use std::path::Path;

use lifeboat::runtime::{Lifeboat, TestRequest, TestStatus};

#[test]
fn every_test_that_ships_passes() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let lifeboat = Lifeboat::builder(root.join("lifeboat.toml")).build().expect("it is configured");
    let request = TestRequest { files: vec![root.join("runbooks")], ..TestRequest::default() };
    let report = lifeboat.test(&request).expect("they are there");
    let names: Vec<&str> = report.files.iter().map(|file| file.name.as_str()).collect();
    assert_eq!(names, ["runbooks/deploy-with-migration_test.rhai", "runbooks/restore-database_test.rhai"]);
    let bad: Vec<_> = report.tests().filter(|test| test.status != TestStatus::Passed).collect();
    assert!(bad.is_empty() && report.errors() == 0, "{bad:#?}");
    assert!(report.tests().count() >= 20);
    for of in &report.coverage {
        let unreached: Vec<_> = of.missed.iter().filter(|m| m.outcomes.is_empty()).collect();
        assert!(unreached.is_empty(), "{}: {unreached:?}", of.runbook);
    }
}
