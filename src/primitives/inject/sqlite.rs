//! `inject` on a database that is a SQLite file: `delete`, `corrupt`.

use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};

use crate::model::{Applied, Fault, IdempotencyKey};
use crate::primitives::Reconciled;
use crate::primitives::targets::SqliteDatabase;
use crate::system::{Act, Look};

use super::garbage::{Garbage, middle};
use super::strike::{failed, presence, size};
use super::{Aim, Args, FaultName, Record, Strike};

/// The files that SQLite keeps beside a database. What is left of them would be taken into a database that is restored.
const COMPANIONS: [&str; 3] = ["-wal", "-shm", "-journal"];
/// The length of a database's header, in bytes.
const HEADER: u64 = 100;
/// How much of the middle is overwritten when the script does not say, in bytes: four pages of the usual size.
const MIDDLE: u32 = 16 << 10;

fn companion(database: &Path, suffix: &str) -> PathBuf {
    let mut name = database.file_name().unwrap_or_default().to_os_string();
    name.push(suffix);
    database.with_file_name(name)
}

impl SqliteDatabase {
    fn len(&self, look: &Look) -> Result<u64, Fault> {
        let shown = self.path.display();
        if look.list(&self.path).is_ok() {
            return Err(failed(&self.name, format!("{shown} is a directory")).hint("is `path` of the database right?"));
        }
        look.len(&self.path).map_err(|error| match error.kind() {
            ErrorKind::NotFound => failed(&self.name, format!("{shown} is not there: nothing can be hit")),
            _ => failed(&self.name, format!("cannot read {shown}: {error}")),
        })
    }

    /// The companions first: as long as the database is there, the fault counts as not brought about and is repeated.
    fn delete(&self, act: &Act) -> Result<(), Fault> {
        let mut removed = false;
        let companions = COMPANIONS.map(|suffix| companion(&self.path, suffix));
        for path in companions.iter().chain([&self.path]) {
            match act.remove_file(path) {
                Ok(()) => removed = true,
                Err(error) if error.kind() == ErrorKind::NotFound => {}
                Err(error) => {
                    let applied = if removed { Applied::Yes } else { Applied::No };
                    return Err(
                        failed(&self.name, format!("cannot remove {}: {error}", path.display())).applied(applied)
                    );
                }
            }
        }
        let directory = self.path.parent().filter(|p| !p.as_os_str().is_empty()).unwrap_or(Path::new("."));
        act.sync_directory(directory).map_err(|error| {
            failed(&self.name, format!("cannot flush {}: {error}", directory.display())).applied(Applied::Yes)
        })
    }

    /// The header last: it is what proves that the rest was overwritten before. All of the write-ahead log goes too, or SQLite
    /// would take whole pages from there, and a program that has the database open would fold them into it and heal the harm;
    /// twice, because such a program may write in between.
    fn corrupt(&self, args: &Args, act: &Act, key: &IdempotencyKey) -> io::Result<u64> {
        let len = act.len(&self.path)?;
        let middle = middle(HEADER, len, args.bytes.unwrap_or(MIDDLE).into());
        let wal = companion(&self.path, "-wal");
        let log_and_header = || {
            if let Ok(len) = act.len(&wal) {
                match Garbage::of(key, "wal").overwrite(&wal, &(0..len), act) {
                    // Whoever had the database open has noticed, and has closed it: SQLite takes the log away then.
                    Err(error) if error.kind() == ErrorKind::NotFound => {}
                    written => written?,
                }
            }
            Garbage::of(key, "header").overwrite(&self.path, &(0..len.min(HEADER)), act)
        };
        // The log before the header: it is the header's time by which programs notice.
        log_and_header()?;
        Garbage::of(key, "middle").overwrite(&self.path, &middle, act)?;
        log_and_header()?;
        Ok(middle.end - middle.start)
    }
}

impl Strike for SqliteDatabase {
    fn name(&self) -> &str {
        &self.name
    }

    fn faults(&self) -> &'static [FaultName] {
        &[FaultName::Delete, FaultName::Corrupt]
    }

    fn record(&self, _: &Args) -> Result<PathBuf, Fault> {
        Ok(Record::beside(&self.path))
    }

    fn aim(&self, args: &Args, look: &Look) -> Result<Aim, Fault> {
        let (len, shown) = (self.len(look)?, self.path.display());
        let mark = self.path.to_string_lossy().into_owned();
        let beside: Vec<_> = COMPANIONS.into_iter().filter(|s| look.exists(&companion(&self.path, s))).collect();
        let beside = if beside.is_empty() { String::new() } else { format!(" and its {}", beside.join(", ")) };
        let held = "programs that have it open may go on for a while with what they hold".to_owned();
        let summary = if args.fault == FaultName::Delete {
            format!("delete {shown} ({}){beside}", size(len))
        } else if len == 0 {
            return Err(failed(&self.name, format!("{shown} is empty: nothing can be corrupted")));
        } else {
            let middle = middle(HEADER, len, args.bytes.unwrap_or(MIDDLE).into());
            let overwritten = size(middle.end - middle.start);
            format!("overwrite the header and {overwritten} in the middle of {shown} ({})", size(len))
        };
        Ok(Aim { mark, summary, already: false, notes: vec![held] })
    }

    async fn strike(&self, args: &Args, mark: &str, act: &Act, key: &IdempotencyKey) -> Result<String, Fault> {
        if args.fault == FaultName::Delete {
            return self.delete(act).map(|()| format!("deleted {mark}"));
        }
        // Which of the writes failed is not known here; some may have been made.
        let overwritten = self.corrupt(args, act, key).map_err(|error| {
            failed(&self.name, format!("cannot overwrite {mark}: {error}")).applied(Applied::Unknown)
        })?;
        Ok(format!("overwrote the header and {} in the middle of {mark}", size(overwritten)))
    }

    fn was_struck(&self, args: &Args, record: &Record, look: &Look) -> Reconciled<()> {
        if args.fault == FaultName::Delete {
            return presence(&self.path, false, look);
        }
        let shown = self.path.display();
        let header = look.len(&self.path).map(|len| 0..len.min(HEADER));
        match header.and_then(|range| Garbage::of(&record.idempotency_key, "header").fills(&self.path, &range, look)) {
            Ok(true) => Reconciled::Applied { output: (), evidence: format!("the header of {shown} is overwritten") },
            Ok(false) => Reconciled::NotApplied { evidence: format!("the header of {shown} is not overwritten") },
            Err(error) => Reconciled::Unknown { why: format!("cannot read {shown}: {error}") },
        }
    }
}

#[cfg(test)]
#[expect(clippy::disallowed_methods, reason = "tests set up and read the files that are hit")]
mod tests {
    use std::fs;
    use std::sync::Arc;

    use super::*;
    use crate::model::{Key, Segment, Symbol};
    use crate::primitives::inject::{Inject, Injected};
    use crate::primitives::{Driver, Preview};
    use crate::system::System;

    struct Db {
        dir: tempfile::TempDir,
        target: SqliteDatabase,
        act: Act,
    }

    fn database() -> Db {
        let dir = tempfile::tempdir().expect("a directory");
        let target = SqliteDatabase {
            name: "primary".to_owned(),
            path: dir.path().join("primary.db"),
            store: None,
            migrations: None,
        };
        let act = Act::grant(&Look::new(Arc::new(System::new(dir.path().join("scratch")))));
        Db { dir, target, act }
    }

    /// Some thousand rows, half of them still in the write-ahead log.
    async fn filled() -> (Db, libsql::Connection) {
        let db = database();
        let opened = libsql::Builder::new_local(&db.target.path).build().await.expect("opens");
        let rows = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 2000) \
                    INSERT INTO orders(note) SELECT hex(randomblob(50)) FROM n;";
        let connection = opened.connect().expect("connects");
        let setup = format!(
            "PRAGMA journal_mode=WAL; CREATE TABLE orders(id INTEGER PRIMARY KEY, note TEXT); {rows} \
             PRAGMA wal_checkpoint(TRUNCATE); {rows}"
        );
        connection.execute_batch(&setup).await.expect("fills");
        (db, connection)
    }

    async fn count(path: &Path) -> Result<i64, libsql::Error> {
        let connection = libsql::Builder::new_local(path).build().await?.connect()?;
        let mut rows = connection.query("SELECT count(*) FROM orders", ()).await?;
        rows.next().await?.expect("a row").get(0)
    }

    fn args(fault: FaultName) -> Args {
        Args { target: "primary".to_owned(), fault, database: None, bytes: None }
    }

    fn key(call: u32) -> IdempotencyKey {
        IdempotencyKey::new("run", &Key::ROOT.child(Segment::Call(call)))
    }

    impl Db {
        async fn preview(&self, args: &Args) -> Result<Preview, Fault> {
            Driver::<Inject>::preview(&self.target, args, &self.act).await
        }
        async fn perform(&self, args: &Args) -> Result<Injected, Fault> {
            Driver::<Inject>::perform(&self.target, args, &self.act, &key(0)).await
        }
        async fn reconcile(&self, args: &Args) -> Reconciled<Injected> {
            Driver::<Inject>::reconcile(&self.target, args, &self.act, &key(0)).await
        }
    }

    #[tokio::test]
    async fn deleting_leaves_no_file_that_a_restored_database_would_take_in() {
        let (db, _open) = filled().await;
        let preview = db.preview(&args(FaultName::Delete)).await.expect("it can be previewed");
        assert_eq!(preview.symbol, Symbol::Destroy);
        assert!(preview.summary.contains("primary.db (") && preview.summary.contains(" and its -wal, -shm"));
        assert_eq!(count(&db.target.path).await.expect("a preview changes nothing"), 4000);
        db.perform(&args(FaultName::Delete)).await.expect("it is deleted");
        let left: Vec<_> = fs::read_dir(db.dir.path()).expect("lists").flatten().map(|e| e.file_name()).collect();
        assert_eq!(left, [".primary.db.injected"]);
    }

    #[tokio::test]
    async fn a_second_attempt_at_deleting_finds_it_done() {
        let db = database();
        fs::write(&db.target.path, "x").expect("writes");
        assert!(matches!(db.reconcile(&args(FaultName::Delete)).await, Reconciled::NotApplied { .. }));
        let injected = db.perform(&args(FaultName::Delete)).await.expect("it is deleted");
        let again = db.perform(&args(FaultName::Delete)).await.expect("it has been deleted");
        assert_eq!(again.at_ms, injected.at_ms);
        let settled = db.reconcile(&args(FaultName::Delete)).await;
        assert!(matches!(settled, Reconciled::Applied { output, .. } if output.at == injected.at));
    }

    #[tokio::test]
    async fn a_corrupted_database_cannot_be_read_though_its_log_is_whole() {
        let (db, open) = filled().await;
        // As after a crash of the service: its log is left behind, and nobody has it open.
        let copy = SqliteDatabase { path: db.dir.path().join("copy.db"), ..db.target.clone() };
        for suffix in ["", "-wal"] {
            fs::copy(companion(&db.target.path, suffix), companion(&copy.path, suffix)).expect("copies");
        }
        drop(open);
        let corrupt = args(FaultName::Corrupt);
        let injected = Driver::<Inject>::perform(&copy, &corrupt, &db.act, &key(0)).await.expect("it is corrupted");
        assert!(injected.detail.starts_with("overwrote the header and 16.3 kB in the middle"), "{}", injected.detail);
        let error = count(&copy.path).await.expect_err("it cannot be read");
        assert!(error.to_string().contains("not a database"), "{error}");
    }

    #[tokio::test]
    async fn a_corrupted_database_cannot_be_healed_by_a_program_that_has_it_open() {
        let (db, open) = filled().await;
        db.perform(&args(FaultName::Corrupt)).await.expect("it is corrupted");
        // The last one to close a database folds its log into it.
        drop(open);
        let error = count(&db.target.path).await.expect_err("it cannot be read");
        assert!(error.to_string().contains("not a database"), "{error}");
    }

    #[tokio::test]
    async fn the_log_alone_would_have_hidden_the_harm() {
        let (db, open) = filled().await;
        let copy = db.dir.path().join("copy.db");
        for suffix in ["", "-wal"] {
            fs::copy(companion(&db.target.path, suffix), companion(&copy, suffix)).expect("copies");
        }
        drop(open);
        Garbage::of(&key(0), "header").overwrite(&copy, &(0..HEADER), &db.act).expect("overwrites");
        assert_eq!(count(&copy).await.expect("page 1 comes from the log"), 4000);
    }

    #[tokio::test]
    async fn corrupting_keeps_the_length_and_is_recognised() {
        let db = database();
        fs::write(&db.target.path, vec![0; 50_000]).expect("writes");
        let corrupt = Args { bytes: Some(64), ..args(FaultName::Corrupt) };
        assert!(matches!(db.reconcile(&corrupt).await, Reconciled::NotApplied { .. }));
        db.perform(&corrupt).await.expect("it is corrupted");
        let once = fs::read(&db.target.path).expect("reads");
        // Some garbage is zero as well.
        let harmed = (100..50_000).filter(|at| once[*at] != 0).collect::<Vec<_>>();
        assert_eq!(once.len(), 50_000);
        assert!(once[..100].iter().any(|b| *b != 0) && !harmed.is_empty());
        assert!(harmed.iter().all(|at| (25_018..25_082).contains(at)), "{harmed:?}");
        assert!(matches!(db.reconcile(&corrupt).await, Reconciled::Applied { .. }));
        fs::write(&db.target.path, vec![0; 50_000]).expect("as if the crash had come before");
        assert!(matches!(db.reconcile(&corrupt).await, Reconciled::NotApplied { .. }));
        db.perform(&corrupt).await.expect("it is repeated");
        assert_eq!(fs::read(&db.target.path).expect("reads"), once);
    }

    #[tokio::test]
    async fn what_cannot_be_hit_is_a_fault_in_the_plan() {
        let db = database();
        for fault in [FaultName::Delete, FaultName::Corrupt] {
            let foreseen = db.preview(&args(fault)).await.expect_err("nothing is there");
            assert!(foreseen.message.contains("is not there"), "{}", foreseen.message);
            assert_eq!(db.perform(&args(fault)).await, Err(foreseen));
        }
        fs::write(&db.target.path, "").expect("writes");
        let fault = db.perform(&args(FaultName::Corrupt)).await.expect_err("nothing to corrupt");
        assert!(fault.message.contains("is empty"), "{}", fault.message);
        let fault = db.perform(&args(FaultName::Kill)).await.expect_err("a file has no process");
        assert_eq!(
            (fault.code.as_str(), fault.hint.as_deref()),
            ("not-supported", Some("faults for primary: delete, corrupt"))
        );
        let few = Args { bytes: Some(15), ..args(FaultName::Corrupt) };
        assert_eq!(db.perform(&few).await.expect_err("too few").code, "argument");
    }
}
