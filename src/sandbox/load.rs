//! The load: it places orders and reads them back at a steady pace, and writes down what was acknowledged.

use std::path::PathBuf;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use hyper::Method;
use serde_json::{Value, json};
use tokio::sync::Mutex;
use tokio::time::{Interval, MissedTickBehavior};
use tokio_util::sync::CancellationToken;

use super::caller::{Caller, Service};
use super::ledger::{Kind, Ledger};
use super::{Ready, SandboxError};

/// How long a request may take before it counts as failed.
const TIMEOUT: Duration = Duration::from_millis(500);

/// How the load runs.
#[derive(Clone, Debug)]
pub struct LoadOptions {
    /// The service, `http://host:port`.
    pub url: String,
    /// The database that acknowledged orders and failures are written to.
    pub ledger: PathBuf,
    /// Writes per second, and as many reads: 1 to 1000.
    pub rate: u32,
}

impl LoadOptions {
    /// A load of 100 writes and 100 reads per second.
    pub fn new(url: impl Into<String>, ledger: impl Into<PathBuf>) -> Self {
        Self { url: url.into(), ledger: ledger.into(), rate: 100 }
    }
}

/// Runs the load until `stop`. It goes on at the same pace when requests fail, and ends early only if its ledger cannot be written.
///
/// The ledger has `acknowledged(seq, amount, at_ms)`: orders that the service said it holds, and when it said so by this
/// machine's clock; `failures(at_ms, kind, detail)` and `totals(kind, ok, failed)`, with `kind` `write` or `read`; and
/// `versions(version, ok, failed)`, by the version that answered, which is empty where nobody did. A `seq` is
/// sent once at most: that of a failed write is not used again, because nobody knows whether the service has it.
pub async fn load(
    options: LoadOptions,
    stop: CancellationToken,
    ready: impl FnOnce(Ready) + Send,
) -> Result<(), SandboxError> {
    if !(1..=1000).contains(&options.rate) {
        return Err(SandboxError::Rate(options.rate));
    }
    let service = Service::at(&options.url)?;
    let ledger = Ledger::open(&options.ledger).await?;
    let (attempted, acknowledged) = ledger.latest().await?;
    let pace = || {
        let mut pace = tokio::time::interval(Duration::from_secs(1) / options.rate);
        // What an outage kept from being sent is not made up for in a burst.
        pace.set_missed_tick_behavior(MissedTickBehavior::Skip);
        pace
    };
    let load = Load { ledger: Mutex::new(ledger), acknowledged: AtomicI64::new(acknowledged), stop };
    let first = attempted.saturating_add(1);
    let message =
        format!("the sandbox's load sends {} orders per second to {} from {first}", options.rate, options.url);
    ready(Ready { address: None, message });
    tokio::try_join!(
        load.write(Caller::new(service.clone(), TIMEOUT), pace(), first),
        load.read(Caller::new(service, TIMEOUT), pace()),
    )?;
    load.ledger.into_inner().close().await
}

struct Load {
    ledger: Mutex<Ledger>,
    acknowledged: AtomicI64,
    stop: CancellationToken,
}

impl Load {
    async fn write(&self, mut caller: Caller, mut pace: Interval, first: i64) -> Result<(), SandboxError> {
        let mut seq = first;
        while self.goes_on(&mut pace).await {
            let amount = 100 + seq % 49_900 * 104_729 % 49_900;
            let customer = format!("customer-{:05}@example.com", seq % 20_011 * 7919 % 20_011);
            self.ledger.lock().await.attempt(seq).await?;
            let order = json!({"seq": seq, "customer": customer, "amount": amount});
            let answer = caller.call(Method::POST, "/orders", Some(&order)).await;
            let mut ledger = self.ledger.lock().await;
            let expected = expect(answer, 201, seq);
            ledger.answered(caller.version(), expected.is_ok());
            match expected {
                Ok(()) => {
                    ledger.acknowledge(seq, amount).await?;
                    self.acknowledged.store(seq, Ordering::Relaxed);
                }
                Err(detail) => ledger.fail(Kind::Write, &detail).await?,
            }
            seq += 1;
        }
        Ok(())
    }

    /// Reads the order that was acknowledged last: the one that a restored database is most likely to lack.
    async fn read(&self, mut caller: Caller, mut pace: Interval) -> Result<(), SandboxError> {
        while self.goes_on(&mut pace).await {
            let seq = self.acknowledged.load(Ordering::Relaxed);
            let failed = if seq > 0 {
                expect(caller.call(Method::GET, &format!("/orders/{seq}"), None).await, 200, seq)
            } else {
                let answer = caller.call(Method::GET, "/orders/count", None).await;
                answer.and_then(|(status, body)| if status == 200 { Ok(()) } else { Err(refused(status, &body)) })
            };
            let mut ledger = self.ledger.lock().await;
            ledger.answered(caller.version(), failed.is_ok());
            match failed {
                Ok(()) => ledger.count_read(),
                Err(detail) => ledger.fail(Kind::Read, &detail).await?,
            }
        }
        Ok(())
    }

    async fn goes_on(&self, pace: &mut Interval) -> bool {
        self.stop.run_until_cancelled(pace.tick()).await.is_some()
    }
}

/// Only an answer that names the order says something of it.
fn expect(answer: Result<(u16, Value), String>, status: u16, seq: i64) -> Result<(), String> {
    match answer? {
        (found, body) if found == status && body["seq"] == seq => Ok(()),
        (found, body) => Err(refused(found, &body)),
    }
}

fn refused(status: u16, body: &Value) -> String {
    let said = body["error"].as_str().or(body["status"].as_str()).unwrap_or("an answer that does not fit");
    format!("HTTP {status}: {said}")
}
