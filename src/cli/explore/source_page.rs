//! The source of a runbook on a page: each line with the number of paths that walk it, and with how its calls can end.

use crate::model::{Exploration, ForkKind, WalkedFile, WalkedFork};

use super::super::html::Html;
use super::ends;
use super::page::line_id;

/// The files: the runbook itself is open.
pub(super) fn source(page: &mut Html, exploration: &Exploration) {
    page.leaf(
        "p",
        &[],
        "On how many paths each line is walked. A line counts when a call of a primitive, a step, a comparison with an unknown value or \
         a function with any of these stands on it; of others nobody can tell.",
    );
    for (n, file) in exploration.files.iter().enumerate() {
        let open: &[(&str, &str)] = if n == 0 { &[("open", "")] } else { &[] };
        page.newline();
        page.element("details", open, |details| {
            details.element("summary", &[], |summary| {
                summary.leaf("span", &[("class", "code strong")], &file.name);
                summary.leaf("span", &[("class", "quiet")], &format!(" {}", counted(file)));
            });
            details.element("div", &[("class", "scrolls")], |room| listing(room, n, file));
        });
    }
}

/// `14 of 14 lines, 41 of 45 ways`.
fn counted(file: &WalkedFile) -> String {
    let lines = file.lines.values().filter(|paths| **paths > 0).count();
    let ways = || file.forks.iter().flat_map(|fork| &fork.ways);
    let walked = ways().filter(|(_, paths)| *paths > 0).count();
    format!("{lines} of {} lines, {walked} of {} ways to go", file.lines.len(), ways().count())
}

fn listing(room: &mut Html, number: usize, file: &WalkedFile) {
    room.element("table", &[("class", "listing")], |table| {
        table.element("thead", &[], |head| {
            head.element("tr", &[], |row| {
                for (class, title) in [("number", "Line"), ("number", "Paths"), ("", "Source")] {
                    row.leaf("th", &[("class", class), ("scope", "col")], title);
                }
            });
        });
        table.element("tbody", &[], |body| {
            for (n, text) in (1_u32..).zip(file.text.lines()) {
                let walked = file.lines.get(&n).copied();
                let class = match walked {
                    Some(0) => "missed",
                    Some(_) => "walked",
                    None => "",
                };
                body.newline();
                body.element("tr", &[("id", &line_id(number, n)), ("class", class)], |row| {
                    row.leaf("td", &[("class", "number quiet")], &n.to_string());
                    let paths = match walked {
                        Some(0) => "✗ none".to_owned(),
                        Some(paths) => ends::grouped(paths),
                        None => String::new(),
                    };
                    row.leaf("td", &[("class", "number")], &paths);
                    row.element("td", &[], |cell| {
                        cell.leaf("code", &[], text);
                        file.forks.iter().filter(|fork| fork.site.line == n).for_each(|fork| ways(cell, fork));
                    });
                });
            }
        });
    });
}

/// The ways at a fork, and on how many paths each is taken.
fn ways(cell: &mut Html, fork: &WalkedFork) {
    cell.element("div", &[("class", "cases")], |line| {
        let what = match fork.kind {
            ForkKind::Call => fork.what.clone(),
            ForkKind::Question => format!("{}?", fork.what),
            ForkKind::Rollback => "rollback".to_owned(),
        };
        line.text(&format!("{what}:"));
        for (way, paths) in &fork.ways {
            line.text(" ");
            match paths {
                0 => line.leaf("span", &[("class", "case bad")], &format!("✗ {way} never")),
                paths => line.leaf("span", &[("class", "case")], &format!("{way} {}", ends::grouped(*paths))),
            }
        }
    });
}
