//! What shares traffic out between services: `driver = "haproxy"` or `"nginx"`.

mod haproxy;
mod nginx;

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::Deserialize;

use crate::config::{ConfigError, Target};

pub use haproxy::HaproxyRouter;
pub use nginx::NginxRouter;

/// The servers of each backend, by the backend's name.
pub type Backends = BTreeMap<String, Vec<String>>;

/// One server, or several.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(untagged, expecting = "a server is text, and several are a list of texts")]
enum Servers {
    /// One.
    One(String),
    /// Several, which share what their backend gets.
    Several(Vec<String>),
}

/// The servers of each backend. At least two backends, each with a server, and no server twice.
fn backends(target: &Target, given: BTreeMap<String, Servers>) -> Result<Backends, ConfigError> {
    let backends: Backends = given
        .into_iter()
        .map(|(name, servers)| match servers {
            Servers::One(server) => (name, vec![server]),
            Servers::Several(servers) => (name, servers),
        })
        .collect();
    let wrong = |setting: &str, why: String, help: &str| Err(target.error(setting, why).help(help.to_owned()));
    if backends.len() < 2 {
        let why = format!("router `{}` needs at least two backends to share traffic out", target.name);
        return wrong("backends", why, "name them: `backends = { blue = \"…\", green = \"…\" }`");
    }
    if let Some((name, _)) = backends.iter().find(|(_, servers)| servers.is_empty()) {
        return wrong(&format!("backends.{name}"), format!("backend `{name}` has no server"), "name one, or remove it");
    }
    let mut seen = BTreeMap::<&str, &str>::new();
    for (backend, server) in backends.iter().flat_map(|(name, servers)| servers.iter().map(move |s| (name, s))) {
        let address = server.split_whitespace().next().unwrap_or_default();
        if let Some(first) = seen.insert(address, backend) {
            let why = format!("the server `{address}` stands in `{first}` and again in `{backend}`");
            return wrong(&format!("backends.{backend}"), why, "a server belongs to one backend");
        }
    }
    Ok(backends)
}
