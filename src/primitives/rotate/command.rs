//! A secret that a program gives and another one stores. Its former values are known as long as this process lives: a copy on the disk
//! would be what such a store is there to avoid.

use std::path::{Path, PathBuf};

use crate::model::{Applied, Fault, IdempotencyKey};
use crate::primitives::hook::{Given, Hook};
use crate::primitives::targets::ArgvFailure;
use crate::system::{Act, Revealed, hex};

use super::record::{Change, Record};
use super::wanted::Wanted;
use super::{Args, Output};

/// A secret that programs keep.
pub(super) struct Stored {
    name: String,
    pub(super) store: Hook,
    pub(super) check: Option<Hook>,
    /// Where the numbers of its generations are kept, and no value.
    pub(super) directory: PathBuf,
}

impl Stored {
    pub(super) fn of(name: &str, source: &[String], store: Hook, check: Option<Hook>, root: &Path) -> Self {
        // Two environments may have secrets of one name, in different stores.
        let place = hex(source.join("\0").as_bytes());
        let directory = root.join(".lifeboat/rotations").join(format!("{name}-{}", &place[..8]));
        Self { name: name.to_owned(), store, check, directory }
    }

    pub(super) async fn rotate(
        &self,
        args: &Args,
        mut record: Record,
        act: &Act,
        key: &IdempotencyKey,
    ) -> Result<Output, Fault> {
        let (name, secrets) = (&self.name, act.secrets());
        let old = act.reveal_afresh(name).await?;
        let current = record.current(None, act.now());
        let (new, value) = match args.wanted(&record, &current, act, key).await? {
            Wanted::Same(why) => return Ok(Output::same(current.generation, &why)),
            Wanted::New(new) => (new, current.generation + 1),
            Wanted::Former(value) => {
                let message = format!("the value of generation {value} of secret {name} is known no longer");
                let gone = Fault::new("rotate-misuse", message).hint("its own store may keep former values");
                (secrets.recall(name, value).ok_or(gone)?, value)
            }
        };
        if *new == *old {
            return Ok(Output::same(current.generation, "it has this value already"));
        }
        secrets.remember(name, current.value, &old);
        let change = Change {
            generation: current.generation + 1,
            value,
            before: current.value,
            idempotency_key: key.as_str().to_owned(),
            at: act.now(),
            version: None,
            done: false,
        };
        record.begin(act, current, change.clone()).map_err(|error| {
            Fault::new("rotate-failed", format!("secret {name} was not changed: no record can be kept: {error}"))
        })?;
        if let Err(fault) = self.put(&old, &new, act, key).await {
            if fault.applied == Applied::No {
                let _ = record.forget(act, key);
            }
            return Err(fault);
        }
        if let Some(check) = &self.check {
            let given = Given { input: new.as_bytes().to_vec().into(), ..Given::default() };
            if let Err(failed) = check.run(act, key, given).await {
                let back = self.put(&new, &old, act, key).await.is_ok();
                if back {
                    let _ = record.forget(act, key);
                }
                return Err(super::rejected(name, &failed, back, || secrets.adopt(name, &old)));
            }
        }
        // Only evidence for later: the change itself is done.
        let _ = record.finish(act, key);
        Ok(Output::of(&change))
    }

    /// Stores a value, and sees that its source gives it.
    async fn put(&self, old: &Revealed, new: &Revealed, act: &Act, key: &IdempotencyKey) -> Result<(), Fault> {
        let given = Given { input: new.as_bytes().to_vec().into(), ..Given::default() };
        let stored = self.store.run(act, key, given).await;
        if let Err(ArgvFailure { started: false, message, .. }) = &stored {
            let message = format!("secret {} was not changed: {message}", self.name);
            return Err(Fault::new("rotate-failed", message).hint(format!("see `store` of secret {}", self.name)));
        }
        let (said, code) = match &stored {
            Ok(()) => ("its source does not give the new value".to_owned(), "rotate-failed"),
            Err(failed) if failed.interrupted => (failed.message.clone(), "interrupted"),
            Err(failed) => (failed.message.clone(), "rotate-failed"),
        };
        let fault = |what: &str, applied| {
            let fault = Fault::new("rotate-failed", format!("secret {} {what}: {said}", self.name)).applied(applied);
            Fault { code: code.to_owned(), ..fault }
        };
        match act.reveal_afresh(&self.name).await {
            Ok(now) if *now == **new => Ok(()),
            Ok(now) if *now == **old => Err(fault("was not changed", Applied::No)),
            Ok(_) => Err(fault("has a value that is neither the old nor the new one", Applied::Yes)),
            Err(_) => Err(fault("may have been changed, and cannot be read", Applied::Unknown)),
        }
    }
}
