//! A run that is not over says in which ways it can go on from where it is.
#![expect(clippy::disallowed_methods, reason = "a test prepares files, and starts the program that it is about")]

#[expect(dead_code, reason = "these tests need a part of it")]
mod support;

use std::io::Write as _;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use serde_json::Value;
use support::Project;

const CONFIG: &str = r#"
[environments.local]
[environments.local.services.web]
driver = "http"
url = "http://127.0.0.1:1/"
maintenance_file = "maintenance"
[environments.local.channels.team]
driver = "file"
path = "notes.jsonl"
[environments.local.tools.turn]
driver = "command"
program = ["false"]
unchanged_codes = [1]
check = ["false"]
"#;

/// Waits in its last line, with a service closed.
const HOLDING: &str = r#"//! Hold.
step "Close" { maintenance("web", "on"); } rollback { maintenance("web", "off"); }
sleep("1h");
"#;

/// Fails in its last line.
const FAILING: &str = r#"//! Fail.
step "Close" { maintenance("web", "on"); } rollback { maintenance("web", "off"); }
notify("team", "it turns");
exec("turn");
"#;

fn project(runbook: &str) -> Project {
    Project::empty().file("lifeboat.toml", CONFIG).file("runbooks/it.rhai", runbook)
}

/// A process that is killed when the test is over, however it ends.
struct Started(Child);

impl Drop for Started {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

impl Started {
    fn program(project: &Project, program: &str, args: &[&str]) -> Self {
        let mut command = Command::new(program);
        command.args(args).current_dir(project.path(".")).env("LIFEBOAT", env!("CARGO_BIN_EXE_lifeboat"));
        command.stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::null());
        Self(command.spawn().unwrap_or_else(|error| panic!("{program}: {error}")))
    }

    fn holding(project: &Project) -> Self {
        let run = Self::program(project, env!("CARGO_BIN_EXE_lifeboat"), &["run", "runbooks/it.rhai"]);
        until("it waits", || project.run(["show", "latest", "--json"]).stdout.contains("\"awaiting\""));
        run
    }
}

/// Waits for something that happens soon, on however slow a machine.
fn until(what: &str, mut holds: impl FnMut() -> bool) {
    let deadline = Instant::now() + Duration::from_secs(60);
    while !holds() {
        assert!(Instant::now() < deadline, "waited a minute until {what}");
        std::thread::sleep(Duration::from_millis(10));
    }
}

fn ways(project: &Project) -> Value {
    let shown = project.run(["show", "latest", "--ways", "--json"]);
    serde_json::from_str(&shown.stdout).unwrap_or_else(|_| panic!("{}{}", shown.stdout, shown.stderr))
}

/// What can come of the next call: each way with how the run then ends, how often, and whether that is bad.
fn next(ways: &Value) -> Vec<(String, Vec<String>)> {
    let text = |value: &Value| value.as_str().expect("a text").to_owned();
    let end = |end: &Value| {
        let bad = if end["bad"] == true { " (bad)" } else { "" };
        format!("{} {}{bad}", end["ways"], text(&end["ends"]))
    };
    let next = ways["next"].as_array().expect("a list");
    let ends = |next: &Value| next["ends"].as_array().expect("a list").iter().map(end).collect();
    next.iter().map(|next| (text(&next["way"]), ends(next))).collect()
}

#[test]
fn a_run_under_way_says_where_it_is_and_how_it_may_end() {
    let project = project(HOLDING);
    let _run = Started::holding(&project);
    let ways = ways(&project);
    assert_eq!((&ways["here"]["site"]["line"], &ways["here"]["call"]), (&3.into(), &"sleep 1h".into()), "{ways:#}");
    // Cancelled, it opens the service again; that may fail, before it took place or after.
    let expected = [("done, and cancelled", vec!["2 left-changed (bad)", "2 restored"]), ("done", vec!["1 well"])];
    let expected = expected.map(|(way, ends)| (way.to_owned(), ends.into_iter().map(str::to_owned).collect()));
    assert_eq!(next(&ways), expected);
    assert_eq!((&ways["ways"], &ways["bad"], &ways["cut_off"]), (&5.into(), &2.into(), &false.into()));
    let left = &ways["next"][0]["ends"][0]["left"];
    assert_eq!(*left, serde_json::json!(["maintenance web on (line 2)"]));
    let shown = project.run(["show", "latest"]).stdout;
    assert!(shown.contains("here      line 3, sleep 1h: 5 ways on, 2 of them bad (--ways)"), "{shown}");
    let told = project.run(["show", "latest", "--ways"]).stdout;
    assert!(told.starts_with("here: line 3, sleep 1h: 5 ways on, 2 of them bad\n"), "{told}");
    assert!(told.contains("⊘⚠ 2 ways: cancelled, left changed: maintenance web on (line 2)"), "{told}");
}

#[test]
fn what_its_rollback_does_not_put_back_is_seen_before_it_is_cancelled() {
    let project = project(&HOLDING.replace("maintenance(\"web\", \"off\")", "log(\"nothing\")"));
    let _run = Started::holding(&project);
    let ways = ways(&project);
    let cancelled = &next(&ways)[0];
    assert_eq!(
        (cancelled.0.as_str(), &cancelled.1[..]),
        ("done, and cancelled", &["1 left-changed (bad)".to_owned()][..])
    );
    let left = &ways["next"][0]["ends"][0]["left"][0];
    assert_eq!(*left, "maintenance web on (line 2, not put back by its rollback)");
}

#[test]
fn a_run_that_is_interrupted_says_it_too_and_one_that_is_over_does_not() {
    let project = project(HOLDING);
    drop(Started::holding(&project));
    assert_eq!(ways(&project)["ways"], 5, "its process is gone");
    let cancelled = project.run(["cancel", "latest"]);
    assert_eq!(cancelled.exit, Some(0), "{}", cancelled.stderr);
    let over = project.run(["show", "latest", "--ways"]);
    assert_eq!(over.exit, Some(3));
    assert!(over.stderr.contains("is over"), "{}", over.stderr);
    assert!(!project.run(["show", "latest"]).stdout.contains("here"));
}

#[test]
fn its_place_is_marked_on_the_tree_of_its_ways_on() {
    let project = project(HOLDING);
    let _run = Started::holding(&project);
    let explored = |format: &str| {
        let run = project.run(["explore", "--run", "latest", "--format", format]);
        assert_eq!((run.exit, &*run.stderr), (Some(0), ""), "{}", run.stdout);
        run.stdout
    };
    let json: Value = serde_json::from_str(&explored("json")).expect("one document");
    let ways = ways(&project);
    assert_eq!((&json["paths"]["all"], &json["run"]["bad"]), (&ways["ways"], &ways["bad"]));
    assert_eq!((&json["run"]["here"], &json["run"]["id"]), (&ways["here"], &ways["run"]));
    let chart = explored("mermaid");
    assert!(chart.contains("[\"so far:<br>maintenance web on\"]:::past"), "{chart}");
    assert!(chart.contains("[\"▶ here: 5 ways on, 2 of them bad<br>sleep 1h\"]:::here"), "{chart}");
    assert!(chart.contains("n0 -->|\"was off\"| n1"), "what is recorded has gone one way: {chart}");
    let graph = explored("dot");
    assert!(graph.contains("▶ here: 5 ways on, 2 of them bad\\lsleep 1h"), "{graph}");
    let page = explored("html");
    assert!(page.contains("<a href=\"#n2\">▶ here: line 3, sleep 1h: 5 ways on, 2 of them bad</a>"), "{page}");
    assert!(page.contains("<li id=\"n2\" class=\"here\">"), "{page}");
    let text = explored("text");
    assert!(text.contains("\nhere: line 3, sleep 1h: 5 ways on, 2 of them bad\n"), "{text}");
    assert!(!text.contains("walked:"), "what lies behind it is on none of its ways on: {text}");
}

#[test]
fn the_tree_of_a_run_is_asked_for_by_its_name_alone() {
    let project = project(HOLDING);
    drop(Started::holding(&project));
    let refused = |run: support::Run, exit: i32, why: &str| {
        let said = run.stderr.split_whitespace().collect::<Vec<_>>().join(" ");
        assert!(run.exit == Some(exit) && said.contains(why), "{:?}: {}", run.exit, run.stderr);
    };
    refused(project.run(["explore", "--run", "latest", "runbooks/it.rhai"]), 64, "cannot be used with");
    refused(project.run(["explore", "--run", "latest", "--set", "a=b"]), 64, "cannot be used with");
    refused(project.run(["explore", "--run", "latest", "--env", "elsewhere"]), 64, "is in local, not in elsewhere");
    refused(project.run(["explore", "--run", "nope"]), 64, "no run");
    refused(project.run(["explore"]), 64, "RUNBOOK");
    assert_eq!(project.run(["cancel", "latest"]).exit, Some(0));
    refused(project.run(["explore", "--run", "latest"]), 3, "is over");
}

#[test]
fn another_source_than_it_began_with_tells_nothing_of_it() {
    let project = project(HOLDING);
    let _run = Started::holding(&project);
    std::fs::write(project.path("runbooks/it.rhai"), HOLDING.replace("1h", "2h")).expect("it can be written");
    let shown = project.run(["show", "latest", "--ways"]);
    assert_eq!(shown.exit, Some(3));
    assert!(shown.stderr.contains("runbooks/it.rhai changed since run"), "{}", shown.stderr);
    let shown = project.run(["show", "latest"]);
    assert_eq!(shown.exit, Some(0));
    let text = shown.stdout.split_whitespace().collect::<Vec<_>>().join(" ");
    assert!(text.contains("cannot be told: refused: runbooks/it.rhai changed"), "{}", shown.stdout);
}

#[test]
fn a_pause_says_what_may_come_of_the_decision() {
    let project = project(FAILING);
    let line = "\"$LIFEBOAT\" run runbooks/it.rhai";
    let mut terminal = Started::program(&project, "script", &["-qefc", line, "typescript"]);
    let typed = || std::fs::read_to_string(project.path("typescript")).unwrap_or_default();
    until("it asks", || typed().contains("What now?"));
    let card = typed();
    assert!(card.contains("here: line 4, exec turn: ") && card.contains(" of them bad"), "{card}");
    let ways = ways(&project);
    let next = next(&ways);
    let given_up = next.iter().find(|(way, _)| way == "not tried again").unwrap_or_else(|| panic!("{next:#?}"));
    assert_eq!(given_up.1, ["2 left-changed (bad)", "2 restored"], "as after any fault");
    assert!(next.iter().any(|(way, ends)| way == "done" && ends == &["1 well"]), "{next:#?}");
    let input = terminal.0.stdin.as_mut().expect("it is piped");
    input.write_all(b"roll back\n").expect("it reads");
    until("it is over", || typed().contains("rolled back: Close"));
}
