//! Real programs: how they end, what they find around them, and what is left of them.

use std::fs;
use std::path::PathBuf;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use super::*;
use crate::system::{Cancel, System};

struct Bench {
    dir: tempfile::TempDir,
    act: Act,
    cancel: Cancel,
}

impl Bench {
    fn new() -> Self {
        let dir = tempfile::tempdir().expect("a directory");
        let system = System::new(dir.path().join("scratch"));
        let cancel = system.cancel.clone();
        Self { dir, act: Act::grant(&Look::new(Arc::new(system))), cancel }
    }

    fn shell(&self, script: &str) -> CommandLine {
        CommandLine {
            program: PathBuf::from("/bin/sh"),
            arguments: vec!["-c".to_owned(), script.to_owned()],
            environment: self.act.environment(&["PATH"]),
            input: Zeroizing::default(),
            directory: self.dir.path().to_owned(),
            time_limit: Duration::from_secs(600),
            grace: Duration::from_millis(300),
            output_limit: 1000,
        }
    }

    async fn run(&self, command: &CommandLine) -> CommandEnd {
        self.act.run(command, Arc::new(|_: &str| ())).await.expect("it starts")
    }

    /// Waits until the file `name` holds a whole line, and gives it as a number.
    async fn number(&self, name: &str) -> u32 {
        loop {
            let text = fs::read_to_string(self.dir.path().join(name)).unwrap_or_default();
            if let Some(line) = text.strip_suffix('\n') {
                return line.parse().expect("a number");
            }
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    }

    async fn has_ended(&self, pid: u32) {
        while self.act.process_runs(pid) {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    }
}

#[tokio::test]
async fn a_program_reads_what_it_is_given_and_need_not() {
    let bench = Bench::new();
    let given = |script: &str, input: &[u8]| CommandLine { input: input.to_vec().into(), ..bench.shell(script) };
    assert_eq!(bench.run(&given("cat; echo .", b"two\nlines")).await.stdout.text(), "two\nlines.\n");
    let large = vec![b'x'; 1 << 20];
    assert_eq!(bench.run(&given("wc -c", &large)).await.stdout.text().trim(), "1048576");
    assert_eq!(bench.run(&given("exit 3", &large)).await.ended, Ended::Exited(3));
    assert_eq!(bench.run(&given("cat; echo end", b"")).await.stdout.text(), "end\n");
}

#[tokio::test]
async fn a_program_ends_with_its_code_and_what_it_wrote() {
    let bench = Bench::new();
    let end = bench.run(&bench.shell("echo out; echo err >&2; exit 3")).await;
    assert_eq!(end.ended, Ended::Exited(3));
    assert_eq!((end.stdout.text().as_str(), end.stderr.text().as_str()), ("out\n", "err\n"));
    let end = bench.run(&bench.shell("kill -9 $$")).await;
    assert_eq!(end.ended, Ended::Killed(9));
}

#[tokio::test]
async fn arguments_arrive_as_they_are() {
    let bench = Bench::new();
    let odd = ["", "a b", "$HOME", "`id`", "*", "'\"\\", "-n", "é\n"];
    let mut command = bench.shell("printf '[%s]' \"$@\"");
    command.arguments.push("sh".to_owned());
    command.arguments.extend(odd.map(str::to_owned));
    let end = bench.run(&command).await;
    assert_eq!(end.stdout.text(), odd.map(|word| format!("[{word}]")).concat());
}

#[tokio::test]
async fn a_program_finds_the_given_environment_and_directory_and_nothing_to_read() {
    let bench = Bench::new();
    let mut command = bench.shell("pwd -P; cat; env");
    command.environment.insert("COLOUR".to_owned(), "blue".to_owned());
    let end = bench.run(&command).await;
    let text = end.stdout.text();
    let mut lines = text.lines();
    assert_eq!(lines.next().map(PathBuf::from), Some(bench.dir.path().canonicalize().expect("it exists")));
    let mut names: Vec<&str> = lines.filter_map(|line| line.split('=').next()).collect();
    names.retain(|name| !["PWD", "OLDPWD", "SHLVL", "_"].contains(name));
    names.sort_unstable();
    assert_eq!(names, ["COLOUR", "PATH"], "beside what the shell itself sets");
}

#[tokio::test]
async fn lines_are_seen_as_they_come_and_output_is_bounded() {
    let bench = Bench::new();
    let seen = Arc::new(Mutex::new(Vec::new()));
    let into = seen.clone();
    let command = bench.shell("echo begin; i=0; while [ $i -lt 2000 ]; do echo line $i; i=$((i+1)); done; printf end");
    let on_line = move |line: &str| into.lock().expect("nobody panicked").push(line.to_owned());
    let end = bench.act.run(&command, Arc::new(on_line)).await.expect("it starts");
    assert_eq!(seen.lock().expect("nobody panicked").len(), 2002, "whatever is kept, everything is shown");
    let text = end.stdout.text();
    assert!(text.starts_with("begin\nline 0\n") && text.ends_with("line 1999\nend"), "{text}");
    assert!(text.len() < 1100 && end.stdout.left_out() > 10_000, "{}", text.len());
    assert!(text.contains(&format!("… {} bytes left out …", end.stdout.left_out())));
}

#[tokio::test]
async fn when_its_time_is_over_a_program_and_all_that_it_started_are_ended() {
    let bench = Bench::new();
    // The grandchild does not listen to SIGTERM; its parent does.
    let script = "sh -c 'trap \"\" TERM; echo $$ > grandchild; while :; do sleep 0.05; done' & wait";
    let mut command = bench.shell(script);
    command.time_limit = Duration::from_secs(3);
    assert_eq!(bench.run(&command).await.ended, Ended::TimedOut);
    bench.has_ended(bench.number("grandchild").await).await;
}

#[tokio::test]
async fn a_run_that_is_asked_to_stop_ends_its_program_in_good_order() {
    let bench = Bench::new();
    let script = "trap 'echo tidied; exit 0' TERM; echo $$ > program; while :; do sleep 0.05; done";
    let command = CommandLine { grace: Duration::from_secs(600), ..bench.shell(script) };
    let (end, program) = tokio::join!(bench.run(&command), async {
        let program = bench.number("program").await;
        bench.cancel.request();
        program
    });
    assert_eq!((end.ended, end.stdout.text().as_str()), (Ended::Interrupted, "tidied\n"));
    bench.has_ended(program).await;
}

#[tokio::test]
async fn a_program_for_which_nobody_waits_any_more_is_ended() {
    let bench = Bench::new();
    let command = bench.shell("echo $$ > program; while :; do sleep 0.05; done").declared_read_only("a test");
    let program = tokio::select! {
        _ = bench.act.run_declared(&command) => panic!("it never ends"),
        program = bench.number("program") => program,
    };
    bench.has_ended(program).await;
}

#[tokio::test]
async fn what_a_program_leaves_running_on_purpose_is_left_alone_and_not_waited_for() {
    let bench = Bench::new();
    let end = bench.run(&bench.shell("sleep 600 & echo $! > daemon; echo started")).await;
    assert_eq!((end.ended, end.stdout.text().as_str()), (Ended::Exited(0), "started\n"));
    let daemon = bench.number("daemon").await;
    assert!(bench.act.process_runs(daemon));
    bench.act.kill(daemon).expect("it is ours");
}

#[tokio::test]
async fn what_cannot_be_started_says_why() {
    let bench = Bench::new();
    let failed = async |change: &dyn Fn(&mut CommandLine)| {
        let mut command = bench.shell("exit 0");
        change(&mut command);
        let ended = bench.act.run(&command, Arc::new(|_: &str| ())).await;
        ended.expect_err("it cannot be started").message
    };
    let script = bench.dir.path().join("script");
    fs::write(&script, "no program").expect("writes");
    assert!(failed(&|c| c.program = script.clone()).await.ends_with("script: permission denied"));
    assert!(failed(&|c| c.program = "/nowhere/x".into()).await.contains("/nowhere/x: no such file"));
    let said = failed(&|c| c.directory = "/nowhere".into()).await;
    assert_eq!(said, "cannot start /bin/sh: there is no directory /nowhere");
}

#[test]
fn programs_are_found_on_the_path_or_where_they_are_said_to_be() {
    let bench = Bench::new();
    let find = |name: &str, path: &str| bench.act.find_program(name, path);
    assert_eq!(find("sh", "/nowhere::.:/bin"), Some(PathBuf::from("/bin/sh")));
    assert_eq!(find("/bin/sh", ""), Some(PathBuf::from("/bin/sh")));
    for (name, path) in [("sh", "/nowhere"), ("/bin", ""), ("/nowhere/sh", "/bin"), ("sh", ".")] {
        assert_eq!(find(name, path), None, "{name}");
    }
}
