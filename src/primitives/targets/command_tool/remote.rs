//! A command on another host: `ssh` hands one text to the shell there, so every word of it is quoted.

use std::collections::BTreeMap;
use std::path::Path;

/// How another host is reached.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ssh {
    /// `user@host`, or an alias of the user's ssh configuration.
    pub host: String,
    /// The ssh client.
    pub program: String,
}

/// What the other host writes to its standard error, as a line, before the program starts. Where it is missing and ssh says that
/// it could not connect, nothing was started.
pub const STARTED: &str = "lifeboat: started";

impl Ssh {
    /// The arguments for the ssh client that start `words` over there. No terminal, no questions. The environment there is as small
    /// as here: PATH, HOME, LANG, TZ, and what `environment` adds.
    pub fn arguments(
        &self,
        words: &[String],
        environment: &BTreeMap<String, String>,
        directory: Option<&Path>,
    ) -> Vec<String> {
        let into = directory.map(|directory| format!("cd -- {} && ", quoted(&directory.to_string_lossy())));
        // An empty TZ is another time zone than none.
        let own = ["HOME", "LANG", "TZ"].map(|name| format!(r#"${{{name}+{name}="${name}"}}"#));
        let set = environment.iter().map(|(name, value)| format!("{name}={value}"));
        let words: Vec<String> = set.chain(words.iter().cloned()).map(|word| quoted(&word)).collect();
        let command = format!(
            r#"echo {} >&2; {}exec env -i PATH="$PATH" {} {}"#,
            quoted(STARTED),
            into.unwrap_or_default(),
            own.join(" "),
            words.join(" ")
        );
        let options = ["-T", "-o", "BatchMode=yes", "-o", "ConnectTimeout=15", "--"];
        options.iter().map(|option| (*option).to_owned()).chain([self.host.clone(), command]).collect()
    }
}

/// One word for a POSIX shell, whatever it holds.
pub(super) fn quoted(word: &str) -> String {
    format!("'{}'", word.replace('\'', r"'\''"))
}
