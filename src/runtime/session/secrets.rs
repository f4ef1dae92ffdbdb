//! Secrets that are typed by mistake: what is recorded and kept must not hold them.

use super::LiveSession;

/// How a secret of a kind begins, what it is, and how many more of its characters follow at least.
const KINDS: &[(&str, &str, usize)] = &[
    ("AKIA", "what looks like an AWS access key", 12),
    ("ASIA", "what looks like an AWS access key", 12),
    ("ghp_", "what looks like a GitHub token", 20),
    ("gho_", "what looks like a GitHub token", 20),
    ("ghs_", "what looks like a GitHub token", 20),
    ("github_pat_", "what looks like a GitHub token", 20),
    ("glpat-", "what looks like a GitLab token", 16),
    ("xoxb-", "what looks like a Slack token", 16),
    ("xoxp-", "what looks like a Slack token", 16),
    ("xapp-", "what looks like a Slack token", 16),
    ("sk_live_", "what looks like a Stripe key", 16),
    ("AGE-SECRET-KEY-1", "an age key", 20),
    ("eyJ", "what looks like a signed token", 40),
    ("AIza", "what looks like a Google API key", 30),
    ("Bearer ", "what looks like a token", 16),
    ("hooks.slack.com/services/T", "the address of a Slack webhook", 8),
];

/// Names behind which a password stands.
const NAMES: &[&str] =
    &["password", "passwd", "pwd", "secret", "token", "api_key", "apikey", "access_key", "authorization"];

impl LiveSession<'_> {
    /// What kind of secret a text holds, if it does: one of this environment, or one that is known by its looks.
    pub fn secret_in(&self, text: &str) -> Option<String> {
        if self.look.secrets().redactor().clean(text) != text {
            return Some("a secret of this environment".to_owned());
        }
        looks_secret(text).map(str::to_owned)
    }
}

/// What kind of secret a text looks like, if it does.
pub fn looks_secret(text: &str) -> Option<&'static str> {
    if text.contains("-----BEGIN ") && text.contains("PRIVATE KEY") {
        return Some("a private key");
    }
    let is_token = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | '.');
    for (begin, what, more) in KINDS {
        for (at, _) in text.match_indices(begin) {
            let inside = text[..at].chars().next_back().is_some_and(is_token);
            let rest = &text[at + begin.len()..];
            if !inside && rest.chars().take_while(|c| is_token(*c)).count() >= *more {
                return Some(what);
            }
        }
    }
    with_a_password(text)
}

/// `password: "…"`, `token=…`, `postgres://user:password@host`.
fn with_a_password(text: &str) -> Option<&'static str> {
    let lower = text.to_lowercase();
    for name in NAMES {
        for (at, _) in lower.match_indices(name) {
            let before = lower[..at].chars().next_back();
            let rest = lower[at + name.len()..].trim_start_matches(['"', '\'', '`']).trim_start();
            let Some(value) = rest.strip_prefix([':', '=']) else { continue };
            let value = value.trim_start();
            // A name, a call such as `secret("db")` and a comparison are no values.
            let value = value.strip_prefix(['"', '\'', '`']).or_else(|| (rest.starts_with('=')).then_some(value));
            let long = value.is_some_and(|value| {
                let len = value
                    .chars()
                    .take_while(|c| !c.is_whitespace() && !matches!(c, '"' | '\'' | '`' | ';' | ')'))
                    .count();
                len >= 6 && !value.starts_with("${") && !value.starts_with('=') && !value.starts_with("secret(")
            });
            if long && !before.is_some_and(char::is_alphanumeric) {
                return Some("what looks like a password");
            }
        }
    }
    let credentials = lower.split("://").skip(1).any(|rest| {
        let authority = rest.split(['/', '"', ' ', '`']).next().unwrap_or_default();
        authority.split_once('@').is_some_and(|(user, _)| user.split_once(':').is_some_and(|(_, p)| p.len() >= 3))
    });
    credentials.then_some("an address with a password in it")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn secrets_are_known_by_their_looks_and_ordinary_lines_are_not_taken_for_them() {
        for text in [
            "notify(\"ops\", \"AKIAIOSFODNN7EXAMPLE1\")",
            "let t = \"ghp_0123456789abcdefghijABCDEFGHIJ\";",
            "configure(\"app\", #{ password: \"hunter22\" })",
            "# the token is: token=abcdef123456",
            "probe(\"x\", #{ url: \"postgres://app:s3cret@db/x\" })",
            "-----BEGIN OPENSSH PRIVATE KEY-----",
            "\"eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0NTY3ODkwIn0.abcdefghijkl\"",
        ] {
            assert!(looks_secret(text).is_some(), "{text}");
        }
        for text in [
            "probe(\"web\")",
            "configure(\"app\", #{ password: secret(\"db\") })",
            "rotate(\"db-password\")",
            "let token = secret(\"api\");",
            "if password == other { }",
            "# the password was rotated",
            "notify(\"ops\", \"see https://status.example.com/incidents/12\")",
            "let eyJ = 1;",
            "let token = `${secret_name}`;",
        ] {
            assert_eq!(looks_secret(text), None, "{text}");
        }
    }
}
