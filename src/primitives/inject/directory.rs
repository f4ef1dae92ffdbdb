//! `inject` on a store that is a directory: `corrupt-newest`, `delete-newest`.

use std::io::ErrorKind;
use std::path::{Component, Path, PathBuf};

use jiff::Timestamp;
use serde::Deserialize;

use crate::model::{Applied, Fault, IdempotencyKey};
use crate::primitives::Reconciled;
use crate::primitives::targets::DirectoryStore;
use crate::system::{Act, Look};

use super::garbage::{Garbage, middle};
use super::strike::{failed, presence, size};
use super::{Aim, Args, FaultName, Record, Strike};

/// How much of a backup is overwritten when the script does not say, in bytes.
const MIDDLE: u32 = 64;

impl DirectoryStore {
    /// Where the backups of the database lie that the arguments name. Its name must stay inside the store: what is found there
    /// may be removed.
    fn backups_of(&self, args: &Args) -> Result<PathBuf, Fault> {
        let name = args.database.as_deref().unwrap_or_default();
        let mut parts = Path::new(name).components();
        match (parts.next(), parts.next()) {
            (Some(Component::Normal(only)), None) if only == name && !name.starts_with('.') => Ok(self.path.join(name)),
            _ => Err(Fault::new("argument", format!("`{name}` is not the name of a database")).on(&self.name)),
        }
    }

    fn data(directory: &Path) -> PathBuf {
        directory.join("data.zst")
    }

    /// Moved out of sight in one step, so that a crash leaves a whole backup or none.
    fn delete(&self, backup: &Path, id: &str, act: &Act) -> Result<(), Fault> {
        let away = backup.with_file_name(format!(".{id}.deleted"));
        let cannot = |error, applied| {
            failed(&self.name, format!("cannot remove {}: {error}", backup.display())).applied(applied)
        };
        act.rename(backup, &away).map_err(|error| cannot(error, Applied::No))?;
        act.remove_dir_all(&away).map_err(|error| cannot(error, Applied::Yes))
    }
}

/// When the backup in a directory was taken. Ids tell no more than the second.
fn taken_at(backup: &Path, look: &Look) -> Option<Timestamp> {
    #[derive(Deserialize)]
    struct Manifest {
        taken_at: Timestamp,
    }
    let manifest = look.read(&backup.join("manifest.json")).ok()?;
    serde_json::from_slice::<Manifest>(&manifest).ok().map(|manifest| manifest.taken_at)
}

impl Strike for DirectoryStore {
    fn name(&self) -> &str {
        &self.name
    }

    fn faults(&self) -> &'static [FaultName] {
        &[FaultName::CorruptNewest, FaultName::DeleteNewest]
    }

    fn record(&self, args: &Args) -> Result<PathBuf, Fault> {
        self.backups_of(args).map(|directory| Record::beside(&directory))
    }

    fn aim(&self, args: &Args, look: &Look) -> Result<Aim, Fault> {
        let directory = self.backups_of(args)?;
        let none = || failed(&self.name, format!("there is no backup in {}: nothing can be hit", directory.display()));
        let entries = look.list(&directory).map_err(|error| match error.kind() {
            ErrorKind::NotFound => none(),
            _ => failed(&self.name, format!("cannot read {}: {error}", directory.display())),
        })?;
        let backups = entries.into_iter().filter(|e| e.directory && !e.name.starts_with('.'));
        let newest = backups.max_by_key(|e| (taken_at(&e.path, look), e.name.clone())).ok_or_else(none)?;
        let data = Self::data(&newest.path);
        let len =
            look.len(&data).map_err(|error| failed(&self.name, format!("cannot read {}: {error}", data.display())));
        let summary = if args.fault == FaultName::DeleteNewest {
            // A backup without its data is no less a backup that can be deleted.
            let size = len.map_or_else(|_| "without data".to_owned(), size);
            format!("delete backup {} ({size}), the newest of {}", newest.name, directory.display())
        } else {
            let len = len?;
            if len == 0 {
                return Err(failed(&self.name, format!("{} is empty: nothing can be corrupted", data.display())));
            }
            let middle = middle(0, len, args.bytes.unwrap_or(MIDDLE).into());
            let overwritten = size(middle.end - middle.start);
            format!("overwrite {overwritten} in the middle of {} ({}), the newest backup", data.display(), size(len))
        };
        Ok(Aim { mark: newest.name, summary, already: false, notes: Vec::new() })
    }

    async fn strike(&self, args: &Args, mark: &str, act: &Act, key: &IdempotencyKey) -> Result<String, Fault> {
        let backup = self.backups_of(args)?.join(mark);
        if args.fault == FaultName::DeleteNewest {
            return self.delete(&backup, mark, act).map(|()| format!("deleted backup {mark}"));
        }
        let data = Self::data(&backup);
        let overwritten = act.len(&data).and_then(|len| {
            let middle = middle(0, len, args.bytes.unwrap_or(MIDDLE).into());
            Garbage::of(key, mark).overwrite(&data, &middle, act).map(|()| middle.end - middle.start)
        });
        let overwritten = overwritten.map_err(|error| {
            failed(&self.name, format!("cannot overwrite {}: {error}", data.display())).applied(Applied::Unknown)
        })?;
        Ok(format!("overwrote {} in the middle of backup {mark}", size(overwritten)))
    }

    fn was_struck(&self, args: &Args, record: &Record, look: &Look) -> Reconciled<()> {
        let backup = match self.backups_of(args) {
            Ok(directory) => directory.join(&record.mark),
            Err(fault) => return Reconciled::Unknown { why: fault.message },
        };
        if args.fault == FaultName::DeleteNewest {
            return presence(&backup, false, look);
        }
        let (data, id) = (Self::data(&backup), &record.mark);
        let found = look.len(&data).and_then(|len| {
            let middle = middle(0, len, args.bytes.unwrap_or(MIDDLE).into());
            Garbage::of(&record.idempotency_key, id).fills(&data, &middle, look)
        });
        match found {
            Ok(true) => {
                Reconciled::Applied { output: (), evidence: format!("the middle of backup {id} is overwritten") }
            }
            Ok(false) => Reconciled::NotApplied { evidence: format!("the middle of backup {id} is not overwritten") },
            Err(error) => Reconciled::Unknown { why: format!("cannot read {}: {error}", data.display()) },
        }
    }
}

#[cfg(test)]
#[expect(clippy::disallowed_methods, reason = "tests set up and read the backups that are hit")]
mod tests {
    use std::fs;
    use std::sync::Arc;

    use super::*;
    use crate::model::{Key, Segment, Symbol};
    use crate::primitives::inject::{Inject, Injected};
    use crate::primitives::{Driver, Preview};
    use crate::system::System;

    struct Backups {
        dir: tempfile::TempDir,
        store: DirectoryStore,
        act: Act,
    }

    fn store(ids: &[&str]) -> Backups {
        let dir = tempfile::tempdir().expect("a directory");
        for id in ids {
            let backup = dir.path().join("store/primary").join(id);
            fs::create_dir_all(&backup).expect("makes");
            fs::write(backup.join("data.zst"), vec![1; 1_000]).expect("writes");
            fs::write(backup.join("manifest.json"), "{}").expect("writes");
        }
        let store = DirectoryStore { name: "backups".to_owned(), path: dir.path().join("store") };
        let act = Act::grant(&Look::new(Arc::new(System::new(dir.path().join("scratch")))));
        Backups { dir, store, act }
    }

    fn args(fault: FaultName) -> Args {
        Args { target: "backups".to_owned(), fault, database: Some("primary".to_owned()), bytes: None }
    }

    fn key(call: u32) -> IdempotencyKey {
        IdempotencyKey::new("run", &Key::ROOT.child(Segment::Call(call)))
    }

    impl Backups {
        fn ids(&self) -> Vec<String> {
            let entries = fs::read_dir(self.dir.path().join("store/primary")).expect("lists").flatten();
            let mut ids: Vec<_> = entries.map(|e| e.file_name().into_string().expect("text")).collect();
            ids.sort();
            ids
        }
        fn is_whole(&self, id: &str) -> bool {
            let data = fs::read(self.dir.path().join("store/primary").join(id).join("data.zst")).expect("reads");
            assert_eq!(data.len(), 1_000);
            data.iter().all(|b| *b == 1)
        }
        async fn preview(&self, args: &Args) -> Result<Preview, Fault> {
            Driver::<Inject>::preview(&self.store, args, &self.act).await
        }
        async fn perform(&self, args: &Args, call: u32) -> Result<Injected, Fault> {
            Driver::<Inject>::perform(&self.store, args, &self.act, &key(call)).await
        }
        async fn reconcile(&self, args: &Args, call: u32) -> Reconciled<Injected> {
            Driver::<Inject>::reconcile(&self.store, args, &self.act, &key(call)).await
        }
    }

    #[tokio::test]
    async fn the_newest_backup_is_overwritten_in_its_middle() {
        let backups = store(&["20261101-000000", "20261102-000000", ".20261103-000000.partial"]);
        let args = args(FaultName::CorruptNewest);
        let preview = backups.preview(&args).await.expect("it can be previewed");
        assert_eq!(preview.symbol, Symbol::Destroy);
        assert!(
            preview.summary.contains("20261102-000000/data.zst (1.0 kB), the newest backup"),
            "{}",
            preview.summary
        );
        assert!(backups.is_whole("20261102-000000"));
        backups.perform(&args, 0).await.expect("it is corrupted");
        assert!(backups.is_whole("20261101-000000") && !backups.is_whole("20261102-000000"));
        backups.perform(&args, 0).await.expect("a second attempt finds it done");
        assert!(!backups.is_whole("20261102-000000"));
    }

    #[tokio::test]
    async fn of_two_backups_of_one_second_the_one_that_was_taken_later_is_the_newest() {
        let backups = store(&["20261101T000000Z-aaaaaa", "20261101T000000Z-bbbbbb"]);
        for (id, millis) in [("20261101T000000Z-aaaaaa", 900), ("20261101T000000Z-bbbbbb", 100)] {
            let manifest = format!(r#"{{"taken_at":"2026-11-01T00:00:00.{millis}Z"}}"#);
            fs::write(backups.dir.path().join("store/primary").join(id).join("manifest.json"), manifest)
                .expect("writes");
        }
        backups.perform(&args(FaultName::CorruptNewest), 0).await.expect("it is corrupted");
        assert!(!backups.is_whole("20261101T000000Z-aaaaaa") && backups.is_whole("20261101T000000Z-bbbbbb"));
    }

    #[tokio::test]
    async fn the_newest_backup_is_deleted_once_however_often_it_is_attempted() {
        let backups = store(&["a", "b", "c"]);
        let args = args(FaultName::DeleteNewest);
        assert!(matches!(backups.reconcile(&args, 0).await, Reconciled::NotApplied { .. }));
        let injected = backups.perform(&args, 0).await.expect("it is deleted");
        assert_eq!(injected.detail, "deleted backup c");
        assert_eq!(backups.perform(&args, 0).await.expect("done").at_ms, injected.at_ms);
        assert_eq!(backups.ids(), ["a", "b"]);
        let settled = backups.reconcile(&args, 0).await;
        assert!(matches!(settled, Reconciled::Applied { output, .. } if output.at == injected.at));
        backups.perform(&args, 1).await.expect("another call deletes the next");
        assert_eq!(backups.ids(), ["a"]);
    }

    #[tokio::test]
    async fn a_backup_taken_since_is_not_mistaken_for_the_one_that_was_hit() {
        let backups = store(&["a", "b"]);
        let args = args(FaultName::CorruptNewest);
        backups.perform(&args, 0).await.expect("b is corrupted");
        let newer = backups.dir.path().join("store/primary/c");
        fs::create_dir(&newer)
            .and_then(|()| fs::write(newer.join("data.zst"), vec![1; 1_000]))
            .expect("another backup");
        assert!(matches!(backups.reconcile(&args, 0).await, Reconciled::Applied { .. }));
        backups.perform(&args, 0).await.expect("done already");
        assert!(backups.is_whole("c"));
    }

    #[tokio::test]
    async fn nothing_outside_the_store_can_be_named() {
        let backups = store(&["a"]);
        for name in ["", ".", "..", "../store/primary", "primary/a", "/etc", "primary/", ".hidden"] {
            let args = Args { database: Some(name.to_owned()), ..args(FaultName::DeleteNewest) };
            let fault = backups.perform(&args, 0).await.expect_err(name);
            assert_eq!(fault.code, "argument", "{name}");
        }
        assert_eq!(backups.ids(), ["a"]);
    }

    #[tokio::test]
    async fn what_cannot_be_hit_is_a_fault_in_the_plan() {
        let backups = store(&[".partial"]);
        for database in ["primary", "replica"] {
            let args = Args { database: Some(database.to_owned()), ..args(FaultName::DeleteNewest) };
            let foreseen = backups.preview(&args).await.expect_err("no backup");
            assert!(foreseen.message.contains("there is no backup in"), "{}", foreseen.message);
            assert_eq!(backups.perform(&args, 0).await, Err(foreseen));
        }
        let nameless = Args { database: None, ..args(FaultName::CorruptNewest) };
        let fault = backups.preview(&nameless).await.expect_err("whose?");
        assert_eq!(
            (fault.code.as_str(), fault.message.as_str()),
            ("argument", "`corrupt-newest` needs the option `database`")
        );
        let fault =
            backups.preview(&Args { database: None, ..args(FaultName::Delete) }).await.expect_err("not for stores");
        assert_eq!(fault.hint.as_deref(), Some("faults for backups: corrupt-newest, delete-newest"));
    }
}
