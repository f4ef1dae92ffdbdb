//! `route` and `routes` through a file that nginx includes: an upstream with weights.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::Path;

use crate::model::{Applied, Case, Fault, IdempotencyKey};
use crate::primitives::targets::{ArgvFailure, Backends, NginxRouter};
use crate::primitives::{Driver, Evidence, Observer, Preview, Reconciled, routes};
use crate::system::{Act, Look};

use super::flow::{self, Router, failed};
use super::server::{Server, State};
use super::{Args, Output, Route};

/// The address of a server, without its parameters.
fn address(server: &str) -> &str {
    server.split_whitespace().next().unwrap_or_default()
}

impl NginxRouter {
    fn unreadable(&self, why: impl std::fmt::Display) -> Fault {
        let text = format!("{}: {}: {why}", self.name, self.file.display());
        let hint = format!(
            "write it once as `upstream {} {{ server …; }}`, and include it in nginx's configuration",
            self.upstream
        );
        Fault::new("routes-unknown", text).on(&self.name).hint(hint)
    }

    /// The servers of the upstream, in the order of the configuration.
    fn parse(&self, text: &str) -> Result<Vec<Server>, Fault> {
        let plain: String =
            text.lines().map(|line| line.split('#').next().unwrap_or_default()).collect::<Vec<_>>().join("\n");
        let head = plain.split('{').next().unwrap_or_default();
        let body = plain.split_once('{').and_then(|(_, rest)| rest.split_once('}'));
        let is_ours = head.split_whitespace().eq(["upstream", self.upstream.as_str()]);
        let Some((body, rest)) = body.filter(|_| is_ours) else {
            return Err(self.unreadable(format!("it is not an upstream {}", self.upstream)));
        };
        if !rest.trim().is_empty() {
            return Err(self.unreadable("it holds more than the upstream, which would be lost"));
        }
        let mut found = BTreeMap::new();
        for directive in body.split(';') {
            let mut words = directive.split_whitespace();
            if words.next() != Some("server") {
                continue;
            }
            let (address, mut weight) = (words.next().unwrap_or_default(), Some(1));
            for word in words {
                if word == "down" {
                    weight = Some(0);
                } else if let Some(number) = word.strip_prefix("weight=") {
                    weight = weight.filter(|weight| *weight == 0).or_else(|| number.parse::<u32>().ok());
                }
            }
            let Some(weight) = weight else {
                return Err(self.unreadable(format!("`{}` has an odd weight", directive.trim())));
            };
            found.insert(address, weight);
        }
        let known = |wanted: &str| self.backends.values().flatten().any(|server| address(server) == wanted);
        let strange = found.iter().find(|(name, weight)| **weight > 0 && !known(name));
        if let Some((strange, _)) = strange {
            return Err(self.unreadable(format!("{strange} takes traffic too, and belongs to no backend")));
        }
        let named =
            self.backends.iter().flat_map(|(backend, servers)| servers.iter().map(move |server| (backend, server)));
        let server = |(backend, server): (&String, &String)| {
            let name = address(server).to_owned();
            let weight = found.get(name.as_str()).copied().unwrap_or(0);
            Server { name, backend: backend.clone(), weight, state: State::Up }
        };
        Ok(named.map(server).collect())
    }

    /// The file with these weights. nginx has no weight of 0: such a server is `down`.
    fn text(&self, weights: &BTreeMap<String, u32>) -> String {
        let mut text = format!(
            "# Written by lifeboat for the router {}: changes are lost.\nupstream {} {{\n",
            self.name, self.upstream
        );
        for option in &self.options {
            let _ = writeln!(text, "    {option};");
        }
        for server in self.backends.values().flatten() {
            match weights.get(address(server)).copied().unwrap_or(0) {
                0 => drop(writeln!(text, "    server {server} down;")),
                weight => drop(writeln!(text, "    server {server} weight={weight};")),
            }
        }
        text + "}\n"
    }

    /// Writes the file and makes nginx read it. On a failure the file is as it was, and nginx as well where it had read it.
    async fn write_and_reload(&self, old: &[u8], new: &str, act: &Act, key: &IdempotencyKey) -> Result<(), Fault> {
        let shown = self.file.display();
        let back = || act.write_atomic(&self.file, old).map_err(|error| format!("{shown} cannot be put back: {error}"));
        let write = act.write_atomic(&self.file, new.as_bytes());
        write.map_err(|error| failed(&self.name, format!("cannot write {shown}: {error}")))?;
        let told = |failure: ArgvFailure, state: Result<(), String>| {
            let message = match &state {
                Ok(()) => format!("{}; {shown} is again as it was", failure.message),
                Err(why) => format!("{}; {why}", failure.message),
            };
            let fault = if failure.interrupted {
                Fault::new("interrupted", format!("{}: {message}", self.name)).on(&self.name)
            } else {
                failed(&self.name, message)
            };
            if state.is_ok() { fault } else { fault.applied(Applied::Yes) }
        };
        if let Err(failure) = self.test.run(&self.name, &[], key, act).await {
            return Err(told(failure, back()));
        }
        if let Err(failure) = self.reload.run(&self.name, &[], key, act).await {
            let state = back();
            // It may have read the new file all the same: the old one is what it must work with.
            let again = self.reload.run(&self.name, &[], key, &act.shielded()).await;
            return Err(match again {
                Ok(()) => told(failure, state),
                Err(_) => told(failure, state).applied(Applied::Unknown),
            });
        }
        // The reload was told, and is not waited for: a request to stop changes nothing of that.
        let _ = act.sleep(self.settle.0).await;
        Ok(())
    }
}

impl Router for NginxRouter {
    const HEAVIEST: u32 = 10_000;

    fn is_read_from_a_file(&self) -> bool {
        true
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
        self.parse(&look.read_text(&self.file).map_err(|error| self.unreadable(error))?)
    }

    fn obstacle(&self, look: &Look) -> Option<Fault> {
        let unable = [&self.test, &self.reload].into_iter().find_map(|argv| argv.command(&[], None, look).err());
        unable.map(|why| failed(&self.name, why).hint(format!("see `test` and `reload` of router {}", self.name)))
    }

    async fn set(
        &self,
        (weights, _): (&BTreeMap<String, u32>, &[Server]),
        act: &Act,
        key: &IdempotencyKey,
    ) -> Result<(), Fault> {
        let old =
            act.read(&self.file).map_err(|error| failed(&self.name, format!("{}: {error}", self.file.display())))?;
        self.write_and_reload(&old, &self.text(weights), act, key).await
    }

    async fn pending(&self, _: &[&str], _: &Look) -> Result<Option<u64>, Fault> {
        Ok(None)
    }
}

impl Driver<Route> for NginxRouter {
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

impl Observer<routes::Routes> for NginxRouter {
    fn cases(&self, _: &routes::Args) -> Option<Vec<Case>> {
        Some(routes::cases(self.backends()))
    }

    async fn observe(&self, _: &routes::Args, look: &Look) -> Result<routes::Output, Fault> {
        flow::look(self, look).await
    }
}
