//! What every form of an exploration says in the same words.

use crate::model::{Bound, Coverage, Exploration, PathTree, Site, TreeNode, count_ways};

use super::ends::{grouped, paths};

/// The title of the runbook, or its name where it has none.
pub(super) fn title(exploration: &Exploration) -> String {
    let title = if exploration.title.is_empty() { &exploration.runbook } else { &exploration.title };
    match &exploration.run {
        Some(run) => format!("{title} (run {})", run.id),
        None => title.clone(),
    }
}

/// What stands above everything that a run has met, in a picture.
pub(super) const SO_FAR: &str = "so far:";

/// What stands above the call at which a run is, in a picture.
pub(super) fn here(tree: &PathTree) -> String {
    let ways = tree.nodes.get(tree.root).map_or(0, TreeNode::paths);
    format!("▶ here: {}", count_ways(ways, tree.bad()))
}

/// One sentence: how many paths, how many end badly, and what they break.
pub(super) fn summary(exploration: &Exploration) -> String {
    let counts = &exploration.paths;
    let all = match (&exploration.run, counts.all) {
        (None, all) => paths(all),
        (Some(_), 1) => "1 way on".to_owned(),
        (Some(_), all) => format!("{} ways on", grouped(all)),
    };
    let mut parts = vec![format!("{all}: {} to the end", grouped(counts.well))];
    let others = [
        (counts.restored, "nothing left changed"),
        (counts.left_changed, "left changed"),
        (counts.in_doubt, "in doubt"),
        (counts.mistaken, "at a mistake"),
        (counts.open, "not followed to an end"),
    ];
    parts.extend(
        others.iter().filter(|(count, _)| *count > 0).map(|(count, what)| format!("{} {what}", grouped(*count))),
    );
    let broken: Vec<&str> =
        exploration.violations.iter().filter(|v| v.waived.is_none()).map(|violated| &*violated.invariant).collect();
    if broken.is_empty() {
        parts.push("no invariant broken".to_owned());
    } else {
        parts.push(format!("BROKEN: {}", broken.join(", ")));
    }
    if exploration.is_cut_short() {
        parts.push("NOT ALL WALKED".to_owned());
    }
    parts.join(", ")
}

/// What of the runbook is walked, in one line.
pub(super) fn coverage(coverage: &Coverage) -> String {
    let calls = format!("{} of {} calls", coverage.reached, coverage.calls);
    let cases = format!("{} of {} ways in which they can end", coverage.cases_walked, coverage.cases);
    let rollbacks = match coverage.rollbacks {
        0 => String::new(),
        all => format!(", {} of {all} rollbacks", coverage.rollbacks_run),
    };
    format!("walked: {calls}, {cases}{rollbacks}")
}

/// The ways that no path takes, of the calls that stand on one: one line for each call.
pub(super) fn missed_ways(coverage: &Coverage) -> Vec<String> {
    let calls = coverage.missed_cases.chunk_by(|one, other| one.site == other.site);
    let told = calls.filter_map(|ways| {
        let call = ways.first()?;
        let names: Vec<&str> = ways.iter().map(|way| way.case.as_str()).collect();
        Some(format!("{} at {}: {}", call.primitive, place(&call.site), names.join(", ")))
    });
    told.collect()
}

/// Why there are paths that were not walked.
pub(super) fn bound(bound: &Bound) -> String {
    match bound {
        Bound::Faults { at_most } => {
            format!("not walked: paths that meet more than {at_most} failures (--faults {} or all)", at_most + 1)
        }
        Bound::Paths { at_most } => {
            format!("NOT ALL WALKED: there are more than {} paths (--paths)", grouped(*at_most))
        }
        Bound::Time { seconds } => format!("NOT ALL WALKED: the time was over after {seconds} s (--time)"),
        Bound::Cancelled => "NOT ALL WALKED: it was stopped".to_owned(),
        Bound::Repeated { sites } => {
            format!("met more than 3 times on one path, then only its likely way: {}", places(sites))
        }
    }
}

/// `runbooks/restore.rhai:14`.
pub(super) fn place(site: &Site) -> String {
    format!("{}:{}", site.file, site.line)
}

fn places(sites: &[Site]) -> String {
    sites.iter().map(place).collect::<Vec<_>>().join(", ")
}
