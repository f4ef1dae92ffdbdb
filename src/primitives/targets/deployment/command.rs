//! Programs that deploy a service: `driver = "command"`.

use std::collections::BTreeMap;
use std::path::PathBuf;

use schemars::JsonSchema;
use serde::Deserialize;

use crate::config::{ConfigError, Environment, Target};
use crate::model::{SecretText, Span};
use crate::primitives::begun;
use crate::primitives::targets::Argv;

use super::{Health, half_a_minute, health};

/// Programs that deploy a service and say which version is live.
#[derive(Clone, Debug)]
pub struct CommandDeployment {
    /// What must be done before the service is touched.
    pub build: Option<Argv>,
    /// What makes a version live.
    pub deploy: Argv,
    /// What prints the live version. It changes nothing.
    pub status: Argv,
    /// What prints the versions that there are, one a line. It changes nothing.
    pub list: Option<Argv>,
    /// What makes the version before live again.
    pub rollback: Option<Argv>,
    /// What restarts the service as it is.
    pub restart: Option<Argv>,
    /// When it counts as well.
    pub health: Health,
    /// Where it is noted what was live before a deployment.
    pub begun: PathBuf,
}

/// Settings of `driver = "command"`.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Settings {
    /// The program that makes a version live, such as `["./deploy", "{version}"]`. `{previous}` stands for the version before, and for
    /// nothing when there was none. No shell reads it.
    deploy: Vec<String>,
    /// The program that prints the live version, and nothing if there is none. It must change nothing: plans run it.
    status: Vec<String>,
    /// A program that runs first, before the service is touched: `["make", "release", "VERSION={version}"]`.
    build: Option<Vec<String>>,
    /// A program that prints the versions that can be deployed, one a line. It must change nothing: plans run it.
    list: Option<Vec<String>>,
    /// The program that takes a deployment of `{version}` back that failed, so that `{previous}` serves again. Without it a failure is
    /// left to the runbook.
    rollback: Option<Vec<String>>,
    /// The program that restarts the service with the version that it has; for `restart: true`.
    restart: Option<Vec<String>>,
    /// Where the programs start; the project's directory if not given.
    directory: Option<PathBuf>,
    /// What is added to their environment, which holds PATH, HOME, LANG, TZ and `LIFEBOAT_IDEMPOTENCY_KEY`, and nothing else. It may
    /// hold secrets: `{secret:NAME}`.
    #[serde(default)]
    env: BTreeMap<String, SecretText>,
    /// How long each of them may take.
    #[serde(default = "ten_minutes")]
    time_limit: Span,
    /// How long the service may take to be healthy after that. Then `rollback` runs.
    #[serde(default = "half_a_minute")]
    health_timeout: Span,
    /// HTTP: the path at which the service says its version. A service counts as healthy only once it says the new one.
    version_path: Option<String>,
    /// HTTP: a JSON pointer to the version in that answer; `/version` if not given.
    version_pointer: Option<String>,
}

/// The places in a program that deploys.
const BOTH: [&str; 2] = ["version", "previous"];

fn ten_minutes() -> Span {
    Span::from_secs(600)
}

impl CommandDeployment {
    pub(super) fn of(part: &Target, environment: &Environment, speaks_http: bool) -> Result<Self, ConfigError> {
        let settings: Settings = part.settings()?;
        let version_at = (settings.version_path, settings.version_pointer);
        let health = health(part, speaks_http, settings.health_timeout, version_at)?;
        let directory = environment.resolve(&settings.directory.unwrap_or_default());
        let argv = |setting: &str, words: Vec<String>, places: &[&str]| {
            if let Some(why) = Argv::mistake(&words, places) {
                let message = format!("`{setting}` of service `{}` {why}", part.name);
                return Err(part.error(setting, message).help("write it as `[\"program\", \"{version}\"]`"));
            }
            let words = Argv::here(words, environment);
            Ok(Argv { words, env: settings.env.clone(), directory: directory.clone(), time_limit: settings.time_limit })
        };
        let optional =
            |setting: &str, words: Option<Vec<String>>| words.map(|words| argv(setting, words, &BOTH)).transpose();
        Ok(Self {
            build: optional("build", settings.build)?,
            deploy: argv("deploy", settings.deploy, &BOTH)?,
            status: argv("status", settings.status, &[])?,
            list: settings.list.map(|words| argv("list", words, &[])).transpose()?,
            rollback: optional("rollback", settings.rollback)?,
            restart: optional("restart", settings.restart)?,
            health,
            begun: begun::place(part, environment),
        })
    }
}
