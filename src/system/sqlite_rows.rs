//! Answers and parameters of queries on SQLite files.

use std::path::Path;

use libsql::Statement;

use super::sqlite_error::{SqliteError, SqliteErrorKind as Kind};
use crate::model::Value;

/// How many rows an answer may have.
const ROWS: usize = 10_000;
/// How many bytes of text and blobs an answer may have.
const BYTES: usize = 16 << 20;

/// The answer to a query.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct SqliteRows {
    /// The columns' names, in the query's order.
    pub columns: Vec<String>,
    /// The rows; each has a value for every column. A blob is text of hexadecimal digits.
    pub rows: Vec<Vec<Value>>,
}

impl SqliteRows {
    /// The first column of the first row.
    pub fn first(&self) -> Option<&Value> {
        self.rows.first()?.first()
    }
}

/// Carries the statement out and takes its whole answer.
pub(super) async fn collect(
    statement: &Statement,
    params: Vec<libsql::Value>,
    path: &Path,
) -> Result<SqliteRows, SqliteError> {
    let error = |error: libsql::Error| SqliteError::of(path, &error);
    let too_large = |what: &str| {
        let message = format!("the answer has more than {what}: narrow the query, or end it with LIMIT");
        SqliteError::new(Kind::Sql, message)
    };
    let columns: Vec<String> = statement.columns().iter().map(|column| column.name().to_owned()).collect();
    let width = i32::try_from(columns.len()).unwrap_or(i32::MAX);
    let mut found = statement.query(params).await.map_err(error)?;
    let (mut rows, mut bytes) = (Vec::new(), 0);
    while let Some(row) = found.next().await.map_err(error)? {
        if rows.len() == ROWS {
            return Err(too_large("10,000 rows"));
        }
        let values = (0..width).map(|i| row.get_value(i).map(value)).collect::<Result<Vec<_>, _>>().map_err(error)?;
        bytes += values.iter().filter_map(Value::as_str).map(str::len).sum::<usize>();
        if bytes > BYTES {
            return Err(too_large("16 MiB"));
        }
        rows.push(values);
    }
    Ok(SqliteRows { columns, rows })
}

/// A parameter as SQLite takes it.
pub(super) fn parameter(value: &Value) -> Result<libsql::Value, SqliteError> {
    match value {
        Value::Null => Ok(libsql::Value::Null),
        Value::Bool(b) => Ok(libsql::Value::Integer(i64::from(*b))),
        Value::Int(i) => Ok(libsql::Value::Integer(*i)),
        Value::Float(x) => Ok(libsql::Value::Real(*x)),
        Value::String(text) => Ok(libsql::Value::Text(text.to_string())),
        other => {
            let message =
                format!("a parameter of a query is text, a number, a bool or (), not of type {}", other.kind());
            Err(SqliteError::new(Kind::Invalid, message))
        }
    }
}

/// SQLite has no truth values, and a script has no bytes.
fn value(found: libsql::Value) -> Value {
    match found {
        libsql::Value::Null => Value::Null,
        libsql::Value::Integer(i) => Value::Int(i),
        libsql::Value::Real(x) => Value::Float(x),
        libsql::Value::Text(text) => Value::from(text),
        libsql::Value::Blob(bytes) => Value::from(super::digest::hex_of(&bytes)),
    }
}
