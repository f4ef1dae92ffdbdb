//! Which boxes of a drawing are shown, when there are too many: those near the beginning, and those from which it ends badly.

use std::cmp::Reverse;
use std::collections::{BTreeSet, BinaryHeap};
use std::sync::Arc;

use crate::model::{Ends, Gravity, PathEnd};

use super::drawing::{FromRun, Goal, Whole};

/// What is shown.
pub(super) struct Shown {
    /// The boxes, in their order.
    pub(super) boxes: Vec<usize>,
    /// How many boxes and ends these are.
    pub(super) size: usize,
    /// The ways, by their boxes and positions, that stand on the shortest path to something that must not be.
    pub(super) marked: BTreeSet<(usize, usize)>,
}

/// So much deeper a box counts as lying from which nothing worse comes than this.
fn deeper(worst: Gravity) -> usize {
    match worst {
        Gravity::Broken | Gravity::Stuck => 0,
        Gravity::Left => 2,
        Gravity::Restored | Gravity::Well => 4,
    }
}

/// Chooses what is shown, of `at_most` boxes, ends and folds; more only where what is always shown is more.
pub(super) fn fold(whole: &Whole, at_most: usize) -> Shown {
    let mut marked = BTreeSet::new();
    for wanted in what_must_not_be(whole) {
        marked.extend(shortest(whole, &wanted).unwrap_or_default());
    }
    let mut growing = Growing::new(whole);
    if !whole.boxes.is_empty() {
        growing.show(0);
    }
    for (chain, _) in &marked {
        growing.show(*chain);
    }
    // With nothing but the past before it.
    if let Some(here) = whole.boxes.iter().position(|chain| chain.from_run == FromRun::Here) {
        growing.show(here);
    }
    for chain in spine(whole) {
        if growing.drawn + growing.cost(chain) > at_most {
            break;
        }
        growing.show(chain);
    }
    growing.fill(at_most);
    let boxes: Vec<usize> = (0..whole.boxes.len()).filter(|chain| growing.shown[*chain]).collect();
    Shown { size: boxes.iter().map(|chain| whole.boxes[*chain].size()).sum(), boxes, marked }
}

/// The boxes on which the runbook comes to its end.
fn spine(whole: &Whole) -> Vec<usize> {
    let onward = |chain: &usize| match whole.boxes[*chain].ways[whole.onward(*chain)?].1 {
        Goal::Chain(next) => Some(next),
        Goal::End(_) => None,
    };
    std::iter::successors((!whole.boxes.is_empty()).then_some(0), onward).collect()
}

type Wanted = Box<dyn Fn(&PathEnd) -> bool>;

/// Broken invariants, and mistakes of each kind.
fn what_must_not_be(whole: &Whole) -> Vec<Wanted> {
    let goals = whole.boxes.iter().flat_map(|chain| &chain.ways).map(|(_, goal)| *goal);
    let ends: BTreeSet<&PathEnd> = goals.filter_map(|goal| whole.end(goal)).collect();
    let broken: BTreeSet<Arc<str>> = ends.iter().flat_map(|end| end.breaks.iter().cloned()).collect();
    let stuck: BTreeSet<Ends> = ends.iter().filter(|end| end.gravity() == Gravity::Stuck).map(|end| end.ends).collect();
    let broken =
        broken.into_iter().map(|invariant| Box::new(move |end: &PathEnd| end.breaks.contains(&invariant)) as Wanted);
    broken.chain(stuck.into_iter().map(|ends| Box::new(move |end: &PathEnd| end.ends == ends) as Wanted)).collect()
}

/// The shortest path to such an end: the boxes, and which of their ways.
fn shortest(whole: &Whole, wanted: &Wanted) -> Option<Vec<(usize, usize)>> {
    let mut best: Vec<Option<(usize, usize)>> = vec![None; whole.boxes.len()];
    // Whatever a box leads to comes behind it.
    for chain in (0..whole.boxes.len()).rev() {
        let far = |goal: &Goal| match goal {
            Goal::Chain(next) => best[*next].map(|(far, _)| far + 1),
            Goal::End(_) => whole.end(*goal).is_some_and(wanted).then_some(0),
        };
        let ways = whole.boxes[chain].ways.iter().enumerate();
        best[chain] = ways.filter_map(|(way, (_, goal))| Some((far(goal)?, way))).min();
    }
    let (mut path, mut at) = (Vec::new(), 0);
    loop {
        let (_, way) = (*best.get(at)?)?;
        path.push((at, way));
        match whole.boxes[at].ways[way].1 {
            Goal::Chain(next) => at = next,
            Goal::End(_) => return Some(path),
        }
    }
}

/// What is shown so far.
struct Growing<'a> {
    whole: &'a Whole<'a>,
    shown: Vec<bool>,
    /// How many of the boxes that each leads to are not.
    hidden: Vec<usize>,
    before: Vec<Vec<usize>>,
    depth: Vec<usize>,
    /// How much is drawn: boxes, ends, and one fold for each box that leads to some that are not shown.
    drawn: usize,
}

impl<'a> Growing<'a> {
    fn new(whole: &'a Whole<'a>) -> Self {
        let count = whole.boxes.len();
        let (mut before, mut depth) = (vec![Vec::new(); count], vec![usize::MAX; count]);
        if let Some(root) = depth.first_mut() {
            *root = 0;
        }
        for (number, chain) in whole.boxes.iter().enumerate() {
            for next in chain.next() {
                before[next].push(number);
                depth[next] = depth[next].min(depth[number].saturating_add(1));
            }
        }
        let hidden = whole.boxes.iter().map(|chain| chain.next().count()).collect();
        Growing { whole, shown: vec![false; count], hidden, before, depth, drawn: 0 }
    }

    /// How much more is drawn when this box is shown.
    fn cost(&self, chain: usize) -> usize {
        if self.shown[chain] {
            return 0;
        }
        let own = self.whole.boxes[chain].size() + usize::from(self.hidden[chain] > 0);
        let unfolded = self.before[chain].iter().filter(|before| self.shown[**before] && self.hidden[**before] == 1);
        own.saturating_sub(unfolded.count())
    }

    fn show(&mut self, chain: usize) {
        if self.shown[chain] {
            return;
        }
        // A box without a fold may become smaller than it was counted to be, never larger.
        let unfolded = self.before[chain].iter().filter(|before| self.shown[**before] && self.hidden[**before] == 1);
        self.drawn -= unfolded.count();
        self.drawn += self.whole.boxes[chain].size() + usize::from(self.hidden[chain] > 0);
        self.shown[chain] = true;
        for before in &self.before[chain] {
            self.hidden[*before] -= 1;
        }
    }

    /// Shows more, the nearest and the worst first, until there is no room.
    fn fill(&mut self, at_most: usize) {
        let rank = |growing: &Self, chain: usize| {
            Reverse((growing.depth[chain] + deeper(growing.whole.worst(Goal::Chain(chain))), chain))
        };
        let mut open = BinaryHeap::new();
        for chain in 0..self.whole.boxes.len() {
            if self.shown[chain] {
                open.extend(self.whole.boxes[chain].next().map(|next| rank(self, next)));
            }
        }
        while let Some(Reverse((_, chain))) = open.pop() {
            if self.shown[chain] {
                continue;
            }
            if self.drawn + self.cost(chain) > at_most {
                return;
            }
            self.show(chain);
            open.extend(self.whole.boxes[chain].next().map(|next| rank(self, next)));
        }
    }
}
