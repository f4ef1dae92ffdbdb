//! Which of the ways that a call can end some path has taken.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, Ordering};

use crate::model::Site;

/// The name of the way in which a person cancels the run while a call is under way.
pub(super) const CANCELLED: &str = "cancelled";
/// The name of the way in which nobody learns what came of a call.
pub(super) const IN_DOUBT: &str = "in doubt";

/// The calls that were met, by their places.
pub type WalkedCalls = BTreeMap<Site, WalkedCall>;

/// A call that was met, with every way in which it can end.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WalkedCall {
    /// The primitive.
    pub primitive: &'static str,
    /// By name: the position among the ways, and whether some path takes it.
    pub cases: BTreeMap<&'static str, (usize, bool)>,
}

/// Takes in what was found of one call: the names of the ways that are there, their positions, and whether they were taken.
pub(super) fn note(
    calls: &mut WalkedCalls,
    site: &Site,
    primitive: &'static str,
    ways: impl IntoIterator<Item = (&'static str, usize, bool)>,
) {
    let call = match calls.get_mut(site) {
        Some(call) => call,
        None => calls.entry(site.clone()).or_insert(WalkedCall { primitive, cases: BTreeMap::new() }),
    };
    for (name, order, taken) in ways {
        join(call, name, (order, taken));
    }
}

/// Takes in what another thread has found.
pub fn merge_walked(calls: &mut WalkedCalls, others: WalkedCalls) {
    for (site, other) in others {
        let call = calls.entry(site).or_insert_with(|| WalkedCall { cases: BTreeMap::new(), ..other.clone() });
        for (name, found) in other.cases {
            join(call, name, found);
        }
    }
}

/// The same whichever comes first: with other arguments a call may have the same ways in another order.
fn join(call: &mut WalkedCall, name: &'static str, (order, taken): (usize, bool)) {
    let known = call.cases.entry(name).or_insert((order, false));
    *known = (known.0.min(order), known.1 | taken);
}

/// Whether one way is there to take, and whether some path took it. The paths of one world are walked one after the other.
#[derive(Debug, Default)]
pub(super) struct Tally {
    possible: AtomicBool,
    taken: AtomicBool,
}

impl Tally {
    /// One that is there on every path.
    pub(super) fn possible() -> Self {
        Self { possible: true.into(), taken: false.into() }
    }

    pub(super) fn offer(&self) {
        self.possible.store(true, Ordering::Relaxed);
    }

    pub(super) fn take(&self) {
        self.taken.store(true, Ordering::Relaxed);
    }

    /// Whether it was taken; none where it is not there to take.
    pub(super) fn taken(&self) -> Option<bool> {
        self.possible.load(Ordering::Relaxed).then(|| self.taken.load(Ordering::Relaxed))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_any_thread_took_is_taken() {
        let site = Site { file: "a.rhai".into(), line: 1, column: 1 };
        let found = |ways: &[(&'static str, usize, bool)]| {
            let mut calls = WalkedCalls::new();
            note(&mut calls, &site, "probe", ways.iter().copied());
            calls
        };
        let mut calls = found(&[("pass", 0, true), ("fail", 1, false)]);
        merge_walked(&mut calls, found(&[("pass", 0, false), (CANCELLED, 9, false)]));
        merge_walked(&mut calls, found(&[("fail", 1, true)]));
        let expected = BTreeMap::from([("pass", (0, true)), ("fail", (1, true)), (CANCELLED, (9, false))]);
        assert_eq!(calls[&site].cases, expected);
    }

    #[test]
    fn which_arguments_are_met_first_makes_no_difference() {
        let site = Site { file: "a.rhai".into(), line: 1, column: 1 };
        let (off, on) = ([("off", 0, true), ("on", 1, false)], [("on", 0, true), ("off", 1, false)]);
        let found = |first: [_; 2], then: [_; 2]| {
            let mut calls = WalkedCalls::new();
            note(&mut calls, &site, "maintenance", first);
            note(&mut calls, &site, "maintenance", then);
            calls
        };
        assert_eq!(found(off, on), found(on, off));
    }

    #[test]
    fn what_is_not_there_to_take_is_no_case() {
        let tally = Tally::default();
        assert_eq!(tally.taken(), None);
        tally.offer();
        assert_eq!(tally.taken(), Some(false));
        tally.take();
        assert_eq!(tally.taken(), Some(true));
    }
}
