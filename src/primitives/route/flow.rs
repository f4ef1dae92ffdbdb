//! `route` and `routes` for every router: read, decide, write, read back.

use std::collections::BTreeMap;
use std::path::Path;
use std::time::Duration;

use crate::model::{Applied, Arg, Fault, IdempotencyKey, Span, Symbol, Unknown, Value, instead};
use crate::primitives::begun::Begun;
use crate::primitives::targets::Backends;
use crate::primitives::{Evidence, Preview, Reconciled, routes};
use crate::system::{Act, Look};

use super::server::{Server, State, shares, weights_for};
use super::shares::{Percent, Shares, alike, moved, shown};
use super::{Args, Output};

/// The pause between two looks at what is still under way.
const EVERY: Duration = Duration::from_millis(50);

/// A router as these calls see it.
pub(super) trait Router: Sync {
    /// The greatest weight of a server.
    const HEAVIEST: u32;
    /// Whether what `servers` gives is what a file says, and not what the router works with.
    fn is_read_from_a_file(&self) -> bool;
    /// The target's name.
    fn name(&self) -> &str;
    /// The backends with their servers.
    fn backends(&self) -> &Backends;
    /// Where it is noted how traffic was shared out before.
    fn begun(&self) -> &Path;
    /// The servers as they are now.
    fn servers(&self, look: &Look) -> impl Future<Output = Result<Vec<Server>, Fault>> + Send;
    /// Why weights could not be set, as far as a look can tell.
    fn obstacle(&self, look: &Look) -> Option<Fault>;
    /// Sets the weights of all servers, given with those that they have now. A fault says whether they are as they were.
    fn set(
        &self,
        weights: (&BTreeMap<String, u32>, &[Server]),
        act: &Act,
        key: &IdempotencyKey,
    ) -> impl Future<Output = Result<(), Fault>> + Send;
    /// How many requests these servers have still to answer; `None` when the router cannot tell.
    fn pending(&self, servers: &[&str], look: &Look) -> impl Future<Output = Result<Option<u64>, Fault>> + Send;
}

fn heaviest<R: Router>(_: &R) -> u32 {
    R::HEAVIEST
}

pub(super) fn failed(router: &str, message: impl std::fmt::Display) -> Fault {
    Fault::new("route-failed", format!("{router}: {message}")).on(router)
}

fn misuse(router: &str, message: impl std::fmt::Display) -> Fault {
    Fault::new("argument", format!("{router}: {message}")).on(router)
}

/// How traffic is to be shared out; the label of what is not known yet.
fn wanted(router: &impl Router, args: &Args, now: &Shares) -> Result<Arg<Shares>, Fault> {
    let name = router.name();
    let known: Vec<&str> = router.backends().keys().map(String::as_str).collect();
    let check = |backend: &str| {
        if router.backends().contains_key(backend) {
            return Ok(());
        }
        Err(misuse(name, format!("there is no backend `{backend}`")).hint(instead(backend, &known, "backends")))
    };
    let unknown = |label: &Unknown| Ok(Arg::Unknown(label.clone()));
    match (&args.to, &args.percent, &args.shares) {
        (Some(_), _, Some(_)) | (None, Some(_), Some(_)) => {
            Err(misuse(name, "`shares` says what each backend gets: leave `to` and `percent` out"))
        }
        (None, _, None) => Err(misuse(name, "it is not said what gets the traffic").hint("give `to`, or `shares`")),
        (Some(Arg::Unknown(label)), _, None)
        | (_, Some(Arg::Unknown(label)), None)
        | (_, _, Some(Arg::Unknown(label))) => unknown(label),
        (Some(Arg::Known(to)), percent, None) => {
            check(to)?;
            let percent = percent.as_ref().and_then(Arg::known).copied().unwrap_or(Percent::ALL);
            Ok(Arg::Known(moved(now, to, percent)))
        }
        (_, _, Some(Arg::Known(shares))) => {
            for backend in shares.keys() {
                check(backend)?;
            }
            let sum: u32 = shares.values().map(|share| share.hundredths()).sum();
            // Whoever writes 33.3 three times means all of it.
            if sum.abs_diff(Percent::ALL.hundredths()) > 50 {
                return Err(misuse(name, format!("the shares are {} in all, not 100 %", f64::from(sum) / 100.0)));
            }
            let share = |backend: &String| shares.get(backend).copied().unwrap_or_default();
            Ok(Arg::Known(router.backends().keys().map(|backend| (backend.clone(), share(backend))).collect()))
        }
    }
}

/// A backend that is to get more and can take nothing.
fn unavailable(router: &impl Router, wanted: &Shares, now: &Shares, servers: &[Server]) -> Option<Fault> {
    let more = wanted.iter().filter(|(name, share)| **share > now.get(*name).copied().unwrap_or_default());
    more.map(|(name, _)| name).find_map(|backend| {
        let of_it: Vec<&Server> = servers.iter().filter(|server| server.backend == *backend).collect();
        if of_it.iter().any(|server| server.state == State::Up) {
            return None;
        }
        let states: Vec<String> = of_it.iter().map(|s| format!("{} is {}", s.name, s.state.describe())).collect();
        let message = format!("{}: {backend} takes no traffic: {}", router.name(), states.join(", "));
        let hint = "see why, and make a server ready first; nothing was changed";
        Some(Fault::new("backend-unavailable", message).on(router.name()).hint(hint))
    })
}

pub(super) const EVIDENCE: Evidence =
    Evidence::Found("the record of what the call began, and the weights that the balancer has");

pub(super) async fn look(router: &impl Router, look: &Look) -> Result<routes::Output, Fault> {
    let servers = router.servers(look).await?;
    Ok(routes::Output { shares: shares(&servers, router.backends()), servers })
}

pub(super) async fn preview(router: &impl Router, args: &Args, look: &Look) -> Result<Preview, Fault> {
    let (name, servers) = (router.name(), router.servers(look).await?);
    let now = shares(&servers, router.backends());
    let before = shown(&now);
    let wanted = match wanted(router, args, &now) {
        Ok(Arg::Known(wanted)) => wanted,
        Ok(Arg::Unknown(label)) => {
            let summary = format!("{name}: {before} → {label}");
            return Ok(Preview::new(Symbol::Change, summary).assumed(format!("{label} is not known")));
        }
        Err(fault) => return Ok(Preview::new(Symbol::Change, format!("{name}: {before}")).fault(fault)),
    };
    let changes = !alike(&wanted, &now) || Begun::<Shares>::is_pending(router.begun(), look);
    let output =
        [("shares", Value::encode(&wanted)), ("before", Value::encode(&now)), ("changed", Value::Bool(changes))];
    let output = Value::Map(output.map(|(name, value)| (name.to_owned(), value)).into());
    if !changes {
        let summary = format!("{name}: {before} already: nothing to do");
        return Ok(Preview::new(Symbol::Nothing, summary).states(before.clone(), before).output(output));
    }
    let after = shown(&wanted);
    let mut preview =
        Preview::new(Symbol::Change, format!("{name}: {before} → {after}")).states(before, after).output(output);
    if let Some(drain) = args.drain {
        preview = preview.note(format!("then waits until what gets nothing any more has answered, at most {drain}"));
    }
    Ok(match unavailable(router, &wanted, &now, &servers).or_else(|| router.obstacle(look)) {
        Some(fault) => preview.fault(fault),
        None => preview,
    })
}

pub(super) async fn perform(
    router: &impl Router,
    args: &Args,
    act: &Act,
    key: &IdempotencyKey,
) -> Result<Output, Fault> {
    let (name, began, servers) = (router.name(), act.monotonic(), router.servers(act).await?);
    let now = shares(&servers, router.backends());
    let first = Begun::<Shares>::of(key, router.begun(), act);
    // A second attempt wants what the first one wanted, which it computed from what it found.
    let wanted = match wanted(router, args, first.as_ref().unwrap_or(&now))? {
        Arg::Known(wanted) => wanted,
        Arg::Unknown(label) => return Err(misuse(name, format!("{label} is not known before the run"))),
    };
    let changes = !alike(&wanted, &now) || Begun::<Shares>::is_pending(router.begun(), act);
    let before = if changes {
        if let Some(fault) = unavailable(router, &wanted, &now, &servers).or_else(|| router.obstacle(act)) {
            return Err(fault);
        }
        let before = Begun::note(key, now.clone(), router.begun(), act).map_err(|why| failed(name, why))?;
        let weights = weights_for(&wanted, &servers, heaviest(router));
        if let Err(fault) = router.set((&weights, &servers), act, key).await {
            if fault.applied == Applied::No {
                Begun::<Shares>::finish(router.begun(), act);
            }
            return Err(fault);
        }
        Begun::<Shares>::finish(router.begun(), act);
        before
    } else {
        first.clone().unwrap_or_else(|| now.clone())
    };
    let drained = match args.drain {
        Some(within) => drain(router, &wanted, &servers, within, act).await?,
        None => false,
    };
    let took_ms = u64::try_from(act.monotonic().saturating_sub(began).as_millis()).unwrap_or(u64::MAX);
    Ok(Output { shares: wanted, before, changed: changes || first.is_some(), drained, took_ms })
}

/// Waits until the servers that get nothing have answered what they were asked. Whether that was seen.
async fn drain(
    router: &impl Router,
    wanted: &Shares,
    servers: &[Server],
    within: Span,
    look: &Look,
) -> Result<bool, Fault> {
    let idle = servers.iter().filter(|server| wanted.get(&server.backend) == Some(&Percent::NONE));
    let idle: Vec<&str> = idle.map(|server| server.name.as_str()).collect();
    let began = look.monotonic();
    loop {
        let pending = if idle.is_empty() { Some(0) } else { router.pending(&idle, look).await.unwrap_or(None) };
        if pending == Some(0) {
            return Ok(true);
        }
        if look.monotonic().saturating_sub(began) >= within.0 {
            return Ok(false);
        }
        if look.sleep(EVERY).await.is_err() {
            let message = format!("{}: the traffic was moved; waiting for what was under way was ended", router.name());
            return Err(Fault::new("interrupted", message).on(router.name()).applied(Applied::Yes));
        }
    }
}

pub(super) async fn reconcile(
    router: &impl Router,
    args: &Args,
    look: &Look,
    key: &IdempotencyKey,
) -> Reconciled<Output> {
    let servers = match router.servers(look).await {
        Ok(servers) => servers,
        Err(fault) => return Reconciled::Unknown { why: fault.message },
    };
    let now = shares(&servers, router.backends());
    let found = format!("{}: {}", router.name(), shown(&now));
    let Some(before) = Begun::<Shares>::of(key, router.begun(), look) else {
        return Reconciled::NotApplied { evidence: format!("{found}; this call has not begun to change that") };
    };
    match wanted(router, args, &before) {
        _ if Begun::<Shares>::is_pending(router.begun(), look) && router.is_read_from_a_file() => {
            Reconciled::Unknown { why: format!("{found}; whether that is what it works with is not known") }
        }
        Ok(Arg::Known(wanted)) if alike(&wanted, &now) => {
            let output = Output { shares: now, before, changed: true, drained: false, took_ms: 0 };
            Reconciled::Applied { output, evidence: found }
        }
        Ok(Arg::Known(_)) if alike(&before, &now) => Reconciled::NotApplied { evidence: found },
        Ok(_) => Reconciled::Unknown { why: format!("{found}, which is neither as before nor as wanted") },
        Err(fault) => Reconciled::Unknown { why: fault.message },
    }
}
