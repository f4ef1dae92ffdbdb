//! Room in the log for commits to come.
//!
//! A commit that goes behind the end of a file waits for the file system's own records as well as for its data: twice as long as one
//! that finds its room. So the log is filled with zeros ahead of what is written. They are no frames: SQLite reads up to the first
//! that is none. The same room lets a run record its outcomes and its end when the disk is full.
//!
//! All of it happens within a transaction that has locked other writers out; otherwise zeros might come over their frames.

use std::fs::{File, OpenOptions};
use std::io;
use std::os::unix::fs::FileExt as _;
use std::path::{Path, PathBuf};

/// The log begins with a header; each frame is a page with a header of its own.
const HEADER: u64 = 32;
const FRAME_HEADER: u64 = 24;
type Header = [u8; 32];
type FrameHeader = [u8; 24];
/// How much is added first, and at most, in bytes. It doubles: a run of a few effects does not pay for thousands.
const FIRST: u64 = 128 << 10;
const MOST: u64 = 1 << 20;
/// When less than this is left, in bytes, more is added; and without it nothing new begins.
const LOW: u64 = 64 << 10;

/// The log of one journal that is open for writing.
#[derive(Default)]
pub(super) struct Ahead {
    log: Option<File>,
    /// The random numbers of this round of the log, which each of its frames repeats.
    salt: [u8; 8],
    /// Where the frames end.
    used: u64,
    /// How much is added the next time.
    step: u64,
    full: bool,
}

impl Ahead {
    /// Sees to it that the next commits find room. `false`: the disk is full, and what is left is for what has been begun.
    pub(super) fn keep(&mut self, journal: &Path) -> bool {
        // It is only ever an advantage: where it cannot be had, commits say themselves whether they succeed.
        match self.extend(journal) {
            Ok(()) => self.full = false,
            Err(error) => self.full = error.kind() == io::ErrorKind::StorageFull,
        }
        !self.full
    }

    fn extend(&mut self, journal: &Path) -> io::Result<()> {
        if self.log.is_none() {
            let mut name = journal.as_os_str().to_owned();
            name.push("-wal");
            self.log = Some(OpenOptions::new().read(true).write(true).open(PathBuf::from(name))?);
        }
        let Some(log) = &self.log else { return Ok(()) };
        let length = log.metadata()?.len();
        let mut header = Header::default();
        if length < HEADER {
            // Before the first commit there is nothing to go by.
            return Ok(());
        }
        log.read_exact_at(&mut header, 0)?;
        if self.salt != header[16..24] || self.used > length {
            self.salt.copy_from_slice(&header[16..24]);
            self.used = HEADER;
        }
        let page = u32::from_be_bytes([header[8], header[9], header[10], header[11]]);
        let mut frame = FrameHeader::default();
        while self.used + FRAME_HEADER <= length {
            log.read_exact_at(&mut frame, self.used)?;
            if frame[..4] == [0; 4] || frame[8..16] != self.salt {
                break;
            }
            self.used += FRAME_HEADER + u64::from(page);
        }
        if length.saturating_sub(self.used) >= LOW {
            return Ok(());
        }
        self.step = (self.step * 2).clamp(FIRST, MOST);
        let zeros = vec![0; usize::try_from(self.step).unwrap_or_default()];
        log.write_all_at(&zeros, length)
    }
}

#[cfg(test)]
#[expect(clippy::disallowed_methods, reason = "tests make the files that they are about")]
mod tests {
    use super::*;
    use crate::journal::{Journal as _, LibsqlJournal, conformance};

    /// A header as SQLite writes it, with this salt, and so many frames.
    fn log(salt: u8, frames: usize) -> Vec<u8> {
        let mut bytes = Header::default().to_vec();
        bytes[8..12].copy_from_slice(&4096_u32.to_be_bytes());
        bytes[16..24].fill(salt);
        for _ in 0..frames {
            let mut frame = vec![1; 24 + 4096];
            frame[8..16].fill(salt);
            bytes.extend(frame);
        }
        bytes
    }

    #[test]
    fn room_is_added_behind_the_frames_and_only_when_it_runs_out() {
        let dir = tempfile::tempdir().expect("a directory");
        let (journal, wal) = (dir.path().join("j"), dir.path().join("j-wal"));
        let length = || std::fs::metadata(&wal).expect("it is there").len();
        std::fs::write(&wal, log(7, 2)).expect("writes");
        let mut ahead = Ahead::default();
        let two = length();
        assert!(ahead.keep(&journal));
        assert_eq!((ahead.used, length()), (two, two + FIRST));
        assert!(ahead.keep(&journal));
        assert_eq!(length(), two + FIRST, "there is enough");
        let file = OpenOptions::new().write(true).open(&wal).expect("opens");
        file.write_all_at(&log(7, 20), 0).expect("writes");
        assert!(ahead.keep(&journal));
        assert_eq!((ahead.used, length()), (log(7, 20).len() as u64, two + FIRST + 2 * FIRST));
        // The next round begins at the beginning; frames of the last one are none of it.
        file.write_all_at(&log(8, 1), 0).expect("writes");
        assert!(ahead.keep(&journal));
        assert_eq!(ahead.used, log(8, 1).len() as u64);
    }

    #[test]
    fn what_was_recorded_with_room_ahead_is_read_back_after_a_crash() {
        let dir = tempfile::tempdir().expect("a directory");
        let path = dir.path().join("journal.db");
        let journal = LibsqlJournal::open(&path).expect("opens");
        let run = conformance::run("aaaa");
        let effects = (0..60).flat_map(|n| [conformance::intended(n), conformance::settled(n)]);
        let events = conformance::numbered(0, std::iter::once(conformance::started()).chain(effects));
        for event in &events {
            journal.append(&run, std::slice::from_ref(event)).expect("appends");
        }
        // As a crash leaves it: copies of the files as they are now.
        let copy = dir.path().join("copy");
        std::fs::create_dir(&copy).expect("a directory");
        for name in ["journal.db", "journal.db-wal"] {
            std::fs::copy(dir.path().join(name), copy.join(name)).expect("copies");
        }
        let found = LibsqlJournal::open(copy.join("journal.db")).expect("opens");
        assert_eq!(found.events(&run).expect("reads"), events);
        assert_eq!(found.verify(&run).expect("reads").broken, None);
        journal.append(&run, &[]).expect("the first goes on");
    }
}
