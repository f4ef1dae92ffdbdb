//! The backups of one database, as they lie in its store.

use std::io;

use jiff::Timestamp;

use crate::model::{Fault, IdempotencyKey, Span};
use crate::primitives::targets::SqliteDatabase;
use crate::system::Look;

use super::archive::{damage, wrong_length};
use super::{Layout, Manifest, Stop, Verified, code, io_fault, no_store};

/// A backup whose manifest is valid and whose data is there, as long as it should be.
#[derive(Clone, Debug)]
pub(in crate::primitives) struct Stored {
    pub manifest: Manifest,
    /// When it was last verified, if that record is about these data.
    pub verified: Option<Verified>,
}

impl Stored {
    /// How long ago it was taken, in seconds.
    pub(in crate::primitives) fn age_s(&self, now: Timestamp) -> i64 {
        now.duration_since(self.manifest.taken_at).as_secs().max(0)
    }

    /// `20261120T205609Z-3f09ac taken 2h 05m ago`.
    pub(in crate::primitives) fn describe(&self, now: Timestamp) -> String {
        let age = Span::from_secs(self.age_s(now).unsigned_abs());
        format!("{} taken {} ago", self.manifest.id, age.human())
    }
}

/// A directory in the store that is no backup.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::primitives) struct Broken {
    pub id: String,
    pub why: String,
}

/// All backups of a database.
#[derive(Clone, Debug)]
pub(in crate::primitives) struct Stock {
    pub layout: Layout,
    /// The name of the store's target.
    pub store: String,
    /// The newest first.
    pub backups: Vec<Stored>,
    /// Directories that should be backups and are not.
    pub broken: Vec<Broken>,
    /// Names of directories in which a backup is under way or was interrupted.
    pub partial: Vec<String>,
}

impl Stock {
    /// Reads the store of a database. A store that does not exist yet is empty.
    pub(in crate::primitives) fn read(look: &Look, database: &SqliteDatabase) -> Result<Self, Fault> {
        let store = database.store.as_ref().ok_or_else(|| no_store(&database.name))?;
        let layout = Layout::new(&store.path, &database.name);
        let entries = match look.list(&layout.root) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => Vec::new(),
            entries => entries
                .map_err(|error| io_fault(code::STORE_UNREADABLE, &database.name, "read", &layout.root, &error))?,
        };
        let (mut backups, mut broken, mut partial) = (Vec::new(), Vec::new(), Vec::new());
        for entry in entries.into_iter().filter(|entry| entry.directory) {
            if entry.name.starts_with('.') {
                partial.push(entry.name);
            } else if Layout::is_id(&entry.name) {
                match read_one(look, &layout, &entry.name) {
                    Ok(stored) => backups.push(stored),
                    Err(why) => broken.push(Broken { id: entry.name, why }),
                }
            }
        }
        backups
            .sort_by(|a: &Stored, b| (b.manifest.taken_at, &b.manifest.id).cmp(&(a.manifest.taken_at, &a.manifest.id)));
        broken.reverse();
        Ok(Self { layout, store: store.name.clone(), backups, broken, partial })
    }

    /// The backup called `id`, or why there is none.
    pub(in crate::primitives) fn find(&self, target: &str, id: &str) -> Result<&Stored, Fault> {
        if let Some(stored) = self.backups.iter().find(|stored| stored.manifest.id == id) {
            return Ok(stored);
        }
        if let Some(broken) = self.broken.iter().find(|broken| broken.id == id) {
            return Err(Fault::new(code::BACKUP_CORRUPT, format!("the backup {id} is damaged: {}", broken.why))
                .on(target)
                .hint(match self.newest().as_str() {
                    "none" => format!("{} holds no other backup of {target}", self.store),
                    others => format!("use another one of {}: {others}", self.store),
                }));
        }
        Err(Fault::new(code::NO_BACKUP, format!("{} holds no backup of {target} called {id}", self.store))
            .on(target)
            .hint(format!("it holds {}", self.newest())))
    }

    /// The newest backup, or that there is none.
    pub(in crate::primitives) fn newest_of(&self, target: &str) -> Result<&Stored, Fault> {
        self.backups.first().ok_or_else(|| {
            let hint = match self.notes() {
                notes if notes.is_empty() => format!("is {} the right directory?", self.layout.root.display()),
                notes => notes.join("; "),
            };
            Fault::new(code::NO_BACKUP, format!("{} holds no backup of {target}", self.store)).on(target).hint(hint)
        })
    }

    /// The backup that a call with this key made.
    pub(in crate::primitives) fn made_by(&self, key: &IdempotencyKey) -> Option<&Stored> {
        self.backups.iter().find(|stored| stored.manifest.idempotency_key == key.as_str())
    }

    /// Why the data of a backup is not what its manifest says; `None` when it is. Reads all of it.
    pub(in crate::primitives) fn damage(
        &self,
        look: &Look,
        stored: &Stored,
        stop: &Stop,
    ) -> Result<Option<String>, Fault> {
        damage(look, &stored.manifest, &self.layout.data(&stored.manifest.id), stop)
    }

    /// The names of the newest backups.
    pub(in crate::primitives) fn newest(&self) -> String {
        let ids: Vec<_> = self.backups.iter().take(3).map(|stored| stored.manifest.id.as_str()).collect();
        match self.backups.len() {
            0 => "none".to_owned(),
            count if count > ids.len() => format!("{} and {} more", ids.join(", "), count - ids.len()),
            _ => ids.join(", "),
        }
    }

    /// What a reader should know of the directories that are no backups.
    pub(in crate::primitives) fn notes(&self) -> Vec<String> {
        let mut notes: Vec<_> = self.broken.iter().map(|b| format!("{} is damaged: {}", b.id, b.why)).collect();
        if !self.partial.is_empty() {
            notes.push(format!("under way or interrupted: {}", self.partial.join(", ")));
        }
        notes
    }
}

/// Reads one backup, or says why it is none. One that cannot be read must not hide the others.
fn read_one(look: &Look, layout: &Layout, id: &str) -> Result<Stored, String> {
    let why = |name: &str, error: &io::Error| match error.kind() {
        io::ErrorKind::NotFound => format!("{name} is missing"),
        _ => format!("{name} cannot be read: {error}"),
    };
    let bytes = look.read(&layout.manifest(id)).map_err(|error| why("manifest.json", &error))?;
    let manifest = Manifest::parse(&bytes, id)?;
    let len = look.len(&layout.data(id)).map_err(|error| why("data.zst", &error))?;
    if len != manifest.stored_size {
        return Err(wrong_length(&manifest, len));
    }
    // A record that is missing, damaged or about other data leaves the backup unverified.
    let verified = look.read(&layout.verified(id)).ok();
    let verified = verified.and_then(|bytes| serde_json::from_slice::<Verified>(&bytes).ok());
    let verified = verified.filter(|record| record.sha256_stored == manifest.sha256_stored);
    Ok(Stored { manifest, verified })
}
