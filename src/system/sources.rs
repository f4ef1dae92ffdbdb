//! Source files of a project: read, and never from outside the directory that is allowed.

use std::io;
use std::path::{Path, PathBuf};

/// Reads a file as text. Anything but UTF-8 is an error that says so.
pub fn read_source(path: &Path) -> Result<String, String> {
    let shown = path.display();
    let bytes = std::fs::read(path).map_err(|error| match error.kind() {
        io::ErrorKind::NotFound => format!("there is no file {shown}"),
        io::ErrorKind::IsADirectory => format!("{shown} is a directory"),
        io::ErrorKind::PermissionDenied => format!("{shown} may not be read"),
        _ => format!("{shown} cannot be read: {error}"),
    })?;
    String::from_utf8(bytes).map_err(|_| format!("{shown} is not text in UTF-8"))
}

/// Reads `relative` below `directory`. Links that lead out of it are refused.
pub fn read_source_within(directory: &Path, relative: &str) -> Result<String, String> {
    let path = directory.join(relative);
    if let (Ok(inside), Ok(directory)) = (path.canonicalize(), directory.canonicalize())
        && !inside.starts_with(&directory)
    {
        return Err(format!("{relative} leads out of {}", directory.display()));
    }
    read_source(&path)
}

/// Writes a file of our own state, whole or not at all, with the directories above it.
pub fn write_evidence(path: &Path, bytes: &[u8]) -> io::Result<()> {
    if let Some(parent) = path.parent() {
        std::fs::create_dir_all(parent)?;
    }
    super::files::write_atomic(path, bytes)
}

/// The absolute form of a path, with links resolved where it exists.
pub fn absolute(path: &Path) -> PathBuf {
    path.canonicalize().or_else(|_| std::path::absolute(path)).unwrap_or_else(|_| path.to_owned())
}

/// Four random bytes from the system, to tell runs of one second apart.
pub fn random_u32() -> u32 {
    let mut bytes = [0; 4];
    let read = rustix::rand::getrandom(&mut bytes, rustix::rand::GetRandomFlags::empty());
    if read == Ok(4) { u32::from_ne_bytes(bytes) } else { std::process::id() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn links_that_lead_out_are_refused() {
        let outside = tempfile::tempdir().expect("a directory");
        let inside = tempfile::tempdir().expect("a directory");
        std::fs::write(outside.path().join("secret"), "x").expect("writes");
        std::os::unix::fs::symlink(outside.path().join("secret"), inside.path().join("a.rhai")).expect("links");
        assert!(read_source_within(inside.path(), "a.rhai").expect_err("refused").contains("leads out of"));
        std::fs::write(inside.path().join("b.rhai"), "1").expect("writes");
        assert_eq!(read_source_within(inside.path(), "b.rhai").as_deref(), Ok("1"));
    }

    #[test]
    fn what_cannot_be_read_is_explained() {
        let dir = tempfile::tempdir().expect("a directory");
        assert!(read_source(&dir.path().join("none")).expect_err("missing").contains("there is no file"));
        assert!(read_source(dir.path()).expect_err("directory").contains("is a directory"));
        std::fs::write(dir.path().join("binary"), [0xff, 0xfe]).expect("writes");
        assert!(read_source(&dir.path().join("binary")).expect_err("binary").contains("UTF-8"));
    }
}
