//! The drivers of an environment: ours, and the programs that the configuration declares. Those are asked to describe themselves when
//! they are first needed.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use crate::config::{DriverSpec, Environment, TargetKind};
use crate::primitives::Registry;
use crate::primitives::external::ExternalDriver;

use super::{Error, Lifeboat};

/// The declared drivers that have described themselves, by name.
#[derive(Default)]
pub(super) struct Described(Mutex<BTreeMap<String, Arc<ExternalDriver>>>);

impl Lifeboat {
    /// The primitives with all that serves the targets of `environment`. Starts each declared driver that one of them names, once,
    /// to have it describe itself.
    pub fn serving(&self, environment: &Environment) -> Result<Arc<Registry>, Error> {
        let (drivers, mistakes) = self.described(environment);
        if !mistakes.is_empty() {
            return Err(Error::Config(mistakes));
        }
        if drivers.is_empty() {
            return Ok(self.registry.clone());
        }
        let registry = Registry::clone(&self.registry);
        Ok(Arc::new(drivers.iter().fold(registry, Registry::external)))
    }

    /// The declared drivers that targets of `environment` name, and what is wrong with the others.
    pub(super) fn described(
        &self,
        environment: &Environment,
    ) -> (Vec<Arc<ExternalDriver>>, Vec<crate::config::ConfigError>) {
        let (mut drivers, mut mistakes) = (Vec::new(), Vec::new());
        for spec in self.declared(environment) {
            if TargetKind::ALL.iter().any(|kind| self.registry.drivers(*kind).contains(spec.name.as_str())) {
                let message = format!("`{}` is a driver that Lifeboat brings", spec.name);
                mistakes.push(spec.error(".", message).help("give yours another name"));
                continue;
            }
            match self.describe(spec) {
                Ok(driver) => drivers.push(driver),
                Err(fault) => mistakes.push(ExternalDriver::misdeclared(spec, &fault)),
            }
        }
        (drivers, mistakes)
    }

    fn describe(&self, spec: &DriverSpec) -> Result<Arc<ExternalDriver>, crate::model::Fault> {
        let known =
            |described: &Described| described.0.lock().unwrap_or_else(PoisonError::into_inner).get(&spec.name).cloned();
        if let Some(driver) = known(&self.described) {
            return Ok(driver);
        }
        let driver = self.tokio.handle().block_on(ExternalDriver::describe(spec, &self.look())).map(Arc::new)?;
        let mut described = self.described.0.lock().unwrap_or_else(PoisonError::into_inner);
        Ok(described.entry(spec.name.clone()).or_insert(driver).clone())
    }

    /// The declared drivers that targets of `environment` name.
    fn declared(&self, environment: &Environment) -> impl Iterator<Item = &DriverSpec> {
        let used = |spec: &&DriverSpec| environment.targets.values().any(|target| target.driver == spec.name);
        self.config.drivers.values().filter(used)
    }

    /// The same as [`Lifeboat::serving`] for whatever looks at nothing: no declared driver is started, so each is taken to serve its
    /// targets.
    pub(super) fn serving_unasked(&self, environment: &Environment) -> Arc<Registry> {
        let ours = |spec: &&DriverSpec| {
            !TargetKind::ALL.iter().any(|kind| self.registry.drivers(*kind).contains(spec.name.as_str()))
        };
        let mut declared = self.declared(environment).filter(ours).peekable();
        if declared.peek().is_none() {
            return self.registry.clone();
        }
        Arc::new(declared.fold(Registry::clone(&self.registry), |registry, spec| registry.unasked(spec, environment)))
    }

    /// SHA-256 digests of the programs that serve targets of `environment`, by driver. None is started.
    pub(super) fn driver_digests(&self, environment: &Environment) -> BTreeMap<String, String> {
        let look = self.look();
        let digest = |spec: &DriverSpec| (format!("driver {}", spec.name), ExternalDriver::digest_of(spec, &look));
        self.declared(environment).map(digest).collect()
    }
}
