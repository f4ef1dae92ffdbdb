//! Where a restore works: the database's directory and the names in it.

use std::ffi::OsString;
use std::path::{Path, PathBuf};

use jiff::Timestamp;

use crate::system::Look;

/// The files that make up a database, as what follows its name. The database itself comes first.
pub(super) const PARTS: [&str; 4] = ["", "-wal", "-journal", "-shm"];

/// Where a database lies. All names are in its directory, so that every move is a rename.
#[derive(Clone, Debug)]
pub(super) struct Place {
    /// The database's file, without symbolic links.
    pub path: PathBuf,
    /// Its directory.
    pub directory: PathBuf,
    name: OsString,
}

impl Place {
    /// `None` for a path that names no file.
    pub(super) fn of(look: &Look, path: &Path) -> Option<Self> {
        let path = look.real_path(path).unwrap_or_else(|_| path.to_path_buf());
        let name = path.file_name()?.to_owned();
        let directory = path.parent().filter(|p| !p.as_os_str().is_empty()).unwrap_or(Path::new(".")).to_path_buf();
        Some(Self { path, directory, name })
    }

    /// One of the [`PARTS`].
    pub(super) fn part(&self, part: &str) -> PathBuf {
        self.named("", part)
    }

    /// The same part among what was replaced.
    pub(super) fn replaced_part(&self, replaced: &Path, part: &str) -> PathBuf {
        let mut name = self.name.clone();
        name.push(part);
        replaced.join(name)
    }

    /// Where the backup `id` is unpacked.
    pub(super) fn temporary(&self, id: &str) -> PathBuf {
        self.named(".", &format!(".{id}.restoring"))
    }

    /// Files that restores left when they were cut short.
    pub(super) fn temporaries(&self, look: &Look) -> Vec<PathBuf> {
        let prefix = format!(".{}.", self.name.to_string_lossy());
        let entries = look.list(&self.directory).unwrap_or_default();
        let left = |name: &str| name.starts_with(&prefix) && name.ends_with(".restoring");
        entries.into_iter().filter(|entry| left(&entry.name)).map(|entry| entry.path).collect()
    }

    /// The record of restores.
    pub(super) fn records(&self) -> PathBuf {
        self.named(".", ".restored.json")
    }

    /// A directory that does not exist yet, for what is replaced at `at`.
    pub(super) fn replaced(&self, look: &Look, at: Timestamp) -> PathBuf {
        let name = format!(".replaced-{}", at.strftime("%Y%m%dT%H%M%SZ"));
        let first = self.named("", &name);
        let others = (2_u32..).map(|n| self.named("", &format!("{name}-{n}")));
        std::iter::once(first.clone()).chain(others).find(|path| !look.exists(path)).unwrap_or(first)
    }

    /// Whether a directory keeps what was replaced here.
    pub(super) fn is_replaced(&self, path: &Path) -> bool {
        let prefix = format!("{}.replaced-", self.name.to_string_lossy());
        path.file_name().is_some_and(|name| name.to_string_lossy().starts_with(&prefix))
    }

    fn named(&self, before: &str, after: &str) -> PathBuf {
        let mut name = OsString::from(before);
        name.push(&self.name);
        name.push(after);
        self.directory.join(name)
    }
}
