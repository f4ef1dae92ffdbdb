//! What is written beside the releases before the link is moved: `.deployment`.
//!
//! After a crash it tells whose deployment the link shows, whether the service was made to take it, and which version to go back to.

use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use crate::model::IdempotencyKey;
use crate::primitives::targets::Release;
use crate::system::{Act, Look};

/// A deployment that was begun.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Record {
    /// The call.
    pub(super) idempotency_key: IdempotencyKey,
    /// The version that the link was to lead to.
    pub(super) version: String,
    /// The version that was live before.
    pub(super) previous: Option<String>,
    /// Whether the service took it, and was healthy.
    pub(super) finished: bool,
}

impl Record {
    fn path(release: &Release) -> PathBuf {
        release.path.join(".deployment")
    }

    /// The newest record. One that cannot be read is none: records are written whole or not at all.
    pub(super) fn read(release: &Release, look: &Look) -> Option<Self> {
        serde_json::from_slice(&look.read(&Self::path(release)).ok()?).ok()
    }

    pub(super) fn write(&self, release: &Release, act: &Act) -> Result<(), String> {
        let path = Self::path(release);
        let written = serde_json::to_vec(self).map_err(Into::into).and_then(|bytes| act.write_atomic(&path, &bytes));
        written.map_err(|error: std::io::Error| format!("cannot write {}: {error}", path.display()))
    }
}
