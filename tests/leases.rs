//! Two runs and one target: who may change it, who waits, and what becomes of it when a process dies or stands still.
#![expect(clippy::disallowed_methods, reason = "a test prepares files, and starts the program that it is about")]
#![expect(clippy::print_stdout, reason = "how long a target is taken is a measured figure")]

#[expect(dead_code, reason = "these tests need a part of it")]
mod support;

use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process_group};
use support::{Project, Run};

const CONFIG: &str = r#"
[state]
lease = "1s"
[environments.local]
[environments.local.services.web]
driver = "http"
url = "http://127.0.0.1:1/"
maintenance_file = "maintenance"
[environments.local.services.same]
driver = "http"
url = "http://127.0.0.1:2/"
maintenance_file = "./maintenance"
[environments.local.services.other]
driver = "http"
url = "http://127.0.0.1:3/"
maintenance_file = "other"
[environments.local.tools.slow]
driver = "command"
program = ["sh", "-c", "echo begun >> ledger; sleep 60; echo done >> ledger"]
impact = "change"
[environments.local.tools.quick]
driver = "command"
program = ["sh", "-c", "echo \"$0\" >> ledger; sleep 0.2"]
impact = "change"
"#;

fn project() -> Project {
    let runbook = |target: &str, wait: &str| {
        format!(
            "//! It.\nstep \"Close\" {{ maintenance(\"{target}\", \"on\"); }} rollback {{ maintenance(\"{target}\", \"off\"); }}\n{wait}\n"
        )
    };
    Project::empty()
        .file("lifeboat.toml", CONFIG)
        .file("runbooks/holds.rhai", runbook("web", "sleep(\"1h\");"))
        .file("runbooks/quick.rhai", runbook("web", ""))
        .file("runbooks/same.rhai", runbook("same", ""))
        .file("runbooks/other.rhai", runbook("other", ""))
        .file("runbooks/looks.rhai", "//! It.\nlet state = maintenance(\"web\");\nlog(`${state}`);\n")
        .file("runbooks/slow.rhai", "//! It.\nexec(\"slow\");\n")
        .file("runbooks/computed.rhai", "//! It.\nlet which = \"we\" + \"b\";\nmaintenance(which, \"off\");\n")
        .file("runbooks/turn.rhai", "//! It.\nparam name: string;\nexec(\"quick\", [name]);\n")
        .file(
            "runbooks/paused.rhai",
            "//! It.\nmaintenance(\"web\", \"on\");\nsleep(\"2s\");\nmaintenance(\"web\", \"off\");\nmaintenance(\"other\", \"on\");\n",
        )
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
    fn lifeboat(project: &Project, args: &[&str]) -> Self {
        let mut command = Command::new(env!("CARGO_BIN_EXE_lifeboat"));
        command.args(args).current_dir(project.path("."));
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::piped());
        Self(command.spawn().expect("starts"))
    }

    fn signal(&self, signal: Signal) {
        rustix::process::kill_process(rustix::process::Pid::from_child(&self.0), signal).expect("it is ours");
    }

    fn end(mut self) -> (Option<i32>, String) {
        until("it ends", || self.0.try_wait().expect("ours").is_some());
        let mut said = String::new();
        let stderr = self.0.stderr.as_mut().expect("piped");
        std::io::Read::read_to_string(stderr, &mut said).expect("text");
        (self.0.wait().expect("ours").code(), said)
    }
}

fn until(what: &str, mut holds: impl FnMut() -> bool) {
    let deadline = Instant::now() + Duration::from_secs(60);
    while !holds() {
        assert!(Instant::now() < deadline, "waited a minute until {what}");
        std::thread::sleep(Duration::from_millis(10));
    }
}

fn recorded(project: &Project, run: &str, what: &str) -> bool {
    project.run(["show", run, "--json"]).stdout.contains(what)
}

fn until_recorded(project: &Project, what: &str) {
    until(what, || recorded(project, "latest", what));
}

fn holding(project: &Project) -> Started {
    let run = Started::lifeboat(project, &["run", "runbooks/holds.rhai"]);
    until_recorded(project, "\"awaiting\"");
    run
}

fn said(run: &Run) -> String {
    let text = format!("{}{}", run.stdout, run.stderr);
    text.replace(['│', '×'], " ")
}

/// Whether something was said, wherever its lines were broken.
fn says(told: &str, what: &str) -> bool {
    let bare = |text: &str| text.split_whitespace().collect::<String>();
    bare(told).contains(&bare(what))
}

fn newest(project: &Project) -> String {
    let shown: serde_json::Value =
        serde_json::from_str(&project.run(["show", "latest", "--json"]).stdout).expect("JSON");
    shown["run"]["id"].as_str().expect("an id").to_owned()
}

#[test]
fn a_second_run_on_the_same_target_is_refused_and_told_by_whom() {
    let project = project();
    let first = holding(&project);
    for runbook in ["runbooks/quick.rhai", "runbooks/same.rhai"] {
        let second = project.run(["run", runbook]);
        let told = said(&second);
        assert_eq!(second.exit, Some(3), "{told}");
        assert!(
            says(&told, "web is being changed by run ") && says(&told, "(runbooks/holds.rhai), started by "),
            "{told}"
        );
        assert!(says(&told, &format!("process {} on ", first.0.id())), "{told}");
        assert!(says(&told, "--wait 10m") && says(&told, "lifeboat attach ") && says(&told, "lifeboat cancel "));
    }
    for runbook in ["runbooks/other.rhai", "runbooks/looks.rhai"] {
        let beside = project.run(["run", runbook]);
        assert_eq!(beside.exit, Some(0), "{}", said(&beside));
    }
    // A target that is only computed is found to be taken when it is to be changed.
    let computed = project.run(["run", "runbooks/computed.rhai"]);
    assert_eq!(computed.exit, Some(1), "{}", said(&computed));
    assert!(says(&said(&computed), "web: web is being changed by run "), "{}", said(&computed));
    first.signal(Signal::INT);
    assert_eq!(first.end().0, Some(130));
    assert_eq!(project.run(["run", "runbooks/quick.rhai"]).exit, Some(0), "it was given back");
}

#[test]
fn the_target_of_a_killed_run_is_free_at_once_and_whoever_takes_it_is_told_what_is_owed() {
    let project = project();
    let first = holding(&project);
    let killed = newest(&project);
    first.signal(Signal::KILL);
    drop(first);
    let began = Instant::now();
    let second = project.run(["run", "runbooks/quick.rhai"]);
    let told = said(&second);
    println!("free {} ms after SIGKILL, process start included", began.elapsed().as_millis());
    assert_eq!(second.exit, Some(0), "{told}");
    assert!(says(&told, &format!("run {killed}, which was to change web, is not over, and owes: Close;")), "{told}");
    let resumed = project.run(["cancel", &killed]);
    assert_eq!(resumed.exit, Some(0), "{}", said(&resumed));
}

#[test]
fn the_target_of_a_run_that_was_killed_in_an_effect_is_in_doubt_until_that_is_settled() {
    let project = project();
    let first = Started::lifeboat(&project, &["run", "runbooks/slow.rhai"]);
    until("it is under way", || project.path("ledger").exists());
    first.signal(Signal::KILL);
    drop(first);
    let killed = newest(&project);
    let began = Instant::now();
    let second = project.run(["run", "runbooks/slow.rhai"]);
    println!("in doubt {} ms after SIGKILL, process start included", began.elapsed().as_millis());
    let told = said(&second);
    assert_eq!(second.exit, Some(4), "{told}");
    assert!(
        says(&told, &format!("slow is in doubt: run {killed} was stopped while exec slow was under way")),
        "{told}"
    );
    assert!(says(&told, &format!("lifeboat settle {killed} 0` with --applied or --not-applied")), "{told}");
    assert_eq!(std::fs::read_to_string(project.path("ledger")).expect("begun"), "begun\n", "nothing was begun");
    // Its program outlived it: as long as that runs, nobody can say what has come of it.
    let refused = said(&project.run(["settle", &killed, "--applied"]));
    assert!(says(&refused, "still carries call 0 out"), "{refused}");
    let program = refused.split("process ").nth(1).and_then(|rest| rest.split_whitespace().next());
    let program = program.and_then(|pid| Pid::from_raw(pid.parse().ok()?)).expect("it is named");
    kill_process_group(program, Signal::KILL).expect("it runs");
    until("its program has ended", || project.run(["settle", &killed, "--applied"]).exit == Some(0));
    assert_eq!(project.run(["resume", &killed]).exit, Some(0));
    assert!(!recorded(&project, &killed, "in-doubt"));
}

#[test]
fn those_who_wait_go_one_after_the_other_in_the_order_in_which_they_came() {
    let project = project();
    let first = Started::lifeboat(&project, &["run", "runbooks/turn.rhai", "--set", "name=first"]);
    until("it is under way", || project.path("ledger").exists());
    let mut waiting = Vec::new();
    for name in ["a", "b", "c", "d", "e"] {
        let set = format!("name={name}");
        waiting.push(Started::lifeboat(&project, &["run", "runbooks/turn.rhai", "--set", &set, "--wait", "1m"]));
        // They come one after the other; how far each is when the next one comes is its own business.
        std::thread::sleep(Duration::from_millis(150));
    }
    assert_eq!(first.end().0, Some(0));
    for run in waiting {
        let (code, said) = run.end();
        assert_eq!(code, Some(0), "{said}");
    }
    let ledger = std::fs::read_to_string(project.path("ledger")).expect("written");
    assert_eq!(ledger.split_whitespace().collect::<String>(), "firstabcde");
}

#[test]
fn who_waits_in_vain_is_refused_and_who_dies_while_waiting_bars_nobody() {
    let project = project();
    let first = holding(&project);
    let vain = project.run(["run", "runbooks/quick.rhai", "--wait", "300ms"]);
    assert_eq!(vain.exit, Some(3), "{}", said(&vain));
    assert!(says(&said(&vain), "waiting for web of run "), "{}", said(&vain));
    let dying = Started::lifeboat(&project, &["run", "runbooks/quick.rhai", "--wait", "1h"]);
    std::thread::sleep(Duration::from_millis(400));
    dying.signal(Signal::KILL);
    drop(dying);
    first.signal(Signal::INT);
    assert_eq!(first.end().0, Some(130));
    assert_eq!(project.run(["run", "runbooks/quick.rhai"]).exit, Some(0));
}

#[test]
fn a_run_that_stood_still_for_longer_than_its_lease_changes_nothing_more() {
    let project = project();
    let stopped = Started::lifeboat(&project, &["run", "runbooks/paused.rhai"]);
    until_recorded(&project, "\"awaiting\"");
    let paused = newest(&project);
    stopped.signal(Signal::STOP);
    std::thread::sleep(Duration::from_millis(1300));
    // Nothing of it is under way: the target is free.
    let second = project.run(["run", "runbooks/quick.rhai"]);
    assert_eq!(second.exit, Some(0), "{}", said(&second));
    assert_eq!(std::fs::read_to_string(project.path("maintenance")).expect("on"), "on\n");
    stopped.signal(Signal::CONT);
    let (code, told) = stopped.end();
    assert_eq!(code, Some(6), "{told}");
    assert_eq!(std::fs::read_to_string(project.path("maintenance")).expect("on"), "on\n", "it changed nothing more");
    assert!(!project.path("other").exists());
    let shown = project.run(["show", &paused]).stdout;
    assert!(shown.contains("lease-lost") && shown.contains("has lost its leases"), "{shown}");
    // It goes on when somebody takes it up, with leases of its own.
    let resumed = project.run(["resume", &paused]);
    assert_eq!(resumed.exit, Some(0), "{}", said(&resumed));
    assert_eq!(std::fs::read_to_string(project.path("maintenance")).expect("off"), "off\n");
}

#[test]
fn a_run_that_stood_still_and_lost_nothing_goes_on() {
    let project = project();
    let stopped = Started::lifeboat(&project, &["run", "runbooks/paused.rhai"]);
    until_recorded(&project, "\"awaiting\"");
    stopped.signal(Signal::STOP);
    std::thread::sleep(Duration::from_millis(1300));
    stopped.signal(Signal::CONT);
    let (code, told) = stopped.end();
    assert_eq!(code, Some(0), "{told}");
}
