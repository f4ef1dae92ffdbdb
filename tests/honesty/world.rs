//! The world in which a case is planned and run: a project whose targets are real, steered by files that anybody can write.
//!
//! The shop answers over HTTP as the files of the project say: `ill`, `closed` (its maintenance file), `warming` (so many looks fail
//! first), `live` (its version), `orders`; `mute` has its webhook refuse what is posted. Tools are programs that `sh` carries out in the
//! project's directory, so what a runbook does to these files the shop's users see.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::{Arc, OnceLock};

use lifeboat::runtime::Builder;

use crate::http::{Request, Server};
use crate::project::{Project, on_libsql, sql};

/// A world. Its directory goes when it is dropped.
pub(crate) struct World {
    project: Project,
    shop: Server,
}

/// What `sh` is given by the tools; their words follow.
const TOOLS: &str = r#"
[environments.test.tools.run]
driver = "command"
program = ["sh", "-c"]
unchanged_codes = [3]

[environments.test.tools.checked]
driver = "command"
program = ["sh", "-c"]
check = ["test", "-e", "done"]

[environments.test.tools.raze]
driver = "command"
program = ["sh", "-c"]
impact = "destroy"
unchanged_codes = [3]

[environments.test.tools.see]
driver = "command"
program = ["sh", "-c"]
impact = "look"
allow = ["*"]

[environments.test.tools.narrow]
driver = "command"
program = ["true"]
allow = ["something"]

[environments.test.tools.issue]
driver = "command"
program = ["cat"]
impact = "look"
allow = ["*"]
secret_output = true
"#;

/// Everything else that the usual project does not have.
const TARGETS: &str = r#"
[environments.test.secrets]
TOKEN = { file = "token" }

[environments.test.services.shop]
driver = "http"
url = "http://ADDRESS/health"
timeout = "5s"
maintenance_file = "closed"

[environments.test.services.shop.deploy]
driver = "command"
deploy = ["sh", "-c", 'echo "$1" > live', "sh", "{version}"]
status = ["cat", "live"]
version_path = "/version"
health_timeout = "300ms"

[environments.test.databases.stock]
driver = "sqlite"
path = "stock.db"
store = "backups"
migrations = "migrations"

[environments.test.channels.pager]
driver = "webhook"
url = "http://ADDRESS/hook"
timeout = "2s"

[environments.test.channels.lost]
driver = "file"
path = "live/messages.jsonl"

[environments.test.documents.app]
driver = "json"
path = "app.json"

[environments.test.documents.env]
driver = "env-file"
path = "app.env"
validate = ["grep", "-q", "^PORT=", "{file}"]

[environments.test.routers.lb]
driver = "nginx"
upstream = "shop"
upstream_file = "upstream.conf"
backends = { blue = "127.0.0.1:1", green = "127.0.0.1:2" }
test = ["true"]
reload = ["true"]
settle = "1ms"
"#;

impl World {
    /// The world of a case; `keys` are more keys of its environment.
    pub(crate) fn new(keys: &str) -> Self {
        let root: Arc<OnceLock<PathBuf>> = Arc::default();
        let known = root.clone();
        let shop = Server::start(Box::new(move |request| answer(known.get().expect("it has a project"), request)));
        let targets = TARGETS.replace("ADDRESS", &shop.address.to_string());
        let project = Project::configured(keys, &format!("{TOOLS}{targets}"));
        root.set(project.path("")).expect("it was not known before");
        let world = Self { project, shop };
        for (name, text) in [
            ("upstream.conf", "upstream shop {\n    server 127.0.0.1:1;\n    server 127.0.0.1:2 down;\n}\n"),
            ("live", "1.0.0\n"),
            ("orders", "7"),
            ("token", "s3cr3t-s3cr3t"),
            ("app.json", "{\n  \"pool\": { \"size\": 10 },\n  \"mode\": \"slow\"\n}\n"),
            ("app.env", "PORT=80\nMODE=slow\n"),
            ("migrations/0001_items.sql", "CREATE TABLE items (id INTEGER PRIMARY KEY, name TEXT NOT NULL);"),
            ("migrations/0002_amount.sql", "ALTER TABLE items ADD COLUMN amount INTEGER NOT NULL DEFAULT 0;"),
        ] {
            world.write(name, text);
        }
        world.private("token");
        world.project.database(3);
        sql(
            &world.path("stock.db"),
            "PRAGMA journal_mode = WAL; CREATE TABLE parts (id INTEGER PRIMARY KEY, state TEXT)",
        );
        sql(&world.path("stock.db"), "INSERT INTO parts VALUES (1, 'new'), (2, 'new'), (3, 'old')");
        world
    }

    /// A secret is read only from a file that nobody else may read.
    fn private(&self, name: &str) {
        use std::os::unix::fs::PermissionsExt as _;
        fs::set_permissions(self.path(name), fs::Permissions::from_mode(0o600)).expect("it is ours");
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.project.path(name)
    }

    /// Writes a file.
    pub(crate) fn write(&self, name: &str, text: &str) -> PathBuf {
        self.project.write(name, text)
    }

    /// Takes a file away.
    pub(crate) fn remove(&self, name: &str) {
        fs::remove_file(self.path(name)).expect("it is there");
    }

    /// What a file holds, without white space around it; nothing when it is not there.
    pub(crate) fn read(&self, name: &str) -> String {
        self.project.read(name).trim().to_owned()
    }

    /// The state of everything that is put back when a run fails, in a few words each.
    pub(crate) fn state(&self) -> Vec<(&'static str, String)> {
        let files = ["closed", "live", "app.json", "app.env", "upstream.conf"].map(|name| (name, self.read(name)));
        let said = |(name, text): (&'static str, String)| match (name, text.as_str()) {
            ("closed", "") => (name, "off".to_owned()),
            _ => (name, text),
        };
        files.map(said).to_vec()
    }

    /// The names of the directories in a directory.
    pub(crate) fn folders(&self, name: &str) -> Vec<String> {
        let Ok(entries) = fs::read_dir(self.path(name)) else { return Vec::new() };
        let mut folders: Vec<String> = entries
            .flatten()
            .filter(|entry| entry.path().is_dir())
            .map(|entry| entry.file_name().to_string_lossy().into_owned())
            .filter(|name| !name.starts_with('.'))
            .collect();
        folders.sort();
        folders
    }

    /// Changes a database behind Lifeboat's back.
    pub(crate) fn sql(&self, database: &str, statements: &str) {
        sql(&self.path(&format!("{database}.db")), statements);
    }

    /// The first column of the first row that a database answers, as text; nothing if it answers nothing, or not at all.
    pub(crate) fn ask(&self, database: &str, question: &str) -> Option<String> {
        on_libsql(&self.path(&format!("{database}.db")), async |connection| {
            let mut rows = connection.query(question, ()).await.ok()?;
            let value = rows.next().await.ok()??.get_value(0).ok()?;
            Some(match value {
                libsql::Value::Integer(number) => number.to_string(),
                libsql::Value::Text(text) => text,
                other => format!("{other:?}"),
            })
        })
    }

    /// How many messages the webhook was sent, refused ones counted in.
    pub(crate) fn posted(&self) -> usize {
        self.shop.requests().iter().filter(|request| request.method == "POST").count()
    }

    /// What a host starts from.
    pub(crate) fn builder(&self) -> Builder {
        self.project.builder()
    }
}

/// The shop.
fn answer(root: &Path, request: &Request) -> (&'static str, &'static str, String) {
    let read = |name: &str| fs::read_to_string(root.join(name)).ok().map(|text| text.trim().to_owned());
    let say = |status: &'static str, body: serde_json::Value| (status, "application/json", body.to_string());
    if request.method == "POST" {
        let status = if read("mute").is_some() { "503 Mute" } else { "200 OK" };
        return say(status, serde_json::json!({}));
    }
    if request.path == "/version" {
        return say("200 OK", serde_json::json!({ "version": read("live") }));
    }
    if let Some(left) = read("warming").and_then(|left| left.parse::<u32>().ok()).filter(|left| *left > 0) {
        fs::write(root.join("warming"), (left - 1).to_string()).expect("a file of the project");
        return say("503 Ill", serde_json::json!({}));
    }
    if read("ill").is_some() || read("closed").as_deref() == Some("on") {
        return say("503 Ill", serde_json::json!({}));
    }
    let orders: Option<u64> = read("orders").and_then(|orders| orders.parse().ok());
    say("200 OK", serde_json::json!({ "orders": orders, "version": read("live") }))
}
