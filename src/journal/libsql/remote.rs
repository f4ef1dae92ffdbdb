//! A connection to a libSQL server: Hrana 3 over HTTP, one stream for each transaction.
//!
//! Source: the libSQL project's `HRANA_3_SPEC` and `HTTP_V2_SPEC`.

use std::cell::{Cell, RefCell};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use libsql::Value;

use super::super::{JournalError, Transport};
use super::wire::{self, Pipeline, Request, Stmt};

/// How often a server is asked again that is busy with somebody else's transaction.
const PAUSE: Duration = Duration::from_millis(50);

/// A stream of statements at a server.
pub(super) struct Remote {
    /// Without a `/` at its end.
    url: String,
    transport: Arc<dyn Transport>,
    /// The transaction that is open.
    stream: RefCell<Option<Stream>>,
    /// Writes of the transaction that were not sent yet.
    queued: RefCell<Vec<Request>>,
    patience: Cell<Duration>,
}

/// Where the next request of a transaction goes.
struct Stream {
    baton: Option<String>,
    url: String,
}

/// What a query brought.
#[derive(Debug, Default)]
pub(super) struct Answer {
    /// The names of its columns.
    pub(super) columns: Vec<String>,
    /// Its rows.
    pub(super) rows: Vec<Vec<Value>>,
}

/// What a statement does with the transaction around it.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Bound {
    Begins,
    Ends,
    Within,
}

impl Remote {
    pub(super) fn new(url: &str, transport: Arc<dyn Transport>) -> Self {
        let url = url.trim_end_matches('/').replacen("libsql://", "https://", 1);
        let (stream, queued) = (RefCell::default(), RefCell::default());
        Self { url, transport, stream, queued, patience: Cell::new(super::BUSY) }
    }

    pub(super) fn wait_at_most(&self, time: Duration) {
        self.patience.set(time);
    }

    pub(super) fn is_in_transaction(&self) -> bool {
        self.stream.borrow().is_some()
    }

    /// Runs statements that have no parameters. A server that is busy is asked again.
    pub(super) fn batch(&self, sql: &str) -> Result<(), JournalError> {
        let bound = bound(sql);
        if bound == Bound::Ends && sql.starts_with("ROLLBACK") {
            self.queued.borrow_mut().clear();
        } else {
            self.send_queued()?;
        }
        let mut waited = Duration::ZERO;
        loop {
            let sent = self.send(vec![Request::Sequence { sql: sql.to_owned() }], bound);
            match sent {
                Err(JournalError::Locked { .. }) if bound == Bound::Begins && waited < self.patience.get() => {
                    std::thread::sleep(PAUSE);
                    waited += PAUSE;
                }
                Err(JournalError::Locked { .. }) => {
                    return Err(self.failed("it is busy with somebody else's transaction"));
                }
                sent => return sent.map(drop),
            }
        }
    }

    /// Runs a statement that returns no rows; in a transaction, with what is sent next.
    pub(super) fn run(&self, sql: &str, values: &[Value]) -> Result<(), JournalError> {
        let bound = bound(sql);
        if bound != Bound::Within {
            return self.batch(sql);
        }
        self.queued.borrow_mut().push(Request::Execute { stmt: Stmt::new(sql, values) });
        if self.is_in_transaction() { Ok(()) } else { self.send_queued() }
    }

    /// Runs a query.
    pub(super) fn query(&self, sql: &str, values: &[Value]) -> Result<Answer, JournalError> {
        self.send_queued()?;
        let stmt = Stmt::new(sql, values);
        let answers = self.send(vec![Request::Execute { stmt }], Bound::Within)?;
        answers.into_iter().next().ok_or_else(|| self.failed("it did not answer a query"))
    }

    fn send_queued(&self) -> Result<(), JournalError> {
        let queued = std::mem::take(&mut *self.queued.borrow_mut());
        if queued.is_empty() { Ok(()) } else { self.send(queued, Bound::Within).map(drop) }
    }

    /// Sends requests of one stream, in their order. Outside of a transaction the stream ends with them.
    fn send(&self, mut requests: Vec<Request>, bound: Bound) -> Result<Vec<Answer>, JournalError> {
        let stream = self.stream.borrow_mut().take();
        let goes_on = bound == Bound::Begins || stream.is_some() && bound == Bound::Within;
        if !goes_on {
            requests.push(Request::Close);
        }
        let (baton, url) = match stream {
            Some(stream) => (stream.baton, stream.url),
            None => (None, self.url.clone()),
        };
        // An error on the way leaves no stream: the server rolls back what it hears no more of.
        let answered = self.exchange(&url, &Pipeline { baton, requests })?;
        let mut answers = Vec::new();
        let mut refused = None;
        for result in answered.results {
            match result.answer() {
                Ok(answer) => answers.push(answer),
                Err(error) => drop(refused.get_or_insert(error)),
            }
        }
        let begun = refused.is_none() || bound != Bound::Begins;
        if let Some(baton) = answered.baton.filter(|_| goes_on && begun) {
            let elsewhere = answered.base_url.map(|url| url.trim_end_matches('/').to_owned());
            // Never from a line that is encrypted to one that is not.
            let url =
                elsewhere.filter(|there| there.starts_with("https://") || !url.starts_with("https://")).unwrap_or(url);
            *self.stream.borrow_mut() = Some(Stream { baton: Some(baton), url });
        }
        match refused {
            Some(error) => Err(self.refused(&error)),
            None => Ok(answers),
        }
    }

    fn exchange(&self, url: &str, pipeline: &Pipeline) -> Result<wire::Answered, JournalError> {
        let body = serde_json::to_vec(pipeline).map_err(|error| self.failed(error.to_string()))?;
        let (status, body) =
            self.transport.post(&format!("{url}/v3/pipeline"), body).map_err(|why| self.failed(why))?;
        match status {
            200 => serde_json::from_slice(&body)
                .map_err(|error| self.failed(format!("its answer makes no sense: {error}"))),
            401 | 403 => Err(self.failed("it does not accept the token")),
            404 => Err(self.failed("there is no libSQL server, or not this database")),
            status => {
                let said = String::from_utf8_lossy(&body);
                let said: String = said.trim().chars().take(200).collect();
                Err(self.failed(format!("it answered with status {status}: {said}").trim_end_matches(": ")))
            }
        }
    }

    /// What an error of a statement means.
    fn refused(&self, error: &wire::Refused) -> JournalError {
        let path = PathBuf::from(&self.url);
        match error.code.as_deref() {
            Some(code) if code.starts_with("SQLITE_BUSY") || code.starts_with("SQLITE_LOCKED") => {
                JournalError::Locked { path }
            }
            _ => self.failed(error.message.clone()),
        }
    }

    fn failed(&self, why: impl Into<String>) -> JournalError {
        JournalError::Unreachable { url: self.url.clone(), why: why.into() }
    }
}

fn bound(sql: &str) -> Bound {
    let ends = |word: &str| sql.starts_with(word) || sql.ends_with(word);
    match () {
        () if sql.starts_with("BEGIN") => Bound::Begins,
        () if ends("COMMIT") || ends("ROLLBACK") => Bound::Ends,
        () => Bound::Within,
    }
}
