//! Backups of SQLite files: copied online, compressed, named when everything is on the disk.

use std::ops::ControlFlow;
use std::path::{Path, PathBuf};

use jiff::Timestamp;

use crate::model::{Applied, Fault, IdempotencyKey, Symbol, Value};
use crate::primitives::store::{
    Layout, Manifest, Removed, Stock, Stop, Stored, code, compress, copy_fault, free_near, human, io_fault, off_reactor,
};
use crate::primitives::targets::SqliteDatabase;
use crate::primitives::{Driver, Evidence, Preview, Reconciled};
use crate::system::{Act, CheckDepth, CopyReport, Look, SqliteCheck};

use super::{Args, Backup, Output};

impl Driver<Backup> for SqliteDatabase {
    const EVIDENCE: Evidence = Evidence::Found("the manifest of the backup, which holds the idempotency key");

    async fn preview(&self, args: &Args, look: &Look) -> Result<Preview, Fault> {
        let store = self.store.as_ref().map_or("?", |store| store.name.as_str());
        let size = source_size(look, &self.path);
        let known = size.map_or_else(String::new, |size| format!(" ({})", human(size)));
        let mut preview = Preview::new(Symbol::Create, format!("{}{known} → {store}", self.name));
        let certain = [("target", args.target.as_str()), ("store", store)];
        preview.output = Value::Map(certain.map(|(name, value)| (name.to_owned(), Value::from(value))).into());
        let stock = match Stock::read(look, self) {
            Ok(stock) => stock,
            Err(fault) => return Ok(preview.fault(fault)),
        };
        preview.notes = stock.notes();
        let newest = stock.backups.first().map(|stored| format!(", the newest {}", stored.describe(look.now())));
        let count = |n: usize| if n == 1 { "1 backup".to_owned() } else { format!("{n} backups") };
        let now = stock.backups.len();
        preview = preview.states(format!("{}{}", count(now), newest.unwrap_or_default()), count(now + 1));
        let predicted = look
            .sqlite_header(&self.path)
            .map_err(|error| copy_fault(code::BACKUP_FAILED, &self.name, &error))
            .and_then(|_| enough_space(look, self, &stock.layout));
        Ok(match predicted {
            Ok(()) => preview,
            Err(fault) => preview.fault(fault),
        })
    }

    async fn perform(&self, _: &Args, act: &Act, key: &IdempotencyKey) -> Result<Output, Fault> {
        let (database, act, key) = (self.clone(), act.clone(), key.clone());
        off_reactor(&act.clone(), move |stop| take(&database, &act, &key, stop)).await
    }

    async fn reconcile(&self, _: &Args, look: &Look, key: &IdempotencyKey) -> Reconciled<Output> {
        match Stock::read(look, self) {
            Err(fault) => Reconciled::Unknown { why: fault.message },
            Ok(stock) => match stock.made_by(key) {
                Some(stored) => Reconciled::Applied {
                    output: output(&stock, stored),
                    evidence: format!("{} holds {}, made by this call", stock.store, stored.manifest.id),
                },
                None => Reconciled::NotApplied { evidence: format!("{} holds no backup of this call", stock.store) },
            },
        }
    }
}

fn output(stock: &Stock, stored: &Stored) -> Output {
    let manifest = &stored.manifest;
    Output {
        id: manifest.id.clone(),
        taken_at: manifest.taken_at.to_string(),
        size: manifest.raw_size,
        stored_size: manifest.stored_size,
        sha256: manifest.sha256_stored.clone(),
        target: manifest.target.clone(),
        store: stock.store.clone(),
    }
}

/// The bytes of the database and of its write-ahead log, without opening either.
fn source_size(look: &Look, path: &Path) -> Option<u64> {
    let mut log = path.as_os_str().to_owned();
    log.push("-wal");
    Some(look.len(path).ok()? + look.len(Path::new(&log)).unwrap_or(0))
}

/// The copy and what it is compressed to lie in the store together for a while; what cannot be compressed grows a little.
fn enough_space(look: &Look, database: &SqliteDatabase, layout: &Layout) -> Result<(), Fault> {
    let size = source_size(look, &database.path).unwrap_or(0);
    free_near(look, &database.name, &layout.root, size.saturating_mul(2).saturating_add(size / 256 + (1 << 20)))
}

fn take(database: &SqliteDatabase, act: &Act, key: &IdempotencyKey, stop: &Stop) -> Result<Output, Fault> {
    let stock = Stock::read(act, database)?;
    if let Some(stored) = stock.made_by(key) {
        return Ok(output(&stock, stored));
    }
    let (name, layout) = (database.name.as_str(), &stock.layout);
    act.sqlite_header(&database.path).map_err(|error| copy_fault(code::BACKUP_FAILED, name, &error))?;
    for left in stock.partial.iter().filter(|left| Layout::is_partial_of(left, key)) {
        // What cannot be removed takes up space, and the next line finds out whether that matters.
        let _ = act.remove_dir_all(&layout.root.join(left));
    }
    enough_space(act, database, layout)?;
    let id = Layout::id(act.now(), key);
    let partial = layout.partial(&id);
    let writing = |error| io_fault(code::BACKUP_FAILED, name, "write", &partial, &error);
    act.create_dir_all(&layout.root).map_err(writing)?;
    act.create_private_dir(&partial).map_err(writing)?;
    let unfinished = Removed::new(act, partial.clone());
    let manifest = fill(database, act, key, (&partial, id), stop)?;
    act.write_atomic(&partial.join("manifest.json"), &json(&manifest)).map_err(writing)?;
    stop.check(name)?;
    act.rename(&partial, &layout.backup(&manifest.id)).map_err(writing)?;
    unfinished.keep();
    // The name holds already; only whether it would outlive a power cut is unknown.
    let parents = [Some(layout.root.as_path()), layout.root.parent()];
    parents
        .into_iter()
        .flatten()
        .try_for_each(|directory| act.sync_directory(directory))
        .map_err(|error| io_fault(code::BACKUP_FAILED, name, "sync", &layout.root, &error).applied(Applied::Unknown))?;
    Ok(output(&stock, &Stored { manifest, verified: None }))
}

/// Copies, checks and compresses into the directory of an unfinished backup.
fn fill(
    database: &SqliteDatabase,
    act: &Act,
    key: &IdempotencyKey,
    (partial, id): (&PathBuf, String),
    stop: &Stop,
) -> Result<Manifest, Fault> {
    let name = database.name.as_str();
    let failed = |error: crate::system::CopyError| copy_fault(code::BACKUP_FAILED, name, &error);
    let raw = partial.join("raw.db");
    // A file of the copy is as private as its directory.
    let report = {
        let mut progress = act.copy_progress(&format!("copy {name}"), source_size(act, &database.path).unwrap_or(0));
        act.sqlite_copy(&database.path, &raw, &mut |done, _| {
            progress.at(done);
            if stop.asked() { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
        })
    }
    .map_err(failed)?;
    let check = act.sqlite_check(&raw, CheckDepth::Quick, &|| stop.asked()).map_err(failed)?;
    if let Some(problem) = check.problems.first() {
        let message = format!("{} is damaged: {problem}", database.path.display());
        return Err(Fault::new(code::DATABASE_CORRUPT, message)
            .on(name)
            .hint("a backup of it would be worth nothing: restore an earlier one"));
    }
    let archive = compress(act, name, &raw, &partial.join("data.zst"), stop)?;
    act.remove_file(&raw).map_err(|error| io_fault(code::BACKUP_FAILED, name, "remove", &raw, &error))?;
    manifest(database, act, key, id, (report, check, archive))
}

fn manifest(
    database: &SqliteDatabase,
    act: &Act,
    key: &IdempotencyKey,
    id: String,
    (report, check, archive): (CopyReport, SqliteCheck, crate::primitives::store::Archive),
) -> Result<Manifest, Fault> {
    let path = act.real_path(&database.path).unwrap_or_else(|_| database.path.clone());
    let ownership = act
        .ownership(&path)
        .map_err(|error| io_fault(code::BACKUP_FAILED, &database.name, "look at", &path, &error))?;
    Ok(Manifest {
        format: Manifest::FORMAT,
        id,
        target: database.name.clone(),
        driver: "sqlite".to_owned(),
        source: path.to_string_lossy().into_owned(),
        // Whole milliseconds, rounded down: what was committed before is still in it.
        taken_at: Timestamp::from_millisecond(report.taken_at.as_millisecond()).unwrap_or(report.taken_at),
        raw_size: archive.raw_size,
        stored_size: archive.stored_size,
        sha256_raw: archive.sha256_raw,
        sha256_stored: archive.sha256_stored,
        page_size: report.page_size,
        pages: report.pages,
        schema_version: check.user_version,
        schema_digest: check.schema,
        journal_mode: report.journal,
        ownership,
        idempotency_key: key.as_str().to_owned(),
        lifeboat: env!("CARGO_PKG_VERSION").to_owned(),
    })
}

fn json(manifest: &Manifest) -> Vec<u8> {
    serde_json::to_vec_pretty(manifest).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    #![expect(clippy::disallowed_methods, reason = "tests prepare and damage files")]

    use super::*;
    use crate::primitives::store::testing::Bench;

    fn args() -> Args {
        Args { target: "primary".to_owned() }
    }

    #[tokio::test]
    async fn a_backup_has_a_manifest_that_sha256sum_agrees_with() {
        let bench = Bench::new();
        bench.sql("CREATE TABLE t(x); INSERT INTO t VALUES (1), (2); PRAGMA user_version = 3");
        let made = bench.backup(0).await.expect("a backup");
        let manifest = bench.manifest(&made.id);
        assert_eq!(made.sha256, crate::system::hex(&bench.read(&format!("store/primary/{}/data.zst", made.id))));
        assert_eq!((manifest.schema_version, manifest.target.as_str(), manifest.format), (3, "primary", 1));
        assert_eq!(manifest.raw_size, manifest.pages * u64::from(manifest.page_size));
        assert_eq!(bench.names(&format!("store/primary/{}", made.id)), ["data.zst", "manifest.json"]);
        assert_eq!(bench.names("store/primary"), [made.id.as_str()]);
        assert_eq!((made.target.as_str(), made.store.as_str()), ("primary", "backups"));
    }

    #[tokio::test]
    async fn the_same_call_makes_one_backup() {
        let bench = Bench::new();
        bench.sql("CREATE TABLE t(x)");
        let first = bench.backup(0).await.expect("a backup");
        assert_eq!(bench.backup(0).await.expect("the same"), first);
        assert_eq!(bench.names("store/primary").len(), 1);
    }

    #[tokio::test]
    async fn evidence_of_a_backup_is_its_manifest_and_never_what_an_interruption_left() {
        let bench = Bench::new();
        bench.sql("CREATE TABLE t(x)");
        let database = bench.database();
        let before = Driver::<Backup>::reconcile(&database, &args(), &bench.act, &Bench::key(0)).await;
        assert!(matches!(before, Reconciled::NotApplied { .. }), "{before:?}");
        let made = bench.backup(0).await.expect("a backup");
        let after = Driver::<Backup>::reconcile(&database, &args(), &bench.act, &Bench::key(0)).await;
        assert!(matches!(&after, Reconciled::Applied { output, .. } if *output == made), "{after:?}");
        let root = bench.path("store/primary");
        std::fs::rename(root.join(&made.id), root.join(format!(".{}.partial", made.id))).expect("renames");
        let partial = Driver::<Backup>::reconcile(&database, &args(), &bench.act, &Bench::key(0)).await;
        assert!(matches!(partial, Reconciled::NotApplied { .. }), "{partial:?}");
        // The next attempt clears away what the earlier one left, and nothing else.
        std::fs::create_dir(root.join(".20200101T000000Z-000000.partial")).expect("somebody else's");
        let again = bench.backup(0).await.expect("a backup");
        assert_eq!(bench.names("store/primary"), [".20200101T000000Z-000000.partial", again.id.as_str()]);
    }

    #[tokio::test]
    async fn a_plan_says_what_it_would_do_and_leaves_no_trace() {
        let bench = Bench::new();
        bench.sql("PRAGMA journal_mode = WAL; CREATE TABLE t(x)");
        let before = bench.names("");
        let preview = Driver::<Backup>::preview(&bench.database(), &args(), &bench.act).await.expect("a preview");
        assert_eq!(preview.summary, "primary (8.1 kB) → backups");
        assert_eq!((preview.before.as_deref(), preview.after.as_deref()), (Some("0 backups"), Some("1 backup")));
        assert_eq!(preview.fault, None);
        assert_eq!(bench.names(""), before);
    }

    #[tokio::test]
    async fn faults_are_foreseen_and_leave_nothing() {
        let bench = Bench::new();
        let foresee = async |code: &str| {
            let preview = Driver::<Backup>::preview(&bench.database(), &args(), &bench.act).await.expect("a preview");
            assert_eq!(preview.fault.expect(code).code, code);
            let fault = bench.backup(0).await.expect_err(code);
            assert_eq!((fault.code.as_str(), fault.applied), (code, Applied::No), "{fault}");
            assert!(fault.hint.is_some());
            assert_eq!(bench.names("store/primary"), Vec::<String>::new());
        };
        foresee("database-missing").await;
        std::fs::write(bench.database().path, "no database at all").expect("writes");
        foresee("database-corrupt").await;
        std::fs::remove_file(bench.database().path).expect("removes");
        bench.sql("CREATE TABLE t(x)");
        // Sparse: it only claims to be larger than any disk.
        let mut log = bench.database().path.into_os_string();
        log.push("-wal");
        std::fs::File::create(&log).and_then(|file| file.set_len(1 << 42)).expect("a large file");
        foresee("disk-full").await;
    }

    #[tokio::test]
    async fn damage_inside_the_database_is_found_before_the_backup_counts() {
        let bench = Bench::new();
        bench.sql("CREATE TABLE t(x TEXT); INSERT INTO t WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 90) SELECT printf('%0900d', i) FROM n");
        let mut bytes = bench.read("primary.db");
        let len = bytes.len();
        bytes[len / 2..len / 2 + 4096].fill(0x5a);
        std::fs::write(bench.database().path, bytes).expect("writes");
        let fault = bench.backup(0).await.expect_err("damaged");
        assert_eq!((fault.code.as_str(), fault.applied), ("database-corrupt", Applied::No));
        assert_eq!(bench.names("store/primary"), Vec::<String>::new());
    }

    #[tokio::test]
    async fn cancelled_it_leaves_nothing() {
        let bench = Bench::new();
        bench.sql("CREATE TABLE t(x)");
        bench.act.cancel().request();
        let fault = bench.backup(0).await.expect_err("cancelled");
        assert_eq!((fault.code.as_str(), fault.applied), ("interrupted", Applied::No));
        assert_eq!(bench.names("store/primary"), Vec::<String>::new());
    }
}
