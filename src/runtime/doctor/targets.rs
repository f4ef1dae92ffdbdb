//! Every target, looked at in its own way and all at once.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use serde_json::Value as Json;
use tokio::task::JoinSet;

use crate::config::{Environment, Target, TargetKind};
use crate::model::{Fault, Span, Value};
use crate::primitives::Handler;
use crate::system::Look;
use crate::worlds::Cast;

use super::{Finding, clock};

/// What to say of targets that a drill brings up.
const STARTED: &str = "a drill starts the processes of this environment, and stops them again";

/// What every target looks like, in the order of their names.
pub(super) async fn all(cast: &Cast, look: &Look, patience: Duration) -> Vec<Finding> {
    let mut looks = JoinSet::new();
    for (n, target) in cast.environment.targets.values().enumerate() {
        let examined = Examined {
            target: target.clone(),
            environment: cast.environment.clone(),
            probe: cast.handler("probe", &target.name),
            notify: cast.handler("notify", &target.name),
            query: cast.handler("query", &target.name),
            look: look.clone(),
            patience,
        };
        looks.spawn(async move { (n, examined.findings().await) });
    }
    let mut found: Vec<_> = looks.join_all().await;
    found.sort_by_key(|(n, _)| *n);
    found.into_iter().flat_map(|(_, findings)| findings).collect()
}

/// One target, and what can be asked of it.
struct Examined {
    target: Target,
    environment: Arc<Environment>,
    probe: Option<Arc<dyn Handler>>,
    notify: Option<Arc<dyn Handler>>,
    query: Option<Arc<dyn Handler>>,
    look: Look,
    patience: Duration,
}

impl Examined {
    fn subject(&self) -> String {
        format!("{} {}", self.target.kind, self.target.name)
    }

    async fn findings(&self) -> Vec<Finding> {
        let work = async {
            match (&self.probe, &self.notify) {
                (Some(probe), _) => vec![self.probed(&**probe).await],
                (None, Some(notify)) => vec![self.told(&**notify).await],
                _ if self.target.kind == TargetKind::Tool => self.tool(),
                _ => vec![Finding::ok(self.subject(), format!("driver {} has no look of its own", self.target.driver))],
            }
        };
        let late = || {
            let finding = Finding::fail(self.subject(), format!("did not answer within {}", Span(self.patience)));
            vec![finding.hint("is it reachable from here? `--timeout` waits longer")]
        };
        let mut findings = tokio::time::timeout(self.patience, work).await.unwrap_or_else(|_| late());
        let dated = clock::of_service(&self.target, &self.look, self.patience);
        findings.extend(tokio::time::timeout(self.patience, dated).await.ok().flatten());
        findings
    }

    async fn probed(&self, probe: &dyn Handler) -> Finding {
        let args = Value::Map(BTreeMap::from([("target".to_owned(), Value::from(self.target.name.as_str()))]));
        let Some(observed) = probe.observe(&args, &self.look) else {
            return Finding::ok(self.subject(), "is not looked at: its driver only previews");
        };
        let found = match observed.await {
            Ok(found) => found,
            Err(fault) => return self.faulty(&fault),
        };
        let text = |name: &str| found.get(name).and_then(Value::as_str).unwrap_or_default().to_owned();
        match text("status").as_str() {
            "pass" => Finding::ok(self.subject(), format!("{}{}", text("detail"), self.version().await)),
            "warn" => Finding::warn(self.subject(), text("detail")),
            _ if self.is_new_store() => {
                Finding::ok(self.subject(), "is not there yet; it is made with the first backup")
            }
            _ if self.is_of_a_drill() => Finding::warn(self.subject(), text("detail")).hint(STARTED),
            _ => Finding::fail(self.subject(), text("detail")).hint(self.advice()),
        }
    }

    /// `, version 3.45.1`, where a database tells.
    async fn version(&self) -> String {
        let Some(query) = &self.query else { return String::new() };
        let sql = if self.target.driver == "sqlite" { "SELECT sqlite_version()" } else { "SELECT version()" };
        let args = [("target", self.target.name.as_str()), ("sql", sql)];
        let args = Value::Map(args.map(|(name, text)| (name.to_owned(), Value::from(text))).into());
        let Some(observed) = query.observe(&args, &self.look) else { return String::new() };
        let found = observed.await.ok();
        let version = found.as_ref().and_then(first_text);
        version.map(|version| format!(", version {version}")).unwrap_or_default()
    }

    /// A directory of backups is made when the first one is.
    fn is_new_store(&self) -> bool {
        let path = self.target.settings.get("path").and_then(Json::as_str);
        let path = path.map(|path| self.environment.resolve(path.as_ref()));
        self.target.kind == TargetKind::Store && path.is_some_and(|path| !self.look.exists(&path))
    }

    /// Whether a drill brings up what its targets need.
    fn is_of_a_drill(&self) -> bool {
        self.environment.drill && !self.environment.processes.is_empty()
    }

    fn advice(&self) -> String {
        let setting = ["url", "address", "path"].into_iter().find(|name| self.target.settings.get(*name).is_some());
        match setting {
            Some(setting) => format!("is it up? is its `{setting}` in lifeboat.toml right?"),
            None => "see its settings in lifeboat.toml".to_owned(),
        }
    }

    fn faulty(&self, fault: &Fault) -> Finding {
        let finding = Finding::fail(self.subject(), fault.message.clone());
        match &fault.hint {
            Some(hint) => finding.hint(hint.clone()),
            None => finding.hint(self.advice()),
        }
    }

    /// What stands in the way of a message, which is not sent.
    async fn told(&self, notify: &dyn Handler) -> Finding {
        let args = [("channel", self.target.name.as_str()), ("message", "lifeboat doctor")];
        let args = args.map(|(name, text)| (name.to_owned(), Value::from(text)));
        match notify.preview(&Value::Map(args.into()), &self.look).await {
            Ok(preview) => match preview.fault.or_else(|| undelivered(&preview.output)) {
                Some(fault) => self.faulty(&fault),
                None => self.reached().await,
            },
            Err(fault) => self.faulty(&fault),
        }
    }

    /// Whether anybody listens where a channel's messages are posted.
    async fn reached(&self) -> Finding {
        let url = self.target.settings.get("url").and_then(Json::as_str);
        let url = url.and_then(|url| reqwest::Url::parse(url).ok());
        let host = url.as_ref().and_then(|url| Some((url.host_str()?, url.port_or_known_default()?)));
        let Some((host, port)) = host else {
            return Finding::ok(self.subject(), format!("a message would go out ({})", self.target.driver));
        };
        let address = format!("{host}:{port}");
        match self.look.tcp_connect(&address, self.patience).await {
            Ok(_) => Finding::ok(self.subject(), format!("{address} answers; no message was sent")),
            Err(why) if self.is_of_a_drill() => {
                Finding::warn(self.subject(), format!("{address}: {why}")).hint(STARTED)
            }
            Err(why) => Finding::fail(self.subject(), format!("{address}: {why}")).hint(self.advice()),
        }
    }

    /// The programs that a tool names. None is started: only its author knows what it does with which arguments.
    fn tool(&self) -> Vec<Finding> {
        let settings = &self.target.settings;
        let env = settings.get("env").and_then(|env| env.get("PATH")).and_then(Json::as_str).map(str::to_owned);
        let path = env.or_else(|| self.look.environment(&["PATH"]).remove("PATH")).unwrap_or_default();
        let over_there = settings.get("ssh").is_some();
        let first = |name: &str| settings.get(name)?.as_array()?.first()?.as_str();
        let named = if over_there {
            vec![settings.get("ssh_program").and_then(Json::as_str).unwrap_or("ssh")]
        } else {
            ["program", "check"].into_iter().filter_map(first).collect()
        };
        let found = named.into_iter().map(|name| {
            let file = if name.contains('/') {
                self.environment.resolve(name.as_ref()).to_string_lossy().into_owned()
            } else {
                name.to_owned()
            };
            match self.look.find_program(&file, &path) {
                Some(file) => Finding::ok(self.subject(), format!("{} can be started", file.display())),
                None => Finding::fail(self.subject(), format!("no program `{name}` can be started here"))
                    .hint("install it, or name its file in lifeboat.toml"),
            }
        });
        found.collect()
    }
}

/// The first text inside.
fn first_text(value: &Value) -> Option<&str> {
    match value {
        Value::String(text) => Some(text),
        Value::List(list) => list.iter().find_map(first_text),
        Value::Map(map) => map.values().find_map(first_text),
        _ => None,
    }
}

/// A preview that foresees that nobody will be told.
fn undelivered(output: &Value) -> Option<Fault> {
    let no = output.get("delivered").and_then(Value::as_bool) == Some(false);
    let detail = output.get("detail").and_then(Value::as_str).unwrap_or("the message would not arrive");
    no.then(|| Fault::new("notify-failed", detail))
}
