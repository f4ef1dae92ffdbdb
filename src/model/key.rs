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
    /// The n-th branch (from 0) of a `parallel`; prints as `bn`.
    Branch(u32),
    /// The rollback of a step; prints as `r`.
    Rollback,
}

impl Key {
    /// The key of the run itself: no segments.
    pub const ROOT: Key = Key(Vec::new());

    /// This key, one segment longer.
    #[must_use]
    pub fn child(&self, segment: Segment) -> Key {
        let mut path = Vec::with_capacity(self.0.len() + 1);
        path.extend_from_slice(&self.0);
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

    /// Whether this key begins with all of `prefix`. Every key begins with itself and with [`Key::ROOT`].
    pub fn starts_with(&self, prefix: &Key) -> bool {
        self.0.starts_with(&prefix.0)
    }

    /// Whether what has the key `inner`, and begins while the scope with this key is open, lies inside that scope.
    ///
    /// The calls of one branch follow each other, so what a step's branch begins meanwhile lies in the step. Other branches of a
    /// `parallel` go on at the same time, and do not.
    pub fn encloses(&self, inner: &Key) -> bool {
        match self.0.split_last() {
            Some((Segment::Call(_), line)) => inner.0.starts_with(line),
            _ => inner.starts_with(self),
        }
    }

    /// Takes this scope out of those that are open (in the order in which they began), with what is still open inside. Whether it
    /// was among them.
    pub fn close(&self, open: &mut Vec<Key>) -> bool {
        let Some(at) = open.iter().rposition(|key| key == self) else { return false };
        let since = open.split_off(at);
        open.extend(since.into_iter().skip(1).filter(|key| !self.encloses(key)));
        true
    }

    /// The number of the branch of the `parallel` with the key `parallel` in which this call stands.
    pub fn branch_of(&self, parallel: &Key) -> Option<u32> {
        match self.0.strip_prefix(parallel.0.as_slice())?.first() {
            Some(Segment::Branch(n)) => Some(*n),
            _ => None,
        }
    }

    /// The innermost branch of a `parallel` in which this call stands, rollbacks of steps counted in.
    #[must_use]
    pub fn innermost_branch(&self) -> Option<Key> {
        let at = self.0.iter().rposition(|segment| matches!(segment, Segment::Branch(_)))?;
        Some(Key(self.0[..=at].to_vec()))
    }

    /// The rollbacks in which this call stands are inside what has the key `outer`.
    pub fn in_rollback_within(&self, outer: &Key) -> bool {
        self.0.strip_prefix(outer.0.as_slice()).is_some_and(|rest| rest.contains(&Segment::Rollback))
    }

    /// This key without its last segment; `None` for the root.
    #[must_use]
    pub fn parent(&self) -> Option<Key> {
        self.0.split_last().map(|(_, line)| Key(line.to_vec()))
    }

    /// The segment that follows `outer` in this key, which begins with it.
    pub fn after(&self, outer: &Key) -> Option<Segment> {
        self.0.strip_prefix(outer.0.as_slice())?.first().copied()
    }

    /// Whether this call, or the one in which it stands, comes after `other` on the same line of calls.
    pub fn is_behind(&self, other: &Key) -> bool {
        let Some((Segment::Call(n), line)) = other.0.split_last() else { return false };
        match self.0.strip_prefix(line).and_then(|rest| rest.first()) {
            Some(Segment::Call(m)) => m > n,
            _ => false,
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
                Segment::Branch(n) => write!(f, "b{n}")?,
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
            _ => match (part.strip_prefix('a'), part.strip_prefix('b')) {
                (Some(n), _) => n.parse().ok().map(Segment::Attempt),
                (_, Some(n)) => n.parse().ok().map(Segment::Branch),
                _ => part.parse().ok().map(Segment::Call),
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
    /// The variable in which programs that carry out a call find its key.
    pub const VARIABLE: &'static str = "LIFEBOAT_IDEMPOTENCY_KEY";

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
            .child(Segment::Branch(17))
            .child(Segment::Call(0));
        assert_eq!(key.to_string(), "4.r.a2.b17.0");
        assert_eq!(key.to_string().parse::<Key>().expect("parses"), key);
        assert!("4.x".parse::<Key>().is_err());
        assert_eq!("".parse::<Key>().expect("root"), Key::ROOT);
    }

    #[test]
    fn a_step_encloses_what_its_branch_begins_and_not_what_others_begin() {
        let key = |text: &str| text.parse::<Key>().expect(text);
        for (scope, inner, encloses) in [
            ("2", "3", true),
            ("2", "3.b0.1", true),
            ("3.b0.1", "3.b0.2", true),
            ("3.b0.1", "3.b0.2.b1.0", true),
            ("3.b0.1", "3.b1.2", false),
            ("3.b0", "3.b0.0", true),
            ("3.b0", "3.b1.0", false),
            ("3.b0.1.r", "3.b0.1.r.0", true),
            ("3.b0.1.r", "3.b0.2", false),
            ("", "7", true),
        ] {
            assert_eq!(key(scope).encloses(&key(inner)), encloses, "{scope} and {inner}");
        }
        assert_eq!(key("3.b17.0").branch_of(&key("3")), Some(17));
        assert_eq!(key("3.a0.0").branch_of(&key("3")), None);
        assert_eq!(key("3.b1.4.b2.0.r.1").innermost_branch(), Some(key("3.b1.4.b2")));
        assert!(
            key("3.b1.4.r.0").in_rollback_within(&key("3.b1")) && !key("2.r.b1.0").in_rollback_within(&key("2.r.b1"))
        );
    }

    #[test]
    fn attempts_share_one_idempotency_key() {
        let call = Key::ROOT.child(Segment::Call(4));
        let attempt = |n| call.child(Segment::Attempt(n)).child(Segment::Call(0));
        assert_eq!(IdempotencyKey::new("run", &attempt(0)), IdempotencyKey::new("run", &attempt(1)));
        assert_eq!(IdempotencyKey::new("run", &attempt(0)).as_str(), "run/4.0");
    }
}
