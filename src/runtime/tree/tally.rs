//! On how many paths each part of the source is walked.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::model::{ForkKind, Happening, HappeningKind, Manner, Site, WalkedFile, WalkedFork, WalkedFunction};
use crate::script::{Outline, OutlinedCall, OutlinedFunction};
use crate::worlds::WalkedCalls;

use super::intern::Intern;

/// What is counted once on each path, however often it comes.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
enum Cell {
    Line(Arc<str>, u32),
    /// A function, by its file and its position there.
    Function(Arc<str>, usize),
    /// A place at which paths can part.
    Fork(Site),
    Way(Site, &'static str),
    /// A comparison stands in no outline.
    Question(Site, Arc<str>),
    Rollback(Site, bool),
}

/// On how many paths each part of the source is walked.
#[derive(Default)]
pub(super) struct Tally {
    cells: Intern<Cell>,
    counts: Vec<Count>,
    /// The number of the path that is counted now, from 1.
    path: u64,
}

#[derive(Clone, Copy, Default)]
struct Count {
    paths: u64,
    /// The last path that was counted.
    last: u64,
}

/// What is counted together, because it comes together.
pub(super) type Cells = Arc<[u32]>;

impl Tally {
    /// The next path begins.
    pub(super) fn begin(&mut self) {
        self.path += 1;
    }

    /// The path comes to these.
    pub(super) fn count(&mut self, cells: &[u32]) {
        for cell in cells {
            let count = &mut self.counts[*cell as usize];
            if count.last != self.path {
                *count = Count { paths: count.paths + 1, last: self.path };
            }
        }
    }

    /// What is counted when something happens.
    pub(super) fn of_event(&mut self, happening: &Happening, manner: &Manner, outlines: &[Outline]) -> Cells {
        let site = &happening.site;
        let mut cells = self.of_place(site, outlines).to_vec();
        if matches!(happening.kind, HappeningKind::Call(_) | HappeningKind::Question) {
            cells.push(self.number(Cell::Fork(site.clone())));
            cells.push(self.number(Cell::Way(site.clone(), manner.case)));
        }
        if happening.kind == HappeningKind::Question {
            cells.push(self.number(Cell::Question(site.clone(), happening.text.clone())));
        }
        cells.into()
    }

    /// What is counted when a path comes to a place.
    pub(super) fn of_place(&mut self, site: &Site, outlines: &[Outline]) -> Cells {
        let mut cells = vec![self.number(Cell::Line(site.file.clone(), site.line))];
        let file = outlines.iter().find(|outline| outline.source.name == site.file);
        for (n, function) in file.iter().flat_map(|file| file.functions.iter().enumerate()) {
            if encloses(function, site) {
                cells.push(self.number(Cell::Function(site.file.clone(), n)));
            }
        }
        cells.into()
    }

    /// What is counted when a path enters a step whose rollback runs on it, or does not.
    pub(super) fn of_rollback(&mut self, site: &Site, ran: bool) -> Cells {
        [self.number(Cell::Fork(site.clone())), self.number(Cell::Rollback(site.clone(), ran))].into()
    }

    fn number(&mut self, cell: Cell) -> u32 {
        let number = self.cells.number(cell);
        self.counts.resize(self.cells.things().len(), Count::default());
        number
    }

    /// What another thread has counted: it walked other paths.
    pub(super) fn merge(&mut self, other: &Self) {
        for (cell, count) in other.cells.things().iter().zip(&other.counts) {
            let number = self.number(cell.clone());
            self.counts[number as usize].paths += count.paths;
        }
    }

    fn paths(&self, cell: &Cell) -> u64 {
        self.cells.find(cell).map_or(0, |number| self.counts[number as usize].paths)
    }

    /// What of a file is walked.
    pub(super) fn file(&self, outline: &Outline, walked: &WalkedCalls) -> WalkedFile {
        let name = &outline.source.name;
        let functions: Vec<WalkedFunction> = self.functions(outline).collect();
        let mut lines: BTreeMap<u32, u64> = functions.iter().map(|function| (function.line, function.paths)).collect();
        let places = outline.calls.iter().map(|call| &call.site).chain(&outline.steps);
        let known = places.map(|site| site.line);
        let met = self.cells.things().iter().filter_map(|cell| match cell {
            Cell::Line(file, line) if file == name && *line > 0 => Some(*line),
            _ => None,
        });
        for line in known.chain(met) {
            let paths = lines.entry(line).or_default();
            *paths = (*paths).max(self.paths(&Cell::Line(name.clone(), line)));
        }
        let calls = outline.calls.iter().filter_map(|call| self.call(call, walked));
        let rollbacks = outline.rollbacks.iter().map(|back| {
            let ways = [("ran", true), ("did not run", false)];
            let ways = ways.map(|(way, ran)| (way.to_owned(), self.paths(&Cell::Rollback(back.site.clone(), ran))));
            self.fork(&back.site, ForkKind::Rollback, &back.title, ways.into())
        });
        let mut forks: Vec<WalkedFork> = calls.chain(rollbacks).chain(self.questions(name)).collect();
        forks.sort_by(|one, other| (&one.site, one.kind).cmp(&(&other.site, other.kind)));
        WalkedFile { name: name.clone(), text: outline.source.text.clone(), lines, functions, forks }
    }

    /// The functions of which something can be said: those with a call in them. Whether another one runs, nobody tells.
    fn functions(&self, outline: &Outline) -> impl Iterator<Item = WalkedFunction> {
        let tells = |function: &OutlinedFunction| {
            let mut sites = outline.calls.iter().map(|call| &call.site).chain(&outline.steps);
            sites.any(|site| encloses(function, site))
        };
        let name = &outline.source.name;
        outline.functions.iter().enumerate().filter(move |(_, function)| tells(function)).map(|(n, function)| {
            let paths = self.paths(&Cell::Function(name.clone(), n));
            WalkedFunction { name: function.name.clone(), line: function.first, paths }
        })
    }

    /// A call with its cases; none where what is inside of it decides how it ends.
    fn call(&self, call: &OutlinedCall, walked: &WalkedCalls) -> Option<WalkedFork> {
        let way = |case: &'static str| (case.to_owned(), self.paths(&Cell::Way(call.site.clone(), case)));
        let ways: Vec<_> = match walked.get(&call.site) {
            Some(seen) => {
                let mut cases: Vec<_> = seen.cases.iter().map(|(case, (order, _))| (*order, *case)).collect();
                cases.sort_unstable();
                cases.into_iter().map(|(_, case)| way(case)).collect()
            }
            None => call.cases.iter().copied().map(way).collect(),
        };
        (!ways.is_empty()).then(|| self.fork(&call.site, ForkKind::Call, call.primitive, ways))
    }

    /// The comparisons of a file at which paths part, one for each place.
    fn questions(&self, name: &Arc<str>) -> impl Iterator<Item = WalkedFork> {
        let mut asked: BTreeMap<&Site, &Arc<str>> = BTreeMap::new();
        for cell in self.cells.things() {
            if let Cell::Question(site, condition) = cell
                && site.file == *name
            {
                let told = asked.entry(site).or_insert(condition);
                *told = (*told).min(condition);
            }
        }
        asked.into_iter().map(|(site, condition)| {
            let ways = ["yes", "no"].map(|way| (way.to_owned(), self.paths(&Cell::Way(site.clone(), way))));
            self.fork(site, ForkKind::Question, condition, ways.into())
        })
    }

    fn fork(&self, site: &Site, kind: ForkKind, what: &str, ways: Vec<(String, u64)>) -> WalkedFork {
        let paths = self.paths(&Cell::Fork(site.clone()));
        WalkedFork { site: site.clone(), kind, what: what.to_owned(), paths, ways }
    }
}

/// Whether a place lies inside a function.
fn encloses(function: &OutlinedFunction, site: &Site) -> bool {
    (function.first..=function.last).contains(&site.line)
}
