//! Text from the system's randomness, for new secrets.

use std::io;

use zeroize::Zeroizing;

use super::Act;

impl Act {
    /// `length` characters of `alphabet`, each as likely as every other. An alphabet has 2 to 256 characters of ASCII.
    pub fn random_text(&self, alphabet: &[u8], length: usize) -> io::Result<Zeroizing<String>> {
        if alphabet.len() < 2 || alphabet.len() > 256 || !alphabet.is_ascii() {
            return Err(io::Error::new(io::ErrorKind::InvalidInput, "an alphabet has 2 to 256 characters of ASCII"));
        }
        // Bytes above the largest multiple of the alphabet's size would make its first characters more likely.
        let fair = 256 - 256 % alphabet.len();
        let mut text = Zeroizing::new(String::with_capacity(length));
        let mut bytes = Zeroizing::new([0_u8; 64]);
        while text.len() < length {
            let read = rustix::rand::getrandom(&mut bytes[..], rustix::rand::GetRandomFlags::empty())?;
            let usable = bytes[..read].iter().map(|byte| usize::from(*byte)).filter(|byte| *byte < fair);
            for byte in usable.take(length - text.len()) {
                text.push(char::from(alphabet[byte % alphabet.len()]));
            }
        }
        Ok(text)
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;
    use std::sync::Arc;

    use super::*;
    use crate::system::{Look, System};

    #[test]
    fn every_character_is_as_likely_as_every_other() {
        let act = Act::grant(&Look::new(Arc::new(System::new(std::path::PathBuf::new()))));
        // With 200 characters, a plain remainder would make the first 56 twice as likely.
        let alphabet: Vec<u8> = (0..100).map(|n| b' ' + n % 90).collect();
        let text = act.random_text(b"abc", 30_000).expect("random");
        let mut counts = BTreeMap::<char, u32>::new();
        for c in text.chars() {
            *counts.entry(c).or_default() += 1;
        }
        // Nine standard deviations: a fair draw fails once in a million million million runs.
        assert!(counts.len() == 3 && counts.values().all(|n| (9_265..10_735).contains(n)), "{counts:?}");
        assert_ne!(act.random_text(&alphabet, 40).expect("random"), act.random_text(&alphabet, 40).expect("random"));
        assert!(act.random_text(b"a", 4).is_err() && act.random_text("é".as_bytes(), 4).is_err());
    }
}
