//! The events of branches that went on at the same time, one branch after the other, as people read them.

use crate::model::{Event, EventBody, Key, Left, ScopeKind, Settlement, Value};

/// Of more branches than this, those that only looked and found all well are counted, but for the first few.
const SHOWN: usize = 20;
const FIRST: usize = 3;

/// What is shown next.
pub(super) enum Next<'a> {
    /// An event.
    Event(&'a Event),
    /// So many branches that are left out, because they changed nothing and found nothing wrong.
    LeftOut(usize),
}

/// Puts the events of each branch together, in the order of the branches. What belongs to none of them, such as a status update
/// or the rollbacks at the end, keeps its order. `all`: nothing is left out.
pub(super) fn untangle(events: &[Event], all: bool) -> Vec<Next<'_>> {
    let mut untangled = Vec::with_capacity(events.len());
    arrange(events.iter().collect(), all, &mut untangled);
    untangled
}

fn arrange<'a>(events: Vec<&'a Event>, all: bool, into: &mut Vec<Next<'a>>) {
    let mut events = events.into_iter();
    while let Some(event) = events.next() {
        into.push(Next::Event(event));
        let EventBody::Entered { scope } = &event.body else { continue };
        let ScopeKind::Parallel { branches: count, .. } = scope.kind else { continue };
        let mut branches: Vec<(bool, Vec<&Event>)> = Vec::new();
        let mut others = Vec::new();
        let mut rest = Vec::new();
        for event in events.by_ref() {
            if matches!(&event.body, EventBody::Left { key, .. } if *key == scope.key) {
                rest.push(event);
                break;
            }
            match key_of(event).and_then(|key| key.branch_of(&scope.key)) {
                Some(n) => {
                    let n = n as usize;
                    branches.resize_with(branches.len().max(n + 1), Default::default);
                    let (over, of_branch) = &mut branches[n];
                    // What comes after its end is its undoing, in the order of all of them.
                    if *over {
                        others.push(event);
                    } else {
                        of_branch.push(event);
                    }
                    *over |= matches!(&event.body, EventBody::Left { key, .. } if key.depth() == scope.key.depth() + 1);
                }
                // A run that was killed has no end of its `parallel`.
                None if matches!(event.body, EventBody::Unwinding { .. } | EventBody::Ended { .. }) => {
                    rest.push(event);
                    break;
                }
                None => others.push(event),
            }
        }
        let mut left_out = 0;
        for (n, (_, branch)) in branches.into_iter().enumerate() {
            if !all && count > SHOWN && n >= FIRST && found_all_well(&branch) {
                left_out += 1;
            } else {
                arrange(branch, all, into);
            }
        }
        if left_out > 0 {
            into.push(Next::LeftOut(left_out));
        }
        arrange(others, all, into);
        into.extend(rest.into_iter().map(Next::Event));
    }
}

/// Whether a branch came to its end, changed nothing and found nothing wrong.
fn found_all_well(events: &[&Event]) -> bool {
    let ill = |settled: &Settlement| match &settled.outcome {
        Ok(value) => {
            value.get("ok") == Some(&Value::Bool(false)) || value.get("status").and_then(Value::as_str) == Some("warn")
        }
        Err(_) => true,
    };
    let well = |event: &&Event| match &event.body {
        EventBody::Settled(settled) => !ill(settled),
        EventBody::Intended { .. } | EventBody::InDoubt { .. } | EventBody::Decided { .. } => false,
        EventBody::Left { how, .. } => matches!(how, Left::Completed { .. }),
        _ => true,
    };
    events.iter().all(well) && events.last().is_some_and(|event| matches!(event.body, EventBody::Left { .. }))
}

fn key_of(event: &Event) -> Option<&Key> {
    match &event.body {
        EventBody::Entered { scope } => Some(&scope.key),
        EventBody::Settled(settled) => Some(&settled.key),
        EventBody::Foreseen(foreseen) => Some(&foreseen.key),
        EventBody::Left { key, .. }
        | EventBody::Intended { key, .. }
        | EventBody::InDoubt { key, .. }
        | EventBody::Updated { key, .. }
        | EventBody::Awaiting { key, .. }
        | EventBody::Answered { key, .. }
        | EventBody::Decided { key, .. } => Some(key),
        EventBody::Started(_)
        | EventBody::Resumed { .. }
        | EventBody::Cancelling { .. }
        | EventBody::Unwinding { .. }
        | EventBody::Ended { .. } => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{Scope, Site};

    fn event(seq: u64, body: EventBody) -> Event {
        Event { seq, at: jiff::Timestamp::UNIX_EPOCH, body }
    }

    fn entered(seq: u64, key: &str, kind: ScopeKind) -> Event {
        let site = Site { file: "a.rhai".into(), line: 1, column: 1 };
        event(seq, EventBody::Entered { scope: Scope { key: key.parse().expect(key), site, title: "t".into(), kind } })
    }

    fn left(seq: u64, key: &str, how: Left) -> Event {
        event(seq, EventBody::Left { key: key.parse().expect(key), how })
    }

    fn well() -> Left {
        Left::Completed { owes: false }
    }

    /// The numbers of the events in the order in which they are shown; a minus before how many branches are left out.
    fn shown(events: &[Event], all: bool) -> Vec<i64> {
        let number = |next: &Next| match next {
            Next::Event(event) => i64::try_from(event.seq).expect("small"),
            Next::LeftOut(n) => -i64::try_from(*n).expect("small"),
        };
        untangle(events, all).iter().map(number).collect()
    }

    #[test]
    fn each_branch_stands_together_and_rollbacks_come_last() {
        let events = [
            entered(0, "4", ScopeKind::Parallel { branches: 2, at_most: 2 }),
            entered(1, "4.b1", ScopeKind::Branch),
            entered(2, "4.b0", ScopeKind::Branch),
            entered(3, "4.b1.0", ScopeKind::Parallel { branches: 2, at_most: 2 }),
            entered(4, "4.b1.0.b1", ScopeKind::Branch),
            left(5, "4.b0", well()),
            entered(6, "4.b1.0.b0", ScopeKind::Branch),
            left(7, "4.b1.0.b1", well()),
            left(8, "4.b1.0.b0", well()),
            left(9, "4.b1.0", well()),
            left(10, "4.b1", Left::Stopped),
            entered(11, "4.b1.3.r", ScopeKind::Rollback),
            left(12, "4.b1.3.r", well()),
            entered(13, "4.b0.3.r", ScopeKind::Rollback),
            left(14, "4.b0.3.r", well()),
            left(15, "4", Left::Halted),
            entered(16, "5", ScopeKind::Child),
        ];
        assert_eq!(shown(&events, true), [0, 2, 5, 1, 3, 6, 8, 4, 7, 9, 10, 11, 12, 13, 14, 15, 16]);
        assert_eq!(shown(&events[..6], true), [0, 2, 5, 1, 3, 4], "a run that was killed");
    }

    #[test]
    fn of_many_branches_those_that_only_looked_are_counted() {
        let mut events = vec![entered(0, "0", ScopeKind::Parallel { branches: 30, at_most: 30 })];
        for n in 0..30 {
            events.push(entered(0, &format!("0.b{n}"), ScopeKind::Branch));
            let how = if n == 20 { Left::Stopped } else { well() };
            events.push(left(0, &format!("0.b{n}"), how));
        }
        let sum: i64 = shown(&events, false).iter().sum();
        assert_eq!((sum, shown(&events, false).len()), (-26, 1 + 3 * 2 + 2 + 1));
        assert_eq!(shown(&events, true).len(), events.len());
    }
}
