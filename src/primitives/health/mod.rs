//! `health`: several probes of one target, rolled up.

mod check;

pub use check::Check;

use std::collections::BTreeMap;
use std::task::Poll;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::probe::{self, Probe};
use super::{Observer, Primitive, TargetArg};
use crate::model::{Case, Fault, Impact, ImpactKind, Value};
use crate::system::Look;

/// `health(target, #{ checks: #{…} })`.
#[derive(Debug)]
pub struct Health;

/// Makes several probes of a target at the same time. The target is healthy when all of them pass, unhealthy when a critical one
/// fails, and degraded otherwise. Like `probe` it never throws because a target is ill.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Args {
    /// The service, database, host or store.
    pub target: String,
    /// The checks by name. Each takes the options of `probe`, and `critical` (true if not given). Without any: one probe
    /// without options.
    pub checks: Option<BTreeMap<String, Check>>,
}

/// How healthy a target was found.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Output {
    /// All checks together.
    pub status: Status,
    /// Whether the status is `healthy`.
    pub ok: bool,
    /// Every check, by name: `name`, `critical`, `status`, `ok`, `down`, `latency_ms`, `value`, `detail`.
    pub checks: Vec<Checked>,
    /// How long all of it took, in milliseconds.
    pub duration_ms: f64,
    /// What was found, in one line for people.
    pub detail: String,
}

/// All checks of a target together.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Status {
    /// All pass.
    Healthy,
    /// One warns, or one that is not critical fails.
    Degraded,
    /// One that is critical fails.
    Unhealthy,
}

/// What one check found.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Checked {
    /// The check's name.
    pub name: String,
    /// Whether the target is unhealthy when it fails.
    pub critical: bool,
    /// Whether it is as it should be.
    pub status: probe::Status,
    /// Whether the status is not `fail`.
    pub ok: bool,
    /// Whether nothing answered at all.
    pub down: bool,
    /// How long its last attempt took, in milliseconds.
    pub latency_ms: f64,
    /// What was measured.
    pub value: Value,
    /// What was found, in one line for people.
    pub detail: String,
}

impl Primitive for Health {
    const NAME: &'static str = "health";
    const SUMMARY: &'static str = "makes several probes of a target and rolls them up";
    const POSITIONAL: &'static [&'static str] = &["target"];
    const TARGET: Option<TargetArg> = Probe::TARGET;
    const EXAMPLE: &'static str =
        r#"health("web", #{ checks: #{ live: #{ path: "/health" }, search: #{ path: "/search", critical: false } } })"#;
    type Args = Args;
    type Output = Output;

    fn impact(args: &Args) -> Impact {
        Impact::on(ImpactKind::Look, &args.target)
    }

    /// Unhealthy takes a critical check. Degraded takes one that is not, or one that may warn.
    fn cases(args: &Args) -> Vec<Case> {
        let checks = args.all_checks();
        let warns = |check: &Check| Probe::cases(&check.probe).iter().any(|case| case.name == "warn");
        let mut cases = vec![case("healthy", Status::Healthy)];
        if checks.values().any(|check| check.critical) {
            cases.push(case("unhealthy", Status::Unhealthy));
        }
        if checks.values().any(|check| !check.critical || warns(check)) {
            cases.push(case("degraded", Status::Degraded));
        }
        cases
    }
}

fn case(name: &'static str, status: Status) -> Case {
    let ok = Value::Bool(status == Status::Healthy);
    Case::returns(name, Value::Map(BTreeMap::from([("status".into(), Value::encode(&status)), ("ok".into(), ok)])))
}

impl Args {
    /// The checks, each with its target.
    fn all_checks(&self) -> BTreeMap<String, Check> {
        let mut checks = match &self.checks {
            Some(checks) => checks.clone(),
            None => BTreeMap::from([("probe".to_owned(), Check::default())]),
        };
        for check in checks.values_mut() {
            check.probe.target.clone_from(&self.target);
        }
        checks
    }
}

/// Whatever can be probed has a health.
impl<D: Observer<Probe>> Observer<Health> for D {
    async fn observe(&self, args: &Args, look: &Look) -> Result<Output, Fault> {
        let checks = args.all_checks();
        if checks.is_empty() {
            let fault = Fault::new("health-misuse", "`checks` is empty: without checks nothing is healthy");
            return Err(fault.on(&args.target).hint("leave `checks` out for one probe without options"));
        }
        let started = look.monotonic();
        let probes = checks.into_iter().map(|(name, check)| async move {
            match Observer::<Probe>::observe(self, &check.probe, look).await {
                Ok(found) => Ok(checked(name, check.critical, found)),
                Err(fault) => Err(Fault { message: format!("check `{name}`: {}", fault.message), ..fault }),
            }
        });
        let checks = join(probes).await.into_iter().collect::<Result<Vec<_>, _>>()?;
        let micros = look.monotonic().saturating_sub(started).as_micros();
        let status = roll_up(&checks);
        Ok(Output {
            status,
            ok: status == Status::Healthy,
            duration_ms: f64::from(u32::try_from(micros).unwrap_or(u32::MAX)) / 1000.0,
            detail: detail(&checks),
            checks,
        })
    }
}

fn checked(name: String, critical: bool, found: probe::Output) -> Checked {
    let probe::Output { status, ok, down, latency_ms, value, detail, .. } = found;
    Checked { name, critical, status, ok, down, latency_ms, value, detail }
}

fn roll_up(checks: &[Checked]) -> Status {
    if checks.iter().any(|check| check.critical && !check.ok) {
        Status::Unhealthy
    } else if checks.iter().all(|check| check.status == probe::Status::Pass) {
        Status::Healthy
    } else {
        Status::Degraded
    }
}

fn detail(checks: &[Checked]) -> String {
    let wrong: Vec<_> = checks.iter().filter(|check| check.status != probe::Status::Pass).collect();
    let summary = format!("{} of {} checks pass", checks.len() - wrong.len(), checks.len());
    wrong.iter().fold(summary, |line, check| format!("{line}; {}: {}", check.name, check.detail))
}

/// Waits for all of them at the same time; the results are in their order.
async fn join<F: Future>(futures: impl Iterator<Item = F>) -> Vec<F::Output> {
    let mut waiting: Vec<_> = futures.map(|future| (Some(Box::pin(future)), None)).collect();
    let all = std::future::poll_fn(|context| {
        for (future, done) in &mut waiting {
            if let Some(Poll::Ready(output)) = future.as_mut().map(|future| future.as_mut().poll(context)) {
                (*future, *done) = (None, Some(output));
            }
        }
        if waiting.iter().all(|(future, _)| future.is_none()) { Poll::Ready(()) } else { Poll::Pending }
    });
    all.await;
    waiting.into_iter().filter_map(|(_, done)| done).collect()
}

#[cfg(test)]
mod tests;
