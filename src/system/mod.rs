//! Floor 1: the only impure code. Clock, files, HTTP, processes, people and terminals.
//!
//! Two handles lead to it. A [`Look`] can only look: a plan holds nothing else. An [`Act`] can also change things; only a live
//! world makes one. Neither can be made outside this crate:
//!
//! ```compile_fail,E0599
//! fn preview(look: &lifeboat::system::Look) {
//!     // A look has no method that writes.
//!     look.write_atomic("/etc/motd".as_ref(), b"gotcha").unwrap();
//! }
//! ```
//!
//! ```compile_fail,E0308
//! fn preview(look: &lifeboat::system::Look) {
//!     // An act cannot be made from a look.
//!     let act: lifeboat::system::Act = lifeboat::system::Act::from(look.clone());
//! }
//! ```
//!
//! ```compile_fail,E0624
//! fn preview(look: &lifeboat::system::Look) {
//!     // Its constructor is private to the crate.
//!     let act = lifeboat::system::Act::grant(look);
//! }
//! ```
//!
//! Nor can it start a program, unless the trusted configuration declares that one read-only:
//!
//! ```compile_fail,E0308
//! async fn preview(look: &lifeboat::system::Look, command: &lifeboat::system::CommandLine) {
//!     let _ = look.run_declared(command).await;
//! }
//! ```
//!
//! What does compile is looking:
//!
//! ```
//! fn preview(look: &lifeboat::system::Look) -> std::io::Result<String> {
//!     look.read_text("/etc/motd".as_ref())
//! }
//! ```
#![expect(clippy::disallowed_methods, reason = "this is the floor that touches the machine")]

mod act;
mod beside;
mod cancel;
mod child;
mod clock;
mod command;
mod digest;
mod files;
mod haproxy;
mod holders;
mod host;
mod http;
mod identity;
mod line_history;
mod links;
mod look;
mod mail;
mod new_files;
mod people;
mod progress;
mod random;
mod result_file;
mod revision;
mod secrets;
mod sources;
#[cfg(feature = "driver-sqlite")]
mod sqlite;
#[cfg(feature = "driver-sqlite")]
mod sqlite_change;
#[cfg(feature = "driver-sqlite")]
mod sqlite_compile;
#[cfg(feature = "driver-sqlite")]
mod sqlite_copy;
#[cfg(feature = "driver-sqlite")]
mod sqlite_error;
#[cfg(feature = "driver-sqlite")]
mod sqlite_rows;
#[cfg(feature = "driver-sqlite")]
mod sqlite_rules;
#[cfg(feature = "driver-sqlite")]
mod sqlite_session;
mod ssh;
pub(crate) mod tls;
mod tree;

pub use act::Act;
pub use beside::Beside;
pub use cancel::{Cancel, Interrupted};
pub use child::ChildProcess;
pub use clock::{Clock, Pause, SystemClock};
pub use command::{CommandEnd, CommandLine, EmptyDirectory, Ended, Kept, NotStarted, OnLine, ReadOnlyCommand};
pub use digest::{Digest, hex, hex_sha384, hex_sha512};
pub use files::{Entry, ReadFile, WriteFile};
pub use haproxy::{HaproxyError, HaproxySocket};
pub use host::{DiskUsage, MemoryUsage, Process, ProcessSignal, whoami};
pub use http::{HttpError, HttpErrorKind, HttpRequest, HttpResponse};
pub use identity::{FileId, Ownership};
pub use line_history::LineHistory;
pub use look::{Look, TooSlow};
pub use mail::{Mail, MailError, MailSecurity, MailSent, MailServer, check_mail_address};
pub use new_files::{create_files, free_ports, occupied};
pub use people::{Answer, Answers, Asked, Console, NoAnswers, SilentConsole};
pub use progress::{Copy, NoProgress, Progress};
pub use result_file::ResultFile;
pub use revision::{ChangedFile, ExportedFiles, FileChange, Repository, Revision};
pub use secrets::{Redactor, Revealed, Secrets};
pub use sources::{absolute, random_u32, read_source, read_source_within, write_evidence};
#[cfg(feature = "driver-sqlite")]
pub use sqlite_change::{SqliteChange, SqliteChangeError, SqliteChanged};
#[cfg(feature = "driver-sqlite")]
pub use sqlite_compile::SqliteCompiled;
#[cfg(feature = "driver-sqlite")]
pub use sqlite_copy::{CheckDepth, CopyError, CopyReport, JournalMode, SqliteCheck, SqliteHeader};
#[cfg(feature = "driver-sqlite")]
pub use sqlite_error::{SqliteError, SqliteErrorKind};
#[cfg(feature = "driver-sqlite")]
pub use sqlite_rows::SqliteRows;
#[cfg(feature = "driver-sqlite")]
pub use sqlite_session::{
    PutTables, SessionError, SessionErrorKind, SqlLoss, SqlStatement, SqliteReader, SqliteScratch, SqliteSession,
    StatementReport, TablePut, TablesError, split_sql,
};
pub use ssh::{Signer, ssh_sign, ssh_signer};
pub use tls::{StartTls, TlsError, TlsFound, TlsRequest};

use std::path::PathBuf;
use std::sync::Arc;

/// Everything that a [`Look`] or an [`Act`] leads to. Hosts replace the parts that they want to bring themselves.
pub struct System {
    /// Where time comes from.
    pub clock: Arc<dyn Clock>,
    /// How a run is asked to stop.
    pub cancel: Cancel,
    /// Who answers questions.
    pub answers: Arc<dyn Answers>,
    /// Where messages for the terminal go.
    pub console: Arc<dyn Console>,
    /// Who is shown how far a copy has come.
    pub progress: Arc<dyn Progress>,
    /// A directory of our own for scratch copies; made when it is first used.
    pub scratch: PathBuf,
    http: http::Clients,
}

impl System {
    /// The machine's own clock, nobody to ask, nothing shown.
    pub fn new(scratch: PathBuf) -> Self {
        Self {
            clock: Arc::new(SystemClock::new()),
            cancel: Cancel::new(),
            answers: Arc::new(NoAnswers),
            console: Arc::new(SilentConsole),
            progress: Arc::new(NoProgress),
            scratch,
            http: http::Clients::default(),
        }
    }

    /// Sends `body`, and keeps the connection for the next one. For what Lifeboat keeps at a server itself: on targets, only an
    /// [`Act`] has effects.
    pub async fn post(&self, request: &HttpRequest, body: Vec<u8>) -> Result<HttpResponse, HttpError> {
        http::send(self.http.keeping(), reqwest::Method::POST, request, Some(body)).await
    }
}
