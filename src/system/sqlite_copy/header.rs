//! What the first 100 bytes of a SQLite file say: a look at a live database that takes no lock and leaves no trace.

use std::path::Path;

use serde::{Deserialize, Serialize};

use crate::system::Look;

use super::CopyError;
use super::raw::{Open, Raw};

/// How a database keeps its transactions whole.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum JournalMode {
    /// A write-ahead log beside it.
    Wal,
    /// A rollback journal (`delete`, `truncate`, `persist`, …).
    Rollback,
}

/// What the header of a SQLite file says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SqliteHeader {
    /// The length of the file in bytes, its write-ahead log not counted.
    pub len: u64,
    /// The size of a page in bytes.
    pub page_size: u32,
    /// How it keeps its transactions whole.
    pub journal: JournalMode,
    /// `PRAGMA user_version`.
    pub user_version: i32,
}

impl SqliteHeader {
    /// Reads the first bytes of a file that is `len` bytes long. The error is to be read after the file's name.
    fn parse(bytes: &[u8; 100], len: u64) -> Result<Self, String> {
        if len == 0 {
            return Err("is empty (0 bytes)".to_owned());
        }
        if !bytes.starts_with(b"SQLite format 3\0") {
            return Err("is not a SQLite database".to_owned());
        }
        let word = |at: usize| u32::from_be_bytes([bytes[at], bytes[at + 1], bytes[at + 2], bytes[at + 3]]);
        let page_size = match u16::from_be_bytes([bytes[16], bytes[17]]) {
            1 => 65_536,
            size if size >= 512 && size.is_power_of_two() => u32::from(size),
            size => return Err(format!("is damaged: its header claims pages of {size} bytes")),
        };
        let journal = if bytes[18] == 2 { JournalMode::Wal } else { JournalMode::Rollback };
        // The page count in the header holds only if it was written together with the change counter; a file with a
        // write-ahead log may rightly be shorter than it says.
        let pages = u64::from(word(28));
        if journal == JournalMode::Rollback && word(24) == word(92) && len < pages * u64::from(page_size) {
            return Err(format!("is damaged: it has {len} bytes, its header claims {pages} pages of {page_size}"));
        }
        Ok(Self { len, page_size, journal, user_version: word(60).cast_signed() })
    }
}

impl Look {
    /// What the header of a SQLite file says. Safe on a live database: takes no lock, makes no file.
    pub fn sqlite_header(&self, path: &Path) -> Result<SqliteHeader, CopyError> {
        let metadata = path.metadata().map_err(|error| CopyError::io(&error, path))?;
        if !metadata.is_file() {
            return Err(CopyError::Corrupt { path: path.to_path_buf(), why: "is not a file".to_owned() });
        }
        let raw = Raw::open(path, Open::Live).map_err(|error| CopyError::of(error, path))?;
        let (bytes, len) = raw.header().map_err(|error| CopyError::of(error, path))?;
        SqliteHeader::parse(&bytes, len).map_err(|why| CopyError::Corrupt { path: path.to_path_buf(), why })
    }
}
