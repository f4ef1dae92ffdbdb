//! Reading runs back from the file.

use libsql::Value;

use super::super::{Entry, JournalError, Recorded, RunQuery, RunSummary};
use super::connection::{Connection, Row};
use super::prune::keeps_prunes;
use crate::model::{Mode, RunId};

/// The columns of a [`RunSummary`], in the order in which [`summary`] takes them. See [`Row`] for the casts.
macro_rules! summary_columns {
    () => {
        "CAST(id AS BLOB), CAST(mode AS BLOB), CAST(runbook AS BLOB), CAST(environment AS BLOB), CAST(started_by AS BLOB),
         CAST(started AS BLOB), CAST(ended AS BLOB), CAST(status AS BLOB), CAST(why AS BLOB), events, CAST(head AS BLOB)"
    };
}

/// The runs that `query` asks for, newest first.
pub(super) fn runs(connection: &Connection, query: &RunQuery) -> Result<Vec<RunSummary>, JournalError> {
    const RUNS: &str = concat!(
        "SELECT ",
        summary_columns!(),
        " FROM runs
          WHERE (?1 IS NULL OR status = ?1)
            AND (?2 IS NULL OR instr(runbook, ?2) > 0)
            AND (?3 IS NULL OR environment = ?3)
            AND (?4 IS NULL OR substr(id, 1, length(?4)) = ?4 OR substr(id, -length(?4)) = ?4)
            AND (?5 IS NULL OR instr(started_by, ?5) > 0)
            AND (?6 IS NULL OR mode = ?6)
          ORDER BY number DESC LIMIT ?7"
    );
    let text = |wanted: &Option<String>| wanted.clone().map_or(Value::Null, Value::Text);
    let timed = query.since.is_some() || query.until.is_some();
    let limit = query.limit.map_or(-1, |limit| i64::try_from(limit).unwrap_or(i64::MAX));
    let values = vec![
        text(&query.status),
        text(&query.runbook),
        text(&query.environment),
        text(&query.id),
        text(&query.by),
        query.mode.map_or(Value::Null, |mode| Value::Text(mode_text(mode).to_owned())),
        Value::Integer(if timed { -1 } else { limit }),
    ];
    let mut runs = connection.query(RUNS, values, summary)?;
    if timed {
        // Times of runs are written with as many digits as they need: as texts they are in no order.
        runs.retain(|run| query.matches(run));
        runs.truncate(query.limit.unwrap_or(usize::MAX));
    }
    Ok(runs)
}

/// All about one run.
pub(super) fn recorded(connection: &Connection, run: &RunId) -> Result<Recorded, JournalError> {
    const RUN: &str =
        concat!("SELECT ", summary_columns!(), ", number, CAST(previous AS BLOB) FROM runs WHERE id = ?1");
    const GONE: &str = "SELECT number, CAST(next AS BLOB) FROM pruned WHERE number < ?1 ORDER BY number DESC LIMIT 1";
    const BEFORE: &str = "SELECT number, CAST(id AS BLOB) FROM runs WHERE number < ?1 ORDER BY number DESC LIMIT 1";
    const EVENTS: &str = "SELECT seq, CAST(json AS BLOB), CAST(hash AS BLOB) FROM events WHERE run = ?1 ORDER BY seq";

    let id = Value::Text(run.to_string());
    let row = connection.query(RUN, vec![id], |row| Ok((summary(row)?, row.number(11)?, row.text(12)?)))?.pop();
    let (summary, number, previous) = row.ok_or_else(|| JournalError::UnknownRun { asked: run.to_string() })?;
    let number = || vec![Value::Integer(number)];
    let before = connection.query(BEFORE, number(), |row| Ok((row.number(0)?, row.parse(1)?)))?.pop();
    let gone = if keeps_prunes(connection)? {
        connection.query(GONE, number(), |row| Ok((row.number(0)?, row.text(1)?)))?.pop()
    } else {
        None
    };
    let pruned = gone.filter(|(gone, _)| before.as_ref().is_none_or(|(before, _)| before < gone)).map(|(_, next)| next);
    let follows = before.map(|(_, id)| id);
    let entries = connection.query(EVENTS, number(), |row| {
        Ok(Entry { seq: count(connection, row.number(0)?)?, json: row.text(1)?, hash: row.text(2)? })
    })?;
    Ok(Recorded { summary, previous, follows, pruned, entries })
}

fn summary(row: &Row) -> Result<RunSummary, JournalError> {
    let connection = row.connection();
    let ended = row.text_or_null(6)?.map(|_| row.parse(6)).transpose()?;
    Ok(RunSummary {
        id: row.parse(0)?,
        mode: mode(&row.text(1)?).ok_or_else(|| connection.corrupt("the mode of a run is unknown"))?,
        runbook: row.text(2)?,
        environment: row.text(3)?,
        by: row.text(4)?,
        started: row.parse(5)?,
        ended,
        status: row.text(7)?,
        why: row.text_or_null(8)?,
        events: count(connection, row.number(9)?)?,
        head: row.text(10)?,
    })
}

fn mode(text: &str) -> Option<Mode> {
    [Mode::Run, Mode::Drill, Mode::Session].into_iter().find(|mode| mode_text(*mode) == text)
}

/// As it is stored.
pub(super) fn mode_text(mode: Mode) -> &'static str {
    match mode {
        Mode::Run => "run",
        Mode::Drill => "drill",
        Mode::Session => "session",
    }
}

/// A number that cannot be negative.
pub(super) fn count(connection: &Connection, number: i64) -> Result<u64, JournalError> {
    u64::try_from(number).map_err(|_| connection.corrupt(format!("it counts to {number}")))
}
