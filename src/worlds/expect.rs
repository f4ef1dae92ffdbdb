//! A run that is held to a plan: it may look, tell and ask, and undo what it owes, but change only what the plan has.

use std::collections::{HashMap, HashSet};
use std::ops::Deref;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use crate::model::{Fault, Halt, Invocation, Key, Outcome, Performed, Plan, Repeat, Rewrite as _, Site, Value, World};
use crate::system::Redactor;

use super::Cast;
use super::around::Around;

/// The world of a run that is held to a plan.
pub struct Expect {
    inner: Arc<dyn World>,
    cast: Cast,
    redactor: Arc<Redactor>,
    planned: HashMap<Key, Planned>,
    /// Where the plan says that something may happen when a call ends otherwise.
    otherwise: HashSet<Site>,
    /// Whether something failed: from then on the ways count that the plan has for that.
    failed: AtomicBool,
}

/// A change that the plan has.
struct Planned {
    primitive: String,
    site: Site,
    args: Value,
}

impl Expect {
    /// Holds `inner` to a plan. The plan holds no secrets, so what is compared with it is redacted as well.
    pub fn new(inner: Arc<dyn World>, cast: Cast, redactor: Arc<Redactor>, plan: &Plan) -> Self {
        let planned = plan.lines().into_iter().filter(|line| line.impact.kind.is_change()).map(|line| {
            let (primitive, site, args) = (line.primitive.clone(), line.site.clone(), line.args.clone());
            (line.key.without_attempts(), Planned { primitive, site, args })
        });
        let otherwise = plan.failures.iter().flat_map(|failure| &failure.then).map(|line| line.site.clone());
        let failed = AtomicBool::new(false);
        Self { inner, cast, redactor, planned: planned.collect(), otherwise: otherwise.collect(), failed }
    }

    /// Refuses a change that nobody has reviewed.
    fn check(&self, call: &Invocation) -> Result<(), Halt> {
        if call.key.in_rollback() {
            return Ok(());
        }
        let role = self.cast.role(call)?;
        if !role.impact.kind.is_change() {
            return Ok(());
        }
        let failed = self.failed.load(Ordering::SeqCst);
        let args = self.redactor.value(call.args.clone());
        let is_it = |planned: &&Planned| planned.primitive == call.primitive && planned.args.is_as_planned(&args);
        let planned = self.planned.get(&call.key.without_attempts());
        if planned.is_some_and(|planned| is_it(&planned)) {
            return Ok(());
        }
        // What follows a failure stands elsewhere in the run than the plan has it; the place in the runbook is the same.
        let here = || self.planned.values().any(|planned| planned.site == call.site && is_it(&planned));
        if failed && (self.otherwise.contains(&call.site) || here()) {
            return Ok(());
        }
        let what = format!("{} {}", call.primitive, role.impact.targets.join(", "));
        let why = match planned.filter(|planned| planned.primitive == call.primitive && planned.site == call.site) {
            Some(planned) => format!("{what}: {}", planned.args.moved_arguments(&args).join("; ")),
            None => format!("{what}: the plan has no such change here"),
        };
        Err(Halt::Unplanned { why, site: call.site.clone() })
    }

    fn heed(&self, outcome: &Outcome) {
        if outcome.is_err() {
            self.failed.store(true, Ordering::SeqCst);
        }
    }
}

impl Around for Expect {
    fn inner(&self) -> impl Deref<Target = dyn World + '_> {
        &*self.inner
    }

    fn perform(&self, call: &Invocation) -> Result<Performed, Halt> {
        self.check(call)?;
        let performed = self.inner.perform(call)?;
        self.heed(&performed.outcome);
        Ok(performed)
    }

    fn repeat(
        &self,
        call: &Invocation,
        policy: &Repeat,
        attempt: &mut dyn FnMut(u32) -> Result<Outcome, Halt>,
    ) -> Result<Performed, Halt> {
        let performed = self.inner.repeat(call, policy, attempt)?;
        self.heed(&performed.outcome);
        Ok(performed)
    }

    fn raised(&self, at: &Key, fault: &Fault) -> Result<(), Halt> {
        self.failed.store(true, Ordering::SeqCst);
        self.inner.raised(at, fault)
    }
}
