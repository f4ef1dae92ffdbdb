//! Mistakes in test files: each is named, with its place and what to do. None of them is a panic, or goes on for ever.

use lifeboat::runtime::TestStatus;

use crate::{RUNBOOK, mistake, tested};

/// The place is on the second line of the file, where the body begins.
#[track_caller]
fn wrong(body: &str, message: &str, help: &str) {
    wrong_of(RUNBOOK, body, message, help);
}

#[track_caller]
fn wrong_of(runbook: &str, body: &str, message: &str, help: &str) {
    let (place, found, hint) = mistake(runbook, body);
    assert!(place.starts_with("runbooks/played_test.rhai:2:"), "{place}: {found}");
    assert!(found.contains(message), "{found}");
    assert!(hint.contains(help), "{hint}");
}

#[test]
fn a_call_that_there_is_not() {
    wrong("given(\"prbe(web)=fail\");", "there is no primitive `prbe`", "did you mean `probe`?");
    wrong("given(\"probe(wbe)=fail\");", "there is no target `wbe`", "did you mean `web`?");
    wrong("given(\"confirm(web)=no\");", "`confirm` works on no target", "");
    wrong("given(\"probe(web)\", #{ pth: \"/\" }, \"fail\");", "`probe` has no argument `pth`", "did you mean `path`?");
    wrong("given(\"probe(web\");", "names no call", "\"probe(primary)\"");
    wrong("given(\"probe(web)\");", "nothing is given for `probe(web)`", "probe(web)=CASE");
    wrong("given(\"probe(web)\", []);", "no outcome of `probe(web)` is given", "");
    wrong("given(\"retry=failed\");", "`retry` has no outcome of its own", "inside");
}

#[test]
fn an_outcome_that_the_call_does_not_have() {
    let play = |given: &str| format!("{given} play(\"played.rhai\"); expect(true);");
    wrong(&play("given(\"probe(primary)=fial\");"), "`probe` cannot end in `fial`", "did you mean `fail`?");
    wrong(
        &play("given(\"probe(primary)=xyz\");"),
        "cannot end in `xyz`",
        "it can end in: pass, fail, degraded, warn, cancelled",
    );
    wrong(&play("given(\"probe(primary)\", #{ okay: true });"), "has no field `okay`", "did you mean");
    wrong(&play("given(\"probe(primary)\", #{ ok: 5 });"), "the field `ok` of `probe` is bool, not int", "");
    wrong(&play("given(\"probe(primary)\", 5);"), "`probe` returns a map, not int", "");
    wrong(&play("given(\"probe(primary)\", #{ ok: true, down: true });"), "`probe` never returns", "agree");
    wrong(&play("given(\"probe(primary)=in doubt\");"), "changes nothing, so it never ends in doubt", "");
    let changes = "maintenance(\"web\", \"on\");";
    wrong_of(changes, &play("given(\"maintenance(web)=in doubt\");"), "its driver has evidence", "other outcomes");
    wrong_of(changes, &play("given(\"maintenance(web)=failed\", \"on\");"), "in `failed` it throws", "");
    let lists = "query(\"primary\", \"SELECT 1\");";
    wrong_of(lists, &play("given(\"query(primary)\", [#{ n: 1 }]);"), "`query` returns a list", "[[…]]");
}

#[test]
fn what_is_given_and_not_met() {
    let play = |given: &str| format!("{given} play(\"played.rhai\"); expect(true);");
    wrong(&play("given(\"probe(web)=fail\");"), "no call meets `probe(web)`", "`probe` is called on: primary");
    wrong(&play("given(\"backup(primary)=failed\");"), "no call meets", "`backup` is not called; what is: probe");
    let with = "given(\"probe(primary)\", #{ path: \"/\" }, \"fail\");";
    wrong(&play(with), "no call meets `probe(primary) with { path: \"/\" }`", "other arguments");
    wrong(
        &play("given(\"probe(primary)\", [\"pass\", \"fail\"]);"),
        "2 calls of `probe(primary)` are given, and only 1",
        "",
    );
    wrong("play(\"played.rhai\"); given(\"probe(web)=fail\"); expect(true);", "no call meets", "`probe` is called on");
    wrong("given(\"probe(web)=fail\"); expect(true);", "no call meets", "no runbook is played");
}

#[test]
fn a_runbook_that_cannot_be_played() {
    wrong("play(\"plaid.rhai\");", "there is no runbook plaid.rhai", "did you mean `played.rhai`?");
    wrong("play(\"/etc/hostname\");", "/etc/hostname lies neither below", "its own project");
    wrong("play(\"played_test.rhai\");", "is a test file", "play the runbook that it tests");
    wrong("play(\"played.rhai\", #{ reson: \"x\" });", "there is no parameter `reson`", "did you mean `reason`?");
    wrong("play(\"played.rhai\", #{ reason: 5 });", "parameter `reason` takes a string", "");
    let asks = "param to: string;\nlog(to);";
    wrong_of(asks, "play(\"played.rhai\");", "parameter `to` is not given", "#{ to: … }");
    wrong_of(
        "prbe(\"web\");",
        "play(\"played.rhai\");",
        "has errors: line 1: there is no function `prbe`",
        "lifeboat check",
    );
    wrong_of("let x = ;", "play(\"played.rhai\");", "has errors: line 1", "");
}

#[test]
fn a_runbook_that_comes_to_no_end() {
    let compares = "if query(\"primary\", \"SELECT 1 AS n\")[0].n > 5 { log(\"many\"); }";
    wrong_of(
        compares,
        "play(\"played.rhai\");",
        "runbooks/played.rhai:1: the way depends on `‹query:primary.first.n› > 5`",
        "given(\"query(primary)\", [[#{ n: … }]])",
    );
    let counts = "query(\"primary\", \"SELECT 1 AS n\")[0].n.len()";
    wrong_of(
        counts,
        "play(\"played.rhai\");",
        "`len` asks something of ‹query:primary.first.n›",
        "say what it returns",
    );
    wrong_of("loop { probe(\"web\"); }", "play(\"played.rhai\");", "goes on for ever", "");
    wrong_of("let x = [1]; x[5]", "play(\"played.rhai\");", "runbooks/played.rhai:1: ", "");
}

#[test]
fn a_test_that_could_not_fail_or_does_not_end() {
    let (place, message, _) = mistake(RUNBOOK, "play(\"played.rhai\");");
    assert_eq!(
        (place.as_str(), message.as_str()),
        ("runbooks/played_test.rhai:1:6", "the test expects nothing, so it cannot fail")
    );
    wrong("loop { }", "goes on for ever", "");
    wrong("expect(5);", "`expect` takes a condition, and this is 5", "");
    wrong(
        "let ran = play(\"played.rhai\"); expect(ran.endet == \"well\");",
        "there is no field `endet`",
        "did you mean `ended`?",
    );
    wrong("expect(play(\"played.rhai\").keeps(\"tol\"));", "there is no invariant `tol`", "did you mean `told`?");
    wrong("expect(play(\"played.rhai\").state(\"wbe\") == #{});", "there is no target `wbe`", "did you mean `web`?");
    // Nothing hides a mistake.
    wrong("try { play(\"plaid.rhai\"); } catch { } expect(true);", "there is no runbook plaid.rhai", "");
}

/// What is wrong with the file as a whole.
#[track_caller]
fn refused(tests: &str, place: &str, message: &str, help: &str) {
    let report = tested(RUNBOOK, tests);
    let found: Vec<_> = report.files.iter().flat_map(|file| &file.errors).collect();
    assert_eq!(found.len(), 1, "{found:?}");
    assert_eq!(found[0].site.to_string(), format!("runbooks/played_test.rhai:{place}"));
    assert!(found[0].message.contains(message), "{}", found[0].message);
    assert!(found[0].help.clone().unwrap_or_default().contains(help), "{:?}", found[0].help);
    assert_eq!(report.tests().count(), 0);
}

#[test]
fn files_that_are_no_test_files() {
    refused("test \"a\" { let x = ; }", "1:20", "", "");
    refused("test \"a\" { probe(\"web\"); }", "1:12", "`probe` is called by runbooks, not by tests of them", "play(");
    refused("test \"a\" { require(true, \"x\"); }", "1:12", "`require` is for runbooks", "expect(");
    refused("test \"a\" { step \"b\" { } }", "1:12", "`step` stands in a runbook", "play");
    refused("test \"a\" { plya(\"x\"); }", "1:12", "there is no function `plya`", "did you mean `play`?");
    refused(
        "test \"a\" { let ran = play(\"x\"); ran.caled(\"x\"); }",
        "1:37",
        "no method `caled`",
        "did you mean `called`?",
    );
    refused("import \"x\" as x;\ntest \"a\" { }", "1:1", "a test file imports nothing", "function");
    refused("fn play(x) { x }\ntest \"a\" { }", "1:12", "would hide that of every test", "another name");
}

#[test]
fn tests_that_cannot_be_told_apart() {
    refused("test \"a\" { }\ntest \"a\" { }", "2:6", "two tests are called `a`", "titles");
    refused("for n in [1, 2] { test \"a\" { } }", "1:24", "two tests are called `a`", "titles");
    refused("loop { test \"a\" { } }", "1:13", "two tests are called `a`", "titles");
    refused("let n = 0;\nloop { n += 1; test `${n}` { } }", "2:21", "more than 1000 tests", "no end");
    refused("test \"\" { }", "1:6", "the title of a test is one line", "");
    refused("test 5 { }", "1:6", "the title of a test is a text", "");
    refused("play(\"played.rhai\");", "1:1", "`play` stands outside of a test", "put it into a test");
    refused("given(\"probe(web)=fail\");", "1:1", "`given` stands outside of a test", "put it into a test");
    refused("expect(true);", "1:8", "`expect` stands outside of a test", "test \"title\"");
}

#[test]
fn a_test_inside_another_is_a_mistake() {
    let report = tested(RUNBOOK, "test \"a\" { test \"b\" { expect(true); } }");
    let test = report.tests().next().expect("the outer one");
    assert_eq!(test.status, TestStatus::Mistaken);
    assert_eq!(test.failures[0].diagnostic.message, "a test stands inside another test");
}
