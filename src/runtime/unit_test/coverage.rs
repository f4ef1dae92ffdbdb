//! What tests have met of the runbooks that they played: calls, the ways in which those can end, rollbacks.

use std::collections::BTreeMap;

use serde::Serialize;

use crate::model::Site;
use crate::script::Outline;
use crate::worlds::Met;

use super::report::coverage_percent;

/// What tests have met of one runbook, in its own file.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct RunbookCoverage {
    /// Its path, relative to the project where it can be.
    pub runbook: String,
    /// How much there is to meet: each way in which a call can end, and each rollback. Of a call that no test reaches those ways
    /// are counted that its literal arguments tell, and one where they tell none.
    pub all: usize,
    /// How much of that was met.
    pub met: usize,
    /// The rest, by place.
    pub missed: Vec<Missed>,
}

/// Something that no test has met.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct Missed {
    /// Where.
    pub site: Site,
    /// What: the primitive, or the title of a step.
    pub what: String,
    /// The ways in which the call has never ended; none where it was never reached.
    pub outcomes: Vec<&'static str>,
    /// Whether it is the rollback of a step.
    pub rollback: bool,
}

impl RunbookCoverage {
    /// What was met of a runbook that has all this.
    pub(super) fn of(runbook: &str, outline: &Outline, met: &BTreeMap<Site, Met>) -> Self {
        let mut coverage = Self { runbook: runbook.to_owned(), all: 0, met: 0, missed: Vec::new() };
        for call in &outline.calls {
            match met.get(&call.site) {
                Some(Met::Call(primitive, ways)) => coverage.call(&call.site, primitive, ways),
                Some(_) => (coverage.all, coverage.met) = (coverage.all + 1, coverage.met + 1),
                None => {
                    coverage.all += call.cases.len().max(1);
                    let (site, what) = (call.site.clone(), call.primitive.to_owned());
                    coverage.missed.push(Missed { site, what, outcomes: Vec::new(), rollback: false });
                }
            }
        }
        for rollback in &outline.rollbacks {
            let run = matches!(met.get(&rollback.site), Some(Met::Rollback(_, true)));
            coverage.all += 1;
            coverage.met += usize::from(run);
            if !run {
                let (site, what) = (rollback.site.clone(), rollback.title.clone());
                coverage.missed.push(Missed { site, what, outcomes: Vec::new(), rollback: true });
            }
        }
        coverage.missed.sort();
        coverage
    }

    fn call(&mut self, site: &Site, primitive: &str, ways: &[(&'static str, bool)]) {
        self.all += ways.len();
        self.met += ways.iter().filter(|(_, met)| *met).count();
        let outcomes: Vec<&str> = ways.iter().filter(|(_, met)| !met).map(|(name, _)| *name).collect();
        if !outcomes.is_empty() {
            let (site, what) = (site.clone(), primitive.to_owned());
            self.missed.push(Missed { site, what, outcomes, rollback: false });
        }
    }

    /// How much of it was met, in per cent, rounded down.
    pub fn percent(&self) -> u8 {
        coverage_percent(self.met, self.all)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::primitives::Registry;
    use crate::script::{Script, outline};

    #[test]
    fn a_way_that_was_taken_counts_and_a_call_that_was_never_reached_has_all_its_ways_missed() {
        let text = "probe(\"web\");\nretry(|| 1);\nconfirm(\"Go?\");\nstep \"Close\" { } rollback { }\n";
        let script = Script::compile("a.rhai", text).expect("compiles");
        let outline = outline(&script, &Registry::standard());
        let site = |line| Site { file: "a.rhai".into(), line, column: 1 };
        let ways = vec![("pass", true), ("fail", false), ("degraded", false)];
        let rollback = Site { column: 6, ..site(4) };
        let met = |run| {
            let elsewhere = Site { file: "std/deploy".into(), line: 9, column: 1 };
            BTreeMap::from([
                (site(1), Met::Call("probe", ways.clone())),
                (site(2), Met::Passed),
                (rollback.clone(), Met::Rollback("Close".to_owned(), run)),
                (elsewhere, Met::Rollback("Deploy".to_owned(), false)),
            ])
        };
        let coverage = RunbookCoverage::of("a.rhai", &outline, &met(false));
        assert_eq!((coverage.met, coverage.all, coverage.percent()), (2, 7, 28));
        let missed: Vec<_> = coverage.missed.iter().map(|m| (m.what.as_str(), m.outcomes.len(), m.rollback)).collect();
        assert_eq!(missed, [("probe", 2, false), ("confirm", 0, false), ("Close", 0, true)]);
        assert_eq!(RunbookCoverage::of("a.rhai", &outline, &met(true)).met, 3);
    }

    #[test]
    fn what_is_not_all_is_not_a_hundred() {
        assert_eq!([coverage_percent(999, 1000), coverage_percent(5, 5), coverage_percent(0, 0)], [99, 100, 100]);
    }
}
