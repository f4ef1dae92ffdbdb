//! The directory of a journal, as far as files are concerned that libSQL does not see to itself.
//!
//! Nothing here opens the journal's own files: closing any handle on them would drop the locks that libSQL holds in this process.
#![expect(clippy::disallowed_methods, reason = "a store makes its own directory; no driver or script reaches this")]

use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};

use rustix::fs::{Access, access};

/// Makes the directory of the journal at `path`, unless it is there. A new one is kept out of version control.
pub(super) fn prepare(path: &Path) -> io::Result<()> {
    let Some(directory) = path.parent() else { return Ok(()) };
    if make(directory)? {
        // Only in a directory of our own: in one that was there, it would hide other people's files.
        fs::write(directory.join(".gitignore"), "*\n")?;
    }
    Ok(())
}

/// Makes a directory and those above it, durably. Returns whether it is new.
fn make(directory: &Path) -> io::Result<bool> {
    if directory.is_dir() {
        return Ok(false);
    }
    if let Some(parent) = directory.parent() {
        make(parent)?;
    }
    match fs::create_dir(directory) {
        Ok(()) => {
            if let Some(parent) = directory.parent() {
                File::open(parent)?.sync_all()?;
            }
            Ok(true)
        }
        // Somebody else was faster.
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists && directory.is_dir() => Ok(false),
        Err(error) => Err(error),
    }
}

/// Whether the journal at `path` is a file; an error if something else is there.
pub(super) fn exists(path: &Path) -> io::Result<bool> {
    match fs::metadata(path) {
        Ok(metadata) if metadata.is_dir() => Err(io::ErrorKind::IsADirectory.into()),
        Ok(_) => Ok(true),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(false),
        Err(error) => Err(error),
    }
}

/// Whether the journal or its directory may not be written by us.
pub(super) fn is_read_only(path: &Path) -> bool {
    let refused = |path: &Path| {
        access(path, Access::WRITE_OK)
            .is_err_and(|error| error == rustix::io::Errno::ACCESS || error == rustix::io::Errno::ROFS)
    };
    refused(path) || path.parent().is_some_and(refused)
}

/// The length in bytes of the journal and of the write-ahead log beside it.
pub(super) fn file_len(path: &Path) -> u64 {
    log_len(path) + fs::metadata(path).map_or(0, |metadata| metadata.len())
}

/// The length in bytes of the write-ahead log beside the journal.
pub(super) fn log_len(path: &Path) -> u64 {
    let mut name = path.as_os_str().to_owned();
    name.push("-wal");
    fs::metadata(PathBuf::from(name)).map_or(0, |metadata| metadata.len())
}
