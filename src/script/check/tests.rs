//! The check as a specification: what is found in a runbook before it runs, where, and what to do.

use std::path::Path;

use super::*;
use crate::config::Config;
use crate::script::tests::Files;

const CONFIG: &str = r#"
[environments.test.services.web]
driver = "http"
url = "http://127.0.0.1:1"

[environments.test.channels.incidents]
driver = "terminal"
"#;

fn findings(text: &str, files: &[(&str, &str)]) -> Vec<String> {
    let files = files.iter().map(|(path, text)| ((*path).to_owned(), (*text).to_owned())).collect();
    let script = Script::compile("main.rhai", text).expect("it compiles");
    let config = Config::parse(Path::new("/project/lifeboat.toml"), CONFIG.into()).expect("it is right");
    let environment = config.environment(None).expect("there is one");
    let found = check(&script, &Arc::new(Registry::standard()), &Files(files), Some(environment));
    let one = |d: &Diagnostic| {
        let mark = if d.severity == Severity::Warning { " (warning)" } else { "" };
        let help = d.help.as_deref().map(|help| format!(" [{help}]")).unwrap_or_default();
        format!("{} {}{mark}: {}{help}", d.site, d.code, d.message)
    };
    found.iter().map(one).collect()
}

#[track_caller]
fn only(text: &str, expected: &str) {
    assert_eq!(findings(text, &[]), [expected]);
}

#[test]
fn a_sound_runbook_has_no_findings() {
    let sound = "//! Title.\n//! rto: 5m\nparam who: string = \"me\";\n\
        notify(\"incidents\", `hello ${who}`, #{ severity: \"info\" });\n\
        wait_until(\"web answers\", #{ timeout: \"1m\" }, || probe(\"web\").ok);";
    assert_eq!(findings(sound, &[]), [""; 0]);
}

#[test]
fn a_call_that_does_not_exist_is_found_even_where_it_could_be_caught() {
    let expected = "main.rhai:1:7 unknown-function: there is no function `prob` [did you mean `probe`?]";
    only("try { prob(\"web\"); } catch { }", expected);
    only("[1].frobnicate();", "main.rhai:1:5 unknown-function: there is no method `frobnicate`");
}

#[test]
fn options_are_those_of_the_primitive() {
    let expected = "main.rhai:1:17 unknown-option: `probe` has no option `timout` [did you mean `timeout`?]";
    only("probe(\"web\", #{ timout: \"5s\" });", expected);
}

#[test]
fn literals_have_the_type_of_their_argument() {
    let found = findings("probe(\"web\", #{ attempts: \"3\", timeout: \"5 parsecs\" });", &[]);
    assert_eq!(found.len(), 2, "{found:?}");
    assert!(found[0].contains("`attempts` of `probe` takes int, not a value of type string"), "{found:?}");
    assert!(found[1].contains("argument-type: `timeout` of `probe`:"), "{found:?}");
    let found = findings("notify(\"incidents\", \"m\", #{ severity: \"loud\" });", &[]);
    assert!(found[0].contains("not \"loud\""), "{found:?}");
}

#[test]
fn missing_and_surplus_arguments_are_answered_with_an_example() {
    let found = findings("probe();\nprobe(\"web\", 1, 2);", &[]);
    assert!(found[0].starts_with("main.rhai:1:1 arguments: `probe` lacks its argument `target` [for example: probe("));
    assert!(found[1].starts_with("main.rhai:2:1 arguments: `probe` takes (target, #{ options }) [for example: probe("));
}

#[test]
fn targets_exist_and_take_the_call() {
    let expected = "main.rhai:1:7 unknown-target: environment test has no target `wbe` [did you mean `web`?]";
    only("probe(\"wbe\");", expected);
    let found = findings("notify(\"web\", \"down\");", &[]);
    assert!(found[0].contains("target-kind: `notify` does not work on `web`: a service served by http"), "{found:?}");
}

#[test]
fn faults_are_injected_in_drill_environments_only() {
    let found = findings("inject(\"web\", \"kill\");", &[]);
    assert!(found[0].contains("drill-only: `inject` is refused in environment test"), "{found:?}");
}

#[test]
fn a_function_must_not_hide_a_primitive() {
    let found = findings("fn probe(x) { x }\nprobe(\"web\");", &[]);
    assert!(found[0].contains("shadow: the function `probe` would hide the primitive of that name"), "{found:?}");
}

#[test]
fn modules_are_checked_where_they_are_written() {
    let module = ("checks.rhai", "fn web_is_up() { prob(\"web\").ok }");
    let found = findings("import \"checks\" as checks;\nchecks::web_is_op();", &[module]);
    assert_eq!(
        found,
        [
            "checks.rhai:1:18 unknown-function: there is no function `prob` [did you mean `probe`?]",
            "main.rhai:2:9 unknown-function: module `checks` has no function `web_is_op` [did you mean `web_is_up`?]",
        ]
    );
    assert!(findings("import \"none\" as none;", &[])[0].contains("import: "));
}

#[test]
fn a_child_runbook_exists_and_compiles() {
    let broken = ("child.rhai", "let x = ;");
    let found = findings("runbook(\"child.rhai\");\nrunbook(\"none.rhai\");", &[broken]);
    assert_eq!(found.len(), 2, "{found:?}");
    assert!(found[0].contains("child: child.rhai:1:"), "{found:?}");
    assert!(found[1].contains("child: there is no file none.rhai"), "{found:?}");
}

#[test]
fn names_that_mean_nothing_are_warned_of() {
    let found = findings("//! Title.\n//! ownr: me\n//! rto: soon\nparam spare: int = 1;", &[]);
    let starts = [
        "main.rhai:2:5 front-matter (warning): `ownr` means nothing in front matter [did you mean `owner`?]",
        "main.rhai:3:5 front-matter: rto: ",
        "main.rhai:4:7 unused (warning): parameter `spare` is never used",
    ];
    assert_eq!(found.len(), starts.len(), "{found:?}");
    assert!(found.iter().zip(starts).all(|(found, start)| found.starts_with(start)), "{found:?}");
}
