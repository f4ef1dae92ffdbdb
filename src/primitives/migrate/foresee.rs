//! Migrations tried on a scratch copy: what they would change and lose, and whether they would fail.
//!
//! A database of more than 256 MiB, or one for whose copy there is no room, is not copied: its schema and its history are, without
//! rows. What depends on rows (constraints, counts, time) is then not tried, and the plan says so.

use std::path::Path;

use crate::model::{Fault, IdempotencyKey, Key, Value};
use crate::primitives::store::{copy_fault, free_near, human};
use crate::primitives::targets::SqliteDatabase;
use crate::system::{CopyError, Look, SqlLoss, SqliteReader, SqliteScratch};

use super::apply::{Bench, Course, Failure, Ran};
use super::decide::Decision;
use super::directory::Migration;
use super::faults::{code, fault};
use super::history::{Ask, History};
use super::schema::Schema;
use super::verify::Required;

/// The largest database that is copied for a plan, in bytes.
pub(super) const LARGEST: u64 = 256 << 20;

/// What came of the trial.
pub(super) struct Trial {
    pub(super) ran: Vec<Ran>,
    /// What the schema gains and loses, one line each.
    pub(super) differences: Vec<String>,
    /// Why it would fail.
    pub(super) fault: Option<Fault>,
    /// What was not tried.
    pub(super) untried: Option<String>,
    /// Tables that are there afterwards, though one of their name was dropped.
    pub(super) rebuilt: Vec<String>,
}

/// Carries the steps out on a copy. `largest`: the largest database that is copied with its rows.
pub(super) fn attempt(
    look: &Look,
    database: &SqliteDatabase,
    (files, decision, required): (&[Migration], &Decision, &Required),
    largest: u64,
    stop: &dyn Fn() -> bool,
) -> Result<Trial, Fault> {
    let target = database.name.as_str();
    let size = size(look, &database.path);
    let room = free_near(look, target, look.scratch_directory(), size.saturating_add(size / 4));
    let why_not = match (&room, size > largest) {
        (_, true) => Some(format!("{target} has {}", human(size))),
        (Err(fault), _) => Some(fault.message.clone()),
        (Ok(()), false) => None,
    };
    let scratch = match &why_not {
        None if size > 0 => look.scratch_copy(&database.path, stop).map_err(|error| unable(target, &error))?,
        None => look.scratch_database().map_err(|error| unable(target, &error))?,
        Some(_) => hollow(look, database, stop)?,
    };
    let key = IdempotencyKey::new("plan", &Key::ROOT);
    let bench = Bench { target, session: &scratch, look, stop, key: &key };
    let mut course = Course::begin(&bench, files)?;
    let table = course.history().ledger.table();
    let before = Schema::read(&bench.ask(), table)?;
    let failure = course.run(&decision.steps, decision.how).err();
    let after = Schema::read(&bench.ask(), table)?;
    let mut untried =
        why_not.map(|why| format!("tried without rows, as {why}: constraints, row counts and time were not tried"));
    let fault = match failure {
        // What rows would have done to it nobody knows.
        Some(Failure { of_rows: true, fault }) if untried.is_some() => {
            untried = untried.map(|note| format!("{note}, nor what comes after this: {}", fault.message));
            None
        }
        // The scratch directory's disk says nothing of the database's.
        Some(Failure { fault, .. }) if fault.code == "disk-full" => {
            untried = Some(format!("not tried to the end: {}", fault.message));
            None
        }
        Some(Failure { fault, .. }) if fault.code == "interrupted" => return Err(fault),
        Some(failure) => Some(failure.fault),
        None if untried.is_some() => None,
        None => unverified(&bench.ask(), required, true)?,
    };
    let dropped = course.ran.iter().flat_map(|ran| &ran.losses).filter_map(|(loss, _)| match loss {
        SqlLoss::Table(name) if after.has_table(name) => Some(name.clone()),
        _ => None,
    });
    let rebuilt = dropped.collect();
    Ok(Trial { ran: course.ran, differences: before.differences(&after), fault, untried, rebuilt })
}

/// The fault, if what must hold afterwards does not.
pub(super) fn unverified(ask: &Ask<'_>, required: &Required, thorough: bool) -> Result<Option<Fault>, Fault> {
    let problems = required.problems(ask, thorough)?;
    if problems.is_empty() {
        return Ok(None);
    }
    let message = format!("{} lacks what must hold after migrating: {}", ask.target, problems.join("; "));
    let hint = "what was applied stays applied: migrate down, restore a backup, or put it right with a new migration";
    Ok(Some(fault(code::UNVERIFIED, ask.target, message).hint(hint)))
}

fn unable(target: &str, error: &CopyError) -> Fault {
    copy_fault(code::FAILED, target, error)
}

/// The bytes of a database and of its write-ahead log.
fn size(look: &Look, path: &Path) -> u64 {
    let mut log = path.as_os_str().to_owned();
    log.push("-wal");
    look.len(path).unwrap_or(0) + look.len(Path::new(&log)).unwrap_or(0)
}

/// A scratch database with the schema and the history of the real one, and no other rows.
fn hollow(look: &Look, database: &SqliteDatabase, stop: &dyn Fn() -> bool) -> Result<SqliteScratch, Fault> {
    let target = database.name.as_str();
    let reader = open(look, database)?;
    let ask = Ask { reader: &reader, target, stop };
    let history = History::read(&ask)?;
    let scratch = look.scratch_database().map_err(|error| unable(target, &error))?;
    let sql = "SELECT name, sql, type = 'table' FROM sqlite_schema \
               WHERE sql IS NOT NULL AND name NOT LIKE 'sqlite\\_%' ESCAPE '\\' ORDER BY type = 'table' DESC, rowid";
    for row in ask.rows(sql, &[])?.rows {
        if scratch.run(&row[1].to_string(), &[], stop).is_err() && !made_by_another(&scratch, &row[0], stop) {
            let message = format!("{} cannot be made without rows, so nothing can be tried", row[0]);
            return Err(fault(code::FAILED, target, message));
        }
    }
    if history.exists {
        let table = history.ledger.table();
        let rows = ask.rows(&format!("SELECT * FROM {table}"), &[])?;
        let marks = vec!["?"; rows.columns.len()].join(", ");
        for row in &rows.rows {
            let copied = scratch.run(&format!("INSERT INTO {table} VALUES ({marks})"), row, stop);
            copied.map_err(|error| fault(code::HISTORY, target, error.message))?;
        }
    }
    Ok(scratch)
}

/// A virtual table makes the tables in which it keeps its rows itself.
fn made_by_another(scratch: &SqliteScratch, name: &Value, stop: &dyn Fn() -> bool) -> bool {
    let found = scratch.rows("SELECT 1 FROM sqlite_schema WHERE name = ?", std::slice::from_ref(name), stop);
    found.is_ok_and(|found| !found.rows.is_empty())
}

/// Opens the database for reading.
pub(super) fn open(look: &Look, database: &SqliteDatabase) -> Result<SqliteReader, Fault> {
    let what = format!("{} cannot be opened", database.name);
    look.sqlite_reader(&database.path)
        .map_err(|error| super::faults::session_fault(code::FAILED, &database.name, &what, &error))
}
