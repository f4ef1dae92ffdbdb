//! The `lifeboat` program: parse, run, exit code.

use std::process::ExitCode;

// An exploration asks for memory a fifth of its time; the system's allocator costs it several paths of a hundred.
#[global_allocator]
static MEMORY: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    ExitCode::from(lifeboat::cli::main(std::env::args_os()).code())
}
