//! How long a plan takes, from how long its calls took in earlier runs.

use std::collections::{BTreeMap, BinaryHeap};

use crate::journal::{Journal, RunQuery};
use crate::model::{
    Estimate, Event, EventBody, ImpactKind, Plan, PlanLine, PlanNode, PlanScope, ScopeKind, Slow, Span, Took, Value,
};

use super::Error;

/// Of so many runs at most, the newest, and so many of their events.
const RUNS: usize = 50;
const EVENTS: u64 = 50_000;

/// What is called the same takes as long: the primitive, its targets, its label.
type Name = String;

/// How long calls took.
#[derive(Default)]
struct History {
    took: BTreeMap<Name, Vec<u64>>,
    runs: usize,
}

/// A chain of calls, one after the other.
#[derive(Clone, Default)]
struct Chain {
    median_ms: u64,
    longest_ms: u64,
    slow: Vec<Slow>,
    unknown: Vec<String>,
}

/// Adds to a plan how long its calls took in earlier runs of its environment, and what that says of its recovery objective.
pub fn estimate(plan: &mut Plan, past: Option<&dyn Journal>) -> Result<(), Error> {
    let history = match past {
        Some(journal) => History::of(journal, &plan.environment)?,
        None => History::default(),
    };
    history.mark(&mut plan.nodes);
    let mut chain = chain(&plan.nodes);
    chain.slow.sort_by_key(|slow| std::cmp::Reverse(slow.took.median_ms));
    chain.unknown.sort();
    chain.unknown.dedup();
    plan.estimate = Some(Estimate {
        median_ms: chain.median_ms,
        longest_ms: chain.longest_ms,
        critical: chain.slow,
        unknown: chain.unknown,
        runs: history.runs,
        rto_ms: plan.rto.map(|rto| u64::try_from(rto.0.as_millis()).unwrap_or(u64::MAX)),
    });
    Ok(())
}

impl History {
    fn of(journal: &dyn Journal, environment: &str) -> Result<Self, Error> {
        let query = RunQuery { environment: Some(environment.to_owned()), limit: Some(RUNS), ..RunQuery::default() };
        let (mut history, mut seen) = (Self::default(), 0);
        for run in journal.runs(&query)? {
            seen += run.events;
            if seen > EVENTS && history.runs > 0 {
                break;
            }
            history.runs += usize::from(history.take(journal.events(&run.id)?));
        }
        history.took.values_mut().for_each(|took| took.sort_unstable());
        Ok(history)
    }

    /// What a run tells, if it does.
    fn take(&mut self, events: Vec<Event>) -> bool {
        let (mut labels, mut told) = (BTreeMap::new(), false);
        for event in events {
            match event.body {
                EventBody::Intended { key, args, .. } => labels.extend(args.get("label").cloned().map(|l| (key, l))),
                // What failed, or was found by looking after a crash, says nothing of how long it takes.
                EventBody::Settled(settled) if settled.outcome.is_ok() && settled.evidence.is_none() => {
                    let label = settled.args.as_ref().and_then(|args| args.get("label"));
                    let label = label.or_else(|| labels.get(&settled.key));
                    let name = name(&settled.primitive, &settled.impact.targets, label);
                    self.took.entry(name).or_default().push(settled.elapsed_ms);
                    told = true;
                }
                _ => {}
            }
        }
        told
    }

    fn mark(&self, nodes: &mut [PlanNode]) {
        for node in nodes {
            match node {
                PlanNode::Call(line) => line.took = self.took(line),
                PlanNode::Scope(scope) => self.mark(&mut scope.nodes),
            }
        }
    }

    fn took(&self, line: &PlanLine) -> Option<Took> {
        let said = match line.primitive.as_str() {
            "sleep" => line.args.get("duration"),
            "hold" => line.args.get("time"),
            _ => None,
        };
        if let Some(Ok(said)) = said.and_then(Value::as_str).map(str::parse::<Span>) {
            let took_ms = u64::try_from(said.0.as_millis()).unwrap_or(u64::MAX);
            return Some(Took { median_ms: took_ms, longest_ms: took_ms, times: 0 });
        }
        let took = self.took.get(&of(line))?;
        Some(Took { median_ms: took[took.len() / 2], longest_ms: *took.last()?, times: took.len() })
    }
}

fn of(line: &PlanLine) -> Name {
    name(&line.primitive, &line.impact.targets, line.args.get("label"))
}

fn name(primitive: &str, targets: &[String], label: Option<&Value>) -> Name {
    let label = label.filter(|label| **label != Value::Null).map(ToString::to_string);
    let words = std::iter::once(primitive.to_owned()).chain(targets.iter().cloned()).chain(label);
    words.collect::<Vec<_>>().join(" ")
}

/// The calls of nodes that follow each other.
fn chain(nodes: &[PlanNode]) -> Chain {
    let mut chain = Chain::default();
    let mut nodes = nodes.iter().peekable();
    while let Some(node) = nodes.next() {
        match node {
            PlanNode::Call(line) => {
                let body = nodes.next_if(|next| is_body(next, line));
                match (line.took, body) {
                    // A wait contains what it looks at.
                    (None, Some(PlanNode::Scope(body))) => chain.follow(self::chain(&body.nodes)),
                    _ => chain.call(line),
                }
            }
            PlanNode::Scope(scope) => chain.follow(of_scope(scope)),
        }
    }
    chain
}

fn is_body(node: &PlanNode, line: &PlanLine) -> bool {
    matches!(node, PlanNode::Scope(scope) if scope.scope.kind == ScopeKind::Body && scope.scope.key == line.key)
}

fn of_scope(scope: &PlanScope) -> Chain {
    match &scope.scope.kind {
        ScopeKind::Rehearsal => Chain::default(),
        ScopeKind::Parallel { at_most, .. } => longest(&scope.nodes, *at_most),
        _ => chain(&scope.nodes),
    }
}

/// The longest chain of branches of which so many go on at the same time: each takes the place of the first that ends.
fn longest(branches: &[PlanNode], at_most: usize) -> Chain {
    let mut lanes: BinaryHeap<Lane> = (0..at_most.clamp(1, branches.len().max(1))).map(|_| Lane::default()).collect();
    for branch in branches {
        let Some(mut lane) = lanes.pop() else { break };
        lane.0.follow(chain(std::slice::from_ref(branch)));
        lanes.push(lane);
    }
    lanes.into_iter().max_by_key(|lane| lane.0.median_ms).unwrap_or_default().0
}

/// A lane of a `parallel`; the greatest of them ends first.
#[derive(Default)]
struct Lane(Chain);

impl PartialEq for Lane {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other).is_eq()
    }
}

impl Eq for Lane {}

impl PartialOrd for Lane {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Lane {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        other.0.median_ms.cmp(&self.0.median_ms)
    }
}

impl Chain {
    fn call(&mut self, line: &PlanLine) {
        if let Some(took) = line.took {
            self.median_ms = self.median_ms.saturating_add(took.median_ms);
            self.longest_ms = self.longest_ms.saturating_add(took.longest_ms);
            self.slow.push(Slow { key: line.key.clone(), call: of(line), took });
        } else if line.impact.kind != ImpactKind::Mark && line.primitive != "during" {
            self.unknown.push(of(line));
        }
    }

    fn follow(&mut self, other: Self) {
        self.median_ms = self.median_ms.saturating_add(other.median_ms);
        self.longest_ms = self.longest_ms.saturating_add(other.longest_ms);
        self.slow.extend(other.slow);
        self.unknown.extend(other.unknown);
    }
}
