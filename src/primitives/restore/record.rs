//! What restores write down before they change anything, and what it proves afterwards.

use std::path::PathBuf;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::model::IdempotencyKey;
use crate::primitives::Reconciled;
use crate::system::{Act, FileId, Look};

use super::Output;
use super::place::Place;

/// How many restores are remembered.
const KEPT: usize = 20;

/// `.DATABASE.restored.json`, version 1: the latest restores of a database, the newest last.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Records {
    format: u32,
    restores: Vec<Record>,
}

/// One restore. It is written when the backup lies unpacked and checked beside the database, before the first name changes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Record {
    /// The call.
    pub idempotency_key: String,
    /// When it was written.
    pub at: Timestamp,
    /// SHA-256 of the unpacked database.
    pub sha256: String,
    /// The file that is to become the database. A rename keeps its identity, and so proves what took place.
    pub new: FileId,
    /// The file that was the database.
    pub old: Option<FileId>,
    /// Where the new file lies until then.
    pub temporary: PathBuf,
    /// Where what is replaced goes.
    pub replaced: Option<PathBuf>,
    /// Whether the restore was seen through to its end.
    pub done: bool,
    /// What the call returns.
    pub output: Output,
}

impl Records {
    /// Reads the record of a place. The error says why it cannot be relied on.
    pub(super) fn read(look: &Look, place: &Place) -> Result<Self, String> {
        let path = place.records();
        match look.read(&path) {
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(Self { format: 1, restores: Vec::new() }),
            Err(error) => Err(format!("{} cannot be read: {error}", path.display())),
            Ok(bytes) => {
                serde_json::from_slice(&bytes).map_err(|error| format!("{} is damaged: {error}", path.display()))
            }
        }
    }

    /// Like `read`; a record that nothing can be learnt from is begun anew.
    pub(super) fn read_or_new(look: &Look, place: &Place) -> Self {
        Self::read(look, place).unwrap_or(Self { format: 1, restores: Vec::new() })
    }

    pub(super) fn latest(&self) -> Option<&Record> {
        self.restores.last()
    }

    pub(super) fn of(&self, key: &IdempotencyKey) -> Option<&Record> {
        self.restores.iter().rev().find(|record| record.idempotency_key == key.as_str())
    }

    /// Puts a record in, in the place of an earlier one of the same call.
    pub(super) fn put(&mut self, record: Record) {
        self.remove(&record.idempotency_key);
        self.restores.push(record);
        let surplus = self.restores.len().saturating_sub(KEPT);
        self.restores.drain(..surplus);
    }

    pub(super) fn remove(&mut self, key: &str) {
        self.restores.retain(|record| record.idempotency_key != key);
    }

    /// Returns when it is on the disk.
    pub(super) fn write(&self, act: &Act, place: &Place) -> std::io::Result<()> {
        act.write_atomic(&place.records(), &serde_json::to_vec_pretty(self).unwrap_or_default())
    }
}

impl Record {
    /// Whether the file that this restore made is the database now.
    pub(super) fn in_place(&self, look: &Look, place: &Place) -> bool {
        look.file_id(&place.path).is_ok_and(|id| id == self.new)
    }
}

/// Whether the restore of the call `key` took place, wherever it was cut short.
///
/// | at the database's path | elsewhere | then |
/// |---|---|---|
/// | the new file | | it took place |
/// | anything | the record says it was seen through | it took place |
/// | the old file, or nothing | | it did not |
/// | another file | the new file still lies beside it | it did not |
/// | another file | the new file is gone | nobody knows |
pub(super) fn reconcile(look: &Look, place: &Place, key: &IdempotencyKey) -> Reconciled<Output> {
    let records = match Records::read(look, place) {
        Ok(records) => records,
        Err(why) => return Reconciled::Unknown { why },
    };
    let path = place.path.display();
    let Some(record) = records.of(key) else {
        return Reconciled::NotApplied { evidence: format!("this call had not begun to replace {path}") };
    };
    let applied = |evidence: String| Reconciled::Applied { output: record.output.clone(), evidence };
    if record.in_place(look, place) {
        return applied(format!("{path} is the file that this call made"));
    }
    if record.done {
        return applied(format!("the record of restores says that {path} was replaced; it was replaced again since"));
    }
    let now = look.file_id(&place.path).ok();
    if now.is_none() {
        let kept = record.replaced.as_ref().filter(|replaced| look.exists(replaced));
        let kept = kept.map_or(String::new(), |replaced| format!("; what was there is in {}", replaced.display()));
        return Reconciled::NotApplied { evidence: format!("nothing is at {path}{kept}") };
    }
    if now == record.old {
        return Reconciled::NotApplied { evidence: format!("{path} is the file that was to be replaced") };
    }
    if look.file_id(&record.temporary).is_ok_and(|id| id == record.new) {
        let evidence = format!("the unpacked backup still lies beside {path}, not in its place");
        return Reconciled::NotApplied { evidence };
    }
    Reconciled::Unknown { why: format!("{path} is neither the file that was there nor the one that this call made") }
}
