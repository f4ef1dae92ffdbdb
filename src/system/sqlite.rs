//! Questions to SQLite and libSQL files, for reading only.
//!
//! A question can neither change the file nor reach another one: it is opened read-only, only statements that read are let
//! through, and `ATTACH` (which `VACUUM INTO` uses too) is refused. It ends at its timeout, whatever it does. What SQLite itself
//! does when a file in WAL mode is read (it keeps a `-wal` and a `-shm` file beside it) happens here too, as with any reader.
//!
//! The file is never opened in any other way: closing a second descriptor would drop the locks that this process holds on it.

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use libsql::{Builder, Connection, OpenFlags};
use tokio::task::JoinHandle;

use super::Cancel;
use super::sqlite_error::{SqliteError, SqliteErrorKind as Kind, file_error};
use super::sqlite_rows::{SqliteRows, collect, parameter};
use super::sqlite_rules::{authorize, check_statement};
use crate::model::Value;

/// How many times an interrupt is repeated, [`INTERRUPT_PAUSE`] apart, before a question is left to itself.
const INTERRUPTS: u32 = 100;
const INTERRUPT_PAUSE: Duration = Duration::from_millis(20);

/// What the thread that asks shares with the task that watches it.
#[derive(Default)]
struct Progress {
    connection: OnceLock<Connection>,
    /// The file was opened and its schema read.
    opened: AtomicBool,
    /// The answer is no longer wanted.
    stopped: AtomicBool,
}

struct Question {
    path: PathBuf,
    sql: String,
    params: Vec<libsql::Value>,
    timeout: Duration,
}

pub(super) async fn query(
    path: &Path,
    sql: &str,
    params: &[Value],
    timeout: Duration,
    cancel: Cancel,
) -> Result<SqliteRows, SqliteError> {
    check_statement(sql).map_err(|why| SqliteError::new(Kind::Invalid, why))?;
    let params = params.iter().map(parameter).collect::<Result<_, _>>()?;
    let question = Question { path: path.to_owned(), sql: sql.to_owned(), params, timeout };
    let progress = Arc::new(Progress::default());
    let shared = progress.clone();
    // libSQL's local futures never pend, but they block: they get a thread.
    let work = tokio::task::spawn_blocking(move || tokio::runtime::Handle::current().block_on(question.ask(&shared)));
    // A task of its own: it goes on when whoever asked stops waiting, so that no question outlives its time.
    let watched = tokio::spawn(watch(work, progress, timeout, cancel)).await;
    watched.unwrap_or_else(|_| Err(SqliteError::new(Kind::Interrupted, "interrupted")))
}

/// Waits for the answer, and ends the question when its time is over or the run is asked to stop.
async fn watch(
    mut work: JoinHandle<Result<SqliteRows, SqliteError>>,
    progress: Arc<Progress>,
    timeout: Duration,
    cancel: Cancel,
) -> Result<SqliteRows, SqliteError> {
    let why = tokio::select! {
        done = &mut work => return done.unwrap_or_else(|_| {
            // The only panic known: libSQL unwraps text that SQLite says is text and is not UTF-8.
            Err(SqliteError::new(Kind::Sql, "the answer cannot be read: it has text that is not UTF-8"))
        }),
        () = tokio::time::sleep(timeout) => Kind::TimedOut,
        () = cancel.wait() => Kind::Interrupted,
    };
    progress.stopped.store(true, Ordering::SeqCst);
    // An interrupt that comes between two statements is lost, hence the repetition.
    for _ in 0..INTERRUPTS {
        if let Some(connection) = progress.connection.get() {
            let _ = connection.interrupt();
        }
        if tokio::time::timeout(INTERRUPT_PAUSE, &mut work).await.is_ok() {
            break;
        }
    }
    Err(match why {
        Kind::TimedOut if progress.opened.load(Ordering::SeqCst) => SqliteError::new(why, "timed out"),
        Kind::TimedOut => SqliteError::new(Kind::Unreadable, "timed out before the file could be read"),
        _ => SqliteError::new(why, "interrupted"),
    })
}

impl Question {
    async fn ask(self, progress: &Progress) -> Result<SqliteRows, SqliteError> {
        let Self { path, sql, params, timeout } = self;
        check_file(&path)?;
        let error = |error: libsql::Error| SqliteError::of(&path, &error);
        let file = Builder::new_local(&path).flags(OpenFlags::SQLITE_OPEN_READ_ONLY).build().await.map_err(error)?;
        let connection = file.connect().map_err(error)?;
        let _ = progress.connection.set(connection.clone());
        // Half of the time for locks: a file that is locked is reported as locked, not as one that does not answer.
        connection.busy_timeout((timeout / 2).min(Duration::from_secs(86_400))).map_err(error)?;
        connection.execute("PRAGMA query_only = 1", ()).await.map_err(error)?;
        let mut schema = connection.query("SELECT 1 FROM sqlite_schema LIMIT 1", ()).await.map_err(error)?;
        schema.next().await.map_err(error)?;
        drop(schema);
        progress.opened.store(true, Ordering::SeqCst);
        connection.authorizer(Some(Arc::new(authorize))).map_err(error)?;
        let statement = connection.prepare(&sql).await.map_err(error)?;
        if progress.stopped.load(Ordering::SeqCst) {
            return Err(SqliteError::new(Kind::Interrupted, "interrupted"));
        }
        let wanted = statement.parameter_count();
        if wanted != params.len() {
            let message = format!("the query takes {wanted} parameters, {} were given", params.len());
            return Err(SqliteError::new(Kind::Invalid, message));
        }
        collect(&statement, params, &path).await
    }
}

/// Without opening it: see the module's description. A file without bytes would count as a database without tables.
pub(super) fn check_file(path: &Path) -> Result<(), SqliteError> {
    let shown = path.display();
    let metadata = std::fs::metadata(path).map_err(|error| file_error(path, &error))?;
    if !metadata.is_file() {
        return Err(SqliteError::new(Kind::NotADatabase, format!("{shown} is not a file")));
    }
    rustix::fs::access(path, rustix::fs::Access::READ_OK).map_err(|error| file_error(path, &error.into()))?;
    if metadata.len() == 0 {
        return Err(SqliteError::new(Kind::NotADatabase, format!("{shown} is empty")));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::system::{Look, System};

    /// A database with one table, three rows, in a directory that goes with it.
    async fn orders() -> (tempfile::TempDir, PathBuf, Connection) {
        let dir = tempfile::tempdir().expect("a directory");
        let path = dir.path().join("orders.db");
        let connection = Builder::new_local(&path).build().await.expect("makes").connect().expect("connects");
        let schema = "CREATE TABLE orders (id INTEGER PRIMARY KEY, what TEXT, price REAL, proof BLOB);
            INSERT INTO orders VALUES (1, 'rope', 1.5, x'00ff'), (2, 'oar', 2, NULL), (3, 'it''s', 3, x'');";
        connection.execute_batch(schema).await.expect("fills");
        (dir, path, connection)
    }

    fn look() -> Look {
        Look::new(Arc::new(System::new(PathBuf::new())))
    }

    async fn ask(path: &Path, sql: &str) -> Result<SqliteRows, SqliteError> {
        look().sqlite_query(path, sql, &[], Duration::from_secs(10)).await
    }

    async fn refused(path: &Path, sql: &str) -> (Kind, String) {
        let error = ask(path, sql).await.expect_err(sql);
        (error.kind, error.message)
    }

    #[tokio::test]
    async fn rows_come_with_columns_in_order_and_values_of_their_kind() {
        let (_dir, path, _open) = orders().await;
        let rows = ask(&path, "SELECT what, id, price, proof FROM orders ORDER BY id; -- done").await.expect("answers");
        assert_eq!(rows.columns, ["what", "id", "price", "proof"]);
        assert_eq!(rows.rows[0], [Value::from("rope"), Value::Int(1), Value::Float(1.5), Value::from("00ff")]);
        assert_eq!(rows.rows[1][3], Value::Null);
        assert_eq!(rows.first(), Some(&Value::from("rope")));
    }

    #[tokio::test]
    async fn parameters_are_bound_and_counted() {
        let (_dir, path, _open) = orders().await;
        let sql = "SELECT count(*) FROM orders WHERE what = ? AND id < ?";
        let find = async |params: &[Value]| look().sqlite_query(&path, sql, params, Duration::from_secs(10)).await;
        let found = find(&[Value::from("it's"), Value::Int(9)]).await.expect("answers");
        assert_eq!(found.first(), Some(&Value::Int(1)));
        let error = find(&[Value::from("it's")]).await.expect_err("one is missing");
        assert_eq!((error.kind, error.message.as_str()), (Kind::Invalid, "the query takes 2 parameters, 1 were given"));
        let error = find(&[Value::List(vec![]), Value::Int(1)]).await.expect_err("a list is no parameter");
        assert!(error.message.contains("array"), "{error}");
    }

    #[tokio::test]
    async fn nothing_can_be_written_and_no_other_file_reached() {
        let (dir, path, _open) = orders().await;
        let before = std::fs::read(&path).expect("reads");
        let other = dir.path().join("other.db");
        for sql in [
            "DELETE FROM orders".to_owned(),
            "WITH old AS (SELECT 1 AS id) DELETE FROM orders WHERE id IN (SELECT id FROM old)".to_owned(),
            "WITH x AS (SELECT 1) INSERT INTO orders (id) SELECT 9".to_owned(),
            "CREATE TABLE t (x)".to_owned(),
            "CREATE TEMP TABLE t (x)".to_owned(),
            "BEGIN IMMEDIATE".to_owned(),
            "PRAGMA user_version = 7".to_owned(),
            "PRAGMA wal_checkpoint(TRUNCATE)".to_owned(),
            "PRAGMA journal_mode = WAL".to_owned(),
            "PRAGMA query_only = 0".to_owned(),
            "SELECT load_extension('x')".to_owned(),
            format!("ATTACH '{}' AS other", other.display()),
            format!("VACUUM INTO '{}'", other.display()),
            "SELECT 1; DELETE FROM orders".to_owned(),
        ] {
            assert_eq!(refused(&path, &sql).await.0, Kind::Invalid, "{sql}");
        }
        assert_eq!(std::fs::read(&path).expect("reads"), before);
        assert!(!other.exists());
    }

    #[tokio::test]
    async fn pragmas_that_ask_are_answered() {
        let (_dir, path, _open) = orders().await;
        for (sql, answer) in [
            ("PRAGMA quick_check(1)", Value::from("ok")),
            ("PRAGMA user_version", Value::Int(0)),
            ("SELECT name FROM pragma_table_info('orders')", Value::from("id")),
        ] {
            assert_eq!(ask(&path, sql).await.expect(sql).first(), Some(&answer));
        }
    }

    #[tokio::test]
    async fn a_wal_left_by_a_crash_is_read_and_the_database_left_alone() {
        let (dir, path, open) = orders().await;
        open.query("PRAGMA journal_mode = WAL", ()).await.expect("changes");
        open.execute("INSERT INTO orders (id) VALUES (4)", ()).await.expect("inserts");
        let crashed = dir.path().join("crashed.db");
        for end in ["", "-wal"] {
            let name = |base: &Path| PathBuf::from(format!("{}{end}", base.display()));
            std::fs::copy(name(&path), name(&crashed)).expect("copies");
        }
        let files = || [crashed.clone(), dir.path().join("crashed.db-wal")].map(|p| std::fs::read(p).expect("reads"));
        let before = files();
        let count = ask(&crashed, "SELECT count(*) FROM orders").await.expect("answers");
        assert_eq!(count.first(), Some(&Value::Int(4)));
        assert!(files() == before);
    }

    #[tokio::test]
    async fn what_is_no_database_is_named() {
        let (dir, path, open) = orders().await;
        let at = |name: &str| dir.path().join(name);
        assert_eq!(
            refused(&at("none.db"), "SELECT 1").await,
            (Kind::Missing, format!("{} does not exist", at("none.db").display()))
        );
        assert!(!at("none.db").exists());
        assert_eq!(refused(dir.path(), "SELECT 1").await.0, Kind::NotADatabase);
        std::fs::write(at("empty.db"), b"").expect("writes");
        assert_eq!(refused(&at("empty.db"), "SELECT 1").await.0, Kind::NotADatabase);
        std::fs::write(at("text.db"), "not a database, but long enough to have a header".repeat(100)).expect("writes");
        assert_eq!(
            refused(&at("text.db"), "SELECT 1").await,
            (Kind::NotADatabase, format!("{} is not a database", at("text.db").display()))
        );

        let rows = "INSERT INTO orders (what) SELECT hex(randomblob(500)) FROM json_each('[1,2,3,4,5,6,7,8,9]')";
        open.execute(rows, ()).await.expect("grows");
        let mut bytes = std::fs::read(&path).expect("reads");
        bytes[4096..].fill(0xee);
        std::fs::write(at("torn.db"), bytes).expect("writes");
        let (kind, message) = refused(&at("torn.db"), "SELECT sum(length(what)) FROM orders").await;
        assert_eq!(kind, Kind::Corrupt, "{message}");
    }

    #[tokio::test]
    async fn a_question_that_never_ends_is_ended() {
        let (_dir, path, _open) = orders().await;
        let forever = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT count(*) FROM n";
        let error = look().sqlite_query(&path, forever, &[], Duration::from_millis(50)).await.expect_err("ends");
        assert_eq!(error.kind, Kind::TimedOut);
        assert!(error.kind.answered());

        let system = Arc::new(System::new(PathBuf::new()));
        system.cancel.request();
        let error = Look::new(system).sqlite_query(&path, forever, &[], Duration::from_secs(600)).await;
        assert_eq!(error.expect_err("is interrupted").kind, Kind::Interrupted);
    }

    #[tokio::test]
    async fn a_locked_database_is_locked_and_not_gone() {
        let (_dir, path, open) = orders().await;
        open.execute("BEGIN EXCLUSIVE", ()).await.expect("locks");
        let error = look().sqlite_query(&path, "SELECT 1", &[], Duration::from_millis(200)).await.expect_err("waits");
        assert_eq!(error.kind, Kind::Locked);
        assert!(error.kind.answered());
    }

    #[tokio::test]
    async fn answers_are_bounded() {
        let (_dir, path, _open) = orders().await;
        let many = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n LIMIT 10001) SELECT i FROM n";
        assert!(refused(&path, many).await.1.contains("more than 10,000 rows"));
        assert!(refused(&path, "SELECT hex(zeroblob(9000000))").await.1.contains("more than 16 MiB"));
    }

    #[tokio::test]
    async fn mistakes_of_the_query_are_told_from_the_database_s_own() {
        let (_dir, path, _open) = orders().await;
        assert_eq!(refused(&path, "SELECT FROM WHERE").await.0, Kind::Invalid);
        assert_eq!(refused(&path, "SELECT 'abc").await.0, Kind::Invalid);
        assert_eq!(refused(&path, "SELECT * FROM nowhere").await, (Kind::Sql, "no such table: nowhere".to_owned()));
        assert_eq!(refused(&path, "SELECT CAST(x'ff' AS TEXT)").await.0, Kind::Sql);
    }

    #[tokio::test]
    async fn a_write_that_was_cut_short_waits_for_its_owner() {
        let (dir, path, open) = orders().await;
        open.execute("PRAGMA cache_size = 1", ()).await.expect("small cache, so that the transaction reaches the file");
        open.execute("BEGIN IMMEDIATE", ()).await.expect("begins");
        let rows = "INSERT INTO orders (what) SELECT hex(randomblob(2000)) FROM json_each('[1,2,3,4,5,6,7,8,9]')";
        open.execute(rows, ()).await.expect("inserts");
        let crashed = dir.path().join("crashed.db");
        for end in ["", "-journal"] {
            let name = |base: &Path| PathBuf::from(format!("{}{end}", base.display()));
            std::fs::copy(name(&path), name(&crashed)).expect("copies");
        }
        assert_eq!(refused(&crashed, "SELECT count(*) FROM orders").await.0, Kind::NeedsRecovery);
    }
}
