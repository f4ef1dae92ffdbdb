//! What is held against runs in all.

use std::fmt::Write as _;

use crate::case::{Case, Ends};

/// All cases on one page: each of them is a test of its own, which fails where its plan says anything else or anything of it is not true.
pub(crate) fn table(cases: &[Case]) -> String {
    let mut page = String::new();
    let mut row = |name: &str, figure: usize| {
        let _ = writeln!(page, "{name:<40}{figure:>6}");
    };
    let ending = |is: fn(Ends) -> bool| cases.iter().filter(|case| is(case.ends)).count();
    row("plans, each really run", cases.len());
    row("  completes as planned", ending(|ends| ends == Ends::Completes));
    row("  fails at the planned call", ending(|ends| matches!(ends, Ends::Fails(_))));
    row("  goes on where the plan is open", ending(|ends| matches!(ends, Ends::Open(_))));
    row("  leaves it where it only assumed", ending(|ends| matches!(ends, Ends::Leaves(_))));
    row("  and is rolled back afterwards", cases.iter().filter(|case| case.undone).count());
    let lines: Vec<&str> = cases.iter().flat_map(Case::compared).copied().collect();
    row("lines, each held against its call", lines.len());
    for basis in ["observed", "predicted", "assumed", "pinned"] {
        row(&format!("  {basis}"), lines.iter().filter(|line| line.starts_with(basis)).count());
    }
    page
}
