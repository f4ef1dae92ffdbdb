//! Which values of a document are secrets: their keys say so, or they look like it.

use crate::model::Value;
use crate::primitives::targets::matches;

use super::path::KeyPath;

/// Keys that hold secrets, as they are written in environments. `apiKey` and `api-key` are the same as `API_KEY`.
const USUAL: [&str; 9] = [
    "*_KEY",
    "*APIKEY*",
    "*TOKEN*",
    "*PASSWORD*",
    "*PASSWD*",
    "*PASSPHRASE*",
    "*SECRET*",
    "*CREDENTIAL*",
    "*PRIVATE_KEY*",
];

/// Which keys hold secrets.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SecretKeys {
    /// Patterns beside the usual ones.
    pub more: Vec<String>,
    /// Patterns of keys that look like secrets and are none.
    pub plain: Vec<String>,
    /// Keys that were given a secret just now.
    pub(in crate::primitives) given: Vec<KeyPath>,
}

impl SecretKeys {
    /// These and the keys at these places.
    pub(in crate::primitives) fn and(&self, given: &[KeyPath]) -> Self {
        Self { given: self.given.iter().chain(given).cloned().collect(), ..self.clone() }
    }

    /// Whether the value at this place must not be seen.
    pub(in crate::primitives) fn hide(&self, path: &KeyPath, value: &Value) -> bool {
        looks_secret(value) || self.given.contains(path) || self.hide_key(path)
    }

    /// Whether what this key holds must not be seen, whatever it is. What lies below a secret is secret as well.
    pub(in crate::primitives) fn hide_key(&self, path: &KeyPath) -> bool {
        let whole = path.to_string();
        let of_path = |pattern: &String| matches(&upper(pattern), &upper(&whole));
        if self.plain.iter().any(|pattern| of_path(pattern) || path.names().any(|name| is(pattern, name))) {
            return false;
        }
        let secret = |name: &str| {
            USUAL.iter().any(|pattern| is(pattern, name)) || self.more.iter().any(|pattern| is(pattern, name))
        };
        self.more.iter().any(of_path) || path.names().any(secret)
    }
}

fn is(pattern: &str, name: &str) -> bool {
    matches(&upper(pattern), &upper(name))
}

/// A name as an environment would write it: `apiKey` and `api-key` become `API_KEY`.
fn upper(name: &str) -> String {
    let mut upper = String::with_capacity(name.len() + 4);
    let mut before = None;
    for c in name.chars() {
        if c.is_uppercase() && before.is_some_and(|b: char| b.is_lowercase() || b.is_ascii_digit()) {
            upper.push('_');
        }
        upper.extend(if c == '-' || c == ' ' { '_' } else { c }.to_uppercase());
        before = Some(c);
    }
    upper
}

/// Whether a value is a secret whatever its key says: an address with a password in it, or a private key.
fn looks_secret(value: &Value) -> bool {
    match value {
        Value::String(text) => has_password(text) || text.contains("PRIVATE KEY-----"),
        Value::List(list) => list.iter().any(looks_secret),
        _ => false,
    }
}

fn has_password(text: &str) -> bool {
    text.match_indices("://").any(|(at, _)| {
        let rest = &text[at + 3..];
        let host = &rest[..rest.find(['/', '?', '#', ' ']).unwrap_or(rest.len())];
        host.rsplit_once('@').is_some_and(|(user, _)| user.contains(':'))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hidden(keys: &SecretKeys, path: &str) -> bool {
        keys.hide(&KeyPath::parse(path).expect(path), &Value::from("x"))
    }

    #[test]
    fn keys_say_that_they_hold_secrets() {
        let usual = SecretKeys::default();
        for key in [
            "API_KEY",
            "api_key",
            "apiKey",
            "api-key",
            "db.password",
            "smtp.userPassword",
            "auth.tokens[0].value",
            "CLIENT_SECRET",
            "client_secret_2",
            "secrets.db",
            "SSH_PRIVATE_KEY_PEM",
        ] {
            assert!(hidden(&usual, key), "{key}");
        }
        for key in ["KEYBOARD", "keys", "monkey", "pool.size", "passive", "key"] {
            assert!(!hidden(&usual, key), "{key}");
        }
    }

    #[test]
    fn patterns_add_and_take_away() {
        let keys = SecretKeys {
            more: vec!["pin".into(), "db.*.dsn".into()],
            plain: vec!["token_ttl".into(), "cache.*".into()],
            given: vec![],
        };
        assert!(hidden(&keys, "PIN") && hidden(&keys, "db.main.dsn") && hidden(&keys, "API_KEY"));
        assert!(!hidden(&keys, "auth.tokenTtl") && !hidden(&keys, "cache.hash_key") && !hidden(&keys, "dsn"));
    }

    #[test]
    fn some_values_are_secrets_under_any_key() {
        let hides = |value: Value| SecretKeys::default().hide(&KeyPath::name("X"), &value);
        assert!(hides(Value::from("postgres://app:hunter2@db/app")));
        assert!(hides(Value::from("-----BEGIN RSA PRIVATE KEY-----\nx")));
        assert!(hides(Value::List(vec![Value::from("redis://:pw@host:1/0")])));
        assert!(!hides(Value::from("postgres://app@db:5432/app?x=a:b@c")) && !hides(Value::from("a:b@c")));
    }
}
