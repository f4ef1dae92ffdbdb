//! The sandbox as drills meet it: over HTTP, and by what happens to its files.

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use hyper::Method;
use libsql::{Builder, Connection};
use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::sync::oneshot;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use super::caller::{Caller, Service};
use super::*;

mod files;
mod load;
mod release;
mod service;
mod sink;

/// One part of the sandbox, running.
struct Running {
    url: String,
    stop: CancellationToken,
    task: JoinHandle<Result<(), SandboxError>>,
}

impl Running {
    async fn service(options: ServeOptions) -> Self {
        let (stop, (tell, told)) = (CancellationToken::new(), oneshot::channel());
        let task = tokio::spawn(serve(options, stop.clone(), |ready| drop(tell.send(ready))));
        Self::when(told, stop, task).await
    }

    async fn load(options: LoadOptions) -> Self {
        let (stop, (tell, told)) = (CancellationToken::new(), oneshot::channel());
        let task = tokio::spawn(load(options, stop.clone(), |ready| drop(tell.send(ready))));
        Self::when(told, stop, task).await
    }

    async fn sink(options: SinkOptions) -> Self {
        let (stop, (tell, told)) = (CancellationToken::new(), oneshot::channel());
        let task = tokio::spawn(sink(options, stop.clone(), |ready| drop(tell.send(ready))));
        Self::when(told, stop, task).await
    }

    async fn when(
        told: oneshot::Receiver<Ready>,
        stop: CancellationToken,
        task: JoinHandle<Result<(), SandboxError>>,
    ) -> Self {
        let ready = told.await.expect("it starts");
        Self { url: ready.address.map(|address| format!("http://{address}")).unwrap_or_default(), stop, task }
    }

    async fn call(&self, method: Method, path: &str, body: Option<&Value>) -> Result<(u16, Value), String> {
        let service = Service::at(&self.url).expect("an address");
        Caller::new(service, Duration::from_secs(20)).call(method, path, body).await
    }

    async fn get(&self, path: &str) -> (u16, Value) {
        self.call(Method::GET, path, None).await.expect("an answer")
    }

    async fn post(&self, path: &str, body: Value) -> (u16, Value) {
        self.call(Method::POST, path, Some(&body)).await.expect("an answer")
    }

    async fn order(&self, seq: i64) -> (u16, Value) {
        self.post("/orders", json!({"seq": seq, "customer": "ada@example.com", "amount": 4200})).await
    }

    async fn end(self) {
        self.stop.cancel();
        self.task.await.expect("does not panic").expect("ends well");
    }
}

/// A directory with the service's files.
struct Place(TempDir);

impl Place {
    fn new() -> Self {
        Self(tempfile::tempdir().expect("a directory"))
    }

    fn file(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    fn database(&self) -> PathBuf {
        self.file("data/orders.db")
    }

    /// A small service on a free port that all files steer.
    fn options(&self) -> ServeOptions {
        ServeOptions {
            rows: 1_000,
            pid_file: Some(self.file("service.pid")),
            maintenance_file: Some(self.file("maintenance")),
            refuse_file: Some(self.file("refuse")),
            ..ServeOptions::new(([127, 0, 0, 1], 0).into(), self.database())
        }
    }

    /// A backup as another process would take it.
    async fn back_up(&self) -> PathBuf {
        let backup = self.file("backup.db");
        let connection = connect(&self.database()).await;
        connection.execute("VACUUM INTO ?1", [backup.to_str().expect("a name")]).await.expect("backs up");
        backup
    }

    /// A careful restore: the old database and its log away, the new one in their place.
    fn restore(&self, backup: &Path) {
        let fresh = self.file("fresh.db");
        std::fs::copy(backup, &fresh).expect("copies");
        for suffix in ["-wal", "-shm"] {
            let _ = std::fs::remove_file(beside(&self.database(), suffix));
        }
        std::fs::rename(fresh, self.database()).expect("puts it in place");
    }
}

async fn connect(path: &Path) -> Connection {
    Builder::new_local(path).build().await.expect("a database").connect().expect("opens")
}

async fn number(path: &Path, sql: &str) -> i64 {
    let connection = connect(path).await;
    connection.busy_timeout(Duration::from_secs(20)).expect("waits");
    let mut rows = connection.query(sql, ()).await.expect("asks");
    rows.next().await.expect("answers").expect("a row").get(0).expect("a number")
}

/// Waits for what must come; only a service that never gets there takes long.
async fn eventually<F: Future<Output = bool>>(what: &str, mut holds: impl FnMut() -> F) {
    let started = Instant::now();
    while !holds().await {
        assert!(started.elapsed() < Duration::from_secs(60), "never: {what}");
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}
