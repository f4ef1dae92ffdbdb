//! Garbage that follows from a call: the same call writes the same bytes, and can recognise them.

use std::io::{self, Read, Seek, SeekFrom, Write};
use std::ops::Range;
use std::path::Path;

use crate::model::IdempotencyKey;
use crate::system::{Act, Look, hex};

/// An endless sequence of bytes (`SplitMix64`).
#[derive(Clone)]
pub(super) struct Garbage(u64);

impl Garbage {
    /// The garbage of a call; `part` tells its pieces apart.
    pub(super) fn of(key: &IdempotencyKey, part: &str) -> Self {
        let digest = hex(format!("{key}/{part}").as_bytes());
        Self(u64::from_str_radix(&digest[..16], 16).unwrap_or_default())
    }

    fn fill(&mut self, bytes: &mut [u8]) {
        for chunk in bytes.chunks_mut(8) {
            self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
            let mut mixed = self.0;
            mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
            mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
            chunk.copy_from_slice(&(mixed ^ (mixed >> 31)).to_le_bytes()[..chunk.len()]);
        }
    }

    /// Overwrites a part of an existing file, and waits until that is on the disk.
    pub(super) fn overwrite(mut self, path: &Path, range: &Range<u64>, act: &Act) -> io::Result<()> {
        let mut file = act.open_write(path)?;
        file.seek(SeekFrom::Start(range.start))?;
        pieces(range, |piece| {
            self.fill(piece);
            file.write_all(piece).map(|()| true)
        })?;
        file.sync()
    }

    /// Whether a part of a file is this garbage. An empty part is not.
    pub(super) fn fills(mut self, path: &Path, range: &Range<u64>, look: &Look) -> io::Result<bool> {
        let mut file = look.open(path)?;
        if range.is_empty() || range.end > file.len()? {
            return Ok(false);
        }
        file.seek(SeekFrom::Start(range.start))?;
        let mut found = Vec::new();
        pieces(range, |piece| {
            found.resize(piece.len(), 0);
            file.read_exact(&mut found)?;
            self.fill(piece);
            Ok(found == piece)
        })
    }
}

/// Goes through a range piece by piece, so that a large one does not fill the memory, until `each` says that it has seen enough.
fn pieces(range: &Range<u64>, mut each: impl FnMut(&mut [u8]) -> io::Result<bool>) -> io::Result<bool> {
    let mut buffer = vec![0; 1 << 16];
    let mut left = range.end.saturating_sub(range.start);
    while left > 0 {
        let size = usize::try_from(left).unwrap_or(usize::MAX).min(buffer.len());
        if !each(&mut buffer[..size])? {
            return Ok(false);
        }
        left -= size as u64;
    }
    Ok(true)
}

/// The part of `bytes` length in the middle of what lies between `from` and the end of a file.
pub(super) fn middle(from: u64, len: u64, bytes: u64) -> Range<u64> {
    let room = len.saturating_sub(from);
    let bytes = bytes.min(room);
    let start = from + (room - bytes) / 2;
    start..start + bytes
}

#[cfg(test)]
#[expect(clippy::disallowed_methods, reason = "tests set up and read the files that are overwritten")]
mod tests {
    use std::fs;
    use std::sync::Arc;

    use super::*;
    use crate::model::{Key, Segment};
    use crate::system::System;

    fn key(call: u32) -> IdempotencyKey {
        IdempotencyKey::new("run", &Key::ROOT.child(Segment::Call(call)))
    }

    #[test]
    fn a_part_of_a_file_is_overwritten_and_recognised() {
        let dir = tempfile::tempdir().expect("a directory");
        let path = dir.path().join("data");
        fs::write(&path, vec![7; 200_000]).expect("writes");
        let act = Act::grant(&Look::new(Arc::new(System::new(dir.path().join("scratch")))));
        let range = 1_000..150_003;
        let garbage = |call| Garbage::of(&key(call), "middle");
        assert!(!garbage(0).fills(&path, &range, &act).expect("reads"));
        garbage(0).overwrite(&path, &range, &act).expect("overwrites");
        let once = fs::read(&path).expect("reads");
        assert!(garbage(0).fills(&path, &range, &act).expect("reads"));
        assert!(!garbage(1).fills(&path, &range, &act).expect("reads"), "another call's is not ours");
        assert!(!garbage(0).fills(&path, &(190_000..200_001), &act).expect("reads"), "beyond the end is nothing");
        assert_eq!(once.len(), 200_000);
        assert!(once[..1_000].iter().chain(&once[150_003..]).all(|b| *b == 7), "the rest is as it was");
        garbage(0).overwrite(&path, &range, &act).expect("overwrites");
        assert_eq!(fs::read(&path).expect("reads"), once, "a second time changes nothing");
    }

    #[test]
    fn the_middle_fits_into_the_file() {
        assert_eq!(middle(0, 100, 20), 40..60);
        assert_eq!(middle(100, 200, 20), 140..160);
        assert_eq!(middle(0, 10, 64), 0..10);
        assert_eq!(middle(100, 10, 64), 100..100);
    }
}
