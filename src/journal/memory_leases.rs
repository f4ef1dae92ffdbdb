//! Leases in memory: for one process.

use super::leases::barred;
use super::{JournalError, Leases, MemoryJournal};
use crate::model::{Claim, Fence, Holder, Lease, Ticket};

/// What is held and waited for.
#[derive(Default)]
pub(super) struct Held {
    leases: Vec<Lease>,
    tickets: Vec<Ticket>,
    token: u64,
    number: u64,
}

impl Held {
    /// Whether a grant still has its leases.
    pub(super) fn stands(&self, fence: Fence) -> bool {
        self.leases.iter().filter(|lease| lease.token == fence.token).count() as u64 >= fence.leases
    }
}

impl Leases for MemoryJournal {
    fn all_leases(&self) -> Result<(Vec<Lease>, Vec<Ticket>), JournalError> {
        let held = &self.lock().held;
        Ok((held.leases.clone(), held.tickets.clone()))
    }

    fn take_leases(&self, claim: &Claim) -> Result<Option<u64>, JournalError> {
        let held = &mut self.lock().held;
        if barred(claim, &held.leases, &held.tickets) {
            return Ok(None);
        }
        if claim.token.is_none() {
            held.token += 1;
        }
        let token = claim.token.unwrap_or(held.token);
        held.leases.retain(|lease| !claim.over.contains(&(lease.scope.clone(), lease.token)));
        for (scope, holder) in &claim.wanted {
            if held.leases.iter().all(|lease| lease.scope != *scope) {
                let (beat_ms, ttl_ms) = (claim.beat_ms, claim.ttl_ms);
                held.leases.push(Lease { scope: scope.clone(), token, holder: holder.clone(), beat_ms, ttl_ms });
            }
        }
        held.leases.sort_by(|a, b| a.scope.cmp(&b.scope));
        held.tickets.retain(|ticket| claim.ticket != Some(ticket.number) && !claim.gone.contains(&ticket.number));
        Ok(Some(token))
    }

    fn renew_leases(&self, token: u64, beat_ms: u64) -> Result<u64, JournalError> {
        let held = &mut self.lock().held;
        let mine = held.leases.iter_mut().filter(|lease| lease.token == token);
        Ok(mine.map(|lease| lease.beat_ms = beat_ms).count() as u64)
    }

    fn release_leases(&self, token: u64, but: &[String]) -> Result<(), JournalError> {
        self.lock().held.leases.retain(|lease| lease.token != token || but.contains(&lease.scope));
        Ok(())
    }

    fn wait_for_leases(&self, holder: &Holder, scopes: &[String]) -> Result<u64, JournalError> {
        let held = &mut self.lock().held;
        held.number += 1;
        held.tickets.push(Ticket { number: held.number, holder: holder.clone(), scopes: scopes.to_vec() });
        Ok(held.number)
    }

    fn leave_queue(&self, number: u64) -> Result<(), JournalError> {
        self.lock().held.tickets.retain(|ticket| ticket.number != number);
        Ok(())
    }
}
