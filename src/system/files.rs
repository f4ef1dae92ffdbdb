//! Files, as drivers meet them: reading here, writing only through an act.

use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

/// A file that was opened for reading.
#[derive(Debug)]
pub struct ReadFile(pub(super) File);

impl ReadFile {
    /// Its length in bytes.
    pub fn len(&self) -> io::Result<u64> {
        self.0.metadata().map(|m| m.len())
    }

    /// Whether it has no bytes.
    pub fn is_empty(&self) -> io::Result<bool> {
        self.len().map(|len| len == 0)
    }
}

impl Read for ReadFile {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.0.read(buffer)
    }
}

impl Seek for ReadFile {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        self.0.seek(to)
    }
}

/// A file that was opened for writing.
#[derive(Debug)]
pub struct WriteFile(pub(super) File);

impl WriteFile {
    /// Waits until its bytes are on the disk.
    pub fn sync(&self) -> io::Result<()> {
        self.0.sync_all()
    }
}

impl Write for WriteFile {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.0.flush()
    }
}

impl Seek for WriteFile {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        self.0.seek(to)
    }
}

/// One entry of a directory.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Entry {
    /// Its name within the directory.
    pub name: String,
    /// Its path.
    pub path: PathBuf,
    /// Whether it is a directory.
    pub directory: bool,
    /// Its length in bytes.
    pub len: u64,
}

/// The entries of `directory`, by name. Names that are not UTF-8 are left out: nothing of ours has one.
pub(super) fn list(directory: &Path) -> io::Result<Vec<Entry>> {
    let mut entries = Vec::new();
    for entry in std::fs::read_dir(directory)? {
        let entry = entry?;
        let metadata = match entry.metadata() {
            // Gone since: others put files there and take them away, SQLite its journals for one.
            Err(error) if error.kind() == io::ErrorKind::NotFound => continue,
            metadata => metadata?,
        };
        if let Ok(name) = entry.file_name().into_string() {
            entries.push(Entry { name, path: entry.path(), directory: metadata.is_dir(), len: metadata.len() });
        }
    }
    entries.sort();
    Ok(entries)
}

/// Writes `bytes` to `path` so that a reader, or a crash, sees the old content or the new one, never a part.
pub(super) fn write_atomic(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let directory = path.parent().filter(|p| !p.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let name = path.file_name().ok_or_else(|| io::Error::from(io::ErrorKind::InvalidInput))?.to_string_lossy();
    let temporary = directory.join(format!(".{name}.{}.partial", std::process::id()));
    let written = (|| {
        let mut file = File::create(&temporary)?;
        file.write_all(bytes)?;
        file.sync_all()?;
        std::fs::rename(&temporary, path)
    })();
    if written.is_err() {
        let _ = std::fs::remove_file(&temporary);
    }
    written?;
    sync_directory(directory)
}

/// Waits until the names in `directory` are on the disk.
pub(super) fn sync_directory(directory: &Path) -> io::Result<()> {
    File::open(directory)?.sync_all()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_atomic_write_replaces_and_leaves_nothing_behind() {
        let dir = tempfile::tempdir().expect("a directory");
        let path = dir.path().join("state");
        write_atomic(&path, b"one").expect("writes");
        write_atomic(&path, b"two").expect("replaces");
        assert_eq!(std::fs::read(&path).expect("reads"), b"two");
        assert_eq!(list(dir.path()).expect("lists").len(), 1);
    }

    #[test]
    fn what_others_take_away_meanwhile_is_not_listed() {
        let dir = tempfile::tempdir().expect("a directory");
        let there = dir.path().join("there");
        std::fs::write(&there, "x").expect("writes");
        let over = std::sync::atomic::AtomicBool::new(false);
        std::thread::scope(|scope| {
            scope.spawn(|| {
                while !over.load(std::sync::atomic::Ordering::SeqCst) {
                    let passing: Vec<_> = (0..50).map(|n| dir.path().join(format!("passing {n}"))).collect();
                    for path in &passing {
                        std::fs::write(path, "x").expect("writes");
                    }
                    for path in &passing {
                        std::fs::remove_file(path).expect("removes");
                    }
                }
            });
            let listed: Vec<_> = (0..2_000).map(|_| list(dir.path())).collect();
            over.store(true, std::sync::atomic::Ordering::SeqCst);
            for entries in listed {
                assert!(entries.expect("it is still a directory").iter().any(|entry| entry.path == there));
            }
        });
    }

    #[test]
    fn a_failed_atomic_write_leaves_nothing_behind() {
        let dir = tempfile::tempdir().expect("a directory");
        std::fs::create_dir(dir.path().join("taken")).expect("a directory in the way");
        assert!(write_atomic(&dir.path().join("taken"), b"x").is_err());
        assert_eq!(list(dir.path()).expect("lists").len(), 1);
    }
}
