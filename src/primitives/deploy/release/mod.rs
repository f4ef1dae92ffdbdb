//! A directory of releases and a link to the live one.

mod record;
mod serve;
mod stock;

use crate::model::{Applied, Fault, IdempotencyKey, Symbol};
use crate::primitives::targets::{Release, Restart};
use crate::primitives::{Preview, Reconciled, version};
use crate::system::{Act, Look, ProcessSignal};

use super::preview::sketch;
use super::service::Served;
use super::{Args, Output};
use record::Record;
use stock::Source;

/// A failure that left things as they were.
fn failed(target: &str, message: impl std::fmt::Display) -> Fault {
    Fault::new("deploy-failed", format!("{target}: {message}")).on(target)
}

/// The version that is live, and which there are.
pub(super) fn live(target: &str, release: &Release, look: &Look) -> Result<version::Output, Fault> {
    let version = stock::current(target, release, look)?;
    let available = stock::available(release, look).map_err(|error| {
        Fault::new("version-unknown", format!("{target}: cannot list its versions: {error}"))
            .on(target)
            .hint("are `path` and `artifacts` of its `deploy` right?")
    })?;
    Ok(version::Output { version, available })
}

pub(super) fn preview(service: &impl Served, release: &Release, call: &Args, look: &Look) -> Result<Preview, Fault> {
    let target = service.name();
    let live = stock::current(target, release, look)?;
    let record = Record::read(release, look).filter(|record| !record.finished);
    let Some(version) = call.version() else {
        let summary = format!("{target}: {} → {}", live.as_deref().unwrap_or("nothing"), call.shown());
        return Ok(Preview::new(Symbol::Change, summary).assumed(format!("{} is not known", call.shown())));
    };
    let does = live.as_deref() != Some(version) || record.is_some() || call.restart;
    let mut preview = sketch(target, (live.as_deref(), version), does);
    if !does {
        return Ok(preview);
    }
    match stock::find(target, release, version, look) {
        Ok(Source::Installed) => {}
        Ok(Source::Directory(from) | Source::Archive(from)) => {
            preview = preview.note(format!("from {}", from.display())).input(look, &from);
        }
        Err(fault) => return Ok(preview.fault(fault)),
    }
    if let Some(record) = record {
        let what = format!("the deployment of {} was begun and did not end: it is done again", record.version);
        preview = preview.note(what);
    }
    preview = preview.note(telling(release, version, live.as_deref()));
    let removed = stock::superfluous(release, version, live.as_deref(), look);
    if !removed.is_empty() {
        preview = preview.note(format!("removes the releases {}: `keep` is {}", removed.join(", "), release.keep));
    }
    if live.is_none() {
        preview = preview.note("no version is live: if it fails, there is none to go back to");
    }
    Ok(match serve::obstacle(target, release, call.restart, look) {
        Some(fault) => preview.fault(fault),
        None => preview,
    })
}

/// How the service is made to take a release.
fn telling(release: &Release, version: &str, live: Option<&str>) -> String {
    match &release.restart {
        Some(Restart::Program(argv)) => {
            format!("then `{}`", argv.shown(&[("version", version), ("previous", live.unwrap_or_default())]))
        }
        Some(Restart::Signal(signal, file)) => {
            format!("then {} to the process in {}", signal_name(*signal), file.display())
        }
        None => "nothing makes the service take it: it has neither `restart` nor `signal`".to_owned(),
    }
}

/// As people write it.
fn signal_name(signal: ProcessSignal) -> &'static str {
    match signal {
        ProcessSignal::Hup => "SIGHUP",
        ProcessSignal::Usr1 => "SIGUSR1",
        ProcessSignal::Usr2 => "SIGUSR2",
        ProcessSignal::Term => "SIGTERM",
    }
}

pub(super) async fn perform(
    service: &impl Served,
    release: &Release,
    (args, version): (&Args, &str),
    act: &Act,
    key: &IdempotencyKey,
) -> Result<Output, Fault> {
    let (target, began) = (service.name(), act.monotonic());
    let output = |previous: Option<String>, changed: bool| {
        let took_ms = u64::try_from(act.monotonic().saturating_sub(began).as_millis()).unwrap_or(u64::MAX);
        Output { version: version.to_owned(), previous, changed, took_ms }
    };
    let live = stock::current(target, release, act)?;
    let record = Record::read(release, act);
    let same = live.as_deref() == Some(version);
    if let Some(own) =
        record.as_ref().filter(|r| r.idempotency_key == *key && r.version == version && r.finished && same)
    {
        return Ok(output(own.previous.clone(), true));
    }
    let unfinished = record.filter(|record| !record.finished);
    if same && unfinished.is_none() && !args.restart {
        return Ok(output(live, false));
    }
    let source = stock::find(target, release, version, act)?;
    if let Some(fault) = serve::obstacle(target, release, args.restart, act) {
        return Err(fault);
    }
    if source != Source::Installed {
        stock::install(target, release, version, &source, act)?;
    }
    // What the link shows after a deployment that did not end never served: what was live before it is what counts.
    let previous = unfinished.map_or(live, |record| record.previous);
    let record = Record { idempotency_key: key.clone(), version: version.to_owned(), previous, finished: false };
    serve::make_live(service, release, (args, &record), act).await?;
    stock::remove(release, &stock::superfluous(release, version, record.previous.as_deref(), act), act);
    Ok(output(record.previous, true))
}

pub(super) async fn reconcile(
    service: &impl Served,
    release: &Release,
    version: &str,
    look: &Look,
    key: &IdempotencyKey,
) -> Reconciled<Output> {
    let live = match stock::current(service.name(), release, look) {
        Ok(live) => live,
        Err(fault) => return Reconciled::Unknown { why: fault.message },
    };
    let link = release.current();
    let leads = format!("{} leads to {}", link.display(), live.as_deref().unwrap_or("nothing"));
    let Some(record) = Record::read(release, look).filter(|record| record.idempotency_key == *key) else {
        return Reconciled::NotApplied { evidence: format!("{leads}, and this call has not begun to change that") };
    };
    if live.as_deref() != Some(version) {
        return Reconciled::NotApplied { evidence: leads };
    }
    let evidence = if record.finished {
        format!("{leads}, and the service was healthy with it")
    } else if release.health.version_at.is_none() {
        let why = format!("{leads}; whether the service was made to take it is not known: it has no `version_path`");
        return Reconciled::Unknown { why };
    } else {
        match service.ailment(version, look).await {
            None => format!("{leads}, and the service says {version}"),
            Some(why) => return Reconciled::Unknown { why: format!("{leads}, but the service is not well: {why}") },
        }
    };
    let output = Output { version: version.to_owned(), previous: record.previous, changed: true, took_ms: 0 };
    Reconciled::Applied { output, evidence }
}

/// A failure that changed the target, or left it as it was.
fn ended(code: &str, target: &str, message: String, applied: Applied) -> Fault {
    Fault::new(code, message).on(target).applied(applied)
}
