//! The machine itself: disk, memory, processes, who is at it.

use std::io;
use std::path::Path;
use std::time::Duration;

use crate::model::ProcessId;

/// How full a file system is, in bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DiskUsage {
    /// What ordinary users have and may have: what is kept back for the administrator is left out.
    pub total: u64,
    /// What an ordinary user may still write.
    pub free: u64,
}

/// How full the memory is, in bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct MemoryUsage {
    /// Its size.
    pub total: u64,
    /// What programs may still take without swapping.
    pub available: u64,
}

/// A process of this machine.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Process {
    /// Its number.
    pub pid: u32,
    /// Its command line; empty for one that has only just started, or has ended and was not waited for.
    pub command: Vec<String>,
}

/// A signal by which a process is told something.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ProcessSignal {
    /// SIGHUP: most services read their configuration again.
    Hup,
    /// SIGUSR1.
    Usr1,
    /// SIGUSR2: some services replace themselves.
    Usr2,
    /// SIGTERM: it ends, and whoever watches over it starts it again.
    Term,
}

pub(super) fn disk(path: &Path) -> io::Result<DiskUsage> {
    let stat = rustix::fs::statvfs(path)?;
    // As `df` counts: what is kept back for the administrator belongs to neither side.
    let used = stat.f_blocks.saturating_sub(stat.f_bfree);
    Ok(DiskUsage { total: (used + stat.f_bavail) * stat.f_frsize, free: stat.f_bavail * stat.f_frsize })
}

/// Reads `/proc/meminfo`: its `MemAvailable` is the kernel's own estimate.
pub(super) fn memory() -> io::Result<MemoryUsage> {
    let text = std::fs::read_to_string("/proc/meminfo")?;
    let field = |name: &str| {
        let line = text.lines().find_map(|line| line.strip_prefix(name))?;
        line.trim().strip_suffix("kB")?.trim().parse::<u64>().ok().map(|kib| kib * 1024)
    };
    match (field("MemTotal:"), field("MemAvailable:")) {
        (Some(total), Some(available)) => Ok(MemoryUsage { total, available }),
        _ => Err(io::Error::new(io::ErrorKind::Unsupported, "/proc/meminfo has no MemTotal and MemAvailable")),
    }
}

pub(super) fn process(pid: u32) -> io::Result<Process> {
    let text = std::fs::read(format!("/proc/{pid}/cmdline"))?;
    let command = text.split(|b| *b == 0).filter(|p| !p.is_empty()).map(|p| String::from_utf8_lossy(p).into_owned());
    Ok(Process { pid, command: command.collect() })
}

/// The fields of `/proc/PID/stat` from the third on. The second is the program's name in brackets and may hold anything, so
/// they are found from its end.
fn stat(pid: u32) -> io::Result<Vec<String>> {
    let text = std::fs::read(format!("/proc/{pid}/stat"))?;
    let text = String::from_utf8_lossy(&text);
    let rest = text.rsplit_once(')').map_or("", |(_, rest)| rest);
    Ok(rest.split_whitespace().map(str::to_owned).collect())
}

/// Whether a process leads a process group, and no session.
pub(super) fn leads_group_only(pid: u32) -> bool {
    // `pgrp` and `session`, fields 5 and 6.
    let number = |fields: &[String], at: usize| fields.get(at).and_then(|field| field.parse::<u32>().ok());
    stat(pid).is_ok_and(|fields| number(&fields, 2) == Some(pid) && number(&fields, 3) != Some(pid))
        && process_runs(pid)
}

/// Whether a process is there and has not ended. An empty command line does not say so: it is empty for a moment at the start.
pub(super) fn process_runs(pid: u32) -> bool {
    // `state`, field 3: `Z` and `X` have ended, and only wait for whoever started them.
    stat(pid).is_ok_and(|fields| fields.first().is_some_and(|state| state != "Z" && state != "X"))
}

/// When a process was started, counted from the machine's own start, to a hundredth of a second. Together with its number this
/// tells it from a later process that got the same number.
pub(super) fn process_start(pid: u32) -> io::Result<Duration> {
    // `starttime`, field 22, in ticks since boot; a tick is 10 ms on every architecture of Linux that Rust serves.
    let ticks = stat(pid)?.get(19).and_then(|field| field.parse::<u64>().ok());
    let ticks = ticks.ok_or_else(|| io::Error::new(io::ErrorKind::InvalidData, "no start time in /proc/PID/stat"))?;
    Ok(Duration::from_millis(ticks.saturating_mul(10)))
}

/// How long ago a process was started, to a hundredth of a second.
pub(super) fn process_age(pid: u32) -> io::Result<Duration> {
    let start = process_start(pid)?;
    let now = rustix::time::clock_gettime(rustix::time::ClockId::Boottime);
    let now = Duration::try_from(now).map_err(|_| io::Error::from(io::ErrorKind::InvalidData))?;
    Ok(now.saturating_sub(start))
}

/// This process.
pub(super) fn own_process() -> ProcessId {
    let pid = std::process::id();
    let started = process_start(pid).unwrap_or_default();
    ProcessId {
        host: host_name(),
        boot: boot_id(),
        pid,
        started_ms: u64::try_from(started.as_millis()).unwrap_or(u64::MAX),
    }
}

/// Whether that process still runs; `None` where only its own machine knows.
pub(super) fn still_runs(process: &ProcessId) -> Option<bool> {
    if process.host != host_name() {
        return None;
    }
    let started = || process_start(process.pid).is_ok_and(|at| at.as_millis() == u128::from(process.started_ms));
    Some(process.boot == boot_id() && process_runs(process.pid) && started())
}

fn host_name() -> String {
    rustix::system::uname().nodename().to_string_lossy().into_owned()
}

fn boot_id() -> String {
    std::fs::read_to_string("/proc/sys/kernel/random/boot_id").unwrap_or_default().trim().to_owned()
}

/// This process and the one that started it.
pub(super) fn own_processes() -> [u32; 2] {
    [std::process::id(), std::os::unix::process::parent_id()]
}

/// Ends a process at once (SIGKILL).
pub(super) fn kill(pid: u32) -> io::Result<()> {
    send(pid, rustix::process::Signal::KILL)
}

pub(super) fn signal(pid: u32, signal: ProcessSignal) -> io::Result<()> {
    let signal = match signal {
        ProcessSignal::Hup => rustix::process::Signal::HUP,
        ProcessSignal::Usr1 => rustix::process::Signal::USR1,
        ProcessSignal::Usr2 => rustix::process::Signal::USR2,
        ProcessSignal::Term => rustix::process::Signal::TERM,
    };
    send(pid, signal)
}

fn send(pid: u32, signal: rustix::process::Signal) -> io::Result<()> {
    let pid = i32::try_from(pid).ok().and_then(rustix::process::Pid::from_raw);
    let pid = pid.ok_or_else(|| io::Error::new(io::ErrorKind::InvalidInput, "not a process number"))?;
    Ok(rustix::process::kill_process(pid, signal)?)
}

/// Who works here, as `user@host`; parts that cannot be known are `?`.
pub fn whoami() -> String {
    let user = std::env::var("USER").or_else(|_| std::env::var("LOGNAME")).ok();
    let user = user.or_else(|| (rustix::process::getuid().is_root()).then(|| "root".to_owned()));
    let user = user.unwrap_or_else(|| format!("uid{}", rustix::process::getuid().as_raw()));
    let name = rustix::system::uname();
    format!("{user}@{}", name.nodename().to_str().unwrap_or("?"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_process_runs_until_it_has_ended_though_nobody_waited_for_it() {
        let mut child = std::process::Command::new("sleep").arg("60").spawn().expect("starts");
        let pid = child.id();
        assert!(process_runs(pid));
        let start = process_start(pid).expect("its start");
        assert!(start >= process_start(std::process::id()).expect("ours"));
        assert!(process_age(pid).expect("its age") <= process_age(std::process::id()).expect("ours, asked later"));
        kill(pid).expect("killed");
        while process_runs(pid) {
            std::thread::yield_now();
        }
        assert_eq!(process_start(pid).ok(), Some(start), "it is still listed");
        child.wait().expect("it has ended");
        assert!(!process_runs(pid) && process_age(pid).is_err());
    }
}
