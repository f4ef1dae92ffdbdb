//! What is written beside a target before it is hit: `.NAME.injected`.
//!
//! After a crash it tells which process or backup was meant, and when. Without it, "the newest backup" would by then be another
//! one, and a fault repeated would hit twice.

use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::model::IdempotencyKey;
use crate::system::{Act, Look};

use super::{FaultName, Injected};

/// A fault that was about to be brought about.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Record {
    /// The call.
    pub idempotency_key: IdempotencyKey,
    /// The fault.
    pub fault: FaultName,
    /// What was meant: a process with its start, a backup's id, a path.
    pub mark: String,
    /// When, UTC.
    pub at: Timestamp,
}

impl Record {
    /// Where the record of a fault stands that hits `path`.
    pub fn beside(path: &Path) -> PathBuf {
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        path.with_file_name(format!(".{name}.injected"))
    }

    /// The record of this call, if it was written.
    pub fn of(key: &IdempotencyKey, fault: FaultName, path: &Path, look: &Look) -> io::Result<Option<Self>> {
        let bytes = match look.read(path) {
            Ok(bytes) => bytes,
            Err(error) if matches!(error.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory) => return Ok(None),
            Err(error) => return Err(error),
        };
        // What cannot be read as a record is not the one of this call: records are written whole or not at all.
        let record = serde_json::from_slice::<Self>(&bytes).ok();
        Ok(record.filter(|record| record.idempotency_key == *key && record.fault == fault))
    }

    pub(super) fn write(&self, path: &Path, act: &Act) -> io::Result<()> {
        act.write_atomic(path, &serde_json::to_vec(self)?)
    }

    pub(super) fn output(&self, detail: String) -> Injected {
        Injected::new(self.fault, self.at, detail)
    }
}
