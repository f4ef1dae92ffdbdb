//! `deploy` and `version` for services: what each kind of service is asked, and who does the work.

use std::path::Path;

use crate::model::{Arg, Fault, IdempotencyKey, Value};
use crate::primitives::probe::{self, Probe};
use crate::primitives::targets::{Deployment, HttpService, TcpService};
use crate::primitives::version::{self, Version};
use crate::primitives::{Driver, Evidence, Observer, Preview, Reconciled};
use crate::system::{Act, Look};

use super::{Args, Deploy, Output, command, name, release};

/// A service that can be deployed.
pub(super) trait Served: Sync {
    /// The target's name.
    fn name(&self) -> &str;
    /// How new versions are deployed.
    fn deployment(&self) -> Option<&Deployment>;
    /// Why the service is not as it should be, or does not say that it is `version` where it can be asked.
    fn ailment(&self, version: &str, look: &Look) -> impl Future<Output = Option<String>> + Send;

    /// How new versions are deployed, or the fault that nobody said so.
    fn configured(&self) -> Result<&Deployment, Fault> {
        let name = self.name();
        self.deployment().ok_or_else(|| {
            Fault::new("not-configured", format!("service {name} has no `deploy`"))
                .on(name)
                .hint(format!("add a table `[environments.….services.{name}.deploy]` with its `driver`"))
        })
    }
}

/// What a probe finds wrong.
fn wrong(found: Result<probe::Output, Fault>) -> Option<String> {
    match found {
        Ok(found) if found.ok => None,
        Ok(found) => Some(found.detail),
        Err(fault) => Some(fault.message),
    }
}

impl Served for HttpService {
    fn name(&self) -> &str {
        &self.name
    }

    fn deployment(&self) -> Option<&Deployment> {
        self.deployment.as_ref()
    }

    async fn ailment(&self, version: &str, look: &Look) -> Option<String> {
        let plain = probe::Args::of(&self.name);
        // First who answers, then how it is: the other way round, the version before could have said that all is well.
        if let Some((path, pointer)) = self.deployment.as_ref()?.health().version_at.clone() {
            let equals = Some(Value::from(version));
            let asked = probe::Args { path: Some(Arg::Known(path)), pointer: Some(pointer), equals, ..plain.clone() };
            if let Some(why) = wrong(Observer::<Probe>::observe(self, &asked, look).await) {
                return Some(why);
            }
        }
        wrong(Observer::<Probe>::observe(self, &plain, look).await)
    }
}

impl Served for TcpService {
    fn name(&self) -> &str {
        &self.name
    }

    fn deployment(&self) -> Option<&Deployment> {
        self.deployment.as_ref()
    }

    async fn ailment(&self, _: &str, look: &Look) -> Option<String> {
        wrong(Observer::<Probe>::observe(self, &probe::Args::of(&self.name), look).await)
    }
}

/// The service's process number, for one that is told by a signal.
pub(super) fn process(file: &Path, look: &Look) -> Result<u32, String> {
    let text = look.read_text(file).map_err(|error| format!("cannot read {}: {error}", file.display()))?;
    let number = text.trim().parse().ok().filter(|pid| look.process_runs(*pid));
    let number = number.ok_or_else(|| format!("{} names no process that runs", file.display()))?;
    // A number that was given to another process since may be anybody's, even our own.
    if look.own_processes().contains(&number) {
        return Err(format!("{} names Lifeboat's own process {number}", file.display()));
    }
    Ok(number)
}

async fn preview(service: &impl Served, args: &Args, look: &Look) -> Result<Preview, Fault> {
    if let Some(Err(fault)) = args.version.known().map(|version| name::check(service.name(), version.as_deref())) {
        let summary = format!("{}: → {}", service.name(), args.shown());
        return Ok(Preview::new(crate::model::Symbol::Change, summary).fault(fault));
    }
    match service.configured()? {
        Deployment::Release(how) => release::preview(service, how, args, look),
        Deployment::Command(how) => command::preview(service, how, args, look).await,
    }
}

async fn perform(service: &impl Served, args: &Args, act: &Act, key: &IdempotencyKey) -> Result<Output, Fault> {
    let Arg::Known(version) = &args.version else {
        return Err(Fault::new("argument", format!("{} is not known before the run", args.shown())).on(service.name()));
    };
    let version = name::check(service.name(), version.as_deref())?;
    match service.configured()? {
        Deployment::Release(how) => release::perform(service, how, (args, version), act, key).await,
        Deployment::Command(how) => command::perform(service, how, (args, version), act, key).await,
    }
}

async fn reconcile(service: &impl Served, args: &Args, look: &Look, key: &IdempotencyKey) -> Reconciled<Output> {
    let Some(version) = args.version() else {
        return Reconciled::NotApplied { evidence: "there is no version to deploy".to_owned() };
    };
    match service.configured() {
        Ok(Deployment::Release(how)) => release::reconcile(service, how, version, look, key).await,
        Ok(Deployment::Command(how)) => command::reconcile(service, how, version, (look, key)).await,
        Err(fault) => Reconciled::Unknown { why: fault.message },
    }
}

async fn live(service: &impl Served, look: &Look) -> Result<version::Output, Fault> {
    match service.configured()? {
        Deployment::Release(how) => release::live(service.name(), how, look),
        Deployment::Command(how) => command::live(service.name(), how, look).await,
    }
}

const EVIDENCE: Evidence = Evidence::Found(
    "the record of what the call began, and the version that is live: what the link leads to, or what `status` prints",
);

impl Driver<Deploy> for HttpService {
    const EVIDENCE: Evidence = EVIDENCE;

    async fn preview(&self, args: &Args, look: &Look) -> Result<Preview, Fault> {
        preview(self, args, look).await
    }
    async fn perform(&self, args: &Args, act: &Act, key: &IdempotencyKey) -> Result<Output, Fault> {
        perform(self, args, act, key).await
    }
    async fn reconcile(&self, args: &Args, look: &Look, key: &IdempotencyKey) -> Reconciled<Output> {
        reconcile(self, args, look, key).await
    }
}

impl Driver<Deploy> for TcpService {
    const EVIDENCE: Evidence = EVIDENCE;

    async fn preview(&self, args: &Args, look: &Look) -> Result<Preview, Fault> {
        preview(self, args, look).await
    }
    async fn perform(&self, args: &Args, act: &Act, key: &IdempotencyKey) -> Result<Output, Fault> {
        perform(self, args, act, key).await
    }
    async fn reconcile(&self, args: &Args, look: &Look, key: &IdempotencyKey) -> Reconciled<Output> {
        reconcile(self, args, look, key).await
    }
}

impl Observer<Version> for HttpService {
    async fn observe(&self, _: &version::Args, look: &Look) -> Result<version::Output, Fault> {
        live(self, look).await
    }
}

impl Observer<Version> for TcpService {
    async fn observe(&self, _: &version::Args, look: &Look) -> Result<version::Output, Fault> {
        live(self, look).await
    }
}
