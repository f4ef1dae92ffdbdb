//! The times of steps (`step … within`): before each call inside one it may be over, and then no further call begins there.

use crate::model::{DEADLINE, Fault, HappeningKind, Invocation, Mood, Performed, Scope, ScopeKind, Span};

use super::trace::manner;
use super::ways::Known;
use super::{Visit, Walk};

/// A step that is open and has a time.
pub(super) struct Limit {
    scope: Scope,
    within: Span,
    over: bool,
}

impl Limit {
    fn fault(&self, call: &Invocation) -> Fault {
        let title = &self.scope.title;
        let mut fault = Fault::new(DEADLINE, format!("step \"{title}\" was to be over within {}", self.within));
        fault.site = Some(call.site.to_string());
        fault
    }
}

/// What the time of the steps around a call means for it.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Time {
    /// No step around it has a time; or it undoes one, which takes all the time that it needs.
    Unlimited,
    /// It may be over at this call.
    Running(usize),
    /// It was over before.
    Over(usize),
}

impl Walk {
    /// A step begins.
    pub(super) fn limit(&mut self, scope: &Scope) {
        if let ScopeKind::Step { within: Some(within), .. } = &scope.kind {
            self.limits.push(Limit { scope: scope.clone(), within: *within, over: false });
        }
    }

    /// A step ends.
    pub(super) fn unlimit(&mut self, scope: &Scope) {
        self.limits.retain(|limit| limit.scope.key != scope.key);
    }

    pub(super) fn time_for(&self, call: &Invocation) -> Time {
        let holds = |limit: &Limit| {
            let step = &limit.scope.key;
            step.encloses(&call.key) && !call.key.in_rollback_within(step)
        };
        let mut around = self.limits.iter().enumerate().filter(|(_, limit)| holds(limit));
        // Whether the time of an inner or of an outer step is over first, nobody knows: the inner one is the tighter one.
        match (around.clone().find(|(_, limit)| limit.over), around.next_back()) {
            (Some((n, _)), _) => Time::Over(n),
            (None, Some((n, _))) => Time::Running(n),
            _ => Time::Unlimited,
        }
    }

    /// The time is over, before or at this call: it does not begin.
    pub(super) fn out_of_time(&mut self, call: &Invocation, known: &Known, (limit, way): (usize, usize)) -> Performed {
        self.limits[limit].over = true;
        known.late.take();
        self.note(&call.site, HappeningKind::Call(known.impact.kind), || {
            (known.said(), manner(way, LATE, Mood::Failed))
        });
        let visit = known.visit(call, (LATE, true, false), self.path.open);
        self.path.visits.push(Visit::Called(visit));
        Performed::unchanged(Err(self.limits[limit].fault(call)))
    }
}

/// Whether no further attempt of a body that ends like this can mend it: it is wrong, or there is no time left.
pub(super) fn is_final(fault: &Fault) -> bool {
    fault.code == "script" || fault.code == DEADLINE
}

/// The name of the way in which a call does not begin, because the time of a step around it is over.
pub(super) const LATE: &str = "out of time";
