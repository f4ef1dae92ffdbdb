//! What a test is told of the path that it played.

use crate::model::{BrokenInvariant, Halt, INVARIANTS, Played, PlayedCall, PlayedEnd, Site, StoryLine, Value, Verdict};
use crate::worlds::explore::{Call, Ending, Path, Visit, broken, described, story};

use super::UnitTest;

/// A path that comes to no end of which a test could say anything.
#[derive(Clone, Debug, PartialEq)]
pub struct Stuck {
    /// What is wrong, or not known.
    pub why: String,
    /// Where.
    pub site: Option<Site>,
    /// What to do.
    pub hint: Option<String>,
    /// What happened until then.
    pub story: Vec<StoryLine>,
}

impl UnitTest {
    /// The path that was evaluated to this verdict. `waived`: the invariants that the runbook may break.
    pub fn played(&self, runbook: &str, verdict: &Verdict, waived: &[&str]) -> Result<Played, Box<Stuck>> {
        let protected = self.explore.cast.environment.protected;
        let walked = self.explore.end(verdict, 0, |_| {});
        let (path, ending) = (walked.path, walked.ending);
        let told = shortened(story(&path, None));
        let stuck = |why: &str, site: Option<&Site>, hint: Option<&String>| {
            Box::new(Stuck { why: why.to_owned(), site: site.cloned(), hint: hint.cloned(), story: told.clone() })
        };
        let (ended, why) = match &ending {
            Ending::Well => (PlayedEnd::Well, String::new()),
            Ending::Restored { why } => (PlayedEnd::Restored, why.clone()),
            Ending::LeftChanged { why } => (PlayedEnd::LeftChanged, why.clone()),
            Ending::InDoubt => (PlayedEnd::InDoubt, reason(verdict)),
            Ending::Mistake { why, site, hint } => return Err(stuck(why, Some(site), hint.as_ref())),
            Ending::Open { why, site, hint } => {
                // What a plan or an exploration would be told to pin, a test gives.
                let to_give = why.contains('‹').then(|| super::to_give(why));
                return Err(stuck(why, site.as_ref(), to_give.as_ref().or(hint.as_ref())));
            }
            Ending::Endless => return Err(stuck("the runbook goes on for ever", None, None)),
        };
        let broken = broken(&path, &ending, protected).into_iter().map(|violation| {
            let (name, _) = INVARIANTS[violation.invariant];
            BrokenInvariant { name, why: violation.why, waived: waived.contains(&name) }
        });
        let (rolled_back, rollbacks_failed) = rollbacks(&path);
        Ok(Played {
            runbook: runbook.to_owned(),
            ended,
            why,
            fault: code(verdict),
            value: value(verdict),
            calls: path.calls().map(|call| played_call(&path, call)).collect(),
            state: self.course().state.clone().into_inner(),
            rolled_back,
            rollbacks_failed,
            left: left(&path),
            broken: broken.collect(),
            story: told,
            ends: ending.told(),
        })
    }
}

fn played_call(path: &Path, call: &Call) -> PlayedCall {
    PlayedCall {
        site: call.site.clone(),
        primitive: call.primitive,
        target: call.target.as_deref().map(str::to_owned),
        args: (*call.args).clone(),
        outcome: call.way,
        kind: call.kind,
        failed: call.failed,
        changed: call.changed,
        undoing: call.undoing,
        step: path.around(call).next().map(|step| step.title.clone()).unwrap_or_default(),
        said: described(call),
    }
}

/// The titles of the steps that were rolled back, in that order, and of those whose rollback failed.
fn rollbacks(path: &Path) -> (Vec<String>, Vec<String>) {
    let failed: Vec<String> =
        path.steps.iter().filter(|step| step.tried && !step.undone).map(|step| step.title.clone()).collect();
    let mut missing = failed.clone();
    let begun = path.visits.iter().filter_map(|visit| match visit {
        Visit::RollingBack { title, .. } => Some(title.clone()),
        _ => None,
    });
    let undone = begun.filter(|title| match missing.iter().position(|failed| failed == title) {
        Some(at) => {
            missing.remove(at);
            false
        }
        None => true,
    });
    (undone.collect(), failed)
}

/// The positions of the calls whose changes are left.
fn left(path: &Path) -> Vec<usize> {
    let left = path.left();
    let calls = path.calls().enumerate();
    calls.filter(|(_, call)| left.iter().any(|left| std::ptr::eq(left.call, *call))).map(|(n, _)| n).collect()
}

fn code(verdict: &Verdict) -> String {
    match verdict {
        Verdict::Completed(_) => String::new(),
        Verdict::Failed { fault, .. } => fault.code.clone(),
        Verdict::Halted { halt: Halt::Cancelled, .. } => "cancelled".to_owned(),
        Verdict::Halted { halt: Halt::InDoubt { .. }, .. } => "in-doubt".to_owned(),
        Verdict::Halted { .. } => "halted".to_owned(),
    }
}

fn reason(verdict: &Verdict) -> String {
    match verdict {
        Verdict::Halted { halt, .. } | Verdict::Failed { unwinding_halted: Some(halt), .. } => halt.to_string(),
        _ => String::new(),
    }
}

fn value(verdict: &Verdict) -> Value {
    match verdict {
        Verdict::Completed(value) => value.clone(),
        _ => Value::Null,
    }
}

/// The same line again and again is told once.
fn shortened(story: Vec<StoryLine>) -> Vec<StoryLine> {
    let mut told: Vec<(StoryLine, usize)> = Vec::new();
    for line in story {
        match told.last_mut() {
            Some((last, times)) if *last == line => *times += 1,
            _ => told.push((line, 1)),
        }
    }
    let once = |(line, times): (StoryLine, usize)| match times {
        1 => line,
        _ => StoryLine { text: format!("{} ({times} times)", line.text), ..line },
    };
    told.into_iter().map(once).collect()
}
