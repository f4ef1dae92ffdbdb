//! Paths that begin alike become a tree whose equal parts are one.

use std::collections::HashMap;

use crate::model::{Gravity, Happening, Manner, Mood, PathEnd, PathTree, Room, TreeNode, TreeWay};

use super::Symbol;
use super::intern::ordered;
use super::trie::{ROOT, Trie};

/// Behind the end of a path.
const NOTHING: u32 = u32::MAX;

/// A symbol, called the same whichever thread saw it first. The order is that in which ways are shown: the likely one first.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Step {
    Event(u16, usize, Manner),
    End(PathEnd),
}

/// The tree of all paths of a trie, and the place of it that is meant. It depends on the paths alone, not on the order in which anything was found.
pub(super) fn share(
    rooms: &[Room],
    happenings: &[Happening],
    symbols: &[Symbol],
    (trie, here): (&Trie, Option<u32>),
) -> PathTree {
    let (room_numbers, rooms) = ordered_rooms(rooms);
    let placed =
        |happening: &Happening| Happening { room: happening.room.map(|room| room_numbers[room]), ..happening.clone() };
    let (happening_numbers, happenings) = ordered(&happenings.iter().map(placed).collect::<Vec<_>>());
    let step = |symbol: &Symbol| match symbol {
        Symbol::Event(happening, manner) => Step::Event(manner.order, happening_numbers[*happening as usize], *manner),
        Symbol::End(end) => Step::End(end.clone()),
    };
    let (ranks, steps) = ordered(&symbols.iter().map(step).collect::<Vec<_>>());
    let mut sharing = Sharing::default();
    // Whatever comes behind a place has a greater number: it is known already.
    let mut known = vec![NOTHING; trie.len()];
    for place in (ROOT..u32::try_from(trie.len()).unwrap_or(NOTHING)).rev() {
        let mut ways: Vec<(u32, u32)> = trie
            .behind(place)
            .map(|(symbol, place)| (u32::try_from(ranks[symbol as usize]).unwrap_or(NOTHING), known[place as usize]))
            .collect();
        if !ways.is_empty() {
            ways.sort_unstable();
            known[place as usize] = sharing.node(ways, &steps);
        }
    }
    let root = known[ROOT as usize];
    let mut shared = PathTree { rooms, happenings, nodes: sharing.nodes, root: 0, here: None };
    if root != NOTHING {
        shared.root = root as usize;
        shared.here = here.map(|place| known[place as usize] as usize);
        renumber(&mut shared);
    }
    shared
}

/// Rooms in the order of their places, those around others first.
fn ordered_rooms(rooms: &[Room]) -> (Vec<usize>, Vec<Room>) {
    let lineage = |room: &Room| {
        let around = std::iter::successors(Some(room), |room| room.within.map(|within| &rooms[within]));
        let mut lineage: Vec<Room> = around.map(|room| Room { within: None, ..room.clone() }).collect();
        lineage.reverse();
        lineage
    };
    let (numbers, _) = ordered(&rooms.iter().map(lineage).collect::<Vec<_>>());
    let mut sorted = rooms.to_vec();
    for (room, number) in rooms.iter().zip(&numbers) {
        sorted[*number] = Room { within: room.within.map(|within| numbers[within]), ..room.clone() };
    }
    (numbers, sorted)
}

/// The nodes so far, each different from all others.
#[derive(Default)]
struct Sharing {
    nodes: Vec<TreeNode>,
    known: HashMap<Vec<(u32, u32)>, u32>,
}

impl Sharing {
    /// The node with these ways.
    fn node(&mut self, ways: Vec<(u32, u32)>, steps: &[Step]) -> u32 {
        if let Some(known) = self.known.get(&ways) {
            return *known;
        }
        let node = match (&ways[..], ways.first().map(|(rank, _)| &steps[*rank as usize])) {
            ([_], Some(Step::End(end))) => TreeNode::End(end.clone()),
            _ => self.fork(&ways, steps),
        };
        self.nodes.push(node);
        let number = u32::try_from(self.nodes.len() - 1).unwrap_or(NOTHING);
        self.known.insert(ways, number);
        number
    }

    fn fork(&mut self, ways: &[(u32, u32)], steps: &[Step]) -> TreeNode {
        let mut found: Vec<TreeWay> = Vec::with_capacity(ways.len());
        for (rank, to) in ways {
            found.push(match &steps[*rank as usize] {
                Step::Event(_, happening, manner) => {
                    TreeWay { happening: *happening, manner: *manner, to: *to as usize }
                }
                // Of two paths neither goes on where the other one ends; if one ever does, it is shown and not lost.
                Step::End(_) => {
                    let happening = found.first().map_or(0, |way| way.happening);
                    TreeWay { happening, manner: OVER, to: self.node(vec![(*rank, NOTHING)], steps) as usize }
                }
            });
        }
        let nodes = found.iter().map(|way| &self.nodes[way.to]);
        let paths = nodes.clone().map(TreeNode::paths).sum();
        let worst = nodes.map(TreeNode::worst).max().unwrap_or(Gravity::Well);
        TreeNode::Fork { paths, worst, ways: found }
    }
}

/// The path is over.
const OVER: Manner = Manner { order: u16::MAX, case: "", text: "the path is over", mood: Mood::Fine };

/// Numbers the nodes so that each comes before those it leads to, and what is likely before what is not.
fn renumber(tree: &mut PathTree) {
    let mut numbers = vec![usize::MAX; tree.nodes.len()];
    let (mut left, mut open) = (Vec::with_capacity(tree.nodes.len()), vec![(tree.root, 0)]);
    numbers[tree.root] = 0;
    // Each node is left behind all that it leads to, its last way first: the other way round is the order wanted.
    while let Some((node, seen)) = open.pop() {
        match tree.nodes[node].ways().iter().rev().nth(seen) {
            None => left.push(node),
            Some(way) => {
                open.push((node, seen + 1));
                if numbers[way.to] == usize::MAX {
                    numbers[way.to] = 0;
                    open.push((way.to, 0));
                }
            }
        }
    }
    let order: Vec<usize> = left.into_iter().rev().collect();
    order.iter().enumerate().for_each(|(number, node)| numbers[*node] = number);
    let mut nodes = std::mem::take(&mut tree.nodes).into_iter().map(Some).collect::<Vec<_>>();
    tree.nodes = order.iter().filter_map(|node| nodes[*node].take()).collect();
    for node in &mut tree.nodes {
        if let TreeNode::Fork { ways, .. } = node {
            for way in ways {
                way.to = numbers[way.to];
            }
        }
    }
    tree.root = 0;
    tree.here = tree.here.map(|here| numbers[here]);
}

#[cfg(test)]
mod tests {
    use super::super::intern::Intern;
    use super::*;
    use crate::model::{Ends, HappeningKind, ImpactKind, Site};

    /// Paths, each as what happens on it: `a0` is the likely way of `a`. The last character tells how it ends: `.` well, `!` left.
    fn tree(paths: &[&str]) -> PathTree {
        let (mut happenings, mut symbols, mut trie) = (Intern::default(), Intern::default(), Trie::default());
        for path in paths {
            let (events, end) = path.split_at(path.len() - 1);
            let mut numbers: Vec<u32> = events
                .as_bytes()
                .chunks(2)
                .map(|event| {
                    let site = Site { file: "a.rhai".into(), line: u32::from(event[0]), column: 1 };
                    let kind = HappeningKind::Call(ImpactKind::Look);
                    let happening = happenings.number(Happening {
                        site,
                        kind,
                        text: char::from(event[0]).to_string().into(),
                        room: None,
                    });
                    let manner = Manner { order: u16::from(event[1] - b'0'), case: "", text: "", mood: Mood::Fine };
                    symbols.number(Symbol::Event(happening, manner))
                })
                .collect();
            let ends = if end == "." { Ends::Well } else { Ends::LeftChanged };
            numbers.push(symbols.number(Symbol::End(PathEnd {
                ends,
                cancelled: false,
                breaks: vec![],
                waived: vec![],
            })));
            trie.add(numbers);
        }
        share(&[], happenings.things(), symbols.things(), (&trie, None))
    }

    fn told(tree: &PathTree) -> Vec<String> {
        let told = |node: &TreeNode| match node {
            TreeNode::End(end) => format!("{:?}", end.ends),
            TreeNode::Fork { paths, ways, .. } => {
                let ways = ways.iter().map(|way| format!("{}→{}", way.manner.order, way.to)).collect::<Vec<_>>();
                format!("{} {paths}: {}", tree.happenings[ways_of(node)].text, ways.join(" "))
            }
        };
        tree.nodes.iter().map(told).collect()
    }

    fn ways_of(node: &TreeNode) -> usize {
        node.ways()[0].happening
    }

    #[test]
    fn equal_subtrees_are_one() {
        let paths = ["a0b0.", "a0b1!", "a1b0.", "a1b1!", "a2!"];
        let expected = ["a 5: 0→1 1→1 2→3", "b 2: 0→2 1→3", "Well", "LeftChanged"];
        assert_eq!(told(&tree(&paths)), expected);
    }

    #[test]
    fn the_order_in_which_paths_were_found_does_not_matter() {
        let mut paths = vec!["a0b0c0.", "a0b0c1!", "a0b1.", "a1c0.", "a1c1!", "a2b0c0.", "a2b0c1!"];
        let first = tree(&paths);
        for _ in 0..paths.len() {
            paths.rotate_left(1);
            assert_eq!(tree(&paths), first);
            paths.swap(0, 3);
            assert_eq!(tree(&paths), first);
        }
        assert_eq!(first.nodes[first.root].paths(), 7);
    }

    #[test]
    fn every_node_comes_before_those_it_leads_to() {
        let tree = tree(&["a0b0c0.", "a0c1!", "a1d0c0.", "a1d1!", "a2c0."]);
        for (number, node) in tree.nodes.iter().enumerate() {
            assert!(node.ways().iter().all(|way| way.to > number), "{:?}", told(&tree));
        }
    }

    #[test]
    fn what_is_bad_is_seen_from_the_root() {
        let tree = tree(&["a0b0.", "a0b1!", "a1."]);
        assert_eq!(tree.nodes[tree.root].worst(), Gravity::Left);
    }

    #[test]
    fn a_path_on_which_nothing_happens_is_a_path() {
        assert_eq!(told(&tree(&["."])), ["Well"]);
        assert_eq!(tree(&[]).nodes, []);
    }

    #[test]
    fn a_path_that_another_one_goes_on_from_is_not_lost() {
        assert_eq!(tree(&["a0.", "a0b0."]).nodes[0].paths(), 2);
    }

    #[test]
    fn a_very_long_path_is_a_tree() {
        let long = format!("{}.", "a0".repeat(50_000));
        assert_eq!(tree(&[&long]).nodes.len(), 50_001);
    }
}
