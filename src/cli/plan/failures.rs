//! What happens when calls of a plan fail, put together as a reader wants it: ways that come to the same are one line.

use std::collections::HashMap;

use crate::model::{FailureEnd, ImpactKind, Key, Plan, PlanFailure, PlanLine, PlanNode, ScopeKind, StoryLine, Value};

/// The failures of a plan, by the calls that they begin with.
#[derive(Default)]
pub(super) struct Failures<'a> {
    by_call: HashMap<&'a Key, Vec<&'a PlanFailure>>,
    /// How many calls of the plan are called the same.
    named: HashMap<String, usize>,
}

/// Ways that come to the same.
pub(super) struct Group<'a> {
    /// `restore primary → failed or corrupt`.
    pub(super) when: String,
    /// `fails; rolled back: Stop writes; nothing is left changed`.
    pub(super) then: String,
    /// How the run ends.
    pub(super) ends: FailureEnd,
    /// Everything that happens, of the first of them.
    pub(super) story: &'a [StoryLine],
}

impl Group<'_> {
    /// A mark for how the run ends.
    pub(super) fn mark(&self) -> char {
        match self.ends {
            FailureEnd::Completes => '✓',
            FailureEnd::Restored => '↩',
            FailureEnd::LeftChanged => '⚠',
            FailureEnd::InDoubt => '?',
            FailureEnd::Mistaken | FailureEnd::Open => '✗',
        }
    }
}

/// What a call is called, and the ways in which it ends.
type Ways<'a> = (String, Vec<&'a str>);

/// How many failures of a plan end in which way.
#[derive(Default)]
pub(super) struct Tally {
    pub(super) completes: usize,
    pub(super) restored: usize,
    pub(super) left_changed: usize,
    pub(super) in_doubt: usize,
    pub(super) other: usize,
}

impl<'a> Failures<'a> {
    /// Those of a plan.
    pub(super) fn of(plan: &'a Plan) -> Self {
        let mut by_call: HashMap<&Key, Vec<&PlanFailure>> = HashMap::new();
        for failure in &plan.failures {
            by_call.entry(&failure.key).or_default().push(failure);
        }
        let mut named = HashMap::new();
        for line in plan.lines() {
            *named.entry(name(line)).or_default() += 1;
        }
        Self { by_call, named }
    }

    /// What happens when one of the calls directly among `nodes` fails; those of steps inside belong to them.
    pub(super) fn among(&self, nodes: &'a [PlanNode]) -> Vec<Group<'a>> {
        let mut lines = Vec::new();
        direct(nodes, &mut lines);
        self.of_calls(&lines)
    }

    /// What happens when one of these calls fails.
    pub(super) fn of_calls(&self, lines: &[&'a PlanLine]) -> Vec<Group<'a>> {
        // Each with its calls, and the ways of each call.
        let mut groups: Vec<(&PlanFailure, Vec<Ways>)> = Vec::new();
        for line in lines {
            for failure in self.by_call.get(&line.key).into_iter().flatten().filter(|failure| matters(line, failure)) {
                let at = groups.iter().position(|(first, _)| first.is_like(failure)).unwrap_or_else(|| {
                    groups.push((failure, Vec::new()));
                    groups.len() - 1
                });
                let (calls, called) = (&mut groups[at].1, self.called(line));
                match calls.last_mut().filter(|(last, _)| *last == called) {
                    Some((_, ways)) => ways.push(&failure.way),
                    None => calls.push((called, vec![&failure.way])),
                }
            }
        }
        let group = |(first, calls): (&'a PlanFailure, Vec<Ways>)| {
            let when = calls.into_iter().map(|(call, ways)| format!("{call} → {}", ways.join(" or ")));
            Group { when: when.collect::<Vec<_>>().join(", "), then: then(first), ends: first.ends, story: &first.then }
        };
        groups.into_iter().map(group).collect()
    }

    fn called(&self, line: &PlanLine) -> String {
        let name = name(line);
        if self.named.get(&name).copied().unwrap_or_default() > 1 {
            format!("{name} (line {})", line.site.line)
        } else {
            name
        }
    }
}

impl Tally {
    pub(super) fn of(plan: &Plan) -> Self {
        let mut tally = Self::default();
        for failure in &plan.failures {
            *match failure.ends {
                FailureEnd::Completes => &mut tally.completes,
                FailureEnd::Restored => &mut tally.restored,
                FailureEnd::LeftChanged => &mut tally.left_changed,
                FailureEnd::InDoubt => &mut tally.in_doubt,
                FailureEnd::Mistaken | FailureEnd::Open => &mut tally.other,
            } += 1;
        }
        tally
    }

    /// `if a call fails (17 ways): 9 restored, 6 left changed`.
    pub(super) fn told(&self) -> Option<String> {
        let counts = [
            (self.completes, "complete all the same"),
            (self.restored, "end restored"),
            (self.left_changed, "leave something changed"),
            (self.in_doubt, "end in doubt"),
            (self.other, "end at a mistake or at something unknown"),
        ];
        let all: usize = counts.iter().map(|(count, _)| count).sum();
        let said: Vec<String> =
            counts.iter().filter(|(count, _)| *count > 0).map(|(count, what)| format!("{count} {what}")).collect();
        let ways = if all == 1 { "way" } else { "ways" };
        (all > 0).then(|| format!("if a call ends otherwise ({all} {ways}): {}", said.join(", ")))
    }
}

/// The calls that belong to a place itself.
fn direct<'a>(nodes: &'a [PlanNode], lines: &mut Vec<&'a PlanLine>) {
    for node in nodes {
        match node {
            PlanNode::Call(line) => lines.push(line),
            PlanNode::Scope(scope) => {
                if matches!(scope.scope.kind, ScopeKind::Body | ScopeKind::During(_)) {
                    direct(&scope.nodes, lines);
                }
            }
        }
    }
}

fn name(line: &PlanLine) -> String {
    let label = line.args.get("label").filter(|label| **label != Value::Null).map(ToString::to_string);
    match (line.impact.targets.as_slice(), label) {
        ([], None) => line.primitive.clone(),
        ([], Some(label)) => format!("{} {label}", line.primitive),
        (targets, _) => format!("{} {}", line.primitive, targets.join(", ")),
    }
}

/// Whether a reader wants to know: a look that finds something else and makes no difference is nothing that fails.
fn matters(line: &PlanLine, failure: &PlanFailure) -> bool {
    line.impact.kind != ImpactKind::Look || failure.ends != FailureEnd::Completes
}

fn then(failure: &PlanFailure) -> String {
    let mut parts = Vec::new();
    match failure.ends {
        FailureEnd::Completes => parts.push("goes on, and completes".to_owned()),
        FailureEnd::Restored | FailureEnd::LeftChanged => parts.push("fails".to_owned()),
        FailureEnd::InDoubt => parts.push("IN DOUBT: a person must look".to_owned()),
        FailureEnd::Mistaken => parts.push(format!("ends at a mistake: {}", failure.why)),
        FailureEnd::Open => parts.push(format!("not known: {}", failure.why)),
    }
    if !failure.rolled_back.is_empty() {
        parts.push(format!("rolled back: {}", failure.rolled_back.join(", ")));
    }
    if !failure.told.is_empty() {
        let mut told = failure.told.clone();
        told.dedup();
        parts.push(format!("told: {}", told.join(", ")));
    }
    match failure.ends {
        FailureEnd::Restored => parts.push("nothing is left changed".to_owned()),
        _ if !failure.left.is_empty() => parts.push(format!("LEFT CHANGED: {}", failure.left.join(", "))),
        _ => {}
    }
    parts.join("; ")
}
