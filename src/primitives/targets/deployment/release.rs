//! A directory of releases and a link to the live one: `driver = "release"`.

use std::collections::BTreeMap;
use std::path::PathBuf;

use schemars::JsonSchema;
use serde::Deserialize;

use crate::config::{ConfigError, Environment, Target};
use crate::model::{SecretText, Span};
use crate::primitives::targets::Argv;
use crate::system::ProcessSignal;

use super::{Health, SignalName, half_a_minute, health};

/// `PATH/releases/VERSION`, and the link `PATH/current` to the live one.
#[derive(Clone, Debug)]
pub struct Release {
    /// The directory that holds both.
    pub path: PathBuf,
    /// Where versions come from that are not there yet.
    pub artifacts: Option<PathBuf>,
    /// How many releases are kept beside the live one.
    pub keep: usize,
    /// How the service is made to take the release that the link leads to.
    pub restart: Option<Restart>,
    /// When it counts as well.
    pub health: Health,
}

/// How a service is made to take the release that the link leads to.
#[derive(Clone, Debug)]
pub enum Restart {
    /// A program.
    Program(Argv),
    /// A signal to the process whose number is in this file.
    Signal(ProcessSignal, PathBuf),
}

impl Release {
    /// The link to the live release.
    pub fn current(&self) -> PathBuf {
        self.path.join("current")
    }

    /// The directory of all releases.
    pub fn releases(&self) -> PathBuf {
        self.path.join("releases")
    }
}

/// Settings of `driver = "release"`.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Settings {
    /// The directory that holds `releases/VERSION`, and `current`, a link to the live one. The service runs what `current` leads to.
    path: PathBuf,
    /// A directory that holds each version as a directory `VERSION` or an archive `VERSION.tar.zst`, from which one that is not there
    /// yet is taken. If not given, a version must be in `releases` already.
    artifacts: Option<PathBuf>,
    /// How many releases are kept beside the live one; those that were put there first are removed, and never the one that was live
    /// before.
    #[serde(default = "three")]
    keep: usize,
    /// The program that makes the service take the new release, such as `["systemctl", "reload", "web"]`. `{version}` and `{previous}`
    /// stand for versions. No shell reads it.
    restart: Option<Vec<String>>,
    /// Instead of `restart`: the signal for the process in the service's `pid_file`: `hup`, `usr1`, `usr2` or `term`.
    signal: Option<SignalName>,
    /// What is added to the environment of `restart`, which holds PATH, HOME, LANG, TZ and `LIFEBOAT_IDEMPOTENCY_KEY`, and nothing else. It may
    /// hold secrets: `{secret:NAME}`.
    #[serde(default)]
    env: BTreeMap<String, SecretText>,
    /// How long `restart` may take.
    #[serde(default = "a_minute")]
    time_limit: Span,
    /// How long the service may take to be healthy after that. Then the version before is made live again.
    #[serde(default = "half_a_minute")]
    health_timeout: Span,
    /// HTTP: the path at which the service says its version. A service counts as healthy only once it says the new one: without
    /// this, an old process that still answers passes for the new one.
    version_path: Option<String>,
    /// HTTP: a JSON pointer to the version in that answer; `/version` if not given.
    version_pointer: Option<String>,
}

fn three() -> usize {
    3
}

fn a_minute() -> Span {
    Span::from_secs(60)
}

impl Release {
    pub(super) fn of(
        part: &Target,
        service: &Target,
        environment: &Environment,
        speaks_http: bool,
    ) -> Result<Self, ConfigError> {
        let settings: Settings = part.settings()?;
        let version_at = (settings.version_path.clone(), settings.version_pointer.clone());
        let health = health(part, speaks_http, settings.health_timeout, version_at)?;
        let restart = restart(&settings, part, service, environment)?;
        Ok(Self {
            path: environment.resolve(&settings.path),
            artifacts: settings.artifacts.map(|path| environment.resolve(&path)),
            keep: settings.keep,
            restart,
            health,
        })
    }
}

fn restart(
    settings: &Settings,
    part: &Target,
    service: &Target,
    environment: &Environment,
) -> Result<Option<Restart>, ConfigError> {
    match (&settings.restart, settings.signal) {
        (Some(_), Some(_)) => {
            let message = format!("`deploy` of service `{}` has both `restart` and `signal`", part.name);
            Err(part.error("signal", message).help("keep one of them"))
        }
        (Some(words), None) => {
            if let Some(why) = Argv::mistake(words, &["version", "previous"]) {
                let message = format!("`restart` of service `{}` {why}", part.name);
                return Err(part.error("restart", message).help("write it as `[\"program\", \"argument\"]`"));
            }
            Ok(Some(Restart::Program(Argv {
                words: Argv::here(words.clone(), environment),
                env: settings.env.clone(),
                directory: environment.root.clone(),
                time_limit: settings.time_limit,
            })))
        }
        (None, Some(name)) => {
            let signal = match name {
                SignalName::Hup => ProcessSignal::Hup,
                SignalName::Usr1 => ProcessSignal::Usr1,
                SignalName::Usr2 => ProcessSignal::Usr2,
                SignalName::Term => ProcessSignal::Term,
            };
            let Some(file) = service.settings["pid_file"].as_str() else {
                let message =
                    format!("service `{}` has a `signal`, and no `pid_file` that says for which process", part.name);
                return Err(part.error("signal", message).help("add `pid_file = …` to the service"));
            };
            Ok(Some(Restart::Signal(signal, environment.resolve(file.as_ref()))))
        }
        (None, None) => Ok(None),
    }
}
