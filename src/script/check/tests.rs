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

#[test]
fn changes_that_a_branch_would_lose_are_found() {
    let lost = |body: &str| {
        findings(&format!("let list = [1]; let n = 0; let m = #{{ a: [1] }};\nparallel([1], |x| {{ {body} }});"))
    };
    for body in [
        "list.push(x);",
        "push(list, x);",
        "n += x;",
        "n = x;",
        "m.b = x;",
        "m.a[0] = x;",
        "m.a.push(x);",
        "list[0] = x;",
        "if x > 1 { [x].for_each(|y| list.push(y)); }",
        "parallel([2], |y| { list.push(y); });",
        "list.clear();",
        "try { act(\"a\"); list.pop(); } catch { }",
    ] {
        let found = lost(body);
        assert!(found.len() == 1 && found[0].contains("warning lost-change: `"), "{body}: {found:?}");
    }
    assert!(
        lost("n += x;")[0]
            .starts_with("2:21 warning lost-change: `n` is changed in a branch of `parallel`, and the change is lost")
    );
    for body in [
        "let list = [2]; list.push(x);",
        "x += n;",
        "let own = list; own.push(x); own",
        "list.len() + m.a.len()",
        "list.contains(x)",
        "let f = |y| y + n; f.call(x)",
    ] {
        assert_eq!(lost(body), Vec::<String>::new(), "{body}");
    }
    assert_eq!(findings("let n = 0; retry(|| { n += 1; });"), Vec::<String>::new(), "attempts follow each other");
}

#[test]
fn closures_take_as_many_parameters_as_they_are_given() {
    for (script, expected) in [
        (
            "parallel([1], || 1);",
            "1:1 error arguments: the closure of `parallel` takes one parameter, the item: this one takes 0 [write it as `|item| …`]",
        ),
        (
            "let n = 1; parallel([1], |x, y| x + y + n);",
            "1:12 error arguments: the closure of `parallel` takes one parameter, the item: this one takes 2 [write it as `|item| …`]",
        ),
        (
            "hold(\"1m\", |x| x);",
            "1:1 error arguments: the closure of `hold` takes no parameters: this one takes 1 [write it as `|| …`]",
        ),
    ] {
        assert_eq!(findings(script), [expected]);
    }
    assert_eq!(
        findings(
            "fn f(x) { x } let g = |x| x; parallel([1], g); parallel([1], Fn(\"f\")); let n = 1; hold(\"1m\", || n == 1);"
        ),
        Vec::<String>::new()
    );
}

#[test]
fn options_of_calls_with_a_body_are_checked() {
    for (script, expected) in [
        ("parallel([1], #{ at_mots: 3 }, |x| x);", "`parallel` has no option `at_mots` [did you mean `at_most`?]"),
        (
            "parallel([1], #{ finish: \"some\" }, |x| x);",
            "`finish` of `parallel` is \"effect\" | \"all\", not \"some\"",
        ),
        ("parallel(\"web\", |x| x);", "`items` of `parallel` takes array of anything, not string"),
        ("hold(\"long\", || true);", "`long` is not a duration"),
        ("hold(\"1m\", #{ tolerate: \"2\" }, || true);", "`tolerate` of `hold` takes int, not string"),
        ("during(#{ every: \"1m\", message: \"m\" }) { act(\"a\"); }", "`during` lacks its argument `notify`"),
        (
            "during(#{ evry: \"1m\", notify: \"c\", message: \"m\" }) { 1 }",
            "`during` has no option `evry` [did you mean `every`?]",
        ),
        ("during(#{ every: \"soon\", notify: \"c\", message: \"m\" }) { 1 }", "`soon` is not a duration"),
        ("during(#{ every: \"1m\", notify: \"c\", message: \"m\" }) { atc(1); }", "there is no function `atc`"),
    ] {
        let found = findings(script);
        assert!(found.iter().any(|f| f.contains(expected)), "{script}: {found:?}");
    }
}

#[test]
fn loops_that_ask_a_target_again_and_again_are_found() {
    let polling = |script: &str| -> Vec<String> {
        findings(script).into_iter().filter(|finding| finding.contains("polling")).collect()
    };
    for (script, place) in [
        ("while look(\"web\") != 1 { act(\"a\"); }", "1:1"),
        ("let n = 0;\nloop { if look(\"web\") == 1 { break; } }", "2:1"),
        ("do { look(\"web\"); } until true;", "1:1"),
        ("step \"Wait\" { while look(\"web\") != 1 { } }", "1:15"),
    ] {
        let found = polling(script);
        let expected = format!("{place} warning polling: a loop that asks `");
        assert!(found.len() == 1 && found[0].starts_with(&expected), "{script}: {found:?}");
    }
    for script in [
        "for n in 0..3 { look(\"web\"); }",
        "let n = 0; while n < 3 { n += 1; act(`${n}`); }",
        "wait_until(\"web\", || look(\"web\") == 1);",
    ] {
        assert_eq!(polling(script), Vec::<String>::new(), "{script}");
    }
}
