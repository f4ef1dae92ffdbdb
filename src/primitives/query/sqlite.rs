//! `query` for `driver = "sqlite"`.

use crate::model::{Arg, Fault, Value};
use crate::primitives::Observer;
use crate::primitives::targets::SqliteDatabase;
use crate::system::{Look, SqliteError, SqliteErrorKind};

use super::{Args, Query, Row};

impl Observer<Query> for SqliteDatabase {
    async fn observe(&self, args: &Args, look: &Look) -> Result<Vec<Row>, Fault> {
        let sql = match &args.sql {
            Arg::Known(sql) => sql,
            Arg::Unknown(label) => {
                return Err(self.query_fault(format!("{label} is not known before the run")));
            }
        };
        let params = look.reveal_params(&args.params).await?;
        let answer = look.sqlite_query(&self.path, sql, &params, args.timeout.0).await;
        let answer = answer.map_err(|error| self.query_failed(error))?;
        let twice = |(i, name): &(usize, &String)| answer.columns[..*i].contains(name);
        if let Some((_, twice)) = answer.columns.iter().enumerate().find(twice) {
            let fault = self.query_fault(format!("two columns of the answer are called `{twice}`"));
            return Err(fault.hint("name them apart with AS"));
        }
        let limit = args.limit.map_or(usize::MAX, |limit| limit.get() as usize);
        let row = |values: Vec<Value>| answer.columns.iter().cloned().zip(values).collect();
        Ok(answer.rows.into_iter().take(limit).map(row).collect())
    }
}

impl SqliteDatabase {
    fn query_fault(&self, message: impl std::fmt::Display) -> Fault {
        Fault::new("query-failed", format!("query of {}: {message}", self.name)).on(&self.name)
    }

    fn query_failed(&self, error: SqliteError) -> Fault {
        match error.kind {
            SqliteErrorKind::Interrupted => Fault::new("interrupted", error.message).on(&self.name),
            SqliteErrorKind::Invalid => self.query_fault(error.message).hint("ask one question; `sql` changes things"),
            SqliteErrorKind::TimedOut => {
                self.query_fault(error.message).hint("raise `timeout` if it only needs longer")
            }
            _ => self.query_fault(error.message),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::path::PathBuf;
    use std::sync::Arc;

    use super::*;
    use crate::system::System;

    async fn ask(options: serde_json::Value) -> Result<Vec<Row>, Fault> {
        let dir = tempfile::tempdir().expect("a directory");
        let path = dir.path().join("orders.db");
        let database = libsql::Builder::new_local(&path).build().await.expect("makes");
        let rows =
            "CREATE TABLE orders (id, what, price); INSERT INTO orders VALUES (1, 'rope', 1.5), (2, 'oar', NULL)";
        database.connect().expect("connects").execute_batch(rows).await.expect("fills");
        let mut args = serde_json::json!({ "target": "primary" });
        args.as_object_mut().expect("a map").extend(options.as_object().expect("a map").clone());
        let args = Value::from_json(args).decode().expect("arguments");
        let database = SqliteDatabase { name: "primary".into(), path, store: None, migrations: None };
        Observer::<Query>::observe(&database, &args, &Look::new(Arc::new(System::new(PathBuf::new())))).await
    }

    fn shown(rows: &[Row]) -> Vec<String> {
        rows.iter().map(|row| Value::Map(row.clone()).to_string()).collect()
    }

    #[tokio::test]
    async fn rows_are_maps() {
        let rows = ask(serde_json::json!({ "sql": "SELECT * FROM orders ORDER BY id" })).await.expect("answers");
        assert_eq!(shown(&rows), [r#"{ id: 1, price: 1.5, what: "rope" }"#, r#"{ id: 2, price: (), what: "oar" }"#]);
    }

    #[tokio::test]
    async fn parameters_are_bound_and_rows_limited() {
        let sql = "SELECT id FROM orders WHERE id > ? ORDER BY id";
        let rows = ask(serde_json::json!({ "sql": sql, "params": [0], "limit": 1 })).await.expect("answers");
        assert_eq!(shown(&rows), ["{ id: 1 }"]);
        let rows = ask(serde_json::json!({ "sql": sql, "params": [5] })).await.expect("answers");
        assert!(rows.is_empty());
    }

    #[tokio::test]
    async fn a_question_that_is_wrong_or_would_change_something_fails() {
        for (sql, why) in [
            ("DELETE FROM orders", "only statements that read"),
            ("SELECT 1; SELECT 2", "more than one statement"),
            ("SELECT * FROM nowhere", "no such table: nowhere"),
            ("SELECT ?", "takes 1 parameters, 0 were given"),
            ("SELECT 1 AS a, 2 AS a", "two columns of the answer are called `a`"),
        ] {
            let fault = ask(serde_json::json!({ "sql": sql })).await.expect_err(sql);
            assert_eq!(fault.code, "query-failed", "{sql}");
            assert!(fault.message.starts_with("query of primary: ") && fault.message.contains(why), "{fault}");
        }
    }
}
