//! An exploration as a page: what was found, the paths, and what of the runbook they walk.

use crate::model::{Bound, Exploration, Invariant, PathTree, Site, StoryLine, Value, Violated};

use super::super::html::Html;
use super::drawing::{Drawing, Whole};
use super::ends::{self, Look};
use super::{said, source_page, tree_page};

const STYLE: &str = include_str!("page.css");

/// The page, whose tree has so many nodes at most.
pub(super) fn page(exploration: &Exploration, tree: &PathTree, at_most: usize) -> String {
    let drawing = Drawing::of(&Whole::of(tree), at_most);
    let mut page = Html::default();
    page.element("header", &[], |header| head(header, exploration, drawing.here()));
    page.element("main", &[], |main| {
        main.section("endings", "How the paths end", |section| endings(section, exploration));
        main.section("invariants", "What no path may do", |section| invariants(section, exploration));
        if !exploration.stuck.is_empty() {
            main.section("stuck", "Where paths come to no end", |section| stuck(section, exploration));
        }
        main.section("paths", "The paths", |section| tree_page::tree(section, exploration, &drawing));
        main.section("source", "What of the runbook is walked", |section| source_page::source(section, exploration));
    });
    page.element("footer", &[("class", "quiet")], |footer| {
        footer.text(concat!(
            "Explored by Lifeboat ",
            env!("CARGO_PKG_VERSION"),
            ". Nothing was looked at, nothing was changed."
        ));
    });
    page.page(&said::title(exploration), "explore", STYLE)
}

fn head(header: &mut Html, exploration: &Exploration, here: Option<usize>) {
    header.leaf("h1", &[], &said::title(exploration));
    if let Some((run, here)) = exploration.run.as_ref().zip(here) {
        header.element("p", &[("class", "stand")], |line| {
            line.leaf(
                "a",
                &[("href", &format!("#n{}", here + 1))],
                &format!("▶ {}", run.sentence(exploration.paths.all)),
            );
        });
    }
    header.element("dl", &[("class", "facts")], |list| {
        let mut fact = |name: &str, value: &str| {
            list.leaf("dt", &[], name);
            list.leaf("dd", &[], value);
        };
        fact("Runbook", &exploration.runbook);
        let protected = if exploration.protected { " (protected)" } else { "" };
        fact("Environment", &format!("{}{protected}", exploration.environment));
        if let Value::Map(params) = &exploration.params {
            for (name, value) in params {
                fact(name, &value.to_string());
            }
        }
        if !exploration.assumptions.is_empty() {
            fact("Assuming", &exploration.assumptions.join(", "));
        }
        let faults = exploration.faults.map_or_else(|| "as many as there are".to_owned(), |n| format!("at most {n}"));
        fact("Failures on a path", &faults);
    });
    let (class, mark) = if exploration.is_sound() { ("verdict good", "✓") } else { ("verdict bad", "✗") };
    header.leaf("p", &[("class", class)], &format!("{mark} {}", said::summary(exploration)));
}

fn endings(section: &mut Html, exploration: &Exploration) {
    let counts = &exploration.paths;
    let rows = [
        (counts.well, Look::Well, "✓", "come to the end of the runbook"),
        (counts.restored, Look::Restored, "↩", "fail or are cancelled, and leave nothing changed"),
        (counts.left_changed, Look::Left, "⚠", "fail or are cancelled, and leave something changed"),
        (counts.in_doubt, Look::Doubt, "?", "end in doubt: no driver can tell, a person must look"),
        (counts.mistaken, Look::Wrong, "✗", "end at a mistake in the runbook, or do not end"),
        (counts.open, Look::Wrong, "✗", "cannot be followed to an end"),
    ];
    section.element("table", &[], |table| {
        for (count, look, mark, words) in rows.into_iter().filter(|(count, ..)| *count > 0) {
            table.element("tr", &[], |row| {
                row.leaf("td", &[("class", "number")], &ends::grouped(count));
                row.element("td", &[], |cell| cell.leaf("span", &[("class", &format!("end {}", look.class()))], mark));
                row.leaf("td", &[], words);
            });
        }
        table.element("tr", &[("class", "strong")], |row| {
            row.leaf("td", &[("class", "number")], &ends::grouped(counts.all));
            row.leaf("td", &[], "");
            row.leaf("td", &[], if counts.all == 1 { "path in all" } else { "paths in all" });
        });
    });
    // What a run has left behind is on none of its ways on.
    if exploration.run.is_none() {
        section.leaf("p", &[], &said::coverage(&exploration.coverage));
    }
    if exploration.bounds.is_empty() {
        section.leaf("p", &[], "These are all paths that there are.");
        return;
    }
    section.element("ul", &[], |list| {
        for bound in &exploration.bounds {
            let quiet = matches!(bound, Bound::Faults { .. } | Bound::Repeated { .. });
            list.leaf("li", &[("class", if quiet { "quiet" } else { "caution" })], &said::bound(bound));
        }
    });
}

fn invariants(section: &mut Html, exploration: &Exploration) {
    section.element("ul", &[("class", "invariants")], |list| {
        for Invariant { name, summary } in &exploration.invariants {
            let found = exploration.violations.iter().find(|violated| violated.invariant == *name);
            list.element("li", &[], |item| match found {
                None => {
                    item.leaf("span", &[("class", "good strong")], &format!("✓ {name}"));
                    item.text(&format!(": {summary}"));
                }
                Some(violated) => invariant(item, exploration, violated),
            });
        }
    });
}

fn invariant(item: &mut Html, exploration: &Exploration, violated: &Violated) {
    let Violated { invariant, summary, waived, paths, why, story, ends } = violated;
    let count = ends::paths(*paths);
    let (class, mark) = if waived.is_some() { ("caution strong", "~") } else { ("bad strong", "✗") };
    item.leaf("span", &[("class", class)], &format!("{mark} {invariant}"));
    item.text(&match waived {
        Some(reason) => format!(", waived on {count}: {reason}"),
        None => format!(", broken on {count}: {summary}"),
    });
    let open: &[(&str, &str)] = if waived.is_some() { &[] } else { &[("open", "")] };
    item.element("details", open, |details| {
        details.leaf("summary", &[], &format!("The shortest: {why}"));
        tell(details, exploration, story);
        details.leaf("p", &[("class", "quiet")], &format!("… {ends}"));
    });
}

fn stuck(section: &mut Html, exploration: &Exploration) {
    for stuck in &exploration.stuck {
        let mark = if stuck.mistake { "✗" } else { "?" };
        section.element("p", &[("class", "bad strong")], |text| {
            text.text(&format!("{mark} "));
            if let Some(site) = &stuck.site {
                place(text, exploration, site, &format!("{}:{}", site.file, site.line));
                text.text(": ");
            }
            text.text(&stuck.why);
        });
        if let Some(hint) = &stuck.hint {
            section.leaf("p", &[("class", "quiet")], hint);
        }
        section.element("details", &[("open", "")], |details| {
            details.leaf("summary", &[], &format!("The shortest of {}", ends::paths(stuck.paths)));
            tell(details, exploration, &stuck.story);
        });
    }
}

/// A path as a story.
fn tell(details: &mut Html, exploration: &Exploration, story: &[StoryLine]) {
    details.element("ol", &[("class", "story")], |list| {
        for line in story {
            let (class, mark) = match (line.broken, line.odd) {
                (true, _) => ("bad strong", "✗ "),
                (_, true) => ("caution", "! "),
                _ => ("", ""),
            };
            list.element("li", &[], |item| {
                place(item, exploration, &line.site, &line.site.line.to_string());
                item.text(" ");
                item.leaf("span", &[("class", class)], &format!("{mark}{}", line.text));
            });
        }
    });
}

/// A place, as a link to its line where that is shown.
pub(super) fn place(page: &mut Html, exploration: &Exploration, site: &Site, text: &str) {
    let file = exploration.files.iter().position(|file| file.name == site.file);
    match file.filter(|file| site.line > 0 && exploration.files[*file].text.lines().count() >= site.line as usize) {
        Some(file) => page.leaf("a", &[("class", "code"), ("href", &format!("#{}", line_id(file, site.line)))], text),
        None => page.leaf("span", &[("class", "code")], text),
    }
}

/// What a line of a file is called in a link.
pub(super) fn line_id(file: usize, line: u32) -> String {
    format!("f{file}-{line}")
}
