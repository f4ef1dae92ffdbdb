//! The project that ships, in a directory and on ports of its own, and the real program in it.

use std::fs;
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicU16, Ordering};

/// The project that ships. Its directory goes when it is dropped.
pub(crate) struct Sandbox {
    dir: tempfile::TempDir,
    /// Where the service listens, once it is started.
    pub(crate) web: u16,
}

/// What the program said, and how it ended.
#[derive(Debug)]
pub(crate) struct Said {
    /// The exit code; `None` when a signal ended it.
    pub(crate) code: Option<i32>,
    pub(crate) out: String,
    pub(crate) err: String,
}

impl Said {
    /// The end of what it said, for a test that fails.
    pub(crate) fn tail(&self) -> String {
        let last = |text: &str| {
            text.lines().rev().take(4).collect::<Vec<_>>().into_iter().rev().collect::<Vec<_>>().join("\n")
        };
        format!("exit {:?}\n{}\n{}", self.code, last(&self.err), last(&self.out))
    }
}

impl Sandbox {
    /// A copy of the project that ships; the runbooks of the tests lie in `runbooks/tests`.
    pub(crate) fn new() -> Self {
        let source = Path::new(env!("CARGO_MANIFEST_DIR"));
        let sandbox = Self { dir: tempfile::tempdir().expect("a directory"), web: free_port() };
        let mut config = fs::read_to_string(source.join("lifeboat.toml")).expect("the project that ships");
        for (port, free) in [("27610", sandbox.web), ("27611", free_port())] {
            assert!(config.contains(port), "the sandbox listens on {port}");
            config = config.replace(port, &free.to_string());
        }
        fs::write(sandbox.path("lifeboat.toml"), config).expect("a configuration");
        copy(&source.join("runbooks"), &sandbox.path("runbooks"));
        copy(&source.join("tests/runbooks"), &sandbox.path("runbooks/tests"));
        sandbox
    }

    /// A file or directory of the project.
    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    /// What a file of the project holds, without white space around it; nothing when it is not there.
    pub(crate) fn read(&self, name: &str) -> String {
        fs::read_to_string(self.path(name)).unwrap_or_default().trim().to_owned()
    }

    /// The program, about to be started in the project's directory, by nobody at a terminal.
    pub(crate) fn command(&self, program: &str) -> Command {
        let mut command = Command::new(program);
        command.current_dir(self.dir.path()).stdin(Stdio::null()).env_remove("NO_COLOR");
        command
    }

    /// Runs the program to its end.
    pub(crate) fn lifeboat(&self, arguments: &[&str]) -> Said {
        let output = self.command(PROGRAM).args(arguments).output().expect("it starts");
        let text = |bytes: Vec<u8>| String::from_utf8(bytes).expect("it writes text");
        Said { code: output.status.code(), out: text(output.stdout), err: text(output.stderr) }
    }
}

/// The program.
pub(crate) const PROGRAM: &str = env!("CARGO_BIN_EXE_lifeboat");

fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).expect("a directory");
    for entry in fs::read_dir(from).expect("a directory that ships").flatten() {
        let target = to.join(entry.file_name());
        if entry.path().is_dir() {
            copy(&entry.path(), &target);
        } else {
            fs::copy(entry.path(), target).expect("a file that ships");
        }
    }
}

/// A port that nobody listens on. Below those that the system gives to outgoing connections, and another block for each process
/// of the tests, so that two that run at the same time do not take the same. None that a project which ships names.
fn free_port() -> u16 {
    static NEXT: AtomicU16 = AtomicU16::new(0);
    let block = 20_000 + u16::try_from(std::process::id() % 380).expect("small") * 20;
    let port = || block + NEXT.fetch_add(1, Ordering::SeqCst) % 20;
    let free = |port: &u16| TcpListener::bind(("127.0.0.1", *port)).is_ok();
    std::iter::repeat_with(port).take(20).find(free).expect("one of twenty is free")
}
