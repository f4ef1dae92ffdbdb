//! The dry run.

use std::path::PathBuf;
use std::sync::Arc;

use crate::model::{Assumption, Halt, Plan, PlanVerdict, Verdict};
use crate::worlds::PlanWorld;

use super::load::{params, params_or_any, recorded_params};
use super::{Error, Lifeboat};

/// What to plan.
#[derive(Clone, Debug, Default)]
pub struct PlanRequest {
    /// The runbook's file.
    pub runbook: PathBuf,
    /// The environment; the default one if not given.
    pub environment: Option<String>,
    /// Values of parameters, as text.
    pub params: Vec<(String, String)>,
    /// What is pinned: `probe(primary)=fail`.
    pub assumptions: Vec<Assumption>,
    /// A scenario of the runbook, which pins more.
    pub scenario: Option<String>,
    /// Nothing is looked at: what is not pinned ends as is likely, and a parameter that is not given has a value that nobody knows.
    pub offline: bool,
}

impl PlanRequest {
    /// A plan of `runbook` in the default environment.
    pub fn new(runbook: impl Into<PathBuf>) -> Self {
        Self { runbook: runbook.into(), ..Self::default() }
    }
}

impl Lifeboat {
    /// Plans a runbook. Nothing is changed, and nothing is written, not even to the journal.
    pub fn plan(&self, request: &PlanRequest) -> Result<Plan, Error> {
        let environment = self.environment(request.environment.as_deref())?;
        let (script, cast) = if request.offline {
            (self.load_unasked(&request.runbook, environment)?, self.cast_unasked(environment)?)
        } else {
            (self.load_sound(&request.runbook, environment)?, self.cast(environment)?)
        };
        let read = if request.offline { params_or_any } else { params };
        let params = read(&script, &request.params)?;
        let pinned = self.pinned(&script, request.scenario.as_deref(), &request.assumptions)?;
        let world =
            PlanWorld::new(cast.clone(), self.look_in(environment), self.tokio.handle().clone(), pinned.clone());
        let world = Arc::new(world.offline(request.offline));
        let verdict = planned_verdict(self.evaluated(&script, &params, world.clone()))?;
        if let Some(unused) = world.unused_assumptions().first().filter(|_| verdict == PlanVerdict::Completes) {
            let help = "check the spelling of the target, or whether the way leads past that call".to_owned();
            return Err(Error::Params { why: format!("no call in the plan meets `{unused}`"), help: Some(help) });
        }
        let mut plan = Plan {
            format: Plan::FORMAT,
            runbook: script.name().to_owned(),
            title: script.front_matter.title.clone(),
            environment: environment.name.clone(),
            protected: environment.protected,
            params: recorded_params(&script, &params),
            at: self.system.clock.now(),
            assumptions: pinned.iter().map(ToString::to_string).collect(),
            waived: script.front_matter.waivers().map(|(name, why)| (name.to_owned(), why.to_owned())).collect(),
            scenarios: script.front_matter.scenarios().filter_map(|(_, s)| Some(s.ok()?.name)).collect(),
            nodes: world.nodes(),
            verdict,
            digests: self.digests(&script, environment),
            rto: script.front_matter.get("rto").and_then(|rto| rto.parse().ok()),
            estimate: None,
            failures: Vec::new(),
            failures_left_out: 0,
        };
        self.add_failures(&mut plan, &script, &params, cast)?;
        Ok(plan)
    }
}

fn planned_verdict(verdict: Verdict) -> Result<PlanVerdict, Error> {
    Ok(match verdict {
        Verdict::Completed(_) => PlanVerdict::Completes,
        Verdict::Failed { fault, .. } => PlanVerdict::Fails { fault },
        Verdict::Halted { halt, .. } => match halt {
            Halt::Unplannable { why, site, hint } | Halt::Mistake { why, site, hint } => {
                PlanVerdict::Stops { why, site: Some(site), hint }
            }
            Halt::Refused { why, hint } => return Err(Error::Refused { why, help: hint }),
            Halt::Internal { why } => return Err(Error::Internal { why }),
            other => PlanVerdict::Stops { why: other.to_string(), site: None, hint: None },
        },
    })
}
