//! The small real system on which drills rehearse: a service over a database, a load that keeps a ledger, and a webhook sink.
//!
//! It is an application under test, not a part of Lifeboat: nothing here knows of runs, worlds or journals, and Lifeboat meets it
//! only as it meets any other system, through HTTP, files, signals and SQL. That is why it may touch the machine directly.
//!
//! Each part is an async function that runs until its [`CancellationToken`](tokio_util::sync::CancellationToken) is cancelled:
//! [`serve()`], [`load()`] and [`sink()`]. Each calls `ready` once, when it does its work.
#![expect(clippy::disallowed_methods, reason = "an application under test touches its files and its clock itself")]

mod caller;
mod error;
mod ledger;
mod load;
mod orders;
mod pid_file;
mod pragma;
mod release;
mod seed;
mod serve;
mod server;
mod sink;
#[cfg(test)]
mod tests;

pub use error::SandboxError;
pub use load::{LoadOptions, load};
pub use release::Reload;
pub use serve::{ServeOptions, serve};
pub use sink::{SinkOptions, sink};

use std::ffi::OsString;
use std::io;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::time::{SystemTime, UNIX_EPOCH};

/// What a part of the sandbox says once it does its work.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ready {
    /// Where it listens; the port is the real one where 0 was asked for. None for the load, which does not listen.
    pub address: Option<SocketAddr>,
    /// One line for people.
    pub message: String,
}

/// Milliseconds since 1970 by the wall clock.
fn now_ms() -> i64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    i64::try_from(since.as_millis()).unwrap_or(i64::MAX)
}

/// `path` from the root, its directory made. SQLite would take some relative names for something else (`file:…`, `:memory:`).
fn placed(path: &Path) -> Result<PathBuf, SandboxError> {
    let failed =
        |source: io::Error| SandboxError::File { doing: "make the directory of", path: path.to_owned(), source };
    let path = std::path::absolute(path).map_err(failed)?;
    std::fs::create_dir_all(path.parent().unwrap_or(Path::new("/"))).map_err(failed)?;
    Ok(path)
}

/// The file that SQLite keeps beside a database, such as its `-wal`.
fn beside(database: &Path, suffix: &str) -> PathBuf {
    let mut name = OsString::from(database);
    name.push(suffix);
    PathBuf::from(name)
}

/// The length of a file in bytes; 0 when there is none.
fn length(path: &Path) -> u64 {
    std::fs::metadata(path).map_or(0, |m| m.len())
}
