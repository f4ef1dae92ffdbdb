//! What a machine does to a run: a disk that is full or read-only, a journal that is locked or damaged, a clock that is set back, an
//! output that is closed, SIGTERM.
#![expect(clippy::disallowed_methods, reason = "a test prepares files, and starts the program that it is about")]

#[expect(dead_code, reason = "these tests need a part of it")]
mod support;
#[path = "support/turn.rs"]
mod turn;

use std::io::Read as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};
use support::Project;

const CONFIG: &str = r#"
default = "here"
[environments.here.services.web]
driver = "http"
url = "http://127.0.0.1:1/"
maintenance_file = "maintenance"
"#;

/// Its ledger lies elsewhere, on a disk that has room.
fn project(runbook: &str, ledger: &Path) -> Project {
    let config = format!("{CONFIG}{}", turn::TABLE);
    let project = Project::empty().file("lifeboat.toml", config).file("runbooks/it.rhai", runbook);
    turn::with_turn(project, ledger, "0")
}

fn text(output: &Output) -> String {
    format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr))
}

/// Runs a script of shell where it may mount things that nobody else sees. `$LIFEBOAT` is the program.
fn with_mounts(project: &Project, script: &str) -> Output {
    let mut command = Command::new("unshare");
    command.args(["--map-root-user", "--mount", "sh", "-euc", script]).current_dir(project.path("."));
    command.env("LIFEBOAT", env!("CARGO_BIN_EXE_lifeboat")).env("NO_COLOR", "1");
    let output = command.stdin(Stdio::null()).output().expect("unshare is installed: apt-get install util-linux");
    assert!(!text(&output).contains("Operation not permitted"), "mounting is not permitted here: {}", text(&output));
    output
}

#[test]
fn on_a_full_disk_nothing_begins_that_cannot_be_recorded_and_it_goes_on_when_there_is_room() {
    let elsewhere = tempfile::tempdir().expect("a directory");
    let ledger = elsewhere.path().join("ledger");
    let runbook = "//! Many.\nfor n in 0..400 { exec(\"turn\", [`${n}`]); }\n";
    let project = project(runbook, &ledger);
    let script = r#"
        mkdir .lifeboat
        mount -t tmpfs -o size=1m tmpfs .lifeboat
        set +e
        "$LIFEBOAT" run runbooks/it.rhai > first 2>&1; echo "first $?"
        wc -l < "$LEDGER"
        "$LIFEBOAT" verify; echo "verify $?"
        "$LIFEBOAT" resume > again 2>&1; echo "again $?"
        mount -o remount,size=64m .lifeboat
        "$LIFEBOAT" resume > second 2>&1; echo "second $?"
        "$LIFEBOAT" verify; echo "verify $?"
        "$LIFEBOAT" runs
    "#;
    let script = format!("export LEDGER={}\n{script}", ledger.display());
    let output = with_mounts(&project, &script);
    let said = text(&output);
    let first = std::fs::read_to_string(project.path("first")).expect("reads");
    assert!(said.contains("first 74"), "{said}{first}");
    assert!(first.contains("the disk is full") && first.contains("lifeboat resume "), "{first}");
    assert_eq!(said.matches("verify 0").count(), 2, "its record is whole: {said}");
    let second = std::fs::read_to_string(project.path("second")).expect("reads");
    assert!(said.contains("second 0"), "{said}{second}");
    let done = std::fs::read_to_string(&ledger).expect("reads");
    let mut items: Vec<usize> =
        done.lines().map(|line| line.split(' ').next().expect("an item").parse().expect("a number")).collect();
    items.sort_unstable();
    assert_eq!(items, (0..400).collect::<Vec<_>>(), "each once");
}

#[test]
fn where_nothing_can_be_recorded_nothing_is_done() {
    let elsewhere = tempfile::tempdir().expect("a directory");
    let ledger = elsewhere.path().join("ledger");
    let project = project("//! One.\nexec(\"turn\", [\"1\"]);\n", &ledger);
    let script = r#"
        mkdir .lifeboat
        mount -t tmpfs -o size=1m tmpfs .lifeboat
        mount -o remount,ro .lifeboat
        set +e
        "$LIFEBOAT" run runbooks/it.rhai; echo "exit $?"
    "#;
    let output = with_mounts(&project, script);
    let said = text(&output);
    assert!(said.contains("exit 74") && said.contains("read-only"), "{said}");
    assert!(!ledger.exists(), "nothing was done");
}

/// A process that keeps everybody else from writing to the journal, until its input ends.
fn lock(journal: &Path) -> Child {
    let code = "import sqlite3, sys\n\
        journal = sqlite3.connect(sys.argv[1], isolation_level=None)\n\
        journal.execute('BEGIN IMMEDIATE')\n\
        print('locked', flush=True)\n\
        sys.stdin.read()\n";
    let mut command = Command::new("python3");
    command.args(["-c", code]).arg(journal).stdin(Stdio::piped()).stdout(Stdio::piped());
    let mut child = command.spawn().expect("python3 is installed");
    let mut said = [0; 6];
    child.stdout.as_mut().expect("a pipe").read_exact(&mut said).expect("it has locked it");
    child
}

#[test]
fn a_journal_that_is_locked_is_waited_for_and_nothing_begins_without_it() {
    let elsewhere = tempfile::tempdir().expect("a directory");
    let ledger = elsewhere.path().join("ledger");
    let project = project("//! One.\nexec(\"turn\", [\"1\"]);\n", &ledger);
    assert_eq!(project.run(["run", "runbooks/it.rhai"]).exit, Some(0));
    let mut locked = lock(&project.path(".lifeboat/journal.db"));
    let began = Instant::now();
    let refused = project.run(["run", "runbooks/it.rhai"]);
    assert_eq!(refused.exit, Some(74), "{}", refused.stderr);
    let said: String = refused.stderr.replace('│', " ").split_whitespace().collect::<Vec<_>>().join(" ");
    assert!(said.contains("is locked by another process"), "{said}");
    assert!(began.elapsed() >= Duration::from_secs(5), "it was waited for");
    let done = || std::fs::read_to_string(&ledger).expect("reads").lines().count();
    assert_eq!(done(), 1, "nothing began");

    // It is let go while somebody waits.
    let waiting = std::thread::scope(|scope| {
        let waiting = scope.spawn(|| project.run(["run", "runbooks/it.rhai"]));
        std::thread::sleep(Duration::from_millis(500));
        drop(locked.stdin.take());
        locked.wait().expect("it ends");
        waiting.join().expect("it ends")
    });
    assert_eq!((waiting.exit, done()), (Some(0), 2), "{}", waiting.stderr);
}

#[test]
fn a_journal_whose_last_page_is_damaged_is_said_to_be_and_nothing_begins() {
    let elsewhere = tempfile::tempdir().expect("a directory");
    let ledger = elsewhere.path().join("ledger");
    let project = project("//! Ten.\nfor n in 0..10 { exec(\"turn\", [`${n}`]); }\n", &ledger);
    for _ in 0..3 {
        assert_eq!(project.run(["run", "runbooks/it.rhai"]).exit, Some(0));
    }
    let journal = project.path(".lifeboat/journal.db");
    let mut bytes = std::fs::read(&journal).expect("reads");
    let last = bytes.len() - 4096;
    for (n, byte) in bytes[last..].iter_mut().enumerate() {
        *byte = u8::try_from(n * 31 % 251).expect("small");
    }
    std::fs::write(&journal, &bytes).expect("writes");

    // Whoever reads what is damaged is told; whoever does not need it may go on, and what is whole stays whole.
    let verified = project.run(["verify"]);
    assert_eq!(verified.exit, Some(74), "{}{}", verified.stdout, verified.stderr);
    let said = format!("{}{}", verified.stdout, verified.stderr);
    assert!(said.contains("is damaged") || said.contains("broken") || said.contains("not as it was written"), "{said}");
    let done = || std::fs::read_to_string(&ledger).expect("reads").lines().count();
    let run = project.run(["run", "runbooks/it.rhai"]);
    match run.exit {
        Some(0) => assert_eq!(done(), 40),
        exit => {
            assert_eq!((exit, done()), (Some(74), 30), "{}", run.stderr);
            assert!(run.stderr.contains("damaged"), "{}", run.stderr);
        }
    }
}

/// A library that sets the clock of the program into which it is loaded back by an hour.
fn an_hour_back() -> PathBuf {
    let source = Path::new(env!("CARGO_TARGET_TMPDIR")).join("back.c");
    let library = Path::new(env!("CARGO_TARGET_TMPDIR")).join("back.so");
    let code = "#define _GNU_SOURCE\n#include <dlfcn.h>\n#include <time.h>\n\
        int clock_gettime(clockid_t id, struct timespec *at) {\n\
            static int (*real)(clockid_t, struct timespec *);\n\
            if (!real) real = (int (*)(clockid_t, struct timespec *))dlsym(RTLD_NEXT, \"clock_gettime\");\n\
            int done = real(id, at);\n\
            if (id == CLOCK_REALTIME) at->tv_sec -= 3600;\n\
            return done;\n\
        }\n";
    std::fs::write(&source, code).expect("writes");
    let built = Command::new("cc").args(["-shared", "-fPIC", "-o"]).arg(&library).arg(&source).arg("-ldl").output();
    assert!(built.expect("cc is there").status.success());
    library
}

#[test]
fn a_clock_that_is_set_back_an_hour_makes_nobody_wait_for_it() {
    let elsewhere = tempfile::tempdir().expect("a directory");
    let runbook = "//! Waits.\n//! deadline: 10m\nstep \"Close\" within \"5m\" {\n    maintenance(\"web\", \"on\");\n    sleep(\"3s\");\n}\n\
        exec(\"turn\", [\"1\"]);\n";
    let project = project(runbook, &elsewhere.path().join("ledger"));
    let mut command = Command::new(env!("CARGO_BIN_EXE_lifeboat"));
    command.args(["run", "runbooks/it.rhai"]).current_dir(project.path("."));
    let mut child = command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).spawn().expect("starts");
    let patience = Instant::now() + Duration::from_secs(30);
    while !project.run(["show", "latest", "--json"]).stdout.contains("\"awaiting\"") {
        assert!(Instant::now() < patience, "it does not come to its pause");
    }
    child.kill().expect("is killed");
    child.wait().expect("has ended");
    let began = Instant::now();
    let mut command = Command::new(env!("CARGO_BIN_EXE_lifeboat"));
    command.args(["resume"]).current_dir(project.path(".")).env("LD_PRELOAD", an_hour_back());
    let output = command.stdin(Stdio::null()).output().expect("starts");
    assert!(output.status.success(), "{}", text(&output));
    assert!(began.elapsed() < Duration::from_secs(60), "it waited for {:?}", began.elapsed());
    let verified = project.run(["verify"]);
    assert_eq!(verified.exit, Some(0), "{}", verified.stdout);
    let told = project.run(["timeline", "latest"]);
    assert_eq!(told.exit, Some(0), "{}", told.stderr);
    // Whoever looks now, with the right clock, finds the targets free.
    let again = project.run(["run", "runbooks/it.rhai"]);
    assert_eq!(again.exit, Some(0), "{}", again.stderr);
}

#[test]
fn an_output_that_is_closed_stops_no_run() {
    let elsewhere = tempfile::tempdir().expect("a directory");
    let ledger = elsewhere.path().join("ledger");
    let project = project("//! Two.\nexec(\"turn\", [\"1\"]);\nexec(\"turn\", [\"2\"]);\n", &ledger);
    for end in ["| true", ">&-", "2>&- >&-", "> /dev/full 2>&1"] {
        project.shell(&format!("\"$LIFEBOAT\" run runbooks/it.rhai {end}"));
    }
    let runs = project.run(["runs", "--json"]);
    assert_eq!(runs.stdout.matches("\"status\":\"completed\"").count(), 4, "{}", runs.stdout);
    assert_eq!(std::fs::read_to_string(&ledger).expect("reads").lines().count(), 8);
}

#[test]
fn sigterm_ends_it_as_an_interruption_does() {
    let elsewhere = tempfile::tempdir().expect("a directory");
    let runbook = "//! Holds.\nstep \"Close\" { maintenance(\"web\", \"on\"); } rollback { maintenance(\"web\", \"off\"); }\n\
        sleep(\"1h\");\n";
    let project = project(runbook, &elsewhere.path().join("ledger"));
    let mut command = Command::new(env!("CARGO_BIN_EXE_lifeboat"));
    command.args(["run", "runbooks/it.rhai"]).current_dir(project.path("."));
    let mut child = command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).spawn().expect("starts");
    let maintenance = || std::fs::read_to_string(project.path("maintenance")).unwrap_or_default();
    let patience = Instant::now() + Duration::from_secs(30);
    while maintenance().trim() != "on" || !project.run(["show", "latest", "--json"]).stdout.contains("\"awaiting\"") {
        assert!(Instant::now() < patience, "it does not come so far");
    }
    kill_process(Pid::from_child(&child), Signal::TERM).expect("it is ours");
    assert_eq!(child.wait().expect("waits").code(), Some(130));
    assert_eq!(maintenance().trim(), "off");
}
