//! Single tables of a database, put in the place of those of another one: in one transaction, or not at all.

use std::collections::BTreeMap;
use std::path::Path;
use std::time::Duration;

use super::raw::Connection;
use super::{SessionError, SessionErrorKind, SqliteScratch, SqliteSession, actions::Rules};
use crate::system::sqlite_copy::raw::{Open, RawError, read_only};
use crate::system::{Act, Look};

/// Which tables are put where.
#[derive(Clone, Copy, Debug)]
pub struct PutTables<'a> {
    /// The names of the tables.
    pub tables: &'a [String],
    /// Whether rows may be left that point nowhere, where none did before.
    pub allow_orphans: bool,
    /// Whether the tables are compared with where they came from, and checked, before the transaction ends.
    pub verify: bool,
}

/// One table that was put in its place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TablePut {
    /// Its name.
    pub name: String,
    /// How many rows it had; `None` if it was not there.
    pub before: Option<u64>,
    /// How many rows it has.
    pub after: u64,
}

/// Why no table was put anywhere. Everything is as it was, unless it says otherwise.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TablesError {
    /// A table cannot be put there: which one, and why.
    #[error("table {0} {1}")]
    Table(String, String),
    /// Rows would point nowhere, by foreign key: `3 × items → orders`.
    #[error("rows would point nowhere: {}", .0.join(", "))]
    Orphans(Vec<String>),
    /// A check at the end found that the tables are not what they should be.
    #[error("{0}")]
    Unverified(String),
    /// The database did not let it happen.
    #[error(transparent)]
    Failed(#[from] SessionError),
    /// The disk failed at the very end: nobody knows whether it took place.
    #[error("the end of the transaction failed: {0}")]
    Unsettled(SessionError),
}

impl Act {
    /// Puts tables of the database `from` in the place of those of `path`, which others may use. The old ones are kept in the new
    /// database `keep` first. Blocks; gives up after `patience`.
    pub fn sqlite_put_tables(
        &self,
        path: &Path,
        from: &Path,
        keep: Option<&Path>,
        put: PutTables<'_>,
        (patience, stop): (Duration, &dyn Fn() -> bool),
    ) -> Result<Vec<TablePut>, TablesError> {
        let session = self.sqlite_session(path)?;
        session.put_tables(self, from, keep, put, (patience, stop))
    }
}

impl SqliteScratch {
    /// Tries out what [`Act::sqlite_put_tables`] would do, on a copy.
    pub fn try_tables(
        &self,
        look: &Look,
        from: &SqliteScratch,
        put: PutTables<'_>,
        stop: &dyn Fn() -> bool,
    ) -> Result<Vec<TablePut>, TablesError> {
        self.put_tables(look, &from.path(), None, put, (Duration::from_secs(5), stop))
    }

    /// Whether these tables hold the same rows here and in a database that others may use. One that is missing on both sides is the same.
    pub fn same_tables(&self, path: &Path, tables: &[String], stop: &dyn Fn() -> bool) -> Result<bool, SessionError> {
        same_tables(path, &self.path(), tables, stop)
    }
}

impl Look {
    /// Whether these tables hold the same rows in `one`, which others may use, and in `other`, which nobody writes.
    pub fn sqlite_same_tables(
        &self,
        one: &Path,
        other: &Path,
        tables: &[String],
        stop: &dyn Fn() -> bool,
    ) -> Result<bool, SessionError> {
        same_tables(one, other, tables, stop)
    }
}

fn same_tables(one: &Path, other: &Path, tables: &[String], stop: &dyn Fn() -> bool) -> Result<bool, SessionError> {
    other.metadata().map_err(|error| SessionError::io(other, &error))?;
    let reader = super::SqliteReader::open(one, Open::Live, Rules::Read)?;
    let work = Work { connection: &reader.connection, path: one, stop };
    work.attach(other)?;
    for name in tables {
        let same = match (work.table("main", name)?, work.table("lifeboat_from", name)?) {
            (None, None) => true,
            (Some(here), Some(there)) => here.columns == there.columns && work.is_same(&here)?,
            _ => false,
        };
        if !same {
            return Ok(false);
        }
    }
    Ok(true)
}

impl SqliteSession {
    fn put_tables(
        &self,
        look: &Look,
        from: &Path,
        keep: Option<&Path>,
        put: PutTables<'_>,
        (patience, stop): (Duration, &dyn Fn() -> bool),
    ) -> Result<Vec<TablePut>, TablesError> {
        let work = Work { connection: &self.connection, path: &self.path, stop };
        from.metadata().map_err(|error| SessionError::io(from, &error))?;
        work.attach(from)?;
        self.begin(look, patience, stop)?;
        let done = work.put(put, keep);
        let done = done.and_then(|done| match self.commit(look, patience, stop) {
            Ok(()) => Ok(done),
            // What failed to be written may be found on the disk after a crash all the same.
            Err(error) if error.kind == SessionErrorKind::Io => Err(TablesError::Unsettled(error)),
            Err(error) => Err(error.into()),
        });
        // Nothing to roll back once it is committed; otherwise the end of the connection does it as well.
        let _ = self.rollback();
        done
    }
}

/// A table as it is made.
#[derive(Debug)]
struct Table {
    name: String,
    sql: String,
    /// Name, type, constraints and default of each column, as `PRAGMA table_xinfo` tells them.
    columns: Vec<Vec<String>>,
    without_rowid: bool,
}

impl Table {
    /// The columns that hold something of their own: generated ones are computed again. The hidden row number is taken along.
    fn stored(&self) -> String {
        let own = self.columns.iter().filter(|column| column[6] == "0").map(|column| quoted(&column[1]));
        let hidden = !self.without_rowid
            && !self.columns.iter().any(|column| column[1].eq_ignore_ascii_case("rowid"))
            // Where the key is the row number already, it cannot be given twice.
            && !self.columns.iter().any(|column| column[5] != "0" && column[2].eq_ignore_ascii_case("INTEGER"));
        hidden.then(|| "rowid".to_owned()).into_iter().chain(own).collect::<Vec<_>>().join(", ")
    }
}

fn quoted(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}

fn text(text: &str) -> String {
    format!("'{}'", text.replace('\'', "''"))
}

/// A connection with the other database attached as `lifeboat_from`.
struct Work<'a> {
    connection: &'a Connection,
    path: &'a Path,
    stop: &'a dyn Fn() -> bool,
}

type Rows = Vec<Vec<String>>;

impl Work<'_> {
    fn ask(&self, sql: &str) -> Result<Rows, SessionError> {
        let wrong = |error: RawError| SessionError::of(self.path, error.into());
        self.connection.own_rows(sql, self.stop).map_err(wrong)
    }

    fn attach(&self, from: &Path) -> Result<(), SessionError> {
        let uri = read_only(from, false).map_err(|error| SessionError::of(from, error.into()))?;
        self.ask(&format!("ATTACH {} AS lifeboat_from", text(&uri))).map(drop)
    }

    fn count(&self, sql: &str) -> Result<u64, SessionError> {
        let rows = self.ask(sql)?;
        Ok(rows.first().and_then(|row| row.first()).and_then(|text| text.parse().ok()).unwrap_or(0))
    }

    /// A table of this name in a schema; `None` if there is none. The names of tables do not tell case apart.
    fn table(&self, schema: &str, name: &str) -> Result<Option<Table>, SessionError> {
        let found = self.ask(&format!(
            "SELECT name, sql FROM {schema}.sqlite_schema WHERE type = 'table' AND lower(name) = lower({})",
            text(name)
        ))?;
        let Some([name, sql]) = found.into_iter().next().and_then(|row| <[String; 2]>::try_from(row).ok()) else {
            return Ok(None);
        };
        let columns = self.ask(&format!("PRAGMA {schema}.table_xinfo({})", quoted(&name)))?;
        let list = self.ask(&format!("PRAGMA {schema}.table_list({})", quoted(&name)))?;
        let without_rowid = list.first().and_then(|row| row.get(4)).is_some_and(|wr| wr == "1");
        Ok(Some(Table { name, sql, columns, without_rowid }))
    }

    fn put(&self, put: PutTables<'_>, keep: Option<&Path>) -> Result<Vec<TablePut>, TablesError> {
        let tables = self.wanted(put.tables)?;
        if let Some(keep) = keep {
            self.keep(keep, &tables)?;
        }
        let before = self.orphans()?;
        let mut done = Vec::new();
        for (there, here) in &tables {
            done.push(self.put_one(there, here.as_ref())?);
        }
        if !put.allow_orphans {
            let after = self.orphans()?;
            let new = after.iter().filter(|(key, count)| before.get(*key).is_none_or(|had| had < *count));
            let new: Vec<String> =
                new.map(|((table, parent), count)| format!("{count} × {table} → {parent}")).collect();
            if !new.is_empty() {
                return Err(TablesError::Orphans(new));
            }
        }
        if put.verify {
            tables.iter().try_for_each(|(there, _)| self.verified(there))?;
        }
        Ok(done)
    }

    /// The tables there, each with the one here if there is one.
    fn wanted(&self, names: &[String]) -> Result<Vec<(Table, Option<Table>)>, TablesError> {
        let wrong = |name: &str, why: &str| TablesError::Table(name.to_owned(), why.to_owned());
        let mut tables = Vec::new();
        for name in names {
            if name.to_ascii_lowercase().starts_with("sqlite_") {
                return Err(wrong(name, "belongs to SQLite itself"));
            }
            let there = self.table("lifeboat_from", name)?.ok_or_else(|| wrong(name, "is not in the backup"))?;
            if there.sql.trim_start().to_ascii_uppercase().starts_with("CREATE VIRTUAL") {
                return Err(wrong(name, "is virtual: its rows lie in other tables"));
            }
            let here = self.table("main", name)?;
            if let Some(here) = here.as_ref().filter(|here| here.columns != there.columns) {
                let names = |table: &Table| table.columns.iter().map(|c| c[1].clone()).collect::<Vec<_>>().join(", ");
                let why = if names(here) == names(&there) {
                    "has columns of other types or constraints than in the backup".to_owned()
                } else {
                    format!("has the columns {} here and {} in the backup", names(here), names(&there))
                };
                return Err(TablesError::Table(name.clone(), why));
            }
            tables.push((there, here));
        }
        Ok(tables)
    }

    /// Writes the tables as they are now into a database of their own. Nobody else can write them meanwhile: the transaction has begun.
    fn keep(&self, keep: &Path, tables: &[(Table, Option<Table>)]) -> Result<(), SessionError> {
        let failed = |error: RawError| SessionError::of(keep, error.into());
        let kept = Connection::open(keep, Open::Own, Rules::Write).map_err(failed)?;
        let own = |sql: &str| kept.own_rows(sql, self.stop).map(drop).map_err(failed);
        let main = read_only(self.path, true).map_err(failed)?;
        own("PRAGMA synchronous = FULL")?;
        own("PRAGMA foreign_keys = OFF")?;
        own(&format!("ATTACH {} AS lifeboat_main", text(&main)))?;
        own("BEGIN")?;
        for table in tables.iter().filter_map(|(_, here)| here.as_ref()) {
            let (name, stored) = (quoted(&table.name), table.stored());
            own(&table.sql)?;
            own(&format!("INSERT INTO main.{name} ({stored}) SELECT {stored} FROM lifeboat_main.{name}"))?;
        }
        own("COMMIT")
    }

    fn put_one(&self, there: &Table, here: Option<&Table>) -> Result<TablePut, SessionError> {
        let (name, stored) = (quoted(&there.name), there.stored());
        let mut triggers = Vec::new();
        let before = if here.is_some() {
            let before = self.count(&format!("SELECT count(*) FROM main.{name}"))?;
            // They tell of what users do, not of this.
            triggers = self.ask(&format!(
                "SELECT name, sql FROM main.sqlite_schema WHERE type = 'trigger' AND lower(tbl_name) = lower({})",
                text(&there.name)
            ))?;
            for trigger in &triggers {
                self.ask(&format!("DROP TRIGGER main.{}", quoted(&trigger[0])))?;
            }
            self.ask(&format!("DELETE FROM main.{name}"))?;
            Some(before)
        } else {
            self.ask(&there.sql)?;
            None
        };
        self.ask(&format!("INSERT INTO main.{name} ({stored}) SELECT {stored} FROM lifeboat_from.{name}"))?;
        if here.is_none() {
            let others = self.ask(&format!(
                "SELECT sql FROM lifeboat_from.sqlite_schema WHERE type IN ('index', 'trigger') AND sql IS NOT NULL \
                 AND lower(tbl_name) = lower({})",
                text(&there.name)
            ))?;
            others.iter().try_for_each(|row| self.ask(&row[0]).map(drop))?;
        }
        triggers.iter().try_for_each(|trigger| self.ask(&trigger[1]).map(drop))?;
        let after = self.count(&format!("SELECT count(*) FROM main.{name}"))?;
        Ok(TablePut { name: there.name.clone(), before, after })
    }

    /// Rows that point nowhere, counted by foreign key.
    fn orphans(&self) -> Result<BTreeMap<(String, String), u64>, SessionError> {
        let mut counts = BTreeMap::new();
        for row in self.ask("PRAGMA main.foreign_key_check")? {
            if let [table, _, parent, ..] = &row[..] {
                *counts.entry((table.clone(), parent.clone())).or_default() += 1;
            }
        }
        Ok(counts)
    }

    /// Whether a table holds the same rows here and there.
    fn is_same(&self, table: &Table) -> Result<bool, SessionError> {
        let (name, stored) = (quoted(&table.name), table.stored());
        let count = |schema: &str| self.count(&format!("SELECT count(*) FROM {schema}.{name}"));
        if count("main")? != count("lifeboat_from")? {
            return Ok(false);
        }
        let missing = |one: &str, other: &str| {
            self.ask(&format!(
                "SELECT EXISTS (SELECT {stored} FROM {one}.{name} EXCEPT SELECT {stored} FROM {other}.{name})"
            ))
        };
        let none = |rows: Rows| rows.first().is_some_and(|row| row[0] == "0");
        Ok(none(missing("main", "lifeboat_from")?) && none(missing("lifeboat_from", "main")?))
    }

    fn verified(&self, table: &Table) -> Result<(), TablesError> {
        if !self.is_same(table)? {
            let message = format!("table {} is not what it was in the backup once it was written", table.name);
            return Err(TablesError::Unverified(message));
        }
        let problems = self.ask(&format!("PRAGMA main.integrity_check({})", quoted(&table.name)))?;
        match problems.first().and_then(|row| row.first()).filter(|text| *text != "ok") {
            Some(problem) => Err(TablesError::Unverified(format!("table {} is damaged: {problem}", table.name))),
            None => Ok(()),
        }
    }
}
