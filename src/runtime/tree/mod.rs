//! The tree of all walked paths, and what of their source they walk: collected by each thread, put together at the end.

mod intern;
mod share;
mod tally;
mod trie;

use std::collections::HashMap;
use std::sync::Arc;

use crate::model::{Ends, Happening, Here, Manner, PathEnd, PathTree, Room, Site, WalkedFile};
use crate::script::Outline;
use crate::worlds::{Ending, Trace, Violation, Walked, WalkedCalls};

use super::standing::here;
use intern::Intern;
use tally::{Cells, Tally};
use trie::Trie;

/// One step of a path through the tree.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
enum Symbol {
    /// Something happens, with this number, in this manner.
    Event(u32, Manner),
    /// The path is over.
    End(PathEnd),
}

/// What is known before the first path.
#[derive(Debug)]
pub(super) struct Ground {
    /// The runbook's file, its modules and the runbooks that it calls.
    pub(super) outlines: Vec<Outline>,
    /// Which invariants the runbook waives, in their order.
    pub(super) waived: Vec<bool>,
    /// The names of all invariants, in their order.
    pub(super) invariants: Vec<Arc<str>>,
}

/// What one thread has collected.
pub(super) struct Collected {
    ground: Arc<Ground>,
    rooms: Intern<Room>,
    happenings: Intern<Happening>,
    symbols: Intern<Symbol>,
    trie: Trie,
    tally: Tally,
    /// What is counted for each symbol, and for each place without one.
    counted: Vec<Cells>,
    places: HashMap<Site, Cells>,
    /// Where the run stands whose ways on these are: what lies before it on every path, and its next call.
    here: Option<(Vec<u32>, Option<Here>)>,
}

impl Collected {
    /// Nothing yet.
    pub(super) fn new(ground: Arc<Ground>) -> Self {
        Self {
            ground,
            rooms: Intern::default(),
            happenings: Intern::default(),
            symbols: Intern::default(),
            trie: Trie::default(),
            tally: Tally::default(),
            counted: Vec::new(),
            places: HashMap::new(),
            here: None,
        }
    }

    /// One path more, which breaks these invariants.
    pub(super) fn add(&mut self, walked: &Walked, broken: &[Violation]) {
        let Some(trace) = &walked.trace else { return };
        self.tally.begin();
        self.count_places(trace, walked);
        let rooms = self.rooms_of(&trace.rooms);
        let mut path = Vec::with_capacity(trace.events.len() + 1);
        for (happening, manner) in &trace.events {
            let room = happening.room.map(|room| rooms[room]);
            let number = self.happenings.number(Happening { room, ..happening.clone() });
            let symbol = self.symbols.number(Symbol::Event(number, *manner));
            // A symbol that was not there before is the last one.
            if self.counted.len() <= symbol as usize {
                self.counted.push(self.tally.of_event(happening, manner, &self.ground.outlines));
            }
            self.tally.count(&self.counted[symbol as usize]);
            path.push(symbol);
        }
        let end = self.symbols.number(Symbol::End(path_end(walked, broken, &self.ground)));
        if self.counted.len() <= end as usize {
            self.counted.push(Cells::default());
        }
        path.push(end);
        if self.here.is_none()
            && let Some(strayed) = &walked.strayed
        {
            self.here = Some((path[..strayed.event.min(path.len() - 1)].to_vec(), here(walked)));
        }
        self.trie.add(path);
    }

    /// The numbers of the rooms of one path; those around one come before it.
    fn rooms_of(&mut self, rooms: &[Room]) -> Vec<usize> {
        let mut numbers: Vec<usize> = Vec::with_capacity(rooms.len());
        for room in rooms {
            let within = room.within.map(|within| numbers[within]);
            numbers.push(self.rooms.number(Room { within, ..room.clone() }) as usize);
        }
        numbers
    }

    /// Counts the places that a path comes to without anything happening there.
    fn count_places(&mut self, trace: &Trace, walked: &Walked) {
        for site in trace.rooms.iter().map(|room| &room.site).chain(&walked.path.passed) {
            if !self.places.contains_key(site) {
                self.places.insert(site.clone(), self.tally.of_place(site, &self.ground.outlines));
            }
            self.tally.count(&self.places[site]);
        }
        for (site, ran) in &trace.owing {
            let cells = self.tally.of_rollback(site, *ran);
            self.tally.count(&cells);
        }
    }

    /// What another thread has collected.
    pub(super) fn merge(&mut self, other: &Self) {
        let rooms = self.rooms_of(other.rooms.things());
        let mut happening = |theirs: &Happening| {
            let room = theirs.room.map(|room| rooms[room]);
            self.happenings.number(Happening { room, ..theirs.clone() })
        };
        let happenings: Vec<u32> = other.happenings.things().iter().map(&mut happening).collect();
        let mut symbol = |theirs: &Symbol| match theirs {
            Symbol::Event(number, manner) => self.symbols.number(Symbol::Event(happenings[*number as usize], *manner)),
            end @ Symbol::End(_) => self.symbols.number(end.clone()),
        };
        let symbols: Vec<u32> = other.symbols.things().iter().map(&mut symbol).collect();
        self.trie.merge(&other.trie, |theirs| symbols[theirs as usize]);
        self.tally.merge(&other.tally);
        if let (None, Some((before, here))) = (&self.here, &other.here) {
            self.here = Some((before.iter().map(|theirs| symbols[*theirs as usize]).collect(), here.clone()));
        }
    }

    /// The tree, the same whichever thread collected what.
    pub(super) fn tree(&self) -> PathTree {
        let here = self.here.as_ref().and_then(|(before, _)| self.trie.find(before));
        share::share(self.rooms.things(), self.happenings.things(), self.symbols.things(), (&self.trie, here))
    }

    /// The call at which the run stands whose ways on these are.
    pub(super) fn here(&self) -> Option<Here> {
        self.here.as_ref().and_then(|(_, here)| here.clone())
    }

    /// What of each file is walked.
    pub(super) fn files(&self, walked: &WalkedCalls) -> Vec<WalkedFile> {
        self.ground.outlines.iter().map(|outline| self.tally.file(outline, walked)).collect()
    }
}

/// How a path ends that breaks these invariants.
pub(super) fn path_end(walked: &Walked, broken: &[Violation], ground: &Ground) -> PathEnd {
    let ends = match &walked.ending {
        Ending::Well => Ends::Well,
        Ending::Restored { .. } => Ends::Restored,
        Ending::LeftChanged { .. } => Ends::LeftChanged,
        Ending::Mistake { .. } => Ends::Mistaken,
        Ending::Endless => Ends::Endless,
        Ending::InDoubt => Ends::InDoubt,
        Ending::Open { .. } => Ends::Open,
    };
    let is_waived = |violation: &&Violation| ground.waived.get(violation.invariant) == Some(&true);
    let (waived, breaks): (Vec<_>, Vec<_>) = broken.iter().partition(is_waived);
    let name = |violation: &&Violation| ground.invariants.get(violation.invariant).cloned();
    let names = |violations: Vec<&Violation>| violations.iter().filter_map(name).collect();
    PathEnd { ends, cancelled: walked.cancelled, breaks: names(breaks), waived: names(waived) }
}
