//! A program that gets a message on its standard input and answers on its standard output. Nothing that it starts outlives it.

use std::sync::Arc;

use super::run::{Streams, run};
use super::{CommandEnd, CommandLine, NotStarted, OnLine, ReadOnlyCommand};
use crate::system::{Act, Look};

/// What a program finds on its standard input.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Input {
    /// Nothing: it ends at once.
    Nothing,
    /// These bytes; then it ends.
    Bytes(Vec<u8>),
    /// No byte, and no end either.
    Held,
}

fn streams(input: Input, on_stderr: OnLine) -> Streams {
    Streams { input, on_stdout: Arc::new(|_: &str| ()), on_stderr, alone: true }
}

impl Look {
    /// Gives a program that is declared read-only its input, and waits for its end. `on_stderr` gets the lines of its standard error
    /// as they come. When the returned future is dropped, it is ended.
    pub async fn exchange_declared(
        &self,
        command: &ReadOnlyCommand,
        input: Input,
        on_stderr: OnLine,
    ) -> Result<CommandEnd, NotStarted> {
        run(command.command.clone(), self.clone(), streams(input, on_stderr)).await
    }
}

impl Act {
    /// The same with any program.
    pub async fn exchange(
        &self,
        command: &CommandLine,
        input: Input,
        on_stderr: OnLine,
    ) -> Result<CommandEnd, NotStarted> {
        run(command.clone(), (**self).clone(), streams(input, on_stderr)).await
    }
}
