//! What somebody elsewhere wants of the run: that it stops, that a question has an answer.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::runtime::Handle;
use tokio::sync::Notify;
use tokio::task::JoinHandle;

use crate::model::{EventBody, Key, Request, Wanted};
use crate::system::Cancel;

use super::Recorder;

/// How often the journal is asked. Other processes cannot wake this one.
const EVERY: Duration = Duration::from_millis(200);

/// The requests to one run.
pub(super) struct Requests {
    state: Mutex<State>,
    arrived: Notify,
}

#[derive(Default)]
struct State {
    /// The number of the last one that was read.
    last: u64,
    /// Answers to questions, with who gave them.
    answers: BTreeMap<Key, (String, String)>,
}

/// Requests are read as long as this is there.
pub(super) struct Watch(JoinHandle<()>);

impl Drop for Watch {
    fn drop(&mut self) {
        self.0.abort();
    }
}

impl Requests {
    /// The requests to the run of `recorder` that were left so far. Whether it was asked to stop is known before it is taken up.
    pub(super) fn new(recorder: &Recorder) -> Arc<Self> {
        let requests = Arc::new(Self { state: Mutex::default(), arrived: Notify::new() });
        for request in requests.read(recorder) {
            if let Wanted::Answer { key, text } = request.wanted {
                requests.answered(key, (text, request.by));
            }
        }
        requests
    }

    /// Reads them from now on, beside the run.
    pub(super) fn watch(self: &Arc<Self>, recorder: &Arc<Recorder>, cancel: &Cancel, handle: &Handle) -> Watch {
        let (requests, recorder, cancel) = (self.clone(), recorder.clone(), cancel.clone());
        Watch(handle.spawn(async move {
            loop {
                tokio::time::sleep(EVERY).await;
                let (reader, record) = (requests.clone(), recorder.clone());
                let found = tokio::task::spawn_blocking(move || reader.read(&record)).await.unwrap_or_default();
                for request in found {
                    requests.take(request, &recorder, &cancel);
                }
            }
        }))
    }

    /// A journal that cannot be read just now is asked again later: the next effect finds out whether it can be written.
    fn read(&self, recorder: &Recorder) -> Vec<Request> {
        let after = self.state().last;
        let found = recorder.journal.requests(recorder.run(), after).unwrap_or_default();
        if let Some((last, _)) = found.last() {
            self.state().last = *last;
        }
        found.into_iter().map(|(_, request)| request).collect()
    }

    fn take(&self, request: Request, recorder: &Recorder, cancel: &Cancel) {
        match request.wanted {
            Wanted::Answer { key, text } => {
                self.answered(key, (text, request.by));
                self.arrived.notify_waiters();
            }
            Wanted::Cancel { reason, abort } => {
                recorder.note(EventBody::Cancelling { by: request.by, reason, abort });
                if abort { cancel.abort() } else { cancel.cancel() }
            }
        }
    }

    /// The first answer counts.
    fn answered(&self, key: Key, answer: (String, String)) {
        self.state().answers.entry(key).or_insert(answer);
    }

    /// Waits for an answer to the question at `key`. Returns what was said, and who said it.
    pub(super) async fn answer(&self, key: &Key) -> (String, String) {
        loop {
            let arrived = self.arrived.notified();
            tokio::pin!(arrived);
            // Before looking: an answer that comes in between is heard.
            arrived.as_mut().enable();
            if let Some(answer) = self.state().answers.get(key) {
                return answer.clone();
            }
            arrived.await;
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
