//! Pragmas that every database of the sandbox needs.

use libsql::Connection;

/// Runs a pragma, whether or not it answers with rows.
pub(super) async fn pragma(connection: &Connection, sql: &str) -> libsql::Result<()> {
    let mut rows = connection.query(sql, ()).await?;
    while rows.next().await?.is_some() {}
    Ok(())
}

/// Folds the log into the database and empties it; whether nobody was in the way.
pub(super) async fn fold(connection: &Connection) -> libsql::Result<bool> {
    let mut rows = connection.query("PRAGMA wal_checkpoint(TRUNCATE)", ()).await?;
    let busy = match rows.next().await? {
        Some(row) => row.get::<i64>(0)?,
        None => 1,
    };
    Ok(busy == 0)
}
