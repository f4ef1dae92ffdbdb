//! A plan in the order in which it is read: what every form of it shows, before anybody thinks of lines or tables.

use crate::model::{Basis, Plan, PlanLine, PlanNode, PlanScope, ScopeKind, Symbol};

use super::branches::alike;
use super::failures::{Failures, Group};

/// One thing to read, and where it stands.
pub(super) struct Entry<'a> {
    /// Two for each thing that it lies in.
    pub(super) indent: usize,
    /// The innermost step, rollback, child run or branch that it lies in, as a reader calls it.
    pub(super) within: Option<String>,
    /// Whether it happens only if a step is rolled back.
    pub(super) rehearsed: bool,
    /// How often it happens: once for each branch that does the same.
    pub(super) times: usize,
    pub(super) what: What<'a>,
}

/// What there is to read.
pub(super) enum What<'a> {
    /// A step, a rollback, a child run begins.
    Head { text: String, strong: bool },
    /// A call, and why it is assumed, where that was not said of the one before it.
    Call { line: &'a PlanLine, because: Option<&'a str> },
    /// Branches that would do the same as the one before.
    More(String),
    /// What happens when one of the calls before ends otherwise.
    Failing(Vec<Group<'a>>),
}

/// Everything in a plan, in its order.
pub(super) fn outline<'a>(plan: &'a Plan, failures: &Failures<'a>) -> Vec<Entry<'a>> {
    outline_of(&plan.nodes, failures)
}

/// The same of a part of a plan.
pub(super) fn outline_of<'a>(nodes: &'a [PlanNode], failures: &Failures<'a>) -> Vec<Entry<'a>> {
    let mut outline = Outline { entries: Vec::new(), because: None, within: None, rehearsed: false, failures };
    for node in nodes {
        outline.nodes(std::slice::from_ref(node), 0);
        // What stands in no step: each call is followed by what happens when it fails.
        if !matches!(node, PlanNode::Scope(scope) if has_own(scope)) {
            outline.failing(std::slice::from_ref(node), 4);
        }
    }
    outline.entries
}

struct Outline<'a, 'b> {
    entries: Vec<Entry<'a>>,
    /// The last reason that was given: the same one is not given again.
    because: Option<&'a str>,
    within: Option<String>,
    rehearsed: bool,
    failures: &'b Failures<'a>,
}

impl<'a> Outline<'a, '_> {
    fn nodes(&mut self, nodes: &'a [PlanNode], indent: usize) {
        for node in nodes {
            match node {
                PlanNode::Call(line) => self.call(line, indent),
                PlanNode::Scope(scope) => self.scope(scope, indent),
            }
        }
    }

    fn call(&mut self, line: &'a PlanLine, indent: usize) {
        let because = line.because.as_deref().filter(|because| Some(*because) != self.because);
        self.because = because.or(self.because);
        self.put(indent, What::Call { line, because });
    }

    fn scope(&mut self, node: &'a PlanScope, indent: usize) {
        let rehearsal = node.scope.kind == ScopeKind::Rehearsal;
        // A rehearsal follows its step in the plan, and is read as a part of it.
        let indent = if rehearsal { indent + 2 } else { indent };
        if let Some(text) = head(node) {
            let strong =
                matches!(node.scope.kind, ScopeKind::Step { .. } | ScopeKind::Child | ScopeKind::Parallel { .. });
            self.put(indent, What::Head { text, strong });
        }
        let around = (self.within.clone(), self.rehearsed, self.because);
        self.within = place(node).or(self.within.take());
        self.rehearsed |= rehearsal;
        if matches!(node.scope.kind, ScopeKind::Parallel { .. }) {
            self.branches(&node.nodes, indent + 2);
        } else {
            self.nodes(&node.nodes, indent + 2);
        }
        if has_own(node) {
            self.failing(&node.nodes, indent + 2);
        }
        let because = self.because;
        (self.within, self.rehearsed, self.because) = around;
        // What was said about a rehearsal explains nothing that comes after it.
        if !rehearsal {
            self.because = because;
        }
    }

    fn branches(&mut self, nodes: &'a [PlanNode], indent: usize) {
        for group in alike(nodes) {
            let first = self.entries.len();
            self.nodes(std::slice::from_ref(group.shown), indent);
            for entry in &mut self.entries[first..] {
                entry.times *= group.times();
            }
            if let Some(more) = group.more() {
                self.put(indent, What::More(more));
            }
        }
    }

    /// What happens when one of the calls that belong to this place fails.
    fn failing(&mut self, nodes: &'a [PlanNode], indent: usize) {
        let groups = self.failures.among(nodes);
        if !groups.is_empty() {
            self.put(indent, What::Failing(groups));
        }
    }

    fn put(&mut self, indent: usize, what: What<'a>) {
        let (within, rehearsed) = (self.within.clone(), self.rehearsed);
        self.entries.push(Entry { indent, within, rehearsed, times: 1, what });
    }
}

/// What a reader calls a scope; none where it is no part of its own.
fn head(node: &PlanScope) -> Option<String> {
    let title = &node.scope.title;
    Some(match &node.scope.kind {
        ScopeKind::Step { within: Some(within), .. } => format!("step {title} (within {within})"),
        ScopeKind::Step { .. } => format!("step {title}"),
        ScopeKind::Child => format!("runbook {title}"),
        ScopeKind::Input { .. } => title.clone(),
        ScopeKind::Rehearsal => "if it is rolled back:".to_owned(),
        ScopeKind::Rollback => format!("rollback of {title}"),
        ScopeKind::Unwinding { .. } => "rolled back:".to_owned(),
        ScopeKind::Parallel { branches, at_most } => {
            format!("parallel: {branches} branches, {} at a time", at_most.min(branches))
        }
        ScopeKind::Branch => format!("branch {title}"),
        ScopeKind::Body | ScopeKind::During(_) => return None,
    })
}

/// Where what lies in a scope happens, as a reader calls it.
fn place(node: &PlanScope) -> Option<String> {
    match node.scope.kind {
        ScopeKind::Step { .. } => Some(node.scope.title.clone()),
        ScopeKind::Child | ScopeKind::Rollback | ScopeKind::Branch => head(node),
        _ => None,
    }
}

/// Whether what happens when its calls fail is said at its end. It is said of whole steps, not of every call in them.
fn has_own(node: &PlanScope) -> bool {
    matches!(
        node.scope.kind,
        ScopeKind::Step { .. } | ScopeKind::Child | ScopeKind::Branch | ScopeKind::Parallel { .. }
    )
}

/// The states before and after a call, where its line does not say them already.
pub(super) fn states(line: &PlanLine) -> Option<(&str, &str)> {
    let states = line.before.as_deref().zip(line.after.as_deref());
    let said = |(before, after): &(&str, &str)| line.summary.contains(&format!("{before} → {after}"));
    states.filter(|states| line.symbol != Symbol::Nothing && !said(states))
}

/// Where a call stands: the number of its line, with the file where that is not the runbook itself.
pub(super) fn place_of(plan: &Plan, line: &PlanLine) -> String {
    let (file, number) = (&line.site.file, line.site.line);
    if **file == *plan.runbook { number.to_string() } else { format!("{file}:{number}") }
}

/// How a line is known, in a word.
pub(super) fn basis(basis: Basis) -> &'static str {
    match basis {
        Basis::Observed => "observed",
        Basis::Predicted => "predicted",
        Basis::Assumed => "assumed",
        Basis::Pinned => "pinned",
    }
}
