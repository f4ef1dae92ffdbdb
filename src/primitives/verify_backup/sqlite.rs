//! Verification of the backups of SQLite files.

use std::time::Duration;

use crate::model::{Arg, Fault, IdempotencyKey, Symbol, Unknown, Value};
use crate::primitives::store::{
    Removed, Stock, Stop, Stored, Verified, code, copy_fault, decompress, free_near, human, io_fault, off_reactor,
};
use crate::primitives::targets::SqliteDatabase;
use crate::primitives::{Driver, Evidence, Preview, Reconciled};
use crate::system::{Act, CheckDepth, Look, SqliteCheck};

use super::{Args, Output, VerifyBackup};

impl Driver<VerifyBackup> for SqliteDatabase {
    const EVIDENCE: Evidence = Evidence::Found("the record beside the backup, which holds the idempotency key");

    async fn preview(&self, args: &Args, look: &Look) -> Result<Preview, Fault> {
        let preview = |what: &str| Preview::new(Symbol::Create, format!("verification record of {what}"));
        if let Some(Arg::Unknown(id)) = &args.id {
            return Ok(preview(id.as_str()));
        }
        let stock = match Stock::read(look, self) {
            Ok(stock) => stock,
            Err(fault) => return Ok(preview(&self.name).fault(fault)),
        };
        let stored = match chosen(&stock, &self.name, args) {
            Ok(stored) => stored,
            Err(fault) => return Ok(preview(&self.name).fault(fault)),
        };
        let manifest = &stored.manifest;
        let before = stored.verified.as_ref().map_or("never verified".to_owned(), |v| format!("verified at {}", v.at));
        let certain = [("id", manifest.id.clone()), ("taken_at", manifest.taken_at.to_string())];
        Ok(preview(&stored.describe(look.now()))
            .states(before, "verified")
            .note(format!("needs {} for a scratch copy", human(manifest.raw_size)))
            .output(Value::Map(certain.map(|(name, value)| (name.to_owned(), Value::from(value))).into())))
    }

    async fn perform(&self, args: &Args, act: &Act, key: &IdempotencyKey) -> Result<Output, Fault> {
        let (database, args, act, key) = (self.clone(), args.clone(), act.clone(), key.clone());
        off_reactor(&act.clone(), move |stop| verify(&database, &args, &act, &key, stop)).await
    }

    async fn reconcile(&self, _: &Args, look: &Look, key: &IdempotencyKey) -> Reconciled<Output> {
        let stock = match Stock::read(look, self) {
            Ok(stock) => stock,
            Err(fault) => return Reconciled::Unknown { why: fault.message },
        };
        let by_this_call = |record: &&Verified| record.idempotency_key == key.as_str();
        for stored in &stock.backups {
            if let Some(record) = stored.verified.as_ref().filter(by_this_call) {
                let evidence = format!("{} was verified by this call at {}", stored.manifest.id, record.at);
                return Reconciled::Applied { output: output(stored, record), evidence };
            }
        }
        Reconciled::NotApplied { evidence: "no backup was verified by this call".to_owned() }
    }
}

fn output(stored: &Stored, record: &Verified) -> Output {
    Output {
        id: stored.manifest.id.clone(),
        ok: record.problems.is_empty(),
        problems: record.problems.clone(),
        taken_at: stored.manifest.taken_at.to_string(),
        took_ms: record.took_ms,
    }
}

fn chosen<'a>(stock: &'a Stock, target: &str, args: &Args) -> Result<&'a Stored, Fault> {
    match &args.id {
        Some(id) => stock.find(target, &id.to_string()),
        None => stock.newest_of(target),
    }
}

fn verify(
    database: &SqliteDatabase,
    args: &Args,
    act: &Act,
    key: &IdempotencyKey,
    stop: &Stop,
) -> Result<Output, Fault> {
    let (name, began) = (database.name.as_str(), act.monotonic());
    let stock = Stock::read(act, database)?;
    let stored = chosen(&stock, name, args)?;
    let unknown = |label: &Unknown| Fault::new("argument", format!("{label} is not known")).on(name);
    let tables = args.tables.known().map_err(unknown)?;
    let manifest = &stored.manifest;
    let record = stock.layout.verified(&manifest.id);
    let check = match examine(name, act, &stock, stored, stop).and_then(|check| judge(&check, stored, name, &tables)) {
        Ok(check) => check,
        Err(fault) => {
            // It does not hold any longer that this backup is whole.
            if fault.code == code::BACKUP_CORRUPT && act.exists(&record) {
                act.remove_file(&record)
                    .map_err(|error| io_fault(code::VERIFY_FAILED, name, "remove", &record, &error))?;
            }
            return Err(fault);
        }
    };
    let mut checks =
        ["stored digest", "raw digest", "integrity_check", "foreign_key_check"].map(str::to_owned).to_vec();
    checks.extend(tables.iter().map(|table| format!("table {table} exists")));
    let verified = Verified {
        at: act.now(),
        sha256_stored: manifest.sha256_stored.clone(),
        checks,
        problems: check.foreign_keys.iter().map(|rows| format!("{rows}: rows that point nowhere")).collect(),
        took_ms: millis(act.monotonic().saturating_sub(began)),
        idempotency_key: key.as_str().to_owned(),
    };
    act.write_atomic(&record, &serde_json::to_vec_pretty(&verified).unwrap_or_default())
        .map_err(|error| io_fault(code::VERIFY_FAILED, name, "write", &record, &error))?;
    Ok(output(stored, &verified))
}

/// Unpacks the backup to a scratch directory and checks it there.
fn examine(name: &str, act: &Act, stock: &Stock, stored: &Stored, stop: &Stop) -> Result<SqliteCheck, Fault> {
    let manifest = &stored.manifest;
    let failed = |path: &_, error| io_fault(code::VERIFY_FAILED, name, "write", path, &error);
    let scratch = act.scratch(&format!("verify-{}", manifest.id));
    let scratch = scratch.map_err(|error| failed(std::path::Path::new("a scratch directory"), error))?;
    let _scratch = Removed::new(act, scratch.clone());
    free_near(act, name, &scratch, manifest.raw_size.saturating_add(1 << 20))?;
    let raw = scratch.join("raw.db");
    let file = act.create_private(&raw).map_err(|error| failed(&raw, error))?;
    decompress(act, manifest, &stock.layout.data(&manifest.id), (file, &raw, code::VERIFY_FAILED), stop)?;
    act.sqlite_check(&raw, CheckDepth::Full, &|| stop.asked())
        .map_err(|error| copy_fault(code::VERIFY_FAILED, name, &error))
}

/// What the check means for the backup.
fn judge(check: &SqliteCheck, stored: &Stored, name: &str, tables: &[String]) -> Result<SqliteCheck, Fault> {
    let id = &stored.manifest.id;
    let corrupt = |why: String| {
        let message = format!("the backup {id} is damaged: {why}");
        Err(Fault::new(code::BACKUP_CORRUPT, message).on(name).hint("verify an older one with `#{ id: … }`"))
    };
    if let Some(problem) = check.problems.first() {
        return corrupt(format!("its data are what was stored, but {problem}"));
    }
    if let Some(why) = &check.unchecked {
        return Err(Fault::new(code::VERIFY_FAILED, format!("the backup {id} cannot be checked here: {why}"))
            .on(name)
            .hint("its data are what was stored; only its own program can check the rest"));
    }
    match tables.iter().find(|table| !check.tables.contains(table)) {
        Some(table) => corrupt(format!("it has no table {table}; it has {}", check.tables.join(", "))),
        None => Ok(check.clone()),
    }
}

fn millis(time: Duration) -> u64 {
    u64::try_from(time.as_millis()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::model::Applied;
    use crate::primitives::store::testing::Bench;

    fn args(mut options: serde_json::Value) -> Args {
        options["target"] = "primary".into();
        serde_json::from_value(options).expect("arguments")
    }

    async fn verify(bench: &Bench, options: serde_json::Value) -> Result<Output, Fault> {
        Driver::<VerifyBackup>::perform(&bench.database(), &args(options), &bench.act, &Bench::key(9)).await
    }

    async fn reconcile(bench: &Bench) -> Reconciled<Output> {
        Driver::<VerifyBackup>::reconcile(&bench.database(), &args(json!({})), &bench.act, &Bench::key(9)).await
    }

    fn verified(bench: &Bench) -> Vec<bool> {
        let stock = Stock::read(&bench.act, &bench.database()).expect("reads");
        stock.backups.iter().map(|stored| stored.verified.is_some()).collect()
    }

    #[tokio::test]
    async fn a_backup_that_is_whole_is_recorded_as_verified_and_leaves_no_scratch() {
        let bench = Bench::new();
        bench.sql("PRAGMA journal_mode = WAL; CREATE TABLE orders(x)");
        let id = bench.backup(0).await.expect("a backup").id;
        assert!(matches!(reconcile(&bench).await, Reconciled::NotApplied { .. }));
        let found = verify(&bench, json!({ "tables": ["orders"] })).await.expect("whole");
        assert!(found.ok && found.id == id);
        assert_eq!(verified(&bench), [true]);
        assert_eq!(bench.names("scratch"), Vec::<String>::new());
        assert!(matches!(reconcile(&bench).await, Reconciled::Applied { output, .. } if output == found));
    }

    #[tokio::test]
    async fn a_damaged_backup_throws_and_loses_its_record() {
        let bench = Bench::new();
        bench.sql("CREATE TABLE orders(x)");
        let id = bench.backup(0).await.expect("a backup").id;
        verify(&bench, json!({})).await.expect("whole");
        bench.flip(&id);
        let fault = verify(&bench, json!({ "id": id })).await.expect_err("damaged");
        assert_eq!((fault.code.as_str(), fault.applied), ("backup-corrupt", Applied::No));
        assert!(fault.message.contains("data.zst"), "{fault}");
        assert_eq!(verified(&bench), [false]);
        assert_eq!(bench.names("scratch"), Vec::<String>::new());
    }

    #[tokio::test]
    async fn a_backup_whose_digest_was_forged_with_its_data_is_still_found_out() {
        let bench = Bench::new();
        bench.sql("CREATE TABLE orders(x)");
        let id = bench.backup(0).await.expect("a backup").id;
        bench.forge(&id, |manifest| manifest.sha256_raw = "0".repeat(64));
        let fault = verify(&bench, json!({})).await.expect_err("damaged");
        assert!(fault.message.contains("what it unpacks to"), "{fault}");
    }

    #[tokio::test]
    async fn a_missing_table_counts_as_damage_and_rows_that_point_nowhere_do_not() {
        let bench = Bench::new();
        bench.sql(
            "PRAGMA foreign_keys = OFF; CREATE TABLE customer(id INTEGER PRIMARY KEY);
             CREATE TABLE purchase(who REFERENCES customer); INSERT INTO purchase VALUES (1), (2)",
        );
        bench.backup(0).await.expect("a backup");
        let fault = verify(&bench, json!({ "tables": ["orders"] })).await.expect_err("no such table");
        assert!(fault.message.contains("no table orders; it has customer, purchase"), "{fault}");
        let found = verify(&bench, json!({})).await.expect("whole");
        assert_eq!(
            (found.ok, found.problems),
            (false, vec!["2 × purchase → customer: rows that point nowhere".into()])
        );
        assert_eq!(verified(&bench), [true]);
    }

    #[tokio::test]
    async fn what_a_plan_does_not_know_yet_is_shown_by_its_label() {
        let bench = Bench::new();
        let args = args(json!({ "id": { "$unknown": "‹backup:primary.id›" } }));
        let preview = Driver::<VerifyBackup>::preview(&bench.database(), &args, &bench.act).await.expect("a preview");
        assert_eq!(preview.summary, "verification record of ‹backup:primary.id›");
        assert_eq!(preview.fault, None);
    }

    #[tokio::test]
    async fn without_a_backup_there_is_nothing_to_verify() {
        let bench = Bench::new();
        assert_eq!(verify(&bench, json!({})).await.expect_err("none").code, "no-backup");
        let preview = Driver::<VerifyBackup>::preview(&bench.database(), &args(json!({})), &bench.act).await;
        assert_eq!(preview.expect("a preview").fault.expect("foreseen").code, "no-backup");
    }
}
