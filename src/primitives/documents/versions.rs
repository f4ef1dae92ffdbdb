//! What is kept beside a document: its earlier versions, and what every change of it proves afterwards.
//!
//! `.NAME.versions` lies in the document's directory and can be entered by its owner only: what is secret in a document is secret
//! in its versions as well.

use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::model::{IdempotencyKey, Value};
use crate::system::{Act, Look};

/// How many changes are remembered.
const KEPT: usize = 20;

/// `.NAME.versions/changes.json`, version 1: the latest changes of a document, the newest last.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(in crate::primitives) struct Versions {
    format: u32,
    changes: Vec<Change>,
    #[serde(skip)]
    directory: PathBuf,
}

/// One change. It is written when the new file lies beside the old one, before the names change.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(in crate::primitives) struct Change {
    /// The call.
    pub(in crate::primitives) idempotency_key: String,
    /// When it was written.
    pub(in crate::primitives) at: Timestamp,
    /// The version before, and SHA-256 of its text.
    pub(in crate::primitives) before: (String, String),
    /// The version after, and SHA-256 of its text.
    pub(in crate::primitives) after: (String, String),
    /// Whether the program that is told of changes has succeeded; `None` without one.
    pub(in crate::primitives) reloaded: Option<bool>,
    /// What the call returns.
    pub(in crate::primitives) output: Value,
}

impl Versions {
    /// What is kept beside `file`. The error says why it cannot be relied on.
    pub(in crate::primitives) fn read(look: &Look, file: &Path) -> Result<Self, String> {
        let directory = directory(file);
        let record = directory.join("changes.json");
        let nothing = || Self { format: 1, changes: Vec::new(), directory: directory.clone() };
        match look.read(&record) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(nothing()),
            Err(error) => Err(format!("{} cannot be read: {error}", record.display())),
            Ok(bytes) => serde_json::from_slice::<Self>(&bytes)
                .map(|versions| Self { directory: directory.clone(), ..versions })
                .map_err(|error| format!("{} is damaged: {error}", record.display())),
        }
    }

    /// The latest change.
    pub(in crate::primitives) fn latest(&self) -> Option<&Change> {
        self.changes.last()
    }

    /// The change of a call.
    pub(in crate::primitives) fn of(&self, key: &IdempotencyKey) -> Option<&Change> {
        self.changes.iter().rev().find(|change| change.idempotency_key == key.as_str())
    }

    /// Whether a later change started from what this one left.
    pub(in crate::primitives) fn went_on_from(&self, change: &Change) -> bool {
        self.changes.iter().any(|later| later.before == change.after && later.idempotency_key != change.idempotency_key)
    }

    /// The text of a version.
    pub(in crate::primitives) fn text(&self, look: &Look, version: &str) -> Option<String> {
        let plain = !version.is_empty() && version.chars().all(|c| c.is_ascii_hexdigit());
        if plain { look.read_text(&self.directory.join(version)).ok() } else { None }
    }

    /// The digest of the text of a version, as far as it is remembered.
    pub(in crate::primitives) fn digest(&self, version: &str) -> Option<&str> {
        let sides = self.changes.iter().rev().flat_map(|change| [&change.before, &change.after]);
        sides.into_iter().find(|(found, _)| found == version).map(|(_, digest)| digest.as_str())
    }

    /// Keeps the text before a change, and then the change itself. Returns when both are on the disk.
    pub(in crate::primitives) fn begin(&mut self, act: &Act, text: &str, change: Change) -> io::Result<()> {
        if !act.exists(&self.directory) {
            act.create_private_dir(&self.directory)?;
        }
        let kept = self.directory.join(&change.before.0);
        if !act.exists(&kept) {
            let partial = self.directory.join(format!("{}.partial", change.before.0));
            let _ = act.remove_file(&partial);
            let mut file = act.create_private(&partial)?;
            file.write_all(text.as_bytes())?;
            file.sync()?;
            act.rename(&partial, &kept)?;
        }
        self.changes.retain(|other| other.idempotency_key != change.idempotency_key);
        self.changes.push(change);
        let surplus = self.changes.len().saturating_sub(KEPT);
        let old: Vec<Change> = self.changes.drain(..surplus).collect();
        self.write(act)?;
        for change in old {
            let needed = self.changes.iter().any(|later| later.before.0 == change.before.0);
            if !needed {
                let _ = act.remove_file(&self.directory.join(&change.before.0));
            }
        }
        Ok(())
    }

    /// The change of a call did not take place.
    pub(in crate::primitives) fn forget(&mut self, act: &Act, key: &str) -> io::Result<()> {
        self.changes.retain(|change| change.idempotency_key != key);
        self.write(act)
    }

    /// The program that is told of the change of a call has succeeded.
    pub(in crate::primitives) fn reloaded(&mut self, act: &Act, key: &IdempotencyKey) -> io::Result<()> {
        for change in self.changes.iter_mut().filter(|change| change.idempotency_key == key.as_str()) {
            change.reloaded = Some(true);
        }
        self.write(act)
    }

    fn write(&self, act: &Act) -> io::Result<()> {
        // The directory can be entered by its owner only, so the file needs no permissions of its own.
        act.write_atomic(&self.directory.join("changes.json"), &serde_json::to_vec_pretty(self).unwrap_or_default())
    }
}

fn directory(file: &Path) -> PathBuf {
    let name = file.file_name().unwrap_or_default().to_string_lossy();
    file.with_file_name(format!(".{name}.versions"))
}
