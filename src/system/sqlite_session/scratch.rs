//! A copy of a database to try things on: in our own scratch directory, and gone when the handle goes.

use std::ops::{ControlFlow, Deref};
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};

use super::SqliteSession;
use crate::system::sqlite_copy::copy_to_new;
use crate::system::sqlite_copy::raw::Open;
use crate::system::{CopyError, Look};

/// A database of our own to try things on. No look can be made to write anywhere else: the path is chosen here.
#[derive(Debug)]
pub struct SqliteScratch {
    /// Closed before its directory is removed: fields are dropped in their order.
    session: SqliteSession,
    directory: Directory,
}

impl Deref for SqliteScratch {
    type Target = SqliteSession;
    fn deref(&self) -> &SqliteSession {
        &self.session
    }
}

impl SqliteScratch {
    /// The file.
    pub(super) fn path(&self) -> PathBuf {
        self.directory.0.join("copy.db")
    }

    /// Where it lies, for as long as this handle lives.
    pub fn directory(&self) -> &Path {
        &self.directory.0
    }
}

impl Look {
    /// A copy of the database `from`, which may be in use and is only read, to try things on. `stop` ends the copying.
    pub fn scratch_copy(&self, from: &Path, stop: &dyn Fn() -> bool) -> Result<SqliteScratch, CopyError> {
        let directory = Directory::make(&self.system.scratch)?;
        let path = directory.0.join("copy.db");
        let mut progress = |_, _| if stop() { ControlFlow::Break(()) } else { ControlFlow::Continue(()) };
        copy_to_new(self, from, &path, &mut progress)?;
        scratch(directory, &path)
    }

    /// A database whose bytes come from elsewhere, to look into it.
    pub fn scratch_of(
        &self,
        from: &mut dyn std::io::Read,
        stop: &dyn Fn() -> bool,
    ) -> Result<SqliteScratch, CopyError> {
        let directory = Directory::make(&self.system.scratch)?;
        let path = directory.0.join("copy.db");
        let copied = std::fs::File::create_new(&path).and_then(|mut file| {
            let mut chunk = vec![0; 1 << 18];
            loop {
                let read = from.read(&mut chunk)?;
                if read == 0 || stop() {
                    return Ok(read == 0);
                }
                std::io::Write::write_all(&mut file, &chunk[..read])?;
            }
        });
        match copied {
            Ok(true) => scratch(directory, &path),
            Ok(false) => Err(CopyError::Stopped),
            Err(error) => Err(CopyError::io(&error, &path)),
        }
    }

    /// An empty database to try things on.
    pub fn scratch_database(&self) -> Result<SqliteScratch, CopyError> {
        let directory = Directory::make(&self.system.scratch)?;
        let path = directory.0.join("copy.db");
        scratch(directory, &path)
    }

    /// Where scratch copies lie.
    pub fn scratch_directory(&self) -> &Path {
        &self.system.scratch
    }
}

fn scratch(directory: Directory, path: &Path) -> Result<SqliteScratch, CopyError> {
    let failed = |error: super::SessionError| CopyError::Failed { path: path.to_path_buf(), why: error.message };
    let session = SqliteSession::open(path, Open::Own).map_err(failed)?;
    // Nobody needs it after a crash.
    for pragma in ["PRAGMA journal_mode = MEMORY", "PRAGMA synchronous = OFF"] {
        session.own(pragma).map_err(failed)?;
    }
    Ok(SqliteScratch { session, directory })
}

/// A directory of our own that only this user can enter; removed with what is in it.
#[derive(Debug)]
struct Directory(PathBuf);

impl Directory {
    fn make(scratch: &Path) -> Result<Self, CopyError> {
        let made = std::fs::create_dir_all(scratch).and_then(|()| {
            let name = format!("sqlite-{}-{:08x}", std::process::id(), crate::system::random_u32());
            let path = scratch.join(name);
            std::fs::DirBuilder::new().mode(0o700).create(&path)?;
            Ok(Self(path))
        });
        made.map_err(|error| CopyError::io(&error, scratch))
    }
}

impl Drop for Directory {
    fn drop(&mut self) {
        // What cannot be removed lies in our own scratch directory, and harms nobody but the disk.
        let _ = std::fs::remove_dir_all(&self.0);
    }
}
