//! A program that the settings of a target name, with places for what is known only at the call: `["./deploy", "{version}"]`.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use crate::config::Environment;
use zeroize::Zeroizing;

use crate::model::{IdempotencyKey, SecretText, Span};
use crate::system::{Act, CommandEnd, CommandLine, Ended, Look};

use super::KEY;

/// What a program finds in its environment beside what the configuration adds.
const INHERITED: [&str; 4] = ["PATH", "HOME", "LANG", "TZ"];
/// How long a program may take to end by itself when its time is over.
const GRACE: Duration = Duration::from_secs(5);
/// How many bytes of each of its output streams are kept.
const KEPT: usize = 64 << 10;
/// How many of the last lines of its output are repeated when it fails, and how many characters of them.
const SHOWN: (usize, usize) = (5, 600);

/// A program with its arguments. No shell reads them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Argv {
    /// The program and its arguments; `{name}` stands for a value.
    pub words: Vec<String>,
    /// What is added to its environment.
    pub env: BTreeMap<String, SecretText>,
    /// Where it starts.
    pub directory: PathBuf,
    /// How long it may take.
    pub time_limit: Span,
}

/// Why a program did not do what it should.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ArgvFailure {
    /// What failed, in lower case: `` `systemctl reload web` ended with exit code 1: … ``.
    pub message: String,
    /// Whether it was started at all.
    pub started: bool,
    /// Whether it was ended because the run was asked to stop.
    pub interrupted: bool,
}

/// What stands for the places of a program, such as `[("version", "1.5.0")]`.
pub type Values<'a> = &'a [(&'a str, &'a str)];

impl Argv {
    /// Why `words` cannot be a program whose places are among `places`.
    pub fn mistake(words: &[String], places: &[&str]) -> Option<String> {
        if words.first().is_none_or(String::is_empty) {
            return Some("names no program".to_owned());
        }
        if words.iter().any(|word| word.contains('\0')) {
            return Some("holds a NUL character, which no program takes".to_owned());
        }
        let unknown = words.iter().flat_map(|word| braced(word)).find(|name| !places.contains(name));
        unknown.map(|name| {
            let known: Vec<String> = places.iter().map(|place| format!("{{{place}}}")).collect();
            format!("has `{{{name}}}`, and knows only {}", known.join(" and "))
        })
    }

    /// The program of this machine that the configuration names by `words`: a path starts at the project's directory.
    pub fn here(mut words: Vec<String>, environment: &Environment) -> Vec<String> {
        if let Some(program) = words.first_mut().filter(|program| program.contains('/')) {
            *program = environment.resolve(Path::new(program.as_str())).to_string_lossy().into_owned();
        }
        words
    }

    /// As people read it.
    pub fn shown(&self, values: Values<'_>) -> String {
        let words = self.words.iter().map(|word| filled(word, values));
        let word =
            |word: String| if word.contains([' ', '\'', '"']) || word.is_empty() { format!("{word:?}") } else { word };
        words.map(word).collect::<Vec<_>>().join(" ")
    }

    /// What is started.
    pub fn command(
        &self,
        values: Values<'_>,
        key: Option<&IdempotencyKey>,
        look: &Look,
    ) -> Result<CommandLine, String> {
        let mut words = self.words.iter().map(|word| filled(word, values));
        let name = words.next().unwrap_or_default();
        let inherited = look.environment(&INHERITED);
        let own = self.env.get("PATH").and_then(SecretText::as_plain);
        let path = own.or(inherited.get("PATH").map(String::as_str)).unwrap_or("/usr/bin:/bin");
        let program = look
            .find_program(&name, path)
            .ok_or_else(|| format!("cannot start {name}: there is no such program that may be executed"))?;
        let mut environment = inherited.clone();
        for (name, text) in &self.env {
            if let Some(fault) = look.obstacle_to(text) {
                return Err(fault.message);
            }
            environment.extend(text.as_plain().map(|text| (name.clone(), text.to_owned())));
        }
        environment.extend(key.map(|key| (KEY.to_owned(), key.to_string())));
        let (arguments, directory) = (words.collect(), self.directory.clone());
        let time_limit = self.time_limit.0;
        let (input, output_limit) = (Zeroizing::default(), KEPT);
        Ok(CommandLine { program, arguments, environment, input, directory, time_limit, grace: GRACE, output_limit })
    }

    /// The same with its secrets, ready to be started.
    pub async fn ready(
        &self,
        values: Values<'_>,
        key: Option<&IdempotencyKey>,
        look: &Look,
    ) -> Result<CommandLine, String> {
        let mut command = self.command(values, key, look)?;
        for (name, text) in self.env.iter().filter(|(_, text)| text.as_plain().is_none()) {
            let value = look.reveal(text).await.map_err(|fault| fault.message)?;
            command.environment.insert(name.clone(), value.to_string());
        }
        Ok(command)
    }

    /// Runs it; its output is shown as `NAME: line`.
    pub async fn run(
        &self,
        name: &str,
        values: Values<'_>,
        key: &IdempotencyKey,
        act: &Act,
    ) -> Result<(), ArgvFailure> {
        let not_started = |message| ArgvFailure { message, started: false, interrupted: false };
        let command = self.ready(values, Some(key), act).await.map_err(not_started)?;
        let (console, name) = (act.clone(), name.to_owned());
        let on_line = Arc::new(move |line: &str| console.show(&format!("{name}: {line}")));
        let end = act.run(&command, on_line).await.map_err(|error| not_started(error.message))?;
        self.judge(values, &end).map(drop)
    }

    /// What it wrote to its standard output, if it ended with exit code 0.
    pub fn judge(&self, values: Values<'_>, end: &CommandEnd) -> Result<String, ArgvFailure> {
        let (stdout, stderr) = (end.stdout.text(), end.stderr.text());
        let what = match end.ended {
            Ended::Exited(0) => return Ok(stdout),
            Ended::Exited(code) => format!("ended with exit code {code}"),
            Ended::Killed(signal) => format!("was ended by signal {signal}"),
            Ended::TimedOut => format!("did not end within {}, and was ended", self.time_limit),
            Ended::Interrupted => "was ended because the run was asked to stop".to_owned(),
        };
        let said = last_lines(if stderr.trim().is_empty() { &stdout } else { &stderr });
        let said = if said.is_empty() { said } else { format!(": {said}") };
        let message = format!("`{}` {what}{said}", self.shown(values));
        Err(ArgvFailure { message, started: true, interrupted: end.ended == Ended::Interrupted })
    }
}

/// The names that stand in braces: letters and `_` only, so that other braces are what they are.
fn braced(word: &str) -> impl Iterator<Item = &str> {
    let names = word.split('{').skip(1).filter_map(|rest| rest.split_once('}').map(|(name, _)| name));
    names.filter(|name| !name.is_empty() && name.chars().all(|c| c.is_ascii_lowercase() || c == '_'))
}

/// A word with its places filled, each once: a value that looks like a place stays what it is.
fn filled(word: &str, values: Values<'_>) -> String {
    let (mut filled, mut rest) = (String::new(), word);
    while let Some(at) = rest.find('{') {
        let place =
            values.iter().find(|(name, _)| rest[at + 1..].strip_prefix(name).is_some_and(|r| r.starts_with('}')));
        filled.push_str(&rest[..at]);
        if let Some((name, value)) = place {
            filled.push_str(value);
            rest = &rest[at + name.len() + 2..];
        } else {
            filled.push('{');
            rest = &rest[at + 1..];
        }
    }
    filled + rest
}

/// The last lines that say something, as one.
fn last_lines(text: &str) -> String {
    let lines: Vec<&str> = text.lines().map(str::trim).filter(|line| !line.is_empty()).collect();
    let last = lines[lines.len().saturating_sub(SHOWN.0)..].join("; ");
    let excess = last.chars().count().saturating_sub(SHOWN.1);
    if excess == 0 { last } else { format!("…{}", last.chars().skip(excess).collect::<String>()) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(words: &[&str]) -> Vec<String> {
        words.iter().map(|word| (*word).to_owned()).collect()
    }

    #[test]
    fn places_are_filled_once_and_other_braces_stay() {
        let values = [("version", "{previous}"), ("previous", "1.4.1")];
        assert_eq!(filled("--to={version}, from {previous}{x} {", &values), "--to={previous}, from 1.4.1{x} {");
        let argv = Argv {
            words: words(&["./deploy", "{version}", "two words", ""]),
            env: BTreeMap::new(),
            directory: PathBuf::new(),
            time_limit: Span::from_secs(1),
        };
        assert_eq!(argv.shown(&[("version", "1.5.0")]), r#"./deploy 1.5.0 "two words" """#);
    }

    #[test]
    fn what_is_no_program_is_said() {
        let places = ["version", "previous"];
        assert_eq!(Argv::mistake(&words(&["d", "{version}", "{\"a\": {}}"]), &places), None);
        assert_eq!(Argv::mistake(&[], &places).as_deref(), Some("names no program"));
        let unknown = Argv::mistake(&words(&["d", "{verison}"]), &places);
        assert_eq!(unknown.as_deref(), Some("has `{verison}`, and knows only {version} and {previous}"));
        assert!(Argv::mistake(&words(&["d", "a\0"]), &places).is_some());
    }
}
