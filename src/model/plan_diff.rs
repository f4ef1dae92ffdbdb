//! How two plans differ: calls, steps, and what happens when a call fails. What destroys comes first.

use std::collections::BTreeMap;

use serde::Serialize;

use super::plan_align::{Flat, align, flat};
use super::{FailureEnd, ImpactKind, Plan, PlanFailure, PlanVerdict, Site, Symbol};

/// How two plans differ.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct PlanDiff {
    /// The version of this format.
    pub format: u32,
    /// The runbook: the newer plan's.
    pub runbook: String,
    /// Everything that is compared and is no call: environment, parameters, what is pinned, steps; each with what it was and is.
    pub besides: Vec<String>,
    /// How each ends, where they do not end alike.
    pub ends: Option<(String, String)>,
    /// Why what follows is not compared, where both end early and alike.
    pub cut_short: Option<String>,
    /// The calls that are not alike: what destroys first, then what changes, then the rest; each in the order of the runbook.
    pub calls: Vec<CallDiff>,
    /// The ways of failing that are not alike: those that got worse first, each in the order of the runbook.
    pub failures: Vec<FailureDiff>,
}

/// A call that two plans do not have alike.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct CallDiff {
    /// What became of it.
    pub change: CallChange,
    /// The primitive.
    pub primitive: String,
    /// What it is about.
    pub targets: Vec<String>,
    /// What it does; the more serious of both.
    pub kind: ImpactKind,
    /// What it does, in one line: as the newer plan has it, where it does.
    pub summary: String,
    /// Whether it stands in a rollback.
    pub in_rollback: bool,
    /// The title of the step around it.
    pub step: Option<String>,
    /// Its place in the older plan's runbook.
    pub before: Option<Site>,
    /// Its place in the newer plan's runbook.
    pub after: Option<Site>,
    /// What of it is not alike: each with what it was and what it is.
    pub what: Vec<String>,
}

/// What became of a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum CallChange {
    /// It is new.
    Added,
    /// It is gone.
    Removed,
    /// It is made with other arguments, or does something else.
    Changed,
    /// It comes earlier or later.
    Moved,
}

/// A way of failing that two plans do not have alike.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct FailureDiff {
    /// The call: its primitive and targets.
    pub call: String,
    /// In which way it ends.
    pub way: String,
    /// Its place: in the newer plan's runbook, if it is there.
    pub site: Site,
    /// How the run ended then; none where that could not happen.
    pub before: Option<FailureEnd>,
    /// How it ends now; none where that cannot happen any more.
    pub after: Option<FailureEnd>,
    /// What is not alike: what is left changed, who is told, what is rolled back.
    pub what: Vec<String>,
    /// Whether it ends worse than it did: more is left, fewer are told, less is rolled back.
    pub worse: bool,
}

impl PlanDiff {
    /// The version of its JSON.
    pub const FORMAT: u32 = 1;

    /// Whether the plans are alike in everything that is compared.
    pub fn is_empty(&self) -> bool {
        self.besides.is_empty() && self.ends.is_none() && self.calls.is_empty() && self.failures.is_empty()
    }

    /// How many calls became this.
    pub fn count(&self, change: CallChange) -> usize {
        self.calls.iter().filter(|call| call.change == change).count()
    }
}

impl CallDiff {
    /// Whether less may be restored than was: a rollback does not make a change any more, or another one. Nobody can tell from the calls
    /// alone that it still restores what it is to restore.
    pub fn weakens_rollback(&self) -> bool {
        self.in_rollback && self.kind.is_change() && matches!(self.change, CallChange::Removed | CallChange::Changed)
    }

    /// Whether it destroys something that it did not destroy, or not in this way.
    pub fn destroys(&self) -> bool {
        self.kind == ImpactKind::Destroy && self.change != CallChange::Removed
    }
}

impl Plan {
    /// How a later plan, `now`, differs from this one. Places may differ, and what was looked up.
    pub fn diff(&self, now: &Plan) -> PlanDiff {
        let (before, after) = (flat(self), flat(now));
        let pairs = align(&before, &after);
        let mut calls: Vec<CallDiff> = Vec::new();
        let mut aligned = Vec::new();
        for pair in &pairs {
            let (was, is) = (pair.before.map(|n| &before[n]), pair.after.map(|n| &after[n]));
            calls.extend(call(was, is, pair.moved));
            aligned.push((was, is));
        }
        calls.sort_by_key(|call| weight(call.kind));
        let mut failures = failures((self, now), &aligned);
        failures.sort_by_key(|failure| (!failure.worse, failure.after.is_none()));
        let (was, is) = (told(self), told(now));
        let mut besides = besides(self, now);
        besides.extend(steps(&aligned));
        PlanDiff {
            format: PlanDiff::FORMAT,
            runbook: now.runbook.clone(),
            besides,
            ends: (was != is).then(|| (was, is.clone())),
            cut_short: (self.verdict != PlanVerdict::Completes && now.verdict != PlanVerdict::Completes).then_some(is),
            calls,
            failures,
        }
    }
}

fn weight(kind: ImpactKind) -> u8 {
    match kind {
        ImpactKind::Destroy => 0,
        ImpactKind::Change => 1,
        ImpactKind::Ask => 2,
        ImpactKind::Tell => 3,
        ImpactKind::Look | ImpactKind::Wait | ImpactKind::Mark => 4,
    }
}

fn besides(before: &Plan, after: &Plan) -> Vec<String> {
    let mut found = Vec::new();
    let mut differs = |what: &str, was: String, is: String| {
        if was != is {
            found.push(format!("{what} was {was}, and is {is}"));
        }
    };
    let protected = |plan: &Plan| if plan.protected { "protected" } else { "not protected" }.to_owned();
    differs("the environment", before.environment.clone(), after.environment.clone());
    differs("the environment", protected(before), protected(after));
    let pinned =
        |plan: &Plan| if plan.assumptions.is_empty() { "nothing".to_owned() } else { plan.assumptions.join(", ") };
    differs("what is pinned", pinned(before), pinned(after));
    let rto = |plan: &Plan| plan.rto.map_or_else(|| "not said".to_owned(), |rto| rto.to_string());
    differs("the RTO", rto(before), rto(after));
    found.extend(before.params.differing_arguments(&after.params).into_iter().map(|what| format!("parameter {what}")));
    found
}

fn told(plan: &Plan) -> String {
    match &plan.verdict {
        PlanVerdict::Completes => "completes".to_owned(),
        PlanVerdict::Fails { fault } => format!("would fail: {}", fault.message),
        PlanVerdict::Stops { why, .. } => format!("cannot be planned to its end: {why}"),
    }
}

fn call(was: Option<&Flat>, is: Option<&Flat>, moved: bool) -> Option<CallDiff> {
    let shown = is.or(was)?;
    let what = match (was, is) {
        (Some(was), Some(is)) => differences(was, is),
        _ => Vec::new(),
    };
    let change = match (was, is) {
        (None, _) => CallChange::Added,
        (_, None) => CallChange::Removed,
        _ if moved => CallChange::Moved,
        _ if what.is_empty() => return None,
        _ => CallChange::Changed,
    };
    let kind = |flat: &&Flat| flat.line.impact.kind;
    let kinds = was.iter().map(kind).chain(is.iter().map(kind));
    Some(CallDiff {
        change,
        primitive: shown.line.primitive.clone(),
        targets: shown.line.impact.targets.clone(),
        kind: kinds.min_by_key(|kind| weight(*kind))?,
        summary: shown.line.summary.clone(),
        in_rollback: shown.in_rollback,
        step: shown.step.map(|(title, _)| title.to_owned()),
        before: was.map(|flat| flat.line.site.clone()),
        after: is.map(|flat| flat.line.site.clone()),
        what,
    })
}

fn differences(was: &Flat, is: &Flat) -> Vec<String> {
    let (was, is) = (was.line, is.line);
    let mut what = was.args.differing_arguments(&is.args);
    if was.impact.kind != is.impact.kind {
        what.push(format!("{}, and {} now", does(was.impact.kind), does(is.impact.kind)));
    }
    what.extend(is.inputs.iter().filter_map(|(file, digest)| match was.inputs.get(file) {
        None => Some(format!("{file} is new")),
        Some(before) => (before != digest).then(|| format!("{file} has changed")),
    }));
    what.extend(was.inputs.keys().filter(|file| !is.inputs.contains_key(*file)).map(|file| format!("{file} is gone")));
    match (was.symbol == Symbol::Nothing, is.symbol == Symbol::Nothing) {
        (false, true) => what.push("changed something, and would change nothing now".to_owned()),
        (true, false) => what.push("would have changed nothing, and changes something now".to_owned()),
        _ => {}
    }
    what
}

fn does(kind: ImpactKind) -> &'static str {
    match kind {
        ImpactKind::Look => "looks",
        ImpactKind::Change => "changes what can be undone",
        ImpactKind::Destroy => "destroys",
        ImpactKind::Tell => "tells",
        ImpactKind::Ask => "asks",
        ImpactKind::Wait => "waits",
        ImpactKind::Mark => "marks",
    }
}

/// What became of the steps around calls that both have.
fn steps(aligned: &[(Option<&Flat>, Option<&Flat>)]) -> Vec<String> {
    let mut found: Vec<String> = Vec::new();
    for (was, is) in aligned.iter().filter_map(|(was, is)| Some(((*was)?, (*is)?))) {
        let told = match (was.step, is.step) {
            (Some((before, true)), Some((after, false))) if before == after => {
                format!("step \"{after}\" has no rollback any more")
            }
            (Some((before, false)), Some((after, true))) if before == after => {
                format!("step \"{after}\" has a rollback now")
            }
            (Some((before, undone)), Some((after, still))) if before != after => {
                let lost = if undone && !still { ", which has no rollback" } else { "" };
                format!("step \"{before}\" is \"{after}\" now{lost}")
            }
            (Some((before, undone)), None) => {
                let lost = if undone { ", and is not rolled back" } else { "" };
                format!("{} was in step \"{before}\", and is in none now{lost}", named(was))
            }
            (None, Some((after, _))) => format!("{} was in no step, and is in step \"{after}\" now", named(is)),
            _ => continue,
        };
        if !found.contains(&told) {
            found.push(told);
        }
    }
    found
}

fn named(flat: &Flat) -> String {
    let targets = flat.line.impact.targets.join(", ");
    let gap = if targets.is_empty() { "" } else { " " };
    format!("{}{gap}{targets}", flat.line.primitive)
}

fn failures((before, after): (&Plan, &Plan), aligned: &[(Option<&Flat>, Option<&Flat>)]) -> Vec<FailureDiff> {
    fn by_way<'a>(plan: &'a Plan, flat: Option<&Flat>) -> BTreeMap<&'a str, &'a PlanFailure> {
        let of = |failure: &&PlanFailure| flat.is_some_and(|flat| flat.line.key == failure.key && !flat.in_rollback);
        plan.failures.iter().filter(of).map(|failure| (failure.way.as_str(), failure)).collect()
    }
    let mut found = Vec::new();
    for (was, is) in aligned {
        let Some(shown) = is.or(*was) else { continue };
        let (old, new) = (by_way(before, *was), by_way(after, *is));
        let mut ways: Vec<&str> = new.keys().chain(old.keys()).copied().collect();
        ways.sort_unstable();
        ways.dedup();
        for way in ways {
            let (old, new) = (old.get(way).copied(), new.get(way).copied());
            let Some((what, worse)) = ending(old, new, shown.line.impact.kind) else { continue };
            found.push(FailureDiff {
                call: named(shown),
                way: way.to_owned(),
                site: shown.line.site.clone(),
                before: old.map(|failure| failure.ends),
                after: new.map(|failure| failure.ends),
                what,
                worse,
            });
        }
    }
    found
}

/// What is not alike when a call fails before and after, and whether that is worse; nothing where it is alike, or where a look that
/// finds something else made and makes no difference.
fn ending(old: Option<&PlanFailure>, new: Option<&PlanFailure>, kind: ImpactKind) -> Option<(Vec<String>, bool)> {
    let idle = |failure: Option<&PlanFailure>| failure.is_none_or(|failure| failure.ends == FailureEnd::Completes);
    if kind == ImpactKind::Look && idle(old) && idle(new) {
        return None;
    }
    let (Some(old), Some(new)) = (old, new) else {
        let bad = |failure: &PlanFailure| badness(failure.ends) >= badness(FailureEnd::LeftChanged);
        return Some((left(new.or(old)?), new.is_some_and(bad)));
    };
    let mut what = Vec::new();
    let mut worse = badness(new.ends) > badness(old.ends);
    let (was, is) = (bare(&old.left), bare(&new.left));
    for call in is.iter().filter(|call| !was.contains(call)) {
        what.push(format!("leaves changed: {call}"));
        worse = true;
    }
    what.extend(was.iter().filter(|call| !is.contains(call)).map(|call| format!("no longer leaves changed: {call}")));
    let lost = |was: &[String], is: &[String]| was.iter().filter(|one| !is.contains(one)).cloned().collect::<Vec<_>>();
    let (silent, told) = (lost(&old.told, &new.told), lost(&new.told, &old.told));
    worse |= silent.len() > told.len();
    what.extend((!silent.is_empty()).then(|| format!("no longer tells: {}", silent.join(", "))));
    what.extend((!told.is_empty()).then(|| format!("tells: {}", told.join(", "))));
    if old.ends == new.ends && what.is_empty() {
        // A rollback more or less that leaves everything as it was left before is nothing to look at.
        return None;
    }
    let (gone, come) = (lost(&old.rolled_back, &new.rolled_back), lost(&new.rolled_back, &old.rolled_back));
    what.extend((!gone.is_empty()).then(|| format!("no longer rolls back: {}", gone.join(", "))));
    what.extend((!come.is_empty()).then(|| format!("rolls back: {}", come.join(", "))));
    Some((what, worse))
}

fn left(failure: &PlanFailure) -> Vec<String> {
    if failure.left.is_empty() { vec![] } else { vec![format!("leaves changed: {}", bare(&failure.left).join(", "))] }
}

/// Without the lines, which move.
fn bare(calls: &[String]) -> Vec<String> {
    calls.iter().map(|call| call.rsplit_once(" (line ").map_or(call.as_str(), |(call, _)| call).to_owned()).collect()
}

/// How badly it ends: what is worse is larger.
fn badness(end: FailureEnd) -> u8 {
    match end {
        FailureEnd::Completes => 0,
        FailureEnd::Restored => 1,
        FailureEnd::LeftChanged => 2,
        FailureEnd::InDoubt => 3,
        FailureEnd::Open => 4,
        FailureEnd::Mistaken => 5,
    }
}
