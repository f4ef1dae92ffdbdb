//! A consistent copy of a SQLite file that other processes read and write meanwhile, and whether a copy is whole.

mod check;
mod error;
mod header;
pub(super) mod raw;
#[cfg(test)]
mod tests;

use std::fs::File;
use std::ops::ControlFlow;
use std::path::Path;
use std::time::Duration;

use jiff::Timestamp;

use super::{Act, Look};
use raw::{Open, Raw, Step, Stepper};

pub use check::{CheckDepth, SqliteCheck};
pub use error::CopyError;
pub use header::{JournalMode, SqliteHeader};

/// Pages per step: 2 MiB of the usual 4 KiB pages, a few milliseconds between two chances to stop.
const CHUNK: i32 = 512;
/// How often a copy may start again because somebody wrote, before writers are made to wait.
const RESTARTS: u32 = 3;
/// How long others may keep the database locked before the copy gives up.
const PATIENCE: Duration = Duration::from_secs(30);

/// What was copied.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CopyReport {
    /// Everything committed before this moment is in the copy.
    pub taken_at: Timestamp,
    /// The size of a page in bytes.
    pub page_size: u32,
    /// How many pages it has.
    pub pages: u64,
    /// How the source keeps its transactions whole; the copy's header says the same.
    pub journal: JournalMode,
    /// How often the copy started again because somebody wrote to the source.
    pub restarts: u32,
}

impl Act {
    /// Copies the database `from`, which may be in use, to the new file `to`: one file without side files, on the disk when this
    /// returns.
    ///
    /// `from` is opened read-only: it is never made, changed or checkpointed. `progress` is told how many bytes of how many are
    /// done, and can end the copy. When the copy fails, nothing is left at `to`.
    pub fn sqlite_copy(
        &self,
        from: &Path,
        to: &Path,
        progress: &mut dyn FnMut(u64, u64) -> ControlFlow<()>,
    ) -> Result<CopyReport, CopyError> {
        let header = self.sqlite_header(from)?;
        File::options().write(true).create_new(true).open(to).map_err(|error| CopyError::io(&error, to))?;
        let copied = copy(self, from, to, header, progress).and_then(|report| {
            File::open(to).and_then(|file| file.sync_all()).map_err(|error| CopyError::io(&error, to))?;
            Ok(report)
        });
        if copied.is_err() {
            let _ = std::fs::remove_file(to);
        }
        copied
    }
}

/// In WAL mode a read transaction pins one state while others go on writing, so the copy never starts again. With a rollback
/// journal a read transaction would make every writer wait: the copy goes without one, starts again when somebody wrote, and
/// takes one only if that happens too often.
fn copy(
    look: &Look,
    from: &Path,
    to: &Path,
    header: SqliteHeader,
    progress: &mut dyn FnMut(u64, u64) -> ControlFlow<()>,
) -> Result<CopyReport, CopyError> {
    let in_source = |error| CopyError::of(error, from);
    let in_copy = |error| CopyError::of(error, to);
    let source = Raw::open(from, Open::Live).map_err(in_source)?;
    let target = Raw::open(to, Open::Own).map_err(in_copy)?;
    for pragma in ["PRAGMA journal_mode = OFF", "PRAGMA synchronous = OFF"] {
        target.rows(pragma, &|| false).map_err(in_copy)?;
    }
    let mut taken_at = look.now();
    let mut pinned = header.journal == JournalMode::Wal;
    if pinned {
        pin(look, &source, from, progress)?;
    }
    let page = u64::from(header.page_size);
    let (mut restarts, mut expected, mut waiting_since) = (0, None, None);
    let mut stepper = Stepper::new(&source, &target).map_err(in_copy)?;
    loop {
        let began = look.now();
        let step = stepper.step(CHUNK).map_err(|error| blame(error, from, to))?;
        let (left, all) = stepper.left();
        if step == Step::Busy {
            wait_for_lock(look, from, &mut waiting_since)?;
        } else {
            waiting_since = None;
            // A step that started again copied its pages from the beginning.
            if expected.is_some_and(|expected| left != expected) {
                (restarts, taken_at) = (restarts + 1, began);
            }
            expected = Some(left.saturating_sub(u64::from(CHUNK.unsigned_abs())));
        }
        if step == Step::Done {
            stepper.finish().map_err(in_copy)?;
            return Ok(CopyReport {
                taken_at,
                page_size: header.page_size,
                pages: all,
                journal: header.journal,
                restarts,
            });
        }
        if progress((all - left.min(all)) * page, all * page).is_break() {
            return Err(CopyError::Stopped);
        }
        if restarts >= RESTARTS && !pinned {
            pin(look, &source, from, progress)?;
            pinned = true;
        }
    }
}

/// Holds one state of the source for this connection.
fn pin(
    look: &Look,
    source: &Raw,
    from: &Path,
    progress: &mut dyn FnMut(u64, u64) -> ControlFlow<()>,
) -> Result<(), CopyError> {
    let mut waiting_since = None;
    source.rows("BEGIN", &|| false).map_err(|error| CopyError::of(error, from))?;
    // Only the first read takes the lock.
    while let Err(error) = source.rows("SELECT count(*) FROM sqlite_schema", &|| false) {
        match CopyError::of(error, from) {
            CopyError::Busy(_) => wait_for_lock(look, from, &mut waiting_since)?,
            error => return Err(error),
        }
        if progress(0, 0).is_break() {
            return Err(CopyError::Stopped);
        }
    }
    Ok(())
}

/// Waits a little for others to let go of a lock; gives up in the end.
fn wait_for_lock(look: &Look, from: &Path, since: &mut Option<Duration>) -> Result<(), CopyError> {
    let now = look.monotonic();
    if now.saturating_sub(*since.get_or_insert(now)) > PATIENCE {
        return Err(CopyError::Busy(from.to_path_buf()));
    }
    std::thread::sleep(Duration::from_millis(10));
    Ok(())
}

/// A step reads one file and writes the other: a full disk is the copy's, everything else the source's.
fn blame(error: raw::RawError, from: &Path, to: &Path) -> CopyError {
    let full = error.primary() == libsql::ffi::SQLITE_FULL || error.code == libsql::ffi::SQLITE_IOERR_WRITE;
    CopyError::of(error, if full { to } else { from })
}
