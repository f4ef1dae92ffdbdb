//! Where the lines of a run that is watched belong: how deep, in which branch, and which are too many to be shown.

use std::collections::HashMap;

use crate::model::{Key, Left, Scope, ScopeKind, Settlement, Value};

/// Of more branches than this only what changes something or goes wrong is shown.
const SHOWN: usize = 20;

/// Which scopes are open, and what that means for what is shown.
#[derive(Default)]
pub(super) struct Lanes {
    /// By the key of the innermost branch; the runbook itself by [`Key::ROOT`].
    by_branch: HashMap<Key, Lane>,
    open: HashMap<Key, Shown>,
    groups: Vec<Group>,
}

/// Things that happen one after the other: the runbook, or one branch.
#[derive(Clone, Default)]
struct Lane {
    /// The titles of the branches around, outermost first.
    titles: Vec<String>,
    depth: usize,
    /// Bodies that are repeated, and are open: what happens inside is not shown line by line.
    quiet: usize,
    /// Whether it is one of too many.
    brief: bool,
}

/// How a scope is shown that is open.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Shown {
    /// By a head, with what is inside below it.
    Head,
    /// By one line, whatever is inside.
    Body,
    Group,
    Branch,
    Not,
}

/// A `parallel` that is open.
pub(super) struct Group {
    key: Key,
    pub(super) branches: usize,
    pub(super) done: usize,
    pub(super) failed: usize,
    pub(super) stopped: usize,
}

impl Group {
    /// `198 of 200 branches done`, or what became of them.
    pub(super) fn sentence(&self) -> String {
        let parts: Vec<String> = [(self.failed, "failed"), (self.stopped, "stopped")]
            .into_iter()
            .filter(|(n, _)| *n > 0)
            .map(|(n, what)| format!("{n} {what}"))
            .collect();
        match (self.branches - self.done.min(self.branches), parts.is_empty()) {
            (0, true) => format!("all {} branches done", self.branches),
            (_, true) => format!("{} of {} branches done", self.done, self.branches),
            (left, false) => {
                let never = if left > 0 { format!(", {left} not begun") } else { String::new() };
                format!("of {} branches {}{never}", self.branches, parts.join(", "))
            }
        }
    }
}

impl Lanes {
    fn of(&self, key: &Key) -> Lane {
        self.by_branch.get(&key.innermost_branch().unwrap_or_default()).cloned().unwrap_or_default()
    }

    fn of_mut(&mut self, key: &Key) -> &mut Lane {
        self.by_branch.entry(key.innermost_branch().unwrap_or_default()).or_default()
    }

    /// How deep a line about `key` stands.
    pub(super) fn depth(&self, key: &Key) -> usize {
        self.of(key).depth
    }

    /// `web-1 │ `, for a line about `key`.
    pub(super) fn prefix(&self, key: &Key) -> String {
        self.of(key).titles.iter().flat_map(|title| [title.as_str(), " │ "]).collect()
    }

    /// Whether a line about `key` is one too many in any case.
    pub(super) fn is_quiet(&self, key: &Key) -> bool {
        self.of(key).quiet > 0
    }

    /// Whether only what changes something or goes wrong is shown of the branch around `key`.
    pub(super) fn is_brief(&self, key: &Key) -> bool {
        self.of(key).brief
    }

    /// Whether the outcome of a call is shown.
    pub(super) fn shows(&self, settled: &Settlement) -> bool {
        let lane = self.of(&settled.key);
        let ill = match &settled.outcome {
            Ok(value) => {
                value.get("ok") == Some(&Value::Bool(false))
                    || value.get("status").and_then(Value::as_str) == Some("warn")
            }
            Err(_) => true,
        };
        lane.quiet == 0 && (!lane.brief || ill || settled.impact.kind.is_change())
    }

    /// The outermost `parallel` under way.
    pub(super) fn group(&self) -> Option<&Group> {
        self.groups.first()
    }

    /// A scope begins; its head stands above what is inside.
    pub(super) fn enter(&mut self, scope: &Scope) {
        let shown = match &scope.kind {
            ScopeKind::Body => Shown::Body,
            ScopeKind::Parallel { .. } => Shown::Group,
            ScopeKind::Branch => Shown::Branch,
            ScopeKind::During(_) | ScopeKind::Input { .. } => Shown::Not,
            _ => Shown::Head,
        };
        match &scope.kind {
            ScopeKind::Body => self.of_mut(&scope.key).quiet += 1,
            ScopeKind::Parallel { branches, .. } => {
                let key = scope.key.clone();
                self.groups.push(Group { key, branches: *branches, done: 0, failed: 0, stopped: 0 });
                self.of_mut(&scope.key).depth += 1;
            }
            ScopeKind::Branch => self.branch(scope),
            ScopeKind::During(_) | ScopeKind::Input { .. } => {}
            _ => self.of_mut(&scope.key).depth += 1,
        }
        self.open.insert(scope.key.clone(), shown);
    }

    fn branch(&mut self, scope: &Scope) {
        let group = self.groups.iter().rfind(|group| scope.key.branch_of(&group.key).is_some());
        let (mut lane, many) = match group {
            Some(group) => (self.of(&group.key), group.branches > SHOWN),
            None => (Lane::default(), false),
        };
        lane.titles.push(scope.title.clone());
        lane.brief |= many;
        self.by_branch.insert(scope.key.clone(), lane);
    }

    /// A scope ends. The `parallel` that it was, if it was one.
    pub(super) fn leave(&mut self, key: &Key, how: &Left) -> Option<Group> {
        match self.open.remove(key)? {
            Shown::Not => {}
            Shown::Head => self.shallower(key),
            Shown::Body => {
                let lane = self.of_mut(key);
                lane.quiet = lane.quiet.saturating_sub(1);
            }
            Shown::Group => {
                self.shallower(key);
                let at = self.groups.iter().rposition(|group| group.key == *key)?;
                return Some(self.groups.remove(at));
            }
            Shown::Branch => {
                if let Some(group) = self.groups.iter_mut().rfind(|group| key.branch_of(&group.key).is_some()) {
                    group.done += 1;
                    group.failed += usize::from(matches!(how, Left::Faulted(_)));
                    group.stopped += usize::from(matches!(how, Left::Stopped | Left::Halted));
                }
                // Its rollbacks come later, and are shown at the depth of the `parallel`.
                if let Some(lane) = self.by_branch.get_mut(key) {
                    lane.depth = lane.depth.saturating_sub(1);
                }
            }
        }
        None
    }

    fn shallower(&mut self, key: &Key) {
        let lane = self.of_mut(key);
        lane.depth = lane.depth.saturating_sub(1);
    }

    /// The last phase of a run begins: everything is over but the rollbacks.
    pub(super) fn unwind(&mut self) {
        self.by_branch.values_mut().for_each(|lane| (lane.depth, lane.quiet) = (0, 0));
        self.groups.clear();
        self.open.clear();
    }
}
