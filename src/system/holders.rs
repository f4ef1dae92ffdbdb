//! Which processes have a file open.

use std::os::unix::fs::MetadataExt;
use std::path::Path;

use super::{Look, Process, host};

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
}

#[cfg(test)]
mod tests {
    use std::fs::File;
    use std::process::{Command, Stdio};
    use std::sync::Arc;

    use super::*;
    use crate::system::System;

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
