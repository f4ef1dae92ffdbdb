//! Making a release the live one, and making the one before it live again when that fails.

use std::path::Path;

use crate::model::{Applied, Fault};
use crate::primitives::deploy::Args;
use crate::primitives::deploy::health::{Waited, wait};
use crate::primitives::deploy::service::{Served, process};
use crate::primitives::targets::{Release, Restart};
use crate::system::{Act, Look};

use super::record::Record;
use super::{ended, failed};

/// Why a new release did not serve.
struct Trouble {
    code: &'static str,
    why: String,
}

/// Why the service could not be made to take a release, as far as a look can tell.
pub(super) fn obstacle(target: &str, release: &Release, restart: bool, look: &Look) -> Option<Fault> {
    let why = match &release.restart {
        None if restart => {
            let fault = Fault::new("not-configured", format!("service {target} cannot be restarted"));
            return Some(fault.on(target).hint("give its `deploy` a `restart` or a `signal`"));
        }
        None => return None,
        Some(Restart::Program(argv)) => argv.command(&[], None, look).err(),
        Some(Restart::Signal(_, file)) => process(file, look).err(),
    };
    why.map(|why| failed(target, why).hint("nothing was changed: the service could not be told of a new release"))
}

/// Lets the link lead to the record's version and sees that the service serves it; goes back if it does not.
pub(super) async fn make_live(
    service: &impl Served,
    release: &Release,
    (args, record): (&Args, &Record),
    act: &Act,
) -> Result<(), Fault> {
    let target = service.name();
    record.write(release, act).map_err(|why| failed(target, why))?;
    let trouble = match lead(release, &record.version, act) {
        Ok(()) => take(service, release, (args.health, record), &record.version, act).await,
        Err(why) => return Err(failed(target, why)),
    };
    let trouble = match trouble {
        // The deployment has ended well, and must not be done again because that could not be written down.
        Ok(()) => {
            return Record { finished: true, ..record.clone() }.write(release, act).map_err(|why| {
                ended("deploy-failed", target, format!("{target}: {} serves, but {why}", record.version), Applied::Yes)
            });
        }
        Err(trouble) => trouble,
    };
    // The request to stop that may have ended it must not end the way back as well.
    Err(go_back(service, release, (args.health, record), trouble, &act.shielded()).await)
}

fn lead(release: &Release, version: &str, act: &Act) -> Result<(), String> {
    let link = release.current();
    let led = act.link_atomic(&link, &Path::new("releases").join(version));
    led.map_err(|error| format!("cannot let {} lead to {version}: {error}", link.display()))
}

/// Makes the service take what the link leads to, and waits until it is healthy.
async fn take(
    service: &impl Served,
    release: &Release,
    (health, record): (bool, &Record),
    version: &str,
    act: &Act,
) -> Result<(), Trouble> {
    let trouble = |code, why| Err(Trouble { code, why });
    let previous = record.previous.as_deref().unwrap_or_default();
    match &release.restart {
        None => {}
        Some(Restart::Program(argv)) => {
            let values = [("version", version), ("previous", previous)];
            if let Err(failure) = argv.run(service.name(), &values, &record.idempotency_key, act).await {
                let code = if failure.interrupted { "interrupted" } else { "deploy-failed" };
                return trouble(code, failure.message);
            }
        }
        Some(Restart::Signal(signal, file)) => {
            let told = process(file, act).and_then(|pid| {
                act.signal(pid, *signal).map_err(|error| format!("process {pid} cannot be told: {error}"))
            });
            if let Err(why) = told {
                return trouble("deploy-failed", why);
            }
        }
    }
    if !health {
        return Ok(());
    }
    match wait(service, version, release.health.within, act).await {
        Waited::Healthy => Ok(()),
        Waited::InVain(why) => trouble("deploy-unhealthy", why),
        Waited::Interrupted => trouble("interrupted", "the run was asked to stop".to_owned()),
    }
}

/// Makes the version before live again, and says what came of it.
async fn go_back(
    service: &impl Served,
    release: &Release,
    (health, record): (bool, &Record),
    trouble: Trouble,
    act: &Act,
) -> Fault {
    let (target, version) = (service.name(), &record.version);
    let Trouble { code, why } = trouble;
    let end = |state: String, applied| ended(code, target, format!("{target}: {version}: {why}; {state}"), applied);
    let Some(previous) = record.previous.as_ref().filter(|previous| *previous != version) else {
        let state = format!("{version} stays live: there is no other version to go back to");
        return end(state, Applied::Yes);
    };
    if !act.is_directory(&release.releases().join(previous)) {
        return end(format!("{version} stays live: the release {previous} is gone"), Applied::Yes);
    }
    // From here on the record says that it is the older version that the service may not have taken yet.
    let back =
        Record { version: previous.clone(), previous: Some(previous.clone()), finished: false, ..record.clone() };
    let led = back.write(release, act).and_then(|()| lead(release, previous, act));
    if let Err(failure) = led {
        return end(format!("{version} stays live: {failure}"), Applied::Yes);
    }
    match take(service, release, (health, &back), previous, act).await {
        Ok(()) => {
            // If this cannot be written, the next deployment only tells the service once more.
            let _ = Record { finished: true, ..back }.write(release, act);
            let serves = if health { format!("{previous} serves again") } else { format!("{previous} is live again") };
            end(serves, Applied::No)
        }
        Err(again) => end(format!("{previous} is live again, but does not serve: {}", again.why), Applied::Yes)
            .hint("see why the service does not come up with a version that it had before"),
    }
}
