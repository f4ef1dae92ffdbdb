//! How new versions of a service are deployed: the table `deploy` of a service, with a driver of its own.

mod command;
mod release;

use schemars::JsonSchema;
use serde::Deserialize;

use crate::config::{ConfigError, Environment, Target};
use crate::model::{Span, instead};
use crate::primitives::ArgSpec;
use crate::primitives::schema::args_of;

pub use command::CommandDeployment;
pub use release::{Release, Restart};

/// How new versions of a service are deployed.
#[derive(Clone, Debug)]
pub enum Deployment {
    /// A directory of releases and a link to the live one: `driver = "release"`.
    Release(Release),
    /// Programs that do it: `driver = "command"`.
    Command(Box<CommandDeployment>),
}

/// When a service counts as well after a deployment.
#[derive(Clone, Debug)]
pub struct Health {
    /// How long it may take.
    pub within: Span,
    /// Where the service says its version: path, and JSON pointer into the answer.
    pub version_at: Option<(String, String)>,
}

/// The names of the drivers.
const DRIVERS: [&str; 2] = ["command", "release"];

impl Deployment {
    /// Reads the table `deploy` of a service; `speaks_http`: whether the service can be asked for its version.
    pub(super) fn of(service: &Target, environment: &Environment, speaks_http: bool) -> Result<Self, ConfigError> {
        let part = service.part("deploy")?;
        match part.driver.as_str() {
            "release" => Release::of(&part, service, environment, speaks_http).map(Self::Release),
            "command" => CommandDeployment::of(&part, environment, speaks_http).map(|how| Self::Command(Box::new(how))),
            other => {
                let message = format!("there is no driver `{other}` to deploy a service");
                Err(service.error("deploy.driver", message).help(instead(other, &DRIVERS, "drivers")))
            }
        }
    }

    /// The settings of each driver, for the reference.
    pub fn reference() -> [(&'static str, Vec<ArgSpec>); 2] {
        [("command", args_of::<command::Settings>()), ("release", args_of::<release::Settings>())]
    }

    /// When the service counts as well.
    pub fn health(&self) -> &Health {
        match self {
            Self::Release(release) => &release.health,
            Self::Command(command) => &command.health,
        }
    }
}

/// What `version_path` and `version_pointer` say together.
fn health(
    part: &Target,
    speaks_http: bool,
    within: Span,
    (path, pointer): (Option<String>, Option<String>),
) -> Result<Health, ConfigError> {
    let wrong = |setting: &str, why: &str, help: &str| {
        Err(part.error(setting, format!("`{setting}` of service `{}` {why}", part.name)).help(help.to_owned()))
    };
    if let Some(setting) = [("version_path", &path), ("version_pointer", &pointer)].iter().find(|(_, v)| v.is_some())
        && !speaks_http
    {
        return wrong(setting.0, "needs a service that speaks HTTP", "remove it, or use `driver = \"http\"`");
    }
    if path.as_ref().is_some_and(|path| !path.starts_with('/')) {
        return wrong("version_path", "must begin with `/`", "write it as `/version`");
    }
    if pointer.as_ref().is_some_and(|pointer| !pointer.starts_with('/')) {
        return wrong("version_pointer", "must begin with `/`", "write it as a JSON pointer, such as `/version`");
    }
    let version_at = path.map(|path| (path, pointer.unwrap_or_else(|| "/version".to_owned())));
    Ok(Health { within, version_at })
}

/// Where the services' programs start, and for how long they may run.
fn half_a_minute() -> Span {
    Span::from_secs(30)
}

/// A signal by which a service is told to take the new release.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
enum SignalName {
    /// SIGHUP.
    Hup,
    /// SIGUSR1.
    Usr1,
    /// SIGUSR2.
    Usr2,
    /// SIGTERM.
    Term,
}
