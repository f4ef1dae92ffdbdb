//! What a branch does to the runbooks of a project: each that it changes, judged before and after.

use serde::Serialize;

use super::{CallDiff, Exploration, ImpactKind, Plan, PlanDiff, PlanVerdict, Site, Violated};

/// What a branch does to the runbooks of a project.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Review {
    /// The version of this format.
    pub format: u32,
    /// What the branch is to go into; configuration and policy are taken from there.
    pub base: Reviewed,
    /// The branch.
    pub head: Reviewed,
    /// The commit at which both parted: what the branch's runbooks are compared with.
    pub fork: String,
    /// The environment's name.
    pub environment: String,
    /// Whether that is protected.
    pub protected: bool,
    /// The runbooks that the branch changes, those that need a look first.
    pub runbooks: Vec<RunbookReview>,
    /// How many runbooks it leaves as they were.
    pub untouched: usize,
    /// What it changes in the configuration, each with what it was and what it is. None of it counts here.
    pub configuration: Vec<ConfigChange>,
    /// The files of the policy that it changes. None of it counts here.
    pub policies: Vec<String>,
    /// The other files of the project that it changes: nothing is said of them.
    pub others: Vec<String>,
}

/// A commit, as it was named.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Reviewed {
    /// `main`.
    pub name: String,
    /// Its id.
    pub commit: String,
}

/// A key of the configuration that a branch changes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct ConfigChange {
    /// `environments.production.protected`.
    pub key: String,
    /// What it was; none where it is new.
    pub before: Option<String>,
    /// What it is; none where it is gone.
    pub after: Option<String>,
    /// Whether it decides what is allowed or what is started, rather than what a target is.
    pub grave: bool,
}

/// A runbook that a branch changes.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct RunbookReview {
    /// Its path from the project's directory.
    pub runbook: String,
    /// What it says of itself.
    pub title: String,
    /// What became of it.
    pub change: RunbookChange,
    /// What the check finds in it.
    pub findings: Vec<ReviewFinding>,
    /// Its plans: as it is called, and under each of its scenarios.
    pub plans: Vec<ReviewedPlan>,
    /// Every path of it.
    pub exploration: Option<Exploration>,
    /// Every path of it as it was.
    pub before: Option<Exploration>,
}

/// What became of a runbook.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum RunbookChange {
    /// It is new.
    Added,
    /// Its file is changed.
    Changed,
    /// Its file is moved, from there.
    Moved(String),
    /// Files that it uses are changed.
    Through(Vec<String>),
    /// It is gone.
    Removed,
}

/// What the check finds.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct ReviewFinding {
    /// Whether it is an error; otherwise a warning.
    pub error: bool,
    /// A stable name of the kind of finding.
    pub code: String,
    /// What is wrong.
    pub message: String,
    /// Where.
    pub site: Option<Site>,
    /// What to do.
    pub help: Option<String>,
    /// Whether it was there before.
    pub known: bool,
}

/// A plan of a runbook, for which nothing was looked at.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct ReviewedPlan {
    /// The scenario; none for the runbook as it is called.
    pub scenario: Option<String>,
    /// The plan.
    pub plan: Plan,
    /// How it differs from the one before; none where there was none.
    pub diff: Option<PlanDiff>,
}

/// How much of a look a runbook needs, the most urgent first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Urgency {
    /// It has errors.
    Errors,
    /// A path breaks an invariant or ends at a mistake, which none did before.
    Unsafe,
    /// It destroys more, fails worse, or waives what it did not waive; a reader decides.
    Look,
    /// Something differs.
    Differs,
    /// Nothing that is compared differs.
    Alike,
}

impl Review {
    /// The version of its JSON.
    pub const FORMAT: u32 = 1;

    /// The most urgent of all runbooks.
    pub fn urgency(&self) -> Urgency {
        self.runbooks.iter().map(RunbookReview::urgency).min().unwrap_or(Urgency::Alike)
    }

    /// How many runbooks need so much of a look, or more.
    pub fn urgent(&self, at_least: Urgency) -> usize {
        self.runbooks.iter().filter(|runbook| runbook.urgency() <= at_least).count()
    }
}

impl RunbookReview {
    /// How much of a look it needs.
    pub fn urgency(&self) -> Urgency {
        if self.findings.iter().any(|finding| finding.error) {
            Urgency::Errors
        } else if !self.new_violations().is_empty() || self.new_dead_ends() > 0 {
            Urgency::Unsafe
        } else if self.needs_a_reader() {
            Urgency::Look
        } else if self.change == RunbookChange::Removed || self.differs() {
            Urgency::Differs
        } else {
            Urgency::Alike
        }
    }

    /// The names of the invariants that a path breaks, and none did before.
    pub fn new_violations(&self) -> Vec<&str> {
        fn unwaived(exploration: &Exploration) -> Vec<&str> {
            let broken = exploration.violations.iter().filter(|violated| violated.waived.is_none());
            broken.map(|violated| &*violated.invariant).collect()
        }
        let before = self.before.as_ref().map(unwaived).unwrap_or_default();
        let mut broken = self.exploration.as_ref().map(unwaived).unwrap_or_default();
        broken.retain(|invariant| !before.contains(invariant));
        broken
    }

    /// The invariants that it waives and did not waive, each with its reason.
    pub fn new_waivers(&self) -> Vec<(&str, &str)> {
        fn waived(exploration: &Exploration) -> impl Iterator<Item = (&str, &str)> {
            exploration.violations.iter().filter_map(|one| Some((&*one.invariant, one.waived.as_deref()?)))
        }
        let known = |name: &str| self.before.iter().flat_map(waived).any(|(waived, _)| waived == name);
        self.exploration.iter().flat_map(waived).filter(|(name, _)| !known(name)).collect()
    }

    /// How many more places there are at which paths end at a mistake, or cannot be followed.
    pub fn new_dead_ends(&self) -> usize {
        let known = |why: &str| self.before.iter().flat_map(|before| &before.stuck).any(|old| old.why == why);
        self.exploration.iter().flat_map(|found| &found.stuck).filter(|stuck| !known(&stuck.why)).count()
    }

    /// How many calls that destroy are new or made otherwise; how many failures end worse.
    pub fn graver(&self) -> (usize, usize) {
        let of = |plan: &ReviewedPlan| {
            let Some(diff) = &plan.diff else {
                let lines = plan.plan.lines();
                return (lines.iter().filter(|line| line.impact.kind == ImpactKind::Destroy).count(), 0);
            };
            let destroys = diff.calls.iter().filter(|call| call.destroys()).count();
            (destroys, diff.failures.iter().filter(|failure| failure.worse).count())
        };
        self.plans.iter().map(of).fold((0, 0), |most, of| (most.0.max(of.0), most.1.max(of.1)))
    }

    /// Whether not all of its paths were walked, so that nobody knows what they break.
    pub fn is_cut_short(&self) -> bool {
        self.exploration.as_ref().is_some_and(Exploration::is_cut_short)
    }

    /// The invariants that were broken before, or waived, and are broken in another way or on more paths now.
    pub fn broken_otherwise(&self) -> Vec<&str> {
        let Some((now, before)) = self.exploration.as_ref().zip(self.before.as_ref()) else { return Vec::new() };
        if now.is_cut_short() || before.is_cut_short() {
            return Vec::new();
        }
        let new = self.new_violations();
        let same = |one: &&Violated, old: &&Violated| old.invariant == one.invariant;
        let otherwise = |one: &Violated| {
            before
                .violations
                .iter()
                .find(|old| same(&one, old))
                .is_some_and(|old| one.why != old.why || one.paths > old.paths)
        };
        let names = now.violations.iter().filter(|one| otherwise(one)).map(|one| &*one.invariant);
        names.filter(|name| !new.contains(name)).collect()
    }

    fn needs_a_reader(&self) -> bool {
        let (destroys, worse) = self.graver();
        let ends_otherwise = |plan: &ReviewedPlan| plan.diff.as_ref().is_some_and(|diff| diff.ends.is_some());
        let weakens =
            |plan: &ReviewedPlan| plan.diff.iter().flat_map(|diff| &diff.calls).any(CallDiff::weakens_rollback);
        let weaker = self.plans.iter().any(weakens) || !self.broken_otherwise().is_empty();
        let never_completes = self.before.is_none() && !self.plans.iter().any(ReviewedPlan::completes);
        let ends = self.plans.iter().any(ends_otherwise) || (never_completes && !self.plans.is_empty());
        destroys > 0 || worse > 0 || !self.new_waivers().is_empty() || ends || weaker || self.is_cut_short()
    }

    fn differs(&self) -> bool {
        let differs = |plan: &ReviewedPlan| plan.diff.as_ref().is_none_or(|diff| !diff.is_empty());
        // How far one comes in a given time says nothing of what is there.
        let whole = |found: &&Exploration| !found.is_cut_short();
        let counts = |exploration: &Option<Exploration>| exploration.as_ref().filter(whole).map(|found| found.paths);
        self.plans.iter().any(differs) || counts(&self.exploration) != counts(&self.before)
    }
}

impl ReviewedPlan {
    /// Whether it comes to the end of the runbook.
    pub fn completes(&self) -> bool {
        self.plan.verdict == PlanVerdict::Completes
    }
}
