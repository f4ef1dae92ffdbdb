//! A place for a program to start in where nothing lies.

use std::io;
use std::os::unix::fs::DirBuilderExt as _;
use std::path::{Path, PathBuf};

use crate::system::{Look, random_u32};

/// An empty directory below the system's own for temporary files, for us alone. It goes, with all that is in it, when this is
/// dropped.
#[derive(Debug)]
pub struct EmptyDirectory(PathBuf);

impl EmptyDirectory {
    /// Where it is.
    pub fn path(&self) -> &Path {
        &self.0
    }
}

impl Drop for EmptyDirectory {
    fn drop(&mut self) {
        // What is left there is the system's to clean up.
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

impl Look {
    /// A new, empty directory for a program to start in. It is no part of the world that anybody plans for.
    pub fn empty_directory(&self) -> io::Result<EmptyDirectory> {
        let name = format!("lifeboat-{}-{:08x}{:08x}", std::process::id(), random_u32(), random_u32());
        let path = std::env::temp_dir().join(name);
        std::fs::DirBuilder::new().mode(0o700).create(&path)?;
        Ok(EmptyDirectory(path))
    }
}
