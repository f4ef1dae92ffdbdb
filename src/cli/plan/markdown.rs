//! A plan as Markdown: a comment on a pull request, which says in its first lines what a reviewer must know.

use std::fmt::Write as _;

use crate::cli::markdown::{block, code, folded, prose};
use crate::cli::wrap::short;
use crate::model::{Plan, Value};

use super::changes::{Change, changes, details, verb};
use super::failures::{Failures, Tally};
use super::outline::{Entry, What, basis, outline, place_of};
use super::{time, verdict};

/// A comment on GitHub has so many characters at most; other places take more.
pub(crate) const COMMENT: usize = 65_536;
/// No text of a runbook or driver is told at more length than this.
const LONG: usize = 300;
/// So many changes are listed at most.
const CHANGES: usize = 100;

/// The plan, in so many characters at most: what a reviewer needs least is left out first, and that is said. `told` makes of a text what
/// may be shown of it: without secrets, with short paths.
pub(crate) fn markdown(plan: &Plan, told: &dyn Fn(&str) -> String, at_most: usize) -> String {
    let failures = Failures::of(plan);
    let entries = outline(plan, &failures);
    let page = Page { plan, told };
    let mut text = page.head();
    let parts = [
        ("the changes", page.changes(&changes(&entries))),
        ("how long it takes", page.time()),
        ("what happens if a call ends otherwise", page.failures(&entries)),
        ("every line", page.lines(&entries)),
    ];
    let (last, mut left_out) = (Page::last(), Vec::new());
    // What was left out is said in less than this.
    let room = at_most.saturating_sub(last.chars().count() + 200);
    for (name, part) in parts.iter().filter(|(_, part)| !part.is_empty()) {
        if text.chars().count() + part.chars().count() < room {
            text.push('\n');
            text.push_str(part);
        } else {
            left_out.push(*name);
        }
    }
    if !left_out.is_empty() {
        let _ = writeln!(text, "\nLeft out, because it is too long: {}.", left_out.join("; "));
    }
    text.push('\n');
    text.push_str(&last);
    text
}

struct Page<'a> {
    plan: &'a Plan,
    told: &'a dyn Fn(&str) -> String,
}

impl Page<'_> {
    /// Text between other text.
    fn prose(&self, text: &str) -> String {
        prose(&short(&(self.told)(text), LONG))
    }

    fn code(&self, text: &str) -> String {
        code(&short(&(self.told)(text), LONG))
    }

    /// What it is a plan of, and how it ends.
    fn head(&self) -> String {
        let plan = self.plan;
        let title = if plan.title.is_empty() { &plan.runbook } else { &plan.title };
        let protected = if plan.protected { " (**protected**)" } else { "" };
        let (runbook, environment) = (self.code(&plan.runbook), self.code(&plan.environment));
        let at = plan.at.strftime("%Y-%m-%d %H:%M:%SZ");
        let mut text = format!(
            "### {}\n\n**{}**; {}\n",
            self.prose(title),
            format_args!("{} {}: {}", verdict::mark(plan), verdict::ends(plan).1, verdict::changes(plan)),
            verdict::known(plan),
        );
        if let Some(verdict::Why { why, help }) = verdict::why(plan) {
            let _ = writeln!(text, "\n> {}", self.prose(&why));
            for line in help {
                let _ = writeln!(text, ">\n> {}", self.prose(&line));
            }
        }
        let _ = writeln!(text, "\n{runbook} in {environment}{protected}, as seen at {at}");
        let mut facts = Vec::new();
        if let Value::Map(params) = &plan.params {
            facts.extend(
                params.iter().map(|(name, value)| format!("{} = {}", code(name), self.code(&value.to_string()))),
            );
        }
        let waived = |(name, why): (&String, &String)| format!("waives {}: {}", self.code(name), self.prose(why));
        facts.extend(plan.waived.iter().map(waived));
        facts.extend(plan.assumptions.iter().map(|pinned| format!("assuming {}", self.code(pinned))));
        if !facts.is_empty() {
            text.push('\n');
        }
        for fact in facts {
            let _ = writeln!(text, "- {fact}");
        }
        text
    }

    /// What it changes, as a table.
    fn changes(&self, changes: &[Change]) -> String {
        if changes.is_empty() {
            return String::new();
        }
        let mut text = "| | change | in | known | line |\n|---|---|---|---|---|\n".to_owned();
        for change in changes.iter().take(CHANGES) {
            let line = change.line;
            let mut what = format!("{} {}", self.code(&line.primitive), self.prose(&line.summary));
            if change.times > 1 {
                let _ = write!(what, " **× {}**", change.times);
            }
            for (name, detail) in change.details() {
                let _ = write!(what, "<br>*{name}* {}", self.prose(&detail));
            }
            let verb = match verb(line.symbol) {
                "destroys" => "**destroys**",
                other => other,
            };
            let within = self.prose(change.within.unwrap_or_default());
            let place = self.prose(&place_of(self.plan, line));
            let _ = writeln!(text, "| {verb} | {what} | {within} | {} | {place} |", change.basis());
        }
        if let Some(more) = changes.len().checked_sub(CHANGES).filter(|more| *more > 0) {
            let _ = writeln!(text, "\n… and {}", verdict::plural(more, "more change"));
        }
        text
    }

    /// How long it takes, as far as earlier runs tell.
    fn time(&self) -> String {
        let Some((_, lines)) = self.plan.estimate.as_ref().and_then(time::told) else { return String::new() };
        lines.iter().map(|line| self.prose(line)).collect::<Vec<_>>().join("<br>\n") + "\n"
    }

    /// What happens if a call ends otherwise.
    fn failures(&self, entries: &[Entry]) -> String {
        let (Some(told), mut inside, mut heading) = (Tally::of(self.plan).told(), String::new(), None) else {
            return String::new();
        };
        for entry in entries {
            let What::Failing(groups) = &entry.what else { continue };
            if heading != Some(&entry.within) {
                heading = Some(&entry.within);
                let within =
                    entry.within.as_ref().map_or_else(|| "outside of steps".to_owned(), |name| self.prose(name));
                let _ = writeln!(inside, "\n**{within}**\n");
            }
            for group in groups {
                let (when, then) = (self.prose(&group.when), self.prose(&group.then));
                let _ = writeln!(inside, "- if {when}<br>{} {then}", group.mark());
            }
        }
        if let Some(more) = verdict::left_out(self.plan) {
            let _ = writeln!(inside, "\n{}", self.prose(&more));
        }
        folded(&told, inside.trim())
    }

    /// Every line, in the order of the plan.
    fn lines(&self, entries: &[Entry]) -> String {
        let mut lines: Vec<String> = Vec::new();
        for Entry { indent, what, .. } in entries {
            let mut put = |deeper: usize, text: &str| {
                let text = short(&(self.told)(text), LONG);
                lines.push(format!("{}{text}", " ".repeat(indent + deeper)));
            };
            match what {
                What::Head { text, .. } | What::More(text) => put(0, text),
                What::Call { line, because } => {
                    let (glyph, known) = (line.symbol.glyph(), basis(line.basis));
                    let place = place_of(self.plan, line);
                    put(0, &format!("{glyph} {} {} ({known}, line {place})", line.primitive, line.summary));
                    for (name, text) in details(line, *because) {
                        put(4, &format!("{name}: {text}"));
                    }
                }
                What::Failing(_) => {}
            }
        }
        let count = self.plan.lines().len();
        folded(&format!("every line ({})", verdict::plural(count, "call")), &block(&lines))
    }

    /// What made it.
    fn last() -> String {
        let version = env!("CARGO_PKG_VERSION");
        format!("<sub>Planned by Lifeboat {version}: nothing was changed. `lifeboat explore` walks every path.</sub>\n")
    }
}
