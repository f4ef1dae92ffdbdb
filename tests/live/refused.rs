//! What is refused before anything is done.

use lifeboat::journal::RunQuery;
use lifeboat::runtime::Error;

use crate::trial::{Told, Trial};

const OPEN: &str = r#"turn("north", "open");"#;
const PROTECTED: &str = "[environments.production]\nprotected = true\n\
    [environments.production.services.north]\ndriver = \"valve\"";

fn assert_refused(told: &Told, why: &str, help: &str) {
    match told.ran.as_ref().expect_err("it is refused") {
        Error::Refused { why: said, help: hint } => {
            assert_eq!((said.as_str(), hint.as_deref()), (why, Some(help)));
        }
        other => panic!("{other:?}"),
    }
    assert_eq!(told.effects(), [""; 0]);
    assert!(told.heard.is_empty() && told.journal.runs(&RunQuery::default()).expect("it reads").is_empty());
}

#[test]
fn a_protected_environment_is_changed_only_by_who_types_its_name() {
    let run = |typed| Trial::of(OPEN).table(PROTECTED).environment("production", typed).run();
    let help = "look at the plan, then type its name: --yes production";
    assert_refused(&run(None), "environment production is protected", help);
    assert_refused(&run(Some("yes")), "environment production is protected", help);
    let why = "`--yes staging` names another environment than production";
    assert_refused(&run(Some("staging")), why, "to run in production: --yes production");
    assert_eq!(run(Some("production")).effects(), ["north open"]);
}

#[test]
fn another_environment_s_name_is_a_slip_even_where_none_is_needed() {
    let told = Trial::of(OPEN).environment("test", Some("production")).run();
    assert_refused(&told, "`--yes production` names another environment than test", "to run in test: --yes test");
}

#[test]
fn faults_are_not_injected_outside_of_drills() {
    let told = Trial::of("turn(\"north\", \"open\");\ninject(\"web\", \"refuse\");").run();
    let Err(Error::Check { findings, .. }) = &told.ran else { panic!("{:?}", told.ran) };
    assert_eq!((findings.len(), findings[0].site.line), (1, 2));
    assert!(findings[0].message.contains("drill"), "{}", findings[0].message);
    assert_eq!(told.effects(), [""; 0], "not even what stands before it is done");
}

#[test]
fn a_child_whose_path_was_computed_cannot_inject_either() {
    let runbook = "turn(\"north\", \"open\");\nlet name = \"child\";\nrunbook(`runbooks/${name}.rhai`);";
    let told = Trial::of(runbook).file("runbooks/child.rhai", r#"inject("web", "refuse");"#).run();
    let ran = told.ran();
    assert_eq!(ran.status.name(), "left-changed", "{:?}", ran.verdict);
    let recorded = told.recorded();
    assert!(!recorded.iter().any(|line| line.contains("inject")), "it was not even intended: {recorded:?}");
    assert!(format!("{:?}", ran.verdict).contains("which is no drill environment"), "{:?}", ran.verdict);
}
