//! A run and other terminals: follow it, cancel it, answer it, undo it, and lose the terminal that it was started in.
#![expect(clippy::disallowed_methods, reason = "a test prepares files, and starts the program that it is about")]

#[expect(dead_code, reason = "these tests need a part of it")]
mod support;

use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use support::{Project, Run};

const CONFIG: &str = r#"
[environments.local]
[environments.local.services.web]
driver = "http"
url = "http://127.0.0.1:1/"
maintenance_file = "maintenance"
[environments.local.channels.team]
driver = "file"
path = "notes.jsonl"
"#;

/// Stays in its step until the file `go` is there.
const HOLDING: &str = r#"
//! Hold.
step "Close" { maintenance("web", "on"); } rollback { maintenance("web", "off"); }
sleep("1h");
"#;

const ASKING: &str = r#"
//! Ask.
step "Close" { maintenance("web", "on"); } rollback { maintenance("web", "off"); }
let region = ask("Which region?", #{ choices: ["eu", "us"] });
notify("team", `went to ${region}`);
"#;

fn project(runbook: &str) -> Project {
    Project::empty().file("lifeboat.toml", CONFIG).file("runbooks/it.rhai", runbook.trim_start())
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
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        Self(command.spawn().unwrap_or_else(|error| panic!("{program}: {error}")))
    }

    fn lifeboat(project: &Project, args: &[&str]) -> Self {
        Self::program(project, env!("CARGO_BIN_EXE_lifeboat"), args)
    }

    fn signal(&self, signal: rustix::process::Signal) {
        let pid = rustix::process::Pid::from_child(&self.0);
        rustix::process::kill_process(pid, signal).expect("it is ours");
    }

    /// Waits for its end. Returns its exit code.
    fn code(&mut self) -> Option<i32> {
        until("it ends", || self.0.try_wait().expect("ours").is_some());
        self.0.wait().expect("ours").code()
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

fn events(project: &Project) -> String {
    project.run(["show", "latest", "--json"]).stdout
}

fn until_recorded(project: &Project, what: &str) {
    until(what, || events(project).contains(what));
}

fn maintenance(project: &Project) -> String {
    std::fs::read_to_string(project.path("maintenance")).unwrap_or_default().trim().to_owned()
}

fn status(project: &Project) -> String {
    let run: serde_json::Value = serde_json::from_str(&events(project)).expect("JSON");
    run["run"]["status"].as_str().expect("a status").to_owned()
}

fn told(run: &Run) -> String {
    format!("{}{}", run.stdout, run.stderr)
}

#[test]
fn another_terminal_follows_a_run_and_cancels_it() {
    let project = project(HOLDING);
    let mut run = Started::lifeboat(&project, &["run", "runbooks/it.rhai"]);
    until_recorded(&project, "\"awaiting\"");
    let mut follower = Started::lifeboat(&project, &["attach"]);
    let cancelled = project.run(["cancel", "latest", "--reason", "the wrong one"]);
    assert_eq!(cancelled.exit, Some(0), "{}", told(&cancelled));
    assert!(told(&cancelled).contains(": the wrong one"), "{}", told(&cancelled));
    assert!(told(&cancelled).contains("↩ rolling back Close"), "{}", told(&cancelled));
    assert_eq!((run.code(), maintenance(&project)), (Some(130), "off".into()));
    assert_eq!(follower.code(), Some(130), "it ends as the run does");
    let shown = project.run(["show", "latest"]).stdout;
    assert!(shown.contains("cancelled by ") && shown.contains(": the wrong one"), "{shown}");
    let again = project.run(["cancel", "latest"]);
    assert_eq!(again.exit, Some(3), "{}", told(&again));
}

#[test]
fn asked_to_end_by_two_people_it_undoes_what_it_owes() {
    let project = project(HOLDING);
    let mut run = Started::lifeboat(&project, &["run", "runbooks/it.rhai"]);
    until_recorded(&project, "\"awaiting\"");
    run.signal(rustix::process::Signal::STOP);
    for _ in 0..2 {
        assert_eq!(project.run(["cancel", "latest", "--no-wait"]).exit, Some(0));
    }
    run.signal(rustix::process::Signal::CONT);
    assert_eq!((run.code(), maintenance(&project)), (Some(130), "off".into()), "nobody said that it is to abort");
}

#[test]
fn a_run_that_was_to_end_does_not_go_on_when_it_is_taken_up() {
    let project = project(HOLDING);
    let run = Started::lifeboat(&project, &["run", "runbooks/it.rhai"]);
    until_recorded(&project, "\"awaiting\"");
    // It is killed before it hears of it.
    run.signal(rustix::process::Signal::STOP);
    assert_eq!(project.run(["cancel", "latest", "--no-wait"]).exit, Some(0));
    run.signal(rustix::process::Signal::KILL);
    let shown = project.run(["show", "latest"]).stdout;
    assert!(shown.contains("… sleep 1h, since "), "{shown}");
    let resumed = project.run(["resume"]);
    assert_eq!((resumed.exit, maintenance(&project)), (Some(130), "off".into()), "{}", told(&resumed));
}

#[test]
fn who_only_follows_a_run_ends_nothing_but_the_following() {
    let project = project(HOLDING);
    let run = Started::lifeboat(&project, &["run", "runbooks/it.rhai"]);
    until_recorded(&project, "\"awaiting\"");
    let mut follower = Started::lifeboat(&project, &["attach"]);
    std::thread::sleep(Duration::from_millis(300));
    follower.signal(rustix::process::Signal::INT);
    assert_eq!(follower.code(), Some(0));
    assert_eq!((status(&project), maintenance(&project)), ("running".into(), "on".into()));
    // Its process is gone: that is said, with what to do.
    run.signal(rustix::process::Signal::KILL);
    let attached = project.run(["attach"]);
    assert!(told(&attached).contains("interrupted: its process is gone"), "{}", told(&attached));
    let cancelled = project.run(["cancel", "latest"]);
    assert_eq!((cancelled.exit, maintenance(&project)), (Some(0), "off".into()), "{}", told(&cancelled));
    assert_eq!(status(&project), "cancelled");
}

#[test]
fn a_question_without_a_terminal_waits_for_an_answer_from_elsewhere() {
    let project = project(ASKING);
    let run = project.run(["run", "runbooks/it.rhai"]);
    assert_eq!(run.exit, Some(7), "{}", told(&run));
    assert!(run.stdout.contains("waiting for an answer: Which region?"), "{}", run.stdout);
    for answer in [" eu", " us"] {
        let pasted = |line: &str| line.trim().starts_with("lifeboat answer ") && line.ends_with(answer);
        assert!(run.stdout.lines().any(pasted), "{}", run.stdout);
    }
    assert_eq!(maintenance(&project), "on");
    let asked = project.run(["answer", "latest", "--list"]);
    assert_eq!(asked.stdout, "2: Which region? [eu/us]\n");
    let answered = project.run(["answer", "latest", "us"]);
    assert!(answered.stdout.contains("carry on with: lifeboat resume "), "{}", told(&answered));
    let resumed = project.run(["resume"]);
    assert_eq!(resumed.exit, Some(0), "{}", told(&resumed));
    assert!(std::fs::read_to_string(project.path("notes.jsonl")).expect("told").contains("went to us"));

    let undone = project.run(["rollback", "latest"]);
    assert_eq!((undone.exit, maintenance(&project)), (Some(0), "off".into()), "{}", told(&undone));
    assert!(undone.stdout.contains("rolled back"), "{}", undone.stdout);
    let again = project.run(["rollback", "latest"]);
    assert_eq!(again.exit, Some(3), "{}", told(&again));
    assert!(again.stderr.contains("owes no rollback"), "{}", again.stderr);
}

#[test]
fn a_run_whose_target_was_changed_since_is_not_undone() {
    let project = project(HOLDING.replace("sleep(\"1h\");", "").as_str());
    assert_eq!(project.run(["run", "runbooks/it.rhai"]).exit, Some(0));
    std::fs::write(project.path("maintenance"), "off").expect("somebody opens it again");
    let refused = project.run(["rollback", "latest"]);
    assert_eq!(refused.exit, Some(3));
    let said = refused.stderr.replace("│", "").split_whitespace().collect::<Vec<_>>().join(" ");
    assert!(said.contains("maintenance web: left as on, now off"), "{said}");
    assert!(refused.stderr.contains("--anyway"), "{}", refused.stderr);
}

/// A pseudoterminal that goes away, as when a connection breaks.
#[test]
fn a_run_survives_the_end_of_its_terminal_and_waits_for_an_answer() {
    let project = project(ASKING);
    let line = "exec \"$LIFEBOAT\" run runbooks/it.rhai";
    let mut terminal = Started::program(&project, "script", &["-qec", line, "typescript"]);
    until_recorded(&project, "\"awaiting\"");
    terminal.signal(rustix::process::Signal::KILL);
    terminal.code();
    until("it has noticed", || status(&project) == "waiting");
    assert_eq!(maintenance(&project), "on", "nobody asked for anything to be undone");
    assert_eq!(project.run(["answer", "latest", "eu"]).exit, Some(0));
    let resumed = project.run(["resume"]);
    assert_eq!(resumed.exit, Some(0), "{}", told(&resumed));
}

#[test]
fn a_lost_terminal_cancels_nothing_and_an_operator_does() {
    let project = project(HOLDING);
    let mut run = Started::lifeboat(&project, &["run", "runbooks/it.rhai"]);
    until_recorded(&project, "\"awaiting\"");
    run.signal(rustix::process::Signal::HUP);
    std::thread::sleep(Duration::from_millis(300));
    assert_eq!((status(&project), maintenance(&project)), ("running".into(), "on".into()));
    run.signal(rustix::process::Signal::TERM);
    assert_eq!((run.code(), maintenance(&project)), (Some(130), "off".into()));
}
