//! The tree of paths as boxes and arrows: what can go only one way is one box, and what is too much is folded.

use std::collections::{BTreeMap, BTreeSet};

use crate::model::{Ends, Gravity, HappeningKind, Manner, Mood, PathEnd, PathTree, TreeNode};

use super::fold::{self, Shown};

/// How many paths end in each way.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Endings([u64; Ends::ALL.len()]);

impl Endings {
    /// All of them.
    pub(super) fn all(&self) -> u64 {
        self.0.iter().sum()
    }

    /// The ways in which some end, the best first.
    pub(super) fn iter(&self) -> impl DoubleEndedIterator<Item = (Ends, u64)> {
        Ends::ALL.into_iter().zip(self.0).filter(|(_, count)| *count > 0)
    }

    /// So many times as many more.
    fn add(&mut self, other: &Self, times: u64) {
        self.0.iter_mut().zip(other.0).for_each(|(count, other)| *count += other * times);
    }
}

/// The tree as it is drawn.
pub(super) struct Drawing<'a> {
    /// What it is a drawing of.
    pub(super) tree: &'a PathTree,
    /// The boxes that are shown, the first one first. Each comes before those it leads to. None where nothing happens at all.
    pub(super) boxes: Vec<Drawn>,
    /// How many boxes and ends the whole drawing has.
    pub(super) whole: usize,
    /// How many of them are shown.
    pub(super) shown: usize,
}

/// A box: things that happen one after the other, of which only the last may go several ways.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Drawn {
    /// The room in which all of them happen.
    pub(super) room: Option<usize>,
    /// What happens, and in which manners; of the last one the arrows tell how.
    pub(super) lines: Vec<(usize, Vec<Manner>)>,
    /// Where it goes from here, the likely way first; what is folded comes last.
    pub(super) arrows: Vec<Arrow>,
    /// On how many paths it stands.
    pub(super) paths: u64,
    /// Which of the arrows leads to where the runbook can still come to its end.
    pub(super) onward: Option<usize>,
    /// Where it stands, seen from the run whose ways on are drawn.
    pub(super) from_run: FromRun,
}

/// Where a box stands, seen from a run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum FromRun {
    /// It is recorded, all of it in one box.
    Past,
    /// The run stands at what happens first in this box.
    Here,
    /// It may come; or there is no run.
    Ahead,
}

/// A way from one box.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Arrow {
    /// In which manners the last thing in the box goes this way.
    pub(super) manners: Vec<Manner>,
    /// Where it leads.
    pub(super) to: To,
    /// How the paths end that take it.
    pub(super) endings: Endings,
    /// How badly the worst of them.
    pub(super) worst: Gravity,
    /// Whether it stands on the shortest path that breaks an invariant.
    pub(super) marked: bool,
}

/// Where an [`Arrow`] leads.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum To {
    /// To another box: its position.
    Box(usize),
    /// To the end of a path.
    End(PathEnd),
    /// To what is not shown.
    Folded,
}

impl Arrow {
    /// Both of them as one.
    fn with(mut self, other: Self) -> Self {
        self.manners.extend(other.manners);
        self.endings.add(&other.endings, 1);
        Self { worst: self.worst.max(other.worst), marked: self.marked || other.marked, ..self }
    }

    /// How many paths take it.
    pub(super) fn paths(&self) -> u64 {
        self.endings.all()
    }
}

impl<'a> Drawing<'a> {
    /// Draws a tree with so many boxes and ends at most. The shortest path to each kind of mistake and to each broken invariant is
    /// always shown.
    pub(super) fn of(whole: &Whole<'a>, at_most: usize) -> Self {
        let shown = fold::fold(whole, at_most);
        let position: BTreeMap<usize, usize> = shown.boxes.iter().enumerate().map(|(n, known)| (*known, n)).collect();
        let boxes = shown.boxes.iter().map(|known| whole.drawn(*known, &position, &shown)).collect();
        Drawing { tree: whole.tree, boxes, whole: whole.size(), shown: shown.size }
    }

    /// The box at which a run stands.
    pub(super) fn here(&self) -> Option<usize> {
        self.boxes.iter().position(|drawn| drawn.from_run == FromRun::Here)
    }

    /// How many boxes and ends are folded.
    pub(super) fn folded(&self) -> usize {
        self.whole - self.shown
    }

    /// What happens on a line of a box, without how it goes.
    pub(super) fn text(&self, happening: usize) -> &str {
        &self.tree.happenings[happening].text
    }

    /// Whether a box ends in a question.
    pub(super) fn asks(&self, drawn: &Drawn) -> bool {
        let last = drawn.lines.last().map(|(happening, _)| self.tree.happenings[*happening].kind);
        matches!(last, Some(HappeningKind::Question | HappeningKind::Branch))
    }
}

/// The whole tree as boxes, before anything is folded.
pub(super) struct Whole<'a> {
    pub(super) tree: &'a PathTree,
    pub(super) boxes: Vec<Chain>,
    /// On how many ways one comes to each node from the root.
    ways_to: Vec<u64>,
    endings: Vec<Endings>,
}

/// Nodes of the tree that follow each other.
pub(super) struct Chain {
    nodes: Vec<usize>,
    /// Where one comes from the last of them, and how.
    pub(super) ways: Vec<(Vec<Manner>, Goal)>,
    pub(super) from_run: FromRun,
}

/// What lies between the beginning and where a run stands, if that is one way.
fn past(tree: &PathTree) -> BTreeSet<usize> {
    let Some(here) = tree.here else { return BTreeSet::new() };
    let next = |node: &usize| match tree.nodes[*node].ways() {
        [only] if *node != here => Some(only.to),
        _ => None,
    };
    std::iter::successors(Some(tree.root), next).take_while(|node| *node != here).collect()
}

/// Where one comes to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Goal {
    Chain(usize),
    /// The end of a path: a node of the tree.
    End(usize),
}

/// From where one comes to a node.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Before {
    Nowhere,
    One(usize),
    Several,
}

impl Before {
    fn and(self, node: usize) -> Self {
        match self {
            Before::Nowhere => Before::One(node),
            Before::One(known) if known == node => self,
            _ => Before::Several,
        }
    }
}

impl<'a> Whole<'a> {
    /// The boxes of a tree.
    pub(super) fn of(tree: &'a PathTree) -> Self {
        let count = tree.nodes.len();
        let (mut ways_to, mut before) = (vec![0_u64; count], vec![Before::Nowhere; count]);
        if let Some(root) = ways_to.get_mut(tree.root) {
            *root = 1;
        }
        for (number, node) in tree.nodes.iter().enumerate() {
            for way in node.ways() {
                ways_to[way.to] += ways_to[number];
                before[way.to] = before[way.to].and(number);
            }
        }
        let mut endings = vec![Endings::default(); count];
        for (number, node) in tree.nodes.iter().enumerate().rev() {
            let mut known = Endings::default();
            if let TreeNode::End(end) = node {
                known.0[end.ends as usize] = 1;
            }
            node.ways().iter().for_each(|way| known.add(&endings[way.to], 1));
            endings[number] = known;
        }
        let mut whole = Whole { tree, boxes: Vec::new(), ways_to, endings };
        whole.chain(&before);
        whole
    }

    /// Makes boxes of the nodes.
    fn chain(&mut self, before: &[Before]) {
        let tree = self.tree;
        let room = |node: usize| tree.nodes[node].ways().first().and_then(|way| tree.happenings[way.happening].room);
        let past = past(tree);
        // The node that follows, where there is but one, one comes to it from nowhere else, and it lies in the same room. What is past
        // stands by itself, wherever it happened.
        let next = |node: usize| {
            let ways = tree.nodes[node].ways();
            let to = ways.first()?.to;
            let one = ways.iter().all(|way| way.to == to) && before[to] == Before::One(node);
            let together = past.contains(&to) || room(node) == room(to) && tree.here != Some(to);
            (one && !tree.nodes[to].ways().is_empty() && together).then_some(to)
        };
        let mut box_of = vec![usize::MAX; tree.nodes.len()];
        for node in 0..tree.nodes.len() {
            if box_of[node] == usize::MAX && !tree.nodes[node].ways().is_empty() {
                let nodes: Vec<usize> = std::iter::successors(Some(node), |node| next(*node)).collect();
                for node in &nodes {
                    box_of[*node] = self.boxes.len();
                }
                let from_run = match node {
                    node if tree.here == Some(node) => FromRun::Here,
                    node if past.contains(&node) => FromRun::Past,
                    _ => FromRun::Ahead,
                };
                self.boxes.push(Chain { nodes, ways: Vec::new(), from_run });
            }
        }
        for chain in &mut self.boxes {
            let last = chain.nodes.last().map_or(&[][..], |last| tree.nodes[*last].ways());
            for way in last {
                let goal = match tree.nodes[way.to] {
                    TreeNode::End(_) => Goal::End(way.to),
                    TreeNode::Fork { .. } => Goal::Chain(box_of[way.to]),
                };
                match chain.ways.iter_mut().find(|(_, known)| *known == goal) {
                    Some((manners, _)) => manners.push(way.manner),
                    None => chain.ways.push((vec![way.manner], goal)),
                }
            }
        }
    }

    /// How many boxes and ends there are; an end is drawn once for each box that leads to it.
    fn size(&self) -> usize {
        self.boxes.iter().map(Chain::size).sum()
    }

    fn node(&self, goal: Goal) -> usize {
        match goal {
            Goal::Chain(chain) => self.boxes[chain].nodes[0],
            Goal::End(node) => node,
        }
    }

    /// How badly the worst path ends that comes here.
    pub(super) fn worst(&self, goal: Goal) -> Gravity {
        self.tree.nodes[self.node(goal)].worst()
    }

    /// Whether a path that comes here can end well.
    pub(super) fn can_end_well(&self, goal: Goal) -> bool {
        self.endings[self.node(goal)].0[Ends::Well as usize] > 0
    }

    /// How the path ends, if it is over here.
    pub(super) fn end(&self, goal: Goal) -> Option<&PathEnd> {
        match &self.tree.nodes[self.node(goal)] {
            TreeNode::End(end) => Some(end),
            TreeNode::Fork { .. } => None,
        }
    }

    /// The way from a box on which the runbook can still come to its end; otherwise the likely one.
    pub(super) fn onward(&self, chain: usize) -> Option<usize> {
        let ways = &self.boxes[chain].ways;
        ways.iter().position(|(_, goal)| self.can_end_well(*goal)).or((!ways.is_empty()).then_some(0))
    }

    fn drawn(&self, chain: usize, position: &BTreeMap<usize, usize>, shown: &Shown) -> Drawn {
        let Chain { nodes, ways, from_run } = &self.boxes[chain];
        let (first, last) = (nodes[0], nodes[nodes.len() - 1]);
        let mut arrows: Vec<Arrow> = Vec::new();
        let (mut folded, mut onward) = (None::<Arrow>, None);
        for (n, (manners, goal)) in ways.iter().enumerate() {
            let to = match goal {
                Goal::Chain(chain) => position.get(chain).map_or(To::Folded, |shown| To::Box(*shown)),
                Goal::End(_) => self.end(*goal).map_or(To::Folded, |end| To::End(end.clone())),
            };
            let times = u64::try_from(manners.len()).unwrap_or(1) * self.ways_to[last];
            let mut endings = Endings::default();
            endings.add(&self.endings[self.node(*goal)], times);
            let arrow = Arrow {
                manners: manners.clone(),
                endings,
                worst: self.worst(*goal),
                marked: shown.marked.contains(&(chain, n)),
                to,
            };
            if arrow.to == To::Folded {
                folded = Some(folded.map_or(arrow.clone(), |folded| folded.with(arrow)));
                continue;
            }
            if self.onward(chain) == Some(n) {
                onward = Some(arrows.len());
            }
            arrows.push(arrow);
        }
        arrows.extend(folded);
        let lines = nodes.iter().filter_map(|node| {
            let ways = self.tree.nodes[*node].ways();
            Some((ways.first()?.happening, ways.iter().map(|way| way.manner).collect()))
        });
        let lines: Vec<(usize, Vec<Manner>)> = lines.collect();
        let room = lines.first().and_then(|(happening, _)| self.tree.happenings[*happening].room);
        let room = room.filter(|_| *from_run != FromRun::Past);
        let paths = self.ways_to[first] * self.tree.nodes[first].paths();
        Drawn { room, lines, arrows, paths, onward, from_run: *from_run }
    }
}

impl Chain {
    /// How much is drawn for it: itself, and the ends that it leads to.
    pub(super) fn size(&self) -> usize {
        1 + self.ways.iter().filter(|(_, goal)| matches!(goal, Goal::End(_))).count()
    }

    /// The boxes that it leads to.
    pub(super) fn next(&self) -> impl Iterator<Item = usize> {
        self.ways.iter().filter_map(|(_, goal)| match goal {
            Goal::Chain(chain) => Some(*chain),
            Goal::End(_) => None,
        })
    }
}

/// Whether a manner is none that one would hope for.
pub(super) fn is_failure(manner: &Manner) -> bool {
    matches!(manner.mood, Mood::Failed | Mood::Applied | Mood::Cancelled | Mood::InDoubt)
}
