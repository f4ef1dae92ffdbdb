//! One path while it is walked: where it forks, what is noted of it, when it ends.

use std::sync::Arc;

use crate::model::{Halt, HappeningKind, Manner, Mood, Scope, Site};

use super::places::at;
use super::trace::manner;
use super::{LOOPS, VISITS, Visit, Walk};

impl Walk {
    /// The way to take at a place where there are so many, the last few of them failures.
    pub(super) fn fork(&mut self, site: &Site, ways: usize, failures: usize) -> Result<usize, Halt> {
        let met = at(&mut self.met, site);
        *met += 1;
        if *met > LOOPS {
            self.endless = true;
            return Err(Halt::Aborted);
        }
        if *met > VISITS {
            if ways > 1 {
                self.bounded.insert(site.clone());
            }
            return Ok(0);
        }
        if ways < 2 {
            return Ok(0);
        }
        let taken = self.choices.take(ways, failures);
        self.choices.opens(at(&mut self.opened, site), ways);
        Ok(taken)
    }

    /// Whether a branch begins although one before it has failed: one that goes on at the same time may have.
    pub(super) fn begins(&mut self, branch: &Scope) -> Result<bool, Halt> {
        let around = self.parallels.iter().rfind(|(parallel, ..)| branch.key.starts_with(parallel));
        match around {
            Some((_, 1, true)) => Ok(false),
            Some((_, _, true)) => {
                let begins = self.fork(&branch.site, 2, 0)?;
                self.note(&branch.site, HappeningKind::Branch, || {
                    let way = manner(begins, if begins == 1 { "has run" } else { "has not begun" }, Mood::Fine);
                    (format!("branch {}", branch.title).into(), way)
                });
                Ok(begins == 1)
            }
            _ => Ok(true),
        }
    }

    /// Tells of an event, where that was asked for.
    pub(super) fn note(&mut self, site: &Site, kind: HappeningKind, told: impl FnOnce() -> (Arc<str>, Manner)) {
        if let Some(trace) = &mut self.trace {
            let (text, manner) = told();
            trace.note(site, kind, text, manner);
        }
    }

    /// A person stops the run here.
    pub(super) fn cancel(&mut self, site: &Site) -> Halt {
        self.cancelled = true;
        self.path.visits.push(Visit::Cancelled { site: site.clone() });
        Halt::Cancelled
    }

    pub(super) fn stop(&self, undoing: bool) -> Option<Halt> {
        (self.cancelled && !undoing).then_some(Halt::Cancelled)
    }
}
