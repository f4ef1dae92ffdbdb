//! A plan: what a runbook would do, line by line, and how each line is known.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::{Estimate, Fault, Impact, Key, PlanFailure, Scope, Site, Span, Took, Value};

/// How a line of a plan is known.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Basis {
    /// Looked up just now.
    Observed,
    /// Computed by the driver from what it saw.
    Predicted,
    /// Cannot be known before the run; the likely case is taken.
    Assumed,
    /// Pinned by the reader with `--assume`.
    Pinned,
}

/// The mark before a line.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Symbol {
    /// Makes something new: `+`.
    Create,
    /// Changes something: `~`.
    Change,
    /// Loses something: `!`.
    Destroy,
    /// Looks: `?`.
    Look,
    /// Tells: `>`.
    Tell,
    /// Asks a person: `@`.
    Ask,
    /// Waits: `.`.
    Wait,
    /// Marks a place in the run: `|`.
    Mark,
    /// Would change nothing: `=`.
    Nothing,
}

impl Symbol {
    /// As it prints.
    pub fn glyph(self) -> char {
        match self {
            Symbol::Create => '+',
            Symbol::Change => '~',
            Symbol::Destroy => '!',
            Symbol::Look => '?',
            Symbol::Tell => '>',
            Symbol::Ask => '@',
            Symbol::Wait => '.',
            Symbol::Mark => '|',
            Symbol::Nothing => '=',
        }
    }
}

/// One call in a plan.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct PlanLine {
    /// Its place in the run.
    pub key: Key,
    /// Its place in the script.
    pub site: Site,
    /// The primitive.
    pub primitive: String,
    /// Its arguments.
    pub args: Value,
    /// What it does.
    pub impact: Impact,
    /// The mark before the line.
    pub symbol: Symbol,
    /// What it would do, in one line.
    pub summary: String,
    /// How that is known.
    pub basis: Basis,
    /// Why it could not be observed, when it was not.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub because: Option<String>,
    /// The state before, where the driver knows it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub before: Option<String>,
    /// The state after.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub after: Option<String>,
    /// Things the reader should know.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub notes: Vec<String>,
    /// The files that decide what it does, with their SHA-256 digests (hex).
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub inputs: BTreeMap<String, String>,
    /// What the script goes on with.
    pub result: PlanResult,
    /// How long it took in earlier runs, where that was looked up and is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub took: Option<Took>,
}

/// What a planned call gives to the script.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum PlanResult {
    /// It returns.
    Returns(Value),
    /// It throws.
    Throws(Fault),
}

/// A scope in a plan, with what happens inside.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct PlanScope {
    /// The scope.
    pub scope: Scope,
    /// What happens inside, in order.
    pub nodes: Vec<PlanNode>,
    /// The fault that would leave it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fault: Option<Fault>,
}

/// A part of a plan.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum PlanNode {
    /// A call.
    Call(Box<PlanLine>),
    /// A step, a rollback, a child run.
    Scope(Box<PlanScope>),
}

/// How the planned way ends.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "ends", rename_all = "lowercase")]
pub enum PlanVerdict {
    /// At the end of the script.
    Completes,
    /// With a fault.
    Fails {
        /// The fault.
        fault: Fault,
    },
    /// The plan could not be carried to the end.
    Stops {
        /// Why.
        why: String,
        /// Where.
        site: Option<Site>,
        /// What to do.
        hint: Option<String>,
    },
}

/// The dry run of a runbook.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Plan {
    /// The version of this format.
    pub format: u32,
    /// The runbook's path.
    pub runbook: String,
    /// Its title: the first line of its front matter.
    pub title: String,
    /// The environment's name.
    pub environment: String,
    /// Whether the environment is protected.
    pub protected: bool,
    /// The parameters' values.
    pub params: Value,
    /// When it was made, UTC.
    pub at: jiff::Timestamp,
    /// What `--assume` and `--scenario` pinned.
    pub assumptions: Vec<String>,
    /// The invariants that the runbook waives, each with the reason that it gives.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub waived: BTreeMap<String, String>,
    /// The names of the runbook's scenarios.
    pub scenarios: Vec<String>,
    /// What would happen, in order.
    pub nodes: Vec<PlanNode>,
    /// How it would end.
    pub verdict: PlanVerdict,
    /// What happens when a call ends in another way, in the order of the calls.
    #[serde(default)]
    pub failures: Vec<PlanFailure>,
    /// How many such ways were not walked, because there are too many.
    #[serde(default)]
    pub failures_left_out: usize,
    /// How long a recovery may take: `rto` in the front matter.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rto: Option<Span>,
    /// How long it takes, where that was looked up.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub estimate: Option<Estimate>,
    /// SHA-256 digests (hex) of the script, its modules and the configuration, by path.
    pub digests: BTreeMap<String, String>,
}

impl Plan {
    /// The current version of the format.
    pub const FORMAT: u32 = 1;

    /// Every call of the plan's main way, rehearsed rollbacks left out.
    pub fn lines(&self) -> Vec<&PlanLine> {
        fn walk<'a>(nodes: &'a [PlanNode], lines: &mut Vec<&'a PlanLine>) {
            for node in nodes {
                match node {
                    PlanNode::Call(line) => lines.push(line),
                    PlanNode::Scope(s) if s.scope.kind == super::ScopeKind::Rehearsal => {}
                    PlanNode::Scope(scope) => walk(&scope.nodes, lines),
                }
            }
        }
        let mut lines = Vec::new();
        walk(&self.nodes, &mut lines);
        lines
    }

    /// Whether a run would change anything.
    pub fn changes(&self) -> usize {
        self.lines().iter().filter(|l| l.impact.kind.is_change() && l.symbol != Symbol::Nothing).count()
    }
}
