//! Restores of SQLite files.

use std::path::PathBuf;
use std::time::Duration;

use crate::model::{Applied, Arg, Fault, IdempotencyKey, Symbol, Value};
use crate::primitives::store::{
    Manifest, Removed, Stock, Stop, Stored, code, copy_fault, decompress, free_near, human, io_fault, off_reactor,
};
use crate::primitives::targets::SqliteDatabase;
use crate::primitives::{Driver, Evidence, Preview, Reconciled};
use crate::system::{Act, CheckDepth, CopyError, Look};

use super::place::{PARTS, Place};
use super::record::{Record, Records, reconcile};
use super::swap::{put_back, swap};
use super::{Args, Output, Restore, tables};

impl Driver<Restore> for SqliteDatabase {
    const EVIDENCE: Evidence = Evidence::Found("the record of restores, and which file is in place");

    async fn preview(&self, args: &Args, look: &Look) -> Result<Preview, Fault> {
        if !args.tables.is_empty() {
            let (database, args, look) = (self.clone(), args.clone(), look.clone());
            return off_reactor(&look.clone(), move |stop| tables::preview(&database, &args, &look, stop)).await;
        }
        let mut preview = Preview::new(Symbol::Destroy, format!("{} ← {}", self.name, args.from));
        let before = match look.sqlite_header(&self.path) {
            Ok(header) => human(header.len),
            Err(CopyError::Missing(_)) => "missing".to_owned(),
            Err(CopyError::Corrupt { why, .. }) => why,
            Err(error) => error.to_string(),
        };
        preview = preview.states(before, args.from.to_string());
        let place = match Place::of(look, &self.path).ok_or_else(|| nameless(self)) {
            Ok(place) => place,
            Err(fault) => return Ok(preview.fault(fault)),
        };
        if PARTS.iter().any(|part| look.exists(&place.part(part))) {
            let fate = if args.keep {
                format!("is kept in {}.replaced-…", place.path.display())
            } else {
                "is removed for good (`keep: false`)".to_owned()
            };
            preview = preview.note(format!("what is there now {fate}"));
        }
        preview.notes.extend(holders(look, &place));
        let stock = match Stock::read(look, self) {
            Ok(stock) => stock,
            Err(fault) => return Ok(preview.fault(fault)),
        };
        let Some(from) = args.from.known() else { return Ok(preview.note("what was written since is lost")) };
        Ok(match choose(&stock, &self.name, from) {
            Err(fault) => preview.fault(fault),
            Ok(stored) => foresee(self, look, &place, stored, preview),
        })
    }

    async fn perform(&self, args: &Args, act: &Act, key: &IdempotencyKey) -> Result<Output, Fault> {
        let (database, args, act, key) = (self.clone(), args.clone(), act.clone(), key.clone());
        off_reactor(&act.clone(), move |stop| {
            if args.tables.is_empty() {
                restore(&database, &args, &act, &key, stop)
            } else {
                tables::restore(&database, &args, &act, &key, stop)
            }
        })
        .await
    }

    async fn reconcile(&self, args: &Args, look: &Look, key: &IdempotencyKey) -> Reconciled<Output> {
        if !args.tables.is_empty() {
            let (database, args, eyes, key) = (self.clone(), args.clone(), look.clone(), key.clone());
            let work = move |stop: &Stop| Ok(tables::reconcile(&database, &args, &eyes, &key, stop));
            return off_reactor(look, work).await.unwrap_or_else(|fault| Reconciled::Unknown { why: fault.message });
        }
        match Place::of(look, &self.path) {
            Some(place) => reconcile(look, &place, key),
            None => Reconciled::NotApplied { evidence: nameless(self).message },
        }
    }
}

/// What can be said of a restore of this backup.
fn foresee(database: &SqliteDatabase, look: &Look, place: &Place, stored: &Stored, preview: Preview) -> Preview {
    let manifest = &stored.manifest;
    let mut preview = preview.note(format!("what was written since {} is lost", manifest.taken_at));
    if stored.verified.is_none() {
        preview = preview.note("this backup was never verified");
    }
    if manifest.source != place.path.to_string_lossy() {
        preview = preview.note(format!("this backup was taken of {}", manifest.source));
    }
    preview.after = Some(format!("{} ({})", stored.describe(look.now()), human(manifest.raw_size)));
    preview.summary = format!("{} ← {}", database.name, manifest.id);
    preview.output = Value::Map(
        [
            ("id".to_owned(), Value::from(manifest.id.as_str())),
            ("taken_at".to_owned(), Value::from(manifest.taken_at.to_string())),
            ("size".to_owned(), Value::Int(i64::try_from(manifest.raw_size).unwrap_or(i64::MAX))),
        ]
        .into(),
    );
    match space(look, &database.name, place, manifest) {
        Ok(()) => preview,
        Err(fault) => preview.fault(fault),
    }
}

pub(super) fn nameless(database: &SqliteDatabase) -> Fault {
    Fault::new(code::RESTORE_FAILED, format!("{} names no file", database.path.display()))
        .on(&database.name)
        .hint("set the `path` of the database in lifeboat.toml")
}

pub(super) fn choose<'a>(stock: &'a Stock, target: &str, from: &str) -> Result<&'a Stored, Fault> {
    if from == "latest" { stock.newest_of(target) } else { stock.find(target, from) }
}

/// Old and new lie beside each other for a while.
fn space(look: &Look, target: &str, place: &Place, manifest: &Manifest) -> Result<(), Fault> {
    free_near(look, target, &place.directory, manifest.raw_size.saturating_add(1 << 20))
}

/// Programs that would go on with the old file.
fn holders(look: &Look, place: &Place) -> Vec<String> {
    let describe = |process: crate::system::Process| {
        let program = process.command.first().map_or("?", |command| command.rsplit('/').next().unwrap_or(command));
        format!("{program} (process {}) has the database open and would go on with the old file: stop it", process.pid)
    };
    look.holders(&place.path).into_iter().map(describe).collect()
}

fn restore(
    database: &SqliteDatabase,
    args: &Args,
    act: &Act,
    key: &IdempotencyKey,
    stop: &Stop,
) -> Result<Output, Fault> {
    let (name, began) = (database.name.as_str(), act.monotonic());
    let place = Place::of(act, &database.path).ok_or_else(|| nameless(database))?;
    if act.list(&place.path).is_ok() {
        return Err(Fault::new(code::RESTORE_FAILED, format!("{} is a directory", place.path.display()))
            .on(name)
            .hint("set the `path` of the database in lifeboat.toml"));
    }
    let mut records = Records::read_or_new(act, &place);
    if let Some(record) = records.of(key).filter(|record| record.in_place(act, &place)) {
        return Ok(record.output.clone());
    }
    let Arg::Known(from) = &args.from else {
        return Err(Fault::new("argument", "`from` is not known").on(name));
    };
    let stock = Stock::read(act, database)?;
    let stored = choose(&stock, name, from)?;
    let failed = |error| io_fault(code::RESTORE_FAILED, name, "write to", &place.directory, &error);
    act.create_dir_all(&place.directory).map_err(failed)?;
    tidy(act, &place, &records);
    space(act, name, &place, &stored.manifest)?;
    let temporary = place.temporary(&stored.manifest.id);
    let unpacked = Removed::new(act, temporary.clone());
    let mut warnings = unpack(act, args, &place, (&stock, stored), stop)?;
    warnings.extend(holders(act, &place));
    stop.check(name)?;

    let took = act.monotonic().saturating_sub(began);
    let mut record = intend(act, &place, args, key, (stored, &temporary, took)).map_err(failed)?;
    record.output.warnings = warnings;
    records.put(record.clone());
    records
        .write(act, &place)
        .map_err(|error| io_fault(code::RESTORE_FAILED, name, "write", &place.records(), &error))?;
    let swapped = swap(act, name, &place, &temporary, record.replaced.as_deref());
    if let Err(fault) = swapped {
        if record.in_place(act, &place) {
            unpacked.keep();
        } else if fault.applied == Applied::No {
            // Everything is as it was. If this cannot be written, the old file in its place says the same.
            records.remove(key.as_str());
            let _ = records.write(act, &place);
        }
        return Err(fault);
    }
    unpacked.keep();
    Ok(finish(act, args, &place, records, record))
}

/// Writes down that the restore was seen through, and removes what is not to be kept.
fn finish(act: &Act, args: &Args, place: &Place, mut records: Records, mut record: Record) -> Output {
    record.done = true;
    if let (false, Some(replaced)) = (args.keep, &record.replaced)
        && let Err(error) = act.remove_dir_all(replaced)
    {
        record.output.warnings.push(format!("{} could not be removed: {error}", replaced.display()));
    }
    records.put(record.clone());
    // Not being able to write this changes nothing: the identity of the file in place proves the same.
    let _ = records.write(act, place);
    record.output
}

/// Unpacks and checks the backup beside the database. Returns what somebody should look at.
fn unpack(
    act: &Act,
    args: &Args,
    place: &Place,
    (stock, stored): (&Stock, &Stored),
    stop: &Stop,
) -> Result<Vec<String>, Fault> {
    let (name, manifest) = (args.target.as_str(), &stored.manifest);
    let temporary = place.temporary(&manifest.id);
    let failed = |error| io_fault(code::RESTORE_FAILED, name, "write", &temporary, &error);
    let file = act.create_private(&temporary).map_err(failed)?;
    decompress(act, manifest, &stock.layout.data(&manifest.id), (file, &temporary, code::RESTORE_FAILED), stop)?;
    if args.verify {
        let check = act
            .sqlite_check(&temporary, CheckDepth::Integrity, &|| stop.asked())
            .map_err(|error| copy_fault(code::RESTORE_FAILED, name, &error))?;
        if let Some(problem) = check.problems.first() {
            let message = format!("the backup {} is damaged: {problem}", manifest.id);
            return Err(Fault::new(code::BACKUP_CORRUPT, message)
                .on(name)
                .hint("restore an older one, or this one as it is with `verify: false`"));
        }
        if let Some(why) = check.unchecked {
            let message = format!("the backup {} cannot be checked here: {why}", manifest.id);
            return Err(Fault::new(code::RESTORE_FAILED, message)
                .on(name)
                .hint("its data are what was stored: `verify: false` restores them without this check"));
        }
    }
    // Whoever could use the old file can use the new one.
    let wanted = act.ownership(&place.path).unwrap_or(manifest.ownership);
    let given = act.set_ownership(&temporary, wanted);
    act.open_write(&temporary).and_then(|file| file.sync()).map_err(failed)?;
    Ok(given.err().map_or(Vec::new(), |error| {
        let who = format!("user {} and group {}", wanted.uid, wanted.gid);
        vec![format!("{} could not be given to {who} ({error}): check who may use it", place.path.display())]
    }))
}

/// What is about to be done.
pub(super) fn intend(
    act: &Act,
    place: &Place,
    args: &Args,
    key: &IdempotencyKey,
    (stored, temporary, took): (&Stored, &PathBuf, Duration),
) -> std::io::Result<Record> {
    let (manifest, at) = (&stored.manifest, act.now());
    let anything = PARTS.iter().any(|part| act.exists(&place.part(part)));
    let replaced = anything.then(|| place.replaced(act, at));
    let text = |path: &PathBuf| path.to_string_lossy().into_owned();
    Ok(Record {
        idempotency_key: key.as_str().to_owned(),
        at,
        sha256: manifest.sha256_raw.clone(),
        new: act.file_id(temporary)?,
        old: act.file_id(&place.path).ok(),
        temporary: temporary.clone(),
        replaced: replaced.clone(),
        done: false,
        output: Output {
            id: manifest.id.clone(),
            taken_at: manifest.taken_at.to_string(),
            size: manifest.raw_size,
            replaced: replaced.as_ref().filter(|_| args.keep).map(text),
            tables: Vec::new(),
            took_ms: u64::try_from(took.as_millis()).unwrap_or(u64::MAX),
            warnings: Vec::new(),
        },
    })
}

/// Clears away what a restore left that was cut short: old files go back to their place, unpacked ones are removed.
fn tidy(act: &Act, place: &Place, records: &Records) {
    if let Some(record) = records.latest().filter(|record| !record.done && !record.in_place(act, place))
        && let Some(replaced) = &record.replaced
    {
        // If they cannot go back they stay where they are, and the restore that follows leaves them there.
        put_back(act, place, replaced);
    }
    for left in place.temporaries(act) {
        // One that cannot be removed is in the way of its own backup alone, and is named then.
        let _ = act.remove_file(&left);
    }
}
