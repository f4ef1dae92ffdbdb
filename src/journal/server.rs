//! A real libSQL server for tests, on a free port of this machine.

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::time::{Duration, Instant};

use super::{LibsqlJournal, Transport};

/// The server; it ends with this.
pub(crate) struct Server {
    child: Child,
    port: u16,
    _directory: tempfile::TempDir,
}

impl Server {
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

    /// Its journal, opened once more.
    pub(crate) fn journal(&self) -> LibsqlJournal {
        LibsqlJournal::remote(&self.url(), Arc::new(Plain)).expect("it opens")
    }

    /// Its address.
    pub(crate) fn url(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }
}

impl Drop for Server {
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

/// One exchange for each connection, and no TLS.
pub(crate) struct Plain;

impl Transport for Plain {
    fn post(&self, url: &str, body: Vec<u8>) -> Result<(u16, Vec<u8>), String> {
        let (host, path) = url.trim_start_matches("http://").split_once('/').ok_or("no path")?;
        let exchange = || -> std::io::Result<Vec<u8>> {
            let mut stream = TcpStream::connect(host)?;
            let (length, kind) = (body.len(), "application/json");
            write!(
                stream,
                "POST /{path} HTTP/1.0\r\nHost: {host}\r\nContent-Type: {kind}\r\nContent-Length: {length}\r\n\r\n"
            )?;
            stream.write_all(&body)?;
            let mut answer = Vec::new();
            stream.read_to_end(&mut answer)?;
            Ok(answer)
        };
        let answer = exchange().map_err(|error| error.to_string())?;
        let end = answer.windows(4).position(|bytes| bytes == b"\r\n\r\n").ok_or("no end of the headers")?;
        let status = String::from_utf8_lossy(&answer[..end]).split(' ').nth(1).and_then(|code| code.parse().ok());
        Ok((status.ok_or("no status")?, answer[end + 4..].to_vec()))
    }
}
