//! Migrations of SQLite files.

use crate::model::{Applied, Fault, IdempotencyKey, Symbol, Value};
use crate::primitives::store::{Stop, io_fault, off_reactor};
use crate::primitives::targets::SqliteDatabase;
use crate::primitives::{Driver, Evidence, Preview, Reconciled};
use crate::system::{Act, Look};

use super::apply::{Bench, Course};
use super::decide::{Decision, How, Wish, decide};
use super::directory::read;
use super::faults::{code, session_fault};
use super::foresee::{LARGEST, Trial, attempt, open, unverified};
use super::history::{Ask, History};
use super::record::Record;
use super::script::Direction;
use super::verify::Required;
use super::version::{Version, shown};
use super::{Args, Migrate, Output};

/// How many lines of one kind a plan shows.
const SHOWN: usize = 20;

impl Driver<Migrate> for SqliteDatabase {
    const EVIDENCE: Evidence = Evidence::Found("the table of migrations, each row with the idempotency key");

    async fn preview(&self, args: &Args, look: &Look) -> Result<Preview, Fault> {
        let (database, args, look) = (self.clone(), args.clone(), look.clone());
        off_reactor(&look.clone(), move |stop| preview(&database, &args, &look, stop)).await
    }

    async fn perform(&self, args: &Args, act: &Act, key: &IdempotencyKey) -> Result<Output, Fault> {
        let (database, args, act, key) = (self.clone(), args.clone(), act.clone(), key.clone());
        off_reactor(&act.clone(), move |stop| perform(&database, &args, &act, &key, stop)).await
    }

    async fn reconcile(&self, _: &Args, look: &Look, key: &IdempotencyKey) -> Reconciled<Output> {
        let (database, look, key) = (self.clone(), look.clone(), key.clone());
        let settled = off_reactor(&look.clone(), move |stop| reconcile(&database, &look, &key, stop)).await;
        settled.unwrap_or_else(|fault| Reconciled::Unknown { why: fault.message })
    }
}

fn wish(args: &Args, begun: Option<&Record>) -> Wish {
    let to = args.to.as_ref().map(ToString::to_string);
    let begun = begun.filter(|record| record.down).map(|record| record.versions.clone());
    Wish { to, down: args.down, baseline: args.baseline.clone(), begun }
}

fn preview(database: &SqliteDatabase, args: &Args, look: &Look, stop: &Stop) -> Result<Preview, Fault> {
    let name = database.name.as_str();
    let asked = || stop.asked();
    if let Some(to) = args.to.as_ref().filter(|to| to.known().is_none()) {
        let summary = format!("{name} → {to}");
        return Ok(Preview::new(Symbol::Change, summary).note("which migrations that means is known only then"));
    }
    // Without it the plan is assumed: nobody knows which tables are looked for.
    let required = Required::of(args)?;
    let planned = read(look, database).and_then(|files| {
        let reader = open(look, database)?;
        let ask = Ask { reader: &reader, target: name, stop: &asked };
        let history = History::read(&ask)?;
        let decision = decide(name, &files, &history, &wish(args, None))?;
        let lacking = if decision.steps.is_empty() { unverified(&ask, &required, false)? } else { None };
        Ok((files, history, decision, lacking))
    });
    let (files, history, decision, lacking) = match planned {
        Ok(planned) => planned,
        Err(fault) => return Ok(Preview::new(Symbol::Change, name).fault(fault)),
    };
    let certain = [("from", Value::from(decision.from.as_str())), ("to", Value::from(decision.to.as_str()))];
    let applied = Value::List(decision.versions().into_iter().map(Value::from).collect());
    let certain = certain.into_iter().chain([("applied", applied)]);
    let output = Value::Map(certain.map(|(name, value)| (name.to_owned(), value)).collect());
    if decision.steps.is_empty() {
        let state = match history.newest() {
            Some(newest) => format!("already at {newest}"),
            None => "has no migration to carry out".to_owned(),
        };
        let preview = Preview::new(Symbol::Nothing, format!("{name} {state}")).output(output);
        return Ok(lacking.into_iter().fold(preview, Preview::fault));
    }
    let trial = attempt(look, database, (&files, &decision, &required), LARGEST, &asked)?;
    let mut preview = describe(name, &decision, &trial).output(output);
    let down = matches!(decision.how, How::Run(Direction::Down));
    for step in &decision.steps {
        let file = if down { step.down.as_ref() } else { Some(&step.up) };
        preview = file.into_iter().fold(preview, |preview, file| preview.input(look, &file.path));
    }
    if history.exists && !history.entries.is_empty() && history.ledger.checksum(b"").is_none() {
        let table = history.ledger.table();
        preview = preview.note(format!("{table} keeps no checksums: a file that changed would not be noticed"));
    }
    Ok(preview)
}

/// What the trial found, as the lines of a plan.
fn describe(name: &str, decision: &Decision, trial: &Trial) -> Preview {
    let losses: Vec<_> = trial.ran.iter().flat_map(|ran| &ran.losses).collect();
    let symbol = if losses.is_empty() { Symbol::Change } else { Symbol::Destroy };
    let (from, to) = (decision.from.as_str(), decision.to.as_str());
    let count = match decision.steps.len() {
        1 => "1 migration".to_owned(),
        count => format!("{count} migrations"),
    };
    let how = match decision.how {
        How::Run(Direction::Up) => count,
        How::Run(Direction::Down) => format!("{count} taken back"),
        How::Note => format!("{count} noted as applied, not run"),
    };
    let mut preview = Preview::new(symbol, format!("{name} {from} → {to} ({how})")).states(from, to);
    let losses = losses.into_iter().map(|(loss, place)| {
        let rebuilt = trial.rebuilt.iter().any(|table| *loss == crate::system::SqlLoss::Table(table.clone()));
        format!("{loss}{} ({place})", if rebuilt { ", which is there again afterwards" } else { "" })
    });
    let done = trial.ran.iter().map(|ran| {
        let rows = if ran.changes == 1 { "1 row".to_owned() } else { format!("{} rows", ran.changes) };
        format!("{}: {rows}, {} ms", ran.file, ran.took.as_millis())
    });
    let done = if decision.how == How::Note { Vec::new() } else { done.collect() };
    preview.notes = some(losses.collect());
    preview.notes.extend(some(trial.differences.clone()));
    preview.notes.extend(some(done));
    preview.notes.extend(trial.untried.clone());
    match &trial.fault {
        Some(fault) => preview.fault(fault.clone()),
        None => preview,
    }
}

/// The first lines, and how many there are beyond them.
fn some(mut lines: Vec<String>) -> Vec<String> {
    let beyond = lines.len().saturating_sub(SHOWN);
    if beyond > 1 {
        lines.truncate(SHOWN);
        lines.push(format!("… and {beyond} more"));
    }
    lines
}

fn perform(
    database: &SqliteDatabase,
    args: &Args,
    act: &Act,
    key: &IdempotencyKey,
    stop: &Stop,
) -> Result<Output, Fault> {
    let name = database.name.as_str();
    let (began, asked) = (act.monotonic(), || stop.asked());
    let (required, files) = (Required::of(args)?, read(act, database)?);
    let session = act
        .sqlite_session(&database.path)
        .map_err(|error| session_fault(code::FAILED, name, &format!("{name} cannot be opened"), &error))?;
    let bench = Bench { target: name, session: &session, look: act, stop: &asked, key };
    let mut course = Course::begin(&bench, &files)?;
    // What an earlier attempt of this call did is a part of what this call did.
    let earlier = Record::of(act, &database.path, key).ok().flatten();
    let done: Vec<String> = earlier.iter().flat_map(|record| done(record, course.history())).collect();
    let finished = earlier.as_ref().is_some_and(|record| !done.is_empty() && done.len() == record.versions.len());
    let mut wish = wish(args, earlier.as_ref());
    if finished {
        // A baseline that took place would now be refused.
        wish.baseline = None;
    }
    let decision = decide(name, &files, course.history(), &wish)?;
    let from = earlier.map_or(decision.from.clone(), |record| record.from);
    let applied: Vec<String> = done.into_iter().chain(decision.versions()).collect();
    let steps = if finished && args.baseline.is_some() { &[][..] } else { decision.steps.as_slice() };
    if !steps.is_empty() {
        let record = Record {
            idempotency_key: key.to_string(),
            at: act.now(),
            down: args.down,
            from: from.clone(),
            to: decision.to.clone(),
            versions: applied.clone(),
        };
        record
            .write(act, &database.path)
            .map_err(|error| io_fault(code::FAILED, name, "write a record beside", &database.path, &error))?;
        course.run(steps, decision.how).map_err(|failure| failure.fault)?;
    }
    let held = unverified(&bench.ask(), &required, !steps.is_empty());
    if let Some(mut fault) = held.unwrap_or_else(Some) {
        if !applied.is_empty() {
            if fault.code == "interrupted" {
                fault.message = format!("interrupted; {name} is migrated, but was not checked afterwards");
            }
            fault = fault.applied(Applied::Yes);
        }
        return Err(fault);
    }
    let took_ms = u64::try_from(act.monotonic().saturating_sub(began).as_millis()).unwrap_or(u64::MAX);
    Ok(Output { from, to: shown(course.history().newest()), applied, took_ms })
}

/// The versions of a record that are where it wanted them.
fn done(record: &Record, history: &History) -> Vec<String> {
    let there = |text: &&String| Version::parse(text).is_some_and(|version| history.has(&version) != record.down);
    record.versions.iter().filter(there).cloned().collect()
}

fn reconcile(
    database: &SqliteDatabase,
    look: &Look,
    key: &IdempotencyKey,
    stop: &Stop,
) -> Result<Reconciled<Output>, Fault> {
    let (name, asked) = (database.name.as_str(), || stop.asked());
    let record = match Record::of(look, &database.path, key) {
        Ok(record) => record,
        Err(why) => return Ok(Reconciled::Unknown { why }),
    };
    let reader = open(look, database)?;
    let history = History::read(&Ask { reader: &reader, target: name, stop: &asked })?;
    let table = history.ledger.table();
    let Some(record) = record else {
        let ours = history.entries.iter().filter(|entry| entry.key.as_deref() == Some(key.as_str())).count();
        return Ok(if ours == 0 {
            Reconciled::NotApplied { evidence: format!("this call had not begun to migrate {name}") }
        } else {
            let why =
                format!("{table} has {ours} migrations of this call, but the record of what it set out to do is gone");
            Reconciled::Unknown { why }
        });
    };
    let (done, all) = (done(&record, &history).len(), record.versions.len());
    if done < all {
        let evidence = format!("{table} has {done} of the {all} steps of this call; the others can be carried out");
        return Ok(Reconciled::NotApplied { evidence });
    }
    let output = Output { from: record.from, to: record.to, applied: record.versions, took_ms: 0 };
    Ok(Reconciled::Applied { output, evidence: format!("{table} has every step of this call") })
}
