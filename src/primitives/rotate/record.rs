//! Which values a secret had, by number. What a record says is no secret: the values themselves lie elsewhere.

use std::io;
use std::path::{Path, PathBuf};

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::model::IdempotencyKey;
use crate::system::{Act, Look};

/// How many changes are remembered.
const KEPT: usize = 10;

/// `generations.json`, version 1: the latest changes of a secret, the newest last.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct Record {
    format: u32,
    changes: Vec<Change>,
    #[serde(skip)]
    directory: PathBuf,
}

/// One change: how the secret came to the value of a generation.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct Change {
    /// The number of this change.
    pub(super) generation: u64,
    /// The generation in which its value was new: itself, or an earlier one that was brought back.
    pub(super) value: u64,
    /// The value before it.
    pub(super) before: u64,
    /// The call; empty where somebody else changed it.
    pub(super) idempotency_key: String,
    pub(super) at: Timestamp,
    /// The version of the file that holds it.
    pub(super) version: Option<String>,
    /// Whether it was seen through to its end.
    pub(super) done: bool,
}

impl Record {
    /// What is kept in `directory`. The error says why it cannot be relied on.
    pub(super) fn read(look: &Look, directory: &Path) -> Result<Self, String> {
        let path = directory.join("generations.json");
        match look.read(&path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                Ok(Self { format: 1, changes: Vec::new(), directory: directory.to_path_buf() })
            }
            Err(error) => Err(format!("{} cannot be read: {error}", path.display())),
            Ok(bytes) => serde_json::from_slice::<Self>(&bytes)
                .map(|record| Self { directory: directory.to_path_buf(), ..record })
                .map_err(|error| format!("{} is damaged: {error}", path.display())),
        }
    }

    /// How the secret came to the value that it has. `version` is that of its file: a file that somebody else has written holds a value of
    /// its own.
    pub(super) fn current(&self, version: Option<&str>, now: Timestamp) -> Change {
        let other = |generation, before| Change {
            generation,
            value: generation,
            before,
            idempotency_key: String::new(),
            at: now,
            version: version.map(str::to_owned),
            done: true,
        };
        match self.changes.last() {
            None => other(1, 1),
            Some(last) if version.is_none() || last.version.as_deref() == version => last.clone(),
            // A change that was cut short before its last step left the one before it in place.
            Some(last) => match self.changes.iter().rev().find(|change| change.version.as_deref() == version) {
                Some(before) if !last.done => Change { generation: last.generation, ..before.clone() },
                _ => other(last.generation + 1, last.value),
            },
        }
    }

    /// All changes that are remembered, the newest last.
    pub(super) fn changes(&self) -> &[Change] {
        &self.changes
    }

    /// The value that the secret had in a generation.
    pub(super) fn value_of(&self, generation: u64) -> Option<u64> {
        self.changes.iter().rev().find(|change| change.generation == generation).map(|change| change.value)
    }

    /// The change of a call.
    pub(super) fn of(&self, key: &IdempotencyKey) -> Option<&Change> {
        self.changes.iter().rev().find(|change| change.idempotency_key == key.as_str())
    }

    /// Notes a change that is about to be made of what is there now, with where it started from. Returns when that is on the disk.
    pub(super) fn begin(&mut self, act: &Act, current: Change, change: Change) -> io::Result<()> {
        self.make_directory(act)?;
        self.changes
            .retain(|other| other.idempotency_key.is_empty() || other.idempotency_key != change.idempotency_key);
        if !self.changes.iter().any(|other| other.generation == current.generation) {
            self.changes.push(current);
        }
        self.changes.push(change);
        let surplus = self.changes.len().saturating_sub(KEPT);
        for old in self.changes.drain(..surplus).collect::<Vec<_>>() {
            if !self.changes.iter().any(|later| later.value == old.value || later.before == old.value) {
                let _ = act.remove_file(&self.kept(old.value));
            }
        }
        self.write(act)
    }

    /// The change of a call was seen through to its end.
    pub(super) fn finish(&mut self, act: &Act, key: &IdempotencyKey) -> io::Result<()> {
        for change in self.changes.iter_mut().filter(|change| change.idempotency_key == key.as_str()) {
            change.done = true;
        }
        self.write(act)
    }

    /// The change of a call did not take place, or was taken back at once.
    pub(super) fn forget(&mut self, act: &Act, key: &IdempotencyKey) -> io::Result<()> {
        self.changes.retain(|change| change.idempotency_key != key.as_str());
        self.write(act)
    }

    /// The value that was in place before the change of a call has been put back, in another file.
    pub(super) fn put_back(
        &mut self,
        act: &Act,
        key: &IdempotencyKey,
        generation: u64,
        version: &str,
    ) -> io::Result<()> {
        for change in self.changes.iter_mut().filter(|change| change.generation == generation) {
            change.version = Some(version.to_owned());
        }
        self.forget(act, key)
    }

    /// The directory in which values are kept; made if need be.
    pub(super) fn make_directory(&self, act: &Act) -> io::Result<()> {
        if act.exists(&self.directory) {
            return Ok(());
        }
        act.create_dir_all(self.directory.parent().unwrap_or(Path::new(".")))?;
        act.create_private_dir(&self.directory)
    }

    /// The file that keeps the value `value`.
    pub(super) fn kept(&self, value: u64) -> PathBuf {
        self.directory.join(value.to_string())
    }

    fn write(&self, act: &Act) -> io::Result<()> {
        act.write_atomic(&self.directory.join("generations.json"), &serde_json::to_vec_pretty(self).unwrap_or_default())
    }
}

impl Change {
    /// Whether a call of the same run made it.
    pub(super) fn is_of_run(&self, key: &IdempotencyKey) -> bool {
        let run = |key: &str| key.split_once('/').map(|(run, _)| run.to_owned());
        !self.idempotency_key.is_empty() && run(&self.idempotency_key) == run(key.as_str())
    }
}
