//! `rotate` of a secret of the environment, wherever it is kept.

use crate::model::{Fault, IdempotencyKey, SecretSource, SecretText, Symbol, Value};
use crate::primitives::hook::Hook;
use crate::primitives::{Driver, Evidence, NoTarget, Preview, Reconciled};
use crate::system::{Act, Look};

use super::record::Record;
use super::wanted::said;
use super::{Args, Output, Rotate, command::Stored, file::Filed};

/// Where a secret is kept that can be changed.
pub(super) enum Place {
    File(Filed),
    Program(Stored),
}

impl Place {
    fn of(name: &str, look: &Look) -> Result<Self, Fault> {
        if let Some(unavailable) = look.obstacle_to(&SecretText::named(name)) {
            return Err(unavailable);
        }
        let (secrets, store) = (look.secrets(), look.secrets().store(name));
        let hook = |words: Option<Vec<String>>| words.map(|words| Hook::of(words, secrets.root(), None));
        match secrets.source(name) {
            Some(SecretSource::File(path)) => Filed::of(name, path, hook(store.check), look).map(Place::File),
            Some(SecretSource::Command(words)) => {
                let Some(program) = hook(store.store) else {
                    let message = format!("secret {name} has no `store`: nothing says how its value is changed");
                    let hint = format!("{name} = {{ command = […], store = [\"program that reads the new value\"] }}");
                    return Err(Fault::new("not-configured", message).hint(hint));
                };
                Ok(Place::Program(Stored::of(name, words, program, hook(store.check), secrets.root())))
            }
            Some(SecretSource::Env(variable)) => {
                let message =
                    format!("secret {name} is a variable of our own environment, {variable}, which ends with us");
                Err(Fault::new("not-supported", message).hint("keep it in a file, or where a program can change it"))
            }
            Some(SecretSource::Age { file, .. }) => {
                let message =
                    format!("secret {name} lies encrypted in {}, for which we have no recipients", file.display());
                Err(Fault::new("not-supported", message).hint("change it with age, and commit the file"))
            }
            // A value that a program wrote in this run.
            None => Err(Fault::new("not-supported", format!("secret {name} was made by this run: make another one"))),
        }
    }

    fn record(&self, look: &Look) -> Result<Record, Fault> {
        let directory = match self {
            Place::File(file) => &file.directory,
            Place::Program(program) => &program.directory,
        };
        Record::read(look, directory).map_err(|why| Fault::new("rotate-failed", why))
    }
}

impl Driver<Rotate> for NoTarget {
    const EVIDENCE: Evidence =
        Evidence::Found("the record of the secret's generations, and the file that the call made");

    async fn preview(&self, args: &Args, look: &Look) -> Result<Preview, Fault> {
        args.check()?;
        let name = &args.secret;
        let (what, fault) = said(args, look);
        let preview = Preview::new(Symbol::Change, format!("{name}: {what}"));
        let (place, record) = match Place::of(name, look).and_then(|place| Ok((place.record(look)?, place))) {
            Ok((record, place)) => (place, record),
            Err(fault) => return Ok(preview.fault(fault)),
        };
        let version = match &place {
            Place::File(file) => Some(file.version.as_str()),
            Place::Program(_) => None,
        };
        let current = record.current(version, look.now()).generation;
        let mut preview = match &place {
            Place::File(file) => {
                preview.note(format!("in {}; the value before is kept beside it", file.path.display()))
            }
            Place::Program(program) => {
                let preview = preview.note(format!("`{}` gets the new value", program.store.shown()));
                preview.note("the value before is known until this process ends")
            }
        };
        if let Some(check) = place.check() {
            preview =
                preview.note(format!("`{}` says whether it works; if not, the old one is put back", check.shown()));
        }
        if let Some(fault) = fault {
            return Ok(preview.fault(fault));
        }
        if args.undo || args.restore.is_some() {
            return Ok(preview.assumed("what the secret will be then is not known before the run"));
        }
        let next = Value::encode(&(current + 1));
        let output = [("changed", Value::Bool(true)), ("generation", next), ("previous", Value::encode(&current))];
        let output = output.map(|(name, value)| (name.to_owned(), value));
        Ok(preview
            .states(format!("generation {current}"), format!("generation {}", current + 1))
            .output(Value::Map(output.into())))
    }

    async fn perform(&self, args: &Args, act: &Act, key: &IdempotencyKey) -> Result<Output, Fault> {
        args.check()?;
        let place = Place::of(&args.secret, act)?;
        let record = place.record(act)?;
        match place {
            Place::File(file) => file.rotate(args, record, act, key).await,
            Place::Program(program) => program.rotate(args, record, act, key).await,
        }
    }

    async fn reconcile(&self, args: &Args, look: &Look, key: &IdempotencyKey) -> Reconciled<Output> {
        let found = Place::of(&args.secret, look).and_then(|place| Ok((place.record(look)?, place)));
        let (record, place) = match found {
            Ok(found) => found,
            Err(fault) => return Reconciled::Unknown { why: fault.message },
        };
        let Some(change) = record.of(key) else {
            return Reconciled::NotApplied { evidence: "this call had not begun to change the secret".to_owned() };
        };
        let output = Output::of(change);
        match (&place, change.done) {
            (_, true) => Reconciled::Applied { output, evidence: "the record of its generations says so".to_owned() },
            (Place::File(file), false) if change.version.as_deref() == Some(&file.version) && file.check.is_none() => {
                Reconciled::Applied {
                    output,
                    evidence: format!("{} is the file that this call made", file.path.display()),
                }
            }
            (Place::File(file), false) if change.version.as_deref() != Some(&file.version) => Reconciled::NotApplied {
                evidence: format!("{} is not the file that this call made", file.path.display()),
            },
            _ => Reconciled::Unknown { why: format!("see whether the new value of {} works", args.secret) },
        }
    }
}

impl Place {
    fn check(&self) -> Option<&Hook> {
        match self {
            Place::File(file) => file.check.as_ref(),
            Place::Program(program) => program.check.as_ref(),
        }
    }
}

impl Output {
    /// What a change returns.
    pub(super) fn of(change: &super::record::Change) -> Self {
        let generation = change.generation;
        let detail = if change.value == generation {
            format!("generation {generation}, a new value")
        } else {
            format!("generation {generation}, the value of generation {} again", change.value)
        };
        Self { changed: true, generation, previous: change.generation - 1, detail }
    }

    /// Of a call that had nothing to do.
    pub(super) fn same(generation: u64, why: &str) -> Self {
        Self { changed: false, generation, previous: generation, detail: why.to_owned() }
    }
}
