//! A plan changes nothing: it starts nothing, contacts only what it probes, and writes no file.

use std::io::{BufRead as _, BufReader};
use std::process::{Child, Stdio};

use lifeboat::model::{Plan, PlanVerdict};
use rustix::process::{Pid, Signal, kill_process};

use crate::sandbox::{PROGRAM, Sandbox};
use crate::traced::{Trace, contents, is_beside_a_database, lifeboat};

/// The sandbox's service, running. It is stopped when this is dropped.
struct Service(Child);

impl Service {
    /// Starts it, with a verified backup of its database in the store.
    fn of(sandbox: &Sandbox) -> Self {
        std::fs::create_dir_all(sandbox.path(".lifeboat/sandbox")).expect("a directory");
        let listen = format!("127.0.0.1:{}", sandbox.web);
        let mut command = sandbox.command(PROGRAM);
        command.args(["sandbox", "serve", "--rows", "1000", "--listen", &listen]);
        command.args(["--database", ".lifeboat/sandbox/orders.db", "--pid-file", ".lifeboat/sandbox/web.pid"]);
        command.args(["--maintenance-file", ".lifeboat/sandbox/maintenance"]);
        let mut service = Self(command.stdout(Stdio::piped()).spawn().expect("it starts"));
        let mut ready = String::new();
        let output = service.0.stdout.take().expect("a pipe");
        BufReader::new(output).read_line(&mut ready).expect("it writes text");
        assert!(ready.contains("listens on"), "{ready}");
        let backup = sandbox.lifeboat(&["run", "runbooks/tests/backs-up.rhai"]);
        assert_eq!(backup.code, Some(0), "{}", backup.tail());
        service
    }
}

impl Drop for Service {
    fn drop(&mut self) {
        let _ = kill_process(Pid::from_child(&self.0), Signal::TERM);
        let _ = self.0.wait();
    }
}

fn assert_changed_nothing(sandbox: &Sandbox, trace: &Trace) {
    assert_eq!(trace.started, [""; 0], "it starts no process");
    let web = format!("127.0.0.1:{}", sandbox.web);
    assert!(trace.contacted.iter().all(|address| *address == web), "it contacts only what it probes: {trace:?}");
    let written: Vec<_> = trace.opened_to_write.iter().filter(|file| !is_beside_a_database(file)).collect();
    assert!(written.is_empty(), "it writes nothing but what SQLite keeps to read: {written:?}");
    assert_eq!(trace.others, [""; 0], "it changes nothing else");
}

/// Plans under `strace`, and compares the project before and after.
fn traced(sandbox: &Sandbox, arguments: &[&str]) -> Option<Plan> {
    let before = contents(&sandbox.path(""));
    let (said, trace) = lifeboat(sandbox, &[&["--json", "plan"], arguments].concat())?;
    assert_changed_nothing(sandbox, &trace);
    assert!(contents(&sandbox.path("")) == before, "every file is as it was");
    Some(serde_json::from_str(&said.out).unwrap_or_else(|why| panic!("{why}: {}", said.tail())))
}

#[test]
fn planning_the_runbook_that_ships_changes_nothing() {
    let sandbox = Sandbox::new();
    let _service = Service::of(&sandbox);
    let runbook = "runbooks/restore-database.rhai";
    let Some(plan) = traced(&sandbox, &[runbook, "--assume", "probe(primary)=fail"]) else { return };
    assert_eq!(plan.verdict, PlanVerdict::Completes);
    assert_eq!(sandbox.read(".lifeboat/sandbox/maintenance"), "", "the service is open");
    assert!(plan.changes() >= 3, "it would change things: {:?}", plan.lines());
    let Some(plan) = traced(&sandbox, &[runbook]) else { return };
    assert!(matches!(plan.verdict, PlanVerdict::Fails { .. }), "the primary answers: {:?}", plan.verdict);
}

#[test]
fn planning_a_hostile_runbook_changes_nothing() {
    let sandbox = Sandbox::new();
    let _service = Service::of(&sandbox);
    let Some(plan) = traced(&sandbox, &["runbooks/tests/hostile.rhai"]) else { return };
    assert_eq!(plan.verdict, PlanVerdict::Completes, "{:#?}", plan.lines().last());
    let called: std::collections::BTreeSet<_> = plan.lines().iter().map(|line| line.primitive.clone()).collect();
    for primitive in
        ["backup", "restore", "verify_backup", "maintenance", "inject", "notify", "resolve", "ask", "sleep"]
    {
        assert!(called.contains(primitive), "{primitive} was not even planned: {called:?}");
    }
}

#[test]
fn planning_makes_no_directory_of_its_own() {
    let sandbox = Sandbox::new();
    let Some(plan) = traced(&sandbox, &["runbooks/tests/backs-up.rhai"]) else { return };
    assert!(matches!(plan.verdict, PlanVerdict::Fails { .. }), "there is no database: {:?}", plan.verdict);
    assert!(!sandbox.path(".lifeboat").exists());
}

/// What shows that the test could see it: a run does start nothing either, but writes and contacts.
#[test]
fn a_run_is_seen_to_change_something() {
    let sandbox = Sandbox::new();
    let _service = Service::of(&sandbox);
    let Some((said, trace)) = lifeboat(&sandbox, &["run", "runbooks/tests/backs-up.rhai"]) else { return };
    assert_eq!(said.code, Some(0), "{}", said.tail());
    assert!(trace.opened_to_write.iter().any(|file| file.ends_with("data.zst")), "{trace:?}");
    assert!(trace.others.iter().any(|call| call.starts_with("rename")), "{trace:?}");
}

#[test]
fn what_looks_at_nothing_contacts_nobody() {
    let sandbox = Sandbox::new();
    let _service = Service::of(&sandbox);
    let (shipped, hostile) = ("runbooks/restore-database.rhai", "runbooks/tests/hostile.rhai");
    for arguments in [
        &["plan", "--offline", shipped][..],
        &["plan", "--offline", hostile],
        &["explore", shipped, "--faults", "1"],
        &["explore", hostile, "--faults", "1", "--paths", "200", "--format", "html"],
        &["test"],
    ] {
        let before = contents(&sandbox.path(""));
        let Some((said, trace)) = lifeboat(&sandbox, arguments) else { return };
        assert!(said.code.is_some_and(|code| code < 64), "{arguments:?}: {}", said.tail());
        assert_changed_nothing(&sandbox, &trace);
        assert!(trace.contacted.is_empty(), "{arguments:?}: {trace:?}");
        assert!(contents(&sandbox.path("")) == before, "{arguments:?}: every file is as it was");
    }
}

/// A review reads what Git has stored, and starts nothing but Git to do so.
#[test]
fn a_review_starts_git_and_nothing_else() {
    let sandbox = Sandbox::new();
    let git = |args: &[&str]| {
        let who = ["-c", "user.name=Ada", "-c", "user.email=ada@example.org", "-c", "commit.gpgsign=false"];
        let done = std::process::Command::new("git").arg("-C").arg(sandbox.path("")).args(who).args(args).output();
        assert!(done.expect("git starts").status.success(), "{args:?}");
    };
    git(&["init", "-q", "-b", "main"]);
    git(&["add", "-A"]);
    git(&["commit", "-q", "-m", "Begin"]);
    git(&["switch", "-q", "-c", "feature"]);
    let runbook = sandbox.path("runbooks/restore-database.rhai");
    let changed = sandbox.read("runbooks/restore-database.rhai").replace("verified: true", "verified: false");
    std::fs::write(runbook, changed).expect("writes");
    git(&["commit", "-q", "-am", "Change"]);
    let review = ["review", "main..feature", "--faults", "1", "--runbook", "runbooks/restore-database.rhai"];
    for arguments in [&review[..], &["diff", "main:runbooks/restore-database.rhai", "runbooks/restore-database.rhai"]] {
        let before = contents(&sandbox.path(""));
        let Some((said, trace)) = lifeboat(&sandbox, arguments) else { return };
        assert!(said.code.is_some_and(|code| code < 64), "{arguments:?}: {}", said.tail());
        let is_git = |line: &&String| !line.starts_with("execve(") || line.contains("/git\", [\"git\", \"-C\"");
        let others: Vec<_> = trace.started.iter().filter(|line| !is_git(line)).collect();
        assert!(others.is_empty() && !trace.started.is_empty(), "{others:?}");
        assert!(trace.contacted.is_empty(), "{arguments:?}: {trace:?}");
        let written: Vec<_> = trace.opened_to_write.iter().filter(|file| *file != "/dev/null").collect();
        assert!(written.is_empty(), "{arguments:?}: {written:?}");
        assert!(contents(&sandbox.path("")) == before, "{arguments:?}: every file is as it was");
    }
}
