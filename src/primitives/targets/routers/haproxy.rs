//! HAProxy, through its runtime socket: `driver = "haproxy"`.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use schemars::JsonSchema;
use serde::Deserialize;

use crate::config::{ConfigError, Environment, Target, TargetKind};
use crate::model::Span;
use crate::primitives::{FromTarget, begun};
use crate::system::HaproxySocket;

use super::{Backends, Servers, backends};

/// HAProxy, through its runtime socket.
#[derive(Clone, Debug)]
pub struct HaproxyRouter {
    /// The target's name.
    pub name: String,
    /// Where it takes commands.
    pub socket: HaproxySocket,
    /// The backend of HAProxy that all servers belong to.
    pub proxy: String,
    /// The names of the servers in it, by the backends that scripts name.
    pub backends: Backends,
    /// How long an answer may take.
    pub timeout: Span,
    /// Where it is noted how traffic was shared out before a change.
    pub begun: PathBuf,
}

/// Settings of `driver = "haproxy"`.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Settings {
    /// Its `stats socket`, with `level admin`: a file, or `host:port`.
    socket: String,
    /// The servers of each backend as HAProxy names them, `BACKEND/SERVER`, one or several:
    /// `{ blue = "web/blue", green = ["web/green1", "web/green2"] }`. All belong to one backend of HAProxy, whose `balance` must be a
    /// dynamic one, such as `roundrobin`.
    backends: BTreeMap<String, Servers>,
    /// How long an answer may take.
    #[serde(default = "five_seconds")]
    timeout: Span,
}

fn five_seconds() -> Span {
    Span::from_secs(5)
}

impl FromTarget for HaproxyRouter {
    const DRIVER: &'static str = "haproxy";
    const KIND: TargetKind = TargetKind::Router;
    type Settings = Settings;

    fn from_target(settings: Settings, target: &Target, environment: &Environment) -> Result<Self, ConfigError> {
        let mut backends = backends(target, settings.backends)?;
        let mut proxies = Vec::new();
        for (name, servers) in &mut backends {
            for server in servers {
                let plain = |c: char| c.is_ascii_alphanumeric() || "_-.:".contains(c);
                let parts = server.split_once('/').filter(|(proxy, server)| {
                    !proxy.is_empty() && !server.is_empty() && proxy.chars().all(plain) && server.chars().all(plain)
                });
                let Some((proxy, server_name)) = parts else {
                    let message = format!("`{server}` is not a server of HAProxy");
                    let error = target.error(&format!("backends.{name}"), message);
                    return Err(error.help("write it as `BACKEND/SERVER`, as `show servers state` names it"));
                };
                proxies.push(proxy.to_owned());
                *server = server_name.to_owned();
            }
        }
        proxies.dedup();
        let [proxy] = &proxies[..] else {
            let message = format!("the servers of router `{}` belong to several backends of HAProxy", target.name);
            let help = format!("they are: {}; weights only share out within one", proxies.join(", "));
            return Err(target.error("backends", message).help(help));
        };
        let port = settings.socket.rsplit_once(':').and_then(|(host, port)| {
            (!host.is_empty() && !host.contains('/')).then(|| port.parse::<u16>().ok()).flatten()
        });
        let socket = match port {
            Some(_) => HaproxySocket::Tcp(settings.socket.clone()),
            None => HaproxySocket::Unix(environment.resolve(Path::new(&settings.socket))),
        };
        Ok(Self {
            name: target.name.clone(),
            socket,
            proxy: proxy.clone(),
            backends,
            timeout: settings.timeout,
            begun: begun::place(target, environment),
        })
    }
}
