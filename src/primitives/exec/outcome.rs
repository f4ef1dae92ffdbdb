//! What the end of a program means.

use crate::model::{Applied, Fault, ImpactKind, SecretText};
use crate::primitives::targets::{CommandTool, STARTED};
use crate::system::{CommandEnd, Ended};

use super::{Args, Output};

/// How many of the last lines of its output a fault repeats.
const LINES: usize = 5;
/// How many characters of them.
const CHARACTERS: usize = 600;

/// The exit code of the ssh client itself, and of nobody knows what on the other side.
const SSH_FAILED: i32 = 255;

/// What the call returns, or the fault with which it ends.
pub(super) fn judge(tool: &CommandTool, args: &Args, end: &CommandEnd) -> Result<Output, Fault> {
    let (marked, stderr) = without_mark(tool, end.stderr.text());
    // The mark may stand in the part that was left out.
    let begun = marked || end.stderr.left_out() > 0;
    let stdout = end.stdout.text();
    let unsure = if tool.impact == ImpactKind::Look { Applied::No } else { Applied::Unknown };
    let command = tool.shown(args);
    let said = if tool.secret_output { "" } else { stdout.as_str() };
    let fault = |code: &str, what: String, applied: Applied| {
        let said = last_lines(if stderr.trim().is_empty() { said } else { &stderr });
        let said = if said.is_empty() { said } else { format!(": {said}") };
        Fault::new(code, format!("`{command}` {what}{said}")).on(&tool.name).applied(applied)
    };
    match end.ended {
        Ended::Exited(code) if contains(&tool.exit_codes, code) => {
            let cut = end.stdout.left_out() + end.stderr.left_out() > 0;
            let took_ms = u64::try_from(end.took.as_millis()).unwrap_or(u64::MAX);
            Ok(Output { code, ok: true, stdout: SecretText::plain(&stdout), stderr, cut, took_ms })
        }
        Ended::Exited(SSH_FAILED) if tool.ssh.is_some() && !begun && could_not_connect(&stderr) => {
            let message = format!("cannot start `{command}`: {}", last_lines(&stderr));
            Err(not_started(tool, message, "see whether the host is up, and try `ssh` with the same user and host"))
        }
        Ended::Exited(code) => {
            let applied = if contains(&tool.unchanged_codes, code) { Applied::No } else { unsure };
            Err(fault("exec-failed", format!("ended with exit code {code}"), applied))
        }
        Ended::Killed(signal) => Err(fault("exec-failed", format!("was ended by signal {signal}"), unsure)),
        Ended::TimedOut => {
            let limit = args.time_limit.unwrap_or(tool.time_limit);
            let fault = fault("exec-timeout", format!("did not end within {limit}, and was ended"), unsure);
            Err(fault.hint(format!("raise `time_limit` of tool {} if it only needs longer", tool.name)))
        }
        Ended::Interrupted => {
            Err(fault("interrupted", "was ended because the run was asked to stop".to_owned(), unsure))
        }
    }
}

/// A fault of a program that was not started: nothing happened.
pub(super) fn not_started(tool: &CommandTool, message: String, hint: &str) -> Fault {
    Fault::new("exec-not-started", message).on(&tool.name).hint(hint)
}

fn contains(codes: &[u8], code: i32) -> bool {
    u8::try_from(code).is_ok_and(|code| codes.contains(&code))
}

/// Whether the other side said that it starts the program, and the output without that.
fn without_mark(tool: &CommandTool, stderr: String) -> (bool, String) {
    let mark = format!("{STARTED}\n");
    // It is the first line of the other side; what ssh itself says comes before it.
    let place = tool.ssh.as_ref().and_then(|_| {
        let starts = stderr.match_indices(&mark).map(|(at, _)| at);
        starts.into_iter().find(|at| *at == 0 || stderr[..*at].ends_with('\n'))
    });
    match place {
        Some(at) => (true, format!("{}{}", &stderr[..at], &stderr[at + mark.len()..])),
        None => (tool.ssh.is_none(), stderr),
    }
}

/// Whether the ssh client says that it did not get as far as to start anything. A program over there that uses ssh itself may say
/// the same, but only after the mark.
fn could_not_connect(stderr: &str) -> bool {
    let says = |line: &str| {
        line.starts_with("ssh: connect to host ")
            || line.starts_with("ssh: Could not resolve hostname ")
            || line.starts_with("Host key verification failed")
            || line.contains(": Permission denied (")
    };
    stderr.lines().any(|line| says(line.trim_end()))
}

/// The last lines that say something, as one.
fn last_lines(text: &str) -> String {
    let lines: Vec<&str> = text.lines().map(str::trim).filter(|line| !line.is_empty()).collect();
    let last = lines[lines.len().saturating_sub(LINES)..].join("; ");
    let excess = last.chars().count().saturating_sub(CHARACTERS);
    if excess == 0 { last } else { format!("…{}", last.chars().skip(excess).collect::<String>()) }
}
