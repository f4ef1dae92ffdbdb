//! nginx, through a file that it includes: `driver = "nginx"`.

use std::collections::BTreeMap;
use std::path::PathBuf;

use schemars::JsonSchema;
use serde::Deserialize;

use crate::config::{ConfigError, Environment, Target, TargetKind};
use crate::model::Span;
use crate::primitives::targets::Argv;
use crate::primitives::{FromTarget, begun};

use super::{Backends, Servers, backends};

/// nginx, through a file that it includes.
#[derive(Clone, Debug)]
pub struct NginxRouter {
    /// The target's name.
    pub name: String,
    /// The file that holds the upstream, and nothing else.
    pub file: PathBuf,
    /// The upstream's name.
    pub upstream: String,
    /// The servers with their parameters, by the backends that scripts name.
    pub backends: Backends,
    /// More directives of the upstream.
    pub options: Vec<String>,
    /// The program that tests the configuration.
    pub test: Argv,
    /// The program that makes nginx read it.
    pub reload: Argv,
    /// How long nginx takes to work with a new configuration.
    pub settle: Span,
    /// Where it is noted how traffic was shared out before a change.
    pub begun: PathBuf,
}

/// Settings of `driver = "nginx"`.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Settings {
    /// The file that holds the upstream and nothing else; nginx's configuration includes it. It is written anew at each change.
    upstream_file: PathBuf,
    /// The name of the upstream in it, as `proxy_pass http://NAME` has it.
    upstream: String,
    /// The servers of each backend, one or several, with parameters other than `weight` and `down`:
    /// `{ blue = "127.0.0.1:8001", green = ["127.0.0.1:8002 max_fails=2"] }`.
    backends: BTreeMap<String, Servers>,
    /// More directives of the upstream, without `;`, such as `["least_conn", "keepalive 32"]`.
    #[serde(default)]
    options: Vec<String>,
    /// The program that tests the configuration. If it fails, the file is put back as it was.
    #[serde(default = "nginx_test")]
    test: Vec<String>,
    /// The program that makes nginx read its configuration.
    #[serde(default = "nginx_reload")]
    reload: Vec<String>,
    /// How long each of them may take.
    #[serde(default = "half_a_minute")]
    time_limit: Span,
    /// How long nginx takes to work with a new configuration, which its `reload` does not wait for.
    #[serde(default = "a_second")]
    settle: Span,
}

fn nginx_test() -> Vec<String> {
    ["nginx", "-t"].map(str::to_owned).to_vec()
}

fn nginx_reload() -> Vec<String> {
    ["nginx", "-s", "reload"].map(str::to_owned).to_vec()
}

fn half_a_minute() -> Span {
    Span::from_secs(30)
}

fn a_second() -> Span {
    Span::from_secs(1)
}

impl FromTarget for NginxRouter {
    const DRIVER: &'static str = "nginx";
    const KIND: TargetKind = TargetKind::Router;
    type Settings = Settings;

    fn from_target(settings: Settings, target: &Target, environment: &Environment) -> Result<Self, ConfigError> {
        let backends = backends(target, settings.backends)?;
        let breaks_out = |text: &str| text.is_empty() || text.contains([';', '{', '}', '#', '\n', '\r', '\0']);
        let own = |word: &str| word == "down" || word == "backup" || word.starts_with("weight=");
        for (name, server) in backends.iter().flat_map(|(name, servers)| servers.iter().map(move |s| (name, s))) {
            if breaks_out(server)
                || server.split_whitespace().skip(1).any(own)
                || server.split_whitespace().count() == 0
            {
                let message = format!("`{server}` is not a server of an upstream");
                let error = target.error(&format!("backends.{name}"), message);
                return Err(error.help("write its address, and parameters other than `weight`, `down` and `backup`"));
            }
        }
        if breaks_out(&settings.upstream) || settings.upstream.contains(char::is_whitespace) {
            let message = format!("`{}` is not the name of an upstream", settings.upstream);
            return Err(target.error("upstream", message).help("write it as `proxy_pass` has it, without `http://`"));
        }
        if let Some(option) = settings.options.iter().find(|option| breaks_out(option)) {
            let message = format!("`{option}` is not one directive");
            return Err(target.error("options", message).help("write each without `;`, such as \"keepalive 32\""));
        }
        let argv = |setting: &str, words: Vec<String>| {
            if let Some(why) = Argv::mistake(&words, &[]) {
                let message = format!("`{setting}` of router `{}` {why}", target.name);
                return Err(target.error(setting, message).help("write it as `[\"nginx\", \"-t\"]`"));
            }
            Ok(Argv {
                words: Argv::here(words, environment),
                env: BTreeMap::new(),
                directory: environment.root.clone(),
                time_limit: settings.time_limit,
            })
        };
        Ok(Self {
            name: target.name.clone(),
            file: environment.resolve(&settings.upstream_file),
            upstream: settings.upstream,
            backends,
            options: settings.options,
            test: argv("test", settings.test)?,
            reload: argv("reload", settings.reload)?,
            settle: settings.settle,
            begun: begun::place(target, environment),
        })
    }
}
