//! What is seen of a document: plain values as they are, and of secrets only whether two are the same.

use std::collections::BTreeMap;

use crate::model::Value;
use crate::system::{hex, random_u32};

use super::Leaf;
use super::path::KeyPath;
use super::secret_keys::SecretKeys;

/// Below this every whole number is a float as well.
const EXACT: f64 = 9_007_199_254_740_992.0;

/// A value as the rest of the program meets it.
#[derive(Clone, Debug)]
pub(in crate::primitives) enum Sight {
    /// It can be shown. Beside it, its form for comparisons.
    Plain(Value, String),
    /// A digest of it, with a salt that lives as long as one call: it can be compared within the call and says nothing outside.
    Secret(String),
}

/// What is seen of a document, by key.
pub(in crate::primitives) type Sealed = BTreeMap<KeyPath, Sight>;

/// Hides the secrets of documents that are compared with each other.
#[derive(Debug)]
pub(in crate::primitives) struct Seal {
    salt: [u32; 4],
    /// Whether `20` and `"20"` are the same: an env file cannot tell them apart.
    loose: bool,
}

/// What is different at one key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::primitives) enum Differs {
    Added,
    Removed,
    Changed,
}

/// A key at which two documents differ. Values that are secret or not there are `()`.
#[derive(Clone, Debug, PartialEq)]
pub(in crate::primitives) struct Difference {
    pub(in crate::primitives) key: KeyPath,
    pub(in crate::primitives) differs: Differs,
    pub(in crate::primitives) before: Value,
    pub(in crate::primitives) after: Value,
    pub(in crate::primitives) secret: bool,
}

impl Seal {
    pub(in crate::primitives) fn new(loose: bool) -> Self {
        Self { salt: std::array::from_fn(|_| random_u32()), loose }
    }

    /// What is seen of these values.
    pub(in crate::primitives) fn document(&self, leaves: Vec<Leaf>, keys: &SecretKeys) -> Sealed {
        let sight = |(path, value): Leaf| {
            let secret = keys.hide(&path, &value);
            (path, self.one(value, secret))
        };
        leaves.into_iter().map(sight).collect()
    }

    /// What is seen of one value.
    pub(in crate::primitives) fn one(&self, value: Value, secret: bool) -> Sight {
        let form = self.form(&value);
        if secret { Sight::Secret(self.digest(&form)) } else { Sight::Plain(value, form) }
    }

    fn digest(&self, form: &str) -> String {
        let salt = self.salt.iter().flat_map(|word| word.to_ne_bytes());
        hex(&salt.chain(form.bytes()).collect::<Vec<_>>())
    }

    /// Two values with one form are the same.
    fn form(&self, value: &Value) -> String {
        match value {
            scalar if self.loose => scalar.to_string(),
            // `1.0` and `1` are one number.
            Value::Float(x) if x.fract().abs() < f64::EPSILON && x.abs() < EXACT => format!("{x:.0}"),
            Value::List(list) => format!("[{}]", list.iter().map(|item| self.form(item)).collect::<Vec<_>>().join(",")),
            value => value.to_json().to_string(),
        }
    }

    fn same(&self, one: &Sight, other: &Sight) -> bool {
        let digest = |sight: &Sight| match sight {
            Sight::Plain(_, form) => self.digest(form),
            Sight::Secret(digest) => digest.clone(),
        };
        match (one, other) {
            (Sight::Plain(_, one), Sight::Plain(_, other)) => one == other,
            (one, other) => digest(one) == digest(other),
        }
    }

    /// Where two documents differ, by key.
    pub(in crate::primitives) fn compare(&self, before: &Sealed, after: &Sealed) -> Vec<Difference> {
        let keys: std::collections::BTreeSet<&KeyPath> = before.keys().chain(after.keys()).collect();
        let differing = keys.into_iter().filter_map(|key| {
            let (one, other) = (before.get(key), after.get(key));
            let differs = match (one, other) {
                (Some(one), Some(other)) if self.same(one, other) => return None,
                (Some(_), Some(_)) => Differs::Changed,
                (None, _) => Differs::Added,
                (_, None) => Differs::Removed,
            };
            // Where one side says that it is secret, the other side must not tell it.
            let secret = [one, other].into_iter().flatten().any(|sight| matches!(sight, Sight::Secret(_)));
            let shown = |sight: Option<&Sight>| match sight {
                Some(Sight::Plain(value, _)) if !secret => value.clone(),
                _ => Value::Null,
            };
            Some(Difference { key: key.clone(), differs, before: shown(one), after: shown(other), secret })
        });
        differing.collect()
    }
}

impl Difference {
    /// In one line for people: `pool.size 10 → 20`.
    pub(in crate::primitives) fn line(&self) -> String {
        let key = &self.key;
        match self.differs {
            _ if self.secret && self.differs == Differs::Changed => format!("{key} differs (secret)"),
            Differs::Added if self.secret => format!("{key} added (secret)"),
            Differs::Removed if self.secret => format!("{key} removed (secret)"),
            Differs::Added => format!("{key} added: {}", shown(&self.after)),
            Differs::Removed => format!("{key} removed, was {}", shown(&self.before)),
            Differs::Changed => format!("{key} {} → {}", shown(&self.before), shown(&self.after)),
        }
    }
}

/// A value in one line of bounded length.
pub(in crate::primitives) fn shown(value: &Value) -> String {
    const LONGEST: usize = 60;
    let text = match value {
        Value::String(text) => format!("{text:?}"),
        other => other.to_string(),
    };
    if text.chars().count() <= LONGEST {
        return text;
    }
    text.chars().take(LONGEST - 1).chain(['…']).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sealed(seal: &Seal, pairs: &[(&str, Value)]) -> Sealed {
        let leaves = pairs.iter().map(|(key, value)| (KeyPath::parse(key).expect(key), value.clone()));
        seal.document(leaves.collect(), &SecretKeys::default())
    }

    fn lines(seal: &Seal, before: &[(&str, Value)], after: &[(&str, Value)]) -> Vec<String> {
        seal.compare(&sealed(seal, before), &sealed(seal, after)).iter().map(Difference::line).collect()
    }

    #[test]
    fn what_is_different_is_said_and_secrets_are_not() {
        let before =
            [("a", Value::Int(1)), ("b", Value::from("x")), ("api_key", Value::from("old")), ("c", Value::Null)];
        let after = [
            ("a", Value::Float(1.0)),
            ("b", Value::from("y")),
            ("api_key", Value::from("new")),
            ("d", Value::Bool(true)),
        ];
        let found = lines(&Seal::new(false), &before, &after);
        assert_eq!(found, ["api_key differs (secret)", "b \"x\" → \"y\"", "c removed, was ()", "d added: true"]);
        let same = [("api_key", Value::from("old"))];
        assert!(lines(&Seal::new(false), &same, &same).is_empty());
    }

    #[test]
    fn a_value_that_is_secret_on_one_side_is_secret_on_both() {
        let plain = [("url", Value::from("db://host"))];
        let secret = [("url", Value::from("db://app:pw@host"))];
        assert_eq!(lines(&Seal::new(false), &plain, &secret), ["url differs (secret)"]);
    }

    #[test]
    fn an_env_file_cannot_tell_a_number_from_its_text() {
        let (number, text) = ([("a", Value::Int(20))], [("a", Value::from("20"))]);
        assert!(lines(&Seal::new(true), &number, &text).is_empty());
        assert_eq!(lines(&Seal::new(false), &number, &text), ["a 20 → \"20\""]);
    }

    #[test]
    fn a_digest_says_nothing_outside_its_call() {
        let of = |seal: &Seal| match seal.one(Value::from("1234"), true) {
            Sight::Secret(digest) => digest,
            Sight::Plain(..) => panic!("it is secret"),
        };
        let seal = Seal::new(false);
        assert_eq!(of(&seal), of(&seal));
        assert_ne!(of(&seal), of(&Seal::new(false)));
    }
}
