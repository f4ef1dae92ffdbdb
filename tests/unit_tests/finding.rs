//! Which tests are run: files, directories, tables, a filter; always the same, however many threads run them.

use lifeboat::runtime::{Error, TestReport, TestRequest, TestStatus};

use crate::project::Project;

fn titles(report: &TestReport) -> Vec<String> {
    let titled = |file: &lifeboat::runtime::TestedFile| {
        let name = file.name.clone();
        file.tests.iter().map(move |test| format!("{name}: {}", test.title)).collect::<Vec<_>>()
    };
    report.files.iter().flat_map(titled).collect()
}

fn project() -> Project {
    let project = Project::configured("", "");
    project.write("runbooks/look.rhai", "probe(\"web\").ok");
    let rows =
        "for row in [#{ name: \"up\", ends: \"pass\", ok: true }, #{ name: \"down\", ends: \"fail\", ok: false }] {
        test `it is ${row.name}` {
            given(\"probe(web)\", row.ends);
            expect(play(\"look.rhai\").value == row.ok);
        }
    }\n";
    project.write("runbooks/look_test.rhai", rows);
    project.write("checks/more/other_test.rhai", "test \"other\" { expect(play(\"runbooks/look.rhai\").value); }");
    // What others made, what is hidden, and what belongs to another project.
    for foreign in ["target/a_test.rhai", ".git/b_test.rhai", "node_modules/c_test.rhai", "other/d_test.rhai"] {
        project.write(foreign, "test \"foreign\" { expect(false); }");
    }
    project.write("other/lifeboat.toml", "");
    project
}

fn run(request: &TestRequest) -> Result<TestReport, Error> {
    let project = project();
    let here = |request: &TestRequest| TestRequest {
        files: request.files.iter().map(|file| project.path(&file.to_string_lossy())).collect(),
        ..request.clone()
    };
    project.builder().build().expect("it is configured").test(&here(request))
}

#[test]
fn all_of_the_project_with_every_row_of_a_table() {
    let report = run(&TestRequest::default()).expect("there are some");
    let all = [
        "checks/more/other_test.rhai: other",
        "runbooks/look_test.rhai: it is up",
        "runbooks/look_test.rhai: it is down",
    ];
    assert_eq!(titles(&report), all);
    assert_eq!(report.count(TestStatus::Passed), 3, "{:#?}", report.files);
}

#[test]
fn files_directories_and_a_part_of_a_title() {
    let files =
        |names: &[&str]| TestRequest { files: names.iter().map(Into::into).collect(), ..TestRequest::default() };
    let named = |request: &TestRequest| titles(&run(request).expect("there are some")).len();
    assert_eq!(named(&files(&["runbooks/look_test.rhai"])), 2);
    assert_eq!(named(&files(&["checks", "runbooks/look_test.rhai", "runbooks"])), 3);
    let filtered = |filter: &str| TestRequest { filter: Some(filter.to_owned()), ..TestRequest::default() };
    assert_eq!([named(&filtered("is down")), named(&filtered("look_test.rhai: it is"))], [1, 2]);
}

#[test]
fn nothing_to_run_is_an_error() {
    let error = |request: &TestRequest| run(request).expect_err("there is nothing").to_string();
    let files = |name: &str| TestRequest { files: vec![name.into()], ..TestRequest::default() };
    assert!(error(&files("runbooks/look.rhai")).contains("is no test file"));
    assert!(error(&files("runbooks/lok_test.rhai")).contains("there is no file"));
    let filter = TestRequest { filter: Some("nobody".to_owned()), ..TestRequest::default() };
    assert_eq!(error(&filter), "no test has `nobody` in its file and title");
    let empty = Project::configured("", "");
    let error = empty.builder().build().expect("it is configured").test(&TestRequest::default());
    assert_eq!(error.expect_err("there are none").to_string(), "there are no test files");
}

#[test]
fn a_list_runs_nothing() {
    let report = run(&TestRequest { list: true, ..TestRequest::default() }).expect("there are some");
    assert_eq!((titles(&report).len(), report.count(TestStatus::Listed)), (3, 3));
    assert!(report.coverage.is_empty());
}

#[test]
fn what_nobody_waits_for_is_neither_passed_nor_failed() {
    let cancel = lifeboat::system::Cancel::new();
    cancel.request();
    let project = project();
    let lifeboat = project.builder().cancel(cancel).build().expect("it is configured");
    let report = lifeboat.test(&TestRequest::default()).expect("there are some");
    assert!(report.cancelled);
    assert_eq!(report.tests().count(), 0);
}

#[test]
fn the_same_however_many_threads() {
    let project = Project::configured("", "");
    project.write("runbooks/look.rhai", "if probe(\"web\").ok { maintenance(\"web\", \"on\"); }");
    let many = "for n in 0..60 { test `number ${n}` { expect(play(\"look.rhai\").calls.len() == 2 && n % 7 != 0); } }";
    project.write("runbooks/look_test.rhai", many);
    let lifeboat = project.builder().build().expect("it is configured");
    let run = |threads| {
        let report = lifeboat.test(&TestRequest { threads, ..TestRequest::default() }).expect("there are some");
        let said = |test: &lifeboat::runtime::Tested| (test.title.clone(), test.status, test.failures.len());
        (report.tests().map(said).collect::<Vec<_>>(), report.coverage)
    };
    let alone = run(1);
    assert_eq!(alone.0.iter().filter(|(_, status, _)| *status == TestStatus::Failed).count(), 9);
    assert_eq!(run(8), alone);
}

#[test]
fn no_test_sees_what_another_has_done() {
    let project = Project::configured("", "");
    project.write("runbooks/look.rhai", "probe(\"web\").ok");
    let shares = "let seen = [];
        test \"a\" { seen.push(1); given(\"probe(web)=fail\"); expect(!play(\"look.rhai\").value); expect(seen.len() == 1); }
        test \"b\" { expect(play(\"look.rhai\").value); expect(seen.len() == 0); }";
    project.write("runbooks/look_test.rhai", shares);
    let report = project.builder().build().expect("it is configured").test(&TestRequest::default()).expect("some");
    assert_eq!(report.count(TestStatus::Passed), 2, "{:#?}", report.files);
}
