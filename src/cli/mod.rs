//! Floor 5: the command line. One file for each command; one printer owns the streams.

mod answer;
mod approve;
mod attach;
mod cancel;
mod check;
mod completions;
mod diagnostics;
mod diff;
mod doc;
mod doctor;
mod drawn;
mod drill;
mod exit;
mod explore;
mod html;
mod init;
mod junit;
mod lanes;
mod markdown;
mod open;
mod outbox;
mod output;
mod people;
mod plan;
mod printer;
mod progress;
mod prune;
mod repl;
mod replay;
mod resume;
mod review;
mod rollback;
mod run;
mod runs;
mod sandbox;
mod settle;
mod show;
mod show_text;
mod test;
mod timeline;
mod untangle;
mod verify;
mod ways;
mod when;
mod words;
mod wrap;

use clap::{Args, Parser, Subcommand};

pub use exit::Exit;
use printer::Printer;

/// Runbooks that are executable, dry-runnable and rehearsed.
#[derive(Parser)]
#[command(name = "lifeboat", version, max_term_width = 80, disable_help_subcommand = true)]
#[command(
    after_help = "Exit codes: 0 done, 1 failed and rolled back (explore: a path ends badly; test: a test failed), 3 refused, 4 in doubt, 5 objectives missed, \
    6 failed and left changed, 7 waiting for an answer, 64 usage, 65 runbook has errors, 74 not recorded, \
    78 configuration, 130 cancelled and rolled back."
)]
pub struct Cli {
    #[command(flatten)]
    global: Global,
    #[command(subcommand)]
    command: Command,
}

/// Options that every command takes.
#[derive(Args, Clone, Debug)]
pub(crate) struct Global {
    /// The configuration [default: lifeboat.toml here or in a directory above]
    #[arg(long, global = true, value_name = "FILE")]
    config: Option<std::path::PathBuf>,
    /// The environment [default: the one that lifeboat.toml names]
    #[arg(long, global = true, value_name = "NAME")]
    env: Option<String>,
    /// Write JSON for machines to the standard output
    #[arg(long, global = true)]
    json: bool,
    /// When to use colour
    #[arg(long, global = true, value_name = "WHEN", value_enum, default_value_t)]
    color: printer::Color,
}

#[derive(Subcommand)]
enum Command {
    Init(init::Init),
    Check(check::Check),
    Plan(plan::PlanCommand),
    Explore(explore::Explore),
    Test(test::Test),
    Diff(diff::Diff),
    Review(review::Review),
    Approve(approve::Approve),
    Run(run::Run),
    Resume(resume::Resume),
    Rollback(rollback::Rollback),
    Cancel(cancel::Cancel),
    Attach(attach::Attach),
    Settle(settle::Settle),
    Answer(answer::Answer),
    Drill(drill::Drill),
    Runs(runs::Runs),
    Show(show::Show),
    Timeline(timeline::Timeline),
    Repl(repl::Repl),
    Replay(replay::Replay),
    Verify(verify::Verify),
    Prune(prune::PruneCommand),
    Outbox(outbox::Outbox),
    Doc(doc::Doc),
    Doctor(doctor::Doctor),
    Completions(completions::Completions),
    #[command(hide = true)]
    Sandbox(sandbox::Sandbox),
}

/// Parses the command line and does what it says. The error of a wrong command line is printed by the caller.
pub fn main(args: impl IntoIterator<Item = std::ffi::OsString>) -> Exit {
    let cli = match Cli::try_parse_from(args) {
        Ok(cli) => cli,
        Err(error) => {
            let help = !error.use_stderr();
            // A closed pipe is the reader's choice.
            let _ = error.print();
            return if help { Exit::Done } else { Exit::Usage };
        }
    };
    let printer = Printer::new(cli.global.color, cli.global.json);
    match perform(cli.command, &cli.global, &printer) {
        Ok(Exit::Done) if printer.lost_output() => {
            printer.err("the result could not be written to the standard output");
            Exit::Output
        }
        Ok(exit) => exit,
        Err(error) => {
            printer.error(&error);
            exit::of_error(&error)
        }
    }
}

/// Does what a command says.
fn perform(command: Command, global: &Global, printer: &Printer) -> Result<Exit, crate::runtime::Error> {
    match command {
        Command::Init(command) => command.execute(global, printer),
        Command::Check(command) => command.execute(global, printer),
        Command::Plan(command) => command.execute(global, printer),
        Command::Explore(command) => command.execute(global, printer),
        Command::Test(command) => command.execute(global, printer),
        Command::Diff(command) => command.execute(global, printer),
        Command::Review(command) => command.execute(global, printer),
        Command::Approve(command) => command.execute(global, printer),
        Command::Run(command) => command.execute(global, printer),
        Command::Resume(command) => command.execute(global, printer),
        Command::Rollback(command) => command.execute(global, printer),
        Command::Cancel(command) => command.execute(global, printer),
        Command::Attach(command) => command.execute(global, printer),
        Command::Answer(command) => command.execute(global, printer),
        Command::Settle(command) => command.execute(global, printer),
        Command::Drill(command) => command.execute(global, printer),
        Command::Runs(command) => command.execute(global, printer),
        Command::Show(command) => command.execute(global, printer),
        Command::Repl(command) => command.execute(global, printer),
        Command::Replay(command) => command.execute(global, printer),
        Command::Timeline(command) => command.execute(global, printer),
        Command::Verify(command) => command.execute(global, printer),
        Command::Prune(command) => command.execute(global, printer),
        Command::Outbox(command) => command.execute(global, printer),
        Command::Doc(command) => command.execute(printer),
        Command::Doctor(command) => command.execute(global, printer),
        Command::Completions(command) => command.execute(printer),
        Command::Sandbox(command) => command.execute(printer),
    }
}
