//! SHA-256, so that `sha256sum` can check what we claim.

use sha2::{Digest as _, Sha256, Sha384, Sha512};

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

impl std::io::Write for Digest {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.update(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
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

#[cfg(test)]
mod tests {
    use super::*;

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
