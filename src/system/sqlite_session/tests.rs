//! Scripts on real databases.

use std::sync::Arc;

use tempfile::TempDir;

use super::*;
use crate::system::System;

struct Bench {
    dir: TempDir,
    act: Act,
}

const NEVER: &dyn Fn() -> bool = &|| false;
const SHORT: Duration = Duration::from_millis(300);

impl Bench {
    fn new() -> Self {
        let dir = tempfile::tempdir().expect("a directory");
        let act = Act::grant(&Look::new(Arc::new(System::new(dir.path().join("scratch")))));
        std::fs::write(dir.path().join("a.db"), "").expect("an empty database");
        Self { dir, act }
    }

    fn path(&self) -> PathBuf {
        self.dir.path().join("a.db")
    }

    fn session(&self, script: &str) -> SqliteSession {
        let session = self.act.sqlite_session(&self.path()).expect("opens");
        for statement in split_sql(script) {
            session.run(statement.text, &[], NEVER).expect(statement.text);
        }
        session
    }
}

fn losses_of(session: &SqliteSession, sql: &str) -> Vec<String> {
    session.run(sql, &[], NEVER).expect(sql).losses.iter().map(ToString::to_string).collect()
}

#[test]
fn what_a_statement_loses_is_told() {
    let bench = Bench::new();
    let session = bench.session(
        "CREATE TABLE t(a, b, c); CREATE TABLE u(a); CREATE INDEX i ON t(a); CREATE VIEW v AS SELECT 1;
         CREATE TRIGGER g AFTER INSERT ON u BEGIN DELETE FROM t; END; INSERT INTO t VALUES (1, 2, 3), (4, 5, 6);",
    );
    for (sql, told) in [
        ("ALTER TABLE t DROP COLUMN b", vec!["drops a column of t"]),
        ("ALTER TABLE t ADD COLUMN d", vec![]),
        ("ALTER TABLE t RENAME COLUMN d TO e", vec![]),
        ("INSERT INTO u VALUES (1)", vec![]),
        ("DELETE FROM t WHERE 0", vec![]),
        ("DELETE FROM t", vec!["deletes every row of t"]),
        ("DROP INDEX i", vec!["drops index i"]),
        ("DROP VIEW v", vec!["drops view v"]),
        ("DROP TRIGGER g", vec!["drops trigger g"]),
        ("DROP TABLE t", vec!["drops table t"]),
    ] {
        assert_eq!(losses_of(&session, sql), told, "{sql}");
    }
}

#[test]
fn rows_that_change_are_counted_and_a_change_of_the_schema_changes_none() {
    let bench = Bench::new();
    let session = bench.session("CREATE TABLE t(a); INSERT INTO t VALUES (1), (2)");
    let changes = |sql: &str| session.run(sql, &[], NEVER).expect(sql).changes;
    assert_eq!(changes("UPDATE t SET a = a + 1"), 2);
    assert_eq!(changes("ALTER TABLE t ADD COLUMN b"), 0);
    assert_eq!(changes("CREATE TABLE u(a)"), 0);
    assert_eq!(changes("INSERT INTO u SELECT a FROM t WHERE a > 2"), 1);
}

#[test]
fn an_error_knows_its_place() {
    let bench = Bench::new();
    let session = bench.session("CREATE TABLE t(a)");
    let error = session.run("SELECT a,\n  nowhere FROM t", &[], NEVER).expect_err("no such column");
    assert_eq!((error.kind, error.message.as_str()), (SessionErrorKind::Sql, "no such column: nowhere"));
    assert_eq!(error.offset, Some(12));
    let error = session.run("SELECT 1; SELECT 2", &[], NEVER).expect_err("two");
    assert_eq!(error.message, "more than one statement");
}

#[test]
fn nothing_reaches_beyond_the_database_and_its_transaction() {
    let bench = Bench::new();
    let session = bench.session("CREATE TABLE t(a)");
    let other = bench.dir.path().join("other.db");
    for sql in [
        format!("ATTACH '{}' AS other", other.display()),
        format!("VACUUM INTO '{}'", other.display()),
        "VACUUM".to_owned(),
        "BEGIN".to_owned(),
        "COMMIT".to_owned(),
        "SELECT load_extension('x')".to_owned(),
    ] {
        let error = session.run(&sql, &[], NEVER).expect_err(&sql);
        assert_eq!(error.kind, SessionErrorKind::Refused, "{sql}: {error}");
    }
    assert!(!other.exists());
}

#[test]
fn a_reader_reads() {
    let bench = Bench::new();
    drop(bench.session("CREATE TABLE t(a); INSERT INTO t VALUES (x'00ff'), ('ü'), (7)"));
    let reader = bench.act.sqlite_reader(&bench.path()).expect("opens");
    let found = reader.rows("SELECT a FROM t WHERE a IS NOT ?", &[Value::Int(8)], NEVER).expect("answers");
    assert_eq!(found.rows, [[Value::from("00ff")], [Value::from("ü")], [Value::Int(7)]]);
    for sql in ["DELETE FROM t", "CREATE TEMP TABLE u(a)", "PRAGMA journal_mode = WAL", "ATTACH ':memory:' AS m"] {
        assert_eq!(reader.rows(sql, &[], NEVER).expect_err(sql).kind, SessionErrorKind::Refused, "{sql}");
    }
    assert_eq!(reader.rows("PRAGMA quick_check", &[], NEVER).expect("asks").first(), Some(&Value::from("ok")));
}

#[test]
fn a_scratch_copy_leaves_the_original_and_nothing_else() {
    let bench = Bench::new();
    let session = bench.session("CREATE TABLE t(a); INSERT INTO t VALUES (1)");
    session.own("PRAGMA journal_mode = WAL").expect("changes");
    session.run("INSERT INTO t VALUES (2)", &[], NEVER).expect("into the log");
    let before = std::fs::read(bench.path()).expect("reads");
    let scratch = bench.act.scratch_copy(&bench.path(), NEVER).expect("copies");
    scratch.begin(&bench.act, SHORT, NEVER).expect("begins");
    assert_eq!(scratch.run("DELETE FROM t", &[], NEVER).expect("deletes").changes, 2);
    scratch.commit(&bench.act, SHORT, NEVER).expect("commits");
    let directory = scratch.directory().to_path_buf();
    assert!(directory.starts_with(bench.dir.path().join("scratch")));
    drop(scratch);
    assert!(!directory.exists());
    assert_eq!(std::fs::read(bench.path()).expect("reads"), before);
    assert_eq!(session.rows("SELECT count(*) FROM t", &[], NEVER).expect("asks").first(), Some(&Value::Int(2)));
}

#[test]
fn a_lock_is_waited_for_and_then_named() {
    let bench = Bench::new();
    let (one, two) = (bench.session("CREATE TABLE t(a)"), bench.session(""));
    one.begin(&bench.act, SHORT, NEVER).expect("begins");
    assert_eq!(two.begin(&bench.act, SHORT, NEVER).expect_err("waits").kind, SessionErrorKind::Busy);
    assert_eq!(two.begin(&bench.act, SHORT, &|| true).expect_err("is told").kind, SessionErrorKind::Stopped);
    one.rollback().expect("ends");
    two.begin(&bench.act, SHORT, NEVER).expect("begins");
    assert!(two.in_transaction());
}

#[test]
fn a_statement_that_never_ends_is_stopped_and_rolled_back() {
    let bench = Bench::new();
    let session = bench.session("CREATE TABLE t(a)");
    session.begin(&bench.act, SHORT, NEVER).expect("begins");
    let forever = "INSERT INTO t WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT i FROM n";
    assert_eq!(session.run(forever, &[], &|| true).expect_err("stops").kind, SessionErrorKind::Stopped);
    session.rollback().expect("rolls back");
    assert_eq!(session.rows("SELECT count(*) FROM t", &[], NEVER).expect("asks").first(), Some(&Value::Int(0)));
}

#[test]
fn an_answer_is_whole_or_an_error() {
    let bench = Bench::new();
    drop(bench.session("CREATE TABLE t(a)"));
    let reader = bench.act.sqlite_reader(&bench.path()).expect("opens");
    let count = |rows: usize| {
        let sql = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n LIMIT ?) SELECT i FROM n";
        reader.rows(sql, &[Value::Int(i64::try_from(rows).expect("small"))], NEVER).map(|found| found.rows.len())
    };
    assert_eq!(count(ROWS), Ok(ROWS));
    assert!(count(ROWS + 1).expect_err("too many").message.contains("100,000"));
}

#[test]
fn a_log_is_left_to_the_programs_whose_database_it_is() {
    let bench = Bench::new();
    let session = bench.session("CREATE TABLE t(a)");
    session.own("PRAGMA journal_mode = WAL").expect("changes");
    session.run("INSERT INTO t VALUES (1)", &[], NEVER).expect("inserts");
    let before = std::fs::read(bench.path()).expect("reads");
    drop(session);
    assert_eq!(std::fs::read(bench.path()).expect("reads"), before, "no checkpoint when the last one closes");
}
