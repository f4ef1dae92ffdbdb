//! Trees as boxes and arrows.

use std::collections::{BTreeMap, BTreeSet};

use super::super::drawing::{Arrow, Drawing, Drawn, FromRun, To, Whole};
use crate::model::{
    Ends, Gravity, Happening, HappeningKind, ImpactKind, Manner, Mood, PathEnd, PathTree, Room, RoomKind, Site,
    TreeNode, TreeWay,
};

/// A node: what happens, and where its ways lead; or how it ends.
pub(super) enum Node<'a> {
    Goes(&'a str, &'a [usize]),
    Ends(Ends, &'a [&'a str]),
}
use Node::{Ends as End, Goes};

/// A tree of these nodes, each of which leads to later ones only.
pub(super) fn tree(nodes: &[Node]) -> PathTree {
    let mut tree = PathTree { nodes: Vec::new(), ..PathTree::default() };
    let mut paths: BTreeMap<usize, (u64, Gravity)> = BTreeMap::new();
    for (number, node) in nodes.iter().enumerate().rev() {
        let made = match node {
            Goes(text, to) => {
                let site =
                    Site { file: "runbooks/a.rhai".into(), line: u32::try_from(number).expect("few"), column: 1 };
                let kind = HappeningKind::Call(ImpactKind::Look);
                tree.happenings.push(Happening { site, kind, text: (*text).into(), room: None });
                let way = |(n, to): (usize, &usize)| {
                    let case = if n == 0 { "pass" } else { "fail" };
                    let mood = if n == 0 { Mood::Fine } else { Mood::Failed };
                    let manner = Manner { order: u16::try_from(n).expect("few"), case, text: case, mood };
                    TreeWay { happening: tree.happenings.len() - 1, manner, to: *to }
                };
                let ways = to.iter().enumerate().map(way).collect();
                let known = to.iter().map(|to| paths[to]);
                let worst = known.clone().map(|(_, worst)| worst).max().expect("it leads somewhere");
                TreeNode::Fork { paths: known.map(|(paths, _)| paths).sum(), worst, ways }
            }
            End(ends, breaks) => TreeNode::End(PathEnd {
                ends: *ends,
                cancelled: false,
                breaks: breaks.iter().map(|name| (*name).into()).collect(),
                waived: Vec::new(),
            }),
        };
        paths.insert(number, (made.paths(), made.worst()));
        tree.nodes.insert(0, made);
    }
    tree
}

/// The boxes as text: their lines, and where they lead.
fn told(drawing: &Drawing) -> Vec<String> {
    let told = |drawn: &Drawn| {
        let lines: Vec<_> = drawn.lines.iter().map(|(happening, _)| drawing.text(*happening)).collect();
        let arrows = drawn.arrows.iter().map(|arrow| {
            let how: Vec<_> = arrow.manners.iter().map(|manner| manner.text).collect();
            let to = match &arrow.to {
                To::Box(to) => to.to_string(),
                To::End(end) => format!("{:?}", end.ends),
                To::Folded => "…".to_owned(),
            };
            format!("{} {to} {}", how.join("+"), arrow.paths())
        });
        format!("{}: {}", lines.join(" "), arrows.collect::<Vec<_>>().join(", "))
    };
    drawing.boxes.iter().map(told).collect()
}

#[test]
fn what_can_go_only_one_way_is_one_box() {
    let tree = tree(&[
        Goes("a", &[1]),
        Goes("b", &[2, 2]),
        Goes("c", &[3, 4]),
        End(Ends::Well, &[]),
        End(Ends::Restored, &[]),
    ]);
    let drawing = Drawing::of(&Whole::of(&tree), 100);
    assert_eq!(told(&drawing), ["a b c: pass Well 2, fail Restored 2"]);
    assert_eq!((drawing.whole, drawing.shown), (3, 3));
}

#[test]
fn ways_to_the_same_place_are_one_arrow_and_shared_places_one_box() {
    let tree = tree(&[
        Goes("a", &[1, 2, 2]),
        Goes("b", &[3, 4]),
        Goes("c", &[3, 5]),
        Goes("d", &[4, 5]),
        End(Ends::Well, &[]),
        End(Ends::Restored, &[]),
    ]);
    let expected = [
        "a: pass 1 3, fail+fail 2 6",
        "b: pass 3 2, fail Well 1",
        "c: pass 3 4, fail Restored 2",
        "d: pass Well 3, fail Restored 3",
    ];
    assert_eq!(told(&Drawing::of(&Whole::of(&tree), 100)), expected);
}

#[test]
fn what_a_run_has_behind_it_is_one_box_and_its_place_begins_another() {
    let nodes = [
        Goes("a", &[1]),
        Goes("b", &[2]),
        Goes("c", &[3]),
        Goes("d", &[4, 5]),
        End(Ends::Well, &[]),
        End(Ends::LeftChanged, &[]),
    ];
    let mut tree = PathTree { here: Some(2), ..tree(&nodes) };
    let site = Site { file: "runbooks/a.rhai".into(), line: 1, column: 1 };
    tree.rooms.push(Room { site, kind: RoomKind::Step, title: "Close".into(), within: None });
    let b = tree.happenings.iter().position(|what| &*what.text == "b").expect("it happens");
    tree.happenings[b].room = Some(0);
    for at_most in [0, 100] {
        let drawing = Drawing::of(&Whole::of(&tree), at_most);
        assert_eq!(told(&drawing), ["a b: pass 1 2", "c d: pass Well 1, fail LeftChanged 1"], "{at_most}");
        let stands: Vec<_> = drawing.boxes.iter().map(|drawn| (drawn.from_run, drawn.room)).collect();
        assert_eq!(stands, [(FromRun::Past, None), (FromRun::Here, None)]);
        assert_eq!((drawing.here(), tree.bad()), (Some(1), 1));
    }
    let nowhere = PathTree { here: None, ..tree };
    assert_eq!(Drawing::of(&Whole::of(&nowhere), 100).here(), None);
}

#[test]
fn a_run_that_has_recorded_nothing_stands_at_the_beginning() {
    let nodes = [Goes("a", &[1, 2]), End(Ends::Well, &[]), End(Ends::Restored, &[])];
    let tree = PathTree { here: Some(0), ..tree(&nodes) };
    assert_eq!(Drawing::of(&Whole::of(&tree), 0).here(), Some(0));
}

/// A tree of so many levels, each place of which leads to two others of its own. One path breaks an invariant: always the second way.
pub(super) fn wide(levels: usize) -> PathTree {
    let first_end = 2_usize.pow(u32::try_from(levels).expect("few")) - 1;
    let names: Vec<String> = (0..first_end).map(|n| format!("place {n}")).collect();
    let ways: Vec<[usize; 2]> = (0..first_end).map(|n| [2 * n + 1, 2 * n + 2]).collect();
    let inner = names.iter().zip(&ways).map(|(name, ways)| Goes(name, ways));
    let last = 2 * first_end;
    let ends = (first_end..=last).map(|n| match n {
        n if n == last => End(Ends::LeftChanged, &["told"]),
        n if n % 2 == 0 => End(Ends::Restored, &[]),
        _ => End(Ends::Well, &[]),
    });
    tree(&inner.chain(ends).collect::<Vec<_>>())
}

#[test]
fn what_is_too_much_is_folded_and_no_path_is_lost() {
    let tree = wide(9);
    for at_most in [0, 1, 20, 50, 200, 511 + 512] {
        let drawing = Drawing::of(&Whole::of(&tree), at_most);
        let over: u64 = drawing
            .boxes
            .iter()
            .flat_map(|drawn| &drawn.arrows)
            .filter(|arrow| !matches!(arrow.to, To::Box(_)))
            .map(Arrow::paths)
            .sum();
        assert_eq!(over, 512, "every path ends in the drawing, or is counted in a fold");
        let broken = |to: &To| matches!(to, To::End(end) if !end.breaks.is_empty());
        assert!(drawing.boxes.iter().flat_map(|drawn| &drawn.arrows).any(|arrow| broken(&arrow.to)), "{at_most}");
        let folds = drawing.boxes.iter().flat_map(|drawn| &drawn.arrows).filter(|arrow| arrow.to == To::Folded).count();
        assert!(drawing.shown + folds <= at_most.max(9 + 2 + 9), "{at_most}: {} and {folds}", drawing.shown);
        assert_eq!(drawing.whole, 511 + 512);
        let marked = drawing.boxes.iter().flat_map(|drawn| &drawn.arrows).filter(|arrow| arrow.marked).count();
        assert_eq!(marked, 9, "the way to the broken invariant");
    }
    assert_eq!(Drawing::of(&Whole::of(&tree), 511 + 512).folded(), 0);
}

#[test]
fn what_lies_near_the_beginning_is_shown_first() {
    let tree = wide(9);
    let drawing = Drawing::of(&Whole::of(&tree), 60);
    let shown: BTreeSet<&str> = drawing.boxes.iter().map(|drawn| drawing.text(drawn.lines[0].0)).collect();
    assert!((0..7).all(|n| shown.contains(format!("place {n}").as_str())), "{shown:?}");
}
