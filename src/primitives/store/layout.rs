//! Where things lie in a store.

use std::path::{Path, PathBuf};

use jiff::Timestamp;

use crate::model::IdempotencyKey;
use crate::system::hex;

/// The part of a store that belongs to one database.
#[derive(Clone, Debug)]
pub(in crate::primitives) struct Layout {
    /// `STORE/DATABASE`.
    pub root: PathBuf,
}

impl Layout {
    pub(in crate::primitives) fn new(store: &Path, database: &str) -> Self {
        Self { root: store.join(folder(database)) }
    }

    /// The directory of a backup.
    pub(in crate::primitives) fn backup(&self, id: &str) -> PathBuf {
        self.root.join(id)
    }

    pub(in crate::primitives) fn manifest(&self, id: &str) -> PathBuf {
        self.backup(id).join("manifest.json")
    }

    pub(in crate::primitives) fn data(&self, id: &str) -> PathBuf {
        self.backup(id).join("data.zst")
    }

    pub(in crate::primitives) fn verified(&self, id: &str) -> PathBuf {
        self.backup(id).join("verified.json")
    }

    /// Where a backup is made.
    pub(in crate::primitives) fn partial(&self, id: &str) -> PathBuf {
        self.root.join(format!(".{id}.partial"))
    }

    /// The name of a backup begun at `at` by the call with this key.
    pub(in crate::primitives) fn id(at: Timestamp, key: &IdempotencyKey) -> String {
        format!("{}-{}", at.strftime("%Y%m%dT%H%M%SZ"), mark(key))
    }

    /// Whether `name` is that of a directory that an attempt with this key left unfinished.
    pub(in crate::primitives) fn is_partial_of(name: &str, key: &IdempotencyKey) -> bool {
        name.strip_prefix('.').is_some_and(|name| name.ends_with(&format!("-{}.partial", mark(key))))
    }

    /// Whether a text has the shape of a backup's name. Nothing else is ever joined to a path.
    pub(in crate::primitives) fn is_id(text: &str) -> bool {
        let bytes = text.as_bytes();
        bytes.len() == 23
            && bytes.iter().enumerate().all(|(i, byte)| match i {
                8 => *byte == b'T',
                15 => *byte == b'Z',
                16 => *byte == b'-',
                17.. => matches!(byte, b'0'..=b'9' | b'a'..=b'f'),
                _ => byte.is_ascii_digit(),
            })
    }
}

/// Tells backups of one second apart, and finds what an attempt of the same call left.
fn mark(key: &IdempotencyKey) -> String {
    hex(key.as_str().as_bytes())[..6].to_owned()
}

/// A target's name as the name of a directory: what could lead elsewhere is written as `%` and digits.
fn folder(name: &str) -> String {
    use std::fmt::Write as _;
    let mut folder = String::new();
    for (i, byte) in name.bytes().enumerate() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'_' => folder.push(char::from(byte)),
            b'.' if i > 0 => folder.push('.'),
            _ => drop(write!(folder, "%{byte:02X}")),
        }
    }
    folder
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Key;

    #[test]
    fn names_sort_by_time_and_have_one_shape() {
        let key = IdempotencyKey::new("run", &Key::ROOT);
        let id = Layout::id("2026-11-20T20:56:09Z".parse().expect("a time"), &key);
        assert!(id.starts_with("20261120T205609Z-"), "{id}");
        assert!(Layout::is_id(&id));
        for text in ["", "latest", "../../../../etc/passwd", "20261120T205609Z-zzzzzz", "20261120T205609Z-12345/"] {
            assert!(!Layout::is_id(text), "{text}");
        }
        assert!(Layout::is_partial_of(&format!(".{id}.partial"), &key));
        assert!(!Layout::is_partial_of(&id, &key));
    }

    #[test]
    fn a_target_cannot_lead_out_of_its_store() {
        assert_eq!(folder("primary-2.eu"), "primary-2.eu");
        assert_eq!(folder("../x"), "%2E.%2Fx");
    }
}
