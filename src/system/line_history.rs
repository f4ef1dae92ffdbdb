//! The history of what somebody typed: a file that only they can read, one entry a line.

use std::fs::{File, OpenOptions};
use std::io::{self, Read, Write};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};

/// What is older than this many entries is forgotten.
const ENTRIES: usize = 2_000;
/// A file that is larger is not read: somebody else writes it.
const LARGEST: u64 = 8 << 20;

/// What a line of the file begins with that takes back the offer of an entry. No entry begins so: its backslashes are doubled.
const WITHHELD: &str = "\\-";

/// A history in a file.
#[derive(Clone, Debug)]
pub struct LineHistory(PathBuf);

impl LineHistory {
    /// The history at `path`, which need not be there yet.
    pub fn at(path: impl Into<PathBuf>) -> Self {
        Self(path.into())
    }

    /// The entries, oldest first. None where nothing can be read: who types does not care.
    pub fn entries(&self) -> Vec<String> {
        let lines = self.lines();
        lines.iter().filter(|line| !line.starts_with(WITHHELD)).map(|line| folded_out(line)).collect()
    }

    /// The entries that are worth typing again, oldest first: those that were not withheld since they were added.
    pub fn offered(&self) -> Vec<String> {
        let mut offered: Vec<String> = Vec::new();
        for line in self.lines() {
            match line.strip_prefix(WITHHELD) {
                Some(withheld) => {
                    let withheld = folded_out(withheld);
                    offered.retain(|entry| *entry != withheld);
                }
                None => offered.push(folded_out(&line)),
            }
        }
        offered
    }

    /// The lines of the newest entries, with what withholds them.
    fn lines(&self) -> Vec<String> {
        let mut text = String::new();
        let read = File::open(&self.0).and_then(|file| file.take(LARGEST).read_to_string(&mut text));
        if read.is_err() {
            return Vec::new();
        }
        let all: Vec<&str> = text.lines().collect();
        let entries: Vec<usize> = (0..all.len()).filter(|n| !all[*n].starts_with(WITHHELD)).collect();
        let first = entries.len().checked_sub(ENTRIES).map_or(0, |oldest| entries[oldest]);
        all[first..].iter().map(|line| (*line).to_owned()).collect()
    }

    /// Adds an entry.
    pub fn add(&self, entry: &str) -> io::Result<()> {
        let mut file = open(&self.0)?;
        // One write: what another terminal adds meanwhile stands before or behind it.
        file.write_all(format!("{}\n", folded(entry)).as_bytes())
    }

    /// From now on an entry is there, and not offered: it failed, or is not to be typed by accident. Until it is added again.
    pub fn withhold(&self, entry: &str) -> io::Result<()> {
        open(&self.0)?.write_all(format!("{WITHHELD}{}\n", folded(entry)).as_bytes())
    }

    /// Writes it anew with the newest entries, if it has grown far beyond them.
    pub fn trim(&self) -> io::Result<()> {
        let kept = self.lines();
        let lines = std::fs::read_to_string(&self.0).map_or(0, |text| text.lines().count());
        if lines < 2 * ENTRIES {
            return Ok(());
        }
        let directory = self.0.parent().unwrap_or(Path::new("."));
        let mut whole = tempfile::NamedTempFile::new_in(directory)?;
        for line in &kept {
            writeln!(whole, "{line}")?;
        }
        whole.persist(&self.0).map(drop).map_err(|error| error.error)
    }
}

fn open(path: &Path) -> io::Result<File> {
    if let Some(directory) = path.parent() {
        std::fs::create_dir_all(directory)?;
    }
    OpenOptions::new().append(true).create(true).mode(0o600).open(path)
}

fn folded(entry: &str) -> String {
    entry.replace('\\', "\\\\").replace('\n', "\\n")
}

fn folded_out(line: &str) -> String {
    let mut text = String::with_capacity(line.len());
    let mut chars = line.chars();
    while let Some(c) = chars.next() {
        match (c, c == '\\') {
            (_, true) => match chars.next() {
                Some('n') => text.push('\n'),
                Some(other) => text.push(other),
                None => text.push('\\'),
            },
            (c, false) => text.push(c),
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::PermissionsExt as _;

    #[test]
    fn entries_come_back_as_they_were_typed_and_nobody_else_reads_them() {
        let directory = tempfile::tempdir().expect("a directory");
        let history = LineHistory::at(directory.path().join("new/history"));
        assert!(history.entries().is_empty());
        let typed = ["probe(\"web\")", "step \"a\" {\n    1\n}", "`a\\nb`", ""];
        for entry in typed {
            history.add(entry).expect("writes");
        }
        assert_eq!(history.entries(), typed);
        let mode = std::fs::metadata(directory.path().join("new/history")).expect("is there").permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
    }

    #[test]
    fn what_is_withheld_is_there_and_not_offered() {
        let directory = tempfile::tempdir().expect("a directory");
        let history = LineHistory::at(directory.path().join("history"));
        for (entry, withheld) in [("a\nb", true), ("\\-c", false), ("d", true), ("d", false)] {
            history.add(entry).expect("writes");
            if withheld {
                history.withhold(entry).expect("writes");
            }
        }
        assert_eq!(history.entries(), ["a\nb", "\\-c", "d", "d"]);
        assert_eq!(history.offered(), ["\\-c", "d"]);
    }

    #[test]
    fn what_is_old_is_forgotten() {
        let directory = tempfile::tempdir().expect("a directory");
        let history = LineHistory::at(directory.path().join("history"));
        std::fs::write(
            directory.path().join("history"),
            (0..2 * ENTRIES).map(|n| format!("{n}\n")).collect::<Vec<_>>().concat(),
        )
        .expect("writes");
        history.trim().expect("writes");
        let entries = history.entries();
        assert_eq!((entries.len(), entries[0].as_str()), (ENTRIES, "2000"));
        assert_eq!(std::fs::read_to_string(directory.path().join("history")).expect("reads").lines().count(), ENTRIES);
    }
}
