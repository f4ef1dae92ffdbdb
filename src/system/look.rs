//! The handle that can only look.

use std::fs::File;
use std::io;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use reqwest::Method;

use super::{
    Cancel, DiskUsage, Entry, HttpError, HttpRequest, HttpResponse, Interrupted, MemoryUsage, Process, ReadFile,
    Secrets, System, digest, files, host, http,
};
#[cfg(feature = "driver-sqlite")]
use super::{SqliteError, SqliteRows, sqlite};
use crate::model::ProcessId;
#[cfg(feature = "driver-sqlite")]
use crate::model::Value;

/// A wait that took too long.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("timed out")]
pub struct TooSlow;

/// Looks at the world and changes nothing. A plan's drivers hold nothing else.
#[derive(Clone)]
pub struct Look {
    pub(super) system: Arc<System>,
    cancel: Cancel,
    pub(super) secrets: Arc<Secrets>,
}

impl Look {
    /// A handle on `system`.
    pub fn new(system: Arc<System>) -> Self {
        Self { cancel: system.cancel.clone(), system, secrets: Arc::default() }
    }

    /// The same with the secrets of an environment.
    #[must_use]
    pub fn with_secrets(self, secrets: Arc<Secrets>) -> Self {
        Self { secrets, ..self }
    }

    /// The same for one run of several: it can be asked to stop alone.
    #[must_use]
    pub fn for_one_run(self) -> Self {
        Self { cancel: self.cancel.for_one(), ..self }
    }

    /// The wall clock, UTC.
    pub fn now(&self) -> Timestamp {
        self.system.clock.now()
    }

    /// Time since some fixed moment; never goes back.
    pub fn monotonic(&self) -> Duration {
        self.system.clock.monotonic()
    }

    /// Milliseconds since the machine was started, by a clock that counts suspension and that nobody sets.
    pub fn boot_ms(&self) -> u64 {
        self.system.clock.boot_ms()
    }

    /// Lets time pass, unless the run is asked to stop.
    pub async fn sleep(&self, time: Duration) -> Result<(), Interrupted> {
        tokio::select! {
            () = self.system.clock.sleep(time) => Ok(()),
            () = self.cancel.wait() => Err(Interrupted),
        }
    }

    /// Lets time pass, whatever is asked of the run.
    pub async fn pass(&self, time: Duration) {
        self.system.clock.timer(time).await;
    }

    /// Waits for `work`, unless the run is asked to stop; then `work` is dropped.
    pub async fn unless_cancelled<T>(&self, work: impl Future<Output = T>) -> Result<T, Interrupted> {
        tokio::select! {
            done = work => Ok(done),
            () = self.cancel.wait() => Err(Interrupted),
        }
    }

    /// Waits for `work`, but no longer than `limit`; then `work` is dropped.
    pub async fn unless_slow<T>(&self, limit: Duration, work: impl Future<Output = T>) -> Result<T, TooSlow> {
        tokio::time::timeout(limit, work).await.map_err(|_| TooSlow)
    }

    /// How the run is asked to stop.
    pub fn cancel(&self) -> &Cancel {
        &self.cancel
    }

    /// The same handle for whoever undoes what is owed: a request to cancel does not stop that, an abort does.
    #[must_use]
    pub fn shielded(&self) -> Self {
        Self { cancel: self.cancel.shielded(), ..self.clone() }
    }

    /// Reads a file.
    pub fn read(&self, path: &Path) -> io::Result<Vec<u8>> {
        std::fs::read(path)
    }

    /// Reads a file of text.
    pub fn read_text(&self, path: &Path) -> io::Result<String> {
        std::fs::read_to_string(path)
    }

    /// Opens a file for reading.
    pub fn open(&self, path: &Path) -> io::Result<ReadFile> {
        File::open(path).map(ReadFile)
    }

    /// The SHA-256 digest (hex) of a file, or of all names and contents below a directory. Links are followed.
    pub fn digest_of(&self, path: &Path) -> io::Result<String> {
        digest::of_path(path)
    }

    /// Whether something exists there.
    pub fn exists(&self, path: &Path) -> bool {
        path.symlink_metadata().is_ok()
    }

    /// The length of a file in bytes.
    pub fn len(&self, path: &Path) -> io::Result<u64> {
        path.metadata().map(|m| m.len())
    }

    /// How long ago a file was last written, by the clock of its file system.
    pub fn file_age(&self, path: &Path) -> io::Result<Duration> {
        Ok(path.metadata()?.modified()?.elapsed().unwrap_or_default())
    }

    /// The entries of a directory, by name.
    pub fn list(&self, directory: &Path) -> io::Result<Vec<Entry>> {
        files::list(directory)
    }

    /// Sends a GET request.
    pub async fn http_get(&self, request: &HttpRequest) -> Result<HttpResponse, HttpError> {
        self.without_secrets(http::send(self.system.http.looking(&request.url), Method::GET, request, None).await)
    }

    /// A server may send back what it was sent.
    pub(super) fn without_secrets(&self, answer: Result<HttpResponse, HttpError>) -> Result<HttpResponse, HttpError> {
        let redactor = self.secrets.redactor();
        match answer {
            Ok(mut answer) if !redactor.is_idle() => {
                answer.body = redactor.bytes(&answer.body).into_owned();
                answer.headers.values_mut().for_each(|value| *value = redactor.clean(value).into_owned());
                Ok(answer)
            }
            Err(error) => Err(HttpError { message: redactor.clean(&error.message).into_owned(), ..error }),
            answer => answer,
        }
    }

    /// Opens a TCP connection and closes it. Returns how long it took to open.
    pub async fn tcp_connect(&self, address: &str, timeout: Duration) -> Result<Duration, String> {
        let started = self.monotonic();
        match tokio::time::timeout(timeout, tokio::net::TcpStream::connect(address)).await {
            Ok(Ok(_)) => Ok(self.monotonic().saturating_sub(started)),
            Ok(Err(error)) => Err(error.to_string().split(" (os error").next().unwrap_or_default().to_lowercase()),
            Err(_) => Err("timed out".to_owned()),
        }
    }

    /// Asks a SQLite or libSQL file, which must exist, one question. It cannot change the file, reach another one, or go on
    /// beyond `timeout`. At most 10,000 rows and 16 MiB.
    #[cfg(feature = "driver-sqlite")]
    pub async fn sqlite_query(
        &self,
        path: &Path,
        sql: &str,
        params: &[Value],
        timeout: Duration,
    ) -> Result<SqliteRows, SqliteError> {
        sqlite::query(path, sql, params, timeout, self.cancel.clone()).await
    }

    /// How full the file system is on which `path` lies.
    pub fn disk(&self, path: &Path) -> io::Result<DiskUsage> {
        host::disk(path)
    }

    /// How full this machine's memory is.
    pub fn memory(&self) -> io::Result<MemoryUsage> {
        host::memory()
    }

    /// The process with this number.
    pub fn process(&self, pid: u32) -> io::Result<Process> {
        host::process(pid)
    }
    /// Whether there is a process with this number that has not ended.
    pub fn process_runs(&self, pid: u32) -> bool {
        host::process_runs(pid)
    }

    /// When the process with this number was started, counted from the machine's own start, to a hundredth of a second. Number
    /// and start together tell it from a later process that got the same number.
    pub fn process_start(&self, pid: u32) -> io::Result<Duration> {
        host::process_start(pid)
    }

    /// How long ago the process with this number was started, to a hundredth of a second.
    pub fn process_age(&self, pid: u32) -> io::Result<Duration> {
        host::process_age(pid)
    }

    /// This process.
    pub fn own_process(&self) -> ProcessId {
        host::own_process()
    }

    /// Whether that process still runs; `None` where only its own machine knows.
    pub fn still_runs(&self, process: &ProcessId) -> Option<bool> {
        host::still_runs(process)
    }

    /// The numbers of this process and of the one that started it.
    pub fn own_processes(&self) -> [u32; 2] {
        host::own_processes()
    }
}
