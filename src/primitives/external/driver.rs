//! A driver that has described itself.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use crate::config::{ConfigError, DriverSpec, Environment, Target, TargetKind};
use crate::model::{Applied, Fault};
use crate::primitives::registry::{Factory, Registry};
use crate::system::{Look, hex, random_u32};

use super::answer::{message, one_line};
use super::exchange::{broken, find, look as ask};
use super::handler::External;
use super::protocol::{Description, Kind, Request, VERSION};

/// A program that serves targets, and what it says of itself.
#[derive(Clone, Debug)]
pub struct ExternalDriver {
    /// How the configuration declares it.
    pub spec: DriverSpec,
    /// What it says of itself.
    pub description: Description,
    /// SHA-256 of its program's file, as hexadecimal digits.
    pub digest: String,
}

/// A request of which nothing is said yet but what it asks.
pub(super) fn request(kind: Kind, spec: &DriverSpec) -> Request {
    let limit = if kind == Kind::Perform { spec.time_limit } else { spec.look_time_limit };
    Request {
        protocol: VERSION,
        id: format!("{:08x}{:08x}", random_u32(), random_u32()),
        request: kind,
        primitive: None,
        target: None,
        args: None,
        idempotency_key: None,
        time_limit_ms: u64::try_from(limit.0.as_millis()).unwrap_or(u64::MAX),
    }
}

impl ExternalDriver {
    /// Asks the declared program to describe itself: the first thing that `check`, a plan and a run do with it.
    pub async fn describe(spec: &DriverSpec, look: &Look) -> Result<Self, Fault> {
        let request = request(Kind::Describe, spec);
        let wrong = |why: &str| broken(&spec.name, &request, why).applied(Applied::No);
        find(spec, look)?;
        let digest = Self::digest_of(spec, look);
        let ok = match ask(spec, &request, look).await? {
            Ok(ok) => ok,
            Err(fault) => return Err(wrong(&format!("does not describe itself: {}", one_line(&fault.message)))),
        };
        let description: Description = message(ok).map_err(|why| wrong(&why))?;
        if let Some(mistake) = description.settings.mistake() {
            return Err(wrong(&format!("describes itself wrongly: {mistake}")));
        }
        if let Some(kind) = description.serves.keys().find(|kind| kind_called(kind).is_none()) {
            return Err(wrong(&format!("describes itself wrongly: there is no kind of target `{}`", one_line(kind))));
        }
        Ok(Self { spec: spec.clone(), description, digest })
    }

    /// SHA-256 of the file of the program that `spec` declares, as hexadecimal digits; empty where it cannot be read. Nothing is started.
    pub fn digest_of(spec: &DriverSpec, look: &Look) -> String {
        let bytes = find(spec, look).ok().and_then(|file| look.read(&file).ok());
        bytes.map(|bytes| hex(&bytes)).unwrap_or_default()
    }

    /// The error that points at its declaration.
    pub fn misdeclared(spec: &DriverSpec, fault: &Fault) -> ConfigError {
        let error = spec.error("program", fault.message.clone());
        match &fault.hint {
            Some(hint) => error.help(hint.clone()),
            None => error,
        }
    }

    /// What it serves, as far as `registry` knows it: the others are of no use to this Lifeboat.
    pub(crate) fn served(&self, registry: &Registry) -> BTreeMap<TargetKind, BTreeSet<&'static str>> {
        let primitives = |kind: TargetKind, names: &[String]| {
            let known = names.iter().filter_map(|name| registry.signature(name));
            known.filter(|s| s.target.is_some_and(|target| target.kinds.contains(&kind))).map(|s| s.name).collect()
        };
        let serves = self.description.serves.iter();
        serves.filter_map(|(kind, names)| kind_called(kind).map(|kind| (kind, primitives(kind, names)))).collect()
    }
}

/// The kind of target that is called `name`.
pub(crate) fn kind_called(name: &str) -> Option<TargetKind> {
    TargetKind::ALL.into_iter().find(|kind| kind.to_string() == name)
}

impl Registry {
    /// The same, and `driver` serves the targets that name it.
    #[must_use]
    pub fn external(mut self, driver: &Arc<ExternalDriver>) -> Self {
        for (kind, names) in driver.served(&self) {
            for name in names {
                let Some(signature) = self.signature(name).cloned() else { continue };
                let serving = driver.clone();
                let factory: Factory = Arc::new(move |target: &Target, environment: &Environment| {
                    serving.description.settings.check(target)?;
                    Ok(Arc::new(External::new(serving.clone(), signature.clone(), target, environment)))
                });
                self.serve_by(name, kind, &driver.spec.name, factory);
            }
            self.takes(kind, &driver.spec.name, driver.description.settings.specs());
        }
        self
    }
}
