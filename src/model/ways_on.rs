//! In which ways a run can go on from where it is.

use serde::Serialize;

use super::{Ends, Gravity, PathEnd, RunId, Site, StoryLine};

/// In which ways a run can go on from where it is.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct WaysOn {
    /// The run.
    pub run: RunId,
    /// The call that comes next, or is under way; none where nothing is left to call.
    pub here: Option<Here>,
    /// How many ways there are.
    pub ways: u64,
    /// How many of them end badly: they leave something changed, end at a mistake or not at all, or break an invariant.
    pub bad: u64,
    /// How many further failures they meet at most.
    pub faults: usize,
    /// Whether there was no time for all of them.
    pub cut_off: bool,
    /// What can come of that call, the worst first.
    pub next: Vec<NextWay>,
}

/// A run that is not over, and where it stands.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Stand {
    /// The run.
    pub id: RunId,
    /// The call that comes next, or is under way; none where nothing is left to call.
    pub here: Option<Here>,
    /// How many of the ways on end badly.
    pub bad: u64,
}

/// The call at which a run stands.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Here {
    /// Where it stands in the runbook.
    pub site: Site,
    /// The call.
    pub call: String,
}

/// One way in which the next call can end, and how the run then does.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct NextWay {
    /// How it ends: the name of a case.
    pub way: String,
    /// How the run ends then, the worst first.
    pub ends: Vec<WayEnd>,
}

/// Ways on that end alike.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct WayEnd {
    /// How they end.
    pub ends: Ends,
    /// Whether a person cancels them.
    pub cancelled: bool,
    /// The names of the invariants that they break.
    pub breaks: Vec<String>,
    /// Whether that is bad.
    pub bad: bool,
    /// How many there are.
    pub ways: u64,
    /// What is left changed on the shortest of them.
    pub left: Vec<String>,
    /// The shortest of them, from where the run is.
    pub story: Vec<StoryLine>,
}

impl PathEnd {
    /// Whether nobody could want a run to end so.
    pub fn is_bad(&self) -> bool {
        let leaves = matches!(self.ends, Ends::LeftChanged | Ends::Mistaken | Ends::Endless);
        leaves || self.gravity() == Gravity::Broken
    }
}

impl WaysOn {
    /// `here: line 31, restore primary: 7 ways on, 2 of them bad`.
    pub fn sentence(&self) -> String {
        format!("here: {}", self.place())
    }

    /// The same without the first word.
    pub fn place(&self) -> String {
        let more = if self.cut_off { "; there are more than there was time for" } else { "" };
        format!("{}: {}{more}", place(self.here.as_ref()), count_ways(self.ways, self.bad))
    }
}

impl Stand {
    /// `here: line 31, restore primary: 7 ways on, 2 of them bad`, of so many ways.
    pub fn sentence(&self, ways: u64) -> String {
        format!("here: {}: {}", place(self.here.as_ref()), count_ways(ways, self.bad))
    }
}

fn place(here: Option<&Here>) -> String {
    match here {
        Some(here) => format!("line {}, {}", here.site.line, here.call),
        None => "nothing is left to call".to_owned(),
    }
}

/// `7 ways on, 2 of them bad`.
pub fn count_ways(ways: u64, bad: u64) -> String {
    let count = if ways == 1 { "1 way on".to_owned() } else { format!("{ways} ways on") };
    match bad {
        0 => format!("{count}, none of them bad"),
        bad => format!("{count}, {bad} of them bad"),
    }
}
