//! Programs that deploy a service: `deploy` makes a version live, `status` says which one is.

use crate::model::{Applied, Fault, IdempotencyKey, Symbol};
use crate::primitives::begun::Begun;
use crate::primitives::targets::{Argv, ArgvFailure, CommandDeployment};
use crate::primitives::{Preview, Reconciled, version};
use crate::system::{Act, Look};

use super::health::{Waited, wait};
use super::name::{compare, refusal};
use super::preview::sketch;
use super::service::Served;
use super::{Args, Output};

/// What a program prints that by its meaning only looks: `status` and `list`.
async fn printed(target: &str, setting: &str, argv: &Argv, look: &Look) -> Result<String, Fault> {
    let fault = |message: String| {
        Fault::new("version-unknown", format!("{target}: {message}"))
            .on(target)
            .hint(format!("`{setting}` in the `deploy` of service {target} must print it, and end with exit code 0"))
    };
    let command = argv.ready(&[], None, look).await.map_err(fault)?;
    let declared = command.declared_read_only(format!("`{setting}` in the `deploy` of service {target}"));
    let end = look.run_declared(&declared).await.map_err(|error| fault(error.message))?;
    argv.judge(&[], &end).map_err(|failure| fault(failure.message))
}

/// The version that `status` prints.
async fn current(target: &str, how: &CommandDeployment, look: &Look) -> Result<Option<String>, Fault> {
    let text = printed(target, "status", &how.status, look).await?;
    let text = text.trim();
    if text.is_empty() {
        return Ok(None);
    }
    match refusal(text) {
        None => Ok(Some(text.to_owned())),
        Some(why) => {
            let message = format!("{target}: `{}` prints what is no version: {why}", how.status.shown(&[]));
            let hint =
                format!("`status` in the `deploy` of service {target} must print the live version and nothing else");
            Err(Fault::new("version-unknown", message).on(target).hint(hint))
        }
    }
}

/// The versions that `list` prints; `None` where nobody lists them.
async fn listed(target: &str, how: &CommandDeployment, look: &Look) -> Result<Option<Vec<String>>, Fault> {
    let Some(list) = &how.list else { return Ok(None) };
    let text = printed(target, "list", list, look).await?;
    let mut versions: Vec<String> =
        text.lines().map(str::trim).filter(|v| refusal(v).is_none()).map(str::to_owned).collect();
    versions.sort_by(|a, b| compare(a, b));
    versions.dedup();
    Ok(Some(versions))
}

/// The version that is live, and which there are.
pub(super) async fn live(target: &str, how: &CommandDeployment, look: &Look) -> Result<version::Output, Fault> {
    let version = current(target, how, look).await?;
    let available = match listed(target, how, look).await? {
        Some(listed) => listed,
        None => version.iter().cloned().collect(),
    };
    Ok(version::Output { version, available })
}

/// The fault of a version that is not listed, where somebody lists them.
async fn missing(target: &str, how: &CommandDeployment, version: &str, look: &Look) -> Result<(), Fault> {
    let Some(known) = listed(target, how, look).await? else { return Ok(()) };
    if known.iter().any(|known| known == version) {
        return Ok(());
    }
    let newest = known.iter().rev().take(5).map(String::as_str).collect::<Vec<_>>().join(", ");
    let hint =
        if newest.is_empty() { "none is listed".to_owned() } else { format!("the newest that are listed: {newest}") };
    Err(Fault::new("no-such-version", format!("{target}: there is no version {version}: `list` does not name it"))
        .on(target)
        .hint(hint))
}

/// The program that does what the call asks for, if there is anything to do.
fn program<'a>(target: &str, how: &'a CommandDeployment, args: &Args, same: bool) -> Result<Option<&'a Argv>, Fault> {
    match (same, args.restart, &how.restart) {
        (false, _, _) => Ok(Some(&how.deploy)),
        (true, false, _) => Ok(None),
        (true, true, Some(restart)) => Ok(Some(restart)),
        (true, true, None) => Err(Fault::new("not-configured", format!("service {target} cannot be restarted"))
            .on(target)
            .hint("give its `deploy` a `restart`")),
    }
}

pub(super) async fn preview(
    service: &impl Served,
    how: &CommandDeployment,
    call: &Args,
    look: &Look,
) -> Result<Preview, Fault> {
    let target = service.name();
    let live = current(target, how, look).await?;
    let Some(version) = call.version() else {
        let summary = format!("{target}: {} → {}", live.as_deref().unwrap_or("nothing"), call.shown());
        return Ok(Preview::new(Symbol::Change, summary).assumed(format!("{} is not known", call.shown())));
    };
    let (change, same) = ((live.as_deref(), version), live.as_deref() == Some(version));
    let argv = match program(target, how, call, same) {
        Ok(Some(argv)) => argv,
        Ok(None) => return Ok(sketch(target, change, false)),
        Err(fault) => return Ok(sketch(target, change, true).fault(fault)),
    };
    let values = [("version", version), ("previous", live.as_deref().unwrap_or_default())];
    let build = how.build.as_ref().filter(|_| !same);
    let steps: Vec<String> = build.into_iter().chain([argv]).map(|argv| format!("`{}`", argv.shown(&values))).collect();
    let mut preview = sketch(target, change, true).note(format!("runs {}", steps.join(", then ")));
    if how.rollback.is_none() {
        preview = preview.note("if it fails, the runbook must go back: it has no `rollback`");
    }
    let unable = build.into_iter().chain([argv]).find_map(|argv| argv.command(&values, None, look).err());
    let fault = match unable {
        Some(why) => Some(Fault::new("deploy-failed", format!("{target}: {why}")).on(target)),
        None => missing(target, how, version, look).await.err(),
    };
    Ok(match fault {
        Some(fault) => preview.fault(fault),
        None => preview,
    })
}

pub(super) async fn perform(
    service: &impl Served,
    how: &CommandDeployment,
    (call, version): (&Args, &str),
    act: &Act,
    key: &IdempotencyKey,
) -> Result<Output, Fault> {
    let (target, began) = (service.name(), act.monotonic());
    let previous = current(target, how, act).await?;
    let output = |previous: Option<String>, changed: bool| {
        let took_ms = u64::try_from(act.monotonic().saturating_sub(began).as_millis()).unwrap_or(u64::MAX);
        Output { version: version.to_owned(), previous, changed, took_ms }
    };
    let same = previous.as_deref() == Some(version);
    let Some(argv) = program(target, how, call, same)? else { return Ok(output(previous, false)) };
    missing(target, how, version, act).await?;
    let before = previous.as_deref().unwrap_or_default();
    let values = [("version", version), ("previous", before)];
    if let Some(build) = how.build.as_ref().filter(|_| !same) {
        build.run(target, &values, key, act).await.map_err(|failure| untouched(target, &failure))?;
    }
    let first = Begun::note(key, previous.clone(), &how.begun, act)
        .map_err(|why| Fault::new("deploy-failed", format!("{target}: {why}")).on(target))?;
    let done = argv.run(target, &values, key, act).await;
    let (code, why) = match done {
        Err(failure) if !failure.started => return Err(untouched(target, &failure)),
        Err(failure) if failure.interrupted => ("interrupted", failure.message),
        Err(failure) => ("deploy-failed", failure.message),
        Ok(()) => match serves(service, how, (call, version), act).await {
            Ok(()) => return Ok(output(first, true)),
            Err(trouble) => trouble,
        },
    };
    // The request to stop that may have ended it must not end the way back as well.
    Err(go_back(service, how, (call, &values), (code, why), (&act.shielded(), key)).await)
}

fn untouched(target: &str, failure: &ArgvFailure) -> Fault {
    let message = format!("{target}: {}; the service was not touched", failure.message);
    let code = if failure.interrupted { "interrupted" } else { "deploy-failed" };
    if code == "interrupted" {
        return Fault::new("interrupted", message).on(target);
    }
    Fault::new("deploy-failed", message).on(target)
}

/// Whether `version` is live and well; otherwise the code and the reason.
async fn serves(
    service: &impl Served,
    how: &CommandDeployment,
    (args, version): (&Args, &str),
    look: &Look,
) -> Result<(), (&'static str, String)> {
    match current(service.name(), how, look).await {
        Ok(Some(live)) if live == version => {}
        Ok(live) => {
            let live = live.as_deref().unwrap_or("nothing");
            return Err(("deploy-failed", format!("`{}` says that {live} is live", how.status.shown(&[]))));
        }
        Err(fault) => return Err(("deploy-failed", fault.message)),
    }
    if !args.health {
        return Ok(());
    }
    match wait(service, version, how.health.within, look).await {
        Waited::Healthy => Ok(()),
        Waited::InVain(why) => Err(("deploy-unhealthy", why)),
        Waited::Interrupted => Err(("interrupted", "the run was asked to stop".to_owned())),
    }
}

/// Takes a deployment back that failed, where there is a program for it; then `status` says what is live.
async fn go_back(
    service: &impl Served,
    how: &CommandDeployment,
    (args, values): (&Args, &[(&str, &str); 2]),
    (code, why): (&'static str, String),
    (act, key): (&Act, &IdempotencyKey),
) -> Fault {
    let (target, [(_, version), (_, previous)]) = (service.name(), *values);
    let end = |state: String, applied| {
        Fault::new(code, format!("{target}: {version}: {why}; {state}")).on(target).applied(applied)
    };
    let mut said = String::new();
    if let (Some(rollback), false) = (&how.rollback, previous.is_empty() || previous == version) {
        match rollback.run(target, values, key, act).await {
            Err(failure) => said = format!("{}, and ", failure.message),
            Ok(()) => match serves(service, how, (args, previous), act).await {
                Ok(()) => return end(format!("{previous} serves again"), Applied::No),
                Err((_, why)) => said = format!("it was rolled back to {previous}, but {why}, and "),
            },
        }
    }
    let rolled_back = !said.is_empty();
    match current(target, how, act).await {
        Ok(live) if !rolled_back && live.as_deref().unwrap_or_default() == previous && previous != version => {
            end(format!("{} is still live", live.as_deref().unwrap_or("nothing")), Applied::No)
        }
        Ok(live) => end(format!("{said}{} is live now", live.as_deref().unwrap_or("nothing")), Applied::Yes),
        Err(fault) => end(format!("{said}nobody knows what is live: {}", fault.message), Applied::Unknown),
    }
}

pub(super) async fn reconcile(
    service: &impl Served,
    how: &CommandDeployment,
    version: &str,
    (look, key): (&Look, &IdempotencyKey),
) -> Reconciled<Output> {
    let target = service.name();
    let live = match current(target, how, look).await {
        Ok(live) => live,
        Err(fault) => return Reconciled::Unknown { why: fault.message },
    };
    let says = format!("`{}` says that {} is live", how.status.shown(&[]), live.as_deref().unwrap_or("nothing"));
    let Some(previous) = Begun::<Option<String>>::of(key, &how.begun, look) else {
        return Reconciled::NotApplied { evidence: format!("{says}, and this call has not begun to change that") };
    };
    if live.as_deref() != Some(version) {
        return Reconciled::NotApplied { evidence: says };
    }
    if let Some(why) = service.ailment(version, look).await {
        return Reconciled::Unknown { why: format!("{says}, but the service is not well: {why}") };
    }
    let output = Output { version: version.to_owned(), previous, changed: true, took_ms: 0 };
    Reconciled::Applied { output, evidence: says }
}
