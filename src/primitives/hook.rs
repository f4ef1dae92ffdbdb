//! Programs that the configuration names to check, store or announce something that Lifeboat changes itself.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use zeroize::Zeroizing;

use crate::model::{IdempotencyKey, Span};
use crate::primitives::targets::KEY;
use crate::system::{Act, CommandLine, Ended};

/// What stands for the file in the arguments.
const FILE: &str = "{file}";
/// What a program finds in its environment.
const INHERITED: [&str; 4] = ["PATH", "HOME", "LANG", "TZ"];
/// How much of its output is read.
const OUTPUT: usize = 16 << 10;
/// How much of its output is repeated, in characters.
const SHOWN: usize = 400;

/// A program with its arguments. No shell reads them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Hook {
    /// The program and its arguments.
    pub words: Vec<String>,
    /// Where it starts.
    pub directory: PathBuf,
    /// How long it may take.
    pub time_limit: Span,
}

/// What a program gets.
#[derive(Default)]
pub(in crate::primitives) struct Given<'a> {
    /// A file that takes the place of `{file}` in its arguments, or comes last.
    pub(in crate::primitives) file: Option<&'a Path>,
    /// What it reads from its standard input.
    pub(in crate::primitives) input: Zeroizing<Vec<u8>>,
    /// What is not repeated of its output, beside the secrets that Lifeboat itself knows.
    pub(in crate::primitives) secrets: &'a [String],
}

/// Why a program did not succeed.
#[derive(Debug)]
pub(in crate::primitives) struct HookFailed {
    /// What failed, with the end of what it said.
    pub(in crate::primitives) message: String,
    /// Whether it was started at all.
    pub(in crate::primitives) started: bool,
    /// Whether the run was asked to stop.
    pub(in crate::primitives) interrupted: bool,
}

impl Hook {
    /// One that starts in the project's directory and may take a minute. A program that is named by a path starts there, too.
    pub(in crate::primitives) fn of(mut words: Vec<String>, root: &Path) -> Self {
        if words.first().is_some_and(|program| program.contains('/')) {
            words[0] = root.join(&words[0]).to_string_lossy().into_owned();
        }
        Self { words, directory: root.to_path_buf(), time_limit: Span::from_secs(60) }
    }

    /// As people type it.
    pub(in crate::primitives) fn shown(&self) -> String {
        self.words.join(" ")
    }

    /// Runs it and waits for its end.
    pub(in crate::primitives) async fn run(
        &self,
        act: &Act,
        key: &IdempotencyKey,
        given: Given<'_>,
    ) -> Result<(), HookFailed> {
        let Given { file, input, secrets } = given;
        let failed = |what: String, started: bool, interrupted: bool| {
            Err(HookFailed { message: format!("`{}` {what}", self.shown()), started, interrupted })
        };
        let mut words = self.words.clone();
        if let Some(file) = file {
            let file = file.to_string_lossy().into_owned();
            if words.iter().any(|word| word.contains(FILE)) {
                for word in &mut words {
                    *word = word.replace(FILE, &file);
                }
            } else {
                words.push(file);
            }
        }
        let mut environment = act.environment(&INHERITED);
        let path = environment.get("PATH").cloned().unwrap_or_else(|| "/usr/bin:/bin".to_owned());
        let Some(program) = act.find_program(&words[0], &path) else {
            return failed(format!("cannot be started: there is no program {}", words[0]), false, false);
        };
        environment.insert(KEY.to_owned(), key.to_string());
        let command = CommandLine {
            program,
            arguments: words.split_off(1),
            environment,
            input,
            directory: self.directory.clone(),
            time_limit: self.time_limit.0,
            grace: Duration::from_secs(5),
            output_limit: OUTPUT,
        };
        let end = match act.run(&command, Arc::new(|_: &str| ())).await {
            Ok(end) => end,
            Err(error) => return failed(format!("cannot be started: {}", error.message), false, false),
        };
        let (out, err) = (end.stdout.text(), end.stderr.text());
        let said = last_lines(if err.trim().is_empty() { &out } else { &err }, secrets);
        let said = if said.is_empty() { said } else { format!(": {said}") };
        match end.ended {
            Ended::Exited(0) => Ok(()),
            Ended::Exited(code) => failed(format!("ended with exit code {code}{said}"), true, false),
            Ended::Killed(signal) => failed(format!("was ended by signal {signal}{said}"), true, false),
            Ended::TimedOut => failed(format!("did not end within {}{said}", self.time_limit), true, false),
            Ended::Interrupted => failed("was ended because the run was asked to stop".to_owned(), true, true),
        }
    }
}

/// The last lines that say something, as one, without secrets.
fn last_lines(text: &str, secrets: &[String]) -> String {
    let mut text = text.to_owned();
    for secret in secrets {
        text = text.replace(secret.as_str(), "‹secret›");
    }
    let lines: Vec<&str> = text.lines().map(str::trim).filter(|line| !line.is_empty()).collect();
    let last = lines[lines.len().saturating_sub(5)..].join("; ");
    let excess = last.chars().count().saturating_sub(SHOWN);
    if excess == 0 { last } else { format!("…{}", last.chars().skip(excess).collect::<String>()) }
}
