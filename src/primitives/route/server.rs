//! The servers behind a router, as it tells of them.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::primitives::targets::Backends;

use super::shares::{Percent, Shares, common_multiple, weights};

/// A server behind a router.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Server {
    /// Its name, or its address where it has no name.
    pub name: String,
    /// The backend that it belongs to.
    pub backend: String,
    /// Its weight.
    pub weight: u32,
    /// Whether it takes traffic.
    pub state: State,
}

/// Whether a server takes traffic.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum State {
    /// It does, as far as the router knows.
    Up,
    /// The router found that it does not answer.
    Down,
    /// Somebody lets it end what it has begun.
    Drain,
    /// Somebody took it out.
    Maintenance,
}

impl State {
    /// Whether somebody decided that it gets nothing.
    fn is_taken_out(self) -> bool {
        matches!(self, State::Drain | State::Maintenance)
    }

    /// As people read it.
    pub(super) fn describe(self) -> &'static str {
        match self {
            State::Up => "up",
            State::Down => "down",
            State::Drain => "in drain",
            State::Maintenance => "in maintenance",
        }
    }
}

/// How the router shares traffic out among these servers.
pub(in crate::primitives) fn shares(servers: &[Server], backends: &Backends) -> Shares {
    let weight = |server: &&Server| if server.state.is_taken_out() { 0 } else { u64::from(server.weight) };
    let whole = servers.iter().map(|server| weight(&server)).sum();
    let part =
        |name: &String| servers.iter().filter(|server| server.backend == *name).map(|server| weight(&server)).sum();
    backends.keys().map(|name| (name.clone(), Percent::of(part(name), whole))).collect()
}

/// The weights that share traffic out as wanted, by server. Those that somebody took out get what the others of their backend get.
pub(super) fn weights_for(wanted: &Shares, servers: &[Server], most: u32) -> BTreeMap<String, u32> {
    let count = |backend: &str, usable: bool| {
        let of_it = servers.iter().filter(|server| server.backend == backend);
        of_it.filter(|server| !usable || !server.state.is_taken_out()).count() as u64
    };
    let sharing = |backend: &str| match count(backend, true) {
        0 => count(backend, false),
        usable => usable,
    };
    let multiple = common_multiple(wanted.keys().map(|backend| sharing(backend)));
    let raw: Vec<u64> = servers
        .iter()
        .map(|server| {
            let share = wanted.get(&server.backend).copied().unwrap_or_default();
            u64::from(share.hundredths()) * (multiple / sharing(&server.backend).max(1))
        })
        .collect();
    let weights = weights(&raw, u64::from(most)).into_iter().map(|weight| u32::try_from(weight).unwrap_or(most));
    servers.iter().map(|server| server.name.clone()).zip(weights).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn server(name: &str, backend: &str, weight: u32, state: State) -> Server {
        Server { name: name.into(), backend: backend.into(), weight, state }
    }

    fn wanted(a: u32, b: u32) -> Shares {
        [("a".to_owned(), Percent::from_hundredths(a * 100)), ("b".to_owned(), Percent::from_hundredths(b * 100))]
            .into()
    }

    #[test]
    fn several_servers_share_what_their_backend_gets() {
        let servers = ["b1", "b2", "b3"].map(|name| server(name, "b", 1, State::Up)).into_iter().chain([server(
            "a",
            "a",
            1,
            State::Up,
        )]);
        let servers: Vec<Server> = servers.collect();
        let weights = weights_for(&wanted(90, 10), &servers, 256);
        assert_eq!(weights, [("a", 27), ("b1", 1), ("b2", 1), ("b3", 1)].map(|(n, w)| (n.to_owned(), w)).into());
    }

    #[test]
    fn a_server_that_was_taken_out_does_not_count() {
        let backends: Backends = [("a".into(), vec!["a".into()]), ("b".into(), vec!["b1".into(), "b2".into()])].into();
        let servers =
            [server("a", "a", 50, State::Up), server("b1", "b", 50, State::Drain), server("b2", "b", 50, State::Up)];
        assert_eq!(shares(&servers, &backends), wanted(50, 50));
        let weights = weights_for(&wanted(90, 10), &servers, 256);
        assert_eq!((weights["a"], weights["b1"], weights["b2"]), (90, 10, 10));
    }
}
