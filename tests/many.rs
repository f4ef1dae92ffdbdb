//! `parallel` over two hundred items, killed half-way and taken up again: each item once.
#![expect(clippy::disallowed_methods, reason = "a test prepares files, and starts the program that it is about")]
#![expect(clippy::print_stdout, reason = "how long it takes is a measured figure")]

#[expect(dead_code, reason = "these tests need a part of it")]
mod support;

use std::collections::BTreeMap;
use std::os::unix::fs::PermissionsExt as _;
use std::os::unix::process::ExitStatusExt as _;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use support::Project;

const ITEMS: usize = 200;

const CONFIG: &str = r#"
default = "here"
[environments.here.tools.turn]
driver = "command"
program = ["./turn"]
impact = "change"
check = ["./turned"]
"#;

/// Each item takes a tenth of a second, and is written down in the midst of it.
const TURN: &str = "#!/bin/sh\nsleep 0.05\necho \"$1 $LIFEBOAT_IDEMPOTENCY_KEY\" >> ledger\nsleep 0.05\n";
const TURNED: &str = "#!/bin/sh\ntest -e ledger && grep -q \" $LIFEBOAT_IDEMPOTENCY_KEY$\" ledger\n";

const RUNBOOK: &str = r#"//! Turn them all.
let turned = parallel(0..200, #{ at_most: 50 }, |item| { exec("turn", [`${item}`]); item });
require(turned.len() == 200, "all of them");
"#;

fn project() -> Project {
    let project = Project::empty().file("lifeboat.toml", CONFIG).file("runbooks/turn.rhai", RUNBOOK);
    let project = project.file("turn", TURN).file("turned", TURNED);
    for program in ["turn", "turned"] {
        let executable = std::fs::Permissions::from_mode(0o755);
        std::fs::set_permissions(project.path(program), executable).expect("is executable");
    }
    project
}

/// How often each item was turned.
fn turned(project: &Project) -> BTreeMap<usize, usize> {
    let ledger = std::fs::read_to_string(project.path("ledger")).unwrap_or_default();
    let mut times = BTreeMap::new();
    for line in ledger.lines() {
        let item = line.split(' ').next().and_then(|item| item.parse().ok()).expect("an item");
        *times.entry(item).or_default() += 1;
    }
    times
}

fn once() -> BTreeMap<usize, usize> {
    (0..ITEMS).map(|item| (item, 1)).collect()
}

#[test]
fn two_hundred_items_fifty_at_a_time() {
    let project = project();
    let began = Instant::now();
    let run = project.run(["run", "runbooks/turn.rhai"]);
    let took = began.elapsed();
    assert_eq!(run.exit, Some(0), "{}", run.stderr);
    assert_eq!(turned(&project), once());
    println!("{ITEMS} items of 100 ms, 50 at a time: {} ms, at best 400", took.as_millis());
}

#[test]
fn killed_half_way_each_item_is_turned_once() {
    let project = project();
    let mut command = Command::new(env!("CARGO_BIN_EXE_lifeboat"));
    command.args(["run", "runbooks/turn.rhai"]).current_dir(project.path("."));
    let mut child = command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).spawn().expect("starts");
    let patience = Instant::now() + Duration::from_secs(30);
    while turned(&project).len() < ITEMS / 2 {
        assert!(Instant::now() < patience, "it does not come so far");
        std::thread::sleep(Duration::from_millis(1));
    }
    child.kill().expect("is killed");
    assert_eq!(child.wait().expect("waits").signal(), Some(9), "in the midst of it");
    let before = turned(&project).len();
    let began = Instant::now();
    let run = project.run(["resume"]);
    assert_eq!(run.exit, Some(0), "{}{}", run.stdout, run.stderr);
    assert_eq!(turned(&project), once());
    println!("killed when {before} of {ITEMS} were turned; the rest by resume: {} ms", began.elapsed().as_millis());
}
