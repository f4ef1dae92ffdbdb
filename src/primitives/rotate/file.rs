//! A secret in a file of its own. Its former values lie beside it, in `.NAME.generations`, which only its owner can enter.

use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

use zeroize::Zeroizing;

use crate::model::{Applied, Fault, IdempotencyKey};
use crate::primitives::hook::{Given, Hook};
use crate::system::{Act, Look, Revealed};

use super::record::{Change, Record};
use super::wanted::Wanted;
use super::{Args, Output};

/// A secret in a file.
pub(super) struct Filed {
    name: String,
    /// The file itself, without symbolic links.
    pub(super) path: PathBuf,
    /// The version of the file.
    pub(super) version: String,
    /// Where its former values are kept.
    pub(super) directory: PathBuf,
    pub(super) check: Option<Hook>,
}

impl Filed {
    pub(super) fn of(name: &str, path: &Path, check: Option<Hook>, look: &Look) -> Result<Self, Fault> {
        let read = look.real_path(path).and_then(|path| Ok((look.file_version(&path)?, path)));
        let (version, path) = read.map_err(|error| failed(name, path.display(), &error))?;
        let file = path.file_name().unwrap_or_default().to_string_lossy();
        let directory = path.with_file_name(format!(".{file}.generations"));
        Ok(Self { name: name.to_owned(), version, directory, check, path })
    }

    pub(super) async fn rotate(
        &self,
        args: &Args,
        mut record: Record,
        act: &Act,
        key: &IdempotencyKey,
    ) -> Result<Output, Fault> {
        let old = act.reveal_afresh(&self.name).await?;
        let current = record.current(Some(&self.version), act.now());
        if let Some(change) = record.of(key).filter(|change| change.version.as_ref() == Some(&self.version)).cloned() {
            // An earlier attempt of this very call came as far as this. Its old value is kept.
            let before = self.former(change.before, &record, act)?;
            return self.finish(&before, &old, change, &mut record, (act, key)).await;
        }
        let (new, value) = match args.wanted(&record, &current, act, key).await? {
            Wanted::Same(why) => return Ok(Output::same(current.generation, &why)),
            Wanted::New(new) => (new, current.generation + 1),
            Wanted::Former(value) => (self.former(value, &record, act)?, value),
        };
        if *new == *old {
            return Ok(Output::same(current.generation, "it has this value already"));
        }
        let beside = self.beside(&new, act).map_err(|error| failed(&self.name, "no new file", &error))?;
        let change = Change {
            generation: current.generation + 1,
            value,
            before: current.value,
            idempotency_key: key.as_str().to_owned(),
            at: act.now(),
            version: Some(beside.version().to_owned()),
            done: false,
        };
        let kept = self.keep(&old, current.value, &record, act);
        let begun = kept.and_then(|()| record.begin(act, current, change.clone()));
        begun.map_err(|error| failed(&self.name, "its value cannot be kept", &error))?;
        if act.file_version(&self.path).ok().as_ref() != Some(&self.version) {
            let _ = record.forget(act, key);
            let message = format!("secret {} was not changed: somebody else changed it at the same time", self.name);
            return Err(Fault::new("rotate-conflict", message).hint("find out who did, and try again"));
        }
        if let Err(error) = beside.put_in_place() {
            let there = act.file_version(&self.path).ok() == change.version;
            if !there {
                let _ = record.forget(act, key);
            }
            let applied = if there { Applied::Yes } else { Applied::No };
            return Err(failed(&self.name, self.path.display(), &error).applied(applied));
        }
        self.finish(&old, &new, change, &mut record, (act, key)).await
    }

    /// The new value is in place: whoever asks gets it from now on, if it works.
    async fn finish(
        &self,
        old: &Revealed,
        new: &Revealed,
        change: Change,
        record: &mut Record,
        (act, key): (&Act, &IdempotencyKey),
    ) -> Result<Output, Fault> {
        act.secrets().adopt(&self.name, new)?;
        if let Some(check) = &self.check {
            let given = Given { input: new.as_bytes().to_vec().into(), ..Given::default() };
            if let Err(failed) = check.run(act, key, given).await {
                let back = self.beside(old, act).and_then(|beside| {
                    let version = beside.version().to_owned();
                    beside.put_in_place().map(|()| version)
                });
                let was = change.generation - 1;
                let back = back.and_then(|version| record.put_back(act, key, was, &version));
                return Err(super::rejected(&self.name, &failed, back.is_ok(), || {
                    act.secrets().adopt(&self.name, old)
                }));
            }
        }
        // Only evidence for later: the change itself is done.
        let _ = record.finish(act, key);
        Ok(Output::of(&change))
    }

    /// A new file for a value, beside the one it is to replace. It ends as that one ends.
    fn beside(&self, value: &Revealed, act: &Act) -> io::Result<crate::system::Beside> {
        let now = Zeroizing::new(act.read(&self.path)?);
        let mut bytes = Zeroizing::new(value.as_bytes().to_vec());
        if now.ends_with(b"\n") {
            bytes.push(b'\n');
        }
        act.write_beside(&self.path, &bytes, act.ownership(&self.path)?)
    }

    /// Keeps a value that is about to be replaced.
    fn keep(&self, old: &Revealed, value: u64, record: &Record, act: &Act) -> io::Result<()> {
        record.make_directory(act)?;
        let path = record.kept(value);
        if act.exists(&path) {
            act.remove_file(&path)?;
        }
        let mut file = act.create_private(&path)?;
        file.write_all(old.as_bytes())?;
        file.sync()?;
        act.sync_directory(&self.directory)
    }

    /// A value that was kept.
    fn former(&self, value: u64, record: &Record, act: &Act) -> Result<Revealed, Fault> {
        let text = act.read_text(&record.kept(value)).map_err(|_| {
            let message = format!("the value of generation {value} of secret {} is not kept", self.name);
            Fault::new("rotate-misuse", message).hint("the last 10 changes can be taken back")
        })?;
        act.secrets().conceal(&self.name, &text)?;
        Ok(Revealed::from(Zeroizing::new(text)))
    }
}

fn failed(name: &str, what: impl std::fmt::Display, error: &io::Error) -> Fault {
    let text = error.to_string().to_lowercase();
    let text = text.split(" (os error").next().unwrap_or_default();
    Fault::new("rotate-failed", format!("secret {name} was not changed: {what}: {text}"))
}
