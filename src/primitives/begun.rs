//! What a call found before it began to change its target.
//!
//! It is written first. After a crash, or when an answer was lost, it tells that the target was touched at all, and what a rollback
//! must return to.

use std::path::{Path, PathBuf};

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use crate::config::{Environment, Target};
use crate::model::IdempotencyKey;
use crate::system::{Act, Look};

/// A change that was begun.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Begun<T> {
    /// The call.
    pub(super) idempotency_key: IdempotencyKey,
    /// What was there before.
    pub(super) before: T,
    /// Whether it came to an end.
    #[serde(default)]
    pub(super) finished: bool,
}

/// Where it is noted for a target that has no files of its own: beside the journal.
pub(super) fn place(target: &Target, environment: &Environment) -> PathBuf {
    environment.resolve(Path::new(&format!(".lifeboat/begun/{}.{}.json", environment.name, target.name)))
}

impl<T: Clone + Serialize + DeserializeOwned> Begun<T> {
    fn read(path: &Path, look: &Look) -> Option<Self> {
        serde_json::from_slice(&look.read(path).ok()?).ok()
    }

    /// Whether a change was begun and did not come to an end.
    pub(super) fn is_pending(path: &Path, look: &Look) -> bool {
        Self::read(path, look).is_some_and(|begun| !begun.finished)
    }

    /// Notes that the change came to an end. If that cannot be written, it is only done once more.
    pub(super) fn finish(path: &Path, act: &Act) {
        if let Some(bytes) = Self::read(path, act).and_then(|b| serde_json::to_vec(&Self { finished: true, ..b }).ok())
        {
            let _ = act.write_atomic(path, &bytes);
        }
    }

    /// What the call `key` found, if it is the one that last began to change the target. What cannot be read is not its own: it
    /// is written whole or not at all.
    pub(super) fn of(key: &IdempotencyKey, path: &Path, look: &Look) -> Option<T> {
        Self::read(path, look).filter(|begun| begun.idempotency_key == *key).map(|begun| begun.before)
    }

    /// Notes that the call `key` begins and found `before`; gives what its first attempt found.
    pub(super) fn note(key: &IdempotencyKey, before: T, path: &Path, act: &Act) -> Result<T, String> {
        let before = Self::of(key, path, act).unwrap_or(before);
        let begun = Self { idempotency_key: key.clone(), before: before.clone(), finished: false };
        let write = || {
            act.create_dir_all(path.parent().unwrap_or(Path::new("/")))?;
            act.write_atomic(path, &serde_json::to_vec(&begun)?)
        };
        write().map_err(|error| format!("cannot write {}: {error}", path.display()))?;
        Ok(before)
    }
}
