//! Opening a project for a command.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::journal::{Journal, LibsqlJournal};
use crate::runtime::{Builder, Error, Lifeboat};
use crate::system::absolute;

use super::Global;

/// The name of the configuration.
pub(super) const CONFIG: &str = "lifeboat.toml";

/// The configuration that is named, or the nearest one: here or in a directory above.
pub(super) fn config(global: &Global) -> Result<PathBuf, Error> {
    if let Some(path) = &global.config {
        return Ok(if path.is_dir() { path.join(CONFIG) } else { path.clone() });
    }
    let here = absolute(Path::new("."));
    let found = here.ancestors().map(|dir| dir.join(CONFIG)).find(|path| path.is_file());
    found.ok_or_else(|| Error::NoConfig { why: format!("there is no {CONFIG} in {}, or above it", here.display()) })
}

/// A project that is looked at: nothing of it is written.
pub(super) fn reading(global: &Global) -> Result<Lifeboat, Error> {
    Lifeboat::builder(config(global)?).build()
}

/// A project whose runs are recorded in its journal.
pub(super) fn recording(global: &Global, with: impl FnOnce(Builder) -> Builder) -> Result<Lifeboat, Error> {
    let config = config(global)?;
    let journal = journal_of(&config);
    let open = move || Ok(Arc::new(LibsqlJournal::open(&journal)?) as Arc<dyn Journal>);
    with(Lifeboat::builder(&config)).journal_when_needed(open).build()
}

/// Where the journal of a project lies.
pub(super) fn journal_of(config: &Path) -> PathBuf {
    absolute(config).parent().unwrap_or(Path::new(".")).join(".lifeboat").join("journal.db")
}
