//! Where a driver is tried: requests to it, a directory to work in, and what was found.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use serde_json::Value as Json;

use crate::config::DriverSpec;
use crate::primitives::Registry;
use crate::primitives::external::protocol::{DriverFault, Kind, Request, VERSION};
use crate::primitives::external::{command, read};
use crate::system::{Act, CommandEnd, random_u32};

use super::{Conforms, Tried};

/// What is known of a trial under way.
#[derive(Default)]
struct Notes {
    tried: Vec<Tried>,
    /// Texts that no output may hold, each with the setting that holds it.
    secrets: Vec<(String, String)>,
    /// The first output that held one.
    leak: Option<String>,
}

pub(super) struct Bench<'a> {
    pub(super) spec: &'a DriverSpec,
    pub(super) registry: &'a Registry,
    pub(super) act: Act,
    heard: &'a (dyn Fn(&Tried) + Sync),
    notes: Mutex<Notes>,
}

/// What came of one request: an answer or the driver's fault; an error is a breach of the protocol.
pub(super) type Answer = Result<Result<Json, DriverFault>, String>;

impl<'a> Bench<'a> {
    pub(super) fn new(
        spec: &'a DriverSpec,
        registry: &'a Registry,
        act: Act,
        heard: &'a (dyn Fn(&Tried) + Sync),
    ) -> Self {
        Self { spec, registry, act, heard, notes: Mutex::default() }
    }

    fn notes(&self) -> MutexGuard<'_, Notes> {
        self.notes.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn tried(&self) -> Vec<Tried> {
        self.notes().tried.clone()
    }

    /// Notes what came of a case.
    pub(super) fn note(&self, case: &str, verdict: Conforms) {
        let tried = Tried { case: case.to_owned(), verdict };
        (self.heard)(&tried);
        self.notes().tried.push(tried);
    }

    /// The same of one that passes unless something is wrong.
    pub(super) fn judge(&self, case: &str, found: Result<(), String>) {
        self.note(case, found.map_or_else(Conforms::Failed, |()| Conforms::Passed));
    }

    /// From now on no output may hold `text`, the value of the setting `name`.
    pub(super) fn keep_secret(&self, name: &str, text: &str) {
        self.notes().secrets.push((name.to_owned(), text.to_owned()));
    }

    /// A request of which nothing is said yet but what it asks.
    pub(super) fn request(&self, kind: Kind) -> Request {
        let limit = if kind == Kind::Perform { self.spec.time_limit } else { self.spec.look_time_limit };
        Request {
            protocol: VERSION,
            id: format!("{:08x}", random_u32()),
            request: kind,
            primitive: None,
            target: None,
            args: None,
            idempotency_key: None,
            time_limit_ms: u64::try_from(limit.0.as_millis()).unwrap_or(u64::MAX),
        }
    }

    /// Sends a request; a field `extra` goes with it.
    pub(super) async fn ask_with(&self, request: &Request, extra: Option<&str>) -> Answer {
        let mut json = serde_json::to_value(request).unwrap_or_default();
        if let (Some(map), Some(extra)) = (json.as_object_mut(), extra) {
            map.insert(extra.to_owned(), Json::from("a field of another version"));
        }
        let input = serde_json::to_vec(&json).unwrap_or_default();
        let end = self.send(Some(input), Duration::from_millis(request.time_limit_ms)).await?;
        read(&self.spec.name, request, &end).map_err(|fault| fault.message)
    }

    pub(super) async fn ask(&self, request: &Request) -> Answer {
        self.ask_with(request, None).await
    }

    /// Starts the driver in an empty directory, which must stay empty. Without `input` it waits for one that does not come.
    pub(super) async fn send(&self, input: Option<Vec<u8>>, limit: Duration) -> Result<CommandEnd, String> {
        let directory = self.act.empty_directory().map_err(|error| format!("no directory could be made: {error}"))?;
        let held = input.is_none();
        let command = command(self.spec, &self.act, directory.path(), input.unwrap_or_default());
        let mut command = command.map_err(|fault| fault.message)?;
        command.time_limit = limit;
        let end = if held {
            self.act.exchange_nothing(&command).await
        } else {
            self.act.exchange(&command, Arc::new(|_: &str| ())).await
        };
        let end = end.map_err(|error| error.message)?;
        self.listen(&end);
        match self.files(directory.path()).keys().next() {
            Some(name) => Err(format!("left `{name}` in the directory in which it was started")),
            None => Ok(end),
        }
    }

    fn listen(&self, end: &CommandEnd) {
        let mut notes = self.notes();
        let outputs = [("standard output", end.stdout.text()), ("standard error", end.stderr.text())];
        let leak = notes.secrets.iter().find_map(|(name, secret)| {
            let (stream, _) = outputs.iter().find(|(_, text)| text.contains(secret))?;
            Some(format!("the value of `{name}` was on its {stream}"))
        });
        if notes.leak.is_none() {
            notes.leak = leak;
        }
    }

    /// The last case: whether any output held a secret.
    pub(super) fn keeps_secrets(&self) {
        let (leak, any) = {
            let notes = self.notes();
            (notes.leak.clone(), !notes.secrets.is_empty())
        };
        let verdict = match (leak, any) {
            (Some(leak), _) => Conforms::Failed(leak),
            (None, true) => Conforms::Passed,
            (None, false) => Conforms::Skipped("no trial has a setting that is `writeOnly`".to_owned()),
        };
        self.note("keeps secrets to itself", verdict);
    }

    /// Every file below `root` with its content, and every directory.
    pub(super) fn files(&self, root: &Path) -> BTreeMap<String, Vec<u8>> {
        let (mut found, mut folders) = (BTreeMap::new(), vec![PathBuf::from(root)]);
        while let Some(folder) = folders.pop() {
            for entry in self.act.list(&folder).unwrap_or_default() {
                let name = entry.path.strip_prefix(root).unwrap_or(&entry.path).display().to_string();
                if entry.directory {
                    found.insert(format!("{name}/"), Vec::new());
                    folders.push(entry.path);
                } else {
                    found.insert(name, self.act.read(&entry.path).unwrap_or_default());
                }
            }
        }
        found
    }
}

/// What differs between two states of a directory.
pub(super) fn difference(before: &BTreeMap<String, Vec<u8>>, after: &BTreeMap<String, Vec<u8>>) -> Result<(), String> {
    let names = before.keys().chain(after.keys());
    match names.into_iter().find(|name| before.get(*name) != after.get(*name)) {
        Some(name) if !before.contains_key(name) => Err(format!("it made `{name}`")),
        Some(name) if !after.contains_key(name) => Err(format!("it removed `{name}`")),
        Some(name) => Err(format!("it changed `{name}`")),
        None => Ok(()),
    }
}
