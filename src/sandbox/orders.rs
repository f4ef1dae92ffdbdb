//! The service's database: one long-lived connection, reopened when the file under it is another one.

use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::time::Duration;

use libsql::{Builder, Connection, OpenFlags};
use serde::{Deserialize, Serialize};

use super::pragma::{fold, pragma};
use super::{beside, length};

/// The log is folded into the database when it is longer than this. Folded only when we say so, and always whole: the bundled
/// SQLite can corrupt a database that is checkpointed automatically.
const LONG_LOG: u64 = 16 << 20;

/// How long a request waits for another process that writes; shorter than its clients wait.
const PATIENCE: Duration = Duration::from_millis(400);

/// What SQLite calls its failures: the low byte of its extended codes.
const BUSY: i32 = 5;
const LOCKED: i32 = 6;
const CORRUPT: i32 = 11;
const CONSTRAINT: i32 = 19;
const NOT_A_DATABASE: i32 = 26;

/// An order as a customer places it.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct NewOrder {
    pub(super) seq: i64,
    pub(super) customer: String,
    pub(super) amount: i64,
}

/// An order as it is kept.
#[derive(Debug, Serialize)]
pub(super) struct Order {
    pub(super) id: i64,
    pub(super) seq: i64,
    pub(super) customer: Option<String>,
    pub(super) amount: Option<i64>,
    pub(super) at_ms: Option<i64>,
}

/// What a healthy database says of itself.
#[derive(Debug, Clone, Copy)]
pub(super) struct Health {
    pub(super) orders: i64,
    pub(super) latest_seq: i64,
}

/// Why the database did not do what was asked.
#[derive(Debug, thiserror::Error)]
pub(super) enum OrdersError {
    #[error("the database file cannot be found: {0}")]
    Gone(io::Error),
    #[error("the database file is not ours: {0}")]
    NotOurs(String),
    #[error("the database file was replaced during the write")]
    Replaced,
    #[error("order {0} exists already")]
    Exists(i64),
    #[error("{0}")]
    Failed(#[from] libsql::Error),
}

impl OrdersError {
    /// Whether the file's content, rather than anything around it, is wrong.
    pub(super) fn is_garbage(&self) -> bool {
        matches!(self, Self::NotOurs(_)) || matches!(self.code(), Some(CORRUPT | NOT_A_DATABASE))
    }

    fn code(&self) -> Option<i32> {
        match self {
            Self::Failed(libsql::Error::SqliteFailure(code, _)) => Some(code & 0xff),
            _ => None,
        }
    }
}

/// The file that a connection was opened on, and when others may last have written to it.
#[derive(Clone, Copy, PartialEq, Eq)]
struct Identity {
    file: (u64, u64),
    content: (u64, i64, i64),
}

impl Identity {
    fn of(path: &Path) -> Result<Self, OrdersError> {
        let found = std::fs::metadata(path).map_err(OrdersError::Gone)?;
        Ok(Self { file: (found.dev(), found.ino()), content: (found.len(), found.mtime(), found.mtime_nsec()) })
    }
}

struct Opened {
    connection: Connection,
    identity: Identity,
    fold_at: u64,
}

/// The orders in the database file.
pub(super) struct Orders {
    path: PathBuf,
    opened: Option<Opened>,
}

impl Orders {
    /// Orders in the file at `path`, an absolute path. Nothing is opened yet.
    pub(super) fn at(path: PathBuf) -> Self {
        Self { path, opened: None }
    }

    /// Lets go of the file, so that it can be replaced.
    pub(super) fn release(&mut self) {
        self.opened = None;
    }

    /// Sees that the file can be used, without asking it anything.
    pub(super) async fn open(&mut self) -> Result<(), OrdersError> {
        let opened = self.opened().await.map(|_| ());
        self.heed(opened)
    }

    /// Keeps an order; when this returns, it is on the disk.
    pub(super) async fn add(&mut self, order: &NewOrder, at_ms: i64) -> Result<Order, OrdersError> {
        let added = self.try_add(order, at_ms).await;
        self.heed(added)
    }

    /// The order with this `seq`.
    pub(super) async fn get(&mut self, seq: i64) -> Result<Option<Order>, OrdersError> {
        let got = self.try_get(seq).await;
        self.heed(got)
    }

    /// How many orders there are.
    pub(super) async fn count(&mut self) -> Result<i64, OrdersError> {
        let counted = self.try_count().await;
        self.heed(counted)
    }

    /// Reads the index and the newest order, and takes the write lock for a moment.
    pub(super) async fn health(&mut self) -> Result<Health, OrdersError> {
        let health = self.try_health().await;
        self.heed(health)
    }

    async fn try_add(&mut self, order: &NewOrder, at_ms: i64) -> Result<Order, OrdersError> {
        let opened = self.opened().await?;
        let before = opened.identity.file;
        let sql = "INSERT INTO orders (seq, customer, amount, at_ms) VALUES (?1, ?2, ?3, ?4)";
        let values = (order.seq, order.customer.as_str(), order.amount, at_ms);
        opened.connection.execute(sql, values).await.map_err(|error| match OrdersError::from(error) {
            error if error.code() == Some(CONSTRAINT) => OrdersError::Exists(order.seq),
            error => error,
        })?;
        let id = opened.connection.last_insert_rowid();
        // A commit into a file that has lost its name meanwhile is lost as well: nobody may be told that it holds.
        if Identity::of(&self.path)?.file != before {
            return Err(OrdersError::Replaced);
        }
        self.fold_long_log().await;
        let customer = Some(order.customer.clone());
        Ok(Order { id, seq: order.seq, customer, amount: Some(order.amount), at_ms: Some(at_ms) })
    }

    async fn try_get(&mut self, seq: i64) -> Result<Option<Order>, OrdersError> {
        let opened = self.opened().await?;
        let sql = "SELECT id, seq, customer, amount, at_ms FROM orders WHERE seq = ?1";
        let mut rows = opened.connection.query(sql, [seq]).await?;
        let Some(row) = rows.next().await? else { return Ok(None) };
        Ok(Some(Order {
            id: row.get(0)?,
            seq: row.get(1)?,
            customer: row.get(2)?,
            amount: row.get(3)?,
            at_ms: row.get(4)?,
        }))
    }

    async fn try_count(&mut self) -> Result<i64, OrdersError> {
        let opened = self.opened().await?;
        let mut rows = opened.connection.query("SELECT count(*) FROM orders", ()).await?;
        let row = rows.next().await?.ok_or(libsql::Error::QueryReturnedNoRows)?;
        Ok(row.get(0)?)
    }

    async fn try_health(&mut self) -> Result<Health, OrdersError> {
        let orders = self.try_count().await?;
        let opened = self.opened().await?;
        // The amount is asked for so that the table is read too, not only its index.
        let newest = "SELECT seq, amount FROM orders ORDER BY seq DESC LIMIT 1";
        let latest_seq = match opened.connection.query(newest, ()).await?.next().await? {
            Some(row) => row.get(0)?,
            None => 0,
        };
        opened.connection.execute("BEGIN IMMEDIATE", ()).await?;
        opened.connection.execute("ROLLBACK", ()).await?;
        Ok(Health { orders, latest_seq })
    }

    /// The connection, to the file that has the name now.
    async fn opened(&mut self) -> Result<&Opened, OrdersError> {
        let identity = Identity::of(&self.path);
        if !matches!((&self.opened, &identity), (Some(opened), Ok(now)) if opened.identity == *now) {
            self.opened = None;
        }
        identity?;
        let opened = if let Some(opened) = self.opened.take() {
            opened
        } else {
            let connection = connect(&self.path).await?;
            Opened { connection, identity: Identity::of(&self.path)?, fold_at: LONG_LOG }
        };
        Ok(self.opened.insert(opened))
    }

    /// A connection that met a broken file is not used again: the next request opens the file anew.
    fn heed<T>(&mut self, result: Result<T, OrdersError>) -> Result<T, OrdersError> {
        let harmless = match &result {
            Ok(_) | Err(OrdersError::Exists(_)) => true,
            Err(error) => matches!(error.code(), Some(BUSY | LOCKED | CONSTRAINT)),
        };
        if !harmless || self.opened.as_ref().is_some_and(|opened| !opened.connection.is_autocommit()) {
            self.opened = None;
        }
        result
    }

    /// Folds the log into the database. While a reader is in the way it stays long, and is tried again when it has grown.
    async fn fold_long_log(&mut self) {
        let log = length(&beside(&self.path, "-wal"));
        let Some(opened) = self.opened.as_mut().filter(|opened| log > opened.fold_at) else { return };
        let _ = opened.connection.busy_timeout(Duration::ZERO);
        let folded = fold(&opened.connection).await.unwrap_or(false);
        let _ = opened.connection.busy_timeout(PATIENCE);
        opened.fold_at = if folded { LONG_LOG } else { log + LONG_LOG / 4 };
        if let Ok(identity) = Identity::of(&self.path) {
            opened.identity = identity;
        }
    }
}

/// Opens the file at `path`, which must be a database with orders: never creates, and writes nothing before it has looked.
async fn connect(path: &Path) -> Result<Connection, OrdersError> {
    let found = std::fs::metadata(path).map_err(OrdersError::Gone)?;
    if !found.is_file() {
        return Err(OrdersError::NotOurs("it is not a file".to_owned()));
    }
    // To SQLite an empty file is an empty database, and it would begin to fill it.
    if found.len() == 0 {
        return Err(OrdersError::NotOurs("it is empty".to_owned()));
    }
    let database = Builder::new_local(path).flags(OpenFlags::SQLITE_OPEN_READ_WRITE).build().await?;
    let connection = database.connect()?;
    connection.busy_timeout(PATIENCE)?;
    pragma(&connection, "PRAGMA wal_autocheckpoint = 0").await?;
    pragma(&connection, "PRAGMA synchronous = FULL").await?;
    let mut tables =
        connection.query("SELECT 1 FROM sqlite_schema WHERE type = 'table' AND name = 'orders'", ()).await?;
    if tables.next().await?.is_none() {
        return Err(OrdersError::NotOurs("it has no table `orders`".to_owned()));
    }
    drop(tables);
    pragma(&connection, "PRAGMA journal_mode = WAL").await?;
    Ok(connection)
}
