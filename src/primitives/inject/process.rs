//! Killing a service's process: finding it, making sure that it is the right one, ending it.

use std::path::Path;
use std::time::Duration;

use crate::model::Fault;
use crate::primitives::Reconciled;
use crate::system::{Act, Look};

use super::strike::{failed, not_configured};
use super::{Aim, Record};

/// What the clocks of a process and of a file may differ by.
const SLACK: Duration = Duration::from_secs(10);

pub(super) fn pid_file<'a>(service: &str, pid_file: Option<&'a Path>) -> Result<&'a Path, Fault> {
    pid_file.ok_or_else(|| not_configured(service, "pid_file", "the file that holds its process number"))
}

/// Number and start of a process, `4711@35320ms`: numbers alone are used again.
pub(super) fn mark(pid: u32, look: &Look) -> String {
    let start = look.process_start(pid).unwrap_or_default();
    format!("{pid}@{}ms", start.as_millis())
}

fn number(mark: &str) -> Option<u32> {
    mark.split_once('@')?.0.parse().ok()
}

/// The process that `pid_file` names.
pub(super) fn aim(service: &str, pid_file: &Path, look: &Look) -> Result<Aim, Fault> {
    let shown = pid_file.display();
    let text = look.read_text(pid_file).map_err(|error| {
        failed(service, format!("cannot read {shown}: {error}")).hint("does the service run, and is `pid_file` right?")
    })?;
    // Some services write more into it; the number is always on the first line.
    let first = text.lines().next().unwrap_or_default().trim();
    let pid = first
        .parse::<u32>()
        .map_err(|_| failed(service, format!("{shown} holds {first:?}, which is no process number")))?;
    if pid <= 1 || look.own_processes().contains(&pid) {
        let message = format!("{shown} names process {pid}, which must not be killed");
        return Err(failed(service, message).hint("correct the file: it must name the service's own process"));
    }
    if !look.process_runs(pid) {
        return Err(
            failed(service, format!("process {pid} does not run (see {shown})")).hint("start the service first")
        );
    }
    let command = look.process(pid).map(|process| process.command.join(" ")).unwrap_or_default();
    // A number left behind in a file may by now be that of another process. Whoever wrote the file did so after the service had
    // started, so a process that is younger than the file is not the service.
    if let (Ok(process), Ok(file)) = (look.process_age(pid), look.file_age(pid_file))
        && process + SLACK < file
    {
        let message =
            format!("process {pid} (`{command}`) was started after {shown} was written: it is not the service");
        return Err(failed(service, message).hint("restart the service, or correct the file"));
    }
    Ok(Aim {
        mark: mark(pid, look),
        summary: format!("kill process {pid} (`{command}`)"),
        already: false,
        notes: Vec::new(),
    })
}

/// Ends the process, and waits a moment until it has gone.
pub(super) async fn strike(service: &str, mark: &str, act: &Act) -> Result<String, Fault> {
    let pid = number(mark).ok_or_else(|| failed(service, format!("{mark:?} names no process")))?;
    act.kill(pid).map_err(|error| failed(service, format!("cannot kill process {pid}: {error}")))?;
    for _ in 0..200 {
        if !act.process_runs(pid) {
            return Ok(format!("killed process {pid}"));
        }
        // Asked to stop: the signal is on its way all the same.
        if act.sleep(Duration::from_millis(10)).await.is_err() {
            break;
        }
    }
    Ok(format!("killed process {pid}, which has not gone yet"))
}

/// Whether the recorded process has gone. One that was started at another time has only inherited its number.
pub(super) fn was_struck(record: &Record, look: &Look) -> Reconciled<()> {
    let Some(pid) = number(&record.mark) else {
        return Reconciled::Unknown { why: format!("the record {:?} names no process", record.mark) };
    };
    if look.process_runs(pid) && mark(pid, look) == record.mark {
        Reconciled::NotApplied { evidence: format!("process {pid} still runs") }
    } else {
        Reconciled::Applied { output: (), evidence: format!("process {pid} has gone") }
    }
}
