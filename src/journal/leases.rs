//! Where leases are kept: beside the events, because an effect begins only with both.

use super::JournalError;
use crate::model::{Claim, Holder, Lease, Ticket};

/// Leases on things that runs change. Who may take one away from whom is decided above; here it is done, or not, at one instant.
pub trait Leases: Send + Sync {
    /// The moment by which leases are renewed and expire, in milliseconds: the machine's boot-time clock (`boot_ms`), unless several
    /// machines share them. Then it is the clock of whoever keeps them.
    fn now_ms(&self, boot_ms: u64) -> Result<u64, JournalError> {
        Ok(boot_ms)
    }

    /// Every lease, by scope, and everybody who waits, the first at the front.
    fn all_leases(&self) -> Result<(Vec<Lease>, Vec<Ticket>), JournalError>;

    /// Grants all that is wanted, and returns the number of the grant; `None`, and nothing is granted, when somebody has one of the
    /// leases that is not given as over, or waits for one and came first.
    fn take_leases(&self, claim: &Claim) -> Result<Option<u64>, JournalError>;

    /// Renews the leases of a grant; the number of those that it still has.
    fn renew_leases(&self, token: u64, beat_ms: u64) -> Result<u64, JournalError>;

    /// Gives the leases of a grant back, but for those with these scopes.
    fn release_leases(&self, token: u64, but: &[String]) -> Result<(), JournalError>;

    /// Takes a place at the end of the queue. Returns its number.
    fn wait_for_leases(&self, holder: &Holder, scopes: &[String]) -> Result<u64, JournalError>;

    /// Gives a place up.
    fn leave_queue(&self, number: u64) -> Result<(), JournalError>;
}

/// Whether a claim is barred by what others have or wait for.
pub(super) fn barred(claim: &Claim, leases: &[Lease], tickets: &[Ticket]) -> bool {
    let wants = |scope: &String| claim.wanted.iter().any(|(wanted, _)| wanted == scope);
    let mine = |lease: &Lease| claim.token == Some(lease.token);
    let over = |lease: &Lease| claim.over.iter().any(|(scope, token)| *scope == lease.scope && *token == lease.token);
    let first = |ticket: &Ticket| claim.ticket.is_none_or(|mine| ticket.number < mine);
    // Who has some of it goes on: to make it wait for those who wait for it would be for ever.
    let queued = |ticket: &Ticket| claim.token.is_none() && first(ticket) && !claim.gone.contains(&ticket.number);
    leases.iter().any(|lease| wants(&lease.scope) && !mine(lease) && !over(lease))
        || tickets.iter().any(|ticket| queued(ticket) && ticket.scopes.iter().any(wants))
}
