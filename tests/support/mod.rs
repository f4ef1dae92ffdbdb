//! A project in a directory of its own, in which the real program runs.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::os::unix::process::ExitStatusExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

/// What a terminal says of itself: it must not change what is compared.
const TERMINAL: [&str; 4] = ["COLUMNS", "NO_COLOR", "CLICOLOR_FORCE", "TERM"];

/// A project. Files come from `tests/bad_input/`, and are gone with the value.
pub(crate) struct Project {
    directory: tempfile::TempDir,
}

/// What came of one run of the program.
pub(crate) struct Run {
    pub(crate) exit: Option<i32>,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
    /// What the run did to the project's files: `new a`, `changed b`, `gone c`.
    pub(crate) files: Vec<String>,
}

impl Project {
    /// A project without a configuration.
    pub(crate) fn empty() -> Self {
        // Always a path of the same length: lines break at the same places on every machine.
        let directory = tempfile::Builder::new().prefix("lifeboat-").rand_bytes(8).tempdir_in("/tmp");
        Self { directory: directory.expect("a directory for the project") }
    }

    /// A project with the usual configuration.
    pub(crate) fn new() -> Self {
        Self::empty().config("lifeboat")
    }

    /// Takes `tests/bad_input/NAME.toml` as its configuration.
    pub(crate) fn config(self, name: &str) -> Self {
        self.file("lifeboat.toml", input(&format!("{name}.toml")))
    }

    /// Takes `tests/bad_input/NAME.rhai` as `runbooks/NAME.rhai`.
    pub(crate) fn runbook(self, name: &str) -> Self {
        let name = format!("{name}.rhai");
        let text = input(&name);
        self.file(&format!("runbooks/{name}"), text)
    }

    /// Puts a file into it.
    pub(crate) fn file(self, name: &str, bytes: impl AsRef<[u8]>) -> Self {
        let path = self.path(name);
        std::fs::create_dir_all(path.parent().expect("below the project")).expect("makes the directories");
        std::fs::write(path, bytes).expect("writes the file");
        self
    }

    /// Puts a database with so many orders into it, 100 bytes each.
    pub(crate) fn database(self, name: &str, orders: u32) -> Self {
        let path = self.path(name);
        std::fs::create_dir_all(path.parent().expect("below the project")).expect("makes the directories");
        let runtime = tokio::runtime::Builder::new_current_thread().build().expect("a runtime");
        runtime.block_on(async {
            let database = libsql::Builder::new_local(path).build().await.expect("opens");
            let connection = database.connect().expect("connects");
            let fill = format!(
                "CREATE TABLE orders (id INTEGER PRIMARY KEY, item TEXT);
                 WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < {orders})
                 INSERT INTO orders SELECT i, hex(randomblob(48)) FROM n;"
            );
            connection.execute_batch(&fill).await.expect("fills");
        });
        self
    }

    /// A path in it.
    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.directory.path().join(name)
    }

    /// Runs the program in it.
    pub(crate) fn run<const N: usize>(&self, args: [&str; N]) -> Run {
        self.finish(Command::new(env!("CARGO_BIN_EXE_lifeboat")).args(args))
    }

    /// Runs a line of shell in it; `$LIFEBOAT` is the program.
    pub(crate) fn shell(&self, line: &str) -> Run {
        self.finish(Command::new("sh").args(["-c", line]).env("LIFEBOAT", env!("CARGO_BIN_EXE_lifeboat")))
    }

    fn finish(&self, command: &mut Command) -> Run {
        let before = files(self.directory.path());
        let command = command.current_dir(self.directory.path()).stdin(Stdio::null());
        for name in TERMINAL {
            command.env_remove(name);
        }
        let Output { status, stdout, stderr } = command.output().expect("the program starts");
        assert_eq!(status.signal(), None, "the program was killed");
        let after = files(self.directory.path());
        let text = |bytes: Vec<u8>| {
            let text = String::from_utf8(bytes).expect("the program writes UTF-8");
            assert!(!text.contains("panicked"), "{text}");
            text.replace(&*self.directory.path().to_string_lossy(), "[PROJECT]")
        };
        Run { exit: status.code(), stdout: text(stdout), stderr: text(stderr), files: compare(&before, &after) }
    }
}

impl Run {
    /// All of it, as a snapshot has it.
    pub(crate) fn told(&self) -> String {
        let mut told = format!("exit: {}\n", self.exit.map_or_else(|| "none".to_owned(), |code| code.to_string()));
        for (name, text) in [("stdout", &self.stdout), ("stderr", &self.stderr)] {
            if !text.is_empty() {
                let _ = write!(told, "--- {name}\n{}\n", text.trim_end());
            }
        }
        if !self.files.is_empty() {
            let _ = writeln!(told, "--- files\n{}", self.files.join("\n"));
        }
        told
    }
}

fn input(name: &str) -> Vec<u8> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/bad_input").join(name);
    std::fs::read(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// Every file and every empty directory below `root`, by name, with what is in it.
fn files(root: &Path) -> BTreeMap<String, Vec<u8>> {
    let (mut found, mut folders) = (BTreeMap::new(), vec![root.to_owned()]);
    while let Some(folder) = folders.pop() {
        let entries: Vec<_> =
            std::fs::read_dir(&folder).expect("lists").map(|entry| entry.expect("an entry")).collect();
        let name = |path: &Path| path.strip_prefix(root).expect("below").display().to_string();
        if entries.is_empty() && folder != root {
            found.insert(format!("{}/", name(&folder)), Vec::new());
        }
        for entry in entries {
            let kind = entry.file_type().expect("a type");
            if kind.is_dir() {
                folders.push(entry.path());
            } else {
                found.insert(name(&entry.path()), std::fs::read(entry.path()).unwrap_or_default());
            }
        }
    }
    found
}

fn compare(before: &BTreeMap<String, Vec<u8>>, after: &BTreeMap<String, Vec<u8>>) -> Vec<String> {
    let mut lines = Vec::new();
    for name in before.keys().filter(|name| !after.contains_key(*name)) {
        lines.push(format!("gone {name}"));
    }
    for (name, bytes) in after {
        match before.get(name) {
            None => lines.push(format!("new {name}")),
            Some(old) if old != bytes => lines.push(format!("changed {name}")),
            Some(_) => {}
        }
    }
    lines
}
