//! The console for an incident, at a real terminal, on real targets.
#![expect(clippy::disallowed_methods, reason = "tests set up and read the files that a session meets")]

#[path = "../harness/project.rs"]
#[expect(dead_code, reason = "other tests use the rest of it")]
mod project;

mod armed;
mod faults;
mod incident;
mod left_open;
mod piped;
mod resumed;
mod terminal;
mod typing;

use project::Project;

/// A project with some orders.
fn project() -> Project {
    let project = Project::configured("independent = [[\"web\", \"primary\"]]", "");
    project.database(50);
    project
}

/// Whether its service is in maintenance.
fn is_closed(project: &Project) -> bool {
    project.read("maintenance").trim() == "on"
}

/// What is another thing each time, as what it is.
fn told_apart(screen: &str) -> String {
    let mut text = screen.to_owned();
    for (pattern, instead) in [
        (r"\d{8}T\d{6}Z-[0-9a-f]{6}", "<backup>"),
        (r"\d{8}-\d{6}-[0-9a-z]{4}", "<session>"),
        (r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d", "<moment>"),
        (r"\d{4}-\d\d-\d\dT[0-9:.]+Z?", "<moment>"),
        (r"\d{4}-\d\d-\d\d", "<day>"),
        (r"\d\d:\d\d:\d\dZ?", "<time>"),
        (r" \+\d+[smh]> ", " +<age>> "),
        (r" \+\d+[smh]$", " +<age>"),
        (r" \+\d+[smh] ", " +<age> "),
        (r" \+\d+[smh]>", " +<age>>"),
        (r"ARMED \d+[sm]", "ARMED <time>"),
        (r" {2,}(observed|predicted|assumed)$", "  $1"),
        (r"  \d+(\.\d+)?(ms|s)$", ""),
        (r"\| \d+[smh][0-9m]* \|", "| <for> |"),
        (r"in (under )?\d+(\.\d+)?m?s", "in <took>"),
        (r"latency_ms( +)\d+(\.\d+)?", "latency_ms$1<ms>"),
        (r"\((\d+m?s|under 1ms)\)", "(<took>)"),
        (r"as written: [0-9a-f]{12}", "as written: <digest>"),
        (r"127\.0\.0\.1:\d+", "<address>"),
        (r"[a-z0-9_.-]+@[A-Za-z0-9_.-]+", "<person>"),
        (r"\d+ B\b|\d+(\.\d+)? [kKM]i?B\b", "<size>"),
    ] {
        text = regex::Regex::new(&format!("(?m){pattern}")).expect(pattern).replace_all(&text, instead).into_owned();
    }
    text
}
