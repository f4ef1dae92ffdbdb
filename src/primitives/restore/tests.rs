//! Restores of real files, cut short at every point.
#![expect(clippy::disallowed_methods, reason = "tests prepare and damage files")]

use std::path::{Path, PathBuf};
use std::time::Duration;

use serde_json::json;

use crate::model::{Applied, Fault, IdempotencyKey};
use crate::primitives::store::testing::{Bench, ask, sql};
use crate::primitives::store::{Stock, code, decompress, off_reactor};
use crate::primitives::{Driver, Preview, Reconciled};

use super::place::{PARTS, Place};
use super::record::Records;
use super::sqlite::intend;
use super::swap::{keep, swap, take_away};
use super::{Args, Output, Restore};

fn args(mut options: serde_json::Value) -> Args {
    options["target"] = "primary".into();
    serde_json::from_value(options).expect("arguments")
}

async fn restore(bench: &Bench, options: serde_json::Value) -> Result<Output, Fault> {
    Driver::<Restore>::perform(&bench.database(), &args(options), &bench.act, &Bench::key(9)).await
}

async fn preview(bench: &Bench, options: serde_json::Value) -> Preview {
    Driver::<Restore>::preview(&bench.database(), &args(options), &bench.act).await.expect("a preview")
}

async fn reconcile(bench: &Bench) -> Reconciled<Output> {
    let key: IdempotencyKey = Bench::key(9);
    Driver::<Restore>::reconcile(&bench.database(), &args(json!({ "from": "latest" })), &bench.act, &key).await
}

/// A database whose backup has one row, and that has three now: the later two in a write-ahead log that a crash left behind.
async fn bench() -> (Bench, String) {
    let bench = Bench::new();
    let live = bench.path("live.db");
    sql(&live, "PRAGMA journal_mode = WAL; CREATE TABLE t(x); INSERT INTO t VALUES (1)");
    std::fs::copy(&live, bench.path("primary.db")).expect("copies");
    let id = bench.backup(0).await.expect("a backup").id;
    // The log is copied while its writer still has it open.
    sql_and(&live, "INSERT INTO t VALUES (2), (3)", || {
        for part in ["", "-wal"] {
            std::fs::copy(bench.path(&format!("live.db{part}")), bench.path(&format!("primary.db{part}")))
                .expect("copies");
        }
    });
    for part in PARTS {
        let _ = std::fs::remove_file(bench.path(&format!("live.db{part}")));
    }
    let _ = std::fs::remove_file(bench.path("primary.db-shm"));
    assert!(!bench.read("primary.db-wal").is_empty());
    (bench, id)
}

/// Runs statements, and something else before the connection is closed.
fn sql_and(path: &Path, statements: &str, then: impl FnOnce() + Send) {
    crate::primitives::store::testing::on(path, async |connection| {
        connection.execute_batch(statements).await.expect(statements);
        then();
    });
}

fn rows(path: &Path) -> String {
    ask(path, "SELECT count(*) FROM t")
}

fn kept(bench: &Bench) -> Vec<PathBuf> {
    let names = bench.names("").into_iter().filter(|name| name.starts_with("primary.db.replaced-"));
    names.map(|name| bench.path(&name).join("primary.db")).collect()
}

#[tokio::test]
async fn the_database_is_as_it_was_and_what_was_there_is_kept_whole() {
    let (bench, id) = bench().await;
    let done = restore(&bench, json!({ "from": id })).await.expect("restores");
    assert_eq!((done.id.as_str(), done.warnings.len()), (id.as_str(), 0));
    assert!(!bench.path("primary.db-wal").exists(), "the old log would be applied to the new file");
    assert_eq!((bench.ask("SELECT count(*) FROM t"), bench.ask("PRAGMA journal_mode")), ("1".into(), "wal".into()));
    let kept = kept(&bench);
    assert_eq!(
        done.replaced.map(PathBuf::from).as_deref(),
        kept[0].parent().map(|p| p.canonicalize().expect("there")).as_deref()
    );
    assert_eq!(rows(&kept[0]), "3");
    assert!(matches!(reconcile(&bench).await, Reconciled::Applied { .. }));
}

#[tokio::test]
async fn the_same_call_restores_once() {
    let (bench, id) = bench().await;
    let first = restore(&bench, json!({ "from": id })).await.expect("restores");
    bench.sql("INSERT INTO t VALUES (7)");
    assert_eq!(restore(&bench, json!({ "from": id })).await.expect("the same"), first);
    assert_eq!(bench.ask("SELECT count(*) FROM t"), "2");
}

#[tokio::test]
async fn a_database_that_is_missing_or_damaged_or_in_a_lost_directory_comes_back() {
    let (bench, id) = bench().await;
    for suffix in ["", "-wal"] {
        std::fs::remove_file(bench.path(&format!("primary.db{suffix}"))).expect("removes");
    }
    assert_eq!(preview(&bench, json!({ "from": id })).await.before.as_deref(), Some("missing"));
    let done = restore(&bench, json!({ "from": "latest" })).await.expect("restores");
    assert_eq!((done.replaced, bench.ask("SELECT count(*) FROM t")), (None, "1".to_owned()));

    std::fs::write(bench.path("primary.db"), "garbage").expect("writes");
    let seen = preview(&bench, json!({ "from": id })).await;
    assert_eq!(seen.before.as_deref(), Some("is not a SQLite database"));
    let key = Bench::key(10);
    let done = Driver::<Restore>::perform(&bench.database(), &args(json!({ "from": id })), &bench.act, &key).await;
    assert!(done.expect("restores").replaced.is_some());
    assert_eq!(std::fs::read(&kept(&bench)[0]).expect("kept"), b"garbage");
    assert_eq!(bench.ask("SELECT count(*) FROM t"), "1");

    let mut database = bench.database();
    database.path = bench.path("lost/disk/primary.db");
    let done = Driver::<Restore>::perform(&database, &args(json!({ "from": id })), &bench.act, &key).await;
    done.expect("restores");
    assert_eq!(rows(&database.path), "1");
}

#[tokio::test]
async fn nothing_is_kept_when_nothing_is_to_be_kept() {
    let (bench, id) = bench().await;
    let seen = preview(&bench, json!({ "from": id, "keep": false })).await;
    assert!(seen.notes.iter().any(|note| note.contains("removed for good")), "{seen:?}");
    let done = restore(&bench, json!({ "from": id, "keep": false })).await.expect("restores");
    assert_eq!((done.replaced, kept(&bench)), (None, vec![]));
}

#[tokio::test]
async fn whoever_could_use_the_old_file_can_use_the_new_one() {
    use std::os::unix::fs::PermissionsExt;
    let (bench, id) = bench().await;
    let path = bench.path("primary.db");
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o660)).expect("sets");
    restore(&bench, json!({ "from": id })).await.expect("restores");
    assert_eq!(path.metadata().expect("there").permissions().mode() & 0o777, 0o660);
}

#[tokio::test]
async fn a_link_stays_a_link() {
    let (bench, id) = bench().await;
    std::os::unix::fs::symlink(bench.path("primary.db"), bench.path("link.db")).expect("links");
    let mut database = bench.database();
    database.path = bench.path("link.db");
    let done = Driver::<Restore>::perform(&database, &args(json!({ "from": id })), &bench.act, &Bench::key(9)).await;
    done.expect("restores");
    assert!(bench.path("link.db").is_symlink());
    assert_eq!(rows(&bench.path("primary.db")), "1");
}

#[tokio::test]
async fn a_damaged_backup_leaves_everything_as_it_is() {
    for (damage, word) in [
        (Bench::flip as fn(&Bench, &str), "data.zst"),
        (Bench::truncate, "data.zst has"),
        (|bench, id| bench.forge(id, |manifest| manifest.sha256_raw = "0".repeat(64)), "what it unpacks to"),
        (|bench, id| bench.forge(id, |manifest| manifest.raw_size -= 1), "more than its manifest says"),
        (
            |bench, id| std::fs::remove_file(bench.path(&format!("store/primary/{id}/manifest.json"))).expect("x"),
            "manifest",
        ),
    ] {
        let (bench, id) = bench().await;
        damage(&bench, &id);
        let before = bench.names("");
        let fault = restore(&bench, json!({ "from": id })).await.expect_err("damaged");
        assert_eq!((fault.code.as_str(), fault.applied), ("backup-corrupt", Applied::No), "{fault}");
        assert!(fault.message.contains(word), "{fault}");
        assert_eq!(bench.names(""), before);
        assert!(matches!(reconcile(&bench).await, Reconciled::NotApplied { .. }));
        assert_eq!(bench.ask("SELECT count(*) FROM t"), "3");
    }
}

#[tokio::test]
async fn a_disk_that_is_too_small_is_foreseen() {
    let (bench, id) = bench().await;
    bench.forge(&id, |manifest| manifest.raw_size = 1 << 60);
    let fault = preview(&bench, json!({ "from": id })).await.fault.expect("foreseen");
    assert_eq!(fault.code, "disk-full");
    assert_eq!(restore(&bench, json!({ "from": id })).await.expect_err("too large").code, "disk-full");
}

#[tokio::test]
async fn cancelled_it_leaves_everything_as_it_is() {
    let (bench, id) = bench().await;
    let before = bench.names("");
    bench.act.cancel().request();
    let fault = restore(&bench, json!({ "from": id })).await.expect_err("cancelled");
    assert_eq!((fault.code.as_str(), fault.applied), ("interrupted", Applied::No));
    assert_eq!(bench.names(""), before);
}

#[tokio::test]
async fn a_name_that_is_no_backup_leads_nowhere() {
    let (bench, id) = bench().await;
    for from in ["../../primary.db", "20200101T000000Z-000000", ""] {
        let fault = restore(&bench, json!({ "from": from })).await.expect_err("no such backup");
        assert_eq!(fault.code, "no-backup");
        assert!(fault.hint.expect("a hint").contains(&id));
    }
}

#[tokio::test]
async fn a_plan_says_what_is_lost() {
    let (bench, id) = bench().await;
    let before = bench.names("");
    let seen = preview(&bench, json!({ "from": id })).await;
    assert_eq!((seen.summary, seen.before.as_deref()), (format!("primary ← {id}"), Some("8.1 kB")));
    assert!(seen.after.expect("a state").starts_with(&format!("{id} taken ")));
    let taken = bench.manifest(&id).taken_at;
    assert!(seen.notes.contains(&format!("what was written since {taken} is lost")), "{:?}", seen.notes);
    assert_eq!(seen.fault, None);
    let unknown = preview(&bench, json!({ "from": { "$unknown": "‹latest_backup:primary.id›" } })).await;
    assert_eq!(unknown.after.as_deref(), Some("‹latest_backup:primary.id›"));
    assert_eq!(bench.names(""), before);
}

#[tokio::test]
async fn when_the_new_file_cannot_take_its_place_the_old_ones_go_back() {
    let (bench, _) = bench().await;
    let before = bench.names("");
    let place = Place::of(&bench.act, &bench.path("primary.db")).expect("a place");
    let replaced = place.replaced(&bench.act, bench.act.now());
    let fault =
        swap(&bench.act, "primary", &place, &bench.path("not there"), Some(&replaced)).expect_err("no new file");
    assert_eq!((fault.code.as_str(), fault.applied), ("restore-failed", Applied::No));
    assert_eq!(bench.names(""), before);
    assert_eq!(bench.ask("SELECT count(*) FROM t"), "3");
}

/// Carries out the steps of a restore up to number `until`, as a process does that is killed there.
async fn killed_after(until: usize, bench: &Bench, id: &str) {
    let (act, place) = (bench.act.clone(), Place::of(&bench.act, &bench.path("primary.db")).expect("a place"));
    let stock = Stock::read(&act, &bench.database()).expect("reads");
    let stored = stock.backups[0].clone();
    let temporary = place.temporary(id);
    if until >= 1 {
        std::fs::write(&temporary, "half of").expect("writes");
    }
    if until >= 2 {
        std::fs::remove_file(&temporary).expect("removes");
        let (act, path, data) = (act.clone(), temporary.clone(), stock.layout.data(id));
        let file = act.create_private(&path).expect("makes");
        let manifest = stored.manifest.clone();
        off_reactor(&act.clone(), move |stop| {
            decompress(&act, &manifest, &data, (file, &path, code::RESTORE_FAILED), stop)
        })
        .await
        .expect("unpacks");
    }
    let args = args(json!({ "from": id }));
    let mut records = Records::read_or_new(&act, &place);
    let wal = place.part("-wal");
    let mut replaced = PathBuf::new();
    if until >= 3 {
        let record = intend(&act, &place, &args, &Bench::key(9), (&stored, &temporary, Duration::ZERO)).expect("known");
        replaced = record.replaced.clone().expect("there is something to keep");
        records.put(record);
        records.write(&act, &place).expect("writes");
    }
    if until == 4 {
        act.create_private_dir(&replaced).expect("makes");
    }
    if until == 5 {
        act.create_private_dir(&replaced).expect("makes");
        act.hard_link(&wal, &place.replaced_part(&replaced, "-wal")).expect("links");
    }
    if until >= 6 {
        keep(&act, &place, &replaced).expect("keeps");
    }
    if until >= 7 {
        act.remove_file(&place.path).expect("removes");
    }
    if until >= 8 {
        take_away(&act, &place, &replaced).expect("takes away");
    }
    if until >= 9 {
        act.rename(&temporary, &place.path).expect("renames");
    }
}

#[tokio::test]
async fn killed_at_any_point_it_is_known_what_took_place_and_nothing_is_lost() {
    for until in 0..=9 {
        let (bench, id) = bench().await;
        killed_after(until, &bench, &id).await;
        match (until, reconcile(&bench).await) {
            (0..=8, Reconciled::NotApplied { .. }) => {}
            (9, Reconciled::Applied { output, .. }) => assert_eq!(output.id, id),
            (_, verdict) => panic!("killed after step {until}: {verdict:?}"),
        }
        // The old database lies whole in one place.
        let old = if until < 7 { bench.path("primary.db") } else { kept(&bench)[0].clone() };
        let copy = bench.path("copy.db");
        for part in ["", "-wal"] {
            let name = |path: &Path| PathBuf::from(format!("{}{part}", path.display()));
            std::fs::copy(name(&old), name(&copy)).expect("the old files are there");
        }
        assert_eq!(rows(&copy), "3", "killed after step {until}");
        // Resumed, it is carried out, and only once.
        restore(&bench, json!({ "from": id })).await.expect("restores");
        assert_eq!(bench.ask("SELECT count(*) FROM t"), "1", "killed after step {until}");
        assert_eq!(kept(&bench).len(), 1, "killed after step {until}: {:?}", bench.names(""));
        assert_eq!(rows(&kept(&bench)[0]), "3", "killed after step {until}");
        assert!(!bench.names("").iter().any(|name| name.ends_with(".restoring")));
    }
}

#[tokio::test]
async fn killed_between_the_files_and_never_resumed_another_restore_puts_them_back_first() {
    for until in 4..=8 {
        let (bench, id) = bench().await;
        killed_after(until, &bench, &id).await;
        bench.flip(&id);
        restore(&bench, json!({ "from": id })).await.expect_err("the backup is damaged");
        assert_eq!(bench.ask("SELECT count(*) FROM t"), "3", "killed after step {until}");
        assert_eq!(kept(&bench).len(), 0);
    }
}

#[tokio::test]
async fn a_database_that_appeared_after_a_kill_is_not_taken_for_either() {
    let (bench, id) = bench().await;
    killed_after(8, &bench, &id).await;
    bench.sql("CREATE TABLE other(x)");
    assert!(matches!(reconcile(&bench).await, Reconciled::NotApplied { .. }), "the unpacked backup still lies there");
    for left in bench.names("").iter().filter(|name| name.ends_with(".restoring")) {
        std::fs::remove_file(bench.path(left)).expect("removes");
    }
    assert!(matches!(reconcile(&bench).await, Reconciled::Unknown { .. }));
    restore(&bench, json!({ "from": id })).await.expect("restores");
    let rows: Vec<_> = kept(&bench).iter().map(|path| ask(path, "SELECT name FROM sqlite_schema")).collect();
    assert_eq!(rows.len(), 2, "both are kept");
    assert!(rows.contains(&"t".to_owned()) && rows.contains(&"other".to_owned()), "{rows:?}");
}

#[tokio::test]
async fn a_restore_that_was_replaced_by_another_one_took_place_all_the_same() {
    let (bench, id) = bench().await;
    restore(&bench, json!({ "from": id })).await.expect("restores");
    let other = Bench::key(10);
    let again = Driver::<Restore>::perform(&bench.database(), &args(json!({ "from": id })), &bench.act, &other).await;
    again.expect("restores");
    assert!(matches!(reconcile(&bench).await, Reconciled::Applied { .. }));
}
