//! Programs of others: started without a shell, in a process group of their own, with a time limit and bounded output.
//!
//! An [`Act`] may run any program. A [`Look`] may run one only if somebody vouches for it: the trusted configuration declares the
//! command read-only, and a [`ReadOnlyCommand`] carries that declaration.

mod empty_directory;
mod exchange;
mod kept;
mod lines;
mod run;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use zeroize::Zeroizing;

use super::{Act, Look};

use run::Streams;

pub use empty_directory::EmptyDirectory;
pub use kept::Kept;

/// A program with its arguments and all that surrounds it.
#[derive(Clone, PartialEq, Eq)]
pub struct CommandLine {
    /// The program's file.
    pub program: PathBuf,
    /// Its arguments, which no shell reads.
    pub arguments: Vec<String>,
    /// Its whole environment.
    pub environment: BTreeMap<String, String>,
    /// What it reads from its standard input; nothing if empty.
    pub input: Zeroizing<Vec<u8>>,
    /// The directory in which it starts.
    pub directory: PathBuf,
    /// How long it may take. Then its process group gets SIGTERM.
    pub time_limit: Duration,
    /// How long the group may then take to end by itself, before it gets SIGKILL.
    pub grace: Duration,
    /// How many bytes of each of its output streams are kept.
    pub output_limit: usize,
}

/// Environment and input may hold secrets, and arguments too.
impl fmt::Debug for CommandLine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let CommandLine { program, directory, time_limit, .. } = self;
        let mut debug = f.debug_struct("CommandLine");
        debug.field("program", program).field("directory", directory).field("time_limit", time_limit);
        debug.finish_non_exhaustive()
    }
}

impl CommandLine {
    /// The same command, of which the configuration says that it changes nothing. `declared_by` is where it says so, such as
    /// `impact of tool pg`. This is the only way to a command that a plan runs.
    pub fn declared_read_only(self, declared_by: impl Into<String>) -> ReadOnlyCommand {
        ReadOnlyCommand { command: self, declared_by: declared_by.into() }
    }
}

/// A command that changes nothing, as the trusted configuration declares. Nothing enforces that: who declares it answers for it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReadOnlyCommand {
    command: CommandLine,
    declared_by: String,
}

impl ReadOnlyCommand {
    /// Where the configuration says so.
    pub fn declared_by(&self) -> &str {
        &self.declared_by
    }
}

/// How a program ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ended {
    /// By itself, with this code.
    Exited(i32),
    /// By a signal that somebody else sent.
    Killed(i32),
    /// We ended it: its time was over.
    TimedOut,
    /// We ended it: the run was asked to stop.
    Interrupted,
}

/// What came of a program.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CommandEnd {
    /// How it ended.
    pub ended: Ended,
    /// What it wrote to its standard output.
    pub stdout: Kept,
    /// What it wrote to its standard error.
    pub stderr: Kept,
    /// How long it took.
    pub took: Duration,
}

/// A program that was not started: nothing happened.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct NotStarted {
    /// What failed, in lower case; names the file.
    pub message: String,
    /// What to do.
    pub hint: &'static str,
}

/// Gets each line that a program writes, without what would move a terminal's cursor.
pub type OnLine = Arc<dyn Fn(&str) + Send + Sync>;

impl Look {
    /// Runs a command that is declared read-only, and waits for its end. When the returned future is dropped, it is ended.
    pub async fn run_declared(&self, command: &ReadOnlyCommand) -> Result<CommandEnd, NotStarted> {
        let streams = Streams::heard(Arc::new(|_: &str| ()), self.secrets.redactor());
        run::run(command.command.clone(), self.clone(), streams).await
    }

    /// Runs a program that writes a secret; what it writes is taken as it is. Plans need secrets as well, to look at what is locked:
    /// by naming the program in `[environments.NAME.secrets]`, the trusted configuration declares that it only looks.
    pub(super) async fn run_for_a_secret(&self, command: &CommandLine) -> Result<CommandEnd, NotStarted> {
        run::run(command.clone(), self.clone(), Streams::heard(Arc::new(|_: &str| ()), &Arc::default())).await
    }

    /// The file of the program `name`: itself if it is a path, or else the first of that name in the directories of `path`
    /// (separated by colons) that can be executed.
    pub fn find_program(&self, name: &str, path: &str) -> Option<PathBuf> {
        let executable =
            |file: &PathBuf| file.is_file() && rustix::fs::access(file, rustix::fs::Access::EXEC_OK).is_ok();
        if name.contains('/') {
            return Some(PathBuf::from(name)).filter(executable);
        }
        // An entry that is no absolute path would mean something else in every directory.
        let directories = path.split(':').map(Path::new).filter(|directory| directory.is_absolute());
        directories.map(|directory| directory.join(name)).find(executable)
    }

    /// Those of these variables that are set in our own environment to text.
    pub fn environment(&self, names: &[&str]) -> BTreeMap<String, String> {
        names.iter().filter_map(|name| Some(((*name).to_owned(), std::env::var(name).ok()?))).collect()
    }
}

impl Act {
    /// Runs a command, and waits for its end; `on_line` gets its output as it comes. When the returned future is dropped, it is
    /// ended.
    pub async fn run(&self, command: &CommandLine, on_line: OnLine) -> Result<CommandEnd, NotStarted> {
        run::run(command.clone(), (**self).clone(), Streams::heard(on_line, self.secrets().redactor())).await
    }
}
