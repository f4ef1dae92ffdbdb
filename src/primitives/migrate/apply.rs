//! Carries migrations out, each in a transaction of its own: on the database itself, or on a scratch copy.

use std::path::Path;
use std::time::Duration;

use crate::model::{Applied, Fault, IdempotencyKey, Value};
use crate::system::{Look, SessionError, SessionErrorKind, SqlLoss, SqliteSession};

use super::decide::How;
use super::directory::Migration;
use super::faults::{code, fault, interrupted, session_fault};
use super::history::{Ask, History, Row};
use super::script::{Direction, Script};
use super::verify::dangling;
use super::version::Version;

/// How long others may keep the database locked; tests do not wait so long.
const PATIENCE: Duration = if cfg!(test) { Duration::from_millis(300) } else { Duration::from_secs(30) };

/// The database that is migrated.
pub(super) struct Bench<'a> {
    pub(super) target: &'a str,
    pub(super) session: &'a SqliteSession,
    pub(super) look: &'a Look,
    pub(super) stop: &'a dyn Fn() -> bool,
    pub(super) key: &'a IdempotencyKey,
}

/// A migration that was carried out.
#[derive(Clone, Debug)]
pub(super) struct Ran {
    pub(super) version: Version,
    pub(super) file: String,
    /// Rows inserted, updated and deleted.
    pub(super) changes: u64,
    pub(super) took: Duration,
    /// What it lost, with `FILE:LINE`.
    pub(super) losses: Vec<(SqlLoss, String)>,
}

/// Why not all migrations were carried out.
#[derive(Debug)]
pub(super) struct Failure {
    pub(super) fault: Fault,
    /// Rows contradicted a constraint: without rows it would not have failed, with other rows it may.
    pub(super) of_rows: bool,
}

impl From<Fault> for Failure {
    fn from(fault: Fault) -> Self {
        Self { fault, of_rows: false }
    }
}

/// Migrations on their way, with what they found.
pub(super) struct Course<'a> {
    bench: &'a Bench<'a>,
    history: History,
    /// The versions for which there are files, the oldest first.
    known: Vec<Version>,
    /// Changes when somebody else commits.
    seen: Option<Value>,
    /// How many rows pointed nowhere before.
    dangling: Option<i64>,
    pub(super) ran: Vec<Ran>,
}

impl<'a> Course<'a> {
    /// Reads where the database stands.
    pub(super) fn begin(bench: &'a Bench<'a>, files: &[Migration]) -> Result<Self, Fault> {
        let seen = data_version(bench)?;
        let history = History::read(&bench.ask())?;
        let known = files.iter().map(|file| file.version.clone()).collect();
        Ok(Self { bench, history, known, seen, dangling: None, ran: Vec::new() })
    }

    pub(super) fn history(&self) -> &History {
        &self.history
    }

    /// Carries them out in order. When one fails, those before it stay; the fault says which.
    pub(super) fn run(&mut self, steps: &[Migration], how: How) -> Result<(), Failure> {
        let bench = self.bench;
        let How::Run(direction) = how else {
            let note = |course: &mut Self| steps.iter().try_for_each(|step| course.step(step, None, Direction::Up));
            return self.transaction(Direction::Up, note);
        };
        // All files are read before the first one is run: one that cannot be run shall not be found half way.
        let scripts = steps.iter().map(|step| Script::of(step, direction, bench.target));
        let scripts = scripts.collect::<Result<Vec<_>, _>>()?;
        self.dangling = dangling(&bench.ask()).map(|(count, _)| count);
        for (step, script) in steps.iter().zip(&scripts) {
            let enforced = bench.session.enforce_foreign_keys(script.foreign_keys.unwrap_or(false));
            let done = match enforced {
                Err(error) => Err(Failure::from(self.failed(&step.version, &error))),
                Ok(()) => self.transaction(direction, |course| course.step(step, Some(script), direction)),
            };
            done.map_err(|failure| self.after_others(failure, direction))?;
        }
        Ok(())
    }

    /// Names what this call committed before it failed.
    fn after_others(&self, failure: Failure, direction: Direction) -> Failure {
        let Failure { mut fault, of_rows } = failure;
        if self.ran.is_empty() || fault.applied == Applied::Unknown {
            return Failure { fault, of_rows };
        }
        let done = match self.ran.as_slice() {
            [only] => only.version.to_string(),
            [first, .., last] => format!("{} to {}", first.version, last.version),
            [] => String::new(),
        };
        let what = if direction == Direction::Up { "applied" } else { "taken back" };
        fault.message = match fault.code.as_str() {
            "interrupted" => format!("interrupted; {done} had been {what} by then"),
            _ => format!("{}; {done} had been {what} by then", fault.message),
        };
        Failure { fault: fault.applied(Applied::Yes), of_rows }
    }

    /// All of `work` or nothing of it.
    fn transaction(
        &mut self,
        direction: Direction,
        work: impl FnOnce(&mut Self) -> Result<(), Failure>,
    ) -> Result<(), Failure> {
        let (bench, before, was) = (self.bench, self.ran.len(), self.history.entries.clone());
        // Short statements end before SQLite asks whether to stop.
        if (bench.stop)() {
            return Err(interrupted(bench.target).into());
        }
        let begun = bench.session.begin(bench.look, PATIENCE, bench.stop);
        begun.map_err(|error| session_fault(code::FAILED, bench.target, "cannot begin", &error))?;
        let done = self.undisturbed().map_err(Failure::from).and_then(|()| work(self));
        if let Err(failure) = done {
            self.ran.truncate(before);
            self.history.entries = was;
            let rolled_back = bench.session.rollback();
            let sure = rolled_back.is_ok() || !bench.session.in_transaction();
            let Failure { fault, of_rows } = failure;
            return Err(Failure { fault: if sure { fault } else { fault.applied(Applied::Unknown) }, of_rows });
        }
        let Err(error) = bench.session.commit(bench.look, PATIENCE, bench.stop) else { return Ok(()) };
        let fault = session_fault(code::FAILED, bench.target, "cannot commit", &error);
        let _ = bench.session.rollback();
        let found = History::read(&bench.ask()).map_err(|_| fault.clone().applied(Applied::Unknown))?;
        // A commit that was reported as failed, and is in the history, took place.
        let took_place = self.ran[before..].iter().all(|ran| found.has(&ran.version) == (direction == Direction::Up));
        self.history = found;
        if took_place {
            return Ok(());
        }
        self.ran.truncate(before);
        Err(fault.into())
    }

    /// Nobody else migrates meanwhile.
    fn undisturbed(&mut self) -> Result<(), Fault> {
        let bench = self.bench;
        let seen = data_version(bench)?;
        if self.seen == seen {
            return Ok(());
        }
        self.seen = seen;
        let now = History::read(&bench.ask())?;
        if now.entries == self.history.entries {
            return Ok(());
        }
        let message = format!("somebody else migrated {} at the same time", bench.target);
        Err(fault(code::DRIFT, bench.target, message).hint("let the other one end, then migrate again"))
    }

    /// One migration, inside the transaction that is open. Without a script it is only noted.
    fn step(&mut self, migration: &Migration, script: Option<&Script>, direction: Direction) -> Result<(), Failure> {
        let bench = self.bench;
        let began = bench.look.monotonic();
        let failed = |error: SessionError| Failure::from(self.failed(&migration.version, &error));
        if let Some(create) = self.history.ledger.create().filter(|_| direction == Direction::Up) {
            bench.session.run(create, &[], bench.stop).map_err(failed)?;
        }
        let file = migration.down.as_ref().filter(|_| direction == Direction::Down).unwrap_or(&migration.up);
        let mut ran = Ran {
            version: migration.version.clone(),
            file: file.name.clone(),
            changes: 0,
            took: Duration::ZERO,
            losses: Vec::new(),
        };
        let mut touches_rows = false;
        for (statement, offset) in script.into_iter().flat_map(Script::statements) {
            let report = bench.session.run(statement, &[], bench.stop).map_err(|error| {
                let place = script.map(|script| script.place(offset + error.offset.unwrap_or(0))).unwrap_or_default();
                self.refused(&migration.version, &place, &error)
            })?;
            ran.changes += report.changes;
            touches_rows |= report.touches_rows;
            let place = || script.map(|script| script.place(offset)).unwrap_or_default();
            ran.losses.extend(report.losses.into_iter().map(|loss| (loss, place())));
        }
        if touches_rows {
            self.nothing_dangles(&migration.version, &file.path)?;
        }
        ran.took = bench.look.monotonic().saturating_sub(began);
        let writes = match direction {
            Direction::Up => {
                let row = Row { migration, at: bench.look.now(), took: ran.took, key: bench.key };
                self.history.ledger.insert(&row)
            }
            Direction::Down => {
                let before = self.known.iter().rfind(|known| **known < migration.version);
                self.history.ledger.delete(&migration.version, before)
            }
        };
        for (sql, params) in writes {
            bench.session.run(&sql, &params, bench.stop).map_err(failed)?;
        }
        let before = self.known.iter().rfind(|known| **known < migration.version).cloned();
        self.history.note(migration, direction, before, bench.key);
        self.ran.push(ran);
        Ok(())
    }

    fn failed(&self, version: &Version, error: &SessionError) -> Fault {
        session_fault(code::FAILED, self.bench.target, &format!("migration {version} failed"), error)
    }

    /// A statement of a migration failed.
    fn refused(&self, version: &Version, place: &str, error: &SessionError) -> Failure {
        let what = format!("migration {version} failed at {place}");
        let mut fault = session_fault(code::FAILED, self.bench.target, &what, error);
        if fault.code == code::FAILED {
            let begins = error.message.contains("already exists") && self.history.entries.is_empty();
            fault = fault.hint(match error.kind {
                SessionErrorKind::Refused => "a migration changes its own database, inside its own transaction",
                _ if begins => {
                    "nothing of it was kept; if the database was made without a history, note what is there with `baseline`"
                }
                SessionErrorKind::Constraint => "nothing of it was kept: mend the rows or the file, then migrate again",
                _ => "nothing of it was kept: mend the file, then migrate again",
            });
        }
        Failure { fault, of_rows: error.kind == SessionErrorKind::Constraint }
    }

    /// No more rows point nowhere than before.
    fn nothing_dangles(&self, version: &Version, file: &Path) -> Result<(), Failure> {
        let (Some(before), Some((now, which))) = (self.dangling, dangling(&self.bench.ask())) else { return Ok(()) };
        if now <= before {
            return Ok(());
        }
        let message = format!("migration {version} leaves rows that point nowhere: {which} ({})", file.display());
        let hint = "nothing of it was kept: mend the file so that foreign keys hold, then migrate again";
        Err(Failure { fault: fault(code::FAILED, self.bench.target, message).hint(hint), of_rows: true })
    }
}

impl Bench<'_> {
    pub(super) fn ask(&self) -> Ask<'_> {
        Ask { reader: self.session, target: self.target, stop: self.stop }
    }
}

fn data_version(bench: &Bench<'_>) -> Result<Option<Value>, Fault> {
    Ok(bench.ask().rows("PRAGMA data_version", &[])?.first().cloned())
}
