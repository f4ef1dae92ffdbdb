//! A program that gets a message on its standard input and answers on its standard output. Nothing that it starts outlives it.

use std::sync::Arc;

use super::run::{Streams, run};
use super::{CommandEnd, CommandLine, NotStarted, OnLine, ReadOnlyCommand};
use crate::system::{Act, Look};

fn streams(look: &Look, held: bool, on_stderr: OnLine) -> Streams {
    let redactor = look.secrets().redactor().clone();
    Streams { on_stdout: Arc::new(|_: &str| ()), on_stderr, redactor, held, alone: true }
}

impl Look {
    /// Runs a program that is declared read-only, and waits for its end; then whatever it started is ended, too. When the returned
    /// future is dropped, it is ended itself.
    pub async fn exchange_declared(&self, command: &ReadOnlyCommand) -> Result<CommandEnd, NotStarted> {
        run(command.command.clone(), self.clone(), streams(self, false, Arc::new(|_: &str| ()))).await
    }
}

impl Act {
    /// The same with any program; `on_stderr` gets the lines of its standard error as they come.
    pub async fn exchange(&self, command: &CommandLine, on_stderr: OnLine) -> Result<CommandEnd, NotStarted> {
        run(command.clone(), (**self).clone(), streams(self, false, on_stderr)).await
    }

    /// The same with a program whose standard input brings nothing and does not end: it waits until its time is over.
    pub async fn exchange_nothing(&self, command: &CommandLine) -> Result<CommandEnd, NotStarted> {
        run(command.clone(), (**self).clone(), streams(self, true, Arc::new(|_: &str| ()))).await
    }
}
