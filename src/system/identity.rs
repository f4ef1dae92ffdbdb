//! Which file a name stands for, whose it is, and second names for it.

use std::fs::File;
use std::io;
use std::os::unix::fs::{DirBuilderExt, MetadataExt, OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::time::UNIX_EPOCH;

use serde::{Deserialize, Serialize};

use super::{Act, Look, WriteFile};

/// Tells one file from every other: a rename keeps it, a copy does not.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct FileId {
    /// The number of its file system.
    pub device: u64,
    /// Its number there.
    pub inode: u64,
    /// When it was made, in microseconds since 1970, where the file system knows: numbers are used again, moments are not.
    pub born: Option<u64>,
}

/// Whose a file is and who may use it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Ownership {
    /// The permission bits.
    pub mode: u32,
    /// The number of its user.
    pub uid: u32,
    /// The number of its group.
    pub gid: u32,
}

impl Look {
    /// Which file `path` stands for. Does not open it.
    pub fn file_id(&self, path: &Path) -> io::Result<FileId> {
        let metadata = path.metadata()?;
        let born = metadata.created().ok().and_then(|at| at.duration_since(UNIX_EPOCH).ok());
        let born = born.and_then(|time| u64::try_from(time.as_micros()).ok());
        Ok(FileId { device: metadata.dev(), inode: metadata.ino(), born })
    }

    /// Whose the file is and who may use it.
    pub fn ownership(&self, path: &Path) -> io::Result<Ownership> {
        let metadata = path.metadata()?;
        Ok(Ownership { mode: metadata.permissions().mode() & 0o7777, uid: metadata.uid(), gid: metadata.gid() })
    }

    /// Whether this user may write the file, or make files in the directory.
    pub fn may_write(&self, path: &Path) -> bool {
        rustix::fs::access(path, rustix::fs::Access::WRITE_OK).is_ok()
    }

    /// The path without symbolic links. The file itself need not exist, but its directory must.
    pub fn real_path(&self, path: &Path) -> io::Result<PathBuf> {
        real_path(path)
    }
}

fn real_path(path: &Path) -> io::Result<PathBuf> {
    match std::fs::canonicalize(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            let parent = path.parent().filter(|p| !p.as_os_str().is_empty()).unwrap_or(Path::new("."));
            match (std::fs::read_link(path), path.file_name()) {
                // A link that leads nowhere yet. Links that lead in circles are an error of another kind.
                (Ok(to), _) => real_path(&parent.join(to)),
                (Err(_), Some(name)) => Ok(std::fs::canonicalize(parent)?.join(name)),
                (Err(_), None) => Err(error),
            }
        }
        found => found,
    }
}

impl Act {
    /// Gives a file to a user and a group and sets its permission bits. The bits are set even where the owner cannot be.
    pub fn set_ownership(&self, path: &Path, to: Ownership) -> io::Result<()> {
        let now = self.ownership(path)?;
        // First the owner: changing it clears bits.
        let given = if (now.uid, now.gid) == (to.uid, to.gid) {
            Ok(())
        } else {
            std::os::unix::fs::chown(path, Some(to.uid), Some(to.gid))
        };
        std::fs::set_permissions(path, std::fs::Permissions::from_mode(to.mode))?;
        given
    }

    /// Makes a new file that only this user can read; an error if something is there already.
    pub fn create_private(&self, path: &Path) -> io::Result<WriteFile> {
        File::options().write(true).create_new(true).mode(0o600).open(path).map(WriteFile)
    }

    /// Makes a new directory that only this user can enter; an error if something is there already.
    pub fn create_private_dir(&self, path: &Path) -> io::Result<()> {
        std::fs::DirBuilder::new().mode(0o700).create(path)
    }

    /// Gives a file a second name on the same file system; an error if something is there already.
    pub fn hard_link(&self, file: &Path, name: &Path) -> io::Result<()> {
        std::fs::hard_link(file, name)
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::system::System;

    #[test]
    fn a_rename_and_a_second_name_keep_the_identity_and_a_copy_does_not() {
        let dir = tempfile::tempdir().expect("a directory");
        let act = Act::grant(&Look::new(Arc::new(System::new(dir.path().into()))));
        let [one, two, three] = ["one", "two", "three"].map(|name| dir.path().join(name));
        std::fs::write(&one, "x").expect("writes");
        let id = act.file_id(&one).expect("known");
        act.hard_link(&one, &two).expect("links");
        std::fs::copy(&one, &three).expect("copies");
        act.rename(&one, &dir.path().join("four")).expect("renames");
        assert_eq!(act.file_id(&two).expect("known"), id);
        assert_eq!(act.file_id(&dir.path().join("four")).expect("known"), id);
        assert_ne!(act.file_id(&three).expect("known"), id);
    }

    #[test]
    fn a_link_leads_to_the_same_place_whether_the_file_exists_or_not() {
        let dir = tempfile::tempdir().expect("a directory");
        let look = Look::new(Arc::new(System::new(dir.path().into())));
        std::fs::create_dir(dir.path().join("data")).expect("a directory");
        let (link, file) = (dir.path().join("link"), dir.path().join("data/file"));
        std::os::unix::fs::symlink("data/file", &link).expect("links");
        let nowhere = look.real_path(&link).expect("resolves");
        std::fs::write(&file, "x").expect("writes");
        assert_eq!(look.real_path(&link).expect("resolves"), nowhere);
        assert!(nowhere.ends_with("data/file"));
        std::os::unix::fs::symlink("circle", dir.path().join("circle")).expect("links");
        assert!(look.real_path(&dir.path().join("circle")).is_err());
    }

    #[test]
    fn permissions_are_carried_over() {
        let dir = tempfile::tempdir().expect("a directory");
        let act = Act::grant(&Look::new(Arc::new(System::new(dir.path().into()))));
        let file = dir.path().join("file");
        drop(act.create_private(&file).expect("makes"));
        let private = act.ownership(&file).expect("known");
        assert_eq!(private.mode, 0o600);
        act.set_ownership(&file, Ownership { mode: 0o640, ..private }).expect("sets");
        assert_eq!(act.ownership(&file).expect("known").mode, 0o640);
    }
}
