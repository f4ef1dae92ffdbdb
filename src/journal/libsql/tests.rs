//! What only a journal in a file must do: survive, and say what is wrong with the file.
#![expect(clippy::disallowed_methods, reason = "what is tested are files")]

use std::path::{Path, PathBuf};
use std::time::Duration;

use libsql::OpenFlags;
use tempfile::TempDir;

use super::LibsqlJournal;
use super::connection::Connection;
use crate::journal::conformance::{ended, intended, numbered, run, settled, started};
use crate::journal::{Journal, JournalError, RunQuery};
use crate::model::EventBody;

struct Place {
    dir: TempDir,
    path: PathBuf,
}

impl Place {
    fn new() -> Self {
        let dir = tempfile::tempdir().expect("a directory");
        let path = dir.path().join("state/of/lifeboat/journal.db");
        Self { dir, path }
    }

    fn open(&self) -> LibsqlJournal {
        LibsqlJournal::open(&self.path).expect("opens")
    }

    /// A journal with two complete runs, closed.
    fn with_runs() -> Self {
        let place = Self::new();
        let journal = place.open();
        let events = || numbered(0, [started(), intended(0), settled(0), intended(1), settled(1), ended("completed")]);
        journal.append(&run("a"), &events()).expect("runs");
        journal.append(&run("b"), &events()).expect("runs");
        drop(journal);
        place
    }

    /// Does to the file what no journal does.
    fn tamper(&self, sql: &str) {
        let connection = Connection::open(&self.path, OpenFlags::default()).expect("opens");
        for trigger in ["events_are_not_changed", "events_are_not_deleted", "runs_are_not_deleted"] {
            connection.batch(&format!("DROP TRIGGER {trigger}")).expect("drops");
        }
        connection.batch("PRAGMA foreign_keys = OFF").expect("sets");
        connection.batch(sql).expect(sql);
    }

    /// The number of the first broken event of `id`.
    fn broken(&self, id: &str) -> Option<u64> {
        let verified = self.open().verify(&run(id)).expect("can be read");
        verified.broken.map(|broken| broken.seq)
    }
}

fn copy(from: &Path, to: &Path) {
    for suffix in ["", "-wal"] {
        let name = |path: &Path| format!("{}{suffix}", path.display());
        std::fs::copy(name(from), name(to)).expect("copies");
    }
}

#[test]
fn tampering_shows_at_the_first_changed_event() {
    for (sql, a, b) in [
        ("SELECT 1", None, None),
        ("UPDATE events SET json = replace(json, 'primary', 'replica') WHERE run = 1 AND seq = 3", Some(3), None),
        ("UPDATE events SET hash = replace(hash, 'a', 'b') WHERE run = 2 AND seq >= 4", None, Some(4)),
        ("UPDATE events SET json = 'not json' WHERE run = 1 AND seq = 0", Some(0), None),
        ("DELETE FROM events WHERE run = 1 AND seq = 2", Some(2), None),
        // The last hash of `a` is where `b` hangs on.
        ("DELETE FROM events WHERE run = 1 AND seq >= 4", Some(4), Some(0)),
        ("UPDATE runs SET status = 'failed' WHERE id = 'a'", Some(5), None),
        ("UPDATE runs SET ended = NULL, status = 'running' WHERE id = 'a'", Some(5), None),
        ("UPDATE runs SET environment = 'production' WHERE id = 'b'", None, Some(0)),
        (
            "UPDATE runs SET id = 'c', number = 3 WHERE id = 'a'; UPDATE runs SET id = 'a' WHERE id = 'c'",
            Some(0),
            Some(0),
        ),
    ] {
        let place = Place::with_runs();
        place.tamper(sql);
        assert_eq!((place.broken("a"), place.broken("b")), (a, b), "{sql}");
    }
}

#[test]
fn a_removed_run_shows_in_the_next_one() {
    let place = Place::with_runs();
    place.tamper("DELETE FROM events WHERE run = 1; DELETE FROM runs WHERE number = 1");
    assert_eq!(place.broken("b"), Some(0));
}

#[test]
fn a_rewritten_run_shows_in_the_next_one() {
    let place = Place::with_runs();
    let forged = place.dir.path().join("forged/journal.db");
    let events = numbered(0, [started(), intended(7), settled(7), ended("completed")]);
    LibsqlJournal::open(&forged).expect("opens").append(&run("a"), &events).expect("forges");
    place.tamper(&format!(
        "ATTACH '{}' AS forged;
         UPDATE runs SET events = f.events, head = f.head, ended = f.ended FROM forged.runs AS f WHERE runs.id = 'a';
         DELETE FROM main.events WHERE run = 1;
         INSERT INTO main.events SELECT * FROM forged.events",
        forged.display()
    ));
    assert_eq!((place.broken("a"), place.broken("b")), (None, Some(0)), "the forgery is perfect but for its successor");
}

#[test]
fn accidents_are_refused_by_the_file_itself() {
    let place = Place::with_runs();
    let connection = Connection::open(&place.path, OpenFlags::default()).expect("opens");
    for sql in ["UPDATE events SET seq = 9 WHERE seq = 5", "DELETE FROM events", "DELETE FROM runs"] {
        let error = connection.batch(sql).expect_err(sql).to_string();
        assert!(error.ends_with("the journal is append-only"), "{error}");
    }
}

#[test]
fn the_log_of_a_killed_process_is_read_back() {
    let place = Place::new();
    let journal = place.open();
    journal.append(&run("a"), &numbered(0, [started(), intended(0)])).expect("begins");
    // A copy of what is on the disk is what a killed process leaves: nothing was checkpointed or closed.
    let left = place.dir.path().join("left.db");
    copy(&place.path, &left);
    let reader = LibsqlJournal::open_existing(&left).expect("opens").expect("exists");
    assert_eq!(reader.events(&run("a")).expect("reads").len(), 2);
    let resumed = LibsqlJournal::open(&left).expect("opens");
    resumed.append(&run("a"), &numbered(2, [settled(0), ended("completed")])).expect("goes on");
    assert_eq!(resumed.verify(&run("a")).expect("verifies").broken, None);
}

#[test]
fn a_torn_log_loses_whole_batches_only() {
    let place = Place::new();
    let journal = place.open();
    journal.append(&run("a"), &numbered(0, [started()])).expect("begins");
    journal.append(&run("a"), &numbered(1, [intended(0), settled(0), intended(1)])).expect("goes on");
    let left = place.dir.path().join("left.db");
    copy(&place.path, &left);
    let name = format!("{}-wal", left.display());
    let log = std::fs::read(&name).expect("reads");
    // Behind the last frame there is room ahead.
    let end = log.iter().rposition(|byte| *byte != 0).expect("frames");
    std::fs::File::options().write(true).open(&name).and_then(|log| log.set_len(end as u64 - 100)).expect("truncates");
    let resumed = LibsqlJournal::open(&left).expect("opens");
    assert_eq!(resumed.events(&run("a")).expect("reads").len(), 1);
    assert_eq!(resumed.verify(&run("a")).expect("verifies").broken, None);
}

#[test]
fn a_large_log_is_emptied_when_no_effect_waits() {
    let place = Place::new();
    let journal = place.open();
    let log_len = |path: &Path| std::fs::metadata(format!("{}-wal", path.display())).expect("a log").len();
    let mut large = intended(0);
    if let EventBody::Intended { args, .. } = &mut large {
        *args = "x".repeat(5 << 20).into();
    }
    journal.append(&run("a"), &numbered(0, [started(), large])).expect("begins");
    assert!(log_len(&place.path) > super::LOG_LIMIT);
    let left = place.dir.path().join("left.db");
    copy(&place.path, &left);

    journal.append(&run("a"), &numbered(2, [settled(0), ended("completed")])).expect("ends");
    assert_eq!(log_len(&place.path), 0, "at the end of a run");
    let resumed = LibsqlJournal::open(&left).expect("opens");
    assert_eq!(log_len(&left), 0, "at the next start after a crash");
    assert_eq!(resumed.events(&run("a")).expect("reads").len(), 2);
}

#[test]
fn every_commit_waits_for_the_disk_and_checkpoints_nothing() {
    let place = Place::new();
    let journal = place.open();
    journal.append(&run("a"), &numbered(0, [started()])).expect("begins");
    assert_eq!(place.open().events(&run("a")).expect("reads").len(), 1, "others see it");
    // `started` may wait with the next commit; nothing else does.
    let store = journal.lock();
    let pragma = |name: &str| {
        let read = |row: &super::connection::Row| row.number(0);
        store.connection.query(&format!("PRAGMA {name}"), Vec::new(), read).expect(name)
    };
    assert_eq!(pragma("synchronous"), [2]);
    assert_eq!(pragma("wal_autocheckpoint"), [0]);
    assert_eq!(pragma("busy_timeout"), [10_000]);
    let read = |row: &super::connection::Row| row.text(0);
    let mode = store.connection.query("SELECT CAST(journal_mode AS BLOB) FROM pragma_journal_mode", Vec::new(), read);
    assert_eq!(mode.expect("reads"), ["wal"]);
}

#[test]
fn a_journal_that_is_not_there_is_not_made_by_looking() {
    let place = Place::new();
    assert!(LibsqlJournal::open_existing(&place.path).expect("looks").is_none());
    assert_eq!(std::fs::read_dir(place.dir.path()).expect("lists").count(), 0);
}

#[test]
fn a_reader_reads_and_does_not_write() {
    let place = Place::with_runs();
    let reader = LibsqlJournal::open_existing(&place.path).expect("opens").expect("exists");
    assert_eq!(reader.runs(&RunQuery::default()).expect("lists").len(), 2);
    let refused = reader.append(&run("c"), &numbered(0, [started()])).expect_err("opened for reading");
    assert!(matches!(refused, JournalError::ReadOnly { .. }), "{refused}");
    // It sees what a writer adds meanwhile.
    place.open().append(&run("c"), &numbered(0, [started()])).expect("begins");
    assert_eq!(reader.runs(&RunQuery::default()).expect("lists").len(), 3);
}

#[test]
fn a_new_directory_hides_itself_from_version_control_and_an_old_one_does_not() {
    let place = Place::new();
    drop(place.open());
    let ignore = |directory: &Path| std::fs::read_to_string(directory.join(".gitignore")).ok();
    assert_eq!(ignore(place.path.parent().expect("a directory")).as_deref(), Some("*\n"));
    assert_eq!(ignore(&place.dir.path().join("state")), None);
    drop(LibsqlJournal::open(place.dir.path().join("journal.db")).expect("opens"));
    assert_eq!(ignore(place.dir.path()), None);
}

#[test]
fn two_writers_begin_at_the_same_time() {
    let place = Place::new();
    std::thread::scope(|scope| {
        for writer in 0..4 {
            let path = &place.path;
            scope.spawn(move || {
                let journal = LibsqlJournal::open(path).expect("opens");
                let id = run(&format!("run-{writer}"));
                journal.append(&id, &numbered(0, [started()])).expect("begins");
                for n in 0..20 {
                    let events = numbered(1 + 2 * u64::from(n), [intended(n), settled(n)]);
                    journal.append(&id, &events).expect("goes on");
                }
            });
        }
    });
    let journal = place.open();
    assert_eq!(journal.runs(&RunQuery::default()).expect("lists").len(), 4);
    for writer in 0..4 {
        let verified = journal.verify(&run(&format!("run-{writer}"))).expect("verifies");
        assert_eq!((verified.events, verified.broken), (41, None));
    }
}

#[test]
fn a_locked_journal_is_an_error_and_not_a_wait_for_ever() {
    let place = Place::with_runs();
    let other = Connection::open(&place.path, OpenFlags::default()).expect("opens");
    other.batch("BEGIN IMMEDIATE").expect("locks");
    let journal = place.open().wait_at_most(Duration::from_millis(20)).expect("sets");
    let events = numbered(0, [started()]);
    let error = journal.append(&run("c"), &events).expect_err("locked");
    assert!(matches!(&error, JournalError::Locked { path } if *path == place.path), "{error}");
    assert_eq!(journal.runs(&RunQuery::default()).expect("readers do not wait").len(), 2);
    other.batch("COMMIT").expect("unlocks");
    journal.append(&run("c"), &events).expect("nothing was left behind");
}

#[test]
fn garbage_is_not_a_journal() {
    let place = Place::with_runs();
    let garbage = b"this is a text file, and quite a long one at that. ".repeat(100);
    std::fs::write(&place.path, &garbage).expect("writes");
    for error in [LibsqlJournal::open(&place.path).err(), LibsqlJournal::open_existing(&place.path).err()] {
        let error = error.expect("not a journal");
        assert!(matches!(&error, JournalError::NotAJournal { path, .. } if *path == place.path), "{error}");
    }
    assert_eq!(std::fs::read(&place.path).expect("reads"), garbage, "it is left as it was");
}

#[test]
fn the_database_of_another_program_is_not_a_journal() {
    let place = Place::new();
    let path = place.dir.path().join("app.db");
    Connection::open(&path, OpenFlags::default()).and_then(|c| c.batch("CREATE TABLE t (x)")).expect("makes");
    let before = std::fs::read(&path).expect("reads");
    let error = LibsqlJournal::open(&path).err().expect("not a journal").to_string();
    assert!(error.ends_with("it is a database of something else"), "{error}");
    assert_eq!(std::fs::read(&path).expect("reads"), before, "it is left as it was");
}

#[test]
fn a_directory_in_its_place_is_an_error() {
    let place = Place::new();
    std::fs::create_dir_all(&place.path).expect("makes");
    let error = LibsqlJournal::open(&place.path).err().expect("a directory");
    assert!(error.to_string().ends_with("it is a directory"), "{error}");
}

#[test]
fn a_truncated_journal_is_damaged() {
    let truncated = |cut: fn(u64) -> u64| {
        let place = Place::with_runs();
        // So long that its events lie in the last page, too.
        let many = (0..60).flat_map(|n| [intended(n), settled(n)]);
        place.open().append(&run("c"), &numbered(0, [started()].into_iter().chain(many))).expect("runs");
        let file = std::fs::File::options().write(true).open(&place.path).expect("opens");
        file.set_len(cut(file.metadata().expect("has a length").len())).expect("truncates");
        place
    };
    for cut in [|len| len / 2, |_| 5000, |len| len - 4096] {
        let place = truncated(cut);
        let read = || LibsqlJournal::open(&place.path)?.events(&run("c"));
        let error = read().expect_err("damaged");
        assert!(matches!(&error, JournalError::Corrupt { path, .. } if *path == place.path), "{error}");
    }
    // A part of the last page reads as zeros: only the chain can tell.
    let place = truncated(|len| len - 1);
    let journal = place.open();
    let intact = |id: &str| journal.verify(&run(id)).is_ok_and(|verified| verified.broken.is_none());
    assert!(!["a", "b", "c"].into_iter().all(intact));
}

#[test]
fn damaged_pages_are_errors_and_never_panics_or_lies() {
    let place = Place::with_runs();
    let whole = std::fs::read(&place.path).expect("reads");
    let events = place.open().events(&run("a")).expect("reads");
    let damaged = place.dir.path().join("damaged.db");
    let mut state = 0x2545_f491_4f6c_dd1d_u64;
    for _ in 0..100 {
        let mut bytes = whole.clone();
        for _ in 0..8 {
            // xorshift: the same damage whenever the test runs.
            state ^= state << 13;
            state ^= state >> 7;
            state ^= state << 17;
            let position = usize::try_from(state).expect("64 bits") % bytes.len();
            bytes[position] ^= 0x81;
        }
        std::fs::write(&damaged, bytes).expect("writes");
        let Ok(journal) = LibsqlJournal::open(&damaged) else { continue };
        let _ = journal.runs(&RunQuery::default());
        for id in ["a", "b"] {
            if journal.verify(&run(id)).is_ok_and(|verified| verified.broken.is_none()) {
                assert_eq!(journal.events(&run(id)).expect("reads"), events);
            }
        }
        let _ = journal.append(&run("c"), &numbered(0, [started()]));
    }
}

#[test]
fn a_newer_format_is_refused() {
    let place = Place::with_runs();
    place.tamper("PRAGMA user_version = 7");
    for error in [LibsqlJournal::open(&place.path).err(), LibsqlJournal::open_existing(&place.path).err()] {
        let error = error.expect("refused");
        assert!(matches!(error, JournalError::NewerFormat { found: 7, known: 5, .. }), "{error}");
    }
}

#[test]
fn a_path_through_a_file_is_an_error() {
    let dir = tempfile::tempdir().expect("a directory");
    std::fs::write(dir.path().join("file"), "").expect("writes");
    let error = LibsqlJournal::open(dir.path().join("file/journal.db")).err().expect("no directory");
    assert!(error.to_string().ends_with("a part of its path is a file, not a directory"), "{error}");
}

#[test]
fn a_full_disk_is_an_error_that_leaves_the_record_whole() {
    let place = Place::with_runs();
    let journal = place.open();
    // As far as libSQL can tell, a limit on the file's pages is a full disk.
    journal.lock().connection.batch("PRAGMA max_page_count = 1").expect("sets");
    let mut large = started();
    if let EventBody::Started(started) = &mut large {
        started.params = "x".repeat(1 << 20).into();
    }
    let error = journal.append(&run("c"), &numbered(0, [large])).expect_err("full");
    assert!(matches!(error, JournalError::DiskFull { .. }), "{error}");
    assert_eq!(place.open().runs(&RunQuery::default()).expect("lists").len(), 2);
}
