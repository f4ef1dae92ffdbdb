//! A plan as people read it, in 80 columns.

use crate::cli::printer::{Printer, Style};
use crate::cli::wrap::wrap;
use crate::model::{
    Basis, FailureEnd, Plan, PlanLine, PlanNode, PlanResult, PlanScope, PlanVerdict, ScopeKind, Symbol, Value,
};

use super::branches::alike;
use super::failures::{Failures, Group, Tally};
use super::time;

/// The column that says how a line is known is this wide.
const BASIS: usize = 9;

/// Prints a plan. `depth`: how much of what happens when a call fails.
pub(super) fn print(plan: &Plan, depth: u8, printer: &Printer) {
    let failures = Failures::of(plan);
    let mut page = Page { printer, width: printer.width(), because: None, depth, failures: &failures };
    page.head(plan);
    page.top(&plan.nodes);
    page.foot(plan);
}

struct Page<'a> {
    printer: &'a Printer,
    width: usize,
    /// The last reason that was printed: the same one is not printed again.
    because: Option<String>,
    /// How much to show of what happens when a call fails.
    depth: u8,
    failures: &'a Failures<'a>,
}

impl<'a> Page<'a> {
    fn head(&self, plan: &Plan) {
        let title = if plan.title.is_empty() { &plan.runbook } else { &plan.title };
        for line in wrap(title, self.width) {
            self.printer.out(&self.printer.paint(Style::Bold, &line));
        }
        let protected = if plan.protected { " (protected)" } else { "" };
        let at = plan.at.strftime("%Y-%m-%d %H:%M:%SZ");
        self.out(0, &format!("{} in {}{protected}, as seen at {at}", plan.runbook, plan.environment), Some(Style::Dim));
        if let Value::Map(params) = &plan.params {
            for (name, value) in params {
                self.out(0, &format!("{name} = {value}"), Some(Style::Dim));
            }
        }
        if !plan.assumptions.is_empty() {
            self.out(0, &format!("assuming {}", plan.assumptions.join(", ")), Some(Style::Caution));
        }
        self.printer.out("");
    }

    /// What stands in no step: each call is followed by what happens when it fails.
    fn top(&mut self, nodes: &'a [PlanNode]) {
        for node in nodes {
            self.nodes(std::slice::from_ref(node), 0);
            if !matches!(node, PlanNode::Scope(scope) if has_own(scope)) {
                self.failing(std::slice::from_ref(node), 4);
            }
        }
    }

    /// What happens when one of the calls that belong to this place fails.
    fn failing(&self, nodes: &'a [PlanNode], indent: usize) {
        if self.depth == 0 {
            return;
        }
        for group in self.failures.among(nodes) {
            self.group(&group, indent);
        }
    }

    fn group(&self, group: &Group, indent: usize) {
        let style = match group.ends {
            FailureEnd::Completes | FailureEnd::Restored => Style::Dim,
            FailureEnd::LeftChanged | FailureEnd::Open => Style::Caution,
            FailureEnd::InDoubt | FailureEnd::Mistaken => Style::Bad,
        };
        self.hanging(indent, 3, &format!("if {}", group.when), Style::Dim);
        self.hanging(indent + 3, 2, &format!("→ {}", group.then), style);
        for line in group.story.iter().filter(|_| self.depth > 1) {
            let mark = if line.odd { "✗" } else { "·" };
            self.hanging(indent + 5, 2, &format!("{mark} {} (line {})", line.text, line.site.line), Style::Dim);
        }
    }

    /// Lines of which those behind the first are indented deeper.
    fn hanging(&self, indent: usize, hang: usize, text: &str, style: Style) {
        let room = self.width.saturating_sub(indent + hang).max(20);
        for (n, part) in wrap(&self.printer.short(text), room).into_iter().enumerate() {
            let lead = " ".repeat(indent + if n == 0 { 0 } else { hang });
            self.printer.out(&format!("{lead}{}", self.printer.paint(style, &part)));
        }
    }

    fn nodes(&mut self, nodes: &'a [PlanNode], indent: usize) {
        for node in nodes {
            match node {
                PlanNode::Call(line) => self.call(line, indent),
                PlanNode::Scope(scope) => self.scope(scope, indent),
            }
        }
    }

    fn scope(&mut self, node: &'a PlanScope, indent: usize) {
        // A rehearsal follows its step in the plan, and is read as a part of it.
        let indent = if node.scope.kind == ScopeKind::Rehearsal { indent + 2 } else { indent };
        let title = &node.scope.title;
        let head = match &node.scope.kind {
            ScopeKind::Step { within: Some(within), .. } => format!("step {title} (within {within})"),
            ScopeKind::Step { .. } => format!("step {title}"),
            ScopeKind::Child => format!("runbook {title}"),
            ScopeKind::Rehearsal => "if it is rolled back:".to_owned(),
            ScopeKind::Rollback => format!("rollback of {title}"),
            ScopeKind::Unwinding { .. } => "rolled back:".to_owned(),
            ScopeKind::Parallel { branches, at_most } => {
                format!("parallel: {branches} branches, {} at a time", at_most.min(branches))
            }
            ScopeKind::Branch => format!("branch {title}"),
            ScopeKind::Body | ScopeKind::During(_) => String::new(),
        };
        let style = match node.scope.kind {
            ScopeKind::Step { .. } | ScopeKind::Child | ScopeKind::Parallel { .. } => Style::Bold,
            _ => Style::Dim,
        };
        if !head.is_empty() {
            self.out(indent, &head, Some(style));
        }
        let reason = self.because.clone();
        if matches!(node.scope.kind, ScopeKind::Parallel { .. }) {
            self.branches(&node.nodes, indent + 2);
        } else {
            self.nodes(&node.nodes, indent + 2);
        }
        if has_own(node) {
            self.failing(&node.nodes, indent + 2);
        }
        if node.scope.kind == ScopeKind::Rehearsal {
            // What was said about a rehearsal explains nothing that comes after it.
            self.because = reason;
        }
    }

    fn branches(&mut self, nodes: &'a [PlanNode], indent: usize) {
        for group in alike(nodes) {
            self.nodes(std::slice::from_ref(group.shown), indent);
            if let Some(more) = group.more() {
                self.out(indent, &more, Some(Style::Dim));
            }
        }
    }

    fn call(&mut self, line: &PlanLine, indent: usize) {
        let style = match line.symbol {
            Symbol::Create | Symbol::Change => Some(Style::Good),
            Symbol::Destroy => Some(Style::Bad),
            _ => None,
        };
        let text = format!("{} {} {}", line.symbol.glyph(), line.primitive, line.summary);
        let room = self.width.saturating_sub(indent + BASIS + 2).max(20);
        let basis = basis(line.basis);
        for (n, part) in wrap(&self.printer.short(&text), room).into_iter().enumerate() {
            let lead = " ".repeat(indent + if n == 0 { 0 } else { 2 });
            if n > 0 {
                self.printer.out(&format!("{lead}{part}"));
                continue;
            }
            let gap = " ".repeat(self.width.saturating_sub(indent + part.chars().count() + basis.len()));
            let part = style.map_or(part.clone(), |style| self.printer.paint(style, &part));
            let mark = if line.basis == Basis::Observed { Style::Dim } else { Style::Caution };
            self.printer.out(&format!("{lead}{part}{gap}{}", self.printer.paint(mark, basis)));
        }
        self.details(line, indent + 4);
    }

    fn details(&mut self, line: &PlanLine, indent: usize) {
        let states = line.before.as_ref().zip(line.after.as_ref());
        let said = |(before, after): &(&String, &String)| line.summary.contains(&format!("{before} → {after}"));
        if let Some((before, after)) = states.filter(|s| line.symbol != Symbol::Nothing && !said(s)) {
            self.out(indent, &format!("before  {before}"), None);
            self.out(indent, &format!("after   {after}"), None);
        }
        for note in &line.notes {
            self.out(indent, &format!("note    {note}"), Some(Style::Dim));
        }
        if let Some(because) = line.because.as_ref().filter(|b| Some(*b) != self.because.as_ref()) {
            self.out(indent, &format!("assumed {because}"), Some(Style::Dim));
            self.because = Some(because.clone());
        }
        if let Some(took) = line.took.filter(|took| took.times > 0 && took.median_ms >= 1_000) {
            self.out(indent, &format!("took    {}", time::of_call(took)), Some(Style::Dim));
        }
        if let PlanResult::Throws(fault) = &line.result {
            self.out(indent, &format!("fails   {}", fault.message), Some(Style::Bad));
        }
    }

    fn foot(&self, plan: &Plan) {
        let lines = plan.lines();
        let count = |f: &dyn Fn(&&&PlanLine) -> bool| lines.iter().filter(f).count();
        let destroys = count(&|l| l.symbol == Symbol::Destroy);
        let assumed = count(&|l| l.basis == Basis::Assumed);
        let observed = count(&|l| l.basis == Basis::Observed);
        self.printer.out("");
        let changes = match (plan.changes(), destroys) {
            (0, _) => "no changes".to_owned(),
            (n, 0) => plural(n, "change"),
            (n, d) => format!("{}, {d} of them destructive", plural(n, "change")),
        };
        let (style, verdict) = match &plan.verdict {
            PlanVerdict::Completes => (Style::Good, "completes".to_owned()),
            PlanVerdict::Fails { .. } => (Style::Bad, "would fail".to_owned()),
            PlanVerdict::Stops { .. } => (Style::Caution, "cannot be planned to its end".to_owned()),
        };
        let known = format!("{} observed, {} assumed", plural(observed, "line"), plural(assumed, "line"));
        self.printer.out(&format!("{}: {changes}; {known}", self.printer.paint(style, &verdict)));
        self.tally(plan);
        self.time(plan);
        match &plan.verdict {
            PlanVerdict::Completes => {}
            PlanVerdict::Fails { fault } => {
                let site = fault.site.as_ref().map(|site| format!(" ({site})")).unwrap_or_default();
                self.out(2, &format!("{}{site}", fault.message), Some(Style::Bad));
                if let Some(hint) = &fault.hint {
                    self.out(2, &format!("help: {hint}"), None);
                }
                // Where it fails because of what was observed, the reader may want to see it as it is meant.
                for scenario in plan.scenarios.iter().filter(|_| plan.assumptions.is_empty()) {
                    self.out(2, &format!("as it is meant: --scenario '{scenario}'"), None);
                }
            }
            PlanVerdict::Stops { why, site, hint } => {
                let site = site.as_ref().map(|site| format!(" ({site})")).unwrap_or_default();
                self.out(2, &format!("{why}{site}"), Some(Style::Caution));
                if let Some(hint) = hint {
                    self.out(2, &format!("help: {hint}"), None);
                }
            }
        }
    }

    /// How long it takes, and whether that is short enough.
    fn time(&self, plan: &Plan) {
        let Some((style, lines)) = plan.estimate.as_ref().and_then(time::told) else { return };
        for (n, line) in lines.iter().enumerate() {
            self.out(if n == 0 { 0 } else { 2 }, line, (n == 0).then_some(style).or(Some(Style::Dim)));
        }
    }

    fn tally(&self, plan: &Plan) {
        let tally = Tally::of(plan);
        let style = if tally.left_changed + tally.in_doubt + tally.other > 0 { Style::Caution } else { Style::Dim };
        if let Some(told) = tally.told() {
            self.out(0, &told, Some(style));
        }
        if plan.failures_left_out > 0 {
            let more = format!("{} more ways were not walked: `lifeboat explore` does", plan.failures_left_out);
            self.out(0, &more, Some(Style::Dim));
        }
    }

    fn out(&self, indent: usize, text: &str, style: Option<Style>) {
        // Details hang below their first word; what stands at the margin does not.
        let hang = if indent < 4 { 0 } else { 8 };
        for (n, part) in
            wrap(&self.printer.short(text), self.width.saturating_sub(indent + hang).max(20)).into_iter().enumerate()
        {
            let lead = " ".repeat(indent + if n == 0 { 0 } else { hang });
            let part = style.map_or(part.clone(), |style| self.printer.paint(style, &part));
            self.printer.out(&format!("{lead}{part}"));
        }
    }
}

/// Whether what happens when its calls fail is said at its end. It is said of whole steps, not of every call in them.
fn has_own(node: &PlanScope) -> bool {
    matches!(
        node.scope.kind,
        ScopeKind::Step { .. } | ScopeKind::Child | ScopeKind::Branch | ScopeKind::Parallel { .. }
    )
}

fn basis(basis: Basis) -> &'static str {
    match basis {
        Basis::Observed => "observed",
        Basis::Predicted => "predicted",
        Basis::Assumed => "assumed",
        Basis::Pinned => "pinned",
    }
}

fn plural(n: usize, what: &str) -> String {
    if n == 1 { format!("1 {what}") } else { format!("{n} {what}s") }
}
