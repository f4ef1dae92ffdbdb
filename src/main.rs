//! The `lifeboat` program: parse, run, exit code.

use std::process::ExitCode;

fn main() -> ExitCode {
    ExitCode::from(lifeboat::cli::main(std::env::args_os()).code())
}
