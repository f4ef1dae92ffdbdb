//! Ctrl-C in the middle: what is owed is undone, a second one leaves things as they are, and both are told.

use std::fs;

use lifeboat::model::{Applied, EventBody};
use rustix::process::Signal;

use crate::running::{Running, processes_in};
use crate::sandbox::Sandbox;
use crate::{assert_all_stopped, recorded, recorded_end};

const MAINTENANCE: &str = ".lifeboat/sandbox/maintenance";
const DATABASE: &str = ".lifeboat/sandbox/orders.db";

/// The service must still be there for the rollback: a terminal sends Ctrl-C to the whole group.
#[test]
fn during_a_drill_what_is_owed_is_undone_while_its_processes_still_run() {
    let sandbox = Sandbox::new();
    let mut drill = Running::start(&sandbox, &["drill", "runbooks/tests/waits-in-maintenance.rhai"]);
    drill.until("left", "completed");
    assert_eq!(sandbox.read(MAINTENANCE), "on");
    assert_eq!(processes_in(&sandbox.path("")).len(), 4, "the program, the service, its load and the sink");
    drill.interrupt();
    let said = drill.end();
    assert_eq!(said.code, Some(130), "{}", said.tail());
    assert_eq!((sandbox.read(MAINTENANCE).as_str(), recorded_end(&sandbox).as_str()), ("off", "cancelled"));
    assert!(said.out.contains("rolled back: Stop writes; nothing is left changed"), "{}", said.out);
    assert_all_stopped(&sandbox);
}

#[test]
fn a_request_to_end_is_no_different() {
    let sandbox = Sandbox::new();
    fs::create_dir_all(sandbox.path(".lifeboat/sandbox")).expect("a directory");
    let mut run = Running::start(&sandbox, &["run", "runbooks/tests/undoes-slowly.rhai", "--set", "pause=1ms"]);
    run.until("left", "completed");
    run.signal(Signal::TERM);
    assert_eq!(run.end().code, Some(130));
    assert_eq!((sandbox.read(MAINTENANCE).as_str(), recorded_end(&sandbox).as_str()), ("off", "cancelled"));
}

#[test]
fn a_second_one_leaves_things_as_they_are_and_says_so() {
    let sandbox = Sandbox::new();
    fs::create_dir_all(sandbox.path(".lifeboat/sandbox")).expect("a directory");
    let mut run = Running::start(&sandbox, &["run", "runbooks/tests/undoes-slowly.rhai"]);
    run.until("left", "completed");
    run.interrupt();
    run.until("entered", "rollback");
    run.interrupt();
    let said = run.end();
    assert_eq!(said.code, Some(6), "{}", said.tail());
    assert!(said.err.contains("aborting: nothing more is rolled back"), "{}", said.err);
    assert_eq!((sandbox.read(MAINTENANCE).as_str(), recorded_end(&sandbox).as_str()), ("on", "left-changed"));
}

/// The restore of a large database takes far longer than the signal. Should it have been faster all the same, what is said must be
/// true then, too.
#[test]
fn during_a_restore_the_database_stays_whole_and_what_is_said_of_it_is_true() {
    let sandbox = Sandbox::new();
    large_database(&sandbox);
    let backup = sandbox.lifeboat(&["run", "runbooks/tests/backs-up.rhai"]);
    assert_eq!(backup.code, Some(0), "{}", backup.tail());
    let before = fs::metadata(sandbox.path(DATABASE)).expect("the database").modified().expect("a time");

    let mut run = Running::start(&sandbox, &["run", "runbooks/tests/restores.rhai"]);
    run.until("intended", r#""primitive":"restore""#);
    run.interrupt();
    let said = run.end();
    let outcome = recorded(&sandbox).into_iter().find_map(|event| match event.body {
        EventBody::Settled(settled) if settled.primitive == "restore" => Some(settled.outcome),
        _ => None,
    });
    let after = fs::metadata(sandbox.path(DATABASE)).expect("the database").modified().expect("a time");
    let outcome = outcome.unwrap_or_else(|| panic!("a restore that was begun has an outcome: {}", said.tail()));
    if let Err(fault) = outcome {
        assert_eq!((fault.code.as_str(), fault.applied), ("interrupted", Applied::No));
        assert_eq!((said.code, recorded_end(&sandbox).as_str()), (Some(130), "cancelled"), "{}", said.err);
        assert_eq!(before, after, "the old database is still there");
    } else {
        assert_eq!((said.code, recorded_end(&sandbox).as_str()), (Some(6), "left-changed"), "{}", said.err);
        assert_ne!(before, after, "the restored database is there");
    }
    assert_eq!(sandbox.read(MAINTENANCE), "off", "the step before was undone");
    let left: Vec<_> = fs::read_dir(sandbox.path(".lifeboat/sandbox")).expect("lists").flatten().collect();
    let temporary = left.iter().filter(|entry| entry.file_name().to_string_lossy().contains("partial")).count();
    assert_eq!(temporary, 0, "what was unpacked is removed: {left:?}");
}

/// 96 MB that cannot be compressed away to nothing at once.
fn large_database(sandbox: &Sandbox) {
    fs::create_dir_all(sandbox.path(".lifeboat/sandbox")).expect("a directory");
    let runtime = tokio::runtime::Builder::new_current_thread().build().expect("a runtime");
    runtime.block_on(async {
        let database = libsql::Builder::new_local(sandbox.path(DATABASE)).build().await.expect("a database");
        let rows = "PRAGMA synchronous = OFF; PRAGMA journal_mode = OFF; CREATE TABLE orders (note BLOB);
            WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 48)
            INSERT INTO orders SELECT zeroblob(1 << 21) FROM n;";
        database.connect().expect("it opens").execute_batch(rows).await.expect("it is filled");
    });
}
