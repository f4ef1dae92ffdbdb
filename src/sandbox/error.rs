//! Why a part of the sandbox did not start, or had to stop.

use std::io;
use std::net::SocketAddr;
use std::path::PathBuf;

use miette::Diagnostic;

/// Why a part of the sandbox did not start, or had to stop.
#[derive(Debug, thiserror::Error, Diagnostic)]
pub enum SandboxError {
    /// Another process listens there.
    #[error("{0} is taken: another process listens there")]
    #[diagnostic(
        code(lifeboat::sandbox::address_taken),
        help("stop that process (`ss -ltnp 'sport = :{}'` names it), or listen on another port; port 0 takes a free one", .0.port())
    )]
    AddressTaken(SocketAddr),
    /// The address cannot be listened on.
    #[error("cannot listen on {address}: {source}")]
    #[diagnostic(code(lifeboat::sandbox::listen), help("use an address of this machine, such as 127.0.0.1:8080"))]
    Listen {
        /// The address.
        address: SocketAddr,
        /// What the system said.
        source: io::Error,
    },
    /// There is something else where the database should be.
    #[error("{} is not a database of the sandbox: {problem}", path.display())]
    #[diagnostic(
        code(lifeboat::sandbox::not_a_database),
        help("nothing was written to it; restore or move it away, or give another path")
    )]
    NotADatabase {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        problem: String,
    },
    /// The database is gone, but its log is there: a new one under that log would be corrupt at once.
    #[error("{} is missing, but its log {} is still there", database.display(), log.display())]
    #[diagnostic(
        code(lifeboat::sandbox::orphaned_log),
        help("restore the database; or, to begin with a new one, move the log away")
    )]
    OrphanedLog {
        /// The database.
        database: PathBuf,
        /// The log beside it.
        log: PathBuf,
    },
    /// There is something else where the load's ledger should be.
    #[error("{} is not a ledger of the load: {problem}", path.display())]
    #[diagnostic(
        code(lifeboat::sandbox::not_a_ledger),
        help("nothing was written to it; move it away, or give another path")
    )]
    NotALedger {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        problem: String,
    },
    /// A database of the sandbox could not be used.
    #[error("cannot {doing} {}: {source}", path.display())]
    #[diagnostic(
        code(lifeboat::sandbox::database),
        help("see that the disk has room and that no other process holds the file")
    )]
    Database {
        /// What was tried.
        doing: &'static str,
        /// The file.
        path: PathBuf,
        /// What SQLite said.
        source: libsql::Error,
    },
    /// A file could not be read or written.
    #[error("cannot {doing} {}: {source}", path.display())]
    #[diagnostic(code(lifeboat::sandbox::file), help("see that its directory exists and may be written to"))]
    File {
        /// What was tried.
        doing: &'static str,
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// The load was given something that is not an address of a service.
    #[error("`{0}` is not an address of a service")]
    #[diagnostic(code(lifeboat::sandbox::url), help("write it as `http://host:port`; the load speaks plain HTTP only"))]
    Url(String),
    /// The load was given a rate that it cannot keep.
    #[error("the load cannot send {0} requests per second")]
    #[diagnostic(code(lifeboat::sandbox::rate), help("give a rate from 1 to 1000"))]
    Rate(u32),
}
