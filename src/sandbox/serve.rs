//! The service: orders over HTTP, kept in a database file.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;

use hyper::{Method, StatusCode};
use serde_json::json;
use tokio::runtime::Handle;
use tokio::sync::Mutex;
use tokio_util::sync::CancellationToken;

use super::orders::{NewOrder, Orders, OrdersError};
use super::pid_file::PidFile;
use super::release::{Installed, Release, Reload};
use super::seed::seed;
use super::server::{Answer, Call, POLL, Reply, Server};
use super::{Ready, SandboxError, now_ms, placed};

/// How the service runs.
#[derive(Clone, Debug)]
pub struct ServeOptions {
    /// Where it listens; port 0 takes a free one.
    pub listen: SocketAddr,
    /// Its database. Made and filled at the start when it is missing, and never while the service runs.
    pub database: PathBuf,
    /// How many orders a new database has.
    pub rows: u64,
    /// A file that holds its process number while it runs.
    pub pid_file: Option<PathBuf>,
    /// While this file holds `on`, everything but `/health/live` answers 503 and the database is let go.
    pub maintenance_file: Option<PathBuf>,
    /// While this file exists, connections are refused.
    pub refuse_file: Option<PathBuf>,
    /// What `/version` answers, and every answer's `x-version`, without a release.
    pub version: String,
    /// The directory whose `release.toml` says the version and what is wrong with it; mostly a link to one.
    pub release: Option<PathBuf>,
    /// How the service is told to read its release again.
    pub reload: Reload,
}

impl ServeOptions {
    /// A service with 100,000 orders, version 1.0.0, that no file steers.
    pub fn new(listen: SocketAddr, database: impl Into<PathBuf>) -> Self {
        Self {
            listen,
            database: database.into(),
            rows: 100_000,
            pid_file: None,
            maintenance_file: None,
            refuse_file: None,
            version: "1.0.0".to_owned(),
            release: None,
            reload: Reload::default(),
        }
    }
}

/// Runs the service until `stop`; requests on the way are answered first.
///
/// It fails only at the start. Later, whatever happens to its files, it answers with errors and recovers by itself.
pub async fn serve(
    options: ServeOptions,
    stop: CancellationToken,
    ready: impl FnOnce(Ready) + Send,
) -> Result<(), SandboxError> {
    let server = Server::bind(options.listen).await?;
    let database = placed(&options.database)?;
    seed(&database, options.rows).await?;
    let mut orders = Orders::at(database.clone());
    orders.open().await.map_err(|error| refusal(database.clone(), error))?;
    let pid_file = options.pid_file.as_deref().map(PidFile::write).transpose()?;

    let service = Service {
        orders: Arc::new(Mutex::new(orders)),
        maintenance_file: options.maintenance_file,
        installed: Arc::new(Installed::at(options.release, options.version)),
    };
    let address = server.address();
    let message = format!("the sandbox's service listens on http://{address} over {}", database.display());
    ready(Ready { address: Some(address), message });
    let handler = {
        let service = service.clone();
        move |call| service.clone().answer(call)
    };
    let watch = service.let_go_in_maintenance(&stop);
    let releases = service.take_releases(&options.reload, &stop);
    tokio::join!(server.run(options.refuse_file, stop.clone(), handler), watch, releases);
    service.orders.lock().await.release();
    drop(pid_file);
    Ok(())
}

/// A start with a file that is not ours must not touch it; other failures are told as they are.
fn refusal(path: PathBuf, error: OrdersError) -> SandboxError {
    match error {
        error if error.is_garbage() => SandboxError::NotADatabase { path, problem: error.to_string() },
        OrdersError::Failed(source) => SandboxError::Database { doing: "open the database", path, source },
        error => SandboxError::NotADatabase { path, problem: error.to_string() },
    }
}

#[derive(Clone)]
struct Service {
    orders: Arc<Mutex<Orders>>,
    maintenance_file: Option<PathBuf>,
    installed: Arc<Installed>,
}

impl Service {
    async fn answer(self, call: Call) -> Reply {
        let release = match self.installed.release() {
            Ok(release) => release,
            Err(why) if call.path != "/health/live" => {
                return Answer::error(StatusCode::SERVICE_UNAVAILABLE, &why).into();
            }
            Err(_) => return Answer(StatusCode::OK, json!({"status": "ok"})).into(),
        };
        Reply { version: Some(release.version.clone()), answer: self.answer_as(release, call).await }
    }

    async fn answer_as(self, release: Arc<Release>, call: Call) -> Answer {
        if call.path == "/health/live" {
            return Answer(StatusCode::OK, json!({"status": "ok"}));
        }
        let status = release.status.filter(|_| call.path != "/version");
        if let Some(status) = status.and_then(|status| StatusCode::from_u16(status).ok()) {
            let error = format!("release {} answers {}", release.version, status.as_u16());
            return Answer::error(status, &error);
        }
        if call.path.starts_with("/orders")
            && let Some(error) = self.installed.hamper(&release).await
        {
            return Answer::error(StatusCode::INTERNAL_SERVER_ERROR, &error);
        }
        // One request at a time is at the database, in the order of arrival. SQLite blocks: that is for a thread of its own.
        let mut orders = self.orders.clone().lock_owned().await;
        let route = move || {
            Handle::current().block_on(async {
                if self.in_maintenance() {
                    orders.release();
                    return Answer(StatusCode::SERVICE_UNAVAILABLE, json!({"status": "maintenance"}));
                }
                self.route(&mut orders, &call, &release.version).await.unwrap_or_else(|error| match error {
                    OrdersError::Exists(_) => Answer::error(StatusCode::CONFLICT, &error),
                    error => Answer::error(StatusCode::INTERNAL_SERVER_ERROR, &error),
                })
            })
        };
        let lost = |error| Answer::error(StatusCode::INTERNAL_SERVER_ERROR, &error);
        tokio::task::spawn_blocking(route).await.unwrap_or_else(lost)
    }

    async fn route(&self, orders: &mut Orders, call: &Call, version: &str) -> Result<Answer, OrdersError> {
        Ok(match (&call.method, call.path.as_str()) {
            (&Method::GET, "/health") => {
                let health = orders.health().await?;
                let (orders, latest_seq) = (health.orders, health.latest_seq);
                let body = json!({"status": "ok", "version": version, "orders": orders, "latest_seq": latest_seq});
                Answer(StatusCode::OK, body)
            }
            (&Method::GET, "/version") => Answer(StatusCode::OK, json!({"version": version})),
            (&Method::GET, "/orders/count") => Answer(StatusCode::OK, json!({"count": orders.count().await?})),
            (&Method::POST, "/orders") => match serde_json::from_slice::<NewOrder>(&call.body) {
                Ok(order) => {
                    let kept = orders.add(&order, now_ms()).await?;
                    Answer(StatusCode::CREATED, json!({"id": kept.id, "seq": kept.seq, "at_ms": kept.at_ms}))
                }
                Err(error) => Answer::error(StatusCode::BAD_REQUEST, &format!("this is not an order: {error}")),
            },
            (&Method::GET, path) => match path.strip_prefix("/orders/").and_then(|seq| seq.parse().ok()) {
                Some(seq) => match orders.get(seq).await? {
                    Some(order) => Answer(StatusCode::OK, json!(order)),
                    None => Answer::error(StatusCode::NOT_FOUND, &format!("there is no order {seq}")),
                },
                None => Answer::unknown(call),
            },
            _ => Answer::unknown(call),
        })
    }

    fn in_maintenance(&self) -> bool {
        let file = self.maintenance_file.as_deref();
        file.is_some_and(|file| std::fs::read_to_string(file).is_ok_and(|text| text.trim() == "on"))
    }

    /// Reads the release again whenever that is asked for.
    async fn take_releases(&self, reload: &Reload, stop: &CancellationToken) {
        while stop.run_until_cancelled(reload.requested()).await.is_some() {
            self.installed.read_again();
        }
    }

    /// In maintenance the database may be replaced: nobody's log, lock or open file may be in the way, even if no request comes.
    async fn let_go_in_maintenance(&self, stop: &CancellationToken) {
        if self.maintenance_file.is_none() {
            return;
        }
        let mut poll = tokio::time::interval(POLL);
        while stop.run_until_cancelled(poll.tick()).await.is_some() {
            if self.in_maintenance() {
                self.orders.lock().await.release();
            }
        }
    }
}
