//! A map by places in scripts. Every path looks them up again and again, and no stranger chooses them: a hash that nobody can foresee
//! would be paid for nothing.

use std::collections::HashMap;
use std::hash::{BuildHasherDefault, Hasher};

use crate::model::Site;

/// Something for each place.
pub(super) type Places<T> = HashMap<Site, T, BuildHasherDefault<Spread>>;

/// What is kept for a place. The copy of the place costs no more than counting who has its file's name.
pub(super) fn at<'a, T: Default>(places: &'a mut Places<T>, site: &Site) -> &'a mut T {
    places.entry(site.clone()).or_default()
}

/// Spreads the one number that tells places apart over all bits.
#[derive(Default)]
pub(super) struct Spread(u64);

impl Hasher for Spread {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write(&mut self, bytes: &[u8]) {
        for byte in bytes {
            self.write_u64(u64::from(*byte));
        }
    }

    fn write_u64(&mut self, number: u64) {
        // The golden ratio, as in Knuth's multiplicative hashing; its upper half is the better one.
        let product = (self.0 ^ number).wrapping_mul(0x9E37_79B9_7F4A_7C15);
        self.0 = product ^ (product >> 32);
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;
    use std::hash::BuildHasher;

    use super::*;

    #[test]
    fn places_beside_each_other_lie_apart() {
        let places =
            (1..=200).flat_map(|line| (1..=40).map(move |column| Site { file: "a.rhai".into(), line, column }));
        let hashes: BTreeSet<u64> = places.map(|site| BuildHasherDefault::<Spread>::default().hash_one(site)).collect();
        assert_eq!(hashes.len(), 200 * 40);
        // Both the lower bits, which choose the bucket, and the upper ones, which tell entries of a bucket apart.
        let lower: BTreeSet<u64> = hashes.iter().map(|hash| hash & 0x3FF).collect();
        let upper: BTreeSet<u64> = hashes.iter().map(|hash| hash >> 57).collect();
        assert!(lower.len() > 1000 && upper.len() == 128, "{} and {}", lower.len(), upper.len());
    }
}
