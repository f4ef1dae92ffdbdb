//! Work on large files: off the reactor, ready to stop, cleaned up after.

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use crate::model::{Applied, Fault};
use crate::system::{Act, Cancel, Look};

use super::faults::interrupted;

/// Whether work should stop: somebody asked the run to, or nobody waits for the work any more.
#[derive(Clone, Debug)]
pub(in crate::primitives) struct Stop {
    cancel: Cancel,
    abandoned: Arc<AtomicBool>,
}

impl Stop {
    pub(in crate::primitives) fn asked(&self) -> bool {
        self.abandoned.load(Ordering::SeqCst) || self.cancel.requested().is_some()
    }

    /// A fault if the work should stop. Asked between chunks, so what was made so far is removed and nothing else was touched.
    pub(in crate::primitives) fn check(&self, target: &str) -> Result<(), Fault> {
        if self.asked() { Err(interrupted(target)) } else { Ok(()) }
    }
}

/// Runs `work`, which blocks for seconds, on a thread of its own. When the returned future is dropped, the work is asked to stop.
pub(in crate::primitives) async fn off_reactor<T: Send + 'static>(
    look: &Look,
    work: impl FnOnce(&Stop) -> Result<T, Fault> + Send + 'static,
) -> Result<T, Fault> {
    struct Abandon(Arc<AtomicBool>);
    impl Drop for Abandon {
        fn drop(&mut self) {
            self.0.store(true, Ordering::SeqCst);
        }
    }
    let stop = Stop { cancel: look.cancel().clone(), abandoned: Arc::default() };
    let _abandon = Abandon(stop.abandoned.clone());
    let joined = tokio::task::spawn_blocking(move || work(&stop)).await;
    joined.unwrap_or_else(|error| {
        Err(Fault::new("internal", format!("the work on a file ended early: {error}")).applied(Applied::Unknown))
    })
}

/// A file or directory that is removed when the work on it ends, however it ends, unless it is kept.
pub(in crate::primitives) struct Removed {
    act: Act,
    path: Option<PathBuf>,
}

impl Removed {
    pub(in crate::primitives) fn new(act: &Act, path: PathBuf) -> Self {
        Self { act: act.clone(), path: Some(path) }
    }

    /// It has become something else, and stays.
    pub(in crate::primitives) fn keep(mut self) {
        self.path = None;
    }
}

impl Drop for Removed {
    fn drop(&mut self) {
        if let Some(path) = &self.path {
            // What cannot be removed is found by the next attempt.
            let _ = self.act.remove_file(path).or_else(|_| self.act.remove_dir_all(path));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::primitives::store::testing::Bench;

    #[tokio::test]
    async fn work_that_nobody_waits_for_any_more_is_asked_to_stop() {
        let bench = Bench::new();
        let (began, beginning) = tokio::sync::oneshot::channel();
        let (ended, ending) = tokio::sync::oneshot::channel();
        let work = off_reactor(&bench.act, move |stop| {
            let _ = began.send(());
            while !stop.asked() {
                std::thread::yield_now();
            }
            let _ = ended.send(());
            stop.check("primary")
        });
        tokio::select! {
            _ = work => panic!("the work ends only when it is asked to"),
            started = beginning => started.expect("the work begins"),
        }
        ending.await.expect("the work ends");
    }

    #[tokio::test]
    async fn a_cancelled_run_stops_it_with_a_fault() {
        let bench = Bench::new();
        bench.act.cancel().request();
        let fault = off_reactor(&bench.act, |stop| stop.check("primary")).await.expect_err("interrupted");
        assert_eq!((fault.code.as_str(), fault.applied), ("interrupted", Applied::No));
    }
}
