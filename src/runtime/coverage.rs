//! What of a runbook's own file the walked paths come to.

use std::collections::HashSet;

use crate::model::{Coverage, MissedCall, MissedCase, Site};
use crate::script::{Outline, OutlinedCall};
use crate::worlds::WalkedCalls;

/// Compares what there is with the places that some path comes to, and with the ways that calls were seen to take.
pub(super) fn coverage(outline: &Outline, reached: &HashSet<Site>, walked: &WalkedCalls) -> Coverage {
    let missed = |call: &&OutlinedCall| !reached.contains(&call.site);
    let mut coverage = Coverage {
        calls: outline.calls.len(),
        missed: outline.calls.iter().filter(missed).map(named).collect(),
        rollbacks: outline.rollbacks.len(),
        missed_rollbacks: outline.rollbacks.iter().filter(|back| !reached.contains(&back.site)).cloned().collect(),
        ..Coverage::default()
    };
    coverage.reached = coverage.calls - coverage.missed.len();
    coverage.rollbacks_run = coverage.rollbacks - coverage.missed_rollbacks.len();
    for call in &outline.calls {
        let Some(seen) = walked.get(&call.site) else {
            // Nobody knows in how many ways a call can end that no path comes to, unless its literal arguments tell.
            coverage.cases += if missed(&call) { call.cases.len().max(1) } else { 0 };
            continue;
        };
        coverage.cases += seen.cases.len();
        let mut cases: Vec<_> = seen.cases.iter().map(|(name, (order, taken))| (*order, *name, *taken)).collect();
        cases.sort_unstable();
        for (_, case, _) in cases.iter().filter(|(.., taken)| !taken) {
            let MissedCall { site, primitive } = named(call);
            coverage.missed_cases.push(MissedCase { site, primitive, case: (*case).to_owned() });
        }
        coverage.cases_walked += cases.iter().filter(|(.., taken)| *taken).count();
    }
    coverage
}

fn named(call: &OutlinedCall) -> MissedCall {
    MissedCall { site: call.site.clone(), primitive: call.primitive.to_owned() }
}
