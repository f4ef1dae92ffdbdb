//! A runbook as a test played it: what it called, how that ended, and what was left.

use std::collections::BTreeMap;
use std::fmt;

use serde::Serialize;

use super::{ImpactKind, Site, StoryLine, Value};

/// A runbook that was played to one of its ends.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Played {
    /// The runbook's path, relative to the project where it can be.
    pub runbook: String,
    /// How it ended.
    pub ended: PlayedEnd,
    /// Why it did not come to its end; empty where it did.
    pub why: String,
    /// The code of the fault that left it, `cancelled` where a person ended it; empty where it came to its end.
    pub fault: String,
    /// What it returned.
    pub value: Value,
    /// What it called, in its order.
    pub calls: Vec<PlayedCall>,
    /// What is known of each target when it is over.
    pub state: BTreeMap<String, BTreeMap<String, Value>>,
    /// The titles of the steps that were rolled back, in that order.
    pub rolled_back: Vec<String>,
    /// The titles of the steps whose rollback failed.
    pub rollbacks_failed: Vec<String>,
    /// The changes that are left, by their positions in `calls`.
    pub left: Vec<usize>,
    /// The invariants that it breaks, with the way in which it does, and whether the runbook waives it.
    pub broken: Vec<BrokenInvariant>,
    /// What happened, line by line.
    pub story: Vec<StoryLine>,
    /// How it ended, as people read it behind the story.
    pub ends: String,
}

/// An invariant that a played runbook breaks.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct BrokenInvariant {
    /// Its name.
    pub name: &'static str,
    /// In which way.
    pub why: String,
    /// Whether the runbook says that this is as it should be.
    pub waived: bool,
}

/// One call of a played runbook.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct PlayedCall {
    /// Where it stands.
    pub site: Site,
    /// The primitive.
    pub primitive: &'static str,
    /// What it worked on.
    pub target: Option<String>,
    /// Its arguments, a map.
    pub args: Value,
    /// The name of the case in which it ended.
    pub outcome: &'static str,
    /// What it does.
    pub kind: ImpactKind,
    /// Whether it threw.
    pub failed: bool,
    /// Whether something was changed by it.
    pub changed: bool,
    /// Whether it stands in a rollback.
    pub undoing: bool,
    /// The title of the innermost step around it; empty where there is none.
    pub step: String,
    /// The call as one would say it.
    pub said: String,
}

/// How a played runbook ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub enum PlayedEnd {
    /// It came to its end.
    #[serde(rename = "well")]
    Well,
    /// It failed or was cancelled, and nothing is left changed.
    #[serde(rename = "failed and restored")]
    Restored,
    /// It failed or was cancelled, and something is left changed.
    #[serde(rename = "left changed")]
    LeftChanged,
    /// Nobody can tell whether a change took place.
    #[serde(rename = "in doubt")]
    InDoubt,
}

impl PlayedEnd {
    /// All of them.
    pub const ALL: [PlayedEnd; 4] = [PlayedEnd::Well, PlayedEnd::Restored, PlayedEnd::LeftChanged, PlayedEnd::InDoubt];

    /// Its name in a test.
    pub fn name(self) -> &'static str {
        match self {
            PlayedEnd::Well => "well",
            PlayedEnd::Restored => "failed and restored",
            PlayedEnd::LeftChanged => "left changed",
            PlayedEnd::InDoubt => "in doubt",
        }
    }
}

impl fmt::Display for PlayedEnd {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl PlayedCall {
    /// What a person reads of it, where it is a message.
    pub fn message(&self) -> Option<String> {
        matches!(self.primitive, "notify" | "resolve").then(|| self.args.get("message").map(ToString::to_string))?
    }

    /// Whether it is a message that somebody got.
    pub fn is_delivered(&self) -> bool {
        matches!(self.primitive, "notify" | "resolve") && !self.failed && self.outcome == "delivered"
    }
}
