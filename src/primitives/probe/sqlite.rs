//! `probe` for `driver = "sqlite"`: whether the file is a database that answers, and what it answers.

use std::time::Duration;

use super::attempts::attempts;
use super::expect::{expect, show};
use super::finding::{Finding, took};
use super::misuse::{check, misuse};
use super::{Args, Output, Probe};
use crate::model::{Arg, Fault, Value};
use crate::primitives::Observer;
use crate::primitives::targets::SqliteDatabase;
use crate::system::{Look, SqliteError, SqliteErrorKind};

const TAKES: [&str; 6] = ["query", "params", "integrity", "equals", "at_least", "at_most"];
const TIMEOUT: Duration = Duration::from_secs(5);

impl Observer<Probe> for SqliteDatabase {
    async fn observe(&self, args: &Args, look: &Look) -> Result<Output, Fault> {
        check(args, "a database in a file", &TAKES)?;
        if args.params.is_some() && args.query.is_none() {
            return Err(misuse(args, "`params` needs a `query`"));
        }
        attempts(args, look, || self.attempt(args, look)).await
    }
}

impl SqliteDatabase {
    async fn attempt(&self, args: &Args, look: &Look) -> Result<Finding, Fault> {
        let query = args.query.as_ref().and_then(Arg::known);
        let sql = query.map_or("SELECT count(*) FROM sqlite_schema", String::as_str);
        let params = look.reveal_params(args.params.as_deref().unwrap_or_default()).await?;
        let timeout = args.timeout.map_or(TIMEOUT, |timeout| timeout.0);
        let started = look.monotonic();
        let answer = look.sqlite_query(&self.path, sql, &params, timeout).await;
        let latency = look.monotonic().saturating_sub(started);
        let rows = match answer {
            Ok(rows) => rows,
            Err(error) => return failed(args, error, latency),
        };
        let value = rows.first().cloned();
        let summary = match (&value, query) {
            (_, None) => format!("answers in {}", took(latency)),
            (None, _) => format!("no row in {}", took(latency)),
            (Some(value), _) => format!("{} in {}", show(value), took(latency)),
        };
        let mut finding = Finding::answered(latency, value.clone().unwrap_or_default(), summary);
        expect(args, value.as_ref(), &mut finding);
        if args.integrity {
            let left = timeout.saturating_sub(latency);
            let check = look.sqlite_query(&self.path, "PRAGMA quick_check(1)", &[], left).await;
            finding.latency = look.monotonic().saturating_sub(started);
            match check.as_ref().map(|rows| rows.first()) {
                Ok(Some(Value::String(ok))) if ok.as_ref() == "ok" => {}
                Ok(found) => finding.fail(format!("the file is damaged: {}", show(found.unwrap_or(&Value::Null)))),
                Err(error) => finding.fail(format!("its integrity could not be checked: {error}")),
            }
        }
        Ok(finding)
    }
}

fn failed(args: &Args, error: SqliteError, latency: Duration) -> Result<Finding, Fault> {
    match error.kind {
        SqliteErrorKind::Invalid => Err(misuse(args, error.message).hint("a probe's query is one SELECT or PRAGMA")),
        kind if kind.answered() => Ok(Finding::useless(latency, error.message)),
        _ => Ok(Finding::silent(latency, error.message)),
    }
}

#[cfg(test)]
#[expect(clippy::disallowed_methods, reason = "a test prepares its own files")]
mod tests {
    use std::path::{Path, PathBuf};
    use std::sync::Arc;

    use super::*;
    use crate::primitives::probe::Status;
    use crate::system::System;

    async fn orders(dir: &Path, rows: &str) -> PathBuf {
        let path = dir.join("orders.db");
        let database = libsql::Builder::new_local(&path).build().await.expect("makes");
        let sql = format!("CREATE TABLE orders (id INTEGER PRIMARY KEY, what TEXT); {rows}");
        database.connect().expect("connects").execute_batch(&sql).await.expect("fills");
        path
    }

    async fn probe(path: &Path, args: Args) -> Result<Output, Fault> {
        let database = SqliteDatabase { name: "primary".into(), path: path.to_owned(), store: None, migrations: None };
        Observer::<Probe>::observe(&database, &args, &Look::new(Arc::new(System::new(PathBuf::new())))).await
    }

    fn query(sql: &str) -> Args {
        Args { query: Some(Arg::Known(sql.to_owned())), ..Args::of("primary") }
    }

    #[tokio::test]
    async fn a_database_that_answers_passes() {
        let dir = tempfile::tempdir().expect("a directory");
        let path = orders(dir.path(), "").await;
        let output = probe(&path, Args::of("primary")).await.expect("answers");
        assert_eq!((output.status, output.ok, output.down, output.value), (Status::Pass, true, false, Value::Int(1)));
        let output = probe(&path, Args { integrity: true, ..Args::of("primary") }).await.expect("answers");
        assert_eq!(output.status, Status::Pass, "{}", output.detail);
    }

    #[tokio::test]
    async fn its_answer_is_the_value_and_must_be_the_expected_one() {
        let dir = tempfile::tempdir().expect("a directory");
        let path = orders(dir.path(), "INSERT INTO orders VALUES (1, 'rope'), (2, 'oar')").await;
        let count = |least| Args { at_least: Some(Arg::Known(least)), ..query("SELECT count(*) FROM orders") };
        let output = probe(&path, count(2.0)).await.expect("answers");
        assert_eq!((output.status, output.value), (Status::Pass, Value::Int(2)));
        let output = probe(&path, count(3.0)).await.expect("answers");
        assert_eq!((output.status, output.down, output.value), (Status::Fail, false, Value::Int(2)));
        assert!(output.detail.ends_with(": expected at least 3"), "{}", output.detail);
        let by_name = query("SELECT id FROM orders WHERE what = ?");
        let named =
            |name: &str| Args { params: Some(vec![name.into()]), equals: Some(Value::Int(2)), ..by_name.clone() };
        assert!(probe(&path, named("oar")).await.expect("answers").ok);
        let output = probe(&path, named("sail")).await.expect("answers");
        assert_eq!((output.status, output.value), (Status::Fail, Value::Null));
        assert!(output.detail.starts_with("no row in "), "{}", output.detail);
    }

    #[tokio::test]
    async fn a_file_that_is_missing_or_no_database_is_down_and_one_without_the_table_is_not() {
        let dir = tempfile::tempdir().expect("a directory");
        let path = orders(dir.path(), "").await;
        let output = probe(&dir.path().join("none.db"), Args::of("primary")).await.expect("answers");
        assert_eq!((output.status, output.down, output.value), (Status::Fail, true, Value::Null));
        assert!(output.detail.ends_with("none.db does not exist"), "{}", output.detail);
        let output = probe(&path, query("SELECT 1 FROM nowhere")).await.expect("answers");
        assert_eq!(
            (output.status, output.down, output.detail.as_str()),
            (Status::Fail, false, "no such table: nowhere")
        );
        std::fs::write(&path, "x".repeat(8192)).expect("overwrites");
        let output = probe(&path, Args::of("primary")).await.expect("answers");
        assert!(output.down && output.detail.ends_with("is not a database"), "{}", output.detail);
    }

    #[tokio::test]
    async fn damage_that_a_query_misses_is_found_by_the_integrity_check() {
        let dir = tempfile::tempdir().expect("a directory");
        let rows = "INSERT INTO orders (what) SELECT hex(randomblob(900)) FROM json_each('[1,2,3,4,5,6,7,8,9]')";
        let path = orders(dir.path(), rows).await;
        let mut bytes = std::fs::read(&path).expect("reads");
        bytes[8192..8256].fill(0xee);
        std::fs::write(&path, bytes).expect("damages");
        assert!(probe(&path, Args::of("primary")).await.expect("answers").ok);
        let output = probe(&path, Args { integrity: true, ..Args::of("primary") }).await.expect("answers");
        assert_eq!((output.status, output.down), (Status::Fail, false));
        assert!(output.detail.contains("the file is damaged: "), "{}", output.detail);
    }

    #[tokio::test]
    async fn a_query_that_is_wrong_whatever_the_database_holds_is_misuse() {
        let dir = tempfile::tempdir().expect("a directory");
        let path = orders(dir.path(), "INSERT INTO orders VALUES (1, 'rope')").await;
        for sql in ["DELETE FROM orders", "SELECT 1; SELECT 2", "SELECT FROM", "SELECT ?"] {
            let fault = probe(&path, query(sql)).await.expect_err(sql);
            assert_eq!(fault.code, "probe-misuse", "{sql}");
        }
        let fault = probe(&path, Args { params: Some(vec![]), ..Args::of("primary") }).await.expect_err("no query");
        assert_eq!(fault.message, "`params` needs a `query`");
    }
}
