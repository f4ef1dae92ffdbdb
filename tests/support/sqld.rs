//! A real libSQL server, on a free port of this machine.
#![expect(
    clippy::disallowed_methods,
    clippy::print_stdout,
    reason = "a test starts a server, and says where there is none"
)]

use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

/// The server; it ends with this.
pub(crate) struct Sqld {
    child: Child,
    port: u16,
    _directory: tempfile::TempDir,
}

impl Sqld {
    /// Starts one, where its program is; `None` where it is not, which only somebody at a desk may overlook.
    pub(crate) fn start() -> Option<Self> {
        let Some(program) = program() else {
            assert_ne!(std::env::var("CI").as_deref(), Ok("true"), "sqld is needed to test shared journals");
            println!("left out: there is no sqld here; scripts/test fetches it");
            return None;
        };
        let directory = tempfile::tempdir().expect("a directory");
        let port = TcpListener::bind("127.0.0.1:0").and_then(|free| free.local_addr()).expect("a port").port();
        let child = Command::new(program)
            .args(["--no-welcome", "--http-listen-addr", &format!("127.0.0.1:{port}"), "-d"])
            .arg(directory.path())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .expect("sqld starts");
        let server = Self { child, port, _directory: directory };
        let began = Instant::now();
        while TcpStream::connect(("127.0.0.1", port)).is_err() {
            assert!(began.elapsed() < Duration::from_secs(20), "sqld does not listen");
            std::thread::sleep(Duration::from_millis(5));
        }
        Some(server)
    }

    /// The port on which it listens.
    pub(crate) fn port(&self) -> u16 {
        self.port
    }
}

impl Drop for Sqld {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn program() -> Option<PathBuf> {
    let fetched = Path::new(env!("CARGO_MANIFEST_DIR")).join("target/tools/sqld");
    let named = std::env::var_os("LIFEBOAT_SQLD").map(PathBuf::from);
    named.into_iter().chain([fetched]).find(|path| path.is_file())
}
