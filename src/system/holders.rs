//! Which processes have a file open, and which ones carry out a call.

use std::os::unix::fs::MetadataExt;
use std::path::Path;

use super::{Look, Process, host};
use crate::model::IdempotencyKey;

impl Look {
    /// The other processes that have this file open, as far as this user may see; none where there is no `/proc`.
    pub fn holders(&self, path: &Path) -> Vec<Process> {
        let Ok(file) = path.metadata() else { return Vec::new() };
        let numbers = std::fs::read_dir("/proc").into_iter().flatten().flatten();
        let numbers = numbers.filter_map(|entry| entry.file_name().to_str()?.parse::<u32>().ok());
        let holds = |pid: &u32| {
            let handles = std::fs::read_dir(format!("/proc/{pid}/fd")).into_iter().flatten().flatten();
            handles
                .filter_map(|handle| handle.path().metadata().ok())
                .any(|held| (held.dev(), held.ino()) == (file.dev(), file.ino()))
        };
        numbers
            .filter(|pid| *pid != std::process::id())
            .filter(holds)
            .filter_map(|pid| host::process(pid).ok())
            .collect()
    }

    /// The programs that were started to carry out the call with this key and have not ended, as far as this user may see. What they
    /// have started themselves and left behind is not among them.
    pub fn carrying_out(&self, key: &IdempotencyKey) -> Vec<Process> {
        let entry = format!("{}={key}", IdempotencyKey::VARIABLE);
        let numbers = std::fs::read_dir("/proc").into_iter().flatten().flatten();
        numbers
            .filter_map(|entry| entry.file_name().to_str()?.parse::<u32>().ok())
            .filter(|pid| {
                let environment = std::fs::read(format!("/proc/{pid}/environ")).unwrap_or_default();
                environment.split(|byte| *byte == 0).any(|variable| variable == entry.as_bytes())
            })
            // Each is the leader of a group of its own; a service that it has started leads its own session, or no group.
            .filter(|pid| host::leads_group_only(*pid))
            .filter_map(|pid| host::process(pid).ok())
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use std::fs::File;
    use std::process::{Command, Stdio};
    use std::sync::Arc;

    use super::*;
    use crate::system::System;

    #[test]
    fn a_program_that_carries_out_a_call_is_found_and_what_it_left_behind_is_not() {
        use std::os::unix::process::CommandExt as _;

        let dir = tempfile::tempdir().expect("a directory");
        let look = Look::new(Arc::new(System::new(dir.path().into())));
        let key = IdempotencyKey::new("20261121-000000-aaaa", &"0.b1.2".parse().expect("a key"));
        let start = |script: &str| {
            let mut command = Command::new("sh");
            command.args(["-c", script]).env(IdempotencyKey::VARIABLE, key.as_str()).process_group(0);
            command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().expect("starts")
        };
        assert_eq!(look.carrying_out(&key), vec![]);
        let mut program = start("echo ready; read -r line; exit 0");
        let mut daemon = start("sleep 60 & echo $!; exit 0");
        let mut said = String::new();
        let mut output = std::io::BufReader::new(daemon.stdout.take().expect("a pipe"));
        std::io::BufRead::read_line(&mut output, &mut said).expect("its number");
        daemon.wait().expect("it has ended");
        let found: Vec<u32> = look.carrying_out(&key).iter().map(|process| process.pid).collect();
        assert_eq!(found, [program.id()], "and not {said}");
        program.kill().expect("ends");
        program.wait().expect("ended");
        assert_eq!(look.carrying_out(&key), vec![]);
        let left = said.trim().parse().ok().and_then(rustix::process::Pid::from_raw).expect("a number");
        rustix::process::kill_process(left, rustix::process::Signal::KILL).expect("it was there");
    }

    #[test]
    fn a_process_that_has_the_file_open_is_found() {
        let dir = tempfile::tempdir().expect("a directory");
        let look = Look::new(Arc::new(System::new(dir.path().into())));
        let path = dir.path().join("file");
        std::fs::write(&path, "x").expect("writes");
        assert_eq!(look.holders(&path), vec![]);
        let file = File::open(&path).expect("opens");
        let mut other =
            Command::new("tail").args(["-f", "-"]).stdin(file).stdout(Stdio::null()).spawn().expect("starts");
        let pids: Vec<_> = look.holders(&path).into_iter().map(|process| process.pid).collect();
        other.kill().expect("ends");
        other.wait().expect("ended");
        assert_eq!(pids, vec![other.id()]);
    }
}
