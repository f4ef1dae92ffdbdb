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
    /// How many branches these are.
    pub(super) fn times(&self) -> usize {
        self.titles.len()
    }

    /// `… and 197 more like web-1: web-2, web-3, …`, if there are more.
    pub(super) fn more(&self) -> Option<String> {
        let (first, others) = self.titles.split_first().filter(|(_, others)| !others.is_empty())?;
        let names = match others {
            all if all.len() <= NAMED => all.join(", "),
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

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;
    use crate::model::{Basis, Impact, Key, PlanScope, Scope, ScopeKind, Segment, Site, Symbol};

    fn site() -> Site {
        Site { file: "a.rhai".into(), line: 1, column: 1 }
    }

    fn line(primitive: &str, target: &str, kind: ImpactKind, summary: &str, value: Value) -> PlanNode {
        let symbol = if kind == ImpactKind::Look { Symbol::Look } else { Symbol::Change };
        PlanNode::Call(Box::new(PlanLine {
            key: Key::ROOT,
            site: site(),
            primitive: primitive.into(),
            args: Value::Map(BTreeMap::from([("target".into(), Value::from(target))])),
            impact: Impact::on(kind, target),
            symbol,
            summary: summary.into(),
            basis: Basis::Observed,
            because: None,
            before: None,
            after: None,
            notes: vec![],
            inputs: BTreeMap::new(),
            result: PlanResult::Returns(value),
            took: None,
        }))
    }

    fn found(status: &str, latency: f64) -> Value {
        let ok = Value::Bool(status == "pass");
        Value::Map(BTreeMap::from([
            ("status".into(), Value::from(status)),
            ("ok".into(), ok),
            ("latency_ms".into(), Value::Float(latency)),
        ]))
    }

    fn branch(title: &str, nodes: Vec<PlanNode>) -> PlanNode {
        let key = Key::ROOT.child(Segment::Branch(0));
        let scope = Scope { key, site: site(), title: title.into(), kind: ScopeKind::Branch };
        PlanNode::Scope(Box::new(PlanScope { scope, nodes, fault: None }))
    }

    fn said(branches: &[PlanNode]) -> Vec<(&str, Option<String>)> {
        alike(branches).iter().map(|group| (title(group.shown), group.more())).collect()
    }

    #[test]
    fn two_hundred_that_do_the_same_are_one_and_their_names() {
        let of = |n: usize| {
            let host = format!("web-{n}");
            let look = line("probe", &host, ImpactKind::Look, &format!("{host} → pass in {n} ms"), found("pass", 0.5));
            let change = line("deploy", &host, ImpactKind::Change, &format!("{host}: 1.2 → 1.3"), Value::Null);
            branch(&host, vec![look, change])
        };
        let branches: Vec<PlanNode> = (100..300).map(of).collect();
        let said = said(&branches);
        assert_eq!(said.len(), 1);
        let more = said[0].1.clone().expect("there are more");
        assert!(more.starts_with("… and 199 more like web-100: web-101, web-102, "), "{more}");
        assert!(more.ends_with(", web-111, …, web-299"), "{more}");
    }

    #[test]
    fn what_differs_in_more_than_its_item_is_shown_by_itself() {
        let look = |host: &str, status| line("probe", host, ImpactKind::Look, host, found(status, 1.0));
        let change = |host: &str, summary: &str| line("deploy", host, ImpactKind::Change, summary, Value::Null);
        let branches = [
            branch("a1", vec![look("a1", "pass"), change("a1", "a1: 1.2 → 1.3")]),
            branch("a2", vec![look("a2", "fail"), change("a2", "a2: 1.2 → 1.3")]),
            branch("a3", vec![look("a3", "pass"), change("a3", "a3: 1.0 → 1.3")]),
            branch("a4", vec![look("a4", "pass"), change("b7", "b7: 1.2 → 1.3")]),
            branch("a5", vec![look("a5", "pass"), change("a5", "a5: 1.2 → 1.3")]),
        ];
        let expected = [("a1", Some("… and 1 more like a1: a5".to_owned())), ("a2", None), ("a3", None), ("a4", None)];
        assert_eq!(said(&branches), expected);
    }

    #[test]
    fn a_few_are_all_shown() {
        let branches: Vec<PlanNode> = ["a", "b", "c"].map(|title| branch(title, vec![])).into();
        assert_eq!(said(&branches), [("a", None), ("b", None), ("c", None)]);
    }
}
