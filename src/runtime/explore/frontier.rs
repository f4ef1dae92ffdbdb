//! The paths of an exploration that are still to be walked, in their order.

use std::collections::BTreeSet;

use crate::model::Bound;
use crate::worlds::Beginning;

use super::super::Error;
use super::super::findings::Findings;
use super::super::tree::Collected;

/// How many paths a thread walks before it looks at what the others do.
const BATCH: usize = 64;

/// The paths that are still to be walked, and what those came to that were.
#[derive(Default)]
pub(super) struct Frontier {
    /// Their beginnings, by the number of failures that they have met: those with few are walked first.
    open: Vec<Vec<Beginning>>,
    /// The same of those that take a way which no path took before. They come before all others: first each way is walked once.
    fresh: Vec<Vec<Beginning>>,
    /// How many threads are walking.
    pub(super) busy: usize,
    pub(super) walked: u64,
    pub(super) found: Findings,
    /// What the threads that are done have collected of the tree, if it is asked for.
    pub(super) collected: Option<Collected>,
    pub(super) bounds: Vec<Bound>,
    /// The assumptions that some call has met.
    pub(super) met: BTreeSet<usize>,
    /// Why nothing can be said.
    pub(super) failed: Option<Error>,
}

impl Frontier {
    pub(super) fn put(&mut self, beginning: Beginning) {
        let failures = beginning.failures();
        let open = if beginning.is_fresh() { &mut self.fresh } else { &mut self.open };
        if open.len() <= failures {
            open.resize_with(failures + 1, Vec::new);
        }
        open[failures].push(beginning);
    }

    pub(super) fn take(&mut self) -> Vec<Beginning> {
        let mut all = self.fresh.iter_mut().chain(&mut self.open);
        let Some(likely) = all.find(|open| !open.is_empty()) else { return Vec::new() };
        likely.split_off(likely.len().saturating_sub(BATCH))
    }

    /// Nothing can be said: no more is walked.
    pub(super) fn fail(&mut self, why: Error) {
        self.clear();
        self.failed.get_or_insert(why);
    }

    fn clear(&mut self) {
        self.open.clear();
        self.fresh.clear();
    }

    pub(super) fn is_empty(&self) -> bool {
        self.fresh.iter().chain(&self.open).all(Vec::is_empty)
    }

    pub(super) fn stop(&mut self, bound: Bound) {
        self.clear();
        if !self.bounds.contains(&bound) {
            self.bounds.push(bound);
        }
    }
}
