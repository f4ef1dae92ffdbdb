//! What of its source the paths of a runbook walk: lines, functions, and the ways in which things can go.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::Site;

/// One file, and on how many paths each part of it is walked.
#[derive(Clone, Debug, PartialEq)]
pub struct WalkedFile {
    /// Its name.
    pub name: Arc<str>,
    /// Its text.
    pub text: Arc<str>,
    /// Its lines on which a statement begins or a call stands, from 1, and on how many paths each is walked.
    pub lines: BTreeMap<u32, u64>,
    /// Its functions, in their order.
    pub functions: Vec<WalkedFunction>,
    /// Where paths can part, in the order of the places.
    pub forks: Vec<WalkedFork>,
}

/// A function of a file.
#[derive(Clone, Debug, PartialEq)]
pub struct WalkedFunction {
    /// Its name.
    pub name: String,
    /// The line on which it begins.
    pub line: u32,
    /// On how many paths it is called.
    pub paths: u64,
}

/// A place at which paths can part.
#[derive(Clone, Debug, PartialEq)]
pub struct WalkedFork {
    /// Where.
    pub site: Site,
    /// What stands there.
    pub kind: ForkKind,
    /// The primitive, the comparison, or the title of the step.
    pub what: String,
    /// On how many paths it is met.
    pub paths: u64,
    /// The ways, and on how many paths each is taken.
    pub ways: Vec<(String, u64)>,
}

/// What stands at a [`WalkedFork`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum ForkKind {
    /// A call of a primitive: its cases.
    Call,
    /// A comparison with a value that nobody knows: yes and no.
    Question,
    /// A step with a rollback: it ran, or it did not.
    Rollback,
}
