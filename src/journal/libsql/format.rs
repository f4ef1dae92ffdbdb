//! The format of the file: made when it is new, brought up to date when it is old, refused when it is not ours.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use libsql::OpenFlags;

use super::super::{JournalError, Transport};
use super::connection::{Connection, Row};
use super::file::refused;
use super::{BUSY, directory};

/// What brings a file from format n to n + 1.
const MIGRATIONS: [&str; 5] = [
    include_str!("../schema/0001.sql"),
    include_str!("../schema/0002.sql"),
    include_str!("../schema/0003.sql"),
    include_str!("../schema/0004.sql"),
    include_str!("../schema/0005.sql"),
];

/// The newest format.
const NEWEST: usize = MIGRATIONS.len();

/// Marks a database as a journal of Lifeboat: the letters `LfBt`.
const APPLICATION: i64 = 0x4c66_4274;

/// The same at a server, where nobody may set that number.
const MARK_AT_A_SERVER: &str = "CREATE TABLE IF NOT EXISTS lifeboat_journal (journal INTEGER) STRICT";

/// Little memory: a run touches a handful of pages.
const SMALL: &str = "PRAGMA cache_size = -256;";

/// Every commit waits for the disk (on macOS too, where that takes a special call); a checkpoint is never made on the way.
pub(super) const DURABLE: &str = "PRAGMA synchronous = FULL; PRAGMA fullfsync = ON; PRAGMA wal_autocheckpoint = 0;";

/// A commit is seen by everybody at once, and survives the end of its process; it waits for the disk with the next one.
pub(super) const VISIBLE: &str = "PRAGMA synchronous = NORMAL;";

/// Opens the journal at `path` for writing; makes it, with its directory, if need be.
pub(super) fn open(path: &Path) -> Result<Connection, JournalError> {
    directory::prepare(path).and_then(|()| directory::exists(path)).map_err(|error| refused(path, &error))?;
    let connection = Connection::open(path, OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_CREATE)?;
    connection.wait_at_most(BUSY)?;
    connection.batch(SMALL)?;
    connection.batch(DURABLE)?;
    if found(&connection)? < NEWEST {
        log_ahead(&connection)?;
        connection.changing(|| migrate(&connection))?;
    }
    Ok(connection)
}

/// Opens the journal at the server at `url`; makes it if need be.
pub(super) fn open_remote(url: &str, transport: Arc<dyn Transport>) -> Result<Connection, JournalError> {
    let connection = Connection::remote(url, transport);
    if found(&connection)? < NEWEST {
        connection.changing(|| migrate(&connection))?;
    }
    Ok(connection)
}

/// Opens the journal at the server at `url` for reading, if there is one. Makes none.
pub(super) fn open_existing_remote(
    url: &str,
    transport: Arc<dyn Transport>,
) -> Result<Option<Connection>, JournalError> {
    let connection = Connection::remote(url, transport);
    Ok(if found(&connection)? == 0 { None } else { Some(connection) })
}

/// Opens the journal at `path` for reading, if there is one. Makes none.
pub(super) fn open_existing(path: &Path) -> Result<Option<Connection>, JournalError> {
    if !directory::exists(path).map_err(|error| refused(path, &error))? {
        return Ok(None);
    }
    let connection = Connection::open(path, OpenFlags::SQLITE_OPEN_READ_ONLY)?;
    connection.wait_at_most(BUSY)?;
    connection.batch(SMALL)?;
    // Format 0 is a file that somebody is making just now, or whose maker was killed.
    Ok(if found(&connection)? == 0 { None } else { Some(connection) })
}

/// Lets commits go to a log. SQLite does not wait for another process that is doing the same at this moment.
fn log_ahead(connection: &Connection) -> Result<(), JournalError> {
    const PAUSE: Duration = Duration::from_millis(10);
    let mut waited = Duration::ZERO;
    loop {
        match connection.batch("PRAGMA journal_mode = WAL") {
            Err(JournalError::Locked { .. }) if waited < BUSY => {
                std::thread::sleep(PAUSE);
                waited += PAUSE;
            }
            done => return done,
        }
    }
}

/// Within a transaction, and looking again: another process may have been faster.
fn migrate(connection: &Connection) -> Result<(), JournalError> {
    for migration in &MIGRATIONS[found(connection)?..] {
        connection.batch(migration)?;
    }
    let mark = if connection.is_remote() {
        MARK_AT_A_SERVER.to_owned()
    } else {
        format!("PRAGMA application_id = {APPLICATION}")
    };
    connection.batch(&format!("{mark}; PRAGMA user_version = {NEWEST}"))
}

/// The format of the file; 0 when it is empty.
fn found(connection: &Connection) -> Result<usize, JournalError> {
    const IN_A_FILE: &str = "SELECT application_id, user_version, (SELECT count(*) FROM sqlite_schema)
        FROM pragma_application_id, pragma_user_version";
    const AT_A_SERVER: &str =
        "SELECT (SELECT count(*) FROM sqlite_schema WHERE name = 'lifeboat_journal') * 0x4c664274,
        user_version, (SELECT count(*) FROM sqlite_schema WHERE name NOT LIKE 'libsql_%') FROM pragma_user_version";
    let read = |row: &Row| Ok((row.number(0)?, row.number(1)?, row.number(2)?));
    let state = connection.query(if connection.is_remote() { AT_A_SERVER } else { IN_A_FILE }, Vec::new(), read)?.pop();
    let path = connection.path().to_owned();
    match state {
        Some((0, 0, 0)) => Ok(0),
        Some((APPLICATION, format, _)) => match usize::try_from(format) {
            Ok(format) if (1..=NEWEST).contains(&format) => Ok(format),
            _ => {
                Err(JournalError::NewerFormat { path, found: format, known: i64::try_from(NEWEST).unwrap_or(i64::MAX) })
            }
        },
        _ => Err(JournalError::NotAJournal { path, why: "it is a database of something else".to_owned() }),
    }
}
