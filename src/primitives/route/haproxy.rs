//! `route` and `routes` through HAProxy's runtime socket. Weights live in its memory: a reload of HAProxy forgets them.

use std::collections::BTreeMap;
use std::path::Path;

use crate::model::{Applied, Case, Fault, IdempotencyKey};
use crate::primitives::targets::{Backends, HaproxyRouter};
use crate::primitives::{Driver, Evidence, Observer, Preview, Reconciled, routes};
use crate::system::{Act, HaproxyError, Look};

use super::flow::{self, Router, failed};
use super::server::{Server, State};
use super::{Args, Output, Route};

/// The bits of `srv_admin_state` that say maintenance, and those that say drain.
const MAINTENANCE: u32 = 0x01 | 0x02 | 0x04 | 0x20;
const DRAIN: u32 = 0x08 | 0x10;

impl HaproxyRouter {
    fn unanswered(&self, code: &str, error: &HaproxyError) -> Fault {
        let message = format!("{}: HAProxy does not answer at {}: {}", self.name, self.socket, error.message);
        let hint =
            format!("does it run, and is `socket` of router {} its `stats socket`, with `level admin`?", self.name);
        match code {
            "route-failed" => failed(&self.name, message).hint(hint),
            _ => Fault::new("routes-unknown", message).on(&self.name).hint(hint),
        }
    }

    fn unreadable(&self, why: impl std::fmt::Display) -> Fault {
        let hint = format!("compare `backends` of router {} with `show servers state {}`", self.name, self.proxy);
        Fault::new("routes-unknown", format!("{}: {why}", self.name)).on(&self.name).hint(hint)
    }

    fn backend_of(&self, server: &str) -> Option<&str> {
        let named = |servers: &Vec<String>| servers.iter().any(|name| name == server);
        self.backends.iter().find(|(_, servers)| named(servers)).map(|(name, _)| name.as_str())
    }

    /// Reads the answer to `show servers state`: a version, the names of the columns, a line for each server.
    fn parse(&self, answer: &str) -> Result<Vec<Server>, Fault> {
        let mut lines = answer.lines().filter(|line| !line.trim().is_empty());
        let header = lines.find_map(|line| line.strip_prefix("# "));
        let Some(header) = header else {
            return Err(self.unreadable(format!("HAProxy says of {}: {}", self.proxy, answer.trim())));
        };
        let column = |name: &str| header.split(' ').position(|column| column == name);
        let columns = ["srv_name", "srv_op_state", "srv_admin_state", "srv_uweight"].map(column);
        let [Some(name), Some(running), Some(admin), Some(weight)] = columns else {
            return Err(self.unreadable("HAProxy's table of servers has other columns than those of version 1"));
        };
        let mut servers = Vec::new();
        for line in lines {
            let cells: Vec<&str> = line.split(' ').collect();
            let cell = |at: usize| cells.get(at).copied().unwrap_or_default();
            let number = |at: usize| cell(at).parse::<u32>();
            let (Ok(running), Ok(admin), Ok(weight)) = (number(running), number(admin), number(weight)) else {
                return Err(self.unreadable(format!("HAProxy's table of servers has an odd line: {line}")));
            };
            let state = match () {
                () if admin & MAINTENANCE != 0 => State::Maintenance,
                () if admin & DRAIN != 0 => State::Drain,
                () if running == 0 => State::Down,
                () => State::Up,
            };
            match self.backend_of(cell(name)) {
                Some(backend) => {
                    servers.push(Server { name: cell(name).to_owned(), backend: backend.to_owned(), weight, state });
                }
                // One that gets nothing is of no interest; one that gets something makes every share a wrong one.
                None if weight == 0 || state == State::Maintenance => {}
                None => {
                    let other = format!("{}/{}", self.proxy, cell(name));
                    return Err(self.unreadable(format!("{other} takes traffic too, and belongs to no backend")));
                }
            }
        }
        let missing = self.backends.values().flatten().find(|name| servers.iter().all(|server| server.name != **name));
        match missing {
            Some(name) => Err(self.unreadable(format!("HAProxy has no server {}/{name}", self.proxy))),
            None => Ok(servers),
        }
    }

    /// The commands that set these weights, the greater ones first: at no moment does nobody get anything.
    fn commands(&self, weights: &BTreeMap<String, u32>, servers: &[Server]) -> String {
        let mut changes: Vec<(i64, &String, u32)> = Vec::new();
        for (name, weight) in weights {
            let has = servers.iter().find(|server| server.name == *name).map_or(0, |server| server.weight);
            changes.push((i64::from(has) - i64::from(*weight), name, *weight));
        }
        changes.sort();
        let command =
            |(_, name, weight): &(i64, &String, u32)| format!("set server {}/{name} weight {weight}", self.proxy);
        changes.iter().map(command).collect::<Vec<_>>().join("; ")
    }

    /// Sets weights and reads them back; why they are not what they should be.
    async fn set_and_see(&self, weights: &BTreeMap<String, u32>, servers: &[Server], act: &Act) -> Result<(), String> {
        let answer = act.haproxy(&self.socket, &self.commands(weights, servers), self.timeout.0).await;
        let answer =
            answer.map_err(|error| format!("HAProxy does not answer at {}: {}", self.socket, error.message))?;
        let said: Vec<&str> = answer.lines().map(str::trim).filter(|line| !line.is_empty()).collect();
        if !said.is_empty() {
            return Err(format!("HAProxy says: {}", said.join("; ")));
        }
        let now = self.servers(act).await.map_err(|fault| fault.message)?;
        match now.iter().find(|server| weights.get(&server.name).is_some_and(|weight| *weight != server.weight)) {
            Some(server) => Err(format!("{} has the weight {} after it was set", server.name, server.weight)),
            None => Ok(()),
        }
    }
}

impl Router for HaproxyRouter {
    const HEAVIEST: u32 = 256;

    fn is_read_from_a_file(&self) -> bool {
        false
    }

    fn name(&self) -> &str {
        &self.name
    }

    fn backends(&self) -> &Backends {
        &self.backends
    }

    fn begun(&self) -> &Path {
        &self.begun
    }

    async fn servers(&self, look: &Look) -> Result<Vec<Server>, Fault> {
        let what = format!("servers state {}", self.proxy);
        let answer = look.haproxy_show(&self.socket, &what, self.timeout.0).await;
        self.parse(&answer.map_err(|error| self.unanswered("routes-unknown", &error))?)
    }

    /// Whether the socket lets us set anything is not known before it is tried: there is no command that only asks.
    fn obstacle(&self, _: &Look) -> Option<Fault> {
        None
    }

    async fn set(
        &self,
        (weights, servers): (&BTreeMap<String, u32>, &[Server]),
        act: &Act,
        _: &IdempotencyKey,
    ) -> Result<(), Fault> {
        let Err(why) = self.set_and_see(weights, servers, act).await else { return Ok(()) };
        let fault = |state: &str| failed(&self.name, format!("{why}; {state}"));
        let hint = "the socket needs `level admin`, and the backend a `balance` that lets weights change";
        let old: BTreeMap<String, u32> = servers.iter().map(|server| (server.name.clone(), server.weight)).collect();
        let same = |now: &[Server]| now.iter().all(|server| old.get(&server.name) == Some(&server.weight));
        match self.servers(act).await {
            Ok(now) if same(&now) => Err(fault("the weights are as they were").hint(hint)),
            Ok(now) => match self.set_and_see(&old, &now, act).await {
                Ok(()) => Err(fault("the weights are again as they were").hint(hint)),
                Err(_) => Err(fault("some weights were changed").applied(Applied::Yes).hint(hint)),
            },
            Err(_) => Err(fault("nobody knows the weights").applied(Applied::Unknown)),
        }
    }

    async fn pending(&self, servers: &[&str], look: &Look) -> Result<Option<u64>, Fault> {
        let answer = look.haproxy_show(&self.socket, &format!("stat {} 4 -1", self.proxy), self.timeout.0).await;
        let answer = answer.map_err(|error| self.unanswered("route-failed", &error))?;
        let mut lines = answer.lines();
        let header: Vec<&str> = lines.next().unwrap_or_default().trim_start_matches("# ").split(',').collect();
        let column = |name: &str| header.iter().position(|column| *column == name);
        let (Some(name), Some(current), Some(queued)) = (column("svname"), column("scur"), column("qcur")) else {
            return Ok(None);
        };
        let cells = lines.map(|line| line.split(',').collect::<Vec<_>>());
        let of_these = cells.filter(|cells| cells.get(name).is_some_and(|name| servers.contains(name)));
        let number = |cells: &[&str], at: usize| cells.get(at).and_then(|cell| cell.parse::<u64>().ok()).unwrap_or(0);
        Ok(Some(of_these.map(|cells| number(&cells, current) + number(&cells, queued)).sum()))
    }
}

impl Driver<Route> for HaproxyRouter {
    const EVIDENCE: Evidence = super::flow::EVIDENCE;

    async fn preview(&self, args: &Args, look: &Look) -> Result<Preview, Fault> {
        flow::preview(self, args, look).await
    }
    async fn perform(&self, args: &Args, act: &Act, key: &IdempotencyKey) -> Result<Output, Fault> {
        flow::perform(self, args, act, key).await
    }
    async fn reconcile(&self, args: &Args, look: &Look, key: &IdempotencyKey) -> Reconciled<Output> {
        flow::reconcile(self, args, look, key).await
    }
}

impl Observer<routes::Routes> for HaproxyRouter {
    fn cases(&self, _: &routes::Args) -> Option<Vec<Case>> {
        Some(routes::cases(self.backends()))
    }

    async fn observe(&self, _: &routes::Args, look: &Look) -> Result<routes::Output, Fault> {
        flow::look(self, look).await
    }
}
