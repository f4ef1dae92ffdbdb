//! Targets that write down what is done to them.

use std::collections::{BTreeMap, BTreeSet};
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::os::unix::fs::PermissionsExt as _;
use std::path::PathBuf;
use std::sync::{Arc, Mutex};

const CONFIG: &str = r#"
default = "here"
[environments.here]
independent = [["web", "primary"]]
[environments.here.services.web]
driver = "http"
url = "http://127.0.0.1:PORT/"
maintenance_file = "maintenance"
deploy = { driver = "command", deploy = ["./did", "deploy", "{version}"], status = ["cat", "live"] }
[environments.here.routers.lb]
driver = "nginx"
upstream = "shop"
upstream_file = "upstream.conf"
backends = { blue = "127.0.0.1:8001", green = "127.0.0.1:8002" }
test = ["true"]
reload = ["./did", "reload", "nginx"]
settle = "1ms"
[environments.here.databases.primary]
driver = "sqlite"
path = "primary.db"
store = "backups"
migrations = "migrations"
[environments.here.stores.backups]
driver = "directory"
path = "backups"
[environments.here.documents.app]
driver = "env-file"
path = "app.env"
reload = ["./did", "reload", "app"]
[environments.here.secrets]
API_KEY = { file = "api-key" }
[environments.here.tools.seen]
driver = "command"
program = ["./did", "exec"]
impact = "change"
check = ["./done", "exec"]
[environments.here.tools.blind]
driver = "command"
program = ["./did", "exec"]
impact = "change"
[environments.here.channels.log]
driver = "file"
path = "messages.jsonl"
[environments.here.channels.hook]
driver = "webhook"
url = "http://127.0.0.1:PORT/hook"
"#;

const RUNBOOK: &str = r#"//! Everything that changes something.
let taken = backup("primary");
verify_backup("primary", #{ id: taken.id });
restore("primary", #{ from: taken.id });
migrate("primary");
sql("primary", "INSERT INTO done VALUES ('sql')", #{ check: "SELECT count(*) FROM done WHERE what = 'sql'" });
maintenance("web", "on");
deploy("web", #{ version: "v2" });
route("lb", #{ to: "green" });
configure("app", #{ set: #{ size: 20 } });
rotate("API_KEY");
exec("seen", ["one"]);
exec("blind", ["two"]);
step "With a rollback" {
    parallel(["three", "four"], #{ at_most: 1 }, |what| exec("seen", [what]));
} rollback {
    exec("seen", ["undone"]);
}
notify("log", "It is done", #{ key: "it" });
notify("hook", "It is done", #{ required: true });
resolve("log", "it", "It is over");
maintenance("web", "off");
"#;

/// Does something, and writes down for whom.
const DID: &str = r#"#!/bin/sh
echo "$LIFEBOAT_IDEMPOTENCY_KEY $*" >> "ledger"
test "$1" != deploy || echo "$2" > live
"#;

const DONE: &str = "#!/bin/sh\ntest -e ledger && grep -q \"^$LIFEBOAT_IDEMPOTENCY_KEY exec\" ledger\n";

/// A project, and the server that it talks with.
pub(crate) struct Outside {
    directory: tempfile::TempDir,
    /// The idempotency keys of the messages that came.
    posted: Arc<Mutex<BTreeSet<String>>>,
}

impl Outside {
    pub(crate) fn new() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        let port = listener.local_addr().expect("an address").port();
        let posted = Arc::new(Mutex::new(BTreeSet::new()));
        let keeps = posted.clone();
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                serve(stream, &keeps);
            }
        });
        let outside = Self { directory: tempfile::tempdir().expect("a directory"), posted };
        outside.write("lifeboat.toml", &CONFIG.replace("PORT", &port.to_string()));
        outside.write("runbooks/everything.rhai", RUNBOOK);
        outside.write("app.env", "size=10\n");
        outside.write("live", "v1\n");
        outside.write("api-key", "0123456789abcdef0123456789abcdef\n");
        outside.permit("api-key", 0o600);
        outside.write(
            "upstream.conf",
            "upstream shop {\n    server 127.0.0.1:8001 weight=100;\n    server 127.0.0.1:8002 down;\n}\n",
        );
        outside.write("migrations/0001_done.sql", "INSERT INTO done VALUES ('migrated');\n");
        for (name, text) in [("did", DID), ("done", DONE)] {
            outside.write(name, text);
            outside.permit(name, 0o755);
        }
        outside.sql("PRAGMA journal_mode = WAL; CREATE TABLE done (what TEXT);");
        outside
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.directory.path().join(name)
    }

    fn write(&self, name: &str, text: &str) {
        let path = self.path(name);
        std::fs::create_dir_all(path.parent().expect("below the project")).expect("makes the directory");
        std::fs::write(path, text).expect("writes");
    }

    fn permit(&self, name: &str, mode: u32) {
        std::fs::set_permissions(self.path(name), std::fs::Permissions::from_mode(mode)).expect("permits");
    }

    /// The first column of all rows.
    fn sql(&self, statements: &str) -> Vec<String> {
        let runtime = tokio::runtime::Builder::new_current_thread().build().expect("a runtime");
        runtime.block_on(async {
            let database = libsql::Builder::new_local(self.path("primary.db")).build().await.expect("opens");
            let connection = database.connect().expect("connects");
            let Some(query) = statements.strip_prefix("QUERY ") else {
                connection.execute_batch(statements).await.expect(statements);
                return Vec::new();
            };
            let mut rows = connection.query(query, ()).await.expect(query);
            let mut found = Vec::new();
            while let Some(row) = rows.next().await.expect(query) {
                found.push(row.get::<String>(0).expect("a text"));
            }
            found
        })
    }

    /// Whether a target has written down that it did this.
    pub(crate) fn has_done(&self, key: &str) -> bool {
        let ledger = std::fs::read_to_string(self.path("ledger")).unwrap_or_default();
        let posted = self.posted.lock().expect("nobody panicked");
        ledger.lines().any(|line| line.starts_with(&format!("{key} "))) || posted.contains(key)
    }

    /// What took place more than once, and what did not take place, or is not as the runbook leaves it.
    pub(crate) fn judge(&self) -> (Vec<String>, Vec<String>) {
        let mut times: BTreeMap<String, usize> = BTreeMap::new();
        let ledger = std::fs::read_to_string(self.path("ledger")).unwrap_or_default();
        for line in ledger.lines() {
            let (_, what) = line.split_once(' ').expect("a key");
            *times.entry(what.to_owned()).or_default() += 1;
        }
        for what in self.sql("QUERY SELECT what FROM done") {
            *times.entry(what).or_default() += 1;
        }
        // Who receives them keeps the keys: a message that came twice with one key was told once.
        let posted = self.posted.lock().expect("nobody panicked").len();
        times.insert("message to the webhook".to_owned(), posted);
        let messages = std::fs::read_to_string(self.path("messages.jsonl")).unwrap_or_default();
        times.insert("messages".to_owned(), messages.lines().count() / 2);
        times.insert("half a pair of messages".to_owned(), 1 + messages.lines().count() % 2);
        let entries = |of: &str, like: fn(&str) -> bool| {
            let entries = std::fs::read_dir(self.path(of)).into_iter().flatten().flatten();
            entries.filter(|entry| like(&entry.file_name().to_string_lossy())).count()
        };
        times.insert("backups".to_owned(), entries("backups/primary", |name| name.starts_with("20")));
        times.insert("replaced databases".to_owned(), entries(".", |name| name.contains("primary.db.replaced")));
        let is = |file: &str, text: &str| {
            usize::from(std::fs::read_to_string(self.path(file)).is_ok_and(|found| found.trim() == text))
        };
        times.insert("live v2".to_owned(), is("live", "v2"));
        times.insert("size=20".to_owned(), is("app.env", "size=20"));
        times.insert("maintenance off".to_owned(), is("maintenance", "off"));
        times.insert("another API_KEY".to_owned(), 1 - is("api-key", "0123456789abcdef0123456789abcdef"));
        let expected = [
            "deploy v2",
            "reload nginx",
            "reload app",
            "exec one",
            "exec two",
            "exec three",
            "exec four",
            "sql",
            "migrated",
            "messages",
            "backups",
            "replaced databases",
            "live v2",
            "size=20",
            "maintenance off",
            "another API_KEY",
            "message to the webhook",
        ];
        let doubled = times.iter().filter(|(_, count)| **count > 1);
        let missing = |what: &&str| times.get(*what).is_none_or(|count| *count == 0);
        let lost: Vec<String> = expected.iter().filter(|what| missing(what)).map(|what| (*what).to_owned()).collect();
        let unexpected = times.keys().filter(|what| *what == "exec undone").cloned();
        (doubled.map(|(what, count)| format!("{what}: {count}")).chain(unexpected).collect(), lost)
    }
}

/// One request: a look is answered, a message is written down.
fn serve(stream: TcpStream, posted: &Mutex<BTreeSet<String>>) {
    let mut reader = BufReader::new(stream);
    let (mut length, mut key, mut line) = (0, String::new(), String::new());
    while reader.read_line(&mut line).is_ok_and(|read| read > 2) {
        if let Some((name, value)) = line.split_once(':') {
            match name.to_ascii_lowercase().as_str() {
                "content-length" => length = value.trim().parse().expect("a number"),
                "idempotency-key" => value.trim().clone_into(&mut key),
                _ => {}
            }
        }
        line.clear();
    }
    let mut body = vec![0; length];
    if reader.read_exact(&mut body).is_ok() && !key.is_empty() {
        posted.lock().expect("nobody panicked").insert(key);
    }
    let _ = reader.get_mut().write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\nok");
}
