//! `sql` on real files.

use std::path::PathBuf;
use std::sync::Arc;

use super::*;
use crate::model::{Key, Segment};
use crate::system::System;

struct Bench {
    _dir: tempfile::TempDir,
    database: SqliteDatabase,
    owner: libsql::Connection,
    act: Act,
}

async fn bench() -> Bench {
    let dir = tempfile::tempdir().expect("a directory");
    let path = dir.path().join("jobs.db");
    let file = libsql::Builder::new_local(&path).build().await.expect("makes");
    let owner = file.connect().expect("connects");
    let rows =
        "CREATE TABLE jobs (id INTEGER PRIMARY KEY, state TEXT); INSERT INTO jobs VALUES (1, 'new'), (2, 'stuck')";
    owner.execute_batch(rows).await.expect("fills");
    let database = SqliteDatabase { name: "primary".into(), path, store: None, migrations: None };
    let act = Act::grant(&Look::new(Arc::new(System::new(PathBuf::new()))));
    Bench { _dir: dir, database, owner, act }
}

impl Bench {
    async fn perform(&self, args: &Args) -> Result<Output, Fault> {
        Driver::<Sql>::perform(&self.database, args, &self.act, &key()).await
    }
    async fn preview(&self, args: &Args) -> Preview {
        Driver::<Sql>::preview(&self.database, args, &self.act).await.expect("it can be previewed")
    }
    async fn reconcile(&self, args: &Args) -> Reconciled<Output> {
        Driver::<Sql>::reconcile(&self.database, args, &self.act, &key()).await
    }
    async fn stuck(&self) -> i64 {
        let mut rows = self.owner.query("SELECT count(*) FROM jobs WHERE state = 'stuck'", ()).await.expect("asks");
        rows.next().await.expect("answers").expect("a row").get(0).expect("a number")
    }
}

fn key() -> IdempotencyKey {
    IdempotencyKey::new("run", &Key::ROOT.child(Segment::Call(0)))
}

fn args(json: serde_json::Value) -> Args {
    let Value::Map(mut map) = Value::from_json(json) else { panic!("a map") };
    map.insert("target".to_owned(), Value::from("primary"));
    Value::Map(map).decode().expect("arguments")
}

const FREE: &str = "UPDATE jobs SET state = 'new' WHERE state = ?";

#[tokio::test]
async fn rows_are_changed_and_counted() {
    let bench = bench().await;
    let args = args(serde_json::json!({ "sql": FREE, "params": ["stuck"], "expect_rows": 1 }));
    assert_eq!(bench.perform(&args).await.expect("it is made").rows, Some(1));
    assert_eq!(bench.stuck().await, 0);
    let fault = bench.perform(&args).await.expect_err("there is none left");
    assert_eq!((fault.code.as_str(), fault.applied), ("unexpected-rows", Applied::No));
    assert_eq!(fault.message, "sql on primary: it would have changed 0 rows, not 1: undone");
}

#[tokio::test]
async fn a_change_that_touches_too_much_is_undone() {
    let bench = bench().await;
    let args = args(serde_json::json!({ "sql": "UPDATE jobs SET state = 'stuck'", "expect_rows": "..=1" }));
    let fault = bench.perform(&args).await.expect_err("it is too much");
    assert_eq!(fault.message, "sql on primary: it would have changed 2 rows, not at most 1: undone");
    assert_eq!(bench.stuck().await, 1);
}

#[tokio::test]
async fn a_statement_that_is_wrong_is_foreseen_and_leaves_everything_as_it_was() {
    let bench = bench().await;
    for sql in
        ["DELETE FROM jobs; DELETE FROM nowhere", "DELETE FROM jobs WHERE id = ?", "DELETE FROM jobs; COMMIT", " "]
    {
        let args = args(serde_json::json!({ "sql": sql }));
        let foreseen = bench.preview(&args).await.fault.expect(sql);
        let fault = bench.perform(&args).await.expect_err(sql);
        assert_eq!((fault.code.as_str(), fault.applied), ("sql-failed", Applied::No), "{sql}");
        assert_eq!(foreseen.code, fault.code);
        assert_eq!(bench.stuck().await, 1);
    }
}

#[tokio::test]
async fn a_preview_shows_what_is_touched_and_touches_nothing() {
    let bench = bench().await;
    let sql = "CREATE TABLE done (id);\n  INSERT INTO done SELECT id FROM jobs; DELETE FROM jobs";
    let preview = bench.preview(&args(serde_json::json!({ "sql": sql, "expect_rows": "1.." }))).await;
    let shown = "primary: CREATE TABLE done (id); INSERT INTO done SELECT id FROM jobs; DELETE FROM jobs";
    assert_eq!((preview.symbol, preview.summary.as_str()), (Symbol::Change, shown));
    assert_eq!(preview.notes[0], "creates table done");
    assert_eq!(preview.notes[1], "undone unless it changes at least 1 rows");
    assert!(preview.notes[2].ends_with("no such table: done"), "{:?}", preview.notes);
    assert!(preview.fault.is_none() && preview.assumed.is_some());
    assert_eq!(bench.stuck().await, 1);
    bench.owner.query("SELECT 1 FROM done", ()).await.map(drop).expect_err("it was not made");
}

#[tokio::test]
async fn the_check_settles_what_is_in_doubt() {
    let bench = bench().await;
    let with = |check: &str| args(serde_json::json!({ "sql": FREE, "params": ["stuck"], "check": check }));
    let free = with("SELECT count(*) = 0 FROM jobs WHERE state = 'stuck'");
    assert!(matches!(bench.reconcile(&free).await, Reconciled::NotApplied { .. }));
    assert!(!bench.preview(&free).await.notes.iter().any(|note| note.contains("`check`")));
    bench.perform(&free).await.expect("it is made");
    let Reconciled::Applied { output, .. } = bench.reconcile(&free).await else { panic!("the check says so") };
    assert_eq!(output.rows, None);
    let note = "its `check` is true already: it could not tell whether this change took place";
    assert!(bench.preview(&free).await.notes.contains(&note.to_owned()));
    for check in ["SELECT NULL", "SELECT ''", "SELECT 1 WHERE 0", "SELECT 0.0", "SELECT '0'"] {
        assert!(matches!(bench.reconcile(&with(check)).await, Reconciled::NotApplied { .. }), "{check}");
    }
    assert!(matches!(bench.reconcile(&with("DELETE FROM jobs")).await, Reconciled::Unknown { .. }));
    let without = args(serde_json::json!({ "sql": FREE, "params": ["stuck"] }));
    assert!(matches!(bench.reconcile(&without).await, Reconciled::Unknown { .. }));
}

#[tokio::test]
async fn a_run_that_is_asked_to_stop_undoes_it() {
    let bench = bench().await;
    bench.act.cancel().request();
    let forever =
        "DELETE FROM jobs; WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT count(*) FROM n";
    let fault = bench.perform(&args(serde_json::json!({ "sql": forever }))).await.expect_err("it was asked to stop");
    assert_eq!((fault.code.as_str(), fault.applied), ("interrupted", Applied::No));
    assert_eq!(bench.stuck().await, 1);
}
