//! The load's ledger: what the service has acknowledged. Other processes may read it at any time.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::Duration;

use libsql::{Builder, Connection};

use super::pragma::{fold, pragma};
use super::{SandboxError, beside, length, now_ms, placed};

const TABLES: &str = "
    CREATE TABLE IF NOT EXISTS acknowledged (seq INTEGER PRIMARY KEY, amount INTEGER NOT NULL, at_ms INTEGER NOT NULL);
    CREATE TABLE IF NOT EXISTS failures (at_ms INTEGER, kind TEXT, detail TEXT);
    CREATE TABLE IF NOT EXISTS totals (kind TEXT PRIMARY KEY, ok INTEGER, failed INTEGER);
    CREATE TABLE IF NOT EXISTS versions (version TEXT PRIMARY KEY, ok INTEGER NOT NULL, failed INTEGER NOT NULL);
    CREATE TABLE IF NOT EXISTS attempted (only INTEGER PRIMARY KEY CHECK (only = 1), seq INTEGER NOT NULL);
    INSERT INTO totals VALUES ('write', 0, 0), ('read', 0, 0) ON CONFLICT DO NOTHING;
    INSERT INTO attempted VALUES (1, 0) ON CONFLICT DO NOTHING;
    PRAGMA user_version = 1;";

/// See `orders`: the log is folded only when we say so.
const LONG_LOG: u64 = 4 << 20;

const PATIENCE: Duration = Duration::from_secs(2);

/// A write or a read.
#[derive(Clone, Copy, Debug)]
pub(super) enum Kind {
    Write,
    Read,
}

impl Kind {
    fn name(self) -> &'static str {
        match self {
            Self::Write => "write",
            Self::Read => "read",
        }
    }
}

/// The ledger. Reads that succeed are counted in memory and written with the next event, so that they cost nothing.
pub(super) struct Ledger {
    path: PathBuf,
    connection: Connection,
    fold_at: u64,
    reads: i64,
    /// What each version answered since it was last written: well, and with a failure.
    versions: BTreeMap<String, (i64, i64)>,
}

impl Ledger {
    /// Opens the ledger at `path`, made if it is missing.
    pub(super) async fn open(path: &Path) -> Result<Self, SandboxError> {
        let path = placed(path)?;
        let not_ours = |problem: String| SandboxError::NotALedger { path: path.clone(), problem };
        if path.is_dir() {
            return Err(not_ours("it is a directory".to_owned()));
        }
        let opened = async {
            let connection = Builder::new_local(&path).build().await?.connect()?;
            connection.busy_timeout(PATIENCE)?;
            // Another program's database is seen before anything is written to it.
            let strange = "SELECT name FROM sqlite_schema WHERE type = 'table'
                AND name NOT IN ('acknowledged', 'failures', 'totals', 'attempted', 'versions') LIMIT 1";
            let mut rows = connection.query(strange, ()).await?;
            let strange = rows.next().await?.map(|row| row.get::<String>(0)).transpose()?;
            drop(rows);
            if strange.is_none() {
                pragma(&connection, "PRAGMA wal_autocheckpoint = 0").await?;
                pragma(&connection, "PRAGMA journal_mode = WAL").await?;
                pragma(&connection, "PRAGMA synchronous = NORMAL").await?;
                connection.execute_transactional_batch(TABLES).await?;
            }
            libsql::Result::Ok((connection, strange))
        };
        match opened.await {
            Ok((connection, None)) => {
                Ok(Self { path, connection, fold_at: LONG_LOG, reads: 0, versions: BTreeMap::new() })
            }
            Ok((_, Some(table))) => Err(not_ours(format!("it has a table `{table}`"))),
            Err(libsql::Error::SqliteFailure(26 | 11, problem)) => Err(not_ours(problem)),
            Err(source) => Err(SandboxError::Database { doing: "open the ledger", path, source }),
        }
    }

    /// The greatest `seq` that was ever sent, and the greatest that was acknowledged; 0 when there is none.
    pub(super) async fn latest(&self) -> Result<(i64, i64), SandboxError> {
        let sql = "SELECT max(seq, (SELECT coalesce(max(seq), 0) FROM acknowledged)),
            (SELECT coalesce(max(seq), 0) FROM acknowledged) FROM attempted";
        let asked = async {
            let mut rows = self.connection.query(sql, ()).await?;
            let row = rows.next().await?.ok_or(libsql::Error::QueryReturnedNoRows)?;
            Ok((row.get(0)?, row.get(1)?))
        };
        asked.await.map_err(|e| self.failed(e))
    }

    /// Notes that `seq` is about to be sent: from now on it is used up, even if the load is killed.
    pub(super) async fn attempt(&self, seq: i64) -> Result<(), SandboxError> {
        let noted = self.connection.execute("UPDATE attempted SET seq = ?1", [seq]).await;
        noted.map(drop).map_err(|e| self.failed(e))
    }

    /// Notes that an order was acknowledged, now.
    pub(super) async fn acknowledge(&mut self, seq: i64, amount: i64) -> Result<(), SandboxError> {
        let sql = "INSERT INTO acknowledged VALUES (?1, ?2, ?3)";
        let noted = self.note(sql, libsql::params![seq, amount, now_ms()], (Kind::Write, 1, 0)).await;
        noted.map_err(|e| self.failed(e))
    }

    /// Notes that a request failed, now.
    pub(super) async fn fail(&mut self, kind: Kind, detail: &str) -> Result<(), SandboxError> {
        let sql = "INSERT INTO failures VALUES (?1, ?2, ?3)";
        let noted = self.note(sql, libsql::params![now_ms(), kind.name(), detail], (kind, 0, 1)).await;
        noted.map_err(|e| self.failed(e))
    }

    /// Counts a read that succeeded.
    pub(super) fn count_read(&mut self) {
        self.reads += 1;
    }

    /// Counts an answer for the version that gave it; no version where nobody answered.
    pub(super) fn answered(&mut self, version: Option<&str>, well: bool) {
        let (ok, failed) = self.versions.entry(version.unwrap_or_default().to_owned()).or_default();
        *(if well { ok } else { failed }) += 1;
    }

    /// Writes what is only counted yet, and folds the log.
    pub(super) async fn close(self) -> Result<(), SandboxError> {
        self.write_counted().await.map_err(|e| self.failed(e))
    }

    async fn write_counted(&self) -> libsql::Result<()> {
        if self.reads > 0 {
            add(&self.connection, Kind::Read, self.reads, 0).await?;
        }
        for (version, (ok, failed)) in &self.versions {
            let sql = "INSERT INTO versions VALUES (?1, ?2, ?3)
                ON CONFLICT (version) DO UPDATE SET ok = ok + excluded.ok, failed = failed + excluded.failed";
            self.connection.execute(sql, libsql::params![version.as_str(), *ok, *failed]).await?;
        }
        Ok(())
    }

    async fn note(
        &mut self,
        sql: &str,
        values: impl libsql::params::IntoParams,
        count: (Kind, i64, i64),
    ) -> libsql::Result<()> {
        let noted = async {
            self.connection.execute("BEGIN IMMEDIATE", ()).await?;
            self.connection.execute(sql, values).await?;
            add(&self.connection, count.0, count.1, count.2).await?;
            self.write_counted().await?;
            self.connection.execute("COMMIT", ()).await
        };
        noted.await?;
        self.reads = 0;
        self.versions.clear();
        self.fold_long_log().await;
        Ok(())
    }

    async fn fold_long_log(&mut self) {
        let log = length(&beside(&self.path, "-wal"));
        if log <= self.fold_at {
            return;
        }
        // Whoever reads the ledger right now must not hold up the load.
        let _ = self.connection.busy_timeout(Duration::ZERO);
        let folded = fold(&self.connection).await.unwrap_or(false);
        let _ = self.connection.busy_timeout(PATIENCE);
        self.fold_at = if folded { LONG_LOG } else { log + LONG_LOG };
    }

    fn failed(&self, source: libsql::Error) -> SandboxError {
        SandboxError::Database { doing: "write to the ledger", path: self.path.clone(), source }
    }
}

async fn add(connection: &Connection, kind: Kind, ok: i64, failed: i64) -> libsql::Result<()> {
    let sql = "UPDATE totals SET ok = ok + ?2, failed = failed + ?3 WHERE kind = ?1";
    connection.execute(sql, libsql::params![kind.name(), ok, failed]).await.map(drop)
}
