//! `parallel` over two hundred items, killed half-way and taken up again: each item once.
#![expect(clippy::disallowed_methods, reason = "a test prepares files, and starts the program that it is about")]
#![expect(clippy::print_stdout, reason = "how long it takes is a measured figure")]

#[expect(dead_code, reason = "these tests need a part of it")]
mod support;
#[path = "support/turn.rs"]
mod turn;

use std::collections::BTreeMap;
use std::os::unix::process::ExitStatusExt as _;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use support::Project;

const ITEMS: usize = 200;

const RUNBOOK: &str = r#"//! Turn them all.
let turned = parallel(0..200, #{ at_most: 50 }, |item| { exec("turn", [`${item}`]); item });
require(turned.len() == 200, "all of them");
"#;

fn project() -> Project {
    let config = format!("default = \"here\"\n{}", turn::TABLE);
    let project = Project::empty().file("lifeboat.toml", config).file("runbooks/turn.rhai", RUNBOOK);
    // Each item takes a tenth of a second, and is written down in the midst of it.
    turn::with_turn(project, Path::new("ledger"), "0.05")
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
