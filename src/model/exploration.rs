//! What an exploration has found: every path of a runbook, counted and judged.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::{PathTree, Site, Stand, Value, WalkedFile};

/// The built-in invariants: what no path may do. Name and summary.
pub const INVARIANTS: [(&str, &str); 6] = [
    ("maintenance-restored", "after a failure every maintenance mode is as it was, or its rollback was tried"),
    ("open-only-when-healthy", "traffic is not let to a target whose last check failed"),
    ("backup-before-destroying", "a protected target is destroyed only after a verified backup in the same run"),
    ("told", "somebody was told of every run that fails after it has changed something"),
    (
        "no-destruction-after-a-failed-check",
        "nothing is destroyed after a check of a backup or of a configuration failed",
    ),
    ("ends", "no path goes on for ever"),
];

/// What no path may do.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Invariant {
    /// Its name: `told`.
    pub name: Arc<str>,
    /// What it says.
    pub summary: Arc<str>,
}

impl Invariant {
    /// Those that Lifeboat brings, in the order of [`INVARIANTS`].
    pub fn built_in() -> impl Iterator<Item = Self> {
        INVARIANTS.iter().map(|(name, summary)| Self { name: (*name).into(), summary: (*summary).into() })
    }
}

/// What an exploration has found.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Exploration {
    /// The version of this format.
    pub format: u32,
    /// The runbook's path, relative to the project where it can be.
    pub runbook: String,
    /// What it says of itself.
    pub title: String,
    /// The environment's name.
    pub environment: String,
    /// Whether that is protected.
    pub protected: bool,
    /// The values of its parameters.
    pub params: Value,
    /// What was pinned.
    pub assumptions: Vec<String>,
    /// The run whose ways on these are, and where it stands; none where every path of the runbook was to be walked.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub run: Option<Stand>,
    /// How many failures a path may meet; none for as many as there are. What a run has met already does not count.
    pub faults: Option<usize>,
    /// How many paths there are, by how they end.
    pub paths: PathCounts,
    /// Why this is not all of them; empty when it is.
    pub bounds: Vec<Bound>,
    /// Which calls of the runbook stand on a path.
    pub coverage: Coverage,
    /// The invariants that no path may break: those that Lifeboat brings, then the team's own.
    pub invariants: Vec<Invariant>,
    /// Invariants that some path breaks, in their order.
    pub violations: Vec<Violated>,
    /// Paths that end at a mistake in the runbook, and those that cannot be followed: one for each place.
    pub stuck: Vec<Stuck>,
    /// How long it took, in milliseconds.
    pub took_ms: u64,
    /// The tree of all paths, if it was asked for.
    #[serde(skip)]
    pub tree: Option<PathTree>,
    /// What of each file is walked, the runbook first, if the tree was asked for.
    #[serde(skip)]
    pub files: Vec<WalkedFile>,
}

/// Paths, by how they end.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct PathCounts {
    /// All of them.
    pub all: u64,
    /// The runbook comes to its end.
    pub well: u64,
    /// It fails or is cancelled, and nothing is left changed.
    pub restored: u64,
    /// It fails or is cancelled, and something is left changed.
    pub left_changed: u64,
    /// It ends at a mistake in the runbook.
    pub mistaken: u64,
    /// It ends in doubt: nobody can tell whether a change took place, and a person must look.
    pub in_doubt: u64,
    /// It depends on something that nobody knows.
    pub open: u64,
}

/// Why there are paths that were not walked.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case", tag = "bound")]
pub enum Bound {
    /// There are some that meet more failures.
    Faults {
        /// Than so many.
        at_most: usize,
    },
    /// There were more than were to be walked.
    Paths {
        /// So many.
        at_most: u64,
    },
    /// There was no more time.
    Time {
        /// In seconds.
        seconds: u64,
    },
    /// Somebody stopped it.
    Cancelled,
    /// A line that is met often on one path takes only its likely way then.
    Repeated {
        /// The lines.
        sites: Vec<Site>,
    },
}

/// What of a runbook's own file is walked on at least one path.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Coverage {
    /// How many calls there are.
    pub calls: usize,
    /// How many stand on a path.
    pub reached: usize,
    /// The others.
    pub missed: Vec<MissedCall>,
    /// In how many ways those calls can end: their cases, and being cancelled or in doubt where they can be.
    pub cases: usize,
    /// How many of these ways some path takes.
    pub cases_walked: usize,
    /// The others, of the calls that stand on a path.
    pub missed_cases: Vec<MissedCase>,
    /// How many steps have a rollback.
    pub rollbacks: usize,
    /// How many of the rollbacks run on some path.
    pub rollbacks_run: usize,
    /// The others.
    pub missed_rollbacks: Vec<MissedRollback>,
}

/// A call that stands on no path.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct MissedCall {
    /// Where.
    pub site: Site,
    /// The primitive.
    pub primitive: String,
}

/// A way in which a call can end, and that no path takes.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct MissedCase {
    /// Where.
    pub site: Site,
    /// The primitive.
    pub primitive: String,
    /// The case.
    pub case: String,
}

/// A rollback that runs on no path.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct MissedRollback {
    /// Where its step stands.
    pub site: Site,
    /// The title of that step.
    pub title: String,
}

/// An invariant that some path breaks.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Violated {
    /// Its name.
    pub invariant: Arc<str>,
    /// What it says.
    pub summary: Arc<str>,
    /// The reason that the runbook gives for breaking it, if it does.
    pub waived: Option<String>,
    /// On how many paths.
    pub paths: u64,
    /// In which way the shortest of them breaks it.
    pub why: String,
    /// That path.
    pub story: Vec<StoryLine>,
    /// How that path ends.
    pub ends: String,
}

/// Paths that come to no end.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Stuck {
    /// Whether it is a mistake in the runbook; otherwise something that nobody knows before the run.
    pub mistake: bool,
    /// On how many paths.
    pub paths: u64,
    /// What is wrong, or not known.
    pub why: String,
    /// Where.
    pub site: Option<Site>,
    /// What to do.
    pub hint: Option<String>,
    /// The shortest of them.
    pub story: Vec<StoryLine>,
}

/// One line of a path.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct StoryLine {
    /// Where it stands in the runbook.
    pub site: Site,
    /// What happens.
    pub text: String,
    /// Whether it is not what one would hope for.
    pub odd: bool,
    /// Whether the invariant is broken here.
    pub broken: bool,
}

impl Exploration {
    /// The version of its JSON.
    pub const FORMAT: u32 = 1;

    /// Whether every path keeps every invariant that is not waived, and comes to an end; and none was left out for want of time or
    /// because there were too many.
    pub fn is_sound(&self) -> bool {
        let broken = self.violations.iter().any(|violated| violated.waived.is_none());
        self.stuck.is_empty() && !broken && !self.is_cut_short()
    }

    /// Whether it ended before all paths were walked that it was to walk.
    pub fn is_cut_short(&self) -> bool {
        let cuts = |bound: &Bound| !matches!(bound, Bound::Faults { .. } | Bound::Repeated { .. });
        self.bounds.iter().any(cuts)
    }
}
