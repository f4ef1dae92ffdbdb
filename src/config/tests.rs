//! What a `lifeboat.toml` may say, and what is said of its mistakes.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use miette::NarratableReportHandler;
use proptest::prelude::*;

use super::*;

const GOOD: &str = r#"default = "sandbox"

[environments.production]
protected = true
independent = [["web", "docs"]]

[environments.production.services.web]
driver = "http"
url = "https://example.org/health"
headers = { Accept = "text/plain" }
[environments.production.services.docs]
driver = "http"
url = "https://docs.example.org"
[environments.production.databases.primary]
driver = "sqlite"
path = "data/app.db"
store = "backups"
[environments.production.stores.backups]
driver = "directory"
path = "backups"

[environments.sandbox]
drill = true
[environments.sandbox.services.web]
driver = "http"
url = "http://127.0.0.1:8080/health"
[[environments.sandbox.processes]]
name = "web"
command = ["{lifeboat}", "sandbox", "serve", ""]
ready = "web"
"#;

fn parse(text: &str) -> Result<Config, Vec<ConfigError>> {
    Config::parse(Path::new("/project/lifeboat.toml"), text.into())
}

pub(super) fn good(text: &str) -> Config {
    parse(text).unwrap_or_else(|mistakes| panic!("{}", mistakes.iter().map(place).collect::<String>()))
}

/// `line:column message (help)`, with columns in characters, and a new line.
pub(super) fn place(mistake: &ConfigError) -> String {
    let text: &Arc<str> = mistake.source_code.inner();
    let before = &text[..mistake.span.expect("every mistake has a place").offset()];
    let line = before.matches('\n').count() + 1;
    let column = before.rsplit('\n').next().unwrap_or_default().chars().count() + 1;
    format!("{line}:{column} {} ({})\n", mistake.message, mistake.help.as_deref().unwrap_or("no help"))
}

/// All mistakes of a text that has some.
pub(super) fn bad(text: &str) -> Vec<ConfigError> {
    parse(text).expect_err("it has mistakes")
}

/// Mistakes as [`place`] shows them.
pub(super) fn places(mistakes: &[ConfigError]) -> String {
    mistakes.iter().map(place).collect()
}

/// Says that these are the mistakes in `text`, in their order and no others.
#[track_caller]
fn mistakes(text: &str, expected: &[&str]) {
    let found: String = parse(text).expect_err("there is a mistake").iter().map(place).collect();
    assert_eq!(found.lines().collect::<Vec<_>>(), expected);
}

#[test]
fn a_configuration_is_read_whole() {
    let config = good(GOOD);
    assert_eq!(config.root, PathBuf::from("/project"));
    assert_eq!(config.default_environment.as_deref(), Some("sandbox"));
    // As sha256sum says it.
    assert_eq!(config.digest, "8e005fbfc12a7b764cd307a7d516aa047ce64922e3b9b51841269be0f1747a40");
    let production = &config.environments["production"];
    assert!(production.protected && !production.drill);
    assert!(production.are_independent("docs", "web") && !production.are_independent("web", "primary"));
    assert_eq!(production.resolve(Path::new("a.db")), Path::new("/project/a.db"));
    let web = &production.targets["web"];
    assert_eq!((web.kind, web.driver.as_str()), (TargetKind::Service, "http"));
    assert_eq!(
        web.settings,
        serde_json::json!({ "url": "https://example.org/health", "headers": { "Accept": "text/plain" } })
    );
    let sandbox = &config.environments["sandbox"];
    assert!(sandbox.drill);
    let command = ["{lifeboat}", "sandbox", "serve", ""].map(str::to_owned).to_vec();
    assert_eq!(sandbox.processes, [ProcessSpec { name: "web".into(), command, ready: Some("web".into()) }]);
}

#[test]
fn every_setting_knows_its_place() {
    let config = good(GOOD);
    let origin = &config.environments["production"].targets["web"].origin;
    let at = |range: &std::ops::Range<usize>| &GOOD[range.clone()];
    assert_eq!(at(&origin.span), "[environments.production.services.web]");
    assert_eq!(at(&origin.keys["url"]), "url");
    assert_eq!(at(&origin.values["headers.Accept"]), "\"text/plain\"");
    assert_eq!(at(&origin.values["driver"]), "\"http\"");
}

#[test]
fn a_report_shows_the_place_and_what_to_do() {
    let errors = parse("defualt = \"x\"\n").expect_err("a slip");
    let mut report = String::new();
    NarratableReportHandler::new().render_report(&mut report, &errors[0]).expect("renders");
    assert!(report.starts_with("unknown key `defualt` in lifeboat.toml\n"), "{report}");
    for part in ["snippet for /project/lifeboat.toml", "line 1, columns 1 to 7", "help: did you mean `default`?"] {
        assert!(report.contains(part), "{part} in {report}");
    }
}

#[test]
fn mistakes_in_the_syntax_are_all_reported() {
    mistakes(
        "a = web\nb = true\nb = false\n[environments\n",
        &[
            "1:5 string values must be quoted, expected literal string (write text in quotes: `name = \"web\"`)",
            "3:1 duplicate key (keep one of them)",
            "4:14 unclosed table, expected `]` (close it)",
        ],
    );
}

#[test]
fn unknown_keys_are_reported_at_every_level() {
    mistakes(
        r#"
stat = "x"
[environments.a]
protcted = true
service.web.driver = "http"
[[environments.a.processes]]
name = "p"
command = ["p"]
redy = "p"
"#,
        &[
            "2:1 unknown key `stat` in lifeboat.toml (did you mean `state`?)",
            "4:1 unknown key `protcted` in environment a (did you mean `protected`?)",
            "5:1 unknown key `service` in environment a (did you mean `services`?)",
            "9:1 unknown key `redy` in a process of environment a (did you mean `ready`?)",
        ],
    );
}

#[test]
fn a_lease_is_a_duration_that_is_not_too_short() {
    let lease = |text: &str| parse(&format!("[state]\nlease = \"{text}\"\n"));
    assert_eq!(lease("2m").expect("right").state.lease.to_string(), "2m");
    for (text, why) in [("10ms", "2:9 `lease` is 10ms (make it 1s at least)\n"), ("soon", "2:9 `lease`: ")] {
        let told: String = lease(text).expect_err("wrong").iter().map(place).collect();
        assert!(told.starts_with(why), "{told}");
    }
}

#[test]
fn wrong_types_are_reported_at_the_value() {
    mistakes(
        r#"default = 1
[environments]
x = "x"
[environments.a]
protected = "yes"
drill = 1
independent = "web"
services = []
stores.s = "directory"
hosts.h = { driver = 7 }
databases.d = { driver = "" }
[[environments.a.processes]]
name = 3
command = "serve"
ready = ["web"]
[[environments.a.processes]]
name = "p"
command = ["", 3]
[environments.b]
processes = { name = "p" }
"#,
        &[
            "1:11 `default` must be text, not a number (write it as `default = \"…\"`)",
            "3:5 environment `x` must be a table, not text (begin it with `[environments.x]`)",
            "5:13 `protected` must be true or false, not text (write `protected = true`, or leave it out)",
            "6:9 `drill` must be true or false, not a number (write `drill = true`, or leave it out)",
            "7:15 `independent` must be a list, not text (write it as `independent = [[\"web\", \"docs\"]]`)",
            "8:12 `services` must be a table, not a list (begin it with `[environments.a.services.NAME]`)",
            "9:12 store `s` must be a table, not text (begin it with `[environments.a.stores.NAME]`)",
            "10:22 `driver` must be text, not a number (write it as `driver = \"…\"`)",
            "11:26 `driver` must not be empty (write it as `driver = \"…\"`)",
            "13:8 the name of a process must be text, not a number (write it as `name = \"web\"`)",
            "14:11 `command` must be a list, not text (write it as `command = [\"program\", \"argument\"]`)",
            "15:9 `ready` must be text, not a list (write it as `ready = \"TARGET\"`)",
            "18:12 each part of `command` must not be empty (write it as `command = [\"program\", \"argument\"]`)",
            "18:16 each part of `command` must be text, not a number (write it as `command = [\"program\", \"argument\"]`)",
            "20:13 `processes` must be a list of tables (begin each process with `[[environments.b.processes]]`)",
        ],
    );
}

#[test]
fn a_target_needs_a_driver() {
    mistakes(
        "# é\n[environments.a.services]\nweb = { url = \"é\" }\n  [environments.a.services.docs]\n",
        &[
            "3:7 service `web` has no `driver` (add `driver = \"…\"` to say what serves it)",
            "4:3 service `docs` has no `driver` (add `driver = \"…\"` to say what serves it)",
        ],
    );
}

#[test]
fn a_process_needs_a_name_and_a_command_and_a_name_of_its_own() {
    mistakes(
        r#"[[environments.a.processes]]
[[environments.a.processes]]
name = "p"
command = ["p"]
[[environments.a.processes]]
name = "p"
command = []
"#,
        &[
            "1:1 a process has no `name` (add `name = \"web\"`)",
            "1:1 a process has no `command` (add `command = [\"program\", \"argument\"]`)",
            "6:8 there are two processes called `p` in environment a (give one of them another name)",
            "7:11 `command` must name a program (write it as `command = [\"program\", \"argument\"]`)",
        ],
    );
}

#[test]
fn targets_of_all_kinds_share_one_namespace() {
    mistakes(
        r#"[environments.a.stores.main]
driver = "directory"
[environments.a.databases.main]
driver = "sqlite"
[environments.b.databases.main]
driver = "sqlite"
"#,
        &["3:27 `main` is the name of two targets in environment a \
           (line 1 calls a store so: give one of them another name)"],
    );
}

#[test]
fn names_are_plain() {
    let help = "(begin it with a letter from a to z, and go on with a to z, 0 to 9, `_` and `-`)";
    mistakes(
        r#"[environments.Production.services."web.eu"]
driver = "http"
[[environments.Production.processes]]
name = "2"
command = ["x"]
"#,
        &[
            &format!("1:15 `Production` cannot be the name of an environment {help}"),
            &format!("1:35 `web.eu` cannot be the name of a target {help}"),
            &format!("4:8 `2` cannot be the name of a process {help}"),
        ],
    );
}

#[test]
fn references_must_lead_somewhere() {
    mistakes(
        r#"default = "prodution"
[environments.production]
independent = [["web", "dosc"], ["web"], "docs", ["web", "web"]]
services.web = { driver = "http" }
services.docs = {}
[[environments.production.processes]]
name = "p"
command = ["p"]
ready = "primary"
"#,
        &[
            "1:11 there is no environment `prodution` (did you mean `production`?)",
            "3:24 there is no target `dosc` in environment production (did you mean `docs`?)",
            "3:33 each entry of `independent` must be a pair of targets (write it as `independent = [[\"web\", \"docs\"]]`)",
            "3:42 each entry of `independent` must be a pair of targets (write it as `independent = [[\"web\", \"docs\"]]`)",
            "3:50 `web` cannot be independent of itself \
             (name two targets of which neither can be changed by a change of the other)",
            "5:17 service `docs` has no `driver` (add `driver = \"…\"` to say what serves it)",
            "9:9 there is no target `primary` in environment production (targets: docs, web)",
        ],
    );
}

#[test]
fn a_protected_environment_is_not_for_drills() {
    mistakes(
        "[environments.a]\nprotected = true\ndrill = true\n",
        &["3:1 environment a is both protected and for drills \
           (a drill breaks things on purpose: give it an environment of its own)"],
    );
}

#[test]
fn a_drill_shares_nothing_with_a_protected_environment() {
    mistakes(
        r#"[environments.production]
protected = true
databases.primary = { driver = "sqlite", path = "data/app.db" }
services.web = { driver = "http", url = "https://Example.org/", pid_file = "run/web.pid" }
channels.incidents = { driver = "terminal" }
hosts.edge = { driver = "ssh", name = "edge-1" }
[environments.sandbox]
drill = true
databases.copy = { driver = "sqlite", path = "./data/../data/app.db" }
services.web = { driver = "http", url = "https://example.ORG:443" }
services.worker = { driver = "tcp", address = "127.0.0.1:9", pid_file = "/project/run/web.pid" }
channels.incidents = { driver = "terminal" }
hosts.rack = { driver = "ssh", name = "edge-1" }
stores.data = { driver = "directory", path = "data/app.db" }
"#,
        &[
            "9:46 database `copy` of the drill environment sandbox is also database `primary` of production, \
             which is protected (a drill breaks what it touches: give sandbox a database of its own)",
            "10:41 service `web` of the drill environment sandbox is also service `web` of production, \
             which is protected (a drill breaks what it touches: give sandbox a service of its own)",
            "11:73 service `worker` of the drill environment sandbox is also service `web` of production, \
             which is protected (a drill breaks what it touches: give sandbox a service of its own)",
            "13:14 host `rack` of the drill environment sandbox is also host `edge` of production, \
             which is protected (a drill breaks what it touches: give sandbox a host of its own)",
        ],
    );
}

#[test]
fn environments_that_are_not_for_drills_may_share_targets() {
    let config = good(
        r#"[environments.production]
protected = true
databases.primary = { driver = "sqlite", path = "app.db" }
[environments.readonly.databases]
primary = { driver = "sqlite", path = "/project/app.db" }
"#,
    );
    let (production, readonly) = (&config.environments["production"], &config.environments["readonly"]);
    assert_eq!(production.coinciding(readonly), [("primary".to_owned(), "primary".to_owned())]);
}

#[test]
fn the_environment_is_the_named_the_default_or_the_only_one() {
    let name = |text: &str, name: Option<&str>| match good(text).environment(name) {
        Ok(environment) => environment.name.clone(),
        Err(error) => format!("{} ({})", error.message, error.help),
    };
    let two = "[environments.a]\n[environments.bravo]\n";
    assert_eq!(name(GOOD, None), "sandbox");
    assert_eq!(name(GOOD, Some("production")), "production");
    assert_eq!(name("[environments.a]", None), "a");
    assert_eq!(name(two, Some("brvao")), "there is no environment `brvao` in lifeboat.toml (did you mean `bravo`?)");
    assert_eq!(
        name(two, None),
        "no environment is named, and lifeboat.toml has no default \
         (name one of: a, bravo; or begin the file with `default = \"NAME\"`)"
    );
    assert_eq!(
        name("", Some("a")),
        "lifeboat.toml has no environment (add one: `[environments.sandbox]`, and its targets below it)"
    );
}

#[test]
fn numbers_must_fit() {
    mistakes(
        "[environments.a.services.web]\ndriver = \"x\"\na = 99999999999999999999\nb = inf\nc = 1979-05-27\n",
        &[
            "3:5 `a` is too large a number (write a number that fits into 64 bits)",
            "4:5 `b` is not a finite number (write a number that fits into 64 bits)",
        ],
    );
}

proptest! {
    #[test]
    fn no_text_makes_it_panic(at in 0..GOOD.len(), cut in 0..40_usize, put in "[\\[\\]{}=.,\"'\\n\\\\#a-c0-9 é]{0,6}") {
        let text = format!("{}{put}{}", &GOOD[..at], &GOOD[(at + cut).min(GOOD.len())..]);
        for mistake in parse(&text).err().into_iter().flatten() {
            let mut report = String::new();
            NarratableReportHandler::new().render_report(&mut report, &mistake).expect("renders");
            prop_assert!(!place(&mistake).contains("no help"), "{report}");
        }
    }
}
