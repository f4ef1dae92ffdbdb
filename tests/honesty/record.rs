//! What a run did, as its journal has it: the calls in their order, each with its arguments and its end.

use std::collections::HashMap;
use std::fmt;

use lifeboat::model::{Event, EventBody, Fault, ImpactKind, Key, Outcome, Scope, ScopeKind, Site, Value};

/// One call that was made.
#[derive(Clone, Debug)]
pub(crate) struct Made {
    pub(crate) key: Key,
    pub(crate) site: Site,
    pub(crate) primitive: String,
    pub(crate) kind: ImpactKind,
    pub(crate) targets: Vec<String>,
    pub(crate) args: Value,
    pub(crate) end: End,
    /// How often its body ran, where it has one.
    pub(crate) repeats: Option<u32>,
}

impl fmt::Display for Made {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Made { primitive, targets, args, site, key, end, .. } = self;
        write!(f, "{primitive} {targets:?} {args} at {site}, {key}\nfound: {end:?}")
    }
}

/// How a call ended.
#[derive(Clone, Debug)]
pub(crate) enum End {
    Returned(Value),
    Threw(Fault),
    InDoubt,
}

impl From<Outcome> for End {
    fn from(outcome: Outcome) -> Self {
        match outcome {
            Ok(value) => End::Returned(value),
            Err(fault) => End::Threw(fault),
        }
    }
}

/// The calls of these events, in the order in which they ended. A `during` is one, made when its block begins.
pub(crate) fn made(events: &[Event]) -> Vec<Made> {
    let mut intended: HashMap<Key, Made> = HashMap::new();
    let mut made = Vec::new();
    for event in events {
        match &event.body {
            EventBody::Entered { scope } => made.extend(during(scope)),
            EventBody::Intended { key, primitive, args, site, impact, .. } => {
                let call = Made {
                    key: key.clone(),
                    site: site.clone(),
                    primitive: primitive.clone(),
                    kind: impact.kind,
                    targets: impact.targets.clone(),
                    args: args.clone(),
                    end: End::InDoubt,
                    repeats: None,
                };
                intended.insert(key.clone(), call);
            }
            EventBody::InDoubt { key, .. } => made.extend(intended.get(key).cloned()),
            EventBody::Settled(settled) => {
                let intended = intended.get(&settled.key).map(|intended| intended.args.clone());
                made.push(Made {
                    key: settled.key.clone(),
                    site: settled.site.clone(),
                    primitive: settled.primitive.clone(),
                    kind: settled.impact.kind,
                    targets: settled.impact.targets.clone(),
                    args: settled.args.clone().or(intended).expect("its arguments are recorded"),
                    end: settled.outcome.clone().into(),
                    repeats: settled.repeats,
                });
            }
            _ => {}
        }
    }
    made
}

fn during(scope: &Scope) -> Option<Made> {
    let ScopeKind::During(updates) = &scope.kind else { return None };
    let mut args = vec![
        ("channel".to_owned(), Value::from(updates.channel.as_str())),
        ("message".to_owned(), Value::encode(&updates.message)),
    ];
    args.extend(updates.key.as_ref().map(|key| ("key".to_owned(), Value::encode(key))));
    Some(Made {
        key: scope.key.clone(),
        site: scope.site.clone(),
        primitive: "during".to_owned(),
        kind: ImpactKind::Tell,
        targets: vec![updates.channel.clone()],
        args: Value::Map(args.into_iter().collect()),
        end: End::Returned(Value::Null),
        repeats: None,
    })
}

/// Which attempts of a body count.
#[derive(Clone, Copy)]
pub(crate) enum Attempts {
    /// The last one: what a plan shows once, with how often it may be made.
    Last,
    /// The first and the last one, of a `hold` only the last one: what an exploration walks, as more of the same are no other path.
    AsWalked,
}

/// The calls without those of the attempts that do not count.
pub(crate) fn counted(made: &[Made], attempts: Attempts) -> Vec<Made> {
    let bodies = made.iter().filter_map(|call| Some((call, call.repeats?)));
    let left_out: Vec<Key> = bodies
        .flat_map(|(call, repeats)| {
            let first = match attempts {
                Attempts::AsWalked if call.primitive != "hold" => 1,
                _ => 0,
            };
            let attempt = |n| call.key.child(lifeboat::model::Segment::Attempt(n));
            (first..repeats.saturating_sub(1)).map(attempt)
        })
        .collect();
    let counts = |call: &&Made| !left_out.iter().any(|attempt| call.key.starts_with(attempt));
    made.iter().filter(counts).cloned().collect()
}

/// Puts the calls of branches that went on at the same time one branch after the other, as a plan takes them. What undoes
/// something comes after that, in its own order.
pub(crate) fn one_branch_after_the_other<T>(calls: &mut Vec<T>, key: impl Fn(&T) -> &Key) {
    let branch = |key: &Key| key.innermost_branch().filter(|branch| !key.in_rollback_within(branch));
    let mut first: HashMap<Key, usize> = HashMap::new();
    let mut ranked: Vec<((usize, Option<Key>), T)> = Vec::new();
    for (n, call) in calls.drain(..).enumerate() {
        let branch = branch(key(&call));
        let begun = branch.as_ref().and_then(Key::parent).map(|parallel| *first.entry(parallel).or_insert(n));
        ranked.push(((begun.unwrap_or(n), branch), call));
    }
    ranked.sort_by(|(one, _), (other, _)| one.cmp(other));
    calls.extend(ranked.into_iter().map(|(_, call)| call));
}
