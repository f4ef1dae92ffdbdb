//! A plan as people read it, in 80 columns.

use crate::cli::printer::{Printer, Style};
use crate::cli::wrap::wrap;
use crate::model::{Basis, FailureEnd, Plan, PlanLine, PlanNode, Symbol, Value};

use super::changes::details;
use super::failures::{Failures, Group, Tally};
use super::outline::{Entry, What, basis, outline, outline_of};
use super::{time, verdict};

/// The column that says how a line is known is this wide.
const BASIS: usize = 9;

/// Prints a plan. `depth`: how much of what happens when a call fails.
pub(super) fn print(plan: &Plan, depth: u8, printer: &Printer) {
    let failures = Failures::of(plan);
    let page = Page { printer, width: printer.width(), depth };
    page.head(plan);
    for entry in outline(plan, &failures) {
        page.entry(&entry);
    }
    page.foot(plan);
}

/// Prints parts of a plan, without a head and a foot.
pub(super) fn print_nodes(nodes: &[PlanNode], printer: &Printer) {
    let page = Page { printer, width: printer.width(), depth: 0 };
    for entry in outline_of(nodes, &Failures::default()) {
        page.entry(&entry);
    }
}

struct Page<'a> {
    printer: &'a Printer,
    width: usize,
    /// How much to show of what happens when a call fails.
    depth: u8,
}

impl Page<'_> {
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
        for (name, why) in &plan.waived {
            self.out(0, &format!("waives {name}: {why}"), Some(Style::Caution));
        }
        if !plan.assumptions.is_empty() {
            self.out(0, &format!("assuming {}", plan.assumptions.join(", ")), Some(Style::Caution));
        }
        self.printer.out("");
    }

    fn entry(&self, entry: &Entry) {
        let indent = entry.indent;
        match &entry.what {
            What::Head { text, strong } => {
                self.out(indent, text, Some(if *strong { Style::Bold } else { Style::Dim }));
            }
            What::Call { line, because } => self.call(line, *because, indent),
            What::More(text) => self.out(indent, text, Some(Style::Dim)),
            What::Failing(groups) => {
                groups.iter().filter(|_| self.depth > 0).for_each(|group| self.group(group, indent));
            }
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

    fn call(&self, line: &PlanLine, because: Option<&str>, indent: usize) {
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
        self.details(line, because, indent + 4);
    }

    fn details(&self, line: &PlanLine, because: Option<&str>, indent: usize) {
        for (name, text) in details(line, because) {
            let style = match name {
                "before" | "after" => None,
                "fails" => Some(Style::Bad),
                _ => Some(Style::Dim),
            };
            self.out(indent, &format!("{name:<8}{text}"), style);
        }
    }

    fn foot(&self, plan: &Plan) {
        let (style, ends) = verdict::ends(plan);
        self.printer.out("");
        let verdict = self.printer.paint(style, ends);
        self.printer.out(&format!("{verdict}: {}; {}", verdict::changes(plan), verdict::known(plan)));
        self.tally(plan);
        self.time(plan);
        if let Some(verdict::Why { why, help }) = verdict::why(plan) {
            self.out(2, &why, Some(style));
            for help in &help {
                self.out(2, help, None);
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
        if let Some(more) = verdict::left_out(plan) {
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
