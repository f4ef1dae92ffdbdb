//! The tree of all paths of a runbook, with equal parts shared.

use std::sync::Arc;

use serde::Serialize;

use super::{ImpactKind, Site};

/// Every path that was walked, merged where they begin alike, and shared where they go on alike.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct PathTree {
    /// The parts of the runbook in which something happens.
    pub rooms: Vec<Room>,
    /// What happens.
    pub happenings: Vec<Happening>,
    /// The places of the tree. What is equal behind two of them is one.
    pub nodes: Vec<TreeNode>,
    /// Where every path begins.
    pub root: usize,
    /// Where a run stands, if these are the paths on which it can go on. What is recorded lies before it.
    pub here: Option<usize>,
}

/// A part of the runbook that is entered and left.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Room {
    /// Where it stands.
    pub site: Site,
    /// What it is.
    pub kind: RoomKind,
    /// Its title.
    pub title: Arc<str>,
    /// The room around it: its position among the rooms.
    pub within: Option<usize>,
}

/// What a [`Room`] is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum RoomKind {
    /// A step.
    Step,
    /// The rollback of a step.
    Rollback,
    /// A runbook that another one calls.
    Child,
    /// A branch of a `parallel`; its title is the item.
    Branch,
    /// The block of a `during`.
    During,
}

/// Something that happens at a place of the runbook, and may go several ways.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Happening {
    /// Where it stands.
    pub site: Site,
    /// What it is.
    pub kind: HappeningKind,
    /// As people say it: `maintenance web on`.
    pub text: Arc<str>,
    /// The room in which it happens: its position among the rooms.
    pub room: Option<usize>,
}

/// What a [`Happening`] is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum HappeningKind {
    /// A call of a primitive.
    Call(ImpactKind),
    /// A comparison with a value that nobody knows.
    Question,
    /// A branch of a `parallel`, behind one that failed: it has run, or has not begun.
    Branch,
    /// A rollback begins.
    Rollback,
    /// A point of no return is passed.
    NoReturn,
    /// Updates are sent from here on.
    Updates,
}

/// One of the ways that a [`Happening`] can go.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Manner {
    /// Its position among all ways at this place: the likely one is 0.
    pub order: u16,
    /// The case's name, as `--assume` takes it where it is one of a call.
    pub case: &'static str,
    /// As people say it; empty where there is nothing to say.
    pub text: &'static str,
    /// What it means for the path.
    pub mood: Mood,
}

/// What a [`Manner`] means for a path.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Mood {
    /// As one would hope.
    Fine,
    /// It holds.
    Yes,
    /// It does not hold.
    No,
    /// A look finds something ill.
    Ill,
    /// It failed, and nothing was changed by it.
    Failed,
    /// It failed, and was applied all the same.
    Applied,
    /// Somebody cancels the run.
    Cancelled,
    /// Nobody can tell whether it took place.
    InDoubt,
}

/// A place of the tree.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum TreeNode {
    /// Something happens.
    Fork {
        /// How many paths go on from here, however one came here.
        paths: u64,
        /// How badly the worst of them ends.
        worst: Gravity,
        /// In which ways, the likely one first.
        ways: Vec<TreeWay>,
    },
    /// A path is over.
    End(PathEnd),
}

/// One way from a place of the tree.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct TreeWay {
    /// What happens: its position among the happenings. It is the same for all ways from one place.
    pub happening: usize,
    /// How it goes.
    pub manner: Manner,
    /// Where it leads: a position among the nodes.
    pub to: usize,
}

/// How a path ends, and what it breaks.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct PathEnd {
    /// How it ends.
    pub ends: Ends,
    /// Whether somebody cancelled it.
    pub cancelled: bool,
    /// The names of the invariants that it breaks.
    pub breaks: Vec<Arc<str>>,
    /// Those that it breaks and the runbook waives.
    pub waived: Vec<Arc<str>>,
}

/// How a path ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Ends {
    /// The runbook comes to its end.
    Well,
    /// It fails or is cancelled, and nothing is left changed.
    Restored,
    /// It fails or is cancelled, and something is left changed.
    LeftChanged,
    /// Nobody can tell whether a change took place.
    InDoubt,
    /// It depends on something that nobody knows.
    Open,
    /// The runbook is wrong there.
    Mistaken,
    /// It goes on for ever.
    Endless,
}

impl Ends {
    /// All of them, the best first.
    pub const ALL: [Ends; 7] =
        [Ends::Well, Ends::Restored, Ends::LeftChanged, Ends::InDoubt, Ends::Open, Ends::Mistaken, Ends::Endless];
}

/// How badly a path ends: what is worse is larger.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Gravity {
    /// Well.
    Well,
    /// It fails, and nothing is left.
    Restored,
    /// Something is left, or in doubt.
    Left,
    /// It cannot be followed, or ends at a mistake.
    Stuck,
    /// It breaks an invariant that is not waived.
    Broken,
}

impl PathEnd {
    /// How badly it ends.
    pub fn gravity(&self) -> Gravity {
        match self.ends {
            _ if !self.breaks.is_empty() => Gravity::Broken,
            Ends::Well => Gravity::Well,
            Ends::Restored => Gravity::Restored,
            Ends::LeftChanged | Ends::InDoubt => Gravity::Left,
            Ends::Open | Ends::Mistaken | Ends::Endless => Gravity::Stuck,
        }
    }
}

impl PathTree {
    /// How many of the paths end so that nobody could want it.
    pub fn bad(&self) -> u64 {
        // Whatever a node leads to comes behind it.
        let mut bad = vec![0_u64; self.nodes.len()];
        for (number, node) in self.nodes.iter().enumerate().rev() {
            bad[number] = match node {
                TreeNode::End(end) => u64::from(end.is_bad()),
                TreeNode::Fork { ways, .. } => ways.iter().map(|way| bad[way.to]).sum(),
            };
        }
        bad.get(self.root).copied().unwrap_or_default()
    }
}

impl TreeNode {
    /// How many paths go on from here.
    pub fn paths(&self) -> u64 {
        match self {
            TreeNode::Fork { paths, .. } => *paths,
            TreeNode::End(_) => 1,
        }
    }

    /// How badly the worst of them ends.
    pub fn worst(&self) -> Gravity {
        match self {
            TreeNode::Fork { worst, .. } => *worst,
            TreeNode::End(end) => end.gravity(),
        }
    }

    /// The ways from here; none where a path is over.
    pub fn ways(&self) -> &[TreeWay] {
        match self {
            TreeNode::Fork { ways, .. } => ways,
            TreeNode::End(_) => &[],
        }
    }
}
