//! The program while it runs: its events as they come, and signals to it.

use std::io::{BufRead as _, BufReader, Read as _};
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdout, Stdio};

use rustix::process::{Pid, Signal, kill_process, kill_process_group};
use serde_json::Value;

use crate::sandbox::{PROGRAM, Said, Sandbox};

/// The program, running with `--json` as the leader of a process group, as a shell at a terminal starts it.
pub(crate) struct Running {
    child: Child,
    events: BufReader<ChildStdout>,
    seen: Vec<String>,
    directory: PathBuf,
}

impl Running {
    pub(crate) fn start(sandbox: &Sandbox, arguments: &[&str]) -> Self {
        let mut command = sandbox.command(PROGRAM);
        command.arg("--json").args(arguments).stdout(Stdio::piped()).stderr(Stdio::piped()).process_group(0);
        let mut child = command.spawn().expect("it starts");
        let events = BufReader::new(child.stdout.take().expect("a pipe"));
        Self { child, events, seen: Vec::new(), directory: sandbox.path("") }
    }

    /// Reads events until one is `event` and its text contains `text`.
    pub(crate) fn until(&mut self, event: &str, text: &str) {
        loop {
            let mut line = String::new();
            let read = self.events.read_line(&mut line).expect("it writes text");
            assert!(read > 0, "it ended before `{event}` with {text}: {:#?}", self.seen);
            let found: Value = serde_json::from_str(&line).expect("each line is an event");
            let wanted = found["event"] == event && line.contains(text);
            self.seen.push(line);
            if wanted {
                return;
            }
        }
    }

    fn pid(&self) -> Pid {
        Pid::from_child(&self.child)
    }

    /// Ctrl-C, as a terminal sends it: to the whole group.
    pub(crate) fn interrupt(&self) {
        kill_process_group(self.pid(), Signal::INT).expect("it runs");
    }

    /// A signal to the program alone.
    pub(crate) fn signal(&self, signal: Signal) {
        kill_process(self.pid(), signal).expect("it runs");
    }

    /// Waits until it has ended; the output is what was not read yet.
    pub(crate) fn end(mut self) -> Said {
        let (mut out, mut err) = (String::new(), String::new());
        self.events.read_to_string(&mut out).expect("it writes text");
        self.child.stderr.take().expect("a pipe").read_to_string(&mut err).expect("it writes text");
        let status = self.child.wait().expect("it ends");
        Said { code: status.code(), out, err }
    }
}

impl Drop for Running {
    /// After a test that failed, nothing of it may go on.
    fn drop(&mut self) {
        if self.child.try_wait().is_ok_and(|ended| ended.is_some()) {
            return;
        }
        let _ = self.child.kill();
        let _ = self.child.wait();
        for pid in processes_in(&self.directory) {
            let _ = kill_process(pid, Signal::KILL);
        }
    }
}

/// The processes whose current directory is the project's: those of a drill, and the program itself.
pub(crate) fn processes_in(directory: &Path) -> Vec<Pid> {
    let directory = directory.canonicalize().expect("the project");
    let all = std::fs::read_dir("/proc").expect("processes").flatten();
    let here = all.filter(|process| std::fs::read_link(process.path().join("cwd")).is_ok_and(|cwd| cwd == directory));
    here.filter_map(|process| Pid::from_raw(process.file_name().to_str()?.parse().ok()?)).collect()
}
