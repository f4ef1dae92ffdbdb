//! One path through a runbook, as it was walked.

use std::sync::Arc;

use crate::model::{Fault, Halt, ImpactKind, Key, Site, Value, Verdict};

use super::effect::Effect;

/// What happens on a path, in its order.
#[derive(Clone, Debug)]
pub enum Visit {
    /// A call ended in one of its ways.
    Called(Call),
    /// A wait was over: what it waits for came true or held, or it did not.
    Waited {
        /// The call.
        call: Call,
    },
    /// A condition on something that nobody knows was answered.
    Answered {
        /// Where.
        site: Site,
        /// The condition.
        condition: String,
        /// Whether it holds.
        yes: bool,
    },
    /// Updates are sent from here on, if it takes long.
    Updates {
        /// Where.
        site: Site,
        /// The channel.
        channel: String,
    },
    /// The run was cancelled here.
    Cancelled {
        /// After which call.
        site: Site,
    },
    /// From here on nothing is rolled back that was owed before.
    NoReturn {
        /// Where.
        site: Site,
        /// Why.
        why: String,
    },
    /// A step is rolled back.
    RollingBack {
        /// Where.
        site: Site,
        /// Its title.
        title: String,
    },
}

/// A call on a path.
#[derive(Clone, Debug)]
pub struct Call {
    /// Where.
    pub site: Site,
    /// The primitive.
    pub primitive: &'static str,
    /// Its arguments.
    pub args: Arc<Value>,
    /// What it works on.
    pub target: Option<Arc<str>>,
    /// What it does.
    pub kind: ImpactKind,
    /// How it ended: the name of one of the primitive's cases.
    pub way: &'static str,
    /// Whether it threw.
    pub failed: bool,
    /// Whether something was changed by it.
    pub changed: bool,
    /// Whether it undoes something.
    pub undoing: bool,
    /// The innermost step around it: its position in [`Path::steps`].
    pub step: Option<usize>,
    /// What it has to do with the state of its targets.
    pub(super) effect: Option<Arc<Effect>>,
}

/// A step that a path entered.
#[derive(Clone, Debug, PartialEq)]
pub struct Step {
    pub(super) key: Key,
    /// The step around it.
    pub(super) around: Option<usize>,
    /// Its title.
    pub title: String,
    /// Whether its rollback came to its end.
    pub undone: bool,
    /// Which visits are those of its rollback.
    pub(super) rollback: std::ops::Range<usize>,
    /// Whether its rollback was begun.
    pub tried: bool,
    /// Whether a point of no return forbids its rollback.
    pub forgone: bool,
}

/// How a path ends.
#[derive(Clone, Debug, PartialEq)]
pub enum Ending {
    /// The runbook came to its end.
    Well,
    /// It failed or was cancelled, and nothing is left changed.
    Restored {
        /// Why it did not come to its end.
        why: String,
    },
    /// It failed or was cancelled, and something is left changed.
    LeftChanged {
        /// Why it did not come to its end.
        why: String,
    },
    /// The runbook itself is wrong there.
    Mistake {
        /// What is wrong.
        why: String,
        /// Where.
        site: Site,
        /// What to do.
        hint: Option<String>,
    },
    /// It does not come to an end.
    Endless,
    /// Nobody can tell whether a change took place: a person must look.
    InDoubt,
    /// Nobody can tell which way it goes: something depends on a value that is not known.
    Open {
        /// On what.
        why: String,
        /// Where.
        site: Option<Site>,
        /// What to do.
        hint: Option<String>,
    },
}

/// A path, from the beginning of a runbook to one of its ends.
#[derive(Clone, Debug, Default)]
pub struct Path {
    /// What happens on it.
    pub visits: Vec<Visit>,
    /// The steps that it enters.
    pub steps: Vec<Step>,
    /// Calls that are no visit themselves, such as `parallel`: only what is inside is.
    pub passed: Vec<Site>,
    /// The innermost that is open.
    pub(super) open: Option<usize>,
}

impl Ending {
    /// As people read it behind a story.
    pub fn told(&self) -> String {
        match self {
            Ending::Well => "the runbook comes to its end".to_owned(),
            Ending::Restored { why } => format!("it fails, and is rolled back: {why}"),
            Ending::LeftChanged { why } => format!("it fails, and leaves something changed: {why}"),
            Ending::Mistake { why, .. } => format!("it ends at a mistake: {why}"),
            Ending::Endless => "it does not end".to_owned(),
            Ending::InDoubt => "it ends in doubt".to_owned(),
            Ending::Open { why, .. } => format!("it cannot be followed: {why}"),
        }
    }
}

impl Path {
    /// A path on which nothing has happened yet, with room for so many visits and steps.
    pub(super) fn with_room((visits, steps): (usize, usize)) -> Self {
        Self { visits: Vec::with_capacity(visits), steps: Vec::with_capacity(steps), ..Self::default() }
    }

    /// How many visits and steps there are on it.
    pub(super) fn length(&self) -> (usize, usize) {
        (self.visits.len(), self.steps.len())
    }

    /// The calls, in their order.
    pub fn calls(&self) -> impl DoubleEndedIterator<Item = &Call> {
        self.visits.iter().filter_map(Visit::call)
    }

    /// The steps around a call, innermost first.
    pub fn around(&self, call: &Call) -> impl Iterator<Item = &Step> {
        let first = call.step.and_then(|step| self.steps.get(step));
        std::iter::successors(first, |step| self.steps.get(step.around?))
    }

    /// The place that a fault names, as `file:line:column`; otherwise where the path was last.
    pub(super) fn last_site(&self, named: Option<&str>) -> Site {
        let parse = |text: &str| {
            let mut parts = text.rsplitn(3, ':');
            let (column, line) = (parts.next()?.parse().ok()?, parts.next()?.parse().ok()?);
            Some(Site { file: parts.next()?.into(), line, column })
        };
        let last = || self.visits.last().map(|visit| visit.site().clone());
        let nowhere = || Site { file: "?".into(), line: 0, column: 0 };
        named.and_then(parse).or_else(last).unwrap_or_else(nowhere)
    }

    pub(super) fn step(&mut self, key: &Key) -> Option<&mut Step> {
        self.steps.iter_mut().rfind(|step| step.key == *key)
    }
}

impl Visit {
    /// The call, if it is one.
    pub fn call(&self) -> Option<&Call> {
        match self {
            Visit::Called(call) | Visit::Waited { call } => Some(call),
            _ => None,
        }
    }

    /// Where it stands in the runbook.
    pub fn site(&self) -> &Site {
        match self {
            Visit::Called(call) | Visit::Waited { call } => &call.site,
            Visit::Answered { site, .. }
            | Visit::Updates { site, .. }
            | Visit::Cancelled { site }
            | Visit::NoReturn { site, .. }
            | Visit::RollingBack { site, .. } => site,
        }
    }
}

/// How a path ends that was evaluated to this verdict.
pub(super) fn ending(verdict: &Verdict, path: &Path) -> Ending {
    let halted = |halt: &Halt| match halt {
        Halt::Mistake { why, .. } if why.contains("without an end") => Some(Ending::Endless),
        Halt::InDoubt { .. } => Some(Ending::InDoubt),
        Halt::Mistake { why, site, hint } => {
            Some(Ending::Mistake { why: why.clone(), site: site.clone(), hint: hint.clone() })
        }
        Halt::Unplannable { why, site, hint } => {
            Some(Ending::Open { why: why.clone(), site: Some(site.clone()), hint: hint.clone() })
        }
        Halt::Refused { why, hint } => Some(Ending::Open { why: why.clone(), site: None, hint: hint.clone() }),
        _ => None,
    };
    // What Rhai itself throws is no failure of anything outside: the runbook is wrong.
    let mistake = |fault: &Fault| Ending::Mistake {
        why: fault.message.clone(),
        site: path.last_site(fault.site.as_deref()),
        hint: fault.hint.clone(),
    };
    let (special, why) = match verdict {
        Verdict::Completed(_) => return Ending::Well,
        Verdict::Failed { fault, unwinding_halted, .. } => {
            let mistaken = || (fault.code == "script").then(|| mistake(fault));
            (unwinding_halted.as_ref().and_then(halted).or_else(mistaken), fault.message.clone())
        }
        Verdict::Halted { halt, .. } => (halted(halt), halt.to_string()),
    };
    match special {
        Some(special) => special,
        None if !path.leaves_something() => Ending::Restored { why },
        None => Ending::LeftChanged { why },
    }
}
