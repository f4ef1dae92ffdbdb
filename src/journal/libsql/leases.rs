//! Leases in the file.

use libsql::Value;

use super::super::leases::barred;
use super::super::{JournalError, Leases};
use super::connection::{Connection, Row};
use super::{LibsqlJournal, read};
use crate::model::{Claim, Fence, Holder, Lease, Ticket};

impl Leases for LibsqlJournal {
    fn all_leases(&self) -> Result<(Vec<Lease>, Vec<Ticket>), JournalError> {
        let store = self.lock();
        let connection = &store.connection;
        connection.consistently(|| {
            if is_old(connection)? { Ok((Vec::new(), Vec::new())) } else { Ok((all(connection)?, queue(connection)?)) }
        })
    }

    fn now_ms(&self, boot_ms: u64) -> Result<u64, JournalError> {
        const NOW: &str = "SELECT CAST((julianday('now') - 2440587.5) * 86400000 AS INTEGER)";
        let store = self.lock();
        let connection = &store.connection;
        if !connection.is_remote() {
            return Ok(boot_ms);
        }
        connection.roll_back()?;
        let now = connection.query(NOW, Vec::new(), |row| read::count(connection, row.number(0)?))?;
        now.first().copied().ok_or_else(|| connection.corrupt("it does not tell the time"))
    }

    fn take_leases(&self, claim: &Claim) -> Result<Option<u64>, JournalError> {
        let store = self.lock();
        let connection = &store.connection;
        connection.changing(|| {
            if barred(claim, &all(connection)?, &queue(connection)?) {
                return Ok(None);
            }
            let token = match claim.token {
                Some(token) => token,
                None => next_token(connection)?,
            };
            for (scope, over) in &claim.over {
                let gone = vec![text(scope), number(*over)];
                connection.query("DELETE FROM leases WHERE scope = ?1 AND token = ?2", gone, |_| Ok(()))?;
            }
            for (scope, holder) in &claim.wanted {
                const ADD: &str = "INSERT INTO leases (scope, token, beat_ms, ttl_ms, json) VALUES (?1, ?2, ?3, ?4, ?5)
                    ON CONFLICT (scope) DO NOTHING";
                let json = json(connection, holder)?;
                let row = vec![text(scope), number(token), number(claim.beat_ms), number(claim.ttl_ms), text(&json)];
                connection.query(ADD, row, |_| Ok(()))?;
            }
            for ticket in claim.ticket.iter().chain(&claim.gone) {
                connection.query("DELETE FROM lease_queue WHERE number = ?1", vec![number(*ticket)], |_| Ok(()))?;
            }
            Ok(Some(token))
        })
    }

    fn renew_leases(&self, token: u64, beat_ms: u64) -> Result<u64, JournalError> {
        const RENEW: &str = "UPDATE leases SET beat_ms = ?2 WHERE token = ?1 RETURNING token";
        let store = self.lock();
        store.connection.roll_back()?;
        let renewed = store.connection.query(RENEW, vec![number(token), number(beat_ms)], |_| Ok(()))?;
        Ok(renewed.len() as u64)
    }

    fn release_leases(&self, token: u64, but: &[String]) -> Result<(), JournalError> {
        let store = self.lock();
        let connection = &store.connection;
        connection.changing(|| {
            let of = all(connection)?.into_iter().filter(|lease| lease.token == token && !but.contains(&lease.scope));
            for lease in of {
                connection.query("DELETE FROM leases WHERE scope = ?1", vec![text(&lease.scope)], |_| Ok(()))?;
            }
            Ok(())
        })
    }

    fn wait_for_leases(&self, holder: &Holder, scopes: &[String]) -> Result<u64, JournalError> {
        const WAIT: &str = "INSERT INTO lease_queue (json) VALUES (?1) RETURNING number";
        let store = self.lock();
        let connection = &store.connection;
        connection.roll_back()?;
        let json = json(connection, &(holder, scopes))?;
        let numbers = connection.query(WAIT, vec![text(&json)], |row| read::count(connection, row.number(0)?))?;
        numbers.first().copied().ok_or_else(|| connection.corrupt("it gave no place in the queue"))
    }

    fn leave_queue(&self, place: u64) -> Result<(), JournalError> {
        let store = self.lock();
        store.connection.roll_back()?;
        store.connection.query("DELETE FROM lease_queue WHERE number = ?1", vec![number(place)], |_| Ok(())).map(drop)
    }
}

/// Whether a grant still has its leases, within the transaction that records an intent: an effect that begins has them.
pub(super) fn stands(connection: &Connection, fence: Fence) -> Result<bool, JournalError> {
    const COUNT: &str = "SELECT count(*) FROM leases WHERE token = ?1";
    let found = connection.query(COUNT, vec![number(fence.token)], |row| read::count(connection, row.number(0)?))?;
    Ok(found.iter().any(|found| *found >= fence.leases))
}

fn all(connection: &Connection) -> Result<Vec<Lease>, JournalError> {
    const ALL: &str =
        "SELECT CAST(scope AS BLOB), token, beat_ms, ttl_ms, CAST(json AS BLOB) FROM leases ORDER BY scope";
    let count = |row: &Row, column| read::count(connection, row.number(column)?);
    connection.query(ALL, Vec::new(), |row| {
        let (token, beat_ms, ttl_ms) = (count(row, 1)?, count(row, 2)?, count(row, 3)?);
        Ok(Lease { scope: row.text(0)?, token, beat_ms, ttl_ms, holder: parsed(connection, &row.text(4)?)? })
    })
}

fn queue(connection: &Connection) -> Result<Vec<Ticket>, JournalError> {
    const QUEUE: &str = "SELECT number, CAST(json AS BLOB) FROM lease_queue ORDER BY number";
    connection.query(QUEUE, Vec::new(), |row| {
        let (holder, scopes): (Holder, Vec<String>) = parsed(connection, &row.text(1)?)?;
        Ok(Ticket { number: read::count(connection, row.number(0)?)?, holder, scopes })
    })
}

fn next_token(connection: &Connection) -> Result<u64, JournalError> {
    const NEXT: &str = "UPDATE lease_token SET token = token + 1 RETURNING token";
    let tokens = connection.query(NEXT, Vec::new(), |row| read::count(connection, row.number(0)?))?;
    tokens.first().copied().ok_or_else(|| connection.corrupt("it has no number for a lease"))
}

/// A file of an older format, which can be read without being changed, has no leases.
fn is_old(connection: &Connection) -> Result<bool, JournalError> {
    const EXISTS: &str = "SELECT count(*) FROM sqlite_schema WHERE name = 'leases'";
    Ok(connection.query(EXISTS, Vec::new(), |row| row.number(0))?.pop() == Some(0))
}

fn parsed<T: serde::de::DeserializeOwned>(connection: &Connection, text: &str) -> Result<T, JournalError> {
    serde_json::from_str(text).map_err(|why| connection.corrupt(format!("a lease: {why}")))
}

fn json<T: serde::Serialize>(connection: &Connection, value: &T) -> Result<String, JournalError> {
    serde_json::to_string(value).map_err(|why| connection.corrupt(format!("a lease cannot become JSON: {why}")))
}

fn text(text: &str) -> Value {
    Value::Text(text.to_owned())
}

fn number(number: u64) -> Value {
    Value::Integer(i64::try_from(number).unwrap_or(i64::MAX))
}
