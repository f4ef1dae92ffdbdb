//! `lifeboat completions`: what a shell must know to complete our commands.

use clap::{Args, CommandFactory};
use clap_complete::Shell;

use crate::runtime::Error;

use super::printer::Printer;
use super::{Cli, Exit};

/// Print the completions for a shell: source them from its profile
#[derive(Args)]
pub(super) struct Completions {
    /// The shell
    #[arg(value_name = "SHELL", value_enum)]
    shell: Shell,
}

impl Completions {
    #[expect(clippy::unnecessary_wraps, reason = "every command returns the same")]
    pub(super) fn execute(&self, printer: &Printer) -> Result<Exit, Error> {
        let mut script = Vec::new();
        clap_complete::generate(self.shell, &mut Cli::command(), "lifeboat", &mut script);
        printer.out(String::from_utf8_lossy(&script).trim_end());
        Ok(Exit::Done)
    }
}
