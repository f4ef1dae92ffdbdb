//! The check as a specification.

use std::sync::Arc;

use super::*;
use crate::config::Config;
use crate::script::tests::{Files, registry};

const CONFIG: &str = r#"
[environments.test]
[environments.test.services.web]
driver = "http"
url = "http://127.0.0.1:1/"
[environments.test.databases.primary]
driver = "sqlite"
path = "x.db"
"#;

/// Findings of a script, one line each: `line:column severity code: message [help]`.
fn findings(script: &str) -> Vec<String> {
    with_files(script, &Files::default(), &registry())
}

fn with_files(script: &str, files: &Files, registry: &Arc<Registry>) -> Vec<String> {
    let config = Config::parse("/p/lifeboat.toml".as_ref(), CONFIG.into()).expect("a good configuration");
    let script = Script::compile("main.rhai", script).expect("compiles");
    let environment = config.environment(None).expect("the only one");
    let found = check(&script, registry, files, Some(environment));
    let line = |d: &Diagnostic| {
        let severity = if d.severity == Severity::Error { "error" } else { "warning" };
        let help = d.help.as_ref().map(|h| format!(" [{h}]")).unwrap_or_default();
        format!("{}:{} {severity} {}: {}{help}", d.site.line, d.site.column, d.code, d.message)
    };
    found.iter().map(line).collect()
}

#[test]
fn a_good_script_has_no_findings() {
    let script = "//! T\n//! rto: 5m\nparam who: string = \"x\";\nfn f(a) { act(a) }\nstep \"s\" { f(who); } rollback { act(\"u\"); }\n[1].map(|x| x + 1);\nlet o = #{ times: 3 }; act(\"a\", o);\nact(\"a\", #{ times: 3, timeout: \"5m\" });";
    assert_eq!(findings(script), Vec::<String>::new());
}

#[test]
fn typos_are_found_with_what_was_meant() {
    for (script, expected) in [
        ("atc(\"a\");", "1:1 error unknown-function: there is no function `atc` [did you mean `act`?]"),
        (
            "try { atc(\"a\"); } catch { }",
            "1:7 error unknown-function: there is no function `atc` [did you mean `act`?]",
        ),
        (
            "act(\"a\", #{ timout: \"5m\" });",
            "1:13 error unknown-option: `act` has no option `timout` [did you mean `timeout`?]",
        ),
        ("let a = []; a.pusj(1);", "1:15 error unknown-function: there is no method `pusj` [did you mean `push`?]"),
        (
            "fn helper() { } helpr();",
            "1:17 error unknown-function: there is no function `helpr` [did you mean `helper`?]",
        ),
        (
            "import \"std/incidnt\" as i;",
            "1:8 error import: the standard library has no module `incidnt`: did you mean `incident`?",
        ),
        (
            "import \"std/incident\" as i; i::opn(1);",
            "1:32 error unknown-function: module `i` has no function `opn` [did you mean `open`?]",
        ),
        ("look(\"wbe\");", "1:6 error unknown-target: environment test has no target `wbe` [did you mean `web`?]"),
        (
            "//! T\n//! rot: 5m\n1",
            "2:5 warning front-matter: `rot` means nothing in front matter [did you mean `rto`?]",
        ),
    ] {
        assert_eq!(findings(script).first().map(String::as_str), Some(expected), "{script}");
    }
}

#[test]
fn literals_of_a_wrong_type_are_found() {
    for (script, expected) in [
        ("act(\"a\", #{ times: \"3\" });", "`times` of `act` takes int, not string"),
        ("act(\"a\", #{ timeout: 5 });", "`timeout` of `act` takes duration, not int"),
        ("act(\"a\", #{ timeout: \"5 min\" });", "`5 min` is not a duration"),
        ("act();", "`act` lacks its argument `name`"),
        ("act(\"a\", \"b\", \"c\");", "`act` takes (name, #{ options })"),
        ("//! T\n//! rto: soon\n1", "rto: `soon` is not a duration"),
    ] {
        let found = findings(script);
        assert!(found.iter().any(|f| f.contains(expected)), "{script}: {found:?}");
    }
}

#[test]
fn a_function_must_not_hide_a_primitive() {
    let found = findings("fn act(x) { x }\nact(1);");
    assert!(found[0].starts_with("1:4 error shadow: the function `act` would hide"), "{found:?}");
}

#[test]
fn modules_are_checked_too_at_their_own_place() {
    let mut files = Files::default();
    files.0.insert("m.rhai".into(), "fn f() {\n  atc(1)\n}".into());
    let found = with_files("import \"m\" as m; m::f();", &files, &registry());
    assert_eq!(found, ["2:3 error unknown-function: there is no function `atc` [did you mean `act`?]"]);
}

#[test]
fn imports_must_be_literal_and_inside() {
    let found = findings("let p = \"m\"; import p as m;");
    assert!(found[0].contains("must be a string literal"), "{found:?}");
    let found = findings("import \"../../etc/passwd\" as m;");
    assert!(found[0].contains("modules lie in the runbook's own folder"), "{found:?}");
}

#[test]
fn unused_parameters_and_missing_children_are_found() {
    assert!(findings("param x: int = 1; 2")[0].contains("parameter `x` is never used"));
    assert!(findings("runbook(\"none.rhai\");")[0].contains("there is no file none.rhai"));
}

#[test]
fn called_runbooks_are_checked_too_and_known_afterwards() {
    let mut files = Files::default();
    files.0.insert("child.rhai".into(), "atc(1);\nrunbook(\"child.rhai\");".into());
    let script = Script::compile("main.rhai", "runbook(\"child.rhai\");").expect("compiles");
    let found = check(&script, &registry(), &files, None);
    assert_eq!(found.iter().map(|d| d.site.to_string()).collect::<Vec<_>>(), ["child.rhai:1:1"]);
    assert!(script.sources.file("child.rhai").is_some());
}

#[test]
fn what_a_target_does_not_take_is_found() {
    let registry = Arc::new(Registry::standard());
    let found = with_files("maintenance(\"primary\");", &Files::default(), &registry);
    assert!(found[0].contains("`maintenance` does not work on `primary`: a database served by sqlite"), "{found:?}");
    let found = with_files("inject(\"primary\", \"delete\");", &Files::default(), &registry);
    assert!(found[0].contains("`inject` is refused in environment test"), "{found:?}");
}
