//! Processes that a drill needs while it runs.

use std::fs::File;
use std::io;
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

/// A process that we started. It is stopped when this is dropped.
#[derive(Debug)]
pub struct ChildProcess {
    child: Child,
    name: String,
}

/// How long a process may take to end by itself.
const GRACE: Duration = Duration::from_secs(5);

impl ChildProcess {
    /// Starts `command` (program and arguments; no shell) in `directory`; what it prints goes to the file `log`.
    pub fn start(name: &str, command: &[String], directory: &Path, log: &Path) -> io::Result<Self> {
        let (program, arguments) = command.split_first().ok_or_else(|| io::Error::from(io::ErrorKind::InvalidInput))?;
        if let Some(parent) = log.parent() {
            std::fs::create_dir_all(parent)?;
        }
        let output = File::create(log)?;
        let child = Command::new(program)
            .args(arguments)
            .current_dir(directory)
            // A group of its own: Ctrl-C at the terminal is for the drill, which needs its processes until it is unwound.
            .process_group(0)
            .stdin(Stdio::null())
            .stdout(output.try_clone()?)
            .stderr(output)
            .spawn()?;
        Ok(Self { child, name: name.to_owned() })
    }

    /// Its name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Whether it has ended by itself.
    pub fn has_ended(&mut self) -> bool {
        matches!(self.child.try_wait(), Ok(Some(_)))
    }

    /// Asks it to end (SIGTERM), and makes it after a while (SIGKILL).
    pub fn stop(&mut self) {
        if self.has_ended() {
            return;
        }
        let pid = i32::try_from(self.child.id()).ok().and_then(rustix::process::Pid::from_raw);
        if let Some(pid) = pid {
            let _ = rustix::process::kill_process(pid, rustix::process::Signal::TERM);
        }
        let until = Instant::now() + GRACE;
        while Instant::now() < until {
            if self.has_ended() {
                return;
            }
            std::thread::sleep(Duration::from_millis(10));
        }
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Drop for ChildProcess {
    fn drop(&mut self) {
        self.stop();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn starts_logs_and_stops() {
        let dir = tempfile::tempdir().expect("a directory");
        let log = dir.path().join("logs/sleeper.log");
        let command = ["sh", "-c", "echo hello; exec sleep 60"].map(str::to_owned);
        let mut child = ChildProcess::start("sleeper", &command, dir.path(), &log).expect("starts");
        while !std::fs::read_to_string(&log).expect("logs").contains("hello") {
            std::thread::sleep(Duration::from_millis(5));
        }
        assert!(!child.has_ended());
        child.stop();
        assert!(child.has_ended());
    }
}
