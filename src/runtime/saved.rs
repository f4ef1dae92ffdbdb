//! Plans in files: made, read, compared with what is there now, and run.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::model::{Plan, PlanVerdict, SavedPlan, World};
use crate::system::{Look, hex, read_source, whoami, write_evidence};
use crate::worlds::{Cast, Expect};

use super::plan::PlanRequest;
use super::{Error, Lifeboat, RunRequest};

/// Larger files are no plans.
const LARGEST: u64 = 64 << 20;

impl SavedPlan {
    /// A plan, to be written into a file. `given`: the values given for parameters.
    pub fn of(plan: Plan, given: &[(String, String)]) -> Result<Self, Error> {
        let mut saved = Self {
            lifeboat_plan: Self::FORMAT,
            digest: String::new(),
            version: env!("CARGO_PKG_VERSION").to_owned(),
            by: whoami(),
            given: given.to_vec(),
            plan,
        };
        let internal =
            |error: serde_json::Error| Error::Internal { why: format!("the plan cannot be written: {error}") };
        saved.digest = digest(&serde_json::to_string(&saved).map_err(internal)?).map_err(internal)?;
        Ok(saved)
    }

    /// Reads a file. What is no plan, was made by a newer version or was changed by hand is refused.
    pub fn read(path: &Path) -> Result<Self, Error> {
        let shown = path.display();
        let again = || Some("make it again: lifeboat plan RUNBOOK -o FILE".to_owned());
        let refused = |why: String| Error::Refused { why, help: again() };
        if path.metadata().is_ok_and(|found| found.len() > LARGEST) {
            return Err(refused(format!("{shown} is too large for a plan")));
        }
        let text = read_source(path).map_err(refused)?;
        let format = serde_json::from_str::<serde_json::Value>(&text)
            .map_err(|error| refused(format!("{shown} is no saved plan: {error}")))?
            .get("lifeboat_plan")
            .and_then(serde_json::Value::as_u64)
            .ok_or_else(|| refused(format!("{shown} is no saved plan: it has no `lifeboat_plan`")))?;
        if format != u64::from(Self::FORMAT) {
            return Err(refused(format!(
                "{shown} is a plan of format {format}, and this version reads {}",
                Self::FORMAT
            )));
        }
        let saved: Self =
            serde_json::from_str(&text).map_err(|error| refused(format!("{shown} is no whole plan: {error}")))?;
        let found = digest(&text).map_err(|error| refused(format!("{shown}: {error}")))?;
        if found != saved.digest {
            return Err(refused(format!(
                "{shown} was changed after it was made: its digest is {} and says {}",
                &found[..12],
                saved.short()
            )));
        }
        Ok(saved)
    }

    /// Writes it into a file, whole or not at all. Another file than a plan is not replaced.
    pub fn write(&self, path: &Path) -> Result<(), Error> {
        if path.exists() && !is_plan(path) {
            return Err(Error::Refused {
                why: format!("{} exists, and is no saved plan", path.display()),
                help: Some("nothing was written: name another file".to_owned()),
            });
        }
        write_evidence(path, self.text()?.as_bytes()).map_err(|error| Error::Refused {
            why: format!("cannot write {}: {error}", path.display()),
            help: Some("nothing was written".to_owned()),
        })
    }

    /// As it stands in a file.
    pub fn text(&self) -> Result<String, Error> {
        let text = serde_json::to_string_pretty(self);
        text.map(|text| text + "\n")
            .map_err(|error| Error::Internal { why: format!("the plan cannot be written: {error}") })
    }
}

/// Whether a file says of itself that it is a saved plan, of whatever version.
pub fn is_plan(path: &Path) -> bool {
    let small = path.metadata().is_ok_and(|found| found.is_file() && found.len() <= LARGEST);
    let text = if small { read_source(path).unwrap_or_default() } else { String::new() };
    let value = serde_json::from_str::<serde_json::Value>(&text).unwrap_or_default();
    value.get("lifeboat_plan").is_some()
}

/// Of a plan's JSON with its `digest` left out, members by name, without white space: whoever has the file can compute it.
fn digest(text: &str) -> serde_json::Result<String> {
    let mut value: serde_json::Value = serde_json::from_str(text)?;
    if let Some(members) = value.as_object_mut() {
        members.remove("digest");
    }
    Ok(hex(serde_json::to_string(&value)?.as_bytes()))
}

impl Lifeboat {
    /// What is not as it was when a plan was saved: each with what it was and what it is. Nothing is changed.
    pub fn moved(&self, saved: &SavedPlan) -> Result<Vec<String>, Error> {
        let now = self.plan(&PlanRequest {
            runbook: self.config().root.join(&saved.plan.runbook),
            environment: Some(saved.plan.environment.clone()),
            params: saved.given.clone(),
            // What was assumed must be so now.
            assumptions: Vec::new(),
            scenario: None,
            offline: false,
        })?;
        let mut moved = saved.plan.moved(&now);
        if saved.version != env!("CARGO_PKG_VERSION") {
            moved.insert(
                0,
                format!("it was made by Lifeboat {}, and this is {}", saved.version, env!("CARGO_PKG_VERSION")),
            );
        }
        Ok(moved)
    }

    /// The request to run a saved plan, if it is what would run now. Nothing is done but to keep the plan.
    pub(super) fn as_planned(&self, saved: &Arc<SavedPlan>, request: &RunRequest) -> Result<RunRequest, Error> {
        let plan = &saved.plan;
        if plan.verdict != PlanVerdict::Completes {
            let why = "it was planned to fail, so there is nothing to run".to_owned();
            return Err(Error::Refused { why, help: Some("plan again when its reason is gone".to_owned()) });
        }
        if request.break_glass.is_none() {
            self.check_approvals(saved, &request.approvals)?;
        }
        let moved = self.moved(saved)?;
        if !moved.is_empty() {
            let help = format!("plan again, and have that reviewed: lifeboat plan {} -o FILE", plan.runbook);
            return Err(Error::Moved { moved, help });
        }
        self.keep_plan(saved)?;
        Ok(RunRequest {
            runbook: self.config().root.join(&plan.runbook),
            environment: Some(plan.environment.clone()),
            params: saved.given.clone(),
            ..request.clone()
        })
    }

    /// A run that is taken up again is held to the same plan, whatever became of its file.
    fn keep_plan(&self, saved: &SavedPlan) -> Result<(), Error> {
        let path = self.plan_path(&saved.digest);
        let kept = write_evidence(&path, saved.text()?.as_bytes());
        kept.map_err(|error| Error::Unrecorded { why: format!("cannot write {}: {error}", path.display()) })
    }

    /// The plan of a run.
    pub(super) fn kept_plan(&self, digest: &str) -> Result<SavedPlan, Error> {
        let saved = SavedPlan::read(&self.plan_path(digest))?;
        if saved.digest != digest {
            let why = format!("the plan of this run, {digest}, was replaced by another one");
            return Err(Error::Refused { why, help: None });
        }
        Ok(saved)
    }

    fn plan_path(&self, digest: &str) -> PathBuf {
        let name: String = digest.chars().filter(char::is_ascii_hexdigit).collect();
        self.state_directory().join("plans").join(format!("{name}.json"))
    }
}

/// A world that is held to a plan, if there is one.
pub(super) fn held_to(saved: Option<&SavedPlan>, world: Arc<dyn World>, cast: Cast, look: &Look) -> Arc<dyn World> {
    match saved {
        Some(saved) => Arc::new(Expect::new(world, cast, look.secrets().redactor().clone(), &saved.plan)),
        None => world,
    }
}
