//! What a drill measured, and how it compares with the objectives.

use std::time::Duration;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::model::{Event, EventBody, RunId, Span, Value};
use crate::script::FrontMatter;

use super::super::{Ran, Status};

/// The report of a drill. Written as JSON beside the journal.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Report {
    /// The run; its events in the journal are the evidence.
    pub run: RunId,
    /// The drill's title.
    pub title: String,
    /// How the run ended.
    pub status: String,
    /// In which state it left the world, in one line.
    pub aftermath: String,
    /// When the first fault was injected, UTC.
    pub fault_at: Option<Timestamp>,
    /// What was injected, in one line each.
    pub faults: Vec<String>,
    /// What the watch saw.
    pub outage: Option<Outage>,
    /// What the runbook measured, in its order: name and value.
    pub measures: Vec<(String, String)>,
    /// The objectives with their verdicts.
    pub objectives: Vec<Objective>,
    /// The calls that changed something, with how long each took in milliseconds.
    pub timings: Vec<(String, u64)>,
}

/// One objective.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Objective {
    /// `rto` or `rpo`.
    pub name: String,
    /// What was promised.
    pub promised: Span,
    /// What was measured.
    pub measured: Option<Span>,
    /// The verdict.
    pub judged: Judged,
}

/// The verdict on an objective.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Judged {
    /// It was met.
    Met,
    /// It was missed.
    Missed,
    /// Nothing was measured, so nothing is proved.
    Unmeasured,
}

/// When a watched target was unhealthy.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Outage {
    /// The target.
    pub target: String,
    /// How many probes were sent.
    pub probes: u64,
    /// How many failed.
    pub failed: u64,
    /// The unhealthy periods: the first probe that failed, and the first that passed again (none while it lasts).
    pub periods: Vec<(Timestamp, Option<Timestamp>)>,
}

/// One probe of a watch.
#[derive(Clone, Copy, Debug)]
pub(super) struct Seen {
    pub(super) asked: Timestamp,
    pub(super) answered: Timestamp,
    pub(super) healthy: bool,
}

impl Outage {
    pub(super) fn new(target: String) -> Self {
        Self { target, probes: 0, failed: 0, periods: Vec::new() }
    }

    pub(super) fn see(&mut self, seen: Seen) {
        self.probes += 1;
        self.failed += u64::from(!seen.healthy);
        match (self.periods.last_mut(), seen.healthy) {
            (Some((_, end @ None)), true) => *end = Some(seen.answered),
            (Some((_, None)), false) | (None | Some((_, Some(_))), true) => {}
            (None | Some((_, Some(_))), false) => self.periods.push((seen.asked, None)),
        }
    }

    /// When the target was healthy for good after `fault`: the end of the last unhealthy period that came after it.
    pub fn healthy_again(&self, fault: Timestamp) -> Option<Timestamp> {
        let mut after = self.periods.iter().filter(|(_, end)| end.is_none_or(|end| end > fault));
        after.next_back().and_then(|(_, end)| *end)
    }
}

impl Report {
    pub(super) fn new(front: &FrontMatter, ran: &Ran, events: &[Event], outage: Option<Outage>) -> Self {
        let settled = || {
            events.iter().filter_map(|event| match &event.body {
                EventBody::Settled(settled) => Some(settled.as_ref()),
                _ => None,
            })
        };
        let injected: Vec<_> = settled().filter(|s| s.primitive == "inject" && s.outcome.is_ok()).collect();
        let fault_at = injected.first().and_then(|s| {
            let at = s.outcome.as_ref().ok()?.get("at")?;
            at.as_str()?.parse().ok()
        });
        let detail = |value: &Value| value.get("detail").map(ToString::to_string).unwrap_or_default();
        let faults = injected.iter().filter_map(|s| s.outcome.as_ref().ok().map(detail)).collect();
        let measures: Vec<(String, String)> = settled()
            .filter(|s| s.primitive == "measure" && s.outcome.is_ok())
            .filter_map(|s| {
                let args = s.args.as_ref()?;
                let unit = args.get("unit").map(|u| format!(" {u}")).filter(|u| u != " ()").unwrap_or_default();
                Some((args.get("name")?.to_string(), format!("{}{unit}", args.get("value")?)))
            })
            .collect();
        let timings = settled()
            .filter(|s| s.impact.kind.is_change())
            .map(|s| (format!("{} {}", s.primitive, s.impact.targets.join(", ")), s.elapsed_ms))
            .collect();
        let rto = rto(fault_at, outage.as_ref());
        let rpo = measures.iter().rev().find(|(name, _)| name == "rpo").and_then(|(_, value)| value.parse().ok());
        let objective = |name: &str, measured: Option<Span>| {
            let promised: Span = front.get(name)?.parse().ok()?;
            Some(Objective { name: name.to_owned(), promised, measured, judged: judge(promised, measured) })
        };
        Self {
            run: ran.id.clone(),
            title: front.title.clone(),
            status: ran.status.name().to_owned(),
            aftermath: ran.aftermath.sentence(),
            fault_at,
            faults,
            outage,
            objectives: [objective("rto", rto), objective("rpo", rpo)].into_iter().flatten().collect(),
            measures,
            timings,
        }
    }

    /// Whether the run completed and every objective was met.
    pub fn passed(&self) -> bool {
        self.status == Status::Completed.name() && self.objectives.iter().all(|o| o.judged == Judged::Met)
    }
}

fn judge(promised: Span, measured: Option<Span>) -> Judged {
    match measured {
        Some(measured) if measured <= promised => Judged::Met,
        Some(_) => Judged::Missed,
        None => Judged::Unmeasured,
    }
}

/// From the injected fault to the first probe that passed and was followed by no failure.
fn rto(fault_at: Option<Timestamp>, outage: Option<&Outage>) -> Option<Span> {
    let fault = fault_at?;
    let again = outage?.healthy_again(fault)?;
    let millis = again.as_millisecond().saturating_sub(fault.as_millisecond());
    Some(Span(Duration::from_millis(u64::try_from(millis).ok()?)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(second).expect("in range")
    }

    fn outage(probes: &[(i64, bool)]) -> Outage {
        let mut outage = Outage::new("web".into());
        for (second, healthy) in probes {
            outage.see(Seen { asked: at(*second), answered: at(*second), healthy: *healthy });
        }
        outage
    }

    #[test]
    fn recovery_counts_until_health_that_lasts() {
        let seen = outage(&[(1, true), (3, false), (4, true), (5, false), (9, true), (10, true)]);
        assert_eq!(seen.periods, [(at(3), Some(at(4))), (at(5), Some(at(9)))]);
        assert_eq!(rto(Some(at(2)), Some(&seen)), Some(Span::from_secs(7)));
        assert_eq!((seen.probes, seen.failed), (6, 2));
    }

    #[test]
    fn an_outage_before_the_fault_does_not_count() {
        let seen = outage(&[(1, false), (2, true), (5, false), (8, true)]);
        assert_eq!(rto(Some(at(4)), Some(&seen)), Some(Span::from_secs(4)));
    }

    #[test]
    fn what_never_recovered_or_never_failed_is_not_measured() {
        assert_eq!(rto(Some(at(1)), Some(&outage(&[(1, true), (2, false)]))), None);
        assert_eq!(rto(Some(at(1)), Some(&outage(&[(1, true), (2, true)]))), None);
        assert_eq!(rto(None, Some(&outage(&[(1, false), (2, true)]))), None);
        assert_eq!(judge(Span::from_secs(1), None), Judged::Unmeasured);
        assert_eq!(judge(Span::from_secs(1), Some(Span::from_secs(1))), Judged::Met);
        assert_eq!(judge(Span::from_secs(1), Some(Span::from_secs(2))), Judged::Missed);
    }
}
