//! A database, its store and the handles on the machine, for the tests of the primitives that work on backups.
#![expect(clippy::disallowed_methods, reason = "tests prepare and damage files")]

use std::path::{Path, PathBuf};
use std::sync::Arc;

use tempfile::TempDir;

use crate::model::{Fault, IdempotencyKey, Key};
use crate::primitives::Driver;
use crate::primitives::backup::{self, Backup};
use crate::primitives::targets::{DirectoryStore, SqliteDatabase};
use crate::system::{Act, Look, System};

use super::{Layout, Manifest};

pub(in crate::primitives) struct Bench {
    pub act: Act,
    dir: TempDir,
}

impl Bench {
    pub(in crate::primitives) fn new() -> Self {
        let dir = tempfile::tempdir().expect("a directory");
        let act = Act::grant(&Look::new(Arc::new(System::new(dir.path().join("scratch")))));
        Self { act, dir }
    }

    pub(in crate::primitives) fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    pub(in crate::primitives) fn read(&self, name: &str) -> Vec<u8> {
        std::fs::read(self.path(name)).expect(name)
    }

    /// The names in a directory, sorted; none if it does not exist.
    pub(in crate::primitives) fn names(&self, directory: &str) -> Vec<String> {
        let entries = self.act.list(&self.path(directory)).unwrap_or_default();
        entries.into_iter().map(|entry| entry.name).collect()
    }

    pub(in crate::primitives) fn database(&self) -> SqliteDatabase {
        let store = DirectoryStore { name: "backups".to_owned(), path: self.path("store") };
        SqliteDatabase {
            name: "primary".to_owned(),
            path: self.path("primary.db"),
            store: Some(store),
            migrations: None,
        }
    }

    pub(in crate::primitives) fn key(n: u32) -> IdempotencyKey {
        IdempotencyKey::new(&format!("run{n}"), &Key::ROOT)
    }

    /// Runs statements on the database.
    pub(in crate::primitives) fn sql(&self, statements: &str) {
        sql(&self.path("primary.db"), statements);
    }

    /// What a query on the database returns.
    pub(in crate::primitives) fn ask(&self, query: &str) -> String {
        ask(&self.path("primary.db"), query)
    }

    /// A backup made by the call number `n`.
    pub(in crate::primitives) async fn backup(&self, n: u32) -> Result<backup::Output, Fault> {
        let args = backup::Args { target: "primary".to_owned() };
        Driver::<Backup>::perform(&self.database(), &args, &self.act, &Self::key(n)).await
    }

    fn layout(&self) -> Layout {
        Layout::new(&self.path("store"), "primary")
    }

    pub(in crate::primitives) fn manifest(&self, id: &str) -> Manifest {
        serde_json::from_slice(&std::fs::read(self.layout().manifest(id)).expect("reads")).expect("a manifest")
    }

    /// Changes the manifest of a backup.
    pub(in crate::primitives) fn forge(&self, id: &str, change: impl FnOnce(&mut Manifest)) {
        let mut manifest = self.manifest(id);
        change(&mut manifest);
        let bytes = serde_json::to_vec(&manifest).expect("writes");
        std::fs::write(self.layout().manifest(id), bytes).expect("writes");
    }

    /// Makes a backup older.
    pub(in crate::primitives) fn age(&self, id: &str, hours: i64) {
        self.forge(id, |manifest| manifest.taken_at -= jiff::SignedDuration::from_hours(hours));
    }

    /// Changes one byte in the middle of a backup's data.
    pub(in crate::primitives) fn flip(&self, id: &str) {
        let path = self.layout().data(id);
        let mut bytes = std::fs::read(&path).expect("reads");
        let middle = bytes.len() / 2;
        bytes[middle] ^= 1;
        std::fs::write(&path, bytes).expect("writes");
    }

    /// Cuts a backup's data in half.
    pub(in crate::primitives) fn truncate(&self, id: &str) {
        let path = self.layout().data(id);
        let mut bytes = std::fs::read(&path).expect("reads");
        bytes.truncate(bytes.len() / 2);
        std::fs::write(&path, bytes).expect("writes");
    }
}

/// A connection, on a thread of its own: tests are asynchronous already, and the crate's interface is too.
pub(in crate::primitives) fn on<T: Send>(path: &Path, work: impl AsyncFnOnce(libsql::Connection) -> T + Send) -> T {
    std::thread::scope(|scope| {
        let work = scope.spawn(|| {
            let runtime = tokio::runtime::Builder::new_current_thread().build().expect("a runtime");
            runtime.block_on(async {
                let database = libsql::Builder::new_local(path).build().await.expect("a database");
                work(database.connect().expect("a connection")).await
            })
        });
        work.join().expect("the statements run")
    })
}

pub(in crate::primitives) fn sql(path: &Path, statements: &str) {
    on(path, async |connection| {
        let mut batch = connection.execute_batch(statements).await.expect(statements);
        while batch.next_stmt_row().is_some() {}
    });
}

pub(in crate::primitives) fn ask(path: &Path, query: &str) -> String {
    on(path, async |connection| {
        let mut rows = connection.query(query, ()).await.expect(query);
        let row = rows.next().await.expect(query).expect("a row");
        match row.get_value(0).expect("a column") {
            libsql::Value::Integer(number) => number.to_string(),
            libsql::Value::Text(text) => text,
            other => format!("{other:?}"),
        }
    })
}
