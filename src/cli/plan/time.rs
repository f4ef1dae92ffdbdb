//! How long a plan takes, in words.

use std::time::Duration;

use crate::cli::printer::Style;
use crate::model::{Estimate, Fits, Span, Took};

/// So many of the slowest calls, and of those of which nothing is known, are named.
const NAMED: usize = 3;

/// The line for all of it, and more to explain it; `None` where there is nothing to say.
pub(super) fn told(estimate: &Estimate) -> Option<(Style, Vec<String>)> {
    let rto = estimate.rto_ms.map(|rto| Span::from_millis(rto).to_string());
    if estimate.critical.is_empty() {
        let rto = rto?;
        return Some((Style::Dim, vec![format!("RTO {rto}: nothing of this was run here before, so nobody knows")]));
    }
    let (style, fits) = match (rto, estimate.fits()) {
        (Some(rto), Some(Fits::Yes)) => (Style::Good, format!("; fits the RTO of {rto}")),
        (Some(rto), Some(Fits::Usually)) => (Style::Caution, format!("; fits the RTO of {rto} unless it is slow")),
        (Some(rto), Some(Fits::No)) => (Style::Bad, format!("; DOES NOT FIT the RTO of {rto}")),
        (Some(rto), None) => (Style::Caution, format!("; too little is known for the RTO of {rto}")),
        (None, _) => (Style::Dim, String::new()),
    };
    let runs = if estimate.runs == 1 { "1 earlier run".to_owned() } else { format!("{} earlier runs", estimate.runs) };
    let (usual, longest) = (human(estimate.median_ms), human(estimate.longest_ms));
    let mut lines = vec![format!("takes about {usual}, at most {longest} as in {runs}{fits}")];
    let slow = estimate.critical.iter().filter(|slow| slow.took.median_ms > 0).take(NAMED);
    let slow: Vec<String> = slow.map(|slow| format!("{} {}", slow.call, human(slow.took.median_ms))).collect();
    if !slow.is_empty() {
        lines.push(format!("longest: {}", slow.join(", ")));
    }
    if !estimate.unknown.is_empty() {
        let named = estimate.unknown.iter().take(NAMED).cloned().collect::<Vec<_>>().join(", ");
        let more = estimate.unknown.len().saturating_sub(NAMED);
        let more = if more > 0 { format!(" and {more} more") } else { String::new() };
        lines.push(format!("not counted, because never run here: {named}{more}"));
    }
    Some((style, lines))
}

/// `about 2m 50s, 3m 10s at most, 4 times`.
pub(super) fn of_call(took: Took) -> String {
    let (usual, longest) = (human(took.median_ms), human(took.longest_ms));
    if took.times == 1 {
        format!("{usual}, once")
    } else {
        format!("about {usual}, {longest} at most, {} times", took.times)
    }
}

fn human(millis: u64) -> String {
    Span(Duration::from_millis(millis)).human()
}
