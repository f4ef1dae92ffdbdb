//! The first content of the service's database: the same rows every time.

use std::io;
use std::path::Path;

use libsql::Builder;

use super::pragma::pragma;
use super::{SandboxError, beside, length};

const TABLES: &str = "
    CREATE TABLE orders (
        id INTEGER PRIMARY KEY AUTOINCREMENT,
        seq INTEGER UNIQUE NOT NULL,
        customer TEXT,
        amount INTEGER,
        at_ms INTEGER
    )";

/// Orders from before the load: their `seq` ends at 0, so that the load's begin at 1. One every 40 seconds, amounts in cents.
const ROWS: &str = "
    WITH RECURSIVE n(i) AS (SELECT 1 WHERE ?1 > 0 UNION ALL SELECT i + 1 FROM n WHERE i < ?1)
    INSERT INTO orders (seq, customer, amount, at_ms)
    SELECT i - ?1,
           printf('customer-%05d@example.com', i * 7919 % 20011),
           100 + i * 104729 % 49900,
           1735689600000 + i * 40000 + i * 31 % 977
    FROM n";

/// Makes the database at `path` with `rows` orders, unless there is something already. It appears whole or not at all.
pub(super) async fn seed(path: &Path, rows: u64) -> Result<(), SandboxError> {
    let failed = |source: io::Error| SandboxError::File { doing: "make the database", path: path.to_owned(), source };
    if path.try_exists().map_err(failed)? {
        return Ok(());
    }
    let log = beside(path, "-wal");
    if length(&log) > 0 {
        return Err(SandboxError::OrphanedLog { database: path.to_owned(), log });
    }
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    let temporary = path.with_file_name(format!(".{name}.{}.partial", std::process::id()));
    let _ = std::fs::remove_file(&temporary);
    let filled = fill(&temporary, rows).await;
    let made = filled
        .map_err(|source| SandboxError::Database { doing: "make the database", path: path.to_owned(), source })
        .and_then(|()| publish(&temporary, path).map_err(failed));
    for suffix in ["", "-journal", "-wal", "-shm"] {
        let _ = std::fs::remove_file(beside(&temporary, suffix));
    }
    made
}

async fn fill(path: &Path, rows: u64) -> libsql::Result<()> {
    let rows = i64::try_from(rows).unwrap_or(i64::MAX);
    let connection = Builder::new_local(path).build().await?.connect()?;
    // Nobody sees the file before it is whole, so a journal would only cost time.
    pragma(&connection, "PRAGMA journal_mode = OFF").await?;
    pragma(&connection, "PRAGMA synchronous = OFF").await?;
    connection.execute("BEGIN", ()).await?;
    connection.execute(TABLES, ()).await?;
    connection.execute(ROWS, [rows]).await?;
    connection.execute("COMMIT", ()).await?;
    pragma(&connection, "PRAGMA user_version = 1").await?;
    pragma(&connection, "PRAGMA journal_mode = WAL").await
}

/// Gives the finished file its name. A link does not replace: should another process have been faster, its database stays.
fn publish(temporary: &Path, path: &Path) -> io::Result<()> {
    std::fs::File::open(temporary)?.sync_all()?;
    match std::fs::hard_link(temporary, path) {
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
        linked => linked?,
    }
    std::fs::File::open(path.parent().unwrap_or(Path::new("/")))?.sync_all()
}

#[cfg(test)]
mod tests {
    use super::*;

    async fn summary(path: &Path) -> (i64, i64, i64, i64) {
        let connection = Builder::new_local(path).build().await.expect("a database").connect().expect("opens");
        let sql = "SELECT count(*), min(seq), max(seq), sum(amount * 31 + at_ms % 1009 + length(customer)) FROM orders";
        let row = connection.query(sql, ()).await.expect("asks").next().await.expect("answers").expect("a row");
        let number = |i| row.get(i).expect("a number");
        (number(0), number(1), number(2), number(3))
    }

    #[tokio::test]
    async fn it_has_the_rows_asked_for_the_same_every_time_and_leaves_nothing_else() {
        let dir = tempfile::tempdir().expect("a directory");
        let (one, two) = (dir.path().join("one.db"), dir.path().join("two.db"));
        seed(&one, 5_000).await.expect("seeds");
        seed(&two, 5_000).await.expect("seeds");
        assert_eq!(std::fs::read_dir(dir.path()).expect("lists").count(), 2);
        let of_one = summary(&one).await;
        assert_eq!((of_one.0, of_one.1, of_one.2), (5_000, -4_999, 0));
        assert_eq!(of_one, summary(&two).await);
    }

    #[tokio::test]
    async fn no_rows_are_an_empty_table() {
        let dir = tempfile::tempdir().expect("a directory");
        let path = dir.path().join("orders.db");
        seed(&path, 0).await.expect("seeds");
        let connection = Builder::new_local(&path).build().await.expect("a database").connect().expect("opens");
        let mut rows = connection.query("SELECT count(*) FROM orders", ()).await.expect("asks");
        assert_eq!(rows.next().await.expect("answers").expect("a row").get::<i64>(0).expect("a number"), 0);
    }

    #[tokio::test]
    async fn what_is_there_is_left_alone() {
        let dir = tempfile::tempdir().expect("a directory");
        let path = dir.path().join("orders.db");
        std::fs::write(&path, "mine").expect("writes");
        seed(&path, 10).await.expect("has nothing to do");
        assert_eq!(std::fs::read(&path).expect("reads"), b"mine");
    }

    #[tokio::test]
    async fn a_log_without_its_database_is_not_written_under() {
        let dir = tempfile::tempdir().expect("a directory");
        let path = dir.path().join("orders.db");
        std::fs::write(beside(&path, "-wal"), "the last commits").expect("writes");
        let error = seed(&path, 10).await.expect_err("refuses");
        assert!(error.to_string().contains("orders.db-wal is still there"), "{error}");
        assert!(!path.exists());
    }
}
