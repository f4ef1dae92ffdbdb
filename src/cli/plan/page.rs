//! A plan as a page: what it changes, what happens in which order and when a call ends otherwise, how long it takes.

use crate::cli::html::Html;
use crate::cli::printer::Style;
use crate::model::{Basis, FailureEnd, Plan, PlanLine, Symbol, Value};

use super::changes::{Change, changes, details, verb};
use super::failures::{Failures, Group, Tally};
use super::outline::{Entry, What, basis, outline, place_of};
use super::{time, verdict};

const STYLE: &str = include_str!("page.css");

/// The page. `told` makes of a text what may be shown of it: without secrets, with short paths.
pub(super) fn page(plan: &Plan, told: &dyn Fn(&str) -> String) -> String {
    let failures = Failures::of(plan);
    let entries = outline(plan, &failures);
    let page = Page { plan, told };
    let mut html = Html::default();
    html.element("header", &[], |header| page.head(header));
    html.element("main", &[], |main| {
        main.section("changes", "What it changes", |section| page.changes(section, &changes(&entries)));
        main.section("lines", "What happens", |section| page.lines(section, &entries));
        main.section("digests", "What it was planned from", |section| page.digests(section));
    });
    html.element("footer", &[("class", "quiet")], |footer| {
        footer.text(concat!("Planned by Lifeboat ", env!("CARGO_PKG_VERSION"), ". Nothing was changed."));
    });
    html.page(&told(page.title()), "plan", STYLE)
}

/// The class of text that is painted like this.
fn class(style: Style) -> &'static str {
    match style {
        Style::Good => "good",
        Style::Caution => "caution",
        Style::Bad => "bad",
        _ => "quiet",
    }
}

struct Page<'a> {
    plan: &'a Plan,
    told: &'a dyn Fn(&str) -> String,
}

impl Page<'_> {
    fn title(&self) -> &str {
        if self.plan.title.is_empty() { &self.plan.runbook } else { &self.plan.title }
    }

    fn leaf(&self, page: &mut Html, name: &'static str, class: &str, text: &str) {
        page.leaf(name, &[("class", class)], &(self.told)(text));
    }

    fn head(&self, header: &mut Html) {
        let plan = self.plan;
        self.leaf(header, "h1", "", self.title());
        header.element("dl", &[("class", "facts")], |list| {
            let mut fact = |name: &str, value: &str| {
                self.leaf(list, "dt", "", name);
                self.leaf(list, "dd", "", value);
            };
            fact("Runbook", &plan.runbook);
            let protected = if plan.protected { " (protected)" } else { "" };
            fact("Environment", &format!("{}{protected}", plan.environment));
            fact("As seen at", &plan.at.strftime("%Y-%m-%d %H:%M:%SZ").to_string());
            if let Value::Map(params) = &plan.params {
                for (name, value) in params {
                    fact(name, &value.to_string());
                }
            }
            for (name, why) in &plan.waived {
                fact("Waives", &format!("{name}: {why}"));
            }
            if !plan.assumptions.is_empty() {
                fact("Assuming", &plan.assumptions.join(", "));
            }
        });
        let (style, ends) = verdict::ends(plan);
        header.element("div", &[("class", &format!("verdict {}", class(style)))], |verdict| {
            let (mark, changes, known) = (verdict::mark(plan), verdict::changes(plan), verdict::known(plan));
            self.leaf(verdict, "p", "strong", &format!("{mark} {ends}: {changes}; {known}"));
            if let Some(verdict::Why { why, help }) = verdict::why(plan) {
                self.leaf(verdict, "p", "", &why);
                for help in &help {
                    self.leaf(verdict, "p", "quiet", help);
                }
            }
        });
        if let Some(told) = Tally::of(plan).told() {
            self.leaf(header, "p", "", &told);
        }
        if let Some(more) = verdict::left_out(plan) {
            self.leaf(header, "p", "quiet", &more);
        }
        if let Some((style, lines)) = plan.estimate.as_ref().and_then(time::told) {
            for (n, line) in lines.iter().enumerate() {
                self.leaf(header, "p", if n == 0 { class(style) } else { "quiet" }, line);
            }
        }
    }

    fn changes(&self, section: &mut Html, changes: &[Change]) {
        if changes.is_empty() {
            section.leaf("p", &[], "Nothing.");
            return;
        }
        section.element("div", &[("class", "scrolls")], |room| {
            room.element("table", &[("class", "changes")], |table| {
                table.element("tr", &[], |row| {
                    for title in ["How", "What", "In", "Known", "Line"] {
                        row.leaf("th", &[("scope", "col")], title);
                    }
                });
                for change in changes {
                    table.newline();
                    table.element("tr", &[], |row| self.change(row, change));
                }
            });
        });
    }

    fn change(&self, row: &mut Html, change: &Change) {
        let line = change.line;
        let class = if line.symbol == Symbol::Destroy { "bad strong" } else { "good" };
        self.leaf(row, "td", class, &format!("{} {}", line.symbol.glyph(), verb(line.symbol)));
        row.element("td", &[], |cell| {
            self.call(cell, line);
            if change.times > 1 {
                self.leaf(cell, "span", "strong", &format!(" × {}", change.times));
            }
            self.details(cell, &change.details());
        });
        self.leaf(row, "td", "", change.within.unwrap_or_default());
        row.element("td", &[], |cell| self.basis(cell, line));
        self.leaf(row, "td", "number", &place_of(self.plan, line));
    }

    fn call(&self, page: &mut Html, line: &PlanLine) {
        self.leaf(page, "span", "code strong", &line.primitive);
        self.leaf(page, "span", "", &format!(" {}", line.summary));
    }

    fn basis(&self, page: &mut Html, line: &PlanLine) {
        let class = if line.basis == Basis::Observed { "basis quiet" } else { "basis caution" };
        self.leaf(page, "span", class, basis(line.basis));
    }

    fn details(&self, page: &mut Html, details: &[(&str, String)]) {
        for (name, text) in details {
            page.element("p", &[("class", "detail")], |detail| {
                self.leaf(detail, "span", "quiet", name);
                self.leaf(detail, "span", if *name == "fails" { "bad" } else { "" }, &format!(" {text}"));
            });
        }
    }

    /// Everything in its order, and under each step what happens if one of its calls ends otherwise.
    fn lines(&self, section: &mut Html, entries: &[Entry]) {
        section.element("ol", &[("class", "lines")], |list| {
            for entry in entries {
                list.newline();
                let depth = format!("in{}", (entry.indent / 2).min(DEEPEST));
                list.element("li", &[("class", &depth)], |item| match &entry.what {
                    What::Head { text, strong } => {
                        self.leaf(item, "p", if *strong { "strong head" } else { "quiet" }, text);
                    }
                    What::More(text) => self.leaf(item, "p", "quiet", text),
                    What::Call { line, because } => self.line(item, line, *because),
                    What::Failing(groups) => self.failing(item, groups),
                });
            }
        });
    }

    fn line(&self, item: &mut Html, line: &PlanLine, because: Option<&str>) {
        let class = match line.symbol {
            Symbol::Create | Symbol::Change => "code good",
            Symbol::Destroy => "code bad strong",
            _ => "code quiet",
        };
        item.element("p", &[("class", "call")], |text| {
            self.basis(text, line);
            self.leaf(text, "span", "line-number quiet", &place_of(self.plan, line));
            text.text(" ");
            self.leaf(text, "span", class, &line.symbol.glyph().to_string());
            text.text(" ");
            self.call(text, line);
        });
        self.details(item, &details(line, because));
    }

    fn failing(&self, item: &mut Html, groups: &[Group]) {
        item.element("details", &[], |all| {
            let ways: Vec<String> = groups.iter().map(|group| group.mark().to_string()).collect();
            self.leaf(all, "summary", "quiet", &format!("if a call ends otherwise: {}", ways.join(" ")));
            all.element("ul", &[("class", "ways")], |list| {
                for group in groups {
                    list.element("li", &[], |way| self.group(way, group));
                }
            });
        });
    }

    fn group(&self, way: &mut Html, group: &Group) {
        let class = match group.ends {
            FailureEnd::Completes => "end well",
            FailureEnd::Restored => "end restored",
            FailureEnd::LeftChanged => "end left",
            FailureEnd::InDoubt => "end doubt",
            FailureEnd::Mistaken | FailureEnd::Open => "end wrong",
        };
        self.leaf(way, "p", "", &format!("if {}", group.when));
        way.element("p", &[], |then| {
            self.leaf(then, "span", class, &group.mark().to_string());
            self.leaf(then, "span", "", &format!(" {}", group.then));
        });
        if group.story.is_empty() {
            return;
        }
        way.element("details", &[], |story| {
            story.leaf("summary", &[("class", "quiet")], "every call that follows");
            story.element("ol", &[("class", "story")], |list| {
                for line in group.story {
                    let (class, mark) = if line.odd { ("caution", "✗") } else { ("", "·") };
                    let text = format!("{mark} {} (line {})", line.text, line.site.line);
                    self.leaf(list, "li", class, &text);
                }
            });
        });
    }

    /// The files that decide what it does: the runbook, its modules, the configuration, and what its calls read.
    fn digests(&self, section: &mut Html) {
        let lines = self.plan.lines();
        let inputs = lines.iter().flat_map(|line| &line.inputs);
        let files: std::collections::BTreeMap<&String, &String> = self.plan.digests.iter().chain(inputs).collect();
        section.leaf("p", &[("class", "quiet")], "Files, with their SHA-256 digests.");
        section.element("div", &[("class", "scrolls")], |room| {
            room.element("table", &[], |table| {
                for (file, digest) in files {
                    table.element("tr", &[], |row| {
                        self.leaf(row, "td", "code", file);
                        self.leaf(row, "td", "code quiet", digest);
                    });
                }
            });
        });
    }
}

/// What lies deeper than this is indented no further.
const DEEPEST: usize = 8;
