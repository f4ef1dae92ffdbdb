//! Durations as people write them: `250ms`, `5m`, `1h30m`.

use std::borrow::Cow;
use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// A length of time, written as a sequence of whole numbers with units `ms`, `s`, `m`, `h`, `d` in falling order.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Span(pub Duration);

/// A text that is not a duration.
#[derive(Debug, thiserror::Error)]
#[error("`{0}` is not a duration: write it as `30s`, `5m`, `1h30m` or `250ms`")]
pub struct SpanError(String);

const UNITS: [(&str, u64); 5] = [("d", 86_400_000), ("h", 3_600_000), ("m", 60_000), ("s", 1_000), ("ms", 1)];

impl Span {
    /// So many seconds.
    pub const fn from_secs(secs: u64) -> Self {
        Self(Duration::from_secs(secs))
    }

    /// So many milliseconds.
    pub const fn from_millis(millis: u64) -> Self {
        Self(Duration::from_millis(millis))
    }

    /// For people: two significant units, such as `1m 4s`, `2.31s` or `412ms`.
    pub fn human(self) -> String {
        let millis = u64::try_from(self.0.as_millis()).unwrap_or(u64::MAX);
        match millis {
            0..1_000 => format!("{millis}ms"),
            1_000..60_000 => format!("{}.{:02}s", millis / 1_000, millis % 1_000 / 10),
            60_000..3_600_000 => format!("{}m {:02}s", millis / 60_000, millis % 60_000 / 1_000),
            3_600_000..86_400_000 => format!("{}h {:02}m", millis / 3_600_000, millis % 3_600_000 / 60_000),
            _ => format!("{}d {:02}h", millis / 86_400_000, millis % 86_400_000 / 3_600_000),
        }
    }
}

impl FromStr for Span {
    type Err = SpanError;

    fn from_str(text: &str) -> Result<Self, SpanError> {
        let error = || SpanError(text.to_owned());
        let (mut rest, mut millis, mut last) = (text.trim(), 0_u64, u64::MAX);
        if rest.is_empty() {
            return Err(error());
        }
        while !rest.is_empty() {
            let digits = rest.find(|c: char| !c.is_ascii_digit()).ok_or_else(error)?;
            let number: u64 = rest[..digits].parse().map_err(|_| error())?;
            let letters = rest[digits..].find(|c: char| c.is_ascii_digit()).map_or(rest.len(), |n| n + digits);
            let (_, size) = UNITS.iter().find(|(name, _)| *name == &rest[digits..letters]).ok_or_else(error)?;
            if *size >= last {
                return Err(error());
            }
            millis = number.checked_mul(*size).and_then(|n| millis.checked_add(n)).ok_or_else(error)?;
            (last, rest) = (*size, &rest[letters..]);
        }
        Ok(Self::from_millis(millis))
    }
}

impl fmt::Display for Span {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut millis = u64::try_from(self.0.as_millis()).unwrap_or(u64::MAX);
        if millis == 0 {
            return f.write_str("0s");
        }
        for (name, size) in UNITS {
            if millis >= size {
                write!(f, "{}{name}", millis / size)?;
                millis %= size;
            }
        }
        Ok(())
    }
}

impl Serialize for Span {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Span {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = Cow::<str>::deserialize(deserializer)?;
        text.parse().map_err(serde::de::Error::custom)
    }
}

impl JsonSchema for Span {
    fn schema_name() -> Cow<'static, str> {
        "duration".into()
    }
    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "type": "string", "format": "duration" })
    }
    fn inline_schema() -> bool {
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parses_what_people_write() {
        for (text, millis) in
            [("5m", 300_000), ("1h30m", 5_400_000), ("250ms", 250), ("0s", 0), ("1d2h3m4s5ms", 93_784_005)]
        {
            let span: Span = text.parse().expect(text);
            assert_eq!(span, Span::from_millis(millis), "{text}");
            assert_eq!(span.to_string(), text);
        }
    }

    #[test]
    fn refuses_what_is_no_duration() {
        for text in ["", "5", "m", "5 m", "-5m", "1.5h", "30m1h", "5m5m", "5min", "99999999999999999999d", "s5"] {
            assert!(text.parse::<Span>().is_err(), "{text}");
        }
    }

    #[test]
    fn prints_two_units_for_people() {
        assert_eq!(Span::from_millis(412).human(), "412ms");
        assert_eq!(Span::from_millis(2_310).human(), "2.31s");
        assert_eq!(Span::from_secs(64).human(), "1m 04s");
        assert_eq!(Span::from_secs(5_400).human(), "1h 30m");
        assert_eq!(Span::from_secs(90_000).human(), "1d 01h");
    }
}
