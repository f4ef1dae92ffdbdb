//! A project in a directory of its own, with a target of every kind, all of them real.
//!
//! Its service answers on a loopback port, its database is a SQLite file, its store a directory, its channel a file.

use std::fs;
use std::io::{Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use lifeboat::runtime::{Builder, Lifeboat};

/// A project. Its directory goes when it is dropped.
pub(crate) struct Project {
    dir: tempfile::TempDir,
    /// The service behind the target `web`.
    pub(crate) web: Web,
}

impl Project {
    /// A project whose environment `test` has the usual targets; `keys` are more keys of the environment, `tables` more tables.
    pub(crate) fn configured(keys: &str, tables: &str) -> Self {
        let dir = tempfile::tempdir().expect("a directory");
        let web = Web::start();
        let config = format!(
            r#"default = "test"

[environments.test]
{keys}

[environments.test.services.web]
driver = "http"
url = "http://{}/health"
timeout = "5s"
maintenance_file = "maintenance"

[environments.test.databases.primary]
driver = "sqlite"
path = "primary.db"
store = "backups"

[environments.test.stores.backups]
driver = "directory"
path = "backups"

[environments.test.channels.incidents]
driver = "file"
path = "incidents.jsonl"

{tables}
"#,
            web.address
        );
        let project = Self { dir, web };
        project.write("lifeboat.toml", &config);
        project
    }

    /// The file or directory `name` of the project.
    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    /// Writes a file of the project.
    pub(crate) fn write(&self, name: &str, text: &str) -> PathBuf {
        let path = self.path(name);
        fs::create_dir_all(path.parent().expect("it lies in the project")).expect("a directory");
        fs::write(&path, text).expect("a file of the project");
        path
    }

    /// What a file of the project holds; nothing when it is not there.
    pub(crate) fn read(&self, name: &str) -> String {
        fs::read_to_string(self.path(name)).unwrap_or_default()
    }

    /// Makes the database `primary`, with so many orders.
    pub(crate) fn database(&self, orders: u32) {
        let path = self.path("primary.db");
        sql(&path, "PRAGMA journal_mode = WAL; CREATE TABLE orders (id INTEGER PRIMARY KEY, note TEXT)");
        let rows = format!(
            "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < {orders})
             INSERT INTO orders SELECT i, hex(randomblob(20)) FROM n"
        );
        sql(&path, &rows);
    }

    /// What an embedding host starts from.
    pub(crate) fn builder(&self) -> Builder {
        Lifeboat::builder(self.path("lifeboat.toml"))
    }
}

/// Changes a database behind Lifeboat's back.
pub(crate) fn sql(path: &Path, statements: &str) {
    on_libsql(path, async |connection| {
        connection.execute_batch(statements).await.expect("the statements are right");
    });
}

pub(crate) fn on_libsql<T>(path: &Path, work: impl AsyncFnOnce(libsql::Connection) -> T) -> T {
    let runtime = tokio::runtime::Builder::new_current_thread().build().expect("a runtime");
    runtime.block_on(async {
        let database = libsql::Builder::new_local(path).build().await.expect("a database");
        work(database.connect().expect("it opens")).await
    })
}

/// A tiny HTTP service on a loopback port: 200 while it is healthy, else 503.
pub(crate) struct Web {
    address: std::net::SocketAddr,
    state: Arc<WebState>,
}

#[derive(Default)]
struct WebState {
    unhealthy: AtomicBool,
    requests: AtomicUsize,
    stopped: AtomicBool,
}

impl Web {
    fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
        let address = listener.local_addr().expect("its address");
        let state = Arc::new(WebState::default());
        let shared = state.clone();
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                if shared.stopped.load(Ordering::SeqCst) {
                    return;
                }
                shared.answer(stream);
            }
        });
        Self { address, state }
    }

    /// From now on it answers 503.
    pub(crate) fn fall_ill(&self) {
        self.state.unhealthy.store(true, Ordering::SeqCst);
    }

    /// How many requests it has answered.
    pub(crate) fn requests(&self) -> usize {
        self.state.requests.load(Ordering::SeqCst)
    }
}

impl Drop for Web {
    fn drop(&mut self) {
        self.state.stopped.store(true, Ordering::SeqCst);
        // Wakes the listener, which then ends.
        let _ = TcpStream::connect(self.address);
    }
}

impl WebState {
    fn answer(&self, mut stream: TcpStream) {
        let mut request = Vec::new();
        let mut chunk = [0; 1024];
        while !request.windows(4).any(|four| four == b"\r\n\r\n") {
            match stream.read(&mut chunk) {
                Ok(read @ 1..) => request.extend_from_slice(&chunk[..read]),
                _ => return,
            }
        }
        self.requests.fetch_add(1, Ordering::SeqCst);
        let status = if self.unhealthy.load(Ordering::SeqCst) { "503 Ill" } else { "200 OK" };
        let _ = write!(stream, "HTTP/1.1 {status}\r\nContent-Length: 2\r\nConnection: close\r\n\r\nok");
    }
}
