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
