//! Status updates at fixed intervals while a block runs. They never delay the block, and a failure is only recorded.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::runtime::Handle;
use tokio_util::sync::CancellationToken;

use crate::model::{EventBody, Halt, IdempotencyKey, Invocation, Key, Scope, Segment, Updates, Value};
use crate::primitives::Handler;
use crate::system::Act;

use super::{Live, Recorder};

/// Updates under way. They are sent from a thread of their own, which outlives the block for no more than one write.
pub(super) struct Ticker {
    key: Key,
    over: CancellationToken,
    sending: Arc<Mutex<Sending>>,
}

/// What is being sent. Whoever holds the lock may record something about it.
#[derive(Default)]
struct Sending {
    /// The block has ended: nothing more is recorded.
    over: bool,
    /// The update under way.
    update: Option<Update>,
}

#[derive(Clone)]
struct Update {
    number: u32,
    channel: String,
    message: String,
}

/// Everything that the thread needs.
struct Sender {
    scope: Key,
    updates: Updates,
    handler: Arc<dyn Handler>,
    recorder: Arc<Recorder>,
    act: Act,
    handle: Handle,
    over: CancellationToken,
    sending: Arc<Mutex<Sending>>,
}

impl Live {
    /// Who carries the updates of a block. What is wrong with them is a mistake of the runbook, before the block begins.
    pub(super) fn carrier(&self, scope: &Scope, updates: &Updates) -> Result<Arc<dyn Handler>, Halt> {
        let call = call_of(scope, updates, updates.message.to_string(), BTreeMap::new());
        self.cast.role(&call).map(|role| role.handler.clone())
    }

    /// The block begins.
    pub(super) fn begin_updates(&self, scope: &Scope, updates: &Updates, handler: Arc<dyn Handler>) {
        let ticker = Ticker { key: scope.key.clone(), over: CancellationToken::new(), sending: Arc::default() };
        let sender = Sender {
            scope: scope.key.clone(),
            updates: updates.clone(),
            handler,
            recorder: self.recorder.clone(),
            // Whoever asked the run to stop wants to know how that goes, too.
            act: self.act.shielded(),
            handle: self.handle.clone(),
            over: ticker.over.clone(),
            sending: ticker.sending.clone(),
        };
        self.recorder.watch_activity(&scope.key);
        let site = scope.clone();
        let thread = std::thread::Builder::new().name("updates".into());
        // Without the thread nobody is told how it goes; the block is worth more than that.
        if let Err(error) = thread.spawn(move || sender.run(&site)) {
            let why = format!("no thread could be started: {error}");
            let update = Update { number: 1, channel: updates.channel.clone(), message: updates.message.to_string() };
            self.recorder.note(update.event(&scope.key, false, why));
        }
        self.updates.lock().unwrap_or_else(PoisonError::into_inner).push(ticker);
    }

    /// The block ends, whatever way. Nothing is waited for.
    pub(super) fn end_updates(&self, scope: &Key) {
        let mut all = self.updates.lock().unwrap_or_else(PoisonError::into_inner);
        let ended = all.iter().position(|ticker| ticker.key == *scope).map(|at| all.swap_remove(at));
        drop(all);
        if let Some(ticker) = ended {
            let mut sending = lock(&ticker.sending);
            sending.over = true;
            ticker.over.cancel();
            if let Some(update) = sending.update.take() {
                let why = "the block ended while it was sent: it may have arrived or not".to_owned();
                self.recorder.note(update.event(scope, false, why));
            }
            self.recorder.forget_activity(scope);
        }
    }
}

impl Sender {
    fn run(self, scope: &Scope) {
        let began = self.act.monotonic();
        let every = self.updates.every.0.max(Duration::from_millis(1));
        let mut number = 0_u32;
        let mut due = every;
        loop {
            let pause = (began + due).saturating_sub(self.act.monotonic());
            let waited = self.handle.block_on(async {
                tokio::select! {
                    slept = self.act.sleep(pause) => slept.is_ok(),
                    () = self.over.cancelled() => false,
                }
            });
            if !waited {
                return;
            }
            number += 1;
            self.send(scope, number);
            // What took longer than an interval is not made up for.
            while began + due <= self.act.monotonic() {
                due += every;
            }
        }
    }

    fn send(&self, scope: &Scope, number: u32) {
        let now = self.act.monotonic();
        let Some(activity) = self.recorder.activity(&self.scope) else { return };
        let message = format!("{}: {}", self.updates.message, activity.describe(now));
        let mut details: BTreeMap<String, Value> =
            activity.details(now).into_iter().map(|(name, value)| (name.to_owned(), value)).collect();
        details.insert("run".to_owned(), Value::from(self.recorder.run().as_str()));
        let update = Update { number, channel: self.updates.channel.clone(), message: message.clone() };
        {
            let mut sending = lock(&self.sending);
            if sending.over {
                return;
            }
            sending.update = Some(update.clone());
        }
        let call = call_of(scope, &self.updates, message, details);
        // The block's own calls have other keys: they lie beside the block's, never below it.
        let key = IdempotencyKey::new(self.recorder.run().as_str(), &self.scope.child(Segment::Call(number)));
        let outcome = self.handle.block_on(async {
            tokio::select! {
                outcome = self.handler.perform(&call.args, &self.act, &key) => Some(outcome),
                () = self.over.cancelled() => None,
            }
        });
        let mut sending = lock(&self.sending);
        let Some(outcome) = outcome.filter(|_| !sending.over) else { return };
        sending.update = None;
        let (delivered, detail) = match outcome {
            Ok(value) => {
                let delivered = value.get("delivered") != Some(&Value::Bool(false));
                (delivered, value.get("detail").map(ToString::to_string).unwrap_or_default())
            }
            Err(fault) => (false, fault.message),
        };
        self.recorder.note(update.event(&self.scope, delivered, detail));
        drop(sending);
        // For whoever reads the journal meanwhile. If it cannot be written, the next effect finds out.
        let _ = self.recorder.commit_if_possible();
    }
}

impl Update {
    fn event(&self, key: &Key, delivered: bool, detail: String) -> EventBody {
        EventBody::Updated {
            key: key.clone(),
            number: self.number,
            channel: self.channel.clone(),
            message: self.message.clone(),
            delivered,
            detail,
        }
    }
}

/// The message as a call of `notify`, which it is to whoever carries it.
fn call_of(scope: &Scope, updates: &Updates, message: String, details: BTreeMap<String, Value>) -> Invocation {
    let mut args = BTreeMap::from([
        ("channel".to_owned(), Value::from(updates.channel.as_str())),
        ("message".to_owned(), Value::from(message)),
        ("details".to_owned(), Value::Map(details)),
    ]);
    if let Some(key) = &updates.key {
        args.insert("key".to_owned(), Value::from(key.to_string()));
    }
    Invocation {
        key: scope.key.clone(),
        site: scope.site.clone(),
        primitive: "notify",
        args: Value::Map(args),
        guarded: true,
    }
}

fn lock(sending: &Mutex<Sending>) -> MutexGuard<'_, Sending> {
    sending.lock().unwrap_or_else(PoisonError::into_inner)
}
