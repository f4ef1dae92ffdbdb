//! How a plan ends, in the words that every form of it uses.

use crate::cli::printer::Style;
use crate::model::{Basis, Plan, PlanVerdict, Symbol};

/// How it ends: `completes`, and how that is painted.
pub(super) fn ends(plan: &Plan) -> (Style, &'static str) {
    match &plan.verdict {
        PlanVerdict::Completes => (Style::Good, "completes"),
        PlanVerdict::Fails { .. } => (Style::Bad, "would fail"),
        PlanVerdict::Stops { .. } => (Style::Caution, "cannot be planned to its end"),
    }
}

/// A mark for how it ends.
pub(super) fn mark(plan: &Plan) -> char {
    match &plan.verdict {
        PlanVerdict::Completes => '✓',
        PlanVerdict::Fails { .. } => '✗',
        PlanVerdict::Stops { .. } => '?',
    }
}

/// `3 changes, 1 of them destructive`.
pub(super) fn changes(plan: &Plan) -> String {
    let destroys = plan.lines().iter().filter(|line| line.symbol == Symbol::Destroy).count();
    match (plan.changes(), destroys) {
        (0, _) => "no changes".to_owned(),
        (n, 0) => plural(n, "change"),
        (n, d) => format!("{}, {d} of them destructive", plural(n, "change")),
    }
}

/// `2 lines observed, 7 lines assumed`.
pub(super) fn known(plan: &Plan) -> String {
    let lines = plan.lines();
    let count = |basis: Basis| plural(lines.iter().filter(|line| line.basis == basis).count(), "line");
    format!("{} observed, {} assumed", count(Basis::Observed), count(Basis::Assumed))
}

/// Why it does not come to its end, and what can be done about it.
pub(super) struct Why {
    /// Why, with the place.
    pub(super) why: String,
    /// What to do: none, or more than one.
    pub(super) help: Vec<String>,
}

/// Why a plan does not come to its end; none where it does.
pub(super) fn why(plan: &Plan) -> Option<Why> {
    let at = |why: &str, site: Option<String>| match site {
        Some(site) => format!("{why} ({site})"),
        None => why.to_owned(),
    };
    let help = |hint: &Option<String>| hint.iter().map(|hint| format!("help: {hint}")).collect::<Vec<_>>();
    match &plan.verdict {
        PlanVerdict::Completes => None,
        PlanVerdict::Fails { fault } => {
            let mut help = help(&fault.hint);
            // Where it fails because of what was observed, the reader may want to see it as it is meant.
            let scenarios = plan.scenarios.iter().filter(|_| plan.assumptions.is_empty());
            help.extend(scenarios.map(|scenario| format!("as it is meant: --scenario '{scenario}'")));
            Some(Why { why: at(&fault.message, fault.site.as_ref().map(ToString::to_string)), help })
        }
        PlanVerdict::Stops { why, site, hint } => {
            Some(Why { why: at(why, site.as_ref().map(ToString::to_string)), help: help(hint) })
        }
    }
}

/// How many ways were not walked, where that is so.
pub(super) fn left_out(plan: &Plan) -> Option<String> {
    let count = plan.failures_left_out;
    (count > 0).then(|| format!("{count} more ways were not walked: `lifeboat explore` does"))
}

/// `1 change`, `2 changes`.
pub(super) fn plural(n: usize, what: &str) -> String {
    if n == 1 { format!("1 {what}") } else { format!("{n} {what}s") }
}
