//! A plan, judged by the run that followed: every line, how it ended, and where the run went another way.

use lifeboat::model::{Basis, Key, Plan, PlanLine, PlanResult, PlanVerdict, Value, Verdict};
use lifeboat::runtime::{Ran, Status};

use crate::case::Ends;
use crate::fits::{are_planned, fits, is_foreseen_fault, is_observed, is_same_fault};
use crate::planned::{self, basis};
use crate::record::{Attempts, End, Made, counted, one_branch_after_the_other};
use crate::witness::Witness;

/// What is found: how many lines were compared, and what was not true.
#[derive(Default)]
pub(crate) struct Judgement {
    pub(crate) lines: usize,
    /// How many of those that were predicted were seen to come about in the world itself.
    pub(crate) seen: usize,
    pub(crate) lies: Vec<String>,
}

/// A plan, and the run that followed.
pub(crate) struct Judge<'a> {
    pub(crate) plan: &'a Plan,
    pub(crate) ran: &'a Ran,
    pub(crate) made: &'a [Made],
    pub(crate) witness: &'a Witness,
}

impl Judge<'_> {
    /// Judges the plan of a run that was to end in this way.
    pub(crate) fn judge(&self, ends: Ends) -> Judgement {
        let mut found = Judgement::default();
        let lines = planned::lines(self.plan);
        let mut calls = counted(self.made, Attempts::Last);
        one_branch_after_the_other(&mut calls, |call| &call.key);
        let left_at = lines.iter().zip(&calls).position(|(line, call)| leaves(line, call));
        let until = left_at.unwrap_or(lines.len());
        for (n, line) in lines[..until].iter().enumerate() {
            let Some(call) = calls.get(n) else {
                found.lies.push(format!("planned, and not run: {}", told(line)));
                break;
            };
            if let Err(why) = is_made(line, call) {
                found.lies.push(format!("planned: {}\nrun: {why}", told(line)));
                break;
            }
            self.hold_against(line, call, &mut found);
        }
        whole(ends, &lines, left_at, calls.get(until..).unwrap_or_default(), &mut found);
        self.verdict(ends, &mut found);
        found
    }

    /// Whether a line was true.
    fn hold_against(&self, line: &PlanLine, call: &Made, found: &mut Judgement) {
        let judged = match line.basis {
            Basis::Observed => self.observed(line),
            Basis::Predicted => self.predicted(line, call, found),
            Basis::Assumed | Basis::Pinned => is_assumed(line, call),
        };
        found.lines += 1;
        if let Err(why) = judged {
            found.lies.push(format!("{}\n{why}", told(line)));
        }
    }

    /// What was looked up just now is what the run found, the first time that it looked.
    fn observed(&self, line: &PlanLine) -> Result<(), String> {
        let first = self.made.iter().find(|call| call.key == line.key).ok_or("the run has not looked at all")?;
        let same = match (&line.result, &first.end) {
            (PlanResult::Returns(said), End::Returned(found)) => is_observed(&line.primitive, said, found),
            (PlanResult::Throws(said), End::Threw(met)) => is_same_fault(said, met),
            _ => false,
        };
        if same { Ok(()) } else { Err(contrast(&line.result, &first.end)) }
    }

    /// What the driver computed is what came about: for the script, and in the world.
    fn predicted(&self, line: &PlanLine, call: &Made, found: &mut Judgement) -> Result<(), String> {
        let same = match (&line.result, &call.end) {
            // What the record keeps of it is which rollbacks are owed no longer; the script gets nothing.
            (PlanResult::Returns(_), End::Returned(Value::List(titles))) if line.primitive == "point_of_no_return" => {
                let titles: Vec<String> = titles.iter().map(ToString::to_string).collect();
                let said = line.notes.first().and_then(|note| note.strip_prefix("no longer rolled back from here: "));
                said.unwrap_or_default() == titles.join(", ")
            }
            (PlanResult::Returns(said), End::Returned(value)) => fits(said, value),
            (PlanResult::Throws(said), End::Threw(met)) => is_foreseen_fault(said, met),
            _ => false,
        };
        if !same {
            return Err(contrast(&line.result, &call.end));
        }
        let seen = self.witness.saw(&call.key).belies(line)?;
        found.seen += usize::from(seen);
        Ok(())
    }

    /// That it ended as planned, and as the case says.
    fn verdict(&self, ends: Ends, found: &mut Judgement) {
        let same = match (ends, &self.plan.verdict, &self.ran.verdict) {
            (Ends::Completes, PlanVerdict::Completes, Verdict::Completed(_)) => self.ran.status == Status::Completed,
            (Ends::Fails(code), PlanVerdict::Fails { fault }, Verdict::Failed { fault: met, .. }) => {
                fault.code == code && is_foreseen_fault(fault, met)
            }
            (Ends::Open(why), PlanVerdict::Stops { why: said, .. }, _) => said.contains(why),
            (Ends::Leaves(_), PlanVerdict::Completes | PlanVerdict::Fails { .. }, _) => true,
            _ => false,
        };
        if !same {
            let (plan, run) = (&self.plan.verdict, &self.ran.verdict);
            found.lies.push(format!("it was to end as {ends:?}\nplanned: {plan:?}\nrun: {run:?}"));
        }
    }
}

/// Whether a line is the one at which the run leaves the plan: the call was made as planned, and nobody said that it is known
/// how it ends.
fn leaves(line: &PlanLine, call: &Made) -> bool {
    line.basis == Basis::Assumed && is_made(line, call).is_ok() && is_assumed(line, call).is_err()
}

/// That the run did all of it and nothing else, as far as the plan says that it knows.
fn whole(ends: Ends, lines: &[&PlanLine], left_at: Option<usize>, rest: &[Made], found: &mut Judgement) {
    match (ends, left_at) {
        (Ends::Leaves(behind), left_at) if left_at != Some(behind) => {
            let left = left_at.map(|n| told(lines[n]));
            found.lies.push(format!("the run was to leave the plan behind {behind} lines, not at {left:?}"));
        }
        (Ends::Leaves(_), _) | (Ends::Open(_), None) => {}
        (_, Some(n)) => {
            let end = rest.first().map(|call| contrast(&lines[n].result, &call.end)).unwrap_or_default();
            found.lies.push(format!("it ended otherwise: {}\n{end}", told(lines[n])));
        }
        (Ends::Completes | Ends::Fails(_), None) => {
            found.lies.extend(rest.iter().map(|call| format!("run, and not planned: {call}")));
        }
    }
}

/// Judges the rollbacks that a plan has shown by those that ran when the run was undone afterwards: the newest first.
pub(crate) fn undone(plan: &Plan, made: &[Made]) -> Judgement {
    let mut found = Judgement::default();
    let lines = planned::rehearsed(plan);
    for (n, line) in lines.iter().enumerate() {
        let judged = match made.get(n) {
            None => Err("it did not run".to_owned()),
            Some(call) => is_made(line, call).and_then(|()| is_assumed(line, call)),
        };
        found.lines += 1;
        if let Err(why) = judged {
            found.lies.push(format!("in the rollback that was shown: {}\n{why}", told(line)));
        }
    }
    let beyond = made.get(lines.len()..).unwrap_or_default();
    found.lies.extend(beyond.iter().map(|call| format!("in the rollback, and not shown: {call}")));
    found
}

/// Whether the call was made where it was planned, with what was planned.
fn is_made(line: &PlanLine, call: &Made) -> Result<(), String> {
    let place = |key: &Key| key.without_attempts();
    let same = place(&line.key) == place(&call.key)
        && line.site == call.site
        && line.primitive == call.primitive
        && line.impact.kind == call.kind
        && line.impact.targets == call.targets
        && are_planned(&line.args, &call.args);
    if same { Ok(()) } else { Err(call.to_string()) }
}

/// Whether a call ended as it was assumed to end, as far as the plan says in which way.
fn is_assumed(line: &PlanLine, call: &Made) -> Result<(), String> {
    let same = match (&line.result, &call.end) {
        (PlanResult::Returns(said), End::Returned(found)) => fits(said, found),
        (PlanResult::Throws(said), End::Threw(met)) => is_foreseen_fault(said, met),
        _ => false,
    };
    if same { Ok(()) } else { Err(contrast(&line.result, &call.end)) }
}

fn contrast(said: &PlanResult, found: &End) -> String {
    format!("said:  {said:?}\nfound: {found:?}")
}

fn told(line: &PlanLine) -> String {
    format!(
        "{} {} {:?} {} at {} {}",
        basis(line.basis),
        line.primitive,
        line.impact.targets,
        line.args,
        line.site,
        line.key
    )
}
