//! What the walked paths add up to.

use std::collections::{BTreeMap, BTreeSet, HashSet};

use crate::model::{Bound, Exploration, Invariant, PathCounts, Site, StoryLine, Stuck, Value, Violated};
use crate::script::{Outline, Script};
use crate::worlds::{Ending, Violation, Visit, Walked, WalkedCalls, merge_walked, story};

use super::coverage::coverage;

/// What has been found so far.
#[derive(Default)]
pub(super) struct Findings {
    counts: PathCounts,
    /// The places that some path comes to.
    reached: HashSet<Site>,
    /// The calls that were met, with the ways in which they can end.
    walked: WalkedCalls,
    repeated: BTreeSet<Site>,
    /// Whether there are paths with more failures.
    more: bool,
    violated: BTreeMap<usize, Example>,
    stuck: BTreeMap<Reason, Example>,
}

/// Why paths come to no end: a mistake or not, what, where, what to do.
type Reason = (bool, String, Option<Site>, Option<String>);

/// How often something was found, and the shortest path that shows it.
struct Example {
    paths: u64,
    why: String,
    ends: String,
    story: Vec<StoryLine>,
    /// What is compared: shorter paths are better, then those with fewer failures.
    rank: (usize, usize, Vec<u16>),
}

impl Example {
    fn merge(self, other: Self) -> Self {
        let paths = self.paths + other.paths;
        Self { paths, ..if other.rank < self.rank { other } else { self } }
    }
}

fn keep<K: Ord>(examples: &mut BTreeMap<K, Example>, key: K, example: Example) {
    let merged = match examples.remove(&key) {
        Some(known) => known.merge(example),
        None => example,
    };
    examples.insert(key, merged);
}

impl Findings {
    /// One path more, which breaks these invariants.
    pub(super) fn add(&mut self, walked: &Walked, broken: Vec<Violation>) {
        self.more |= walked.more;
        self.repeated.extend(walked.bounded.iter().cloned());
        for site in walked.path.visits.iter().map(Visit::site).chain(&walked.path.passed) {
            if !self.reached.contains(site) {
                self.reached.insert(site.clone());
            }
        }
        self.counts.all += 1;
        let rank = || (walked.path.visits.len(), walked.failures, walked.ways.clone());
        let (mistake, why, site, hint) = match &walked.ending {
            Ending::Well | Ending::Endless | Ending::InDoubt => (None, "", None, None),
            Ending::Restored { why } | Ending::LeftChanged { why } => (None, why.as_str(), None, None),
            Ending::Mistake { why, site, hint } => (Some(true), why.as_str(), Some(site), hint.as_ref()),
            Ending::Open { why, site, hint } => (Some(false), why.as_str(), site.as_ref(), hint.as_ref()),
        };
        *match &walked.ending {
            Ending::Well => &mut self.counts.well,
            Ending::Restored { .. } => &mut self.counts.restored,
            Ending::LeftChanged { .. } => &mut self.counts.left_changed,
            Ending::Mistake { .. } | Ending::Endless => &mut self.counts.mistaken,
            Ending::InDoubt => &mut self.counts.in_doubt,
            Ending::Open { .. } => &mut self.counts.open,
        } += 1;
        if let Some(mistake) = mistake {
            let example = Example {
                paths: 1,
                why: String::new(),
                ends: String::new(),
                story: story(&walked.path, None),
                rank: rank(),
            };
            keep(&mut self.stuck, (mistake, why.to_owned(), site.cloned(), hint.cloned()), example);
        }
        for violation in broken {
            let rank = rank();
            // Only the shortest is told: most paths that break it are not.
            let shorter = self.violated.get(&violation.invariant).is_none_or(|known| rank < known.rank);
            let story = if shorter { story(&walked.path, Some(violation.at)) } else { Vec::new() };
            let ends = walked.ending.told();
            keep(&mut self.violated, violation.invariant, Example { paths: 1, why: violation.why, ends, story, rank });
        }
    }

    /// Whether there are paths that meet too many failures.
    pub(super) fn has_more(&self) -> bool {
        self.more
    }

    /// The calls that a thread has met, when it is done.
    pub(super) fn met(&mut self, calls: WalkedCalls) {
        merge_walked(&mut self.walked, calls);
    }

    /// The calls that were met, with the ways in which they can end.
    pub(super) fn walked(&self) -> &WalkedCalls {
        &self.walked
    }

    /// What another thread has found.
    pub(super) fn merge(&mut self, other: Self) {
        self.more |= other.more;
        self.repeated.extend(other.repeated);
        self.reached.extend(other.reached);
        let (counts, others) = (&mut self.counts, other.counts);
        counts.all += others.all;
        counts.well += others.well;
        counts.restored += others.restored;
        counts.left_changed += others.left_changed;
        counts.mistaken += others.mistaken;
        counts.in_doubt += others.in_doubt;
        counts.open += others.open;
        other.violated.into_iter().for_each(|(key, example)| keep(&mut self.violated, key, example));
        other.stuck.into_iter().for_each(|(key, example)| keep(&mut self.stuck, key, example));
    }

    /// The exploration; what was asked for is still to be filled in.
    pub(super) fn judge(
        self,
        (script, outline): (&Script, &Outline),
        faults: Option<usize>,
        mut bounds: Vec<Bound>,
        invariants: Vec<Invariant>,
    ) -> Exploration {
        if let Some(at_most) = faults.filter(|_| self.more) {
            bounds.insert(0, Bound::Faults { at_most });
        }
        if !self.repeated.is_empty() {
            bounds.push(Bound::Repeated { sites: self.repeated.into_iter().collect() });
        }
        let waived = |name: &str| script.front_matter.waivers().find(|(waived, _)| *waived == name);
        let violation = |(invariant, example): (usize, Example)| {
            let Invariant { name, summary } = invariants[invariant].clone();
            let waived = waived(&name).map(|(_, reason)| reason.to_owned());
            let Example { paths, why, ends, story, .. } = example;
            Violated { invariant: name, summary, waived, paths, why, story, ends }
        };
        let stuck = |((mistake, why, site, hint), example): (Reason, Example)| Stuck {
            mistake,
            paths: example.paths,
            why,
            site,
            hint,
            story: example.story,
        };
        let violations = self.violated.into_iter().map(violation).collect();
        Exploration {
            format: Exploration::FORMAT,
            runbook: String::new(),
            title: String::new(),
            environment: String::new(),
            protected: false,
            params: Value::Null,
            assumptions: Vec::new(),
            run: None,
            faults,
            paths: self.counts,
            bounds,
            coverage: coverage(outline, &self.reached, &self.walked),
            violations,
            invariants,
            stuck: self.stuck.into_iter().map(stuck).collect(),
            took_ms: 0,
            tree: None,
            files: Vec::new(),
        }
    }
}
