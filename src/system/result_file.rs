//! A file for a result that somebody asked for: it is there as a whole, or as it was before.

use std::fs::{File, Metadata};
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};

use super::random_u32;

/// A file that can be written, as far as one can tell without writing it.
#[derive(Debug)]
pub struct ResultFile {
    /// As it was given.
    shown: String,
    /// With links followed.
    path: PathBuf,
    /// What lies there.
    there: Option<Metadata>,
}

impl ResultFile {
    /// The file at `path`. The error says why it cannot be written.
    pub fn at(path: &Path) -> Result<Self, String> {
        let shown = path.display().to_string();
        let wrong = |error: &io::Error| explained(&shown, error);
        let real = match path.canonicalize() {
            Ok(real) => real,
            Err(error) if error.kind() == io::ErrorKind::NotFound => path.to_owned(),
            Err(error) => return Err(wrong(&error)),
        };
        let there = match real.symlink_metadata() {
            Ok(there) if there.is_dir() => return Err(format!("{shown} is a directory")),
            Ok(there) if there.is_symlink() => return Err(format!("{shown} is a link that leads nowhere")),
            Ok(there) => Some(there),
            Err(error) if error.kind() == io::ErrorKind::NotFound => None,
            Err(error) => return Err(wrong(&error)),
        };
        if real.file_name().is_none() {
            return Err(format!("{shown} names no file"));
        }
        let file = Self { shown, path: real, there };
        let access = |path: &Path| rustix::fs::access(path, rustix::fs::Access::WRITE_OK).map_err(io::Error::from);
        if file.there.is_some() {
            access(&file.path).map_err(|error| explained(&file.shown, &error))?;
        }
        if file.is_replaced() {
            let directory = file.directory();
            if !directory.is_dir() {
                return Err(format!("there is no directory {}", directory.display()));
            }
            access(directory).map_err(|error| explained(&directory.display().to_string(), &error))?;
        }
        Ok(file)
    }

    /// The beginning of what lies there: so many bytes at most, and none where there is nothing that would be replaced.
    pub fn beginning(&self, at_most: u64) -> Result<Vec<u8>, String> {
        let mut bytes = Vec::new();
        if self.there.as_ref().is_some_and(Metadata::is_file) {
            let read = File::open(&self.path).and_then(|file| file.take(at_most).read_to_end(&mut bytes));
            read.map_err(|error| format!("what is in {} cannot be read: {error}", self.shown))?;
        }
        Ok(bytes)
    }

    /// As it was given.
    pub fn shown(&self) -> &str {
        &self.shown
    }

    /// Writes it. The error says why it is as it was before.
    pub fn write(&self, bytes: &[u8]) -> Result<(), String> {
        let written = if self.is_replaced() { self.replace(bytes) } else { self.fill(bytes) };
        written.map_err(|error| explained(&self.shown, &error))
    }

    /// A pipe or a device is written as it is: it has no content that a new file could take the place of.
    fn is_replaced(&self) -> bool {
        self.there.as_ref().is_none_or(Metadata::is_file)
    }

    fn directory(&self) -> &Path {
        self.path.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."))
    }

    fn fill(&self, bytes: &[u8]) -> io::Result<()> {
        File::options().write(true).open(&self.path)?.write_all(bytes)
    }

    fn replace(&self, bytes: &[u8]) -> io::Result<()> {
        let name = self.path.file_name().unwrap_or_default().to_string_lossy();
        let partial = self.directory().join(format!(".{name}.{:08x}.partial", random_u32()));
        // Whatever lies there already is somebody else's.
        let mut file = File::options().write(true).create_new(true).open(&partial)?;
        let written = (|| {
            if let Some(there) = &self.there {
                file.set_permissions(there.permissions())?;
            }
            file.write_all(bytes)?;
            file.sync_all()?;
            std::fs::rename(&partial, &self.path)
        })();
        if written.is_err() {
            let _ = std::fs::remove_file(&partial);
        }
        written
    }
}

fn explained(what: &str, error: &io::Error) -> String {
    match error.kind() {
        io::ErrorKind::NotFound => format!("{what} cannot be written: its directory is not there"),
        io::ErrorKind::NotADirectory => format!("{what} cannot be written: what it lies in is no directory"),
        io::ErrorKind::PermissionDenied => format!("{what} may not be written"),
        io::ErrorKind::ReadOnlyFilesystem => format!("{what} cannot be written: its disk is read-only"),
        io::ErrorKind::StorageFull => format!("{what} cannot be written: there is no space left"),
        _ => format!("{what} cannot be written: {error}"),
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::{FileTypeExt, PermissionsExt, symlink};

    use super::*;

    fn write(path: &Path, text: &str) -> Result<(), String> {
        ResultFile::at(path)?.write(text.as_bytes())
    }

    #[test]
    fn a_result_takes_the_place_of_the_one_before_and_leaves_nothing_else() {
        let dir = tempfile::tempdir().expect("a directory");
        let path = dir.path().join("paths.html");
        write(&path, "one, which is longer").expect("writes");
        std::fs::set_permissions(&path, PermissionsExt::from_mode(0o640)).expect("it is ours");
        write(&path, "two").expect("replaces");
        assert_eq!(std::fs::read_to_string(&path).expect("reads"), "two");
        assert_eq!(path.metadata().expect("is there").permissions().mode() & 0o777, 0o640);
        assert_eq!(std::fs::read_dir(dir.path()).expect("lists").count(), 1);
    }

    #[test]
    fn a_link_stays_one() {
        let dir = tempfile::tempdir().expect("a directory");
        let (path, link) = (dir.path().join("real"), dir.path().join("link"));
        std::fs::write(&path, "one").expect("writes");
        symlink(&path, &link).expect("links");
        write(&link, "two").expect("writes");
        assert!(link.is_symlink());
        assert_eq!(std::fs::read_to_string(&path).expect("reads"), "two");
        symlink(dir.path().join("nowhere"), dir.path().join("broken")).expect("links");
        let why = write(&dir.path().join("broken"), "x").expect_err("it leads nowhere");
        assert!(why.ends_with("is a link that leads nowhere"), "{why}");
    }

    #[test]
    fn what_would_be_replaced_can_be_looked_at() {
        let dir = tempfile::tempdir().expect("a directory");
        let path = dir.path().join("paths.html");
        let beginning = |path: &Path| ResultFile::at(path).and_then(|file| file.beginning(3)).expect("it can be read");
        assert_eq!(beginning(&path), b"");
        std::fs::write(&path, "one").expect("writes");
        assert_eq!(beginning(&path), b"one");
        std::fs::write(&path, "longer").expect("writes");
        assert_eq!(beginning(&path), b"lon");
        assert_eq!(beginning(Path::new("/dev/zero")), b"", "a device has no end");
    }

    #[test]
    fn a_device_is_not_replaced() {
        write(Path::new("/dev/null"), "x").expect("it takes everything");
        assert!(Path::new("/dev/null").symlink_metadata().expect("it is there").file_type().is_char_device());
    }

    #[test]
    fn what_cannot_be_written_is_refused_before() {
        let dir = tempfile::tempdir().expect("a directory");
        let refused =
            |path: &Path| ResultFile::at(path).expect_err("it is refused").replace(&*dir.path().to_string_lossy(), "D");
        std::fs::write(dir.path().join("file"), "").expect("writes");
        assert_eq!(refused(dir.path()), "D is a directory");
        assert_eq!(refused(&dir.path().join("none/paths.html")), "there is no directory D/none");
        let why = refused(&dir.path().join("file/paths.html"));
        assert_eq!(why, "D/file/paths.html cannot be written: what it lies in is no directory");
        assert_eq!(refused(Path::new("")), " names no file");
    }

    #[test]
    fn a_disk_that_is_full_leaves_what_was_there() {
        let why = write(Path::new("/dev/full"), "x").expect_err("it takes nothing");
        assert_eq!(why, "/dev/full cannot be written: there is no space left");
    }
}
