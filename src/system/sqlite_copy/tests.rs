//! Copies of real databases, some of them in use.

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};

use tempfile::TempDir;

use super::*;
use crate::system::System;

struct Bench {
    dir: TempDir,
    act: Act,
}

impl Bench {
    fn new() -> Self {
        let dir = tempfile::tempdir().expect("a directory");
        let act = Act::grant(&Look::new(Arc::new(System::new(dir.path().join("scratch")))));
        Self { dir, act }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    /// A database of 200 accounts with 100 each, and enough ballast for many steps.
    fn bank(&self, journal: &str) -> PathBuf {
        let path = self.path("bank.db");
        let raw = Raw::open(&path, Open::Own).expect("opens");
        run(&raw, &format!("PRAGMA journal_mode = {journal}"));
        run(&raw, "CREATE TABLE account(id INTEGER PRIMARY KEY, amount INTEGER, ballast BLOB)");
        run(
            &raw,
            "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 200)
             INSERT INTO account SELECT i, 100, randomblob(60000) FROM n",
        );
        run(&raw, "PRAGMA user_version = 7");
        path
    }

    fn copy(&self, from: &Path) -> Result<CopyReport, CopyError> {
        self.act.sqlite_copy(from, &self.path("copy.db"), &mut |_, _| ControlFlow::Continue(()))
    }

    fn check(&self, path: &Path) -> SqliteCheck {
        self.act.sqlite_check(path, CheckDepth::Full, &|| false).expect("checks")
    }
}

fn run(raw: &Raw, sql: &str) -> Vec<String> {
    raw.rows(sql, &|| false).expect(sql).into_iter().flatten().collect()
}

fn sum(path: &Path) -> Vec<String> {
    run(&Raw::open(path, Open::Still).expect("opens"), "SELECT sum(amount) FROM account")
}

/// Moves money between accounts, in transactions that keep the sum, until told to stop. Returns how many it made.
fn writer(path: PathBuf, stop: Arc<AtomicBool>, made: Arc<AtomicU32>) -> std::thread::JoinHandle<()> {
    std::thread::spawn(move || {
        let raw = Raw::open(&path, Open::Own).expect("opens");
        let transfer = |n: u32| -> Result<(), raw::RawError> {
            let never = || false;
            raw.rows("BEGIN IMMEDIATE", &never)?;
            raw.rows(&format!("UPDATE account SET amount = amount - {n} WHERE id = {}", 1 + n % 200), &never)?;
            raw.rows(&format!("UPDATE account SET amount = amount + {n} WHERE id = {}", 200 - n % 200), &never)?;
            raw.rows("COMMIT", &never)?;
            Ok(())
        };
        for n in 0.. {
            if stop.load(Ordering::SeqCst) {
                break;
            }
            match transfer(n) {
                Ok(()) => drop(made.fetch_add(1, Ordering::SeqCst)),
                Err(_) => drop(raw.rows("ROLLBACK", &|| false)),
            }
        }
    })
}

/// Copies while the writer writes; the first `waits` steps are each followed by at least one transaction.
fn copy_under_load(journal: &str, waits: u32) -> CopyReport {
    let bench = Bench::new();
    let bank = bench.bank(journal);
    let (stop, made) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicU32::new(0)));
    let writing = writer(bank.clone(), stop.clone(), made.clone());
    let mut steps = 0;
    let report = bench.act.sqlite_copy(&bank, &bench.path("copy.db"), &mut |_, _| {
        steps += 1;
        let seen = made.load(Ordering::SeqCst);
        while steps <= waits && made.load(Ordering::SeqCst) == seen {
            std::thread::yield_now();
        }
        ControlFlow::Continue(())
    });
    stop.store(true, Ordering::SeqCst);
    writing.join().expect("the writer ends");
    let copy = bench.path("copy.db");
    assert_eq!(bench.check(&copy).problems, Vec::<String>::new());
    assert_eq!(sum(&copy), ["20000"]);
    assert!(!bench.path("copy.db-wal").exists() && !bench.path("copy.db-journal").exists());
    report.expect("copies")
}

#[test]
fn a_copy_of_a_wal_database_in_use_is_consistent_and_never_starts_again() {
    let report = copy_under_load("WAL", 3);
    assert_eq!((report.restarts, report.journal), (0, JournalMode::Wal));
}

#[test]
fn a_copy_of_a_database_with_a_rollback_journal_starts_again_a_few_times_and_then_makes_writers_wait() {
    let report = copy_under_load("DELETE", RESTARTS + 1);
    assert_eq!(report.journal, JournalMode::Rollback);
    assert!((RESTARTS..=RESTARTS + 1).contains(&report.restarts), "{report:?}");
}

#[test]
fn a_copy_leaves_the_bytes_of_its_source_as_they_are() {
    let bench = Bench::new();
    let bank = bench.bank("WAL");
    // A writer that has not checkpointed: its last transactions are in the log alone.
    let other = Raw::open(&bank, Open::Own).expect("opens");
    run(&other, "UPDATE account SET amount = 0 WHERE id = 1");
    run(&other, "UPDATE account SET amount = 200 WHERE id = 2");
    let bytes = || ["bank.db", "bank.db-wal"].map(|name| std::fs::read(bench.path(name)).expect("reads"));
    let before = bytes();
    assert!(!before[1].is_empty());
    bench.copy(&bank).expect("copies");
    assert!(bytes() == before);
    assert_eq!(sum(&bench.path("copy.db")), ["20000"]);
}

#[test]
fn the_last_to_close_does_not_checkpoint_a_log_that_a_crash_left() {
    let bench = Bench::new();
    let bank = bench.bank("WAL");
    let writer = Raw::open(&bank, Open::Own).expect("opens");
    run(&writer, "UPDATE account SET amount = 150 WHERE id = 1");
    run(&writer, "UPDATE account SET amount = 50 WHERE id = 2");
    let crashed = bench.path("crashed.db");
    for suffix in ["", "-wal"] {
        let name = |base: &Path| PathBuf::from(format!("{}{suffix}", base.display()));
        std::fs::copy(name(&bank), name(&crashed)).expect("copies");
    }
    let bytes = || ["crashed.db", "crashed.db-wal"].map(|name| std::fs::read(bench.path(name)).expect("reads"));
    let before = bytes();
    bench.copy(&crashed).expect("copies");
    assert!(bytes() == before);
    let copied = Raw::open(&bench.path("copy.db"), Open::Still).expect("opens");
    assert_eq!(run(&copied, "SELECT amount FROM account WHERE id = 1"), ["150"]);
}

#[test]
fn a_copy_keeps_journal_mode_and_version() {
    let bench = Bench::new();
    let report = bench.copy(&bench.bank("WAL")).expect("copies");
    let header = bench.act.sqlite_header(&bench.path("copy.db")).expect("reads");
    assert_eq!((header.journal, header.user_version), (JournalMode::Wal, 7));
    assert_eq!(header.len, report.pages * u64::from(report.page_size));
    assert_eq!(bench.check(&bench.path("copy.db")).tables, ["account"]);
}

#[test]
fn a_copy_can_be_stopped_and_leaves_nothing() {
    let bench = Bench::new();
    let bank = bench.bank("WAL");
    let stopped = bench.act.sqlite_copy(&bank, &bench.path("copy.db"), &mut |done, all| {
        assert!(done < all);
        ControlFlow::Break(())
    });
    assert_eq!(stopped, Err(CopyError::Stopped));
    assert!(!bench.path("copy.db").exists());
}

#[test]
fn looking_at_the_header_leaves_no_trace() {
    let bench = Bench::new();
    let bank = bench.bank("WAL");
    let names = || bench.act.list(bench.dir.path()).expect("lists");
    let before = names();
    assert_eq!(bench.act.sqlite_header(&bank).expect("reads").journal, JournalMode::Wal);
    assert_eq!(names(), before);
}

#[test]
fn what_is_no_database_is_named() {
    let bench = Bench::new();
    let missing = bench.path("missing.db");
    assert_eq!(bench.copy(&missing), Err(CopyError::Missing(missing.clone())));
    assert!(!missing.exists());
    let write = |bytes: &[u8]| {
        let path = bench.path("odd %41?#.db");
        std::fs::write(&path, bytes).expect("writes");
        bench.copy(&path).expect_err("no database").to_string()
    };
    assert!(write(b"").ends_with("is empty (0 bytes)"));
    assert!(write(b"hello").ends_with("odd %41?#.db is not a SQLite database"));
    let mut bytes = std::fs::read(bench.bank("DELETE")).expect("reads");
    bytes.truncate(bytes.len() / 2);
    assert!(write(&bytes).contains("is damaged: it has"));
    assert!(write(&[0; 4096]).ends_with("is not a SQLite database"));
}

#[test]
fn a_check_finds_damage_and_rows_that_point_nowhere() {
    let bench = Bench::new();
    let path = bench.path("shop.db");
    let raw = Raw::open(&path, Open::Own).expect("opens");
    run(&raw, "PRAGMA foreign_keys = OFF");
    run(&raw, "CREATE TABLE customer(id INTEGER PRIMARY KEY)");
    run(&raw, "CREATE TABLE purchase(id INTEGER PRIMARY KEY, who INTEGER REFERENCES customer, note TEXT)");
    run(&raw, "CREATE INDEX by_note ON purchase(note)");
    run(
        &raw,
        "INSERT INTO purchase SELECT value, value, printf('%0500d', value) FROM json_each('[1,2,3,4,5,6,7,8,9]')",
    );
    drop(raw);
    let check = bench.check(&path);
    assert_eq!((check.problems, check.foreign_keys), (vec![], vec!["9 × purchase → customer".to_owned()]));
    let mut bytes = std::fs::read(&path).expect("reads");
    let last = bytes.len() - 300;
    bytes[last..].fill(0x5a);
    std::fs::write(&path, bytes).expect("writes");
    assert!(!bench.check(&path).problems.is_empty());
}

#[tokio::test]
async fn the_libsql_crate_still_works_after_a_copy() {
    // It panics if SQLite was used before it could set the threading mode. Tests run in processes of their own.
    let bench = Bench::new();
    bench.copy(&bench.bank("DELETE")).expect("copies");
    let database = libsql::Builder::new_local(bench.path("copy.db")).build().await.expect("opens");
    let mut rows = database.connect().expect("connects").query("SELECT count(*) FROM account", ()).await.expect("asks");
    let count: i64 = rows.next().await.expect("answers").expect("a row").get(0).expect("a number");
    assert_eq!(count, 200);
}
