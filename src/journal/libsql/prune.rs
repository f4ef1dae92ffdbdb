//! Removing old runs from the file.

use jiff::Timestamp;
use libsql::Value;

use super::super::{GENESIS, JournalError, Prune, Pruned, PrunedRun, Prunes, UNFINISHED, link};
use super::connection::{Connection, Row};
use super::{LibsqlJournal, directory, read};

impl LibsqlJournal {
    /// The runs that ended before `before`, oldest first: what [`prune`](Self::prune) removes. Those that are not over stay, and
    /// so does the run begun last.
    pub fn prunable(&self, before: Timestamp) -> Result<Vec<PrunedRun>, JournalError> {
        let store = self.lock();
        store
            .connection
            .consistently(|| prunable(&store.connection, before))
            .map(|runs| runs.into_iter().map(|(_, run)| run).collect())
    }

    /// Removes the runs that ended before `before`, with what was left for them. What is left can still be verified.
    pub fn prune(&self, before: Timestamp, by: &str, at: Timestamp) -> Result<Pruned, JournalError> {
        let store = self.lock();
        let connection = &store.connection;
        connection.roll_back()?;
        connection.batch("BEGIN IMMEDIATE")?;
        let done = remove(connection, before, by, at).and_then(|done| connection.batch("COMMIT").map(|()| done));
        if done.is_err() {
            // The first error is the one that counts.
            let _ = connection.roll_back();
        }
        let (prune, left) = done?;
        if prune.runs.is_empty() {
            return Ok(Pruned { prune, left, freed: 0 });
        }
        let length = || directory::file_len(connection.path());
        let before = length();
        // Others may be at work: then the room is used again, and the file is as long as it was.
        let _ = connection.batch("VACUUM; PRAGMA wal_checkpoint(TRUNCATE)");
        Ok(Pruned { prune, left, freed: before.saturating_sub(length()) })
    }
}

fn prunable(connection: &Connection, before: Timestamp) -> Result<Vec<(i64, PrunedRun)>, JournalError> {
    let candidates = format!(
        "SELECT number, CAST(id AS BLOB), CAST(runbook AS BLOB), CAST(environment AS BLOB), CAST(started AS BLOB),
                CAST(status AS BLOB), events, CAST(previous AS BLOB), CAST(head AS BLOB), CAST(ended AS BLOB)
         FROM runs
         WHERE ended IS NOT NULL AND status NOT IN ('{}') AND number < (SELECT max(number) FROM runs)
         ORDER BY number",
        UNFINISHED.join("', '")
    );
    let read = |row: &Row| {
        let ended: Timestamp = row.parse(9)?;
        let run = PrunedRun {
            id: row.parse(1)?,
            runbook: row.text(2)?,
            environment: row.text(3)?,
            started: row.parse(4)?,
            status: row.text(5)?,
            events: read::count(connection, row.number(6)?)?,
            previous: row.text(7)?,
            next: String::new(),
            head: row.text(8)?,
        };
        Ok((ended, row.number(0)?, run))
    };
    let found = connection.query(&candidates, Vec::new(), read)?;
    let old = found.into_iter().filter(|(ended, _, _)| *ended < before);
    old.map(|(_, number, run)| Ok((number, PrunedRun { next: next(connection, number)?, ..run }))).collect()
}

/// The hash behind which the run after this one goes on.
fn next(connection: &Connection, number: i64) -> Result<String, JournalError> {
    const AFTER: &str = "SELECT number, CAST(previous AS BLOB) FROM runs WHERE number > ?1 ORDER BY number LIMIT 1";
    const PRUNED: &str = "SELECT number, CAST(id AS BLOB) FROM pruned WHERE number > ?1 ORDER BY number LIMIT 1";
    let after = connection.query(AFTER, vec![Value::Integer(number)], |row| Ok((row.number(0)?, row.text(1)?)))?.pop();
    let gone = connection.query(PRUNED, vec![Value::Integer(number)], |row| Ok((row.number(0)?, row.text(1)?)))?.pop();
    let missing = || connection.corrupt("a run that is not the last has none after it");
    match (after, gone) {
        (Some((there, _)), Some((was, id))) if was < there => {
            let prunes = prunes(connection)?.prunes;
            let run = prunes.iter().flat_map(|prune| &prune.runs).find(|run| run.id.as_str() == id);
            run.map(|run| run.previous.clone()).ok_or_else(missing)
        }
        (Some((_, previous)), _) => Ok(previous),
        (None, _) => Err(missing()),
    }
}

/// Within the transaction.
fn remove(connection: &Connection, before: Timestamp, by: &str, at: Timestamp) -> Result<(Prune, u64), JournalError> {
    const TRIGGERS: &str = "SELECT CAST(name AS BLOB), CAST(sql AS BLOB) FROM sqlite_schema
        WHERE type = 'trigger' AND tbl_name IN ('events', 'runs')";
    let found = prunable(connection, before)?;
    let triggers = connection.query(TRIGGERS, Vec::new(), |row| Ok((row.text(0)?, row.text(1)?)))?;
    for (name, _) in &triggers {
        connection.batch(&format!("DROP TRIGGER {name}"))?;
    }
    for (number, run) in &found {
        let (number, id) = (Value::Integer(*number), Value::Text(run.id.to_string()));
        let change = |statement: &str, values: Vec<Value>| connection.query(statement, values, |_| Ok(())).map(drop);
        change("DELETE FROM events WHERE run = ?1", vec![number.clone()])?;
        change("DELETE FROM requests WHERE run = ?1", vec![id.clone()])?;
        change("DELETE FROM outbox WHERE run = ?1 AND state <> 'waiting'", vec![id.clone()])?;
        change("DELETE FROM runs WHERE number = ?1", vec![number.clone()])?;
        let next = Value::Text(run.next.clone());
        change("INSERT INTO pruned (number, id, next) VALUES (?1, ?2, ?3)", vec![number, id, next])?;
    }
    for (_, sql) in &triggers {
        connection.batch(sql)?;
    }
    let runs: Vec<PrunedRun> = found.into_iter().map(|(_, run)| run).collect();
    let prune = Prune { at, by: by.to_owned(), before, runs };
    if !prune.runs.is_empty() {
        let json = serde_json::to_string(&prune)
            .map_err(|why| connection.corrupt(format!("a prune cannot become JSON: {why}")))?;
        let hash = link(&prunes(connection)?.head, &json);
        let values = vec![Value::Text(json), Value::Text(hash)];
        connection.query("INSERT INTO prunes (json, hash) VALUES (?1, ?2)", values, |_| Ok(()))?;
    }
    let left = connection.query("SELECT count(*) FROM runs", Vec::new(), |row| row.number(0))?;
    Ok((prune, read::count(connection, left.first().copied().unwrap_or_default())?))
}

/// A file of an older format has none.
pub(super) fn keeps_prunes(connection: &Connection) -> Result<bool, JournalError> {
    const EXISTS: &str = "SELECT count(*) FROM sqlite_schema WHERE name = 'pruned'";
    Ok(connection.query(EXISTS, Vec::new(), |row| row.number(0))?.pop() == Some(1))
}

/// All that was ever removed.
pub(super) fn prunes(connection: &Connection) -> Result<Prunes, JournalError> {
    const PRUNES: &str = "SELECT CAST(json AS BLOB), CAST(hash AS BLOB) FROM prunes ORDER BY number";
    const COPIES: &str = "SELECT CAST(id AS BLOB), CAST(next AS BLOB) FROM pruned ORDER BY number";
    if !keeps_prunes(connection)? {
        return Ok(Prunes { prunes: Vec::new(), head: GENESIS.to_owned(), broken: None });
    }
    let pair = |row: &Row| Ok((row.text(0)?, row.text(1)?));
    let stored = connection.query(PRUNES, Vec::new(), pair)?;
    let copies = connection.query(COPIES, Vec::new(), pair)?;
    Ok(Prunes::of(&stored, &copies))
}
