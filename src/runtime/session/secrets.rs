//! Secrets that are typed by mistake: what is recorded and kept must not hold them.

use super::LiveSession;

/// How a secret of a kind begins, what it is, and how many more of its characters follow at least.
const KINDS: &[(&str, &str, usize)] = &[
    ("AKIA", "what looks like an AWS access key", 12),
    ("ASIA", "what looks like an AWS access key", 12),
    ("ghp_", "what looks like a GitHub token", 20),
    ("gho_", "what looks like a GitHub token", 20),
    ("ghu_", "what looks like a GitHub token", 20),
    ("ghs_", "what looks like a GitHub token", 20),
    ("ghr_", "what looks like a GitHub token", 20),
    ("github_pat_", "what looks like a GitHub token", 20),
    ("glpat-", "what looks like a GitLab token", 16),
    ("xoxa-", "what looks like a Slack token", 16),
    ("xoxb-", "what looks like a Slack token", 16),
    ("xoxp-", "what looks like a Slack token", 16),
    ("xoxr-", "what looks like a Slack token", 16),
    ("xoxs-", "what looks like a Slack token", 16),
    ("xapp-", "what looks like a Slack token", 16),
    ("sk_live_", "what looks like a Stripe key", 16),
    ("rk_live_", "what looks like a Stripe key", 16),
    ("npm_", "what looks like an npm token", 30),
    ("pypi-", "what looks like a PyPI token", 40),
    ("hvs.", "what looks like a Vault token", 20),
    ("dop_v1_", "what looks like a DigitalOcean token", 40),
    ("SG.", "what looks like a SendGrid key", 40),
    ("AGE-SECRET-KEY-1", "an age key", 20),
    ("eyJ", "what looks like a signed token", 40),
    ("AIza", "what looks like a Google API key", 30),
    ("ya29.", "what looks like a Google token", 20),
    ("hooks.slack.com/services/T", "the address of a Slack webhook", 8),
];

/// Names behind which a password stands.
const NAMES: &[&str] = &[
    "password",
    "pgpassword",
    "passwd",
    "passphrase",
    "pwd",
    "secret",
    "secret_key",
    "secret-key",
    "token",
    "api_key",
    "api-key",
    "apikey",
    "access_key",
    "private_key",
    "accountkey",
    "authorization",
];

/// Programs that take a password right behind `-p`, and options behind which it is a word of its own.
const GLUED: &[&str] = &["mysql", "mysqldump", "mysqladmin", "mariadb", "mariadb-dump"];
const APART: &[(&str, &str)] = &[("sshpass", "-p"), ("redis-cli", "-a"), ("curl", "-u"), ("curl", "--user")];

/// What is no letter of a word.
const ENDS: [char; 9] = ['"', '\'', '`', ';', ')', ']', '}', ',', '\n'];

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
    if with_a_scheme(text) {
        return Some("what looks like a token");
    }
    if NAMES.iter().any(|name| is_named(text, name)) || is_an_argument(text) {
        return Some("what looks like a password");
    }
    with_credentials(text).then_some("an address with a password in it")
}

/// `Bearer …`, `Basic …`: what stands before a token in a header.
fn with_a_scheme(text: &str) -> bool {
    let lower = text.to_ascii_lowercase();
    ["bearer ", "basic "].iter().any(|scheme| {
        lower.match_indices(scheme).any(|(at, _)| {
            let value = word(&text[at + scheme.len()..]);
            value.len() >= 12 && !is_placeholder(value) && (is_mixed(value) || value.ends_with('='))
        })
    })
}

/// `password: "…"`, `token=…`, `the password is …`.
fn is_named(text: &str, name: &str) -> bool {
    let lower = text.to_ascii_lowercase();
    lower.match_indices(name).any(|(at, _)| {
        if lower[..at].chars().next_back().is_some_and(char::is_alphanumeric) {
            return false;
        }
        let behind = &text[at + name.len()..];
        let rest = behind.trim_start_matches(['"', '\'', '`']).trim_start();
        let option = lower[..at].ends_with("--").then(|| behind.strip_prefix(' ')).flatten();
        if let Some(value) = option.or_else(|| rest.strip_prefix("is ")) {
            return is_mixed(word(value)) && !is_placeholder(value);
        }
        rest.strip_prefix([':', '=']).is_some_and(|value| {
            let assigned = rest.starts_with('=') && !behind.starts_with(' ') && !value.starts_with(' ');
            // A name in quotes, `"password": …`, is code where the quotes are.
            let quoted = behind.starts_with('"') && text[..at].ends_with('"');
            is_value(value, assigned, is_code(text, at - usize::from(quoted)))
        })
    })
}

/// Whether what stands behind `password:` or `password=` is a password. `assigned`: there is no space around the `=`.
fn is_value(value: &str, assigned: bool, code: bool) -> bool {
    let value = value.trim_start();
    if value.starts_with('=') || is_placeholder(value) {
        return false;
    }
    // In quotes it is what it is, whatever it looks like.
    if let Some(quoted) = value.strip_prefix(['"', '\'', '`']) {
        // `"Bearer " + secret("API")` names it.
        let scheme = ["Bearer ", "Basic ", "Token "].iter().find_map(|scheme| quoted.strip_prefix(scheme));
        let quoted = scheme.unwrap_or(quoted);
        let len = quoted.chars().take_while(|c| !c.is_whitespace() && !matches!(c, '"' | '\'' | '`')).count();
        return len >= 6 && !is_placeholder(quoted);
    }
    let word = word(value);
    let called = value[word.len()..].starts_with('(') || word.contains('(');
    match (code, assigned) {
        _ if called => false,
        // In a script a text has quotes: a name stands there. In what was pasted from a shell it has none.
        (true, false) => word.len() >= 6 && (is_number(word) || is_random(word)),
        (false, true) => word.len() >= 6,
        (true, true) | (false, false) => is_mixed(word),
    }
}

/// `mysql -pS3cret`, `sshpass -p S3cret`.
fn is_an_argument(text: &str) -> bool {
    let words: Vec<&str> =
        text.split(|c: char| c.is_whitespace() || matches!(c, '"' | '\'' | '`' | '(' | ',')).collect();
    let begins = |n: usize, program: &str| words[..n].iter().any(|word| word.rsplit('/').next() == Some(program));
    words.iter().enumerate().any(|(n, option)| {
        let glued = option.strip_prefix("-p").map(word).filter(|_| GLUED.iter().any(|program| begins(n, program)));
        let apart =
            words.get(n + 1).filter(|_| APART.iter().any(|(program, known)| option == known && begins(n, program)));
        // `-u name:password`; the name alone is none.
        let apart = apart.and_then(|value| {
            if matches!(*option, "-u" | "--user") { Some(value.split_once(':')?.1) } else { Some(value) }
        });
        [glued, apart.map(word)].into_iter().flatten().any(|value| value.len() >= 4 && !is_placeholder(value))
    })
}

/// `postgres://user:password@host`.
fn with_credentials(text: &str) -> bool {
    text.split("://").skip(1).any(|rest| {
        let authority = rest.split(['/', '"', '\'', ' ', '`', '\n', '?']).next().unwrap_or_default();
        let password = authority.rsplit_once('@').and_then(|(user, _)| user.split_once(':'));
        password.is_some_and(|(_, password)| password.len() >= 3 && !is_placeholder(password))
    })
}

/// The word with which a text begins, without what ends a sentence.
fn word(text: &str) -> &str {
    let end = text.find(|c: char| c.is_whitespace() || ENDS.contains(&c)).unwrap_or(text.len());
    text[..end].trim_end_matches(['.', ':', '!', '?'])
}

/// Whether a text stands for a secret rather than being one: `${name}`, `‹password›`, `$DB_PASSWORD`, `<password>`, `***`.
fn is_placeholder(value: &str) -> bool {
    let first = value.chars().next();
    let line = value.lines().next().unwrap_or_default();
    // A password may begin with any sign: what only stands for one is closed again, or is the name of a variable.
    let is_closed = |close: char| line.chars().skip(1).any(|c| c == close);
    let stands_for = match first {
        None => true,
        Some('$') => is_variable(&value[1..]),
        Some('‹') => is_closed('›'),
        Some('<') => is_closed('>'),
        Some('{') => is_closed('}'),
        Some('[') => is_closed(']'),
        Some('(') => is_closed(')'),
        Some('%') => is_closed('%'),
        Some(_) => value.starts_with("secret("),
    };
    let word = word(value);
    let is_name = word.contains('_') && word.chars().all(|c| c.is_ascii_uppercase() || c.is_ascii_digit() || c == '_');
    let masked = word.len() >= 3 && word.chars().all(|c| Some(c) == first) && !is_number(word);
    stands_for || is_name || masked
}

/// What stands behind the `$` of a shell's variable: `{…}`, `(…)`, or a name in which digits stand among capitals alone.
fn is_variable(text: &str) -> bool {
    let name = word(text);
    let is = |fits: fn(char) -> bool| !name.is_empty() && name.chars().all(fits);
    text.starts_with(['{', '('])
        || is(|c| c.is_ascii_alphabetic() || c == '_')
        || is(|c| c.is_ascii_uppercase() || c.is_ascii_digit() || c == '_')
}

fn is_number(word: &str) -> bool {
    word.len() >= 6 && word.chars().all(|c| c.is_ascii_digit())
}

/// Whether a word is no word of a language: letters with digits or signs among them, capitals here and there. A date, a time, a path
/// and an address are words.
fn is_mixed(word: &str) -> bool {
    let has = |fits: fn(char) -> bool| word.chars().any(fits);
    let letters = has(char::is_alphabetic);
    let digits = has(|c| c.is_ascii_digit());
    let signs = has(|c| matches!(c, '!' | '@' | '#' | '$' | '%' | '^' | '&' | '*' | '+' | '~' | '?'));
    // A name has one or two capitals inside: PagerDuty, GitHub.
    let rises = word.chars().zip(word.chars().skip(1)).filter(|(a, b)| a.is_lowercase() && b.is_uppercase());
    let capitals = rises.count() >= 3;
    let path = word.starts_with(['/', '.', '~']) || word.contains("://");
    let mail = word.split_once('@').is_some_and(|(_, host)| host.contains('.') && !host.contains(['@', '#', '!', '$']));
    let len = word.chars().count();
    len >= 6 && !path && !mail && (is_number(word) || (letters && (digits || signs || capitals)))
}

/// Whether a word was made by a machine: long, and of everything.
fn is_random(word: &str) -> bool {
    let has = |fits: fn(&char) -> bool| word.chars().any(|c| fits(&c));
    word.len() >= 16 && has(char::is_ascii_digit) && has(char::is_ascii_uppercase) && has(char::is_ascii_lowercase)
}

/// Whether the byte `at` of a text is a part of a script: not of a text within it, a remark or a command.
fn is_code(text: &str, at: usize) -> bool {
    let mut quote = None;
    let mut escaped = false;
    for c in text[..at].chars() {
        match (quote, c) {
            _ if escaped => escaped = false,
            (Some('"'), '\\') => escaped = true,
            (None, '"' | '`') => quote = Some(c),
            (Some(open), c) if c == open => quote = None,
            _ => {}
        }
    }
    let line = text[..at].rsplit('\n').next().unwrap_or_default();
    let begin = text.trim_start();
    let aside = begin.starts_with(':') || (begin.starts_with('#') && !begin.starts_with("#{")) || line.contains("//");
    !aside && quote.is_none()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn secrets_are_known_by_their_looks() {
        for (text, what) in [
            ("notify(\"ops\", \"AKIAIOSFODNN7EXAMPLE1\")", "AWS"),
            ("# the password: $ecret123", "password"),
            ("log(\"password: <S3cret!9\")", "password"),
            ("mysql -p%S3cret99 orders", "password"),
            ("let t = \"ghp_0123456789abcdefghijABCDEFGHIJ\";", "GitHub"),
            ("# ghu_0123456789abcdefghijABCDEFGHIJ", "GitHub"),
            ("# github_pat_11ABCDEFG0123456789abcdefghij", "GitHub"),
            ("configure(\"app\", #{ password: \"hunter22\" })", "password"),
            ("configure(\"app\", #{ password: \"swordfish\" })", "password"),
            ("configure(\"app\", #{ \"password\": \"swordfish\" })", "password"),
            ("configure(\"app\", #{ password: 12345678 })", "password"),
            ("# the token is: token=abcdef123456", "password"),
            ("# password: hunter2", "password"),
            ("# the new password is hunter2.", "password"),
            ("# Password = Tr0ub4dor&3", "password"),
            ("notify(\"ops\", \"log in with password: hunter2\")", "password"),
            ("notify(\"ops\", \"password=hunter2\")", "password"),
            ("notify(\"ops\", \"password=swordfish\")", "password"),
            ("probe(\"web\") // password: hunter2", "password"),
            ("PGPASSWORD=hunter2 psql -h db", "password"),
            ("aws_secret_access_key = wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY", "password"),
            ("exec(\"db\", #{ args: [\"--password=hunter2\"] })", "password"),
            ("# psql --password hunter2", "password"),
            ("mysql -uroot -pS3cret orders", "password"),
            ("# mysql -u root -psecret", "password"),
            ("exec(\"mysql\", #{ args: [\"-pS3cret\"] })", "password"),
            ("# sshpass -p S3cret ssh db", "password"),
            ("# curl -u admin:S3cret https://db.example.com", "password"),
            ("# Authorization: Bearer abcdef0123456789", "token"),
            ("notify(\"ops\", \"authorization: bearer abcdef0123456789\")", "token"),
            ("# Authorization: Basic YWRtaW46aHVudGVyMg==", "token"),
            ("probe(\"x\", #{ url: \"postgres://app:s3cret@db/x\" })", "address"),
            ("# redis://:s3cret@cache:6379", "address"),
            ("-----BEGIN OPENSSH PRIVATE KEY-----", "private key"),
            ("# -----BEGIN RSA PRIVATE KEY-----", "private key"),
            ("\"eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0NTY3ODkwIn0.abcdefghijkl\"", "signed token"),
        ] {
            let found = looks_secret(text);
            assert!(found.is_some_and(|found| found.contains(what)), "{text}: {found:?}");
        }
    }

    #[test]
    fn what_only_speaks_of_secrets_is_none() {
        for text in [
            "probe(\"web\")",
            "configure(\"app\", #{ password: secret(\"db\") })",
            "configure(\"app\", #{ password: secret(\"db\"), token: fetched2.token })",
            "configure(\"app\", #{ password: password_2 })",
            "rotate(\"db-password\")",
            "let token = secret(\"api\");",
            "let token = make_token(1, 2);",
            "let token=make_token2();",
            "if password == other { }",
            "if token == \"\" { }",
            "# the password was rotated",
            "probe(\"web\", #{ headers: #{ \"Authorization\": \"Bearer \" + secret(\"API\") } })",
            "probe(\"web\", #{ headers: #{ authorization: `Bearer ${token}` } })",
            "# password: rotated",
            "# password: reset, by the DBA",
            "# password: unknown",
            "# Password: Rotated at 12:30",
            "# password: PagerDuty has it; token: DBA-owned",
            "# password: bob@example.com knows it",
            "# token: expired; the password is known to the DBA",
            "# last change of the password: 2026-01-01",
            "# secret: DB_PASSWORD_2",
            "# password: ‹configure:app.password›",
            "# password: <password>",
            "# password=$DB_PASSWORD",
            "# password: ${password1}",
            "# password: ********",
            "# password: /run/secrets/db1",
            "# the API takes bearer authentication, and basic authentication",
            "notify(\"ops\", \"password: rotated\")",
            "notify(\"ops\", `password: ${secret_name}`)",
            "notify(\"ops\", \"see https://status.example.com/incidents/12\")",
            "notify(\"ops\", \"postgres://app:***@db/x and postgres://app@db/x\")",
            "let eyJ = 1;",
            "let token = `${secret_name}`;",
            "# mysql -P3306 -p",
            "exec(\"ps\", #{ args: [\"-pid\", \"12345\"] })",
            "# mkdir -p /srv/data",
        ] {
            assert_eq!(looks_secret(text), None, "{text}");
        }
    }
}
