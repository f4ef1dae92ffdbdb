//! What a backup says of itself: `manifest.json`, and `verified.json` beside it.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::system::{JournalMode, Ownership};

/// `manifest.json`, version 1. Fields are only ever added; a reader ignores those that it does not know.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(in crate::primitives) struct Manifest {
    /// The version of this format: 1.
    pub format: u32,
    /// The backup's name, and that of its directory.
    pub id: String,
    /// The database target that it was taken of.
    pub target: String,
    /// The driver that took it: `sqlite`.
    pub driver: String,
    /// The file that it was taken of.
    pub source: String,
    /// Everything committed before this moment is in it.
    pub taken_at: Timestamp,
    /// The length of the database file in bytes.
    pub raw_size: u64,
    /// The length of `data.zst` in bytes.
    pub stored_size: u64,
    /// SHA-256 of the database file.
    pub sha256_raw: String,
    /// SHA-256 of `data.zst`.
    pub sha256_stored: String,
    /// The size of a page in bytes.
    pub page_size: u32,
    /// How many pages the database has.
    pub pages: u64,
    /// `PRAGMA user_version`.
    pub schema_version: i64,
    /// SHA-256 of the schema's SQL.
    pub schema_digest: String,
    /// How the database keeps its transactions whole.
    pub journal_mode: JournalMode,
    /// Whose the database file was, for a restore that finds nothing to go by.
    pub ownership: Ownership,
    /// The call that took it.
    pub idempotency_key: String,
    /// The version of Lifeboat that took it.
    pub lifeboat: String,
}

impl Manifest {
    /// The version of the format that this program writes.
    pub(in crate::primitives) const FORMAT: u32 = 1;

    /// Reads the manifest in a directory called `name`, or says why it is none.
    pub(super) fn parse(bytes: &[u8], name: &str) -> Result<Self, String> {
        #[derive(Deserialize)]
        struct Version {
            format: u32,
        }
        let version: Version =
            serde_json::from_slice(bytes).map_err(|error| format!("manifest.json is damaged: {error}"))?;
        if version.format != Self::FORMAT {
            return Err(format!("manifest.json has format {}: a newer lifeboat made it", version.format));
        }
        let manifest: Self =
            serde_json::from_slice(bytes).map_err(|error| format!("manifest.json is damaged: {error}"))?;
        if manifest.id != name {
            return Err(format!("manifest.json is that of {}", manifest.id));
        }
        Ok(manifest)
    }
}

/// `verified.json`: the backup was restored to a scratch directory and found whole.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(in crate::primitives) struct Verified {
    /// When.
    pub at: Timestamp,
    /// SHA-256 of the `data.zst` that was restored; a record about other data counts for nothing.
    pub sha256_stored: String,
    /// What was checked, in words.
    pub checks: Vec<String>,
    /// What was found that is no damage, in words.
    pub problems: Vec<String>,
    /// How long it took, in milliseconds.
    pub took_ms: u64,
    /// The call that checked it.
    pub idempotency_key: String,
}
