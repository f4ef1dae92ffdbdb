//! Whose turn it is to ask a person something: one question at a time, however many branches want to know something.

use std::sync::{Arc, Mutex, PoisonError};

use tokio::sync::{Mutex as AsyncMutex, OwnedMutexGuard};

use crate::model::{Halt, Key};

use super::Live;

/// The right to ask. It passes on when it is dropped.
pub(super) type Turn = OwnedMutexGuard<()>;

/// Who asks.
#[derive(Default)]
pub(super) struct Turns {
    asking: Arc<AsyncMutex<()>>,
    /// A branch in which a person has decided to let the fault pass. Whether that ends the others, too, shows when the branch
    /// ends; until then nobody is asked about them.
    decided: Mutex<Option<(Key, Turn)>>,
}

impl Live {
    /// Waits for the turn of the call at `key`.
    pub(super) fn turn_to_ask(&self, key: &Key) -> Result<Turn, Halt> {
        if let Some(branch) = key.innermost_branch() {
            self.turns.pass_on(&branch);
        }
        self.unless_stopped(key, self.turns.asking.clone().lock_owned())
    }
}

impl Turns {
    /// A person let the fault of the call at `key` pass.
    pub(super) fn keep(&self, key: &Key, turn: Turn) {
        if let Some(branch) = key.innermost_branch() {
            *self.decided.lock().unwrap_or_else(PoisonError::into_inner) = Some((branch, turn));
        }
    }

    /// The branch has ended, or goes on.
    pub(super) fn pass_on(&self, branch: &Key) {
        let mut decided = self.decided.lock().unwrap_or_else(PoisonError::into_inner);
        decided.take_if(|(kept, _)| kept == branch);
    }

    /// The call at `key` begins: a branch whose script has caught the fault goes on. What is undone in it says nothing yet.
    pub(super) fn goes_on(&self, key: &Key) {
        let mut decided = self.decided.lock().unwrap_or_else(PoisonError::into_inner);
        decided.take_if(|(branch, _)| key.starts_with(branch) && !key.in_rollback_within(branch));
    }
}
