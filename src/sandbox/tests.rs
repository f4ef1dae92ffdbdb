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

#[tokio::test]
async fn a_new_service_has_its_rows_and_keeps_what_it_acknowledges() {
    let place = Place::new();
    let service = Running::service(place.options()).await;
    assert_eq!(service.get("/health").await, (200, json!({"status": "ok", "orders": 1_000, "latest_seq": 0})));
    assert_eq!(service.get("/version").await, (200, json!({"version": "1.0.0"})));

    let (status, placed) = service.order(1).await;
    assert_eq!((status, &placed["seq"], &placed["id"]), (201, &json!(1), &json!(1_001)));
    let kept = json!({"id": 1_001, "seq": 1, "customer": "ada@example.com", "amount": 4200, "at_ms": placed["at_ms"]});
    assert_eq!(service.get("/orders/1").await, (200, kept));
    assert_eq!(service.get("/orders/count").await, (200, json!({"count": 1_001})));
    assert_eq!(service.get("/health").await.1["latest_seq"], 1);
    // Another process sees it too.
    assert_eq!(number(&place.database(), "SELECT amount FROM orders WHERE seq = 1").await, 4200);
    service.end().await;
}

#[tokio::test]
async fn what_makes_no_sense_is_refused_and_changes_nothing() {
    let place = Place::new();
    let service = Running::service(place.options()).await;
    assert_eq!(service.order(1).await.0, 201);
    assert_eq!(service.order(1).await, (409, json!({"status": "error", "error": "order 1 exists already"})));
    assert_eq!(service.post("/orders", json!({"seq": "two"})).await.0, 400);
    assert_eq!(service.get("/orders/2").await.0, 404);
    assert_eq!(service.get("/orders/two").await.0, 404);
    assert_eq!(service.post("/health", json!({})).await.0, 404);
    assert_eq!(service.get("/orders/count").await.1["count"], 1_001);
    service.end().await;
}

#[tokio::test]
async fn its_process_number_is_there_while_it_runs_and_its_orders_after_a_restart() {
    let place = Place::new();
    let service = Running::service(place.options()).await;
    let number = std::fs::read_to_string(place.file("service.pid")).expect("is there");
    assert_eq!(number.trim(), std::process::id().to_string());
    service.order(1).await;
    service.end().await;
    assert!(!place.file("service.pid").exists());

    let service = Running::service(place.options()).await;
    assert_eq!(service.get("/health").await.1, json!({"status": "ok", "orders": 1_001, "latest_seq": 1}));
    service.end().await;
}

#[tokio::test]
async fn a_destroyed_database_fails_requests_until_a_good_file_is_there_again() {
    let place = Place::new();
    let service = Running::service(place.options()).await;
    service.order(1).await;
    let backup = place.back_up().await;
    service.order(2).await;

    for suffix in ["", "-wal", "-shm"] {
        std::fs::remove_file(beside(&place.database(), suffix)).expect("destroys");
    }
    let (status, said) = service.get("/health").await;
    assert_eq!((status, &said["status"]), (500, &json!("error")));
    assert!(said["error"].as_str().expect("a reason").contains("cannot be found"), "{said}");
    assert_eq!(service.order(3).await.0, 500);
    assert_eq!(service.get("/orders/1").await.0, 500);
    assert_eq!(service.get("/health/live").await.0, 200);
    assert!(!place.database().exists(), "the service must not make a new one");

    place.restore(&backup);
    assert_eq!(service.get("/health").await.1, json!({"status": "ok", "orders": 1_001, "latest_seq": 1}));
    assert_eq!(service.get("/orders/2").await.0, 404);
    assert_eq!(service.order(4).await.0, 201);
    assert_eq!(number(&place.database(), "SELECT count(*) FROM orders").await, 1_002);
    service.end().await;
}

#[tokio::test]
async fn a_database_corrupted_in_place_fails_requests_until_it_is_replaced() {
    let place = Place::new();
    let service = Running::service(place.options()).await;
    service.order(1).await;
    let backup = place.back_up().await;

    for suffix in ["", "-wal"] {
        let file = beside(&place.database(), suffix);
        let noise: Vec<u8> = (0..length(&file)).map(|i| (i * 31 % 251) as u8).collect();
        std::fs::write(file, noise).expect("corrupts");
    }
    assert_eq!(service.get("/health").await.0, 500);
    assert_eq!(service.order(2).await.0, 500);
    assert_eq!(service.get("/orders/1").await.0, 500);

    place.restore(&backup);
    assert_eq!(service.get("/health").await.1, json!({"status": "ok", "orders": 1_001, "latest_seq": 1}));
    assert_eq!(service.order(2).await.0, 201);
    service.end().await;
}

#[tokio::test]
async fn an_emptied_file_is_not_taken_for_a_new_database() {
    let place = Place::new();
    let service = Running::service(place.options()).await;
    let backup = place.back_up().await;
    std::fs::write(place.database(), "").expect("empties");
    assert_eq!(service.get("/health").await.0, 500);
    assert_eq!(service.order(1).await.0, 500);
    assert_eq!(length(&place.database()), 0);
    place.restore(&backup);
    assert_eq!(service.order(1).await.0, 201);
    service.end().await;
}

#[tokio::test]
async fn health_fails_while_nothing_can_be_written() {
    let place = Place::new();
    let service = Running::service(place.options()).await;
    let other = connect(&place.database()).await;
    other.execute("BEGIN IMMEDIATE", ()).await.expect("locks");
    assert_eq!(service.get("/health").await.0, 500);
    assert_eq!(service.get("/orders/0").await.0, 200);
    other.execute("ROLLBACK", ()).await.expect("unlocks");
    assert_eq!(service.get("/health").await.0, 200);
    service.end().await;
}

#[tokio::test]
async fn in_maintenance_it_answers_503_and_lets_go_of_its_database() {
    let place = Place::new();
    let service = Running::service(place.options()).await;
    service.order(1).await;
    let backup = place.back_up().await;
    service.order(2).await;

    std::fs::write(place.file("maintenance"), "on\n").expect("turns it on");
    eventually("the log is folded without any request", async || !beside(&place.database(), "-wal").exists()).await;
    for path in ["/health", "/orders/1", "/orders/count", "/version"] {
        assert_eq!(service.get(path).await, (503, json!({"status": "maintenance"})), "{path}");
    }
    assert_eq!(service.order(3).await.0, 503);
    assert_eq!(service.get("/health/live").await.0, 200);
    // So even a plain copy over the file is a safe restore.
    std::fs::copy(&backup, place.database()).expect("copies");

    std::fs::write(place.file("maintenance"), "off\n").expect("turns it off");
    assert_eq!(service.get("/health").await.1, json!({"status": "ok", "orders": 1_001, "latest_seq": 1}));
    service.end().await;
}

#[tokio::test]
async fn while_the_refuse_file_exists_connections_are_refused_and_hung_up() {
    let place = Place::new();
    let service = Running::service(place.options()).await;
    let mut kept = Caller::new(Service::at(&service.url).expect("an address"), Duration::from_secs(20));
    kept.call(Method::GET, "/health", None).await.expect("an answer");

    std::fs::write(place.file("refuse"), "").expect("refuses");
    let refused = async || service.call(Method::GET, "/health", None).await == Err("connection refused".to_owned());
    eventually("connections are refused", refused).await;
    kept.call(Method::GET, "/health", None).await.expect_err("is hung up");

    std::fs::remove_file(place.file("refuse")).expect("lets in");
    eventually("it answers at the same address", async || service.call(Method::GET, "/health", None).await.is_ok())
        .await;
    service.end().await;
}

#[tokio::test]
async fn the_log_is_folded_when_it_is_long() {
    let place = Place::new();
    let service = Running::service(place.options()).await;
    let customer = "x".repeat(1_000_000);
    let mut longest = 0;
    let log = beside(&place.database(), "-wal");
    for seq in 1..=20 {
        let (status, _) = service.post("/orders", json!({"seq": seq, "customer": customer, "amount": 1})).await;
        assert_eq!(status, 201);
        longest = longest.max(length(&log));
    }
    assert!(longest > 10 << 20 && longest <= 16 << 20, "{longest}");
    assert!(length(&log) < longest);
    assert_eq!(service.get("/health").await.1["latest_seq"], 20);
    service.end().await;
}

#[tokio::test]
async fn a_taken_port_is_named() {
    let place = Place::new();
    let taken = std::net::TcpListener::bind("127.0.0.1:0").expect("binds");
    let address = taken.local_addr().expect("an address");
    let options = ServeOptions { listen: address, ..place.options() };
    let error = serve(options, CancellationToken::new(), drop).await.expect_err("cannot start");
    assert_eq!(error.to_string(), format!("{address} is taken: another process listens there"));
    let help = miette::Diagnostic::help(&error).expect("help").to_string();
    assert!(help.contains(&format!("sport = :{}", address.port())), "{help}");
    assert!(!place.database().exists() && !place.file("service.pid").exists());
}

#[tokio::test]
async fn what_is_not_its_database_is_neither_served_nor_written_to() {
    let place = Place::new();
    std::fs::create_dir_all(place.file("data")).expect("a directory");
    for content in ["these are my notes, and they are longer than the header of a database is, by a little", ""] {
        std::fs::write(place.database(), content).expect("writes");
        let error = serve(place.options(), CancellationToken::new(), drop).await.expect_err("cannot start");
        assert!(matches!(error, SandboxError::NotADatabase { .. }), "{error:?}");
        assert_eq!(std::fs::read_to_string(place.database()).expect("reads"), content);
    }
    std::fs::remove_file(place.database()).expect("removes");
    let other = connect(&place.database()).await;
    other.execute("CREATE TABLE notes (text)", ()).await.expect("creates");
    drop(other);
    let error = serve(place.options(), CancellationToken::new(), drop).await.expect_err("cannot start");
    assert!(error.to_string().contains("no table `orders`"), "{error}");
    assert_eq!(number(&place.database(), "SELECT count(*) FROM sqlite_schema").await, 1);
}

#[tokio::test]
async fn a_healthy_service_has_every_order_of_the_ledger_and_the_load_goes_on_where_it_was() {
    let place = Place::new();
    let service = Running::service(place.options()).await;
    let ledger = place.file("evidence/ledger.db");
    let options = LoadOptions { rate: 250, ..LoadOptions::new(&service.url, &ledger) };
    let first = Running::load(options.clone()).await;
    // Read while it is written, as a drill does.
    let entries = async || number(&ledger, "SELECT count(*) FROM acknowledged").await;
    eventually("the ledger fills", async || entries().await >= 300).await;
    let latest = number(&ledger, "SELECT max(seq) FROM acknowledged").await;
    assert!(latest <= number(&place.database(), "SELECT max(seq) FROM orders").await);
    first.end().await;

    let connection = connect(&ledger).await;
    let attach = format!("ATTACH '{}' AS service", place.database().display());
    connection.execute(&attach, ()).await.expect("attaches");
    let sql = "SELECT (SELECT count(*) FROM acknowledged), (SELECT max(seq) FROM acknowledged),
        (SELECT count(*) FROM acknowledged a JOIN service.orders o ON o.seq = a.seq AND o.amount = a.amount AND o.at_ms <= a.at_ms),
        (SELECT count(*) FROM failures), (SELECT ok FROM totals WHERE kind = 'write'),
        (SELECT ok FROM totals WHERE kind = 'read') > 0";
    let row = connection.query(sql, ()).await.expect("asks").next().await.expect("answers").expect("a row");
    let all: Vec<i64> = (0..6).map(|i| row.get(i).expect("a number")).collect();
    let count = all[0];
    assert_eq!(all, [count, count, count, 0, count, 1]);

    let second = Running::load(options).await;
    eventually("it goes on", async || entries().await > count).await;
    second.end().await;
    assert_eq!(entries().await, number(&ledger, "SELECT max(seq) FROM acknowledged").await);
    service.end().await;
}

#[tokio::test]
async fn an_outage_is_in_the_ledger_and_its_orders_are_not_sent_again() {
    let place = Place::new();
    let service = Running::service(place.options()).await;
    let ledger = place.file("ledger.db");
    let load = Running::load(LoadOptions { rate: 250, ..LoadOptions::new(&service.url, &ledger) }).await;
    let written = "SELECT count(*) FROM acknowledged";
    eventually("orders are acknowledged", async || number(&ledger, written).await > 20).await;

    std::fs::write(place.file("maintenance"), "on").expect("turns it on");
    for kind in ["write", "read"] {
        let failed =
            format!("SELECT count(*) FROM failures WHERE kind = '{kind}' AND detail = 'HTTP 503: maintenance'");
        eventually("failures are noted", async || number(&ledger, &failed).await > 5).await;
    }
    std::fs::remove_file(place.file("maintenance")).expect("turns it off");
    let before = number(&ledger, written).await;
    eventually("it goes on", async || number(&ledger, written).await > before + 20).await;
    load.end().await;

    let failed = number(&ledger, "SELECT failed FROM totals WHERE kind = 'write'").await;
    assert_eq!(failed, number(&ledger, "SELECT count(*) FROM failures WHERE kind = 'write'").await);
    let unsent = "SELECT (SELECT max(seq) FROM acknowledged) - (SELECT count(*) FROM acknowledged)";
    assert_eq!(number(&ledger, unsent).await, failed);
    service.end().await;
}

#[tokio::test]
async fn a_load_that_was_killed_does_not_use_its_last_seq_again() {
    let place = Place::new();
    let path = place.file("ledger.db");
    let mut ledger = ledger::Ledger::open(&path).await.expect("opens");
    ledger.attempt(1).await.expect("notes");
    ledger.acknowledge(1, 100).await.expect("notes");
    ledger.attempt(2).await.expect("notes");
    drop(ledger);
    let ledger = ledger::Ledger::open(&path).await.expect("opens");
    assert_eq!(ledger.latest().await.expect("knows"), (2, 1));
}

#[tokio::test]
async fn a_load_that_cannot_start_says_why() {
    let place = Place::new();
    let start = async |options: LoadOptions| load(options, CancellationToken::new(), drop).await.expect_err("refuses");
    let wrong = start(LoadOptions::new("localhost:80", place.file("ledger.db"))).await;
    assert_eq!(wrong.to_string(), "`localhost:80` is not an address of a service");
    let wrong = start(LoadOptions { rate: 0, ..LoadOptions::new("http://127.0.0.1", place.file("ledger.db")) }).await;
    assert_eq!(wrong.to_string(), "the load cannot send 0 requests per second");
    assert!(!place.file("ledger.db").exists());

    let service = Running::service(place.options()).await;
    let wrong = start(LoadOptions::new(&service.url, place.database())).await;
    assert!(wrong.to_string().contains("it has a table `orders`"), "{wrong}");
    service.end().await;
    std::fs::write(place.file("notes"), "these are my notes. ".repeat(100)).expect("writes");
    let wrong = start(LoadOptions::new("http://127.0.0.1", place.file("notes"))).await;
    assert!(matches!(wrong, SandboxError::NotALedger { .. }), "{wrong:?}");
}

#[tokio::test]
async fn the_sink_keeps_each_message_and_counts_those_of_an_earlier_one() {
    let place = Place::new();
    let log = place.file("hooks/messages.jsonl");
    let options = SinkOptions { listen: ([127, 0, 0, 1], 0).into(), log: log.clone() };
    let sink = Running::sink(options.clone()).await;
    let answered = send_text(&sink.url).await;
    assert_eq!(answered, json!({"ok": true}));
    assert_eq!(sink.post("/incidents", json!({"text": "restored"})).await, (200, json!({"ok": true})));
    assert_eq!(sink.get("/").await, (200, json!({"received": 2})));
    assert_eq!(sink.get("/else").await.0, 404);
    sink.end().await;

    let text = std::fs::read_to_string(&log).expect("reads");
    let mut lines: Vec<Value> = text.lines().map(|line| serde_json::from_str(line).expect("JSON")).collect();
    for line in &mut lines {
        let at = line["at"].take();
        at.as_str().expect("a time").parse::<jiff::Timestamp>().expect("RFC 3339");
    }
    let headers = json!({"content-type": "text/plain", "idempotency-key": "run-1:3"});
    assert_eq!(lines[0], json!({"at": null, "path": "/text", "headers": headers, "body": "not JSON"}));
    let headers = json!({"content-type": "application/json"});
    assert_eq!(lines[1], json!({"at": null, "path": "/incidents", "headers": headers, "body": {"text": "restored"}}));

    // One that was killed in the middle of a line.
    std::fs::write(&log, format!("{text}{{\"at\":")).expect("writes");
    let sink = Running::sink(options).await;
    assert_eq!(sink.get("/").await.1["received"], 3);
    sink.post("/incidents", json!({})).await;
    sink.end().await;
    let text = std::fs::read_to_string(&log).expect("reads");
    assert_eq!(text.lines().count(), 4);
    serde_json::from_str::<Value>(text.lines().last().expect("a line")).expect("is whole");
}

/// Sends what [`Caller`] cannot: other headers, and a body that is not JSON.
async fn send_text(url: &str) -> Value {
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    let address = url.strip_prefix("http://").expect("an address");
    let mut stream = tokio::net::TcpStream::connect(address).await.expect("connects");
    let request = "POST /text HTTP/1.1\r\nhost: sink\r\ncontent-type: text/plain\r\nidempotency-key: run-1:3\r\n\
        authorization: Bearer secret\r\ncontent-length: 8\r\nconnection: close\r\n\r\nnot JSON";
    stream.write_all(request.as_bytes()).await.expect("sends");
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.expect("receives");
    serde_json::from_str(answer.split("\r\n\r\n").nth(1).expect("a body")).expect("JSON")
}
