//! What is left of runs that were removed: enough to prove that nothing else is missing.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::JournalError;
#[cfg(feature = "journal-libsql")]
use super::{GENESIS, link};
use crate::model::RunId;

/// Runs were removed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Prune {
    /// When, UTC.
    pub at: Timestamp,
    /// Who, as `user@host`.
    pub by: String,
    /// Runs that ended before this were removed.
    pub before: Timestamp,
    /// Which, the one begun first comes first.
    pub runs: Vec<PrunedRun>,
}

/// A run that was removed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PrunedRun {
    /// Its id.
    pub id: RunId,
    /// The runbook's path.
    pub runbook: String,
    /// The environment's name.
    pub environment: String,
    /// When it was started, UTC.
    pub started: Timestamp,
    /// How it ended.
    pub status: String,
    /// How many events it had.
    pub events: u64,
    /// The hash before its first event.
    pub previous: String,
    /// The hash in it behind which the run begun after it goes on.
    pub next: String,
    /// The hash of its last event.
    pub head: String,
}

/// What a prune made smaller.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pruned {
    /// What was removed.
    pub prune: Prune,
    /// How many runs are left.
    pub left: u64,
    /// How much smaller the file is, in bytes; 0 while others use it: they fill the room again.
    pub freed: u64,
}

/// What was removed from a journal in all its time.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Prunes {
    /// Each time, oldest first.
    pub prunes: Vec<Prune>,
    /// The hash of the last of them.
    pub head: String,
    /// What does not fit, if anything does not.
    pub broken: Option<String>,
}

impl Prunes {
    /// That the run whose id begins or ends so was removed, if it was.
    pub(super) fn removed(&self, asked: &str) -> Option<JournalError> {
        let is = |run: &&PrunedRun| run.id.as_str().starts_with(asked) || run.id.as_str().ends_with(asked);
        let found = self.prunes.iter().find_map(|prune| Some((prune, prune.runs.iter().find(is)?)));
        found.map(|(prune, run)| {
            let at = prune.at.strftime("%Y-%m-%d %H:%M UTC").to_string();
            JournalError::RemovedRun { run: run.id.clone(), at, by: prune.by.clone() }
        })
    }

    /// Checks the texts and their hashes, in order, and that `copies` of runs and hashes say the same.
    #[cfg(feature = "journal-libsql")]
    pub(super) fn of(stored: &[(String, String)], copies: &[(String, String)]) -> Self {
        let mut found = Self { prunes: Vec::new(), head: GENESIS.to_owned(), broken: None };
        for (number, (json, hash)) in stored.iter().enumerate() {
            if link(&found.head, json) != *hash {
                found.broken = Some(format!("the record of prune {} is not as it was written", number + 1));
                return found;
            }
            match serde_json::from_str(json) {
                Ok(prune) => found.prunes.push(prune),
                Err(why) => {
                    found.broken = Some(format!("the record of prune {} cannot be read: {why}", number + 1));
                    return found;
                }
            }
            found.head.clone_from(hash);
        }
        let runs = found.prunes.iter().flat_map(|prune| &prune.runs);
        let mut told: Vec<_> = runs.map(|run| (run.id.to_string(), run.next.clone())).collect();
        let mut copies = copies.to_vec();
        told.sort();
        copies.sort();
        if told != copies {
            found.broken = Some("the list of removed runs says something else than the records of prunes".to_owned());
        }
        found
    }
}
