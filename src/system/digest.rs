//! SHA-256, so that `sha256sum` can check what we claim.

use std::fs::File;
use std::io::{self, Write as _};
use std::path::Path;

use sha2::{Digest as _, Sha256, Sha384, Sha512};

use super::files;

/// A running SHA-256.
#[derive(Clone, Default)]
pub struct Digest(Sha256);

impl Digest {
    /// Of nothing yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// Takes more bytes.
    pub fn update(&mut self, bytes: &[u8]) {
        self.0.update(bytes);
    }

    /// The digest as 64 hexadecimal digits.
    pub fn finish(self) -> String {
        hex_of(&self.0.finalize())
    }
}

impl io::Write for Digest {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.update(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// The SHA-256 digest of `bytes` as 64 hexadecimal digits.
pub fn hex(bytes: &[u8]) -> String {
    hex_of(&Sha256::digest(bytes))
}

/// The SHA-384 digest of `bytes` as 96 hexadecimal digits: what sqlx keeps of a migration.
pub fn hex_sha384(bytes: &[u8]) -> String {
    hex_of(&Sha384::digest(bytes))
}

/// The SHA-512 digest of `bytes` as 128 hexadecimal digits.
pub fn hex_sha512(bytes: &[u8]) -> String {
    hex_of(&Sha512::digest(bytes))
}

/// `bytes` as hexadecimal digits.
pub(super) fn hex_of(bytes: &[u8]) -> String {
    use std::fmt::Write as _;
    bytes.iter().fold(String::with_capacity(bytes.len() * 2), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}

/// The digest of a file's content; of a directory, that of all names and contents below it.
pub(super) fn of_path(path: &Path) -> io::Result<String> {
    let mut digest = Digest::new();
    if path.metadata()?.is_dir() {
        for entry in files::list(path)? {
            // A name never holds a line break and a digest is of one length, so no two trees are written the same.
            writeln!(digest, "{} {}", of_path(&entry.path)?, entry.name)?;
        }
    } else {
        io::copy(&mut File::open(path)?, &mut digest)?;
    }
    Ok(digest.finish())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_directory_is_its_names_and_contents() {
        let dir = tempfile::tempdir().expect("a directory");
        let write = |name: &str, text: &str| {
            let path = dir.path().join(name);
            std::fs::create_dir_all(path.parent().expect("a directory")).expect("made");
            std::fs::write(path, text).expect("written");
        };
        let now = || of_path(dir.path()).expect("read");
        write("a/one", "1");
        let first = now();
        assert_eq!(now(), first);
        write("a/one", "2");
        assert_ne!(now(), first);
        write("a/one", "1");
        assert_eq!(now(), first);
        std::fs::rename(dir.path().join("a/one"), dir.path().join("a/two")).expect("renamed");
        assert_ne!(now(), first);
        assert_eq!(of_path(&dir.path().join("a/two")).expect("read"), hex(b"1"));
        of_path(&dir.path().join("missing")).expect_err("there is none");
    }

    #[test]
    fn agrees_with_the_standard() {
        let abc = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
        assert_eq!(hex(b"abc"), abc);
        let mut digest = Digest::new();
        digest.update(b"a");
        digest.update(b"bc");
        assert_eq!(digest.finish(), abc);
    }
}
