//! The outbox in the file: letters are put in by the commit of the call that wrote them, and change one at a time.

use libsql::Value;

use super::super::JournalError;
use super::connection::{Connection, Row};
use crate::model::{Letter, LetterQuery};

/// Puts letters in, within a transaction. A letter keeps the place of an earlier one with its key.
pub(super) fn put(connection: &Connection, letters: &[Letter]) -> Result<(), JournalError> {
    const PUT: &str = "INSERT INTO outbox (key, run, environment, channel, thread, state, attempts, moved, json)
        VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)
        ON CONFLICT (key) DO UPDATE SET state = excluded.state, attempts = excluded.attempts, moved = excluded.moved,
            json = excluded.json";
    for letter in letters {
        let values = vec![
            text(letter.key.as_str()),
            text(&letter.origin.run),
            text(&letter.origin.environment),
            text(&letter.channel),
            letter.thread.as_deref().map_or(Value::Null, text),
            text(letter.state.as_str()),
            Value::Integer(letter.attempts.into()),
            Value::Integer(letter.moved().as_millisecond()),
            text(&json(connection, letter)?),
        ];
        connection.query(PUT, values, |_| Ok(()))?;
    }
    Ok(())
}

/// Changes a letter that waits and was tried so often. `false` when there is none.
pub(super) fn change(connection: &Connection, letter: &Letter, attempts: u32) -> Result<bool, JournalError> {
    const CHANGE: &str = "UPDATE outbox SET state = ?3, attempts = ?4, moved = ?5, json = ?6
        WHERE key = ?1 AND state = 'waiting' AND attempts = ?2 RETURNING number";
    let values = vec![
        text(letter.key.as_str()),
        Value::Integer(attempts.into()),
        text(letter.state.as_str()),
        Value::Integer(letter.attempts.into()),
        Value::Integer(letter.moved().as_millisecond()),
        text(&json(connection, letter)?),
    ];
    connection.roll_back()?;
    Ok(!connection.query(CHANGE, values, |row| row.number(0))?.is_empty())
}

/// The letters that `query` asks for. A file of format 1, which can be read without being changed, has none.
pub(super) fn letters(connection: &Connection, query: &LetterQuery) -> Result<Vec<Letter>, JournalError> {
    const EXISTS: &str = "SELECT count(*) FROM sqlite_schema WHERE name = 'outbox'";
    const LETTERS: &str = "SELECT CAST(json AS BLOB) FROM outbox
        WHERE (?1 IS NULL OR key = ?1) AND (?2 IS NULL OR run = ?2) AND (?3 IS NULL OR environment = ?3)
          AND (?4 IS NULL OR channel = ?4) AND (?5 IS NULL OR thread = ?5) AND (?6 IS NULL OR state = ?6)
          AND (?7 IS NULL OR moved >= ?7)
        ORDER BY number DESC LIMIT ?8";
    if connection.query(EXISTS, Vec::new(), |row| row.number(0))?.pop() == Some(0) {
        return Ok(Vec::new());
    }
    let maybe = |wanted: Option<&str>| wanted.map_or(Value::Null, text);
    let values = vec![
        maybe(query.key.as_ref().map(crate::model::IdempotencyKey::as_str)),
        maybe(query.run.as_deref()),
        maybe(query.environment.as_deref()),
        maybe(query.channel.as_deref()),
        maybe(query.thread.as_deref()),
        maybe(query.state.map(crate::model::LetterState::as_str)),
        query.since.map_or(Value::Null, |since| Value::Integer(since.as_millisecond())),
        Value::Integer(query.newest.map_or(-1, |newest| i64::try_from(newest).unwrap_or(i64::MAX))),
    ];
    let mut letters = connection.query(LETTERS, values, letter)?;
    letters.reverse();
    Ok(letters)
}

fn letter(row: &Row) -> Result<Letter, JournalError> {
    let text = row.text(0)?;
    serde_json::from_str(&text).map_err(|why| row.connection().corrupt(format!("a letter of the outbox: {why}")))
}

fn json(connection: &Connection, letter: &Letter) -> Result<String, JournalError> {
    serde_json::to_string(letter).map_err(|why| connection.corrupt(format!("a letter cannot become JSON: {why}")))
}

fn text(text: &str) -> Value {
    Value::Text(text.to_owned())
}

#[cfg(test)]
mod tests {
    use libsql::OpenFlags;

    use super::super::super::{Journal as _, LibsqlJournal, RunQuery};
    use super::*;

    const RUN: &str = "INSERT INTO runs (id, mode, runbook, environment, started_by, started, previous, head)
        VALUES ('r', 'run', 'a.rhai', 'test', 'me@here', '2026-11-20T20:56:09Z', '', '')";

    #[test]
    fn a_file_of_format_1_is_read_as_it_is_and_brought_up_to_date_when_it_is_written() {
        let dir = tempfile::tempdir().expect("a directory");
        let path = dir.path().join("journal.db");
        let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_CREATE;
        let old = Connection::open(&path, flags).expect("opens");
        let marks = "PRAGMA journal_mode = WAL; PRAGMA application_id = 0x4c664274; PRAGMA user_version = 1;";
        old.batch(&format!("{marks} {} {RUN};", include_str!("../schema/0001.sql"))).expect("as format 1 was");
        drop(old);

        let reader = LibsqlJournal::open_existing(&path).expect("opens").expect("is there");
        assert_eq!(reader.letters(&LetterQuery::default()).expect("reads"), []);
        drop(reader);
        let writer = LibsqlJournal::open(&path).expect("opens");
        assert_eq!(writer.letters(&LetterQuery::default()).expect("reads"), []);
        assert_eq!(writer.runs(&RunQuery::default()).expect("reads").len(), 1, "what was recorded is there");
        let state = "SELECT user_version, (SELECT count(*) FROM outbox) FROM pragma_user_version";
        let store = writer.lock();
        let found = store.connection.query(state, Vec::new(), |row| Ok((row.number(0)?, row.number(1)?)));
        assert_eq!(found.expect("reads"), [(5, 0)]);
    }
}
