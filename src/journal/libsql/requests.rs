//! Requests in the file: left by one process, read by another.

use libsql::Value;

use super::super::JournalError;
use super::connection::{Connection, Row};
use super::read;
use crate::model::{Request, RunId};

/// Leaves a request to a run, which must be there.
pub(super) fn leave(connection: &Connection, run: &RunId, request: &Request) -> Result<(), JournalError> {
    const LEAVE: &str = "INSERT INTO requests (run, json) SELECT id, ?2 FROM runs WHERE id = ?1 RETURNING number";
    let json = serde_json::to_string(request)
        .map_err(|why| connection.corrupt(format!("a request cannot become JSON: {why}")))?;
    connection.roll_back()?;
    let values = vec![Value::Text(run.to_string()), Value::Text(json)];
    let left = connection.query(LEAVE, values, |row| row.number(0))?;
    left.first().map(|_| ()).ok_or_else(|| JournalError::UnknownRun { asked: run.to_string() })
}

/// The requests to a run behind a number. A file of an older format, which can be read without being changed, has none.
pub(super) fn after(connection: &Connection, run: &RunId, after: u64) -> Result<Vec<(u64, Request)>, JournalError> {
    const EXISTS: &str = "SELECT count(*) FROM sqlite_schema WHERE name = 'requests'";
    const AFTER: &str =
        "SELECT number, CAST(json AS BLOB) FROM requests WHERE run = ?1 AND number > ?2 ORDER BY number";
    if connection.query(EXISTS, Vec::new(), |row| row.number(0))?.pop() == Some(0) {
        return Ok(Vec::new());
    }
    let values = vec![Value::Text(run.to_string()), Value::Integer(i64::try_from(after).unwrap_or(i64::MAX))];
    connection.query(AFTER, values, |row| Ok((read::count(connection, row.number(0)?)?, request(row)?)))
}

fn request(row: &Row) -> Result<Request, JournalError> {
    let text = row.text(1)?;
    serde_json::from_str(&text).map_err(|why| row.connection().corrupt(format!("a request: {why}")))
}
