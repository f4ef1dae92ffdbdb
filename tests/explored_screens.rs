//! What an exploration prints: exit code and both streams, as golden files in `snapshots/`.
#![expect(clippy::disallowed_methods, reason = "a test prepares files, and starts the program that it is about")]

#[expect(dead_code, reason = "these tests need a part of it")]
mod support;

use support::{Project, Run};

macro_rules! golden {
    ($run:expr) => {{
        let run: Run = $run;
        insta::with_settings!({ omit_expression => true }, { insta::assert_snapshot!(run.told()) });
    }};
}

#[test]
fn waives_what_there_is_not() {
    let waivers = "//! Quick.\n//! waive: tell: nobody waits\n//! waive: told\nlog(\"here\");\n";
    golden!(Project::new().file("runbooks/waivers.rhai", waivers).run(["explore", "runbooks/waivers.rhai"]));
}

#[test]
fn leaves_a_service_closed_when_it_fails() {
    let closes = "//! Close the service.\nnotify(\"incidents\", \"The service is closed\");\nmaintenance(\"web\", \"on\");\n\
        confirm(\"Open it again?\");\nmaintenance(\"web\", \"off\");\n";
    golden!(Project::new().file("runbooks/close.rhai", closes).run(["explore", "runbooks/close.rhai"]));
}

#[test]
fn asks_something_of_what_nobody_knows() {
    let counts = "//! Count.\nfor n in 0..probe(\"web\").latency_ms {\n    log(`${n}`);\n}\n";
    golden!(Project::new().file("runbooks/count.rhai", counts).run(["explore", "runbooks/count.rhai"]));
}

#[test]
fn pins_what_no_path_meets() {
    let looks = "probe(\"web\");\n";
    let pinned = ["explore", "runbooks/look.rhai", "--assume", "probe(primary)=fail"];
    golden!(Project::new().file("runbooks/look.rhai", looks).run(pinned));
}

#[test]
fn walks_so_many_failures() {
    golden!(Project::new().runbook("good").run(["explore", "runbooks/good.rhai", "--faults", "some"]));
}

/// A small runbook that says everything a picture shows: a step with a rollback, a comparison, a broken invariant.
const SMALL: &str = "//! Close the service.\n\
    step \"Close\" {\n\
    \x20   maintenance(\"web\", \"on\");\n\
    \x20   confirm(\"Is it quiet?\");\n\
    } rollback {\n\
    \x20   maintenance(\"web\", \"off\");\n\
    }\n\
    if probe(\"web\").latency_ms > 200 {\n\
    \x20   log(\"slow\");\n\
    }\n";

fn small() -> Project {
    Project::new().file("runbooks/small.rhai", SMALL)
}

#[test]
fn draws_a_flowchart() {
    golden!(small().run(["explore", "runbooks/small.rhai", "--format", "mermaid"]));
}

#[test]
fn draws_what_the_guide_shows() {
    let guide = include_str!("../docs/src/how-to/explore-every-path.md");
    assert!(guide.contains(&format!("```rhai\n{SMALL}```")), "its runbook");
    let chart = small().run(["explore", "runbooks/small.rhai", "--format", "mermaid"]).stdout;
    assert!(guide.contains(&format!("```mermaid\n{chart}```")), "its drawing");
}

#[test]
fn draws_a_flowchart_of_which_much_is_folded() {
    golden!(small().run(["explore", "runbooks/small.rhai", "--format", "mermaid", "--nodes", "8"]));
}

#[test]
fn draws_a_graph() {
    golden!(small().run(["explore", "runbooks/small.rhai", "--format", "dot"]));
}

#[test]
fn writes_a_tracefile() {
    golden!(small().run(["explore", "runbooks/small.rhai", "--format", "lcov"]));
}

#[test]
fn writes_the_same_with_any_number_of_threads() {
    for format in ["mermaid", "dot", "html", "lcov"] {
        let with =
            |threads| small().run(["explore", "runbooks/small.rhai", "--format", format, "--threads", threads]).stdout;
        let one = with("1");
        assert!(one.len() > 200, "{one}");
        assert!(with("2") == one && with("5") == one, "{format}");
    }
}

#[test]
fn writes_a_file_and_nothing_else() {
    let project = small();
    let run = project.run(["explore", "runbooks/small.rhai", "--format", "html", "-o", "paths.html"]);
    assert_eq!((run.exit, &*run.stdout, &*run.stderr, run.files), (Some(1), "", "", vec!["new paths.html".to_owned()]));
    let page = std::fs::read_to_string(project.path("paths.html")).expect("it is there");
    assert!(page.starts_with("<!doctype html>") && page.trim_end().ends_with("</html>"));
    let again = project.run(["explore", "runbooks/small.rhai", "--output", "paths.html"]);
    assert_eq!(again.files, ["changed paths.html"]);
    let shown = project.run(["explore", "runbooks/small.rhai", "-o", "-"]);
    assert_eq!(std::fs::read_to_string(project.path("paths.html")).expect("it is there"), shown.stdout);
}

#[test]
fn has_no_place_for_a_file() {
    golden!(small().run(["explore", "runbooks/small.rhai", "-o", "reports/paths.txt"]));
}

#[test]
fn does_not_write_over_what_is_something_else() {
    let project = small();
    let run = project.run(["explore", "runbooks/small.rhai", "--format", "html", "-o", "runbooks/small.rhai"]);
    assert_eq!(std::fs::read_to_string(project.path("runbooks/small.rhai")).expect("it is there"), SMALL);
    golden!(run);
}

#[test]
fn tells_what_no_path_walks() {
    golden!(small().run(["explore", "runbooks/small.rhai", "--faults", "0"]));
}

#[test]
fn is_asked_for_two_forms_at_once() {
    golden!(small().run(["explore", "runbooks/small.rhai", "--json", "--format", "dot"]));
}
