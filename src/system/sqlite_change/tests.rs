//! Changes of real files, some of them in use.

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use super::*;
use crate::system::{SqliteRows, System};

struct Bench {
    dir: tempfile::TempDir,
    act: Act,
}

fn bench(journal: &str) -> Bench {
    let dir = tempfile::tempdir().expect("a directory");
    let act = Act::grant(&Look::new(Arc::new(System::new(dir.path().join("scratch")))));
    let bench = Bench { dir, act };
    let raw = bench.owner();
    for sql in [
        &format!("PRAGMA journal_mode = {journal}"),
        "CREATE TABLE customer (id INTEGER PRIMARY KEY)",
        "CREATE TABLE orders (id INTEGER PRIMARY KEY, what TEXT, who INTEGER REFERENCES customer ON DELETE CASCADE)",
        "INSERT INTO customer VALUES (1), (2)",
        "INSERT INTO orders VALUES (1, 'rope', 1), (2, 'oar', 1), (3, 'sail', 2)",
    ] {
        raw.rows(sql, &|| false).expect(sql);
    }
    bench
}

impl Bench {
    fn path(&self) -> PathBuf {
        self.dir.path().join("orders.db")
    }
    /// The program that owns the database.
    fn owner(&self) -> Raw {
        Raw::open(&self.path(), Open::Own).expect("opens")
    }
    fn change(&self, sql: &str, params: &[Value], rows: (u64, u64)) -> Result<SqliteChanged, SqliteChangeError> {
        let change =
            SqliteChange { sql: sql.to_owned(), params: params.to_vec(), rows, timeout: Duration::from_secs(60) };
        self.act.sqlite_execute(&self.path(), &change, &|| false)
    }
    fn run(&self, sql: &str) -> Result<SqliteChanged, SqliteChangeError> {
        self.change(sql, &[], ANY)
    }
    fn ask(&self, sql: &str) -> Vec<String> {
        self.owner().rows(sql, &|| false).expect(sql).into_iter().flatten().collect()
    }
    fn orders(&self) -> Vec<String> {
        self.ask("SELECT what FROM orders ORDER BY id")
    }
}

const ANY: (u64, u64) = (0, u64::MAX);
const ALL: [&str; 3] = ["rope", "oar", "sail"];

fn kind(error: SqliteChangeError) -> Kind {
    match error {
        SqliteChangeError::Failed(error) => error.kind,
        other => panic!("{other:?}"),
    }
}

#[test]
fn several_statements_are_one_transaction_and_their_rows_are_counted() {
    let bench = bench("WAL");
    let sql = "UPDATE orders SET what = ? WHERE id < ?; -- ; not the end
        INSERT INTO orders VALUES (4, ';', ?), (5, 'it''s', NULL); SELECT * FROM orders;;
        CREATE TRIGGER t AFTER DELETE ON orders BEGIN DELETE FROM customer; SELECT 1; END; CREATE TABLE late (x);
        INSERT INTO late VALUES (?);";
    let params = [Value::from("line"), Value::Int(3), Value::Int(2), Value::Float(0.5)];
    let changed = bench.change(sql, &params, ANY).expect("it is made");
    assert_eq!((changed.rows, changed.statements), (5, 6));
    assert_eq!(bench.orders(), ["line", "line", "sail", ";", "it's"]);
    assert_eq!(bench.ask("SELECT x FROM late"), ["0.5"]);
}

#[test]
fn a_statement_that_fails_undoes_those_before_it() {
    let bench = bench("WAL");
    let error =
        bench.run("DELETE FROM orders; DROP TABLE customer; INSERT INTO nowhere VALUES (1)").expect_err("fails");
    assert_eq!(error, SqliteChangeError::Failed(SqliteError::new(Kind::Sql, "no such table: nowhere")));
    assert_eq!(bench.orders(), ALL);
    assert_eq!(kind(bench.run("DELETE FROM orders; SELEC 1").expect_err("fails")), Kind::Invalid);
    assert_eq!(bench.orders(), ALL);
}

#[test]
fn more_or_fewer_rows_than_expected_are_undone() {
    let bench = bench("DELETE");
    for (rows, sql) in
        [((1, 2), "DELETE FROM orders"), ((4, 9), "DELETE FROM orders"), ((1, 1), "UPDATE orders SET id = id WHERE 0")]
    {
        let found = if sql.starts_with("DELETE") { 3 } else { 0 };
        assert_eq!(bench.change(sql, &[], rows), Err(SqliteChangeError::Unexpected(found)), "{sql}");
        assert_eq!(bench.orders(), ALL);
    }
    // Rows that go because of a foreign key were not asked for by name.
    let changed = bench.change("DELETE FROM customer WHERE id = 1; CREATE INDEX i ON orders (what)", &[], (1, 1));
    assert_eq!(changed.expect("one row").rows, 1);
    assert_eq!(bench.orders(), ["sail"]);
}

#[test]
fn foreign_keys_are_enforced() {
    let bench = bench("WAL");
    let error = bench.run("INSERT INTO orders VALUES (9, 'x', 99)").expect_err("there is no such customer");
    assert!(error.to_string().contains("FOREIGN KEY"), "{error}");
    let deferred = "PRAGMA defer_foreign_keys = 1; INSERT INTO orders VALUES (9, 'x', 99)";
    assert!(bench.run(deferred).expect_err("found at the end").to_string().contains("FOREIGN KEY"));
    assert_eq!(bench.orders(), ALL);
}

#[test]
fn parameters_are_counted_over_all_statements() {
    let bench = bench("WAL");
    let said = |sql: &str, params: &[Value]| bench.change(sql, params, ANY).expect_err("refused").to_string();
    let two = "DELETE FROM orders WHERE id = ?; DELETE FROM orders WHERE id = ?";
    assert_eq!(said(two, &[Value::Int(1)]), "statement 2 takes 1 parameters, 0 are left for it");
    let three = [Value::Int(1), Value::Int(2), Value::Int(3)];
    assert_eq!(said(two, &three), "the statements take 2 parameters, 3 were given");
    assert_eq!(said(" -- nothing\n;", &[]), "there is no statement in the text");
    assert_eq!(said("SELECT 1\0; DROP TABLE orders", &[]), "the statements hold a NUL character, or are too long");
    bench.change("SELECT ?", &[Value::List(vec![])], ANY).expect_err("a list is no parameter");
    assert_eq!(bench.orders(), ALL);
}

#[test]
fn nothing_else_can_be_reached_and_the_transaction_not_be_left() {
    let bench = bench("WAL");
    let other = bench.dir.path().join("other.db");
    for sql in [
        format!("ATTACH '{}' AS other", other.display()),
        "DELETE FROM orders; COMMIT; SELECT * FROM nowhere".to_owned(),
        "DELETE FROM orders; ROLLBACK".to_owned(),
        "SAVEPOINT s".to_owned(),
        "PRAGMA journal_mode = DELETE".to_owned(),
        "PRAGMA foreign_keys = 0".to_owned(),
        "PRAGMA writable_schema = 1".to_owned(),
        "PRAGMA wal_checkpoint(TRUNCATE)".to_owned(),
        "SELECT load_extension('x')".to_owned(),
    ] {
        assert_eq!(kind(bench.run(&sql).expect_err(&sql)), Kind::Invalid, "{sql}");
    }
    bench.run(&format!("VACUUM INTO '{}'", other.display())).expect_err("not inside a transaction");
    assert!(!other.exists());
    assert_eq!(bench.orders(), ALL);
}

#[test]
fn what_is_no_database_is_not_made_into_one() {
    let bench = bench("WAL");
    let change =
        SqliteChange { sql: "SELECT 1".to_owned(), params: vec![], rows: ANY, timeout: Duration::from_secs(5) };
    let at = |name: &str| {
        let path = bench.dir.path().join(name);
        kind(bench.act.sqlite_execute(&path, &change, &|| false).expect_err(name))
    };
    assert_eq!(at("none.db"), Kind::Missing);
    assert!(!bench.dir.path().join("none.db").exists());
    std::fs::write(bench.dir.path().join("empty.db"), "").expect("writes");
    assert_eq!(at("empty.db"), Kind::NotADatabase);
    std::fs::write(bench.dir.path().join("text.db"), "no database ".repeat(1000)).expect("writes");
    assert_eq!(at("text.db"), Kind::NotADatabase);
}

#[test]
fn the_last_to_close_leaves_the_log_to_its_owner() {
    let bench = bench("WAL");
    // As a crash leaves it: a log, and nobody who has the database open.
    let owner = bench.owner();
    owner.rows("UPDATE orders SET what = 'x' WHERE id = 1", &|| false).expect("writes");
    let crashed = bench.dir.path().join("crashed.db");
    let log = |base: &Path| PathBuf::from(format!("{}-wal", base.display()));
    std::fs::copy(bench.path(), &crashed).expect("copies");
    std::fs::copy(log(&bench.path()), log(&crashed)).expect("copies");
    let before = std::fs::read(&crashed).expect("reads");
    let sql = "UPDATE orders SET what = hex(randomblob(100000)) WHERE id > 1".to_owned();
    let change = SqliteChange { sql, params: vec![], rows: (2, 2), timeout: Duration::from_secs(60) };
    for _ in 0..20 {
        bench.act.sqlite_execute(&crashed, &change, &|| false).expect("it is made");
    }
    assert!(std::fs::read(&crashed).expect("reads") == before, "the database itself is not touched");
    assert!(std::fs::metadata(log(&crashed)).expect("a log").len() > 4_000_000, "however long the log has become");
}

#[test]
fn another_program_that_writes_meanwhile_is_waited_for() {
    for journal in ["WAL", "DELETE"] {
        let bench = bench(journal);
        bench.run("CREATE TABLE count (mine, theirs); INSERT INTO count VALUES (0, 0)").expect("it is made");
        let done = Arc::new(AtomicBool::new(false));
        let (owner, until) = (bench.path(), done.clone());
        let writing = std::thread::spawn(move || {
            let raw = Raw::open(&owner, Open::Own).expect("opens");
            let mut count = 0;
            while !until.load(Ordering::SeqCst) || count == 0 {
                count += u32::from(raw.rows("UPDATE count SET theirs = theirs + 1", &|| false).is_ok());
            }
            count
        });
        for _ in 0..50 {
            bench.change("UPDATE count SET mine = mine + ?", &[Value::Int(1)], (1, 1)).expect("it is made");
        }
        done.store(true, Ordering::SeqCst);
        let theirs = writing.join().expect("it ends");
        assert_eq!(bench.ask("SELECT mine, theirs FROM count"), ["50".to_owned(), theirs.to_string()], "{journal}");
    }
}

#[test]
fn one_who_never_lets_go_is_not_waited_for_for_ever() {
    let bench = bench("WAL");
    let owner = bench.owner();
    owner.rows("BEGIN IMMEDIATE", &|| false).expect("locks");
    let sql = "DELETE FROM orders".to_owned();
    let mut change = SqliteChange { sql, params: vec![], rows: ANY, timeout: Duration::from_millis(50) };
    let error = bench.act.sqlite_execute(&bench.path(), &change, &|| false).expect_err("it is locked");
    assert_eq!(kind(error), Kind::Locked);
    change.timeout = Duration::from_secs(600);
    let error = bench.act.sqlite_execute(&bench.path(), &change, &|| true).expect_err("asked to stop");
    assert_eq!(kind(error), Kind::Interrupted);
}

#[test]
fn statements_that_take_for_ever_are_ended_and_undone() {
    let bench = bench("WAL");
    let forever =
        "DELETE FROM orders; WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT count(*) FROM n";
    let change = |timeout| SqliteChange { sql: forever.to_owned(), params: vec![], rows: ANY, timeout };
    let late = bench.act.sqlite_execute(&bench.path(), &change(Duration::from_millis(100)), &|| false);
    assert_eq!(kind(late.expect_err("timed out")), Kind::TimedOut);
    let asked = AtomicBool::new(false);
    let stop = || asked.swap(true, Ordering::SeqCst);
    let stopped = bench.act.sqlite_execute(&bench.path(), &change(Duration::from_secs(600)), &stop);
    assert_eq!(kind(stopped.expect_err("stopped")), Kind::Interrupted);
    assert_eq!(bench.orders(), ALL);
}

#[tokio::test]
async fn compiling_says_what_would_be_touched_and_touches_nothing() {
    let bench = bench("WAL");
    let before = std::fs::read(bench.path()).expect("reads");
    let compile = |sql: &str| bench.act.sqlite_compile(&bench.path(), sql);
    let compiled =
        compile("UPDATE orders SET what = ?; DELETE FROM customer WHERE id = ?; SELECT 1").expect("it is SQL");
    assert_eq!((compiled.statements, compiled.parameters, compiled.unchecked), (3, 2, None));
    assert_eq!(
        compiled.effects,
        ["updates orders", "deletes from customer", "deletes from orders"],
        "the last by cascade"
    );
    let later = compile("CREATE TABLE late (x); INSERT INTO late VALUES (1)").expect("nobody can tell yet");
    assert_eq!(later.effects, ["creates table late"]);
    assert_eq!(later.unchecked.as_deref(), Some("no such table: late"));
    assert_eq!(compile("INSERT INTO late VALUES (1)").expect_err("no such table").message, "no such table: late");
    assert_eq!(compile("ATTACH 'x' AS y").expect_err("refused").kind, Kind::Invalid);
    assert!(std::fs::read(bench.path()).expect("reads") == before);
    let rows: SqliteRows = bench
        .act
        .sqlite_query(&bench.path(), "SELECT 1 FROM orders", &[], Duration::from_secs(9))
        .await
        .expect("answers");
    assert_eq!(rows.rows.len(), 3, "libSQL's own interface still works");
}
