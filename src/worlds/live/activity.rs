//! What goes on inside a scope just now, for status updates: the step, the branches, the call under way.

use std::time::Duration;

use crate::model::{EventBody, Impact, Invocation, Key, Scope, ScopeKind, Span, Value};

/// What goes on inside one scope.
#[derive(Clone, Debug)]
pub(super) struct Activity {
    scope: Key,
    began: Duration,
    /// The outermost step that is open.
    step: Option<Step>,
    /// How many such steps have begun.
    steps: u32,
    /// The outermost `parallel` that is open.
    branches: Option<Branches>,
    /// Calls under way, oldest first.
    calls: Vec<Call>,
}

#[derive(Clone, Debug)]
struct Step {
    key: Key,
    number: u32,
    title: String,
    since: Duration,
}

#[derive(Clone, Debug)]
struct Branches {
    key: Key,
    count: usize,
    done: usize,
    since: Duration,
}

#[derive(Clone, Debug)]
struct Call {
    key: Key,
    what: String,
    since: Duration,
}

impl Activity {
    /// The scope begins.
    pub(super) fn new(scope: Key, now: Duration) -> Self {
        Self { scope, began: now, step: None, steps: 0, branches: None, calls: Vec::new() }
    }

    pub(super) fn is_of(&self, scope: &Key) -> bool {
        self.scope == *scope
    }

    /// Something happened.
    pub(super) fn take(&mut self, event: &EventBody, now: Duration) {
        match event {
            EventBody::Entered { scope } if self.scope.encloses(&scope.key) => self.entered(scope, now),
            EventBody::Left { key, .. } => self.left(key),
            EventBody::Intended { key, primitive, impact, .. } => self.begin(key, primitive, impact, now),
            EventBody::Settled(settled) => self.calls.retain(|call| call.key != settled.key),
            EventBody::InDoubt { key, .. } => self.calls.retain(|call| call.key != *key),
            _ => {}
        }
    }

    /// A call begins that has no event for that.
    pub(super) fn begins(&mut self, call: &Invocation, impact: &Impact, now: Duration) {
        self.begin(&call.key, call.primitive, impact, now);
    }

    fn begin(&mut self, key: &Key, primitive: &str, impact: &Impact, now: Duration) {
        if self.scope.encloses(key) {
            let what = [&[primitive.to_owned()], impact.targets.as_slice()].concat().join(" ");
            self.calls.retain(|call| call.key != *key);
            self.calls.push(Call { key: key.clone(), what, since: now });
        }
    }

    fn entered(&mut self, scope: &Scope, now: Duration) {
        let in_branches = self.branches.as_ref().is_some_and(|branches| scope.key.branch_of(&branches.key).is_some());
        match &scope.kind {
            ScopeKind::Step { .. } if self.step.is_none() && !in_branches => {
                self.steps += 1;
                let (key, title) = (scope.key.clone(), scope.title.clone());
                self.step = Some(Step { key, number: self.steps, title, since: now });
            }
            ScopeKind::Parallel { branches, .. } if !in_branches => {
                self.branches = Some(Branches { key: scope.key.clone(), count: *branches, done: 0, since: now });
            }
            _ => {}
        }
    }

    fn left(&mut self, key: &Key) {
        self.step.take_if(|step| step.key == *key);
        self.branches.take_if(|branches| branches.key == *key);
        // What was dropped while it waited has no outcome.
        self.calls.retain(|call| !call.key.starts_with(key));
        if let Some(branches) = &mut self.branches
            && key.innermost_branch().as_ref() == Some(key)
            && key.depth() == branches.key.depth() + 1
        {
            branches.done += 1;
        }
    }

    /// `step 3 "Restore" for 12m 04s, 17 of 200 branches done`.
    pub(super) fn describe(&self, now: Duration) -> String {
        let time = |since: Duration| Span(now.saturating_sub(since)).human();
        let branches =
            self.branches.as_ref().map(|b| (format!("{} of {} branches done", b.done, b.count), time(b.since)));
        let step = self.step.as_ref().map(|s| format!("step {} \"{}\" for {}", s.number, s.title, time(s.since)));
        match (step, branches, self.calls.first()) {
            (Some(step), Some((done, _)), _) => format!("{step}, {done}"),
            (Some(step), None, _) => step,
            (None, Some((done, time)), _) => format!("{done} after {time}"),
            (None, None, Some(call)) => format!("{} for {}", call.what, time(call.since)),
            (None, None, None) => format!("under way for {}", time(self.began)),
        }
    }

    /// The calls under way, with how long they have been.
    pub(super) fn details(&self, now: Duration) -> Vec<(&'static str, Value)> {
        /// Of so many branches as go on at the same time, nobody reads more.
        const SHOWN: usize = 5;
        let time = |since: Duration| Span(now.saturating_sub(since)).human();
        let mut calls: Vec<String> =
            self.calls.iter().take(SHOWN).map(|call| format!("{} for {}", call.what, time(call.since))).collect();
        if self.calls.len() > SHOWN {
            calls.push(format!("and {} more", self.calls.len() - SHOWN));
        }
        let mut details = vec![("since", Value::from(time(self.began)))];
        if !calls.is_empty() {
            details.push(("now", Value::from(calls.join(", "))));
        }
        details
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{ImpactKind, Left, Site};

    fn key(text: &str) -> Key {
        text.parse().expect(text)
    }

    fn at(minutes: u64) -> Duration {
        Duration::from_secs(minutes * 60)
    }

    fn entered(at: &str, title: &str, kind: ScopeKind) -> EventBody {
        let site = Site { file: "a.rhai".into(), line: 1, column: 1 };
        EventBody::Entered { scope: Scope { key: key(at), site, title: title.into(), kind } }
    }

    fn left(at: &str) -> EventBody {
        EventBody::Left { key: key(at), how: Left::Completed { owes: false } }
    }

    fn intended(at: &str) -> EventBody {
        EventBody::Intended {
            key: key(at),
            attempt: 1,
            primitive: "restore".into(),
            args: Value::Null,
            site: Site { file: "a.rhai".into(), line: 1, column: 1 },
            impact: Impact::on(ImpactKind::Destroy, "primary"),
        }
    }

    #[test]
    fn it_names_the_step_and_how_long_it_has_been_open() {
        let step = || ScopeKind::Step { rollback: false, within: None };
        let mut activity = Activity::new(key("4"), at(0));
        assert_eq!(activity.describe(at(1)), "under way for 1m 00s");
        activity.take(&entered("5", "Stop writes", step()), at(1));
        activity.take(&left("5"), at(2));
        activity.take(&entered("6", "Restore", step()), at(2));
        activity.take(&entered("7", "inside", step()), at(3));
        activity.take(&intended("8"), at(3));
        assert_eq!(activity.describe(at(14)), "step 2 \"Restore\" for 12m 00s");
        let details = activity.details(at(14));
        assert_eq!(details[1], ("now", Value::from("restore primary for 11m 00s")));
        activity.take(&left("6"), at(15));
        assert_eq!(activity.describe(at(15)), "restore primary for 12m 00s");
    }

    #[test]
    fn it_counts_branches_and_looks_at_no_other_scope() {
        let mut activity = Activity::new(key("0.b1.4"), at(0));
        activity.take(&entered("0.b0.5", "elsewhere", ScopeKind::Step { rollback: false, within: None }), at(0));
        activity.take(&entered("0.b1.5", "", ScopeKind::Parallel { branches: 3, at_most: 2 }), at(1));
        activity.take(&entered("0.b1.5.b0", "a", ScopeKind::Branch), at(1));
        activity.take(&entered("0.b1.5.b0.0", "in a branch", ScopeKind::Step { rollback: false, within: None }), at(1));
        assert_eq!(activity.describe(at(2)), "0 of 3 branches done after 1m 00s");
        activity.take(&left("0.b1.5.b0.0"), at(2));
        activity.take(&left("0.b1.5.b0"), at(2));
        assert_eq!(activity.describe(at(3)), "1 of 3 branches done after 2m 00s");
    }
}
