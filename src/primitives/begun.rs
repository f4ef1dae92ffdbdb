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
}

/// Where it is noted for a target that has no files of its own: beside the journal.
pub(super) fn place(target: &Target, environment: &Environment) -> PathBuf {
    environment.resolve(Path::new(&format!(".lifeboat/begun/{}.{}.json", environment.name, target.name)))
}

impl<T: Clone + Serialize + DeserializeOwned> Begun<T> {
    /// What the call `key` found, if it is the one that last began to change the target. What cannot be read is not its own: it
    /// is written whole or not at all.
    pub(super) fn of(key: &IdempotencyKey, path: &Path, look: &Look) -> Option<T> {
        let begun: Self = serde_json::from_slice(&look.read(path).ok()?).ok()?;
        (begun.idempotency_key == *key).then_some(begun.before)
    }

    /// Notes that the call `key` begins and found `before`; gives what its first attempt found.
    pub(super) fn note(key: &IdempotencyKey, before: T, path: &Path, act: &Act) -> Result<T, String> {
        if let Some(first) = Self::of(key, path, act) {
            return Ok(first);
        }
        let begun = Self { idempotency_key: key.clone(), before: before.clone() };
        let write = || {
            act.create_dir_all(path.parent().unwrap_or(Path::new("/")))?;
            act.write_atomic(path, &serde_json::to_vec(&begun)?)
        };
        write().map_err(|error| format!("cannot write {}: {error}", path.display()))?;
        Ok(before)
    }
}
