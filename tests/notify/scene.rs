//! A project with one channel, and runs in it.

use std::sync::Arc;

use lifeboat::journal::{Journal, LibsqlJournal, RunQuery};
use lifeboat::model::{Event, EventBody, Letter, LetterQuery, Value};
use lifeboat::runtime::{Lifeboat, Ran, RunRequest};

use crate::project::Project;

/// A project, and the journal of its runs.
pub(crate) struct Scene {
    pub(crate) project: Project,
    pub(crate) journal: Arc<dyn Journal>,
}

impl Scene {
    /// A project with the channel `people`, whose settings these are.
    pub(crate) fn with(channel: &str) -> Self {
        Self::configured("", channel)
    }

    /// The same; `keys` are more keys of the environment.
    pub(crate) fn configured(keys: &str, channel: &str) -> Self {
        let project = Project::configured(keys, &format!("[environments.test.channels.people]\n{channel}\n"));
        let journal = Arc::new(LibsqlJournal::open(project.path(".lifeboat/journal.db")).expect("opens"));
        Self { project, journal }
    }

    /// Runs are recorded there instead.
    pub(crate) fn journal(self, journal: Arc<dyn Journal>) -> Self {
        Self { journal, ..self }
    }

    pub(crate) fn lifeboat(&self) -> Lifeboat {
        self.project.builder().journal(self.journal.clone()).build().expect("it is configured")
    }

    pub(crate) fn run(&self, runbook: &str) -> Ran {
        let runbook = self.project.write("runbooks/tell.rhai", runbook);
        self.lifeboat().run(&RunRequest::new(runbook)).expect("it is started")
    }

    /// What was said why nothing was run.
    pub(crate) fn refused(&self, runbook: &str) -> String {
        let runbook = self.project.write("runbooks/tell.rhai", runbook);
        let refused = self.lifeboat().run(&RunRequest::new(runbook)).expect_err("it is refused");
        format!("{:?}", miette::Report::new(refused))
    }

    /// Every letter, in the order in which they were written.
    pub(crate) fn letters(&self) -> Vec<Letter> {
        self.journal.letters(&LetterQuery::default()).expect("it reads")
    }

    pub(crate) fn waiting(&self) -> Vec<Letter> {
        self.journal.letters(&LetterQuery::waiting()).expect("it reads")
    }

    /// The events of the last run.
    pub(crate) fn events(&self) -> Vec<Event> {
        let run = self.journal.runs(&RunQuery::newest(1)).expect("it reads").pop().expect("a run").id;
        assert_eq!(self.journal.verify(&run).expect("it reads").broken, None);
        self.journal.events(&run).expect("it reads")
    }

    /// What the script of the last run got of its messages: `delivered` and `queued`.
    pub(crate) fn told(&self) -> Vec<(bool, bool)> {
        let flag = |value: &Value, name: &str| value.get(name) == Some(&Value::Bool(true));
        let told = |event: &Event| match &event.body {
            EventBody::Settled(settled) if ["notify", "resolve"].contains(&settled.primitive.as_str()) => {
                let value = settled.outcome.as_ref().ok()?;
                Some((flag(value, "delivered"), flag(value, "queued")))
            }
            _ => None,
        };
        self.events().iter().filter_map(told).collect()
    }
}
