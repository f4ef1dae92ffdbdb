//! Putting Lifeboat together: a configuration, the primitives, a journal, the people.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use crate::config::{Config, Environment};
use crate::journal::{Journal, JournalError, MemoryJournal};
use crate::primitives::Registry;
use crate::script::Policy;
use crate::system::{
    Answers, Cancel, Clock, Console, Look, Progress, Redactor, Revision, Secrets, System, absolute, read_source,
};
use crate::worlds::{Cast, Listener};

use super::Error;
use super::library::ProjectFiles;
use super::serving::Described;

/// A project, ready to be checked, planned, run and drilled.
pub struct Lifeboat {
    pub(super) config: Config,
    pub(super) registry: Arc<Registry>,
    pub(super) system: Arc<System>,
    open_journal: OpenJournal,
    journal: OnceLock<Arc<dyn Journal>>,
    pub(super) shared: OnceLock<Arc<dyn Journal>>,
    pub(super) history: OnceLock<Arc<dyn Journal>>,
    pub(super) listeners: Vec<Arc<dyn Listener>>,
    pub(super) program: Option<PathBuf>,
    /// The commit at which runbooks are read; none for those that lie in the project's directory.
    pub(super) revision: Option<Arc<Revision>>,
    /// The files of the policy, each its name and its text; none for those that lie in the project's directory.
    pub(super) policy_files: Option<Vec<(String, String)>>,
    pub(super) policy: OnceLock<Result<Arc<Policy>, Error>>,
    pub(super) described: Described,
    pub(super) tokio: tokio::runtime::Runtime,
    redactor: Arc<Redactor>,
    /// By environment, made when one is first used.
    secrets: Mutex<BTreeMap<String, Arc<Secrets>>>,
}

/// How the journal is opened when the first run begins.
type OpenJournal = Box<dyn Fn() -> Result<Arc<dyn Journal>, JournalError> + Send + Sync>;

/// Makes a [`Lifeboat`].
pub struct Builder {
    config: PathBuf,
    registry: Option<Registry>,
    system: System,
    open_journal: OpenJournal,
    shared: OnceLock<Arc<dyn Journal>>,
    listeners: Vec<Arc<dyn Listener>>,
    program: Option<PathBuf>,
    text: Option<String>,
    revision: Option<Arc<Revision>>,
    policy_files: Option<Vec<(String, String)>>,
}

impl Lifeboat {
    /// Starts from the file `lifeboat.toml` at `config`, with everything that Lifeboat brings.
    pub fn builder(config: impl Into<PathBuf>) -> Builder {
        let config = absolute(&config.into());
        let state = config.parent().unwrap_or(Path::new(".")).join(".lifeboat");
        Builder {
            config,
            registry: None,
            system: System::new(state.join("scratch")),
            open_journal: Box::new(|| Ok(Arc::new(MemoryJournal::new()))),
            shared: OnceLock::new(),
            listeners: Vec::new(),
            program: None,
            text: None,
            revision: None,
            policy_files: None,
        }
    }

    /// The configuration.
    pub fn config(&self) -> &Config {
        &self.config
    }

    /// The primitives and drivers.
    pub fn registry(&self) -> &Arc<Registry> {
        &self.registry
    }

    /// The directory in which the project keeps its state.
    pub fn state_directory(&self) -> PathBuf {
        self.config.root.join(".lifeboat")
    }

    /// A handle that asks whatever is under way to stop.
    pub fn cancel(&self) -> Cancel {
        self.system.cancel.clone()
    }

    /// The journal. Opened when it is first needed: what is refused before a run leaves no trace.
    pub(super) fn journal(&self) -> Result<Arc<dyn Journal>, Error> {
        if let Some(journal) = self.journal.get() {
            return Ok(journal.clone());
        }
        let journal = (self.open_journal)()?;
        Ok(self.journal.get_or_init(|| journal).clone())
    }

    pub(super) fn look(&self) -> Look {
        Look::new(self.system.clone())
    }

    /// A look that knows the secrets of an environment.
    pub(super) fn look_in(&self, environment: &Environment) -> Look {
        let mut known = self.secrets.lock().unwrap_or_else(PoisonError::into_inner);
        let make = || {
            Secrets::new(environment.secrets.clone(), environment.root.clone(), self.redactor.clone())
                .storing(environment.secret_stores.clone())
        };
        let secrets = known.entry(environment.name.clone()).or_insert_with(|| Arc::new(make())).clone();
        self.look().with_secrets(secrets)
    }

    /// Takes the secrets that were revealed so far out of texts: for whoever prints something beside what Lifeboat returns, which
    /// holds none.
    pub fn redactor(&self) -> &Arc<Redactor> {
        &self.redactor
    }

    pub(super) fn library(&self) -> Arc<ProjectFiles> {
        let own = self.policy().map(|policy| policy.invariants().map(|one| one.name.to_string()).collect());
        Arc::new(ProjectFiles::new(self.config.root.clone(), self.revision.clone(), own.unwrap_or_default()))
    }

    /// The environment that is named, or the default one.
    pub fn environment(&self, name: Option<&str>) -> Result<&Environment, Error> {
        self.config.environment(name).map_err(Error::Environment)
    }

    /// Makes the drivers of every environment, which reads their settings. All mistakes are reported.
    pub fn check_settings(&self) -> Result<(), Error> {
        let mut mistakes = Vec::new();
        for environment in self.config.environments.values() {
            match self.serving(environment) {
                Ok(registry) => mistakes.extend(registry.bind(environment).err().unwrap_or_default()),
                Err(Error::Config(found)) => mistakes.extend(found),
                Err(error) => return Err(error),
            }
        }
        mistakes.sort_by_key(|mistake| mistake.span.map(|span| span.offset()));
        // A driver that two environments name is wrong in both.
        mistakes.dedup_by(|a, b| a.span == b.span && a.message == b.message);
        if mistakes.is_empty() { Ok(()) } else { Err(Error::Config(mistakes)) }
    }

    /// The same for whatever looks at nothing: no declared driver is started.
    pub(super) fn cast_unasked(&self, environment: &Environment) -> Result<Cast, Error> {
        Cast::new(self.serving_unasked(environment), environment).map_err(Error::Config)
    }

    pub(super) fn cast(&self, environment: &Environment) -> Result<Cast, Error> {
        Cast::new(self.serving(environment)?, environment).map_err(Error::Config)
    }
}

impl Builder {
    /// Replaces the primitives and drivers; start from [`Registry::standard`] to keep those that Lifeboat brings.
    #[must_use]
    pub fn registry(mut self, registry: Registry) -> Self {
        self.registry = Some(registry);
        self
    }

    /// Where runs are recorded. Without one they are recorded in memory, and gone with the process.
    #[must_use]
    pub fn journal(self, journal: Arc<dyn Journal>) -> Self {
        self.journal_when_needed(move || Ok(journal.clone()))
    }

    /// The same, and it is opened when the first run begins.
    #[must_use]
    pub fn journal_when_needed(
        mut self,
        open: impl Fn() -> Result<Arc<dyn Journal>, JournalError> + Send + Sync + 'static,
    ) -> Self {
        self.open_journal = Box::new(open);
        self
    }

    /// A journal that is shared with other machines, instead of the one that the configuration names.
    #[must_use]
    pub fn shared_journal(mut self, journal: Arc<dyn Journal>) -> Self {
        self.shared = OnceLock::from(journal);
        self
    }

    /// Who answers questions. Without anybody, `confirm` and `ask` fail.
    #[must_use]
    pub fn answers(mut self, answers: Arc<dyn Answers>) -> Self {
        self.system.answers = answers;
        self
    }

    /// Where messages for the person at the terminal go.
    #[must_use]
    pub fn console(mut self, console: Arc<dyn Console>) -> Self {
        self.system.console = console;
        self
    }

    /// Who is shown how far a copy has come.
    #[must_use]
    pub fn progress(mut self, progress: Arc<dyn Progress>) -> Self {
        self.system.progress = progress;
        self
    }

    /// Where time comes from.
    #[must_use]
    pub fn clock(mut self, clock: Arc<dyn Clock>) -> Self {
        self.system.clock = clock;
        self
    }

    /// How runs are asked to stop.
    #[must_use]
    pub fn cancel(mut self, cancel: Cancel) -> Self {
        self.system.cancel = cancel;
        self
    }

    /// Who is told of every event of a run as it happens.
    #[must_use]
    pub fn listener(mut self, listener: Arc<dyn Listener>) -> Self {
        self.listeners.push(listener);
        self
    }

    /// The program that `{lifeboat}` stands for in the processes of a drill.
    #[must_use]
    pub fn program(mut self, program: impl Into<PathBuf>) -> Self {
        self.program = Some(program.into());
        self
    }

    /// The text of the configuration, instead of the one in its file. Paths in it are still relative to the directory of that file.
    #[must_use]
    pub fn config_text(mut self, text: impl Into<String>) -> Self {
        self.text = Some(text.into());
        self
    }

    /// Reads runbooks and modules as they stand at a commit. It is for plans and explorations: other files are those that lie there.
    #[must_use]
    pub fn revision(mut self, revision: Arc<Revision>) -> Self {
        self.revision = Some(revision);
        self
    }

    /// The invariants that the team adds, each file its name and its text, instead of those in `policy/`.
    #[must_use]
    pub fn policy(mut self, files: Vec<(String, String)>) -> Self {
        self.policy_files = Some(files);
        self
    }

    /// Reads the configuration. Every mistake in it is reported.
    pub fn build(self) -> Result<Lifeboat, Error> {
        let text = match self.text {
            Some(text) => text,
            None => read_source(&self.config).map_err(|why| Error::NoConfig { why })?,
        };
        let config = Config::parse(&self.config, text.into()).map_err(Error::Config)?;
        let tokio = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build();
        let tokio = tokio.map_err(|error| Error::Internal { why: format!("no runtime could be started: {error}") })?;
        Ok(Lifeboat {
            config,
            registry: Arc::new(self.registry.unwrap_or_else(Registry::standard)),
            system: Arc::new(self.system),
            open_journal: self.open_journal,
            journal: OnceLock::new(),
            history: self.shared.clone(),
            shared: self.shared,
            listeners: self.listeners,
            program: self.program,
            revision: self.revision,
            policy_files: self.policy_files,
            policy: OnceLock::new(),
            described: Described::default(),
            tokio,
            redactor: Arc::default(),
            secrets: Mutex::default(),
        })
    }
}
