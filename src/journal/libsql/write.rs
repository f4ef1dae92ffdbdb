//! Appending to the file: one transaction, one commit.

use libsql::Value;

use super::super::tail::Tail;
use super::super::{Entry, GENESIS, JournalError, RUNNING};
use super::connection::{Connection, Row, Statement};
use super::{Store, format, leases, outbox, read};
use crate::model::{Event, EventBody, Fence, Letter, RunId, Started};

/// The statements of an append, prepared once.
pub(super) struct Writer {
    begin: Statement,
    find: Statement,
    add: Statement,
    advance: Statement,
    commit: Statement,
}

/// What the file says about a run that is about to go on.
struct Standing {
    number: i64,
    events: u64,
    head: String,
}

impl Writer {
    fn prepare(connection: &Connection) -> Result<Self, JournalError> {
        Ok(Self {
            // Locks at once: nobody else can begin a run or go on with this one between our reading and our writing.
            begin: connection.prepare("BEGIN IMMEDIATE")?,
            find: connection.prepare("SELECT number, events, CAST(head AS BLOB) FROM runs WHERE id = ?1")?,
            add: connection.prepare("INSERT INTO events (run, seq, json, hash) VALUES (?1, ?2, ?3, ?4)")?,
            advance: connection.prepare(
                "UPDATE runs SET events = ?2, head = ?3,
                     ended = iif(?7, ?4, coalesce(?4, ended)), status = coalesce(?5, status),
                     why = iif(?7, ?6, coalesce(?6, why))
                 WHERE number = ?1",
            )?,
            commit: connection.prepare("COMMIT")?,
        })
    }
}

impl Store {
    /// Does it without waiting for the disk: the next append waits for both.
    pub(super) fn visibly<T>(
        &mut self,
        write: impl FnOnce(&mut Self) -> Result<T, JournalError>,
    ) -> Result<T, JournalError> {
        self.connection.roll_back()?;
        self.connection.batch(format::VISIBLE)?;
        let written = write(self);
        self.connection.batch(format::DURABLE)?;
        written
    }

    /// Writes all of the events and letters, or none. Returns where the run stands then.
    pub(super) fn append(
        &mut self,
        run: &RunId,
        events: &[Event],
        letters: &[Letter],
        fence: Option<Fence>,
    ) -> Result<Tail, JournalError> {
        self.connection.roll_back()?;
        // Taken out: unless the commit succeeds, the next append reads the run back.
        let known = self.tails.remove(run);
        let writer = match self.writer.take() {
            Some(writer) => writer,
            None => Writer::prepare(&self.connection)?,
        };
        let writer = self.writer.insert(writer);
        self.connection.run(&writer.begin, Vec::new())?;
        let fenced = match fence {
            Some(fence) if !leases::stands(&self.connection, fence)? => {
                Err(JournalError::LeaseLost { run: run.clone() })
            }
            _ => Ok(()),
        };
        let appended = fenced.and_then(|()| append(&self.connection, writer, known, run, events)).and_then(|tail| {
            outbox::put(&self.connection, letters)?;
            let begins = |event: &Event| matches!(event.body, EventBody::Intended { .. });
            let has_room = self.connection.is_remote() || self.ahead.keep(self.connection.path());
            if !has_room && events.iter().any(begins) {
                return Err(JournalError::DiskFull { path: self.connection.path().to_owned() });
            }
            self.connection.run(&writer.commit, Vec::new())?;
            Ok(tail)
        });
        if appended.is_err() {
            // The first error is the one that counts.
            let _ = self.connection.roll_back();
        }
        appended
    }
}

/// Within the transaction.
fn append(
    connection: &Connection,
    writer: &Writer,
    known: Option<Tail>,
    run: &RunId,
    events: &[Event],
) -> Result<Tail, JournalError> {
    let id = Value::Text(run.to_string());
    let read = |row: &Row| {
        Ok(Standing { number: row.number(0)?, events: read::count(connection, row.number(1)?)?, head: row.text(2)? })
    };
    let row = connection.rows(&writer.find, vec![id], read)?.pop();
    let tail = match (&row, known) {
        // Another process may have gone on with the run meanwhile.
        (Some(row), Some(tail)) if tail.next() == row.events && tail.head() == row.head => tail,
        (Some(_), _) => Tail::rebuild(&read::recorded(connection, run)?)?,
        (None, _) => Tail::new(last_head(connection)?),
    };
    let previous = tail.head().to_owned();
    let (tail, entries) = tail.extend(run, events)?;
    let number = match (row, &events[0].body) {
        (Some(row), _) => row.number,
        (None, EventBody::Started(started)) => begin(connection, run, &events[0], started, previous)?,
        (None, _) => return Err(connection.corrupt("a run without a beginning was accepted")),
    };
    for entry in &entries {
        add(connection, writer, number, entry)?;
    }
    advance(connection, writer, number, &tail, events)?;
    Ok(tail)
}

/// The hash that stands last in the run begun last.
fn last_head(connection: &Connection) -> Result<String, JournalError> {
    const LAST: &str = "SELECT CAST(head AS BLOB) FROM runs ORDER BY number DESC LIMIT 1";
    Ok(connection.query(LAST, Vec::new(), |row| row.text(0))?.pop().unwrap_or_else(|| GENESIS.to_owned()))
}

/// Makes the run's row. Returns its number.
fn begin(
    connection: &Connection,
    run: &RunId,
    event: &Event,
    started: &Started,
    previous: String,
) -> Result<i64, JournalError> {
    const BEGIN: &str = "INSERT INTO runs (id, mode, runbook, environment, started_by, started, previous, head)
        VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?7) RETURNING number";
    let texts = [
        run.to_string(),
        read::mode_text(started.mode).to_owned(),
        started.runbook.clone(),
        started.environment.clone(),
        started.by.clone(),
        event.at.to_string(),
        previous,
    ];
    let number = connection.query(BEGIN, texts.into_iter().map(Value::Text).collect(), |row| row.number(0))?.pop();
    number.ok_or_else(|| connection.corrupt("a new run got no number"))
}

fn add(connection: &Connection, writer: &Writer, run: i64, entry: &Entry) -> Result<(), JournalError> {
    let seq = i64::try_from(entry.seq).map_err(|_| connection.corrupt("a run has too many events"))?;
    let values = vec![
        Value::Integer(run),
        Value::Integer(seq),
        Value::Text(entry.json.clone()),
        Value::Text(entry.hash.clone()),
    ];
    connection.run(&writer.add, values)
}

/// Brings the run's row up to date.
fn advance(
    connection: &Connection,
    writer: &Writer,
    run: i64,
    tail: &Tail,
    events: &[Event],
) -> Result<(), JournalError> {
    let count = i64::try_from(tail.next()).map_err(|_| connection.corrupt("a run has too many events"))?;
    let mut values = vec![Value::Integer(run), Value::Integer(count), Value::Text(tail.head().to_owned())];
    let end = events.iter().rev().find_map(|event| match &event.body {
        EventBody::Ended { status, why, .. } => Some((Some(event.at), status.as_str(), why.clone())),
        EventBody::Resumed { .. } => Some((None, RUNNING, None)),
        _ => None,
    });
    let decided = Value::Integer(end.is_some().into());
    match end {
        Some((at, status, why)) => values.extend([
            at.map_or(Value::Null, |at| Value::Text(at.to_string())),
            Value::Text(status.to_owned()),
            why.map_or(Value::Null, Value::Text),
        ]),
        None => values.extend([Value::Null, Value::Null, Value::Null]),
    }
    values.push(decided);
    connection.run(&writer.advance, values)
}
