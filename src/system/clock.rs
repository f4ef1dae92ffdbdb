//! Time: the wall clock for records, a monotonic one for measuring.

use std::fmt::Debug;
use std::future::Future;
use std::pin::Pin;
use std::time::{Duration, Instant};

use jiff::Timestamp;

/// The end of a pause.
pub type Pause = Pin<Box<dyn Future<Output = ()> + Send>>;

/// Where time comes from. A host that simulates brings one that moves on by itself.
pub trait Clock: Debug + Send + Sync {
    /// The wall clock, UTC. It may jump.
    fn now(&self) -> Timestamp;
    /// Time since some fixed moment; never goes back.
    fn monotonic(&self) -> Duration;
    /// A pause of the run: it goes on when this ends.
    fn sleep(&self, time: Duration) -> Pause {
        Box::pin(tokio::time::sleep(time))
    }
    /// A time that runs out beside the run: a deadline, the next renewal of a lease.
    fn timer(&self, time: Duration) -> Pause {
        Box::pin(tokio::time::sleep(time))
    }
    /// Milliseconds since the machine was started, by a clock that counts suspension and that nobody sets.
    fn boot_ms(&self) -> u64 {
        let now = rustix::time::clock_gettime(rustix::time::ClockId::Boottime);
        Duration::try_from(now).map_or(0, |now| u64::try_from(now.as_millis()).unwrap_or(u64::MAX))
    }
}

/// The machine's clock.
#[derive(Debug)]
pub struct SystemClock(Instant);

impl SystemClock {
    /// A clock whose monotonic time starts now.
    pub fn new() -> Self {
        Self(Instant::now())
    }
}

impl Default for SystemClock {
    fn default() -> Self {
        Self::new()
    }
}

impl Clock for SystemClock {
    fn now(&self) -> Timestamp {
        Timestamp::now()
    }

    fn monotonic(&self) -> Duration {
        self.0.elapsed()
    }
}
