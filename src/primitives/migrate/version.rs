//! Versions of migrations: the leading digits of a file's name, a number or a moment.

use std::cmp::Ordering;

/// What stands for the version of a database without migrations.
pub(super) const NONE: &str = "none";

/// A version. `0003` and `3` are the same one.
#[derive(Clone, Debug)]
pub(super) struct Version {
    number: u128,
    text: String,
}

impl Version {
    /// `None` unless the text is all digits, and not absurdly many.
    pub(super) fn parse(text: &str) -> Option<Self> {
        let digits = !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
        let number = text.parse().ok().filter(|_| digits)?;
        Some(Self { number, text: text.to_owned() })
    }

    /// As its file's name writes it.
    pub(super) fn text(&self) -> &str {
        &self.text
    }

    /// As a number in a table, if it fits into one.
    pub(super) fn number(&self) -> Option<i64> {
        i64::try_from(self.number).ok()
    }
}

impl PartialEq for Version {
    fn eq(&self, other: &Self) -> bool {
        self.number == other.number
    }
}
impl Eq for Version {}
impl PartialOrd for Version {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}
impl Ord for Version {
    fn cmp(&self, other: &Self) -> Ordering {
        self.number.cmp(&other.number)
    }
}
impl std::fmt::Display for Version {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.text)
    }
}

/// The version, or [`NONE`].
pub(super) fn shown(version: Option<&Version>) -> String {
    version.map_or(NONE, Version::text).to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_are_ordered_as_numbers() {
        let version = |text| Version::parse(text).expect(text);
        assert!(version("9") < version("0010") && version("0010") < version("20240131120000"));
        assert_eq!(version("0003"), version("3"));
        for text in ["", "1a", "-1", "+1", "1.5", &"9".repeat(40)] {
            assert!(Version::parse(text).is_none(), "{text}");
        }
    }
}
