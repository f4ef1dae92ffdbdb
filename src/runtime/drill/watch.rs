//! Watching a target during a drill: when it stopped being healthy, and when it was healthy again.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;
use std::time::Duration;

use jiff::Timestamp;
use tokio::runtime::Handle;

use crate::model::Value;
use crate::primitives::Handler;
use crate::system::Look;
use crate::worlds::Cast;

use super::super::Error;
use super::report::{Outage, Seen};

/// The pause between two probes. RTO is measured to this resolution.
const EVERY: Duration = Duration::from_millis(10);
/// How long a probe may take before it counts as failed.
const TIMEOUT: &str = "1s";
/// How long the watch goes on after the run until it has seen the target healthy.
const LINGER: Duration = Duration::from_secs(5);

/// A probe of one target, for ourselves rather than for a script.
pub(super) struct Probing {
    handler: Arc<dyn Handler>,
    args: Value,
    handle: Handle,
}

impl Probing {
    pub(super) fn new(cast: &Cast, target: &str, handle: &Handle) -> Result<Self, Error> {
        let handler = cast.handler("probe", target).ok_or_else(|| Error::Params {
            why: format!("`{target}` cannot be probed"),
            help: Some("a drill watches a service, a database or a host".to_owned()),
        })?;
        let args = [("target", target), ("timeout", TIMEOUT)];
        let args = Value::Map(args.map(|(name, text)| (name.to_owned(), Value::from(text))).into());
        Ok(Self { handler, args, handle: handle.clone() })
    }

    pub(super) fn passes(&self, look: &Look) -> bool {
        let Some(observed) = self.handler.observe(&self.args, look) else { return false };
        let outcome = self.handle.block_on(observed);
        outcome.is_ok_and(|value| value.get("ok") == Some(&Value::Bool(true)))
    }

    pub(super) fn pause(&self, look: &Look, time: Duration) {
        let _ = self.handle.block_on(look.sleep(time));
    }
}

/// A watch under way, on a thread of its own.
pub(super) struct Watch {
    stop: Arc<AtomicBool>,
    thread: JoinHandle<Outage>,
}

impl Watch {
    pub(super) fn start(cast: &Cast, target: &str, look: Look, handle: &Handle) -> Result<Self, Error> {
        let probing = Probing::new(cast, target, handle)?;
        let stop = Arc::new(AtomicBool::new(false));
        let (stopped, target) = (stop.clone(), target.to_owned());
        let thread = std::thread::Builder::new().name("watch".into()).spawn(move || {
            let mut outage = Outage::new(target);
            let mut give_up: Option<Duration> = None;
            loop {
                let asked: Timestamp = look.now();
                let healthy = probing.passes(&look);
                outage.see(Seen { asked, answered: look.now(), healthy });
                let over = stopped.load(Ordering::SeqCst);
                let until = *give_up.get_or_insert_with(|| look.monotonic() + Duration::from_secs(86_400));
                if over && (healthy || look.monotonic() > until) {
                    return outage;
                }
                if over && until > look.monotonic() + LINGER {
                    give_up = Some(look.monotonic() + LINGER);
                }
                std::thread::sleep(EVERY);
            }
        });
        let thread = thread.map_err(|error| Error::Internal { why: format!("no thread could be started: {error}") })?;
        Ok(Self { stop, thread })
    }

    /// Ends the watch once the target is healthy, or after a while if it is not.
    pub(super) fn stop(self) -> Outage {
        self.stop.store(true, Ordering::SeqCst);
        self.thread.join().unwrap_or_else(|_| Outage::new("?".to_owned()))
    }
}
