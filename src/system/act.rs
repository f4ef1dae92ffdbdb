//! The handle that can change things.

use std::fs::File;
use std::io;
use std::ops::Deref;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use reqwest::Method;

use crate::model::Outbox;

use super::{
    Answer, Answers, Asked, Copy, HttpError, HttpRequest, HttpResponse, Interrupted, Look, Mail, MailError, MailSent,
    MailServer, ProcessSignal, WriteFile, files, host, http, mail,
};

/// Changes the world. It can also do all that a [`Look`] can. Only a live world makes one.
#[derive(Clone)]
pub struct Act {
    look: Look,
    outbox: Option<Arc<dyn Outbox>>,
    answers: Option<Arc<dyn Answers>>,
    waited: Duration,
}

impl Deref for Act {
    type Target = Look;
    fn deref(&self) -> &Look {
        &self.look
    }
}

impl Act {
    /// Lets the holder of `look` change things. Called in one place: the live world.
    pub(crate) fn grant(look: &Look) -> Self {
        Self { look: look.clone(), outbox: None, answers: None, waited: Duration::ZERO }
    }

    /// The same, with an outbox for the messages of a run.
    pub(crate) fn with_outbox(self, outbox: Arc<dyn Outbox>) -> Self {
        Self { outbox: Some(outbox), ..self }
    }

    /// The same for a question that somebody else answers.
    pub(crate) fn answered_by(&self, answers: Arc<dyn Answers>) -> Self {
        Self { answers: Some(answers), ..self.clone() }
    }

    /// The same for a call that has waited for so long already, in an earlier process.
    pub(crate) fn having_waited(&self, waited: Duration) -> Self {
        Self { waited, ..self.clone() }
    }

    /// How long this call has waited already, in an earlier process: of a time that it waits, only the rest is left.
    pub fn waited(&self) -> Duration {
        self.waited
    }

    /// Where messages wait that could not be delivered; `None` outside of runs.
    pub fn outbox(&self) -> Option<&dyn Outbox> {
        self.outbox.as_deref()
    }

    /// The same handle for whoever undoes what is owed: a request to cancel does not stop that, an abort does.
    #[must_use]
    pub fn shielded(&self) -> Self {
        Self { look: self.look.shielded(), ..self.clone() }
    }

    /// Writes a whole file; a reader or a crash sees the old content or the new one, never a part.
    pub fn write_atomic(&self, path: &Path, bytes: &[u8]) -> io::Result<()> {
        files::write_atomic(path, bytes)
    }

    /// Adds `bytes` to the end of a file, which is made if need be, and waits until they are on the disk.
    pub fn append(&self, path: &Path, bytes: &[u8]) -> io::Result<()> {
        let mut file = File::options().create(true).append(true).open(path)?;
        io::Write::write_all(&mut file, bytes)?;
        file.sync_all()
    }

    /// Makes a new file; an error if something is there already.
    pub fn create_new(&self, path: &Path) -> io::Result<WriteFile> {
        File::options().write(true).create_new(true).open(path).map(WriteFile)
    }

    /// Opens an existing file for writing in place.
    pub fn open_write(&self, path: &Path) -> io::Result<WriteFile> {
        File::options().write(true).open(path).map(WriteFile)
    }

    /// Makes a directory and those above it.
    pub fn create_dir_all(&self, path: &Path) -> io::Result<()> {
        std::fs::create_dir_all(path)
    }

    /// Moves a file or directory; replaces a file.
    pub fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        std::fs::rename(from, to)
    }

    /// Removes a file.
    pub fn remove_file(&self, path: &Path) -> io::Result<()> {
        std::fs::remove_file(path)
    }

    /// Removes a directory with all that is in it.
    pub fn remove_dir_all(&self, path: &Path) -> io::Result<()> {
        std::fs::remove_dir_all(path)
    }

    /// Waits until the names in a directory are on the disk.
    pub fn sync_directory(&self, path: &Path) -> io::Result<()> {
        files::sync_directory(path)
    }

    /// Sends a request of any method.
    pub async fn http(
        &self,
        method: Method,
        request: &HttpRequest,
        body: Option<Vec<u8>>,
    ) -> Result<HttpResponse, HttpError> {
        self.without_secrets(http::send(self.system.http.keeping(), method, request, body).await)
    }

    /// Hands a mail to a server.
    pub async fn mail(&self, server: &MailServer, mail: &Mail) -> Result<MailSent, MailError> {
        match mail::send(server, mail).await {
            Ok(MailSent { answer, refused }) => {
                let refused = refused.iter().map(|refused| self.redacted(refused)).collect();
                Ok(MailSent { answer: self.redacted(&answer), refused })
            }
            Err(error) => Err(MailError { message: self.redacted(&error.message), ..error }),
        }
    }

    /// Ends a process at once (SIGKILL).
    pub fn kill(&self, pid: u32) -> io::Result<()> {
        host::kill(pid)
    }

    /// Sends a process a signal by which it is told something.
    pub fn signal(&self, pid: u32, signal: ProcessSignal) -> io::Result<()> {
        host::signal(pid, signal)
    }

    /// Asks a person, and waits for the answer, unless the run is asked to stop.
    pub async fn ask(&self, asked: &Asked) -> Result<Answer, Interrupted> {
        self.unless_cancelled(self.answers().ask(asked)).await?
    }

    /// Who answers questions.
    pub(crate) fn answers(&self) -> &Arc<dyn Answers> {
        self.answers.as_ref().unwrap_or(&self.system.answers)
    }

    /// Shows a message to the person at the terminal.
    pub fn show(&self, message: &str) {
        self.system.console.show(&self.redacted(message));
    }

    /// A copy of `total` bytes begins; drop the handle when it is done.
    pub fn copy_progress(&self, label: &str, total: u64) -> Box<dyn Copy> {
        self.system.progress.copy(label, total)
    }

    /// A new, empty directory of our own for scratch copies. Whoever asks removes it.
    pub fn scratch(&self, name: &str) -> io::Result<std::path::PathBuf> {
        let path = self.system.scratch.join(format!("{name}-{}-{}", std::process::id(), self.monotonic().as_nanos()));
        std::fs::create_dir_all(&path)?;
        Ok(path)
    }
}
