//! What stands between a run and the leases that it wants: who has them, whether they still do, who came first.

use std::time::Duration;

use crate::journal::JournalError;
use crate::model::{Claim, Event, EventBody, Holder, Key, Lease, Mode, Record, Span, Ticket};
use crate::system::Look;

use super::active::Life;
use super::ledger::Ledger;
use super::session::SESSION;
use super::undo::owed;
use super::unfinished::takes_up;
use super::{Error, Status};

/// What stands in the way of one claim.
#[derive(Default)]
pub(super) struct Survey {
    /// Leases that others have, and places before ours.
    pub(super) bars: Vec<Bar>,
    /// Leases that nobody has any more.
    over: Vec<Over>,
    /// Leases of runs of which nobody knows what they did.
    doubtful: Vec<(Lease, Key, String)>,
    /// Leases of other machines that have not renewed them: what was under way there, nobody here knows.
    silent: Vec<Lease>,
    gone: Vec<u64>,
    /// The machine that wants it.
    own_host: String,
    /// What is taken from others, in words.
    taken: Vec<String>,
    /// Why nothing more is known, where somebody was in the way the last time.
    unknown: Option<String>,
}

/// Somebody who is in the way.
pub(super) enum Bar {
    /// A run has it.
    Held(Lease),
    /// A run waits for it, and came first.
    First(Ticket),
}

/// A lease that may be taken away.
struct Over {
    lease: Lease,
    /// What its run still owes, if it is not over.
    owes: Option<Vec<String>>,
}

fn is_session(holder: &Holder) -> bool {
    holder.runbook == SESSION
}

/// How a run is taken up again whose process is gone.
fn resume(holder: &Holder) -> String {
    let mode = if is_session(holder) { Mode::Session } else { Mode::Run };
    format!("`{}`", takes_up(mode, &holder.run))
}

impl Survey {
    /// Somebody was in the way, and whether that is still so cannot be found out just now.
    pub(super) fn unknown(why: String) -> Self {
        Self { unknown: Some(why), ..Self::default() }
    }

    /// Looks at everybody who has or wants some of it.
    pub(super) fn of(ledger: &Ledger, look: &Look, claim: &Claim) -> Result<Self, JournalError> {
        let mut survey = Self { own_host: look.own_process().host, ..Self::default() };
        let Some(kept) = ledger.leases() else { return Ok(survey) };
        let (leases, tickets) = kept.all_leases()?;
        let now = kept.now_ms(look.boot_ms())?;
        let wants = |scope: &String| claim.wanted.iter().any(|(wanted, _)| wanted == scope);
        let own = claim.wanted.first().map(|(_, holder)| &holder.run);
        for lease in leases.into_iter().filter(|lease| wants(&lease.scope) && claim.token != Some(lease.token)) {
            if Some(&lease.holder.run) == own {
                survey.over.push(Over { lease, owes: None });
            } else {
                survey.judge(ledger, look, now, lease)?;
            }
        }
        for ticket in tickets.into_iter().filter(|ticket| claim.ticket != Some(ticket.number)) {
            let first = claim.token.is_none() && claim.ticket.is_none_or(|mine| ticket.number < mine);
            if look.still_runs(&ticket.holder.process) == Some(false) {
                survey.gone.push(ticket.number);
            } else if first && ticket.scopes.iter().any(wants) {
                survey.bars.push(Bar::First(ticket));
            }
        }
        if ledger.shared.as_ref().is_some_and(|shared| shared.broken) {
            survey.break_glass();
        }
        Ok(survey)
    }

    /// Whether a lease of another run still counts, at this moment of the ledger's clock.
    fn judge(&mut self, ledger: &Ledger, look: &Look, now: u64, mut lease: Lease) -> Result<(), JournalError> {
        let run = &lease.holder.run.clone();
        let (events, ours) = ledger.events_of(&lease.holder)?;
        // An end before it took the lease is another's: it was taken up again since, and that is not recorded yet.
        let ended = events
            .last()
            .is_some_and(|event| matches!(event.body, EventBody::Ended { .. }) && event.at >= lease.holder.since);
        let alive = match (events.is_empty(), ended) {
            // Another journal, be it of a machine with the same name: that its process is gone does not tell what it did.
            (_, false) if !ours => look.still_runs(&lease.holder.process).filter(|runs| *runs),
            (true, _) => Life::is_carried_out(run, &lease.holder.process, look),
            (false, true) => Some(false),
            (false, false) => match Life::of(run, &events) {
                // It may have been taken up since, by another process than the one that took the lease.
                Life::GoesOn(process) => {
                    lease.holder.process = process;
                    Some(true)
                }
                Life::Interrupted => Some(false),
                Life::Elsewhere(_) => None,
            },
        };
        if alive != Some(false) && !lease.is_expired(now) {
            self.bars.push(Bar::Held(lease));
        } else if alive.is_none() && ledger.shared.is_some() {
            self.silent.push(lease);
        } else if let Some((key, what)) = in_flight(&events, &lease.holder) {
            self.doubtful.push((lease, key, what));
        } else {
            let owes = owed(&events);
            let over = ended && owes.is_empty() || events.is_empty();
            self.over.push(Over { lease, owes: (!over).then_some(owes) });
        }
        Ok(())
    }

    /// Whatever stands in the way is taken from whoever has it.
    fn break_glass(&mut self) {
        let held = self.bars.drain(..).filter_map(|bar| match bar {
            Bar::Held(lease) => Some(lease),
            Bar::First(_) => None,
        });
        let doubtful = self.doubtful.drain(..).map(|(lease, _, _)| lease);
        for lease in held.chain(doubtful).chain(self.silent.drain(..)) {
            let within = Span(Duration::from_millis(lease.ttl_ms));
            self.taken.push(format!(
                "taken from {}: {}; what that run begins within {within}, before it hears of it, it still begins",
                described(&lease.holder),
                lease.holder.target
            ));
            self.over.push(Over { lease, owes: None });
        }
    }

    /// Leases that may be taken away: scope and number of the grant.
    pub(super) fn over(&self) -> Vec<(String, u64)> {
        self.over.iter().map(|over| (over.lease.scope.clone(), over.lease.token)).collect()
    }

    /// Places of processes that are gone.
    pub(super) fn gone(&self) -> Vec<u64> {
        self.gone.clone()
    }

    /// The error where nobody knows what a run did to a target: it is not touched before that is settled.
    pub(super) fn doubt(&self) -> Option<Error> {
        if let Some(Lease { holder, .. }) = self.silent.first() {
            let (run, target, host) = (&holder.run, &holder.target, &holder.process.host);
            // Whoever types ends a session, and nobody else.
            let cancel = if is_session(holder) {
                ", which also tells you if it is over".to_owned()
            } else {
                format!(" or `lifeboat cancel {run}`, which also tell you if it is over")
            };
            let resume = resume(holder);
            return Some(Error::InDoubt {
                why: format!(
                    "{target} is in doubt: nothing was heard any more of {}, and only {host} knows what was under way",
                    described(holder)
                ),
                help: format!(
                    "on {host}: {resume}{cancel}. If {host} is gone for good, look at {target}, then run this with --break-glass \"why\""
                ),
            });
        }
        let (lease, key, what) = self.doubtful.first()?;
        let (run, target) = (&lease.holder.run, &lease.holder.target);
        let kind = if is_session(&lease.holder) { "session" } else { "run" };
        let resume = resume(&lease.holder);
        let there = match &lease.holder.process.host {
            host if *host == self.own_host => String::new(),
            host => format!("on {host}, "),
        };
        Some(Error::InDoubt {
            why: format!("{target} is in doubt: {kind} {run} was stopped while {what} was under way"),
            help: format!(
                "look at {target}; then {there}{resume}, or say what you found: `lifeboat settle {run} {key}` \
                 with --applied or --not-applied"
            ),
        })
    }

    /// The error where others are in the way of whoever `asks`.
    pub(super) fn refusal(&self, asks: &Holder) -> Error {
        // A session that goes on asks again whenever it is armed.
        let wait = if is_session(asks) { "`:arm` again when it is over" } else { "wait for it with `--wait 10m`" };
        let help = match self.bars.first() {
            Some(Bar::Held(Lease { holder, .. })) if is_session(holder) => {
                let there = if self.own_host == holder.process.host {
                    format!(", follow it with `lifeboat attach {}`", holder.run)
                } else {
                    String::new()
                };
                format!("{wait}{there}; whoever types there gives it back by `:undo all` and `:quit`")
            }
            // What can be asked of a run is left in the journal of its own machine.
            Some(Bar::Held(Lease { holder, .. })) if self.own_host != holder.process.host => {
                format!("{wait}, or on {}: `lifeboat cancel {}`", holder.process.host, holder.run)
            }
            Some(Bar::Held(Lease { holder, .. })) => format!(
                "{wait}, follow it with `lifeboat attach {0}`, or end it with `lifeboat cancel {0}`",
                holder.run
            ),
            _ if is_session(asks) => wait.to_owned(),
            _ => "wait with the others: `--wait 10m`".to_owned(),
        };
        Error::Refused { why: self.reason(), help: Some(help) }
    }

    /// Who is in the way, with what, where and since when.
    pub(super) fn reason(&self) -> String {
        let reason = self.bars.iter().map(|bar| match bar {
            Bar::Held(lease) => format!("{} is being changed by {}", lease.holder.target, described(&lease.holder)),
            Bar::First(ticket) => format!("{} came first", described(&ticket.holder)),
        });
        let mut reasons: Vec<String> = reason.collect();
        reasons.extend(self.unknown.clone());
        reasons.dedup();
        if reasons.is_empty() { "another run was faster".to_owned() } else { reasons.join("; ") }
    }

    /// What is waited for, for whoever waits.
    pub(super) fn waiting_for(&self) -> String {
        let first = self.bars.iter().filter(|bar| matches!(bar, Bar::First(_))).count();
        let place = if first == 0 { String::new() } else { format!(" ({first} before this one in the queue)") };
        let held = self.bars.iter().find_map(|bar| match bar {
            Bar::Held(lease) => Some(format!("{} of {}", lease.holder.target, described(&lease.holder))),
            Bar::First(_) => None,
        });
        match held {
            Some(held) => format!("waiting for {held}{place}"),
            None if first > 0 => format!("waiting{place}"),
            None => String::new(),
        }
    }

    /// What whoever goes on is to know of the runs that had it before.
    pub(super) fn warnings(&self) -> Vec<String> {
        let unfinished = self.over.iter().filter_map(|over| Some((&over.lease.holder, over.owes.as_ref()?)));
        let mut warnings: Vec<String> = unfinished
            .map(|(holder, owes)| {
                let owes = if owes.is_empty() { String::new() } else { format!(", and owes: {}", owes.join(", ")) };
                let (kind, undone) = if is_session(holder) {
                    ("session", format!("{} takes it up again, `:undo` undoes that", resume(holder)))
                } else {
                    ("run", format!("`lifeboat cancel {}` rolls it back", holder.run))
                };
                format!("{kind} {}, which was to change {}, is not over{owes}; {undone}", holder.run, holder.target)
            })
            .collect();
        warnings.extend(self.taken.iter().cloned());
        warnings.dedup();
        warnings
    }
}

/// The change of a holder's target that was started and has no outcome.
fn in_flight(events: &[Event], holder: &Holder) -> Option<(Key, String)> {
    let record = Record::of(events);
    let mut open = record.open().filter(|(_, call)| call.impact.kind.is_change());
    open.find(|(_, call)| call.impact.targets.contains(&holder.target))
        .map(|(key, call)| (key.clone(), format!("{} {}", call.primitive, holder.target)))
}

fn described(holder: &Holder) -> String {
    let what = if is_session(holder) {
        format!("session {}", holder.run)
    } else {
        format!("run {} ({})", holder.run, holder.runbook)
    };
    format!(
        "{what}, started by {} at {} UTC, process {} on {}",
        holder.by,
        holder.since.strftime("%Y-%m-%d %H:%M:%S"),
        holder.process.pid,
        holder.process.host
    )
}

/// Whether a run that ended like this gives its leases back.
pub(super) fn is_over(status: Status, owed: bool) -> bool {
    !owed && status.is_over()
}
