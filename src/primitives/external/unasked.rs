//! Declared drivers that nobody starts, not even to have them describe themselves: for whatever looks at nothing.

use std::collections::BTreeSet;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;

use crate::config::{DriverSpec, Environment, Target, TargetKind};
use crate::model::{Case, Fault, IdempotencyKey, ImpactKind, Outcome, Value};
use crate::primitives::registry::{Factory, Registry};
use crate::primitives::{ErasedReconciled, Handler, Preview, Reconciled};
use crate::system::{Act, Look};

type Boxed<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

/// A driver of which nobody knows more than its name. What a call can come to, its primitive says.
struct Unasked {
    driver: String,
}

impl Unasked {
    fn fault(&self) -> Fault {
        Fault::new("driver-not-started", format!("driver {} is not started: nothing is looked at here", self.driver))
    }
}

impl Handler for Unasked {
    fn impact(&self, _: &Value) -> Option<ImpactKind> {
        None
    }

    fn cases(&self, _: &Value) -> Option<Vec<Case>> {
        None
    }

    fn observe<'a>(&'a self, _: &'a Value, _: &'a Look) -> Option<Boxed<'a, Outcome>> {
        Some(Box::pin(async { Err(self.fault()) }))
    }

    fn preview<'a>(&'a self, _: &'a Value, _: &'a Look) -> Boxed<'a, Result<Preview, Fault>> {
        Box::pin(async { Err(self.fault()) })
    }

    fn perform<'a>(&'a self, _: &'a Value, _: &'a Act, _: &'a IdempotencyKey) -> Boxed<'a, Outcome> {
        Box::pin(async { Err(self.fault()) })
    }

    fn reconcile<'a>(&'a self, _: &'a Value, _: &'a Look, _: &'a IdempotencyKey) -> Boxed<'a, ErasedReconciled> {
        Box::pin(async { Reconciled::Unknown { why: self.fault().message } })
    }
}

impl Registry {
    /// The same, and targets of `environment` that name the declared driver `spec` are taken to be served by it, whatever is asked of
    /// them. It is never started.
    #[must_use]
    pub fn unasked(mut self, spec: &DriverSpec, environment: &Environment) -> Self {
        let targets = environment.targets.values().filter(|target| target.driver == spec.name);
        let kinds: BTreeSet<TargetKind> = targets.map(|target| target.kind).collect();
        for kind in kinds {
            let takes = |target: &crate::primitives::TargetArg| target.kinds.contains(&kind);
            let names: Vec<_> =
                self.signatures().filter(|s| s.target.as_ref().is_some_and(takes)).map(|s| s.name).collect();
            for name in names {
                let driver = spec.name.clone();
                let factory: Factory =
                    Arc::new(move |_: &Target, _: &Environment| Ok(Arc::new(Unasked { driver: driver.clone() })));
                self.serve_by(name, kind, &spec.name, factory);
            }
        }
        self
    }
}
