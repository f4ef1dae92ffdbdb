//! The branches of a `parallel` in a plan: those that would do the same are shown once, and named.

use crate::model::{ImpactKind, PlanLine, PlanNode, PlanResult, Value};

/// Up to so many branches are all shown.
const FEW: usize = 3;
/// So many of those that are left out are named.
const NAMED: usize = 12;

/// Branches that would do the same, in their order: the first is shown.
pub(super) struct Alike<'a> {
    pub(super) shown: &'a PlanNode,
    titles: Vec<&'a str>,
}

impl Alike<'_> {
    /// `… and 197 more like web-1: web-2, web-3, …`, if there are more.
    pub(super) fn more(&self) -> Option<String> {
        let (first, others) = self.titles.split_first().filter(|(_, others)| !others.is_empty())?;
        let names = match others {
            [all @ ..] if all.len() <= NAMED => all.join(", "),
            all => format!("{}, …, {}", all[..NAMED - 1].join(", "), all[all.len() - 1]),
        };
        Some(format!("… and {} more like {first}: {names}", others.len()))
    }
}

/// Puts branches together that differ in nothing but their item, and in what looks found as long as it means the same.
pub(super) fn alike(branches: &[PlanNode]) -> Vec<Alike<'_>> {
    let mut groups: Vec<(String, Alike)> = Vec::new();
    for (n, branch) in branches.iter().enumerate() {
        let title = title(branch);
        let shape = if branches.len() <= FEW { n.to_string() } else { shape(branch, title) };
        match groups.iter_mut().find(|(known, _)| *known == shape) {
            Some((_, group)) => group.titles.push(title),
            None => groups.push((shape, Alike { shown: branch, titles: vec![title] })),
        }
    }
    groups.into_iter().map(|(_, group)| group).collect()
}

fn title(branch: &PlanNode) -> &str {
    match branch {
        PlanNode::Scope(scope) => &scope.scope.title,
        PlanNode::Call(line) => &line.summary,
    }
}

/// Everything about a branch that a reader must not miss, with its item left out.
fn shape(node: &PlanNode, item: &str) -> String {
    let text = match node {
        PlanNode::Call(line) => of_call(line),
        PlanNode::Scope(scope) => {
            let inside: Vec<String> = scope.nodes.iter().map(|node| shape(node, item)).collect();
            let fault = scope.fault.as_ref().map(|fault| fault.code.as_str()).unwrap_or_default();
            format!("{:?} {} {fault} [{}]", scope.scope.kind, scope.scope.title, inside.join("; "))
        }
    };
    if item.is_empty() { text } else { text.replace(item, "‹item›") }
}

fn of_call(line: &PlanLine) -> String {
    let (kind, basis, targets) = (line.impact.kind, line.basis, line.impact.targets.join(","));
    let head = format!("{} {:?} {kind:?} {basis:?} {targets} {}", line.primitive, line.symbol, line.args);
    match &line.result {
        PlanResult::Throws(fault) => format!("{head} throws {} {}", fault.code, fault.message),
        // How long an answer took differs each time; whether all is well must not be missed.
        PlanResult::Returns(value) if kind == ImpactKind::Look => format!("{head} {}", meaning(value)),
        PlanResult::Returns(_) => {
            format!("{head} {} {:?} {:?} {:?}", line.summary, line.before, line.after, line.notes)
        }
    }
}

/// What of a look a script decides upon.
fn meaning(found: &Value) -> String {
    match found {
        Value::Map(map) => {
            let decided = map.iter().filter(|(name, value)| matches!(value, Value::Bool(_)) || *name == "status");
            decided.map(|(name, value)| format!("{name}={value}")).collect::<Vec<_>>().join(",")
        }
        other => other.to_string(),
    }
}
