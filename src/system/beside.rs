//! Replaces a file by one that was written beside it, with the same owner and permissions.

use std::io::{self, Write};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use super::digest::hex;
use super::{Act, Look, Ownership, files, random_u32};

/// A new file that lies beside the one it is to replace. It is gone when it is dropped.
pub struct Beside {
    act: Act,
    temporary: PathBuf,
    target: PathBuf,
    version: String,
}

impl Look {
    /// Stands for this very state of a file, 16 hexadecimal digits: any write makes it another one. It is made from the file's
    /// number, its length and when it was made and written, and says nothing of what is in it. A rename keeps it.
    pub fn file_version(&self, path: &Path) -> io::Result<String> {
        let id = self.file_id(path)?;
        let metadata = path.metadata()?;
        let written = (metadata.mtime(), metadata.mtime_nsec(), metadata.size());
        Ok(hex(format!("{id:?} {written:?}").as_bytes())[..16].to_owned())
    }
}

impl Act {
    /// Writes a file beside `target`, given to the owner and with the permissions `like`. Returns when it is on the disk.
    pub fn write_beside(&self, target: &Path, bytes: &[u8], like: Ownership) -> io::Result<Beside> {
        let name = target.file_name().ok_or_else(|| io::Error::from(io::ErrorKind::InvalidInput))?.to_string_lossy();
        let temporary = target.with_file_name(format!(".{name}.{:08x}.partial", random_u32()));
        // Nobody else may read it before it has its owner.
        let mut file = self.create_private(&temporary)?;
        let mut beside = Beside { act: self.clone(), temporary, target: target.to_path_buf(), version: String::new() };
        file.write_all(bytes)?;
        self.set_ownership(&beside.temporary, like)?;
        file.sync()?;
        beside.version = self.file_version(&beside.temporary)?;
        Ok(beside)
    }
}

impl Beside {
    /// The version that the file has, here and in its place.
    pub fn version(&self) -> &str {
        &self.version
    }

    /// Replaces the file: a reader or a crash sees the old one or the new one. Returns when that is on the disk.
    pub fn put_in_place(self) -> io::Result<()> {
        self.act.rename(&self.temporary, &self.target)?;
        files::sync_directory(self.target.parent().filter(|p| !p.as_os_str().is_empty()).unwrap_or(Path::new(".")))
    }
}

impl Drop for Beside {
    fn drop(&mut self) {
        // Put in its place, it has no name here any more.
        let _ = self.act.remove_file(&self.temporary);
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::system::System;

    fn act(dir: &Path) -> Act {
        Act::grant(&Look::new(Arc::new(System::new(dir.into()))))
    }

    #[test]
    fn a_file_is_replaced_with_its_permissions_and_leaves_nothing_behind() {
        let dir = tempfile::tempdir().expect("a directory");
        let (act, path) = (act(dir.path()), dir.path().join("app.toml"));
        std::fs::write(&path, "old").expect("writes");
        let like = Ownership { mode: 0o640, ..act.ownership(&path).expect("known") };
        let before = act.file_version(&path).expect("known");
        let beside = act.write_beside(&path, b"new", like).expect("writes");
        let version = beside.version().to_owned();
        assert_eq!(std::fs::read_to_string(&path).expect("reads"), "old");
        beside.put_in_place().expect("replaces");
        assert_eq!(std::fs::read_to_string(&path).expect("reads"), "new");
        assert_eq!(act.ownership(&path).expect("known"), like);
        assert_eq!(act.file_version(&path).expect("known"), version);
        assert_ne!(before, version);
        drop(act.write_beside(&path, b"never", like).expect("writes"));
        assert_eq!(act.list(dir.path()).expect("lists").len(), 1);
    }

    #[test]
    fn every_write_makes_another_version() {
        let dir = tempfile::tempdir().expect("a directory");
        let (act, path) = (act(dir.path()), dir.path().join("app.env"));
        std::fs::write(&path, "A=1").expect("writes");
        let first = act.file_version(&path).expect("known");
        assert_eq!(act.file_version(&path).expect("known"), first);
        std::fs::write(&path, "A=10").expect("writes");
        assert_ne!(act.file_version(&path).expect("known"), first);
    }
}
