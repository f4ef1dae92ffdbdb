//! How traffic is shared out: per cent by backend, and weights by server.

use std::collections::BTreeMap;
use std::fmt;

use schemars::JsonSchema;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// Per cent, from 0 to 100, in hundredths.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Percent(u32);

/// What the backends get, by name. The sum is 100 %.
pub type Shares = BTreeMap<String, Percent>;

impl Percent {
    /// Nothing.
    pub const NONE: Self = Self(0);
    /// Everything.
    pub const ALL: Self = Self(10_000);

    /// `part` of `whole`; nothing of nothing.
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "it is from 0 to 10,000")]
    pub fn of(part: u64, whole: u64) -> Self {
        #[expect(clippy::cast_precision_loss, reason = "weights are small")]
        let ratio = if whole == 0 { 0.0 } else { part as f64 / whole as f64 };
        Self((ratio * 10_000.0).round().clamp(0.0, 10_000.0) as u32)
    }

    /// In hundredths of one per cent.
    pub fn hundredths(self) -> u32 {
        self.0
    }

    /// So many hundredths of one per cent.
    pub fn from_hundredths(hundredths: u32) -> Self {
        Self(hundredths.min(10_000))
    }
}

impl fmt::Display for Percent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 % 100 {
            0 => write!(f, "{} %", self.0 / 100),
            _ => write!(f, "{} %", f64::from(self.0) / 100.0),
        }
    }
}

impl Serialize for Percent {
    /// A whole number where it is one: that is what scripts compare with.
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self.0 % 100 {
            0 => serializer.serialize_u32(self.0 / 100),
            _ => serializer.serialize_f64(f64::from(self.0) / 100.0),
        }
    }
}

impl<'de> Deserialize<'de> for Percent {
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "the range is checked first")]
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let number = f64::deserialize(deserializer)?;
        if !(0.0..=100.0).contains(&number) {
            return Err(serde::de::Error::custom(format!("{number} is not per cent: it must be from 0 to 100")));
        }
        Ok(Self((number * 100.0).round() as u32))
    }
}

impl JsonSchema for Percent {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Percent".into()
    }
    fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
        schemars::json_schema!({ "type": "number" })
    }
    fn inline_schema() -> bool {
        true
    }
}

/// `blue 90 %, green 10 %`.
pub(super) fn shown(shares: &Shares) -> String {
    shares.iter().map(|(name, share)| format!("{name} {share}")).collect::<Vec<_>>().join(", ")
}

/// Whether two are the same as far as small weights can tell them apart.
pub(super) fn alike(one: &Shares, other: &Shares) -> bool {
    const NEAR: u32 = 50;
    let none_or_both = |a: Percent, b: Percent| (a == Percent::NONE) == (b == Percent::NONE);
    one.len() == other.len()
        && one
            .iter()
            .all(|(name, a)| other.get(name).is_some_and(|b| a.0.abs_diff(b.0) <= NEAR && none_or_both(*a, *b)))
}

/// `percent` for `to`; the others share the rest as they shared theirs before, or equally where they had nothing.
pub(super) fn moved(now: &Shares, to: &str, percent: Percent) -> Shares {
    let rest = 10_000 - percent.0;
    let others: Vec<(&String, u32)> =
        now.iter().filter(|(name, _)| *name != to).map(|(n, share)| (n, share.0)).collect();
    let had: u32 = others.iter().map(|(_, share)| share).sum();
    let count = u32::try_from(others.len()).unwrap_or(u32::MAX).max(1);
    let (mut shares, mut left) = (Shares::from([(to.to_owned(), percent)]), rest);
    for (n, (name, share)) in others.iter().enumerate() {
        let part = match (had, n + 1 == others.len()) {
            // Rounding is made up for by the last one that has anything.
            (_, true) if *share > 0 || had == 0 => left,
            (0, _) => rest / count,
            _ => u32::try_from(u64::from(rest) * u64::from(*share) / u64::from(had)).unwrap_or(rest),
        };
        left -= part.min(left);
        shares.insert((*name).clone(), Percent(part));
    }
    if let Some((name, _)) = others.iter().rev().find(|(_, share)| *share > 0) {
        let last = shares.entry((*name).clone()).or_default();
        last.0 += left;
    }
    shares
}

/// Small whole numbers in the ratio of `wanted`, none above `most`; what is wanted at all gets at least 1.
pub(super) fn weights(wanted: &[u64], most: u64) -> Vec<u64> {
    let largest = wanted.iter().copied().max().unwrap_or(0);
    if largest == 0 {
        return vec![0; wanted.len()];
    }
    let divisor = wanted.iter().copied().fold(0, gcd);
    // Where they fit, weights are per cent: that is what a person reads in HAProxy's own tables.
    if wanted.iter().all(|part| part % 100 == 0) && largest / 100 <= most {
        return wanted.iter().map(|part| part / 100).collect();
    }
    if largest / divisor <= most {
        return wanted.iter().map(|part| part / divisor).collect();
    }
    let scaled = |part: &u64| if *part == 0 { 0 } else { ((part * most + largest / 2) / largest).max(1) };
    wanted.iter().map(scaled).collect()
}

fn gcd(a: u64, b: u64) -> u64 {
    if b == 0 { a } else { gcd(b, a % b) }
}

/// The least number that all of these divide.
pub(super) fn common_multiple(numbers: impl IntoIterator<Item = u64>) -> u64 {
    numbers.into_iter().fold(1, |all, n| all / gcd(all, n.max(1)) * n.max(1))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn shares(list: &[(&str, u32)]) -> Shares {
        list.iter().map(|(name, percent)| ((*name).to_owned(), Percent(percent * 100))).collect()
    }

    #[test]
    fn the_others_share_the_rest_as_they_did() {
        let now = shares(&[("a", 100), ("b", 0)]);
        assert_eq!(moved(&now, "b", Percent(1_000)), shares(&[("a", 90), ("b", 10)]));
        assert_eq!(moved(&now, "b", Percent::ALL), shares(&[("a", 0), ("b", 100)]));
        assert_eq!(moved(&now, "a", Percent(4_000)), shares(&[("a", 40), ("b", 60)]));
        let three = shares(&[("a", 60), ("b", 20), ("c", 20)]);
        assert_eq!(moved(&three, "c", Percent(6_000)), shares(&[("a", 30), ("b", 10), ("c", 60)]));
        assert_eq!(moved(&three, "a", Percent::NONE), shares(&[("a", 0), ("b", 50), ("c", 50)]));
    }

    #[test]
    fn weights_are_per_cent_where_they_fit() {
        assert_eq!(weights(&[9_000, 1_000], 256), [90, 10]);
        assert_eq!(weights(&[10_000, 0], 256), [100, 0]);
        assert_eq!(weights(&[27_000, 1_000, 1_000, 1_000], 256), [27, 1, 1, 1]);
        assert_eq!(weights(&[9_999, 1], 256), [256, 1]);
        assert_eq!(weights(&[0, 0], 256), [0, 0]);
    }

    #[test]
    fn a_share_is_a_whole_number_for_scripts_where_it_is_one() {
        assert_eq!(serde_json::to_string(&[Percent(1_000), Percent(3_333)]).expect("JSON"), "[10,33.33]");
        let read: Vec<Percent> = serde_json::from_str("[10, 33.33, 12.5]").expect("per cent");
        assert_eq!(read, [Percent(1_000), Percent(3_333), Percent(1_250)]);
        assert!(serde_json::from_str::<Percent>("101").is_err() && serde_json::from_str::<Percent>("-1").is_err());
        assert_eq!((Percent(1_000).to_string(), Percent(3_333).to_string()), ("10 %".into(), "33.33 %".into()));
    }

    proptest! {
        #[test]
        fn nothing_is_lost_and_weights_stay_near(parts in proptest::collection::vec(0u32..=10_000, 2..6), percent in 0u32..=10_000) {
            let total: u64 = parts.iter().map(|p| u64::from(*p)).sum();
            prop_assume!(total > 0);
            let now: Shares = parts.iter().enumerate().map(|(n, p)| (format!("b{n}"), Percent::of(u64::from(*p), total))).collect();
            let wanted = moved(&now, "b0", Percent(percent));
            prop_assert_eq!(wanted.values().map(|share| share.0).sum::<u32>(), 10_000);
            let raw: Vec<u64> = wanted.values().map(|share| u64::from(share.0)).collect();
            let weights = weights(&raw, 256);
            let whole = weights.iter().sum();
            for (share, weight) in wanted.values().zip(weights) {
                prop_assert!(weight <= 256);
                prop_assert_eq!(weight == 0, *share == Percent::NONE);
                prop_assert!(Percent::of(weight, whole).0.abs_diff(share.0) <= 200, "{share} is {weight} of {whole}");
            }
        }
    }
}
