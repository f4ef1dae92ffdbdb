//! Programs that the configuration names to check, store or announce something that Lifeboat changes itself.

use std::collections::BTreeMap;
use std::path::Path;

use zeroize::Zeroizing;

use crate::model::{IdempotencyKey, Span};
use crate::primitives::targets::{Argv, ArgvFailure};
use crate::system::Act;

/// The place of a file in the arguments.
const FILE: &str = "file";
/// How long a program may take where nothing else is set.
const USUAL: Span = Span::from_secs(60);

/// A program that is run beside a change.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Hook(Argv);

/// What a program gets.
#[derive(Default)]
pub(in crate::primitives) struct Given<'a> {
    /// A file that takes the place of `{file}` in its arguments, or comes last.
    pub(in crate::primitives) file: Option<&'a Path>,
    /// What it reads from its standard input.
    pub(in crate::primitives) input: Zeroizing<Vec<u8>>,
}

impl Hook {
    /// One that starts in the project's directory. A program that is named by a path starts there, too.
    pub(in crate::primitives) fn of(mut words: Vec<String>, root: &Path, time_limit: Option<Span>) -> Self {
        if let Some(program) = words.first_mut().filter(|program| program.contains('/')) {
            *program = root.join(&*program).to_string_lossy().into_owned();
        }
        let (env, directory) = (BTreeMap::new(), root.to_path_buf());
        Self(Argv { words, env, directory, time_limit: time_limit.unwrap_or(USUAL) })
    }

    /// As people type it.
    pub(in crate::primitives) fn shown(&self) -> String {
        self.0.shown(&[])
    }

    /// Runs it and waits for its end.
    pub(in crate::primitives) async fn run(
        &self,
        act: &Act,
        key: &IdempotencyKey,
        given: Given<'_>,
    ) -> Result<(), ArgvFailure> {
        let not_started = |message| ArgvFailure { message, started: false, interrupted: false };
        let mut argv = self.0.clone();
        let file = given.file.map(|file| file.to_string_lossy().into_owned());
        if let Some(file) = &file
            && !argv.words.iter().any(|word| word.contains("{file}"))
        {
            argv.words.push(file.clone());
        }
        let values: Vec<(&str, &str)> = file.iter().map(|file| (FILE, file.as_str())).collect();
        let mut command = argv.command(&values, Some(key), act).map_err(not_started)?;
        command.input = given.input;
        // What it says is not shown as it comes: only its end is told, where it fails.
        let end = act.run(&command, std::sync::Arc::new(|_: &str| ())).await;
        argv.judge(&values, &end.map_err(|error| not_started(error.message))?).map(drop)
    }
}
