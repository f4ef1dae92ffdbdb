//! The machine itself: disk, memory, processes, who is at it.

use std::io;
use std::path::Path;

/// How full a file system is, in bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DiskUsage {
    /// Its size.
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
    /// Its command line; empty for one that has ended and was not waited for.
    pub command: Vec<String>,
}

pub(super) fn disk(path: &Path) -> io::Result<DiskUsage> {
    let stat = rustix::fs::statvfs(path)?;
    Ok(DiskUsage { total: stat.f_blocks * stat.f_frsize, free: stat.f_bavail * stat.f_frsize })
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

/// Ends a process at once (SIGKILL).
pub(super) fn kill(pid: u32) -> io::Result<()> {
    let pid = i32::try_from(pid).ok().and_then(rustix::process::Pid::from_raw);
    let pid = pid.ok_or_else(|| io::Error::new(io::ErrorKind::InvalidInput, "not a process number"))?;
    Ok(rustix::process::kill_process(pid, rustix::process::Signal::KILL)?)
}

/// Who works here, as `user@host`; parts that cannot be known are `?`.
pub fn whoami() -> String {
    let user = std::env::var("USER").or_else(|_| std::env::var("LOGNAME")).ok();
    let user = user.or_else(|| (rustix::process::getuid().is_root()).then(|| "root".to_owned()));
    let user = user.unwrap_or_else(|| format!("uid{}", rustix::process::getuid().as_raw()));
    let name = rustix::system::uname();
    format!("{user}@{}", name.nodename().to_str().unwrap_or("?"))
}
