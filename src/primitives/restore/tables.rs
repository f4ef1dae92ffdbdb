//! Restores of single tables: the database stays where it is, and programs may go on using it.

use std::path::{Path, PathBuf};
use std::time::Duration;

use crate::model::{Applied, Arg, Fault, IdempotencyKey, Symbol, Unknown, Value};
use crate::primitives::store::{
    Removed, Stock, Stop, Stored, code, copy_fault, decompress, free_near, human, io_fault,
};
use crate::primitives::targets::SqliteDatabase;
use crate::primitives::{Preview, Reconciled};
use crate::system::{
    Act, CheckDepth, CopyError, Look, PutTables, SessionError, SessionErrorKind, SqliteScratch, TablePut, TablesError,
};

use super::place::Place;
use super::record::{Record, Records};
use super::sqlite::choose;
use super::{Args, Output, Table};

/// The file in which the tables are kept that were replaced.
const KEPT: &str = "tables.db";
/// How long it waits for others that write.
const PATIENCE: Duration = Duration::from_secs(30);
/// Of larger databases a plan makes no copies to try things on.
const LARGEST_TRIAL: u64 = 1 << 30;

/// Where tables come from.
enum Origin<'a> {
    Backup(&'a Stock, &'a Stored),
    /// The tables that an earlier restore replaced.
    Kept(PathBuf),
}

impl<'a> Origin<'a> {
    fn of(stock: &'a Stock, place: &Place, target: &str, from: &str, look: &Look) -> Result<Self, Fault> {
        let path = Path::new(from);
        // Only what lies beside the database and bears its name: a runbook names no other file.
        let beside = path.parent() == Some(&place.directory) && place.is_replaced(path);
        if beside && look.exists(&path.join(KEPT)) {
            return Ok(Self::Kept(path.join(KEPT)));
        }
        choose(stock, target, from).map(|stored| Self::Backup(stock, stored))
    }

    fn shown(&self) -> String {
        match self {
            Origin::Backup(_, stored) => stored.manifest.id.clone(),
            Origin::Kept(path) => {
                path.parent().and_then(Path::file_name).unwrap_or_default().to_string_lossy().into_owned()
            }
        }
    }

    /// A copy to look into.
    fn scratch(&self, look: &Look, target: &str, stop: &Stop) -> Result<SqliteScratch, Fault> {
        let failed = |error| copy_fault(code::RESTORE_FAILED, target, &error);
        match self {
            Origin::Kept(path) => look.scratch_copy(path, &|| stop.asked()).map_err(failed),
            Origin::Backup(stock, stored) => {
                let data = stock.layout.data(&stored.manifest.id);
                let unreadable = |error| io_fault(code::STORE_UNREADABLE, target, "read", &data, &error);
                let file = look.open(&data).map_err(unreadable)?;
                let mut decoder = zstd::Decoder::new(file).map_err(unreadable)?;
                look.scratch_of(&mut decoder, &|| stop.asked()).map_err(failed)
            }
        }
    }

    fn size(&self, look: &Look) -> u64 {
        match self {
            Origin::Backup(_, stored) => stored.manifest.raw_size,
            Origin::Kept(path) => look.len(path).unwrap_or(0),
        }
    }
}

impl Args {
    fn put<'a>(&self, tables: &'a [String]) -> PutTables<'a> {
        PutTables { tables, allow_orphans: self.allow_orphans, verify: self.verify }
    }
}

/// What a restore of tables would do; tried out on copies, where they are not too large.
pub(super) fn preview(database: &SqliteDatabase, args: &Args, look: &Look, stop: &Stop) -> Result<Preview, Fault> {
    let name = &database.name;
    let preview = Preview::new(Symbol::Destroy, format!("{name}: tables {} ← {}", args.tables, args.from));
    let (Ok(tables), Arg::Known(from)) = (args.tables.known(), &args.from) else {
        return Ok(preview.note("what was written to them since is lost"));
    };
    let foreseen = (|| {
        let place = place_of(database, look)?;
        let stock = Stock::read(look, database)?;
        let origin = Origin::of(&stock, &place, name, from, look)?;
        let mut preview = Preview::new(Symbol::Destroy, format!("{name}: tables {} ← {}", args.tables, origin.shown()));
        if let Origin::Backup(_, stored) = &origin {
            preview = preview.note(format!("what was written to them since {} is lost", stored.manifest.taken_at));
            if stored.verified.is_none() {
                preview = preview.note("this backup was never verified");
            }
        }
        preview = preview.note(if args.keep {
            format!("what is in them now is kept in {}.replaced-…", place.path.display())
        } else {
            "what is in them now is lost for good (`keep: false`)".to_owned()
        });
        let live = look.len(&database.path).unwrap_or(0);
        if live.max(origin.size(look)) > LARGEST_TRIAL {
            return Ok(preview.note(format!("not tried out: more than {}", human(LARGEST_TRIAL))));
        }
        free_near(look, name, look.scratch_directory(), live + origin.size(look) + (1 << 20))?;
        let from = origin.scratch(look, name, stop)?;
        let copy = look.scratch_copy(&database.path, &|| stop.asked());
        let copy = copy.map_err(|error| copy_fault(code::RESTORE_FAILED, name, &error))?;
        let done = copy.try_tables(look, &from, args.put(&tables), &|| stop.asked());
        let done = done.map_err(|error| fault(database, &error))?;
        for table in &done {
            preview = preview.note(line(table));
        }
        Ok(preview.output(Value::Map([("tables".to_owned(), Value::encode(&output_of(&done)))].into())))
    })();
    foreseen.or_else(|fault: Fault| Ok(preview.fault(fault)))
}

fn line(table: &TablePut) -> String {
    match table.before {
        Some(before) => format!("{}: {before} rows now, {} then", table.name, table.after),
        None => format!("{}: is not there now, {} rows then", table.name, table.after),
    }
}

fn output_of(done: &[TablePut]) -> Vec<Table> {
    done.iter().map(|table| Table { name: table.name.clone(), before: table.before, after: table.after }).collect()
}

fn place_of(database: &SqliteDatabase, look: &Look) -> Result<Place, Fault> {
    Place::of(look, &database.path).ok_or_else(|| super::sqlite::nameless(database))
}

/// Puts the tables in their place.
pub(super) fn restore(
    database: &SqliteDatabase,
    args: &Args,
    act: &Act,
    key: &IdempotencyKey,
    stop: &Stop,
) -> Result<Output, Fault> {
    let (name, began) = (database.name.as_str(), act.monotonic());
    let place = place_of(database, act)?;
    let Arg::Known(from) = &args.from else {
        return Err(Fault::new("argument", "`from` is not known").on(name));
    };
    let unknown = |label: &Unknown| Fault::new("argument", format!("{label} is not known")).on(name);
    let tables = args.tables.known().map_err(unknown)?;
    let mut records = Records::read_or_new(act, &place);
    if let Some(record) = records.of(key).filter(|record| record.done) {
        return Ok(record.output.clone());
    }
    let stock = Stock::read(act, database)?;
    let origin = Origin::of(&stock, &place, name, from, act)?;
    free_near(act, name, &place.directory, origin.size(act).saturating_mul(2).saturating_add(1 << 20))?;
    let (unpacked, _removed) = unpack(act, name, &origin, &place, stop)?;
    stop.check(name)?;
    let failed = |error| io_fault(code::RESTORE_FAILED, name, "write to", &place.directory, &error);
    let replaced = args.keep.then(|| place.replaced(act, act.now()));
    if let Some(replaced) = &replaced {
        act.create_private_dir(replaced).and_then(|()| act.sync_directory(&place.directory)).map_err(failed)?;
    }
    let record = begun(act, &place, key, (&origin, replaced.as_deref())).map_err(failed)?;
    records.put(record.clone());
    records.write(act, &place).map_err(failed)?;
    let keep = replaced.as_ref().map(|replaced| replaced.join(KEPT));
    let put = act.sqlite_put_tables(
        &database.path,
        &unpacked,
        keep.as_deref(),
        args.put(&tables),
        (PATIENCE, &|| stop.asked()),
    );
    let done = put.map_err(|error| {
        let fault = fault(database, &error);
        if fault.applied == Applied::No {
            records.remove(key.as_str());
            let _ = records.write(act, &place);
            let _ = replaced.as_ref().map(|replaced| act.remove_dir_all(replaced));
        }
        fault
    })?;
    let took = act.monotonic().saturating_sub(began);
    let mut record = record;
    record.done = true;
    record.output.tables = output_of(&done);
    record.output.took_ms = u64::try_from(took.as_millis()).unwrap_or(u64::MAX);
    record.output.size = act.len(&database.path).unwrap_or(0);
    records.put(record.clone());
    // Not being able to write this changes nothing: the rows themselves prove the same.
    let _ = records.write(act, &place);
    Ok(record.output)
}

/// The database from which the tables come, checked; it is gone with the second value.
fn unpack(
    act: &Act,
    name: &str,
    origin: &Origin<'_>,
    place: &Place,
    stop: &Stop,
) -> Result<(PathBuf, Option<Removed>), Fault> {
    let (stock, stored) = match origin {
        Origin::Kept(path) => return Ok((path.clone(), None)),
        Origin::Backup(stock, stored) => (stock, stored),
    };
    let manifest = &stored.manifest;
    let temporary = place.temporary(&manifest.id);
    let _ = act.remove_file(&temporary);
    let failed = |error| io_fault(code::RESTORE_FAILED, name, "write", &temporary, &error);
    let removed = Removed::new(act, temporary.clone());
    let file = act.create_private(&temporary).map_err(failed)?;
    decompress(act, manifest, &stock.layout.data(&manifest.id), (file, &temporary, code::RESTORE_FAILED), stop)?;
    let check = act.sqlite_check(&temporary, CheckDepth::Integrity, &|| stop.asked());
    let check = check.map_err(|error| copy_fault(code::RESTORE_FAILED, name, &error))?;
    match check.problems.first() {
        Some(problem) => {
            let message = format!("the backup {} is damaged: {problem}", manifest.id);
            Err(Fault::new(code::BACKUP_CORRUPT, message).on(name).hint("use an older one"))
        }
        None => Ok((temporary, Some(removed))),
    }
}

/// What is written down before the transaction.
fn begun(
    act: &Act,
    place: &Place,
    key: &IdempotencyKey,
    (origin, replaced): (&Origin<'_>, Option<&Path>),
) -> std::io::Result<Record> {
    let id = act.file_id(&place.path)?;
    let taken_at = match origin {
        Origin::Backup(_, stored) => stored.manifest.taken_at.to_string(),
        Origin::Kept(_) => String::new(),
    };
    Ok(Record {
        idempotency_key: key.as_str().to_owned(),
        at: act.now(),
        sha256: String::new(),
        new: id,
        old: Some(id),
        temporary: PathBuf::new(),
        replaced: replaced.map(Path::to_path_buf),
        done: false,
        output: Output {
            id: origin.shown(),
            taken_at,
            size: 0,
            replaced: replaced.map(|path| path.to_string_lossy().into_owned()),
            tables: Vec::new(),
            took_ms: 0,
            warnings: Vec::new(),
        },
    })
}

/// Whether the tables were put in their place, wherever that was cut short: their rows are compared with those that were kept, and
/// with those of the backup.
pub(super) fn reconcile(
    database: &SqliteDatabase,
    args: &Args,
    look: &Look,
    key: &IdempotencyKey,
    stop: &Stop,
) -> Reconciled<Output> {
    let unknown = |why: String| Reconciled::Unknown { why };
    let place = match place_of(database, look) {
        Ok(place) => place,
        Err(fault) => return unknown(fault.message),
    };
    let records = match Records::read(look, &place) {
        Ok(records) => records,
        Err(why) => return unknown(why),
    };
    let Some(record) = records.of(key) else {
        return Reconciled::NotApplied { evidence: "this call had not begun to replace the tables".to_owned() };
    };
    if record.done {
        let evidence = "the record of restores says that the transaction was committed".to_owned();
        return Reconciled::Applied { output: record.output.clone(), evidence };
    }
    let tables = match args.tables.known() {
        Ok(tables) => tables,
        Err(label) => return unknown(format!("{label} is not known")),
    };
    let kept = record.replaced.as_ref().map(|replaced| replaced.join(KEPT)).filter(|kept| look.exists(kept));
    let as_kept = kept.map(|kept| look.sqlite_same_tables(&database.path, &kept, &tables, &|| stop.asked()));
    let from = (|| {
        let stock = Stock::read(look, database)?;
        let from = args.from.known().map_or(record.output.id.as_str(), String::as_str);
        let scratch = Origin::of(&stock, &place, &database.name, from, look)?.scratch(look, &database.name, stop)?;
        let same = scratch.same_tables(&database.path, &tables, &|| stop.asked());
        same.map_err(|error| fault(database, &error.into()))
    })();
    match (as_kept, from) {
        (_, Ok(true)) => {
            let evidence = format!("the tables hold what they held in {}", record.output.id);
            Reconciled::Applied { output: record.output.clone(), evidence }
        }
        (Some(Ok(true)), _) => Reconciled::NotApplied { evidence: "the tables hold what was kept of them".to_owned() },
        (None, Ok(false)) => unknown("the tables do not hold what they held in the backup".to_owned()),
        (_, Err(fault)) => unknown(fault.message),
        (_, Ok(false)) => unknown("the tables were written to since".to_owned()),
    }
}

fn fault(database: &SqliteDatabase, error: &TablesError) -> Fault {
    let name = &database.name;
    let fault = |message: String| Fault::new(code::RESTORE_FAILED, format!("{name} is as it was: {message}")).on(name);
    match error {
        TablesError::Table(..) => {
            fault(error.to_string()).hint("bring the schema to what the backup has, or restore all of it")
        }
        TablesError::Orphans(_) => fault(error.to_string())
            .hint("restore the tables that they point to as well, or allow it: `allow_orphans: true`"),
        TablesError::Unverified(why) => fault(why.clone()).hint("try an older backup"),
        TablesError::Failed(SessionError { kind: SessionErrorKind::Stopped, .. }) => {
            copy_fault(code::RESTORE_FAILED, name, &CopyError::Stopped)
        }
        TablesError::Failed(SessionError { kind: SessionErrorKind::Busy, message, .. }) => {
            let fault = Fault::new(code::DATABASE_BUSY, message.clone()).on(name);
            fault.hint("find the process with the long transaction, then try again")
        }
        TablesError::Failed(error) => fault(error.message.clone()),
        TablesError::Unsettled(error) => {
            let message = format!("the end of the transaction on {name} failed: {error}");
            Fault::new(code::RESTORE_FAILED, message).on(name).applied(Applied::Unknown)
        }
    }
}
