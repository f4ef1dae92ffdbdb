//! Drills: rehearse a runbook on an environment that may be broken, measure, judge.

mod processes;
mod report;
mod watch;

use std::path::Path;
use std::sync::Arc;

use crate::model::{EventBody, Mode};
use crate::worlds::Listener;

use super::load::params;
use super::run::Prepared;
use super::{Error, Lifeboat, Ran, RunRequest};

pub use report::{Judged, Objective, Outage, Report};
use watch::Watch;

/// A drill that is over.
pub struct Drilled {
    /// The run.
    pub ran: Ran,
    /// What was measured, and how it compares with the objectives.
    pub report: Report,
}

impl Lifeboat {
    /// Runs a drill: starts the environment's processes, runs the runbook while its watched target is probed, and reports.
    pub fn drill(&self, request: &RunRequest) -> Result<Drilled, Error> {
        let environment = self.environment(request.environment.as_deref())?;
        if !environment.drill {
            return Err(Error::Refused {
                why: format!("environment {} is no drill environment", environment.name),
                help: Some("a drill breaks things: mark an environment of its own with `drill = true`".to_owned()),
            });
        }
        let script = self.load_sound(&request.runbook, environment)?;
        let params = params(&script, &request.params)?;
        let watched = script.front_matter.get("watch").map(str::to_owned);
        let cast = self.cast(environment)?;
        if let Some(target) = watched.as_deref().filter(|name| !environment.targets.contains_key(*name)) {
            let why = format!("{} watches `{target}`, which is no target of {}", script.name(), environment.name);
            return Err(Error::Params { why, help: Some("name a target after `//! watch:`".to_owned()) });
        }
        // Nothing is started for a drill that cannot be recorded.
        self.journal()?;
        let processes = processes::start(self, environment, &cast)?;
        let watch = watched
            .map(|target| Watch::start(&cast, &target, self.look_in(environment), self.tokio.handle()))
            .transpose()?;
        let events = Arc::new(Events::default());
        let front_matter = script.front_matter.clone();
        let prepared = Prepared { script, params, environment, mode: Mode::Drill };
        let ran = self.start_with(&prepared, &RunRequest::default(), events.clone())?;
        let outage = watch.map(Watch::stop);
        drop(processes);
        let report = report::Report::new(&front_matter, &ran, &events.take(), outage);
        self.keep(&report)?;
        Ok(Drilled { ran, report })
    }

    /// Leaves the report as evidence beside the journal.
    fn keep(&self, report: &Report) -> Result<(), Error> {
        let path = self.state_directory().join("drills").join(format!("{}.json", report.run));
        let text = serde_json::to_vec_pretty(report).map_err(|e| Error::Internal { why: e.to_string() })?;
        crate::system::write_evidence(&path, &text).map_err(|error| Error::Processes {
            why: format!("the report cannot be written to {}: {error}", path.display()),
            help: Some("the drill's run itself is in the journal: lifeboat show latest".to_owned()),
        })
    }
}

/// Keeps the events of the drill's run for the report.
#[derive(Default)]
pub(super) struct Events(std::sync::Mutex<Vec<crate::model::Event>>);

impl Listener for Events {
    fn on_event(&self, event: &crate::model::Event) {
        if matches!(event.body, EventBody::Settled(_) | EventBody::Started(_) | EventBody::Ended { .. }) {
            self.0.lock().unwrap_or_else(std::sync::PoisonError::into_inner).push(event.clone());
        }
    }
}

impl Events {
    fn take(&self) -> Vec<crate::model::Event> {
        std::mem::take(&mut *self.0.lock().unwrap_or_else(std::sync::PoisonError::into_inner))
    }
}

/// The log file of a drill's process.
fn log_file(state: &Path, name: &str) -> std::path::PathBuf {
    state.join("drills").join(format!("{name}.log"))
}
