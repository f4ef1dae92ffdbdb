//! What is written beside a database before it is migrated: `.NAME.migrated.json`.
//!
//! A history tells what is applied, and not who took a migration back. After a crash this tells what the call set out to do, so
//! that one that took back "the newest one" does not take back another.

use std::path::{Path, PathBuf};

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::model::IdempotencyKey;
use crate::system::{Act, Look};

/// How many calls are remembered.
const KEPT: usize = 20;

/// The latest calls, the newest last. Version 1.
#[derive(Clone, Debug, Serialize, Deserialize)]
struct Records {
    format: u32,
    calls: Vec<Record>,
}

/// What a call set out to do.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Record {
    pub(super) idempotency_key: String,
    pub(super) at: Timestamp,
    /// Whether migrations are taken back.
    pub(super) down: bool,
    /// The version before.
    pub(super) from: String,
    /// The version to end at.
    pub(super) to: String,
    /// The migrations, in the order in which they are carried out.
    pub(super) versions: Vec<String>,
}

fn path(database: &Path) -> PathBuf {
    let name = database.file_name().unwrap_or_default().to_string_lossy();
    database.with_file_name(format!(".{name}.migrated.json"))
}

impl Records {
    /// The error says why the record cannot be relied on.
    fn read(look: &Look, database: &Path) -> Result<Self, String> {
        let path = path(database);
        match look.read(&path) {
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(Self { format: 1, calls: Vec::new() }),
            Err(error) => Err(format!("{} cannot be read: {error}", path.display())),
            Ok(bytes) => {
                serde_json::from_slice(&bytes).map_err(|error| format!("{} is damaged: {error}", path.display()))
            }
        }
    }
}

impl Record {
    /// What this call set out to do, if it got so far.
    pub(super) fn of(look: &Look, database: &Path, key: &IdempotencyKey) -> Result<Option<Self>, String> {
        let mut calls = Records::read(look, database)?.calls;
        let at = calls.iter().rposition(|call| call.idempotency_key == key.as_str());
        Ok(at.map(|at| calls.swap_remove(at)))
    }

    /// Writes it in the place of an earlier one of the same call. Returns when it is on the disk.
    pub(super) fn write(self, act: &Act, database: &Path) -> std::io::Result<()> {
        // What nothing can be learnt from is begun anew.
        let mut records = Records::read(act, database).unwrap_or(Records { format: 1, calls: Vec::new() });
        records.calls.retain(|call| call.idempotency_key != self.idempotency_key);
        records.calls.push(self);
        let surplus = records.calls.len().saturating_sub(KEPT);
        records.calls.drain(..surplus);
        act.write_atomic(&path(database), &serde_json::to_vec_pretty(&records).unwrap_or_default())
    }
}
