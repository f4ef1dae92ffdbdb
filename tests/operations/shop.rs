//! A small shop: a service, its database with a backup, its configuration, its key, its log.

use std::collections::BTreeMap;
use std::fs;
use std::net::TcpListener;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::process::{Command, Stdio};

use crate::project::{Project, on_libsql, sql};

/// The key of the application, at first.
pub(crate) const KEY: &str = "first-key-of-the-shop";

/// The shop. Its directory goes when it is dropped.
pub(crate) struct Shop {
    pub(crate) project: Project,
}

/// What the program said, in one line, and how it ended.
pub(crate) struct Said {
    pub(crate) code: Option<i32>,
    pub(crate) text: String,
}

impl Shop {
    /// One whose certificate nobody looks at.
    pub(crate) fn open() -> Self {
        let nobody = TcpListener::bind("127.0.0.1:0").expect("a free port").local_addr().expect("its address");
        Self::with_certificate(&nobody.to_string(), "")
    }

    /// One whose service speaks TLS at this address; `more` are settings of that target.
    pub(crate) fn with_certificate(address: &str, more: &str) -> Self {
        let tables = format!(
            r#"
[environments.test.services.web-tls]
driver = "tls"
address = "{address}"
server_name = "shop.test"
{more}

[environments.test.documents.app]
driver = "env-file"
path = "app.env"
reload = ["sh", "-c", 'cp app.env running.env; echo reloaded >> reloads; test ! -e refuses || ! grep -q "^$(cat refuses)" app.env']

[environments.test.hosts.here]
driver = "local"

[environments.test.logs.app-log]
driver = "file"
path = "app.log"

[environments.test.secrets]
API_KEY = {{ file = "api-key" }}
"#
        );
        let shop = Self { project: Project::configured("", &tables) };
        for entry in fs::read_dir(Path::new(env!("CARGO_MANIFEST_DIR")).join("runbooks")).expect("they ship").flatten()
        {
            if entry.path().is_file() {
                let text = fs::read_to_string(entry.path()).expect("a runbook");
                shop.project.write(&format!("runbooks/{}", entry.file_name().to_string_lossy()), &text);
            }
        }
        shop.project.write("app.env", &format!("# The shop.\nREAD_ONLY=false\nAPI_KEY={KEY}  # of the bank\n"));
        shop.project.write("api-key", &format!("{KEY}\n"));
        fs::set_permissions(shop.project.path("api-key"), fs::Permissions::from_mode(0o600)).expect("it is ours");
        shop.project.write("app.log", "2026-01-01T00:00:00Z INFO open\n");
        sql(
            &shop.project.path("primary.db"),
            "PRAGMA journal_mode = WAL;
             CREATE TABLE customers (id INTEGER PRIMARY KEY, name TEXT);
             CREATE TABLE orders (id INTEGER PRIMARY KEY, customer INTEGER REFERENCES customers(id));
             INSERT INTO customers VALUES (1, 'a'), (2, 'b'), (3, 'c');
             INSERT INTO orders VALUES (1, 1), (2, 2), (3, 3);",
        );
        shop
    }

    /// Takes a verified backup.
    pub(crate) fn backed_up(&self) {
        let text = "//! Back up.\nlet taken = backup(\"primary\");\nverify_backup(\"primary\", #{ id: taken.id });\n";
        self.project.write("runbooks/back-up.rhai", text);
        let said = self.run("back-up", &[]);
        assert_eq!(said.code, Some(0), "{}", said.text);
    }

    /// Customers 2 and 3 are gone, though they have orders.
    pub(crate) fn lose_customers(&self) {
        sql(&self.project.path("primary.db"), "PRAGMA foreign_keys = OFF; DELETE FROM customers WHERE id > 1");
    }

    /// The first column of the first row that the database answers.
    pub(crate) fn ask(&self, query: &str) -> i64 {
        on_libsql(&self.project.path("primary.db"), async |connection| {
            let mut rows = connection.query(query, ()).await.expect("a query");
            rows.next().await.expect("it answers").expect("a row").get(0).expect("a number")
        })
    }

    /// What was told on the channel, oldest first.
    pub(crate) fn told(&self) -> Vec<String> {
        let line = |line: &str| {
            let line: serde_json::Value = serde_json::from_str(line).expect("a message");
            line["message"].as_str().unwrap_or_default().to_owned()
        };
        self.project.read("incidents.jsonl").lines().map(line).collect()
    }

    /// Runs the program to its end.
    pub(crate) fn lifeboat(&self, arguments: &[&str]) -> Said {
        let mut command = Command::new(env!("CARGO_BIN_EXE_lifeboat"));
        let output = command.args(arguments).current_dir(self.project.path("")).stdin(Stdio::null()).output();
        let output = output.expect("it starts");
        let text =
            [output.stderr, output.stdout].map(|bytes| String::from_utf8(bytes).expect("it writes text")).concat();
        // Lines are broken where the screen ends.
        Said { code: output.status.code(), text: text.split_whitespace().collect::<Vec<_>>().join(" ") }
    }

    pub(crate) fn plan(&self, runbook: &str, sets: &[&str]) -> Said {
        self.plan_with(runbook, sets, &[])
    }

    pub(crate) fn plan_with(&self, runbook: &str, sets: &[&str], more: &[&str]) -> Said {
        self.start("plan", runbook, sets, more)
    }

    /// Runs a runbook; what is to be confirmed is answered with yes.
    pub(crate) fn run(&self, runbook: &str, sets: &[&str]) -> Said {
        self.start("run", runbook, sets, &["--yes"])
    }

    /// Runs a runbook where a person says no.
    pub(crate) fn run_refused(&self, runbook: &str, sets: &[&str]) -> Said {
        self.start("run", runbook, sets, &["--answer", "no"])
    }

    fn start(&self, command: &str, runbook: &str, sets: &[&str], more: &[&str]) -> Said {
        let path = format!("runbooks/{runbook}.rhai");
        let sets = sets.iter().flat_map(|set| ["--set", set]);
        let arguments: Vec<&str> = [command, &path].into_iter().chain(sets).chain(more.iter().copied()).collect();
        self.lifeboat(&arguments)
    }

    /// Every file of the shop with what is in it, but for what Lifeboat keeps for itself.
    pub(crate) fn files(&self) -> BTreeMap<String, Vec<u8>> {
        let (mut found, mut folders) = (BTreeMap::new(), vec![self.project.path("")]);
        while let Some(folder) = folders.pop() {
            for entry in fs::read_dir(&folder).expect("it lists").flatten() {
                let name = entry.path().to_string_lossy().into_owned();
                if entry.path().is_dir() {
                    if !name.ends_with("/.lifeboat") {
                        folders.push(entry.path());
                    }
                } else if !name.ends_with("-shm") && !name.ends_with("-wal") {
                    found.insert(name, fs::read(entry.path()).unwrap_or_default());
                }
            }
        }
        found
    }
}
