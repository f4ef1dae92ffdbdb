//! A file that holds the service's process number for as long as it runs.

use std::io;
use std::path::{Path, PathBuf};

use super::{SandboxError, placed};

/// The file; dropping it removes it, unless another process has put its own number there.
pub(super) struct PidFile(PathBuf);

impl PidFile {
    /// Writes the number so that a reader sees it whole or not at all.
    pub(super) fn write(path: &Path) -> Result<Self, SandboxError> {
        let path = placed(path)?;
        let temporary = path.with_file_name(format!(".{}.pid.partial", std::process::id()));
        let written = std::fs::write(&temporary, own_number()).and_then(|()| std::fs::rename(&temporary, &path));
        written.map_err(|source: io::Error| {
            let _ = std::fs::remove_file(&temporary);
            SandboxError::File { doing: "write the process number to", path: path.clone(), source }
        })?;
        Ok(Self(path))
    }
}

impl Drop for PidFile {
    fn drop(&mut self) {
        if std::fs::read_to_string(&self.0).is_ok_and(|text| text == own_number()) {
            let _ = std::fs::remove_file(&self.0);
        }
    }
}

fn own_number() -> String {
    format!("{}\n", std::process::id())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_holds_the_number_and_goes_with_its_process() {
        let dir = tempfile::tempdir().expect("a directory");
        let path = dir.path().join("run/service.pid");
        let file = PidFile::write(&path).expect("writes");
        let text = std::fs::read_to_string(&path).expect("reads");
        assert_eq!(text.trim().parse::<u32>().expect("a number"), std::process::id());
        drop(file);
        assert_eq!(std::fs::read_dir(dir.path().join("run")).expect("lists").count(), 0);
    }

    #[test]
    fn the_number_of_a_successor_stays() {
        let dir = tempfile::tempdir().expect("a directory");
        let path = dir.path().join("service.pid");
        let file = PidFile::write(&path).expect("writes");
        std::fs::write(&path, "1\n").expect("a successor writes its own");
        drop(file);
        assert_eq!(std::fs::read_to_string(&path).expect("is there"), "1\n");
    }
}
