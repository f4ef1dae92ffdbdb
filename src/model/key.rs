//! The place of a call in a run, stable under re-execution.

use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

/// Where in a run a call stands: a path of segments, such as `4.r.0` (the first call in the rollback of step 4).
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Key(Vec<Segment>);

/// One part of a [`Key`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Segment {
    /// The n-th call (from 0) of a branch; prints as `n`.
    Call(u32),
    /// The n-th attempt (from 0) of a repeated call; prints as `an`.
    Attempt(u32),
    /// The rollback of a step; prints as `r`.
    Rollback,
}

impl Key {
    /// The key of the run itself: no segments.
    pub const ROOT: Key = Key(Vec::new());

    /// This key, one segment longer.
    #[must_use]
    pub fn child(&self, segment: Segment) -> Key {
        let mut path = self.0.clone();
        path.push(segment);
        Key(path)
    }

    /// How many segments it has.
    pub fn depth(&self) -> usize {
        self.0.len()
    }

    /// Whether the call stands inside a rollback.
    pub fn in_rollback(&self) -> bool {
        self.0.contains(&Segment::Rollback)
    }

    /// The step whose rollback this is the key of.
    #[must_use]
    pub fn rolled_back_step(&self) -> Option<Key> {
        match self.0.split_last() {
            Some((Segment::Rollback, step)) => Some(Key(step.to_vec())),
            _ => None,
        }
    }

    /// The key that all attempts of one repeated call share.
    #[must_use]
    pub fn without_attempts(&self) -> Key {
        Key(self.0.iter().filter(|s| !matches!(s, Segment::Attempt(_))).copied().collect())
    }
}

impl fmt::Display for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (i, segment) in self.0.iter().enumerate() {
            if i > 0 {
                f.write_str(".")?;
            }
            match segment {
                Segment::Call(n) => write!(f, "{n}")?,
                Segment::Attempt(n) => write!(f, "a{n}")?,
                Segment::Rollback => f.write_str("r")?,
            }
        }
        Ok(())
    }
}

/// A text that is not a key.
#[derive(Debug, thiserror::Error)]
#[error("`{0}` is not the key of a call: expected segments such as `4.r.0`")]
pub struct KeyError(String);

impl FromStr for Key {
    type Err = KeyError;

    fn from_str(text: &str) -> Result<Self, KeyError> {
        if text.is_empty() {
            return Ok(Key::ROOT);
        }
        let segment = |part: &str| match part {
            "r" => Some(Segment::Rollback),
            _ => match part.strip_prefix('a') {
                Some(n) => n.parse().ok().map(Segment::Attempt),
                None => part.parse().ok().map(Segment::Call),
            },
        };
        text.split('.').map(segment).collect::<Option<Vec<_>>>().map(Key).ok_or_else(|| KeyError(text.to_owned()))
    }
}

impl Serialize for Key {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Key {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(serde::de::Error::custom)
    }
}

/// What a driver hands to a provider so that the same request, sent twice, takes effect once.
///
/// It is made of the run's id and the call's key without attempts: all attempts of one call share it.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct IdempotencyKey(Arc<str>);

impl IdempotencyKey {
    /// The key of the call at `key` in the run `run`.
    pub fn new(run: &str, key: &Key) -> Self {
        Self(format!("{run}/{}", key.without_attempts()).into())
    }

    /// The key of a message that carries all of these in one: `FIRST+N-DIGEST`. Empty keys make an empty one.
    pub(crate) fn of_all(keys: &[IdempotencyKey], digest: &str) -> Self {
        let first = keys.first().map_or("", IdempotencyKey::as_str);
        Self(format!("{first}+{}-{digest}", keys.len().saturating_sub(1)).into())
    }

    /// As text: `RUN/KEY`.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for IdempotencyKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn prints_and_parses() {
        let key = Key::ROOT
            .child(Segment::Call(4))
            .child(Segment::Rollback)
            .child(Segment::Attempt(2))
            .child(Segment::Call(0));
        assert_eq!(key.to_string(), "4.r.a2.0");
        assert_eq!(key.to_string().parse::<Key>().expect("parses"), key);
        assert!("4.x".parse::<Key>().is_err());
        assert_eq!("".parse::<Key>().expect("root"), Key::ROOT);
    }

    #[test]
    fn attempts_share_one_idempotency_key() {
        let call = Key::ROOT.child(Segment::Call(4));
        let attempt = |n| call.child(Segment::Attempt(n)).child(Segment::Call(0));
        assert_eq!(IdempotencyKey::new("run", &attempt(0)), IdempotencyKey::new("run", &attempt(1)));
        assert_eq!(IdempotencyKey::new("run", &attempt(0)).as_str(), "run/4.0");
    }
}
