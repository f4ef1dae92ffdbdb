//! The paths on a page: the way on which the runbook comes to its end goes straight down, whatever leaves it is folded beside it.

use crate::model::{Exploration, Manner, Mood, PathEnd, TreeNode};

use super::super::html::Html;
use super::drawing::{Arrow, Drawing, FromRun, To, is_failure};
use super::ends::{self, Look};
use super::page::place;
use super::rooms::titled;
use super::said;

/// Of a box with more lines, so many at its beginning and at its end.
const LINES: usize = 12;

/// The tree.
pub(super) fn tree(page: &mut Html, exploration: &Exploration, drawing: &Drawing) {
    page.leaf(
        "p",
        &[],
        "Straight down goes the way on which the runbook comes to its end. What leaves it is folded beside it; what goes on in the \
         same way is told once, under its number.",
    );
    page.element("p", &[("class", "legend")], |legend| {
        for look in Look::ALL {
            let words = match look {
                Look::Well => "✓ ends well",
                Look::Restored => "↩ failed, nothing left changed",
                Look::Cancelled => "⊘ cancelled, nothing left changed",
                Look::Left => "⚠ left changed",
                Look::Doubt => "? in doubt",
                Look::Wrong => "✗ a mistake, or a broken invariant",
            };
            legend.leaf("span", &[("class", &format!("end {}", look.class()))], words);
            legend.text(" ");
        }
    });
    if drawing.folded() > 0 {
        let folded = ends::grouped(drawing.folded() as u64);
        let text = format!("And {folded} more places are not shown: --nodes {} shows all.", drawing.whole);
        page.leaf("p", &[("class", "caution")], &text);
    }
    let mut tree = Tree { exploration, drawing, told: vec![false; drawing.boxes.len()] };
    match (drawing.boxes.is_empty(), drawing.tree.nodes.first()) {
        (true, Some(TreeNode::End(end))) => page.element("p", &[], |text| ending(text, end, 1)),
        (true, _) => {}
        (false, _) => tree.way(page, 0),
    }
}

struct Tree<'a> {
    exploration: &'a Exploration,
    drawing: &'a Drawing<'a>,
    /// The boxes that were told already, or are about to be.
    told: Vec<bool>,
}

impl Tree<'_> {
    /// A box and those that follow it onward.
    fn way(&mut self, page: &mut Html, first: usize) {
        let mut boxes = vec![first];
        self.told[first] = true;
        // All of them first: what leaves the way and comes back to it refers to it.
        while let Some(next) = boxes.last().and_then(|last| self.onward(*last)).filter(|next| !self.told[*next]) {
            self.told[next] = true;
            boxes.push(next);
        }
        page.newline();
        page.element("ol", &[("class", "way")], |list| {
            let mut room = None;
            for (n, number) in boxes.iter().enumerate() {
                let drawn = &self.drawing.boxes[*number];
                let title =
                    drawn.room.filter(|_| drawn.room != room).map(|room| titled(&self.drawing.tree.rooms[room]));
                room = drawn.room;
                list.newline();
                let class = match drawn.from_run {
                    FromRun::Past => "past",
                    FromRun::Here => "here",
                    FromRun::Ahead => "ahead",
                };
                list.element("li", &[("id", &format!("n{}", number + 1)), ("class", class)], |item| {
                    match drawn.from_run {
                        FromRun::Past => item.leaf("p", &[("class", "room quiet")], said::SO_FAR),
                        FromRun::Here => item.leaf("p", &[("class", "stand")], &said::here(self.drawing.tree)),
                        FromRun::Ahead => {}
                    }
                    if let Some(title) = title {
                        item.leaf("p", &[("class", "room")], &title);
                    }
                    self.lines(item, *number);
                    self.arrows(item, *number, boxes.get(n + 1).copied());
                });
            }
        });
    }

    fn onward(&self, number: usize) -> Option<usize> {
        let drawn = &self.drawing.boxes[number];
        match drawn.arrows[drawn.onward?].to {
            To::Box(next) => Some(next),
            _ => None,
        }
    }

    fn lines(&self, item: &mut Html, number: usize) {
        let drawn = &self.drawing.boxes[number];
        let hidden = drawn.lines.len().saturating_sub(2 * LINES);
        item.leaf("span", &[("class", "box-number")], &(number + 1).to_string());
        for (n, (happening, manners)) in drawn.lines.iter().enumerate() {
            if hidden > 1 && n == LINES {
                item.leaf("p", &[("class", "line quiet")], &format!("… {} more …", ends::grouped(hidden as u64)));
            }
            if hidden > 1 && (LINES..LINES + hidden).contains(&n) {
                continue;
            }
            item.element("p", &[("class", "line")], |line| {
                let what = &self.drawing.tree.happenings[*happening];
                place(line, self.exploration, &what.site, &what.site.line.to_string());
                line.text(" ");
                line.leaf("span", &[("class", "code")], &what.text);
                if n + 1 < drawn.lines.len() {
                    how(line, manners);
                }
            });
        }
    }

    /// Where it goes from a box; `next` stands right below it.
    fn arrows(&mut self, item: &mut Html, number: usize, next: Option<usize>) {
        let arrows = self.drawing.boxes[number].arrows.clone();
        item.element("ul", &[("class", "ways")], |list| {
            let below = |arrow: &&Arrow| next.is_some_and(|next| arrow.to == To::Box(next));
            for arrow in arrows.iter().filter(|arrow| !below(arrow)) {
                list.element("li", &[], |item| self.arrow(item, arrow));
            }
            for arrow in arrows.iter().filter(below) {
                list.element("li", &[("class", "onward")], |item| {
                    how(item, &arrow.manners);
                    item.text(" ↓");
                });
            }
        });
    }

    fn arrow(&mut self, item: &mut Html, arrow: &Arrow) {
        match &arrow.to {
            To::End(end) => {
                how(item, &arrow.manners);
                ending(item, end, arrow.paths());
            }
            To::Folded => {
                how(item, &arrow.manners);
                item.leaf("span", &[("class", "quiet")], &format!(" … not shown: {}", endings(arrow)));
            }
            To::Box(to) if self.told[*to] => {
                how(item, &arrow.manners);
                item.text(" ");
                item.leaf("a", &[("href", &format!("#n{}", to + 1))], &format!("goes on at {}", to + 1));
                item.leaf("span", &[("class", "quiet")], &format!(" ({})", endings(arrow)));
            }
            To::Box(to) => {
                let open: &[(&str, &str)] = if arrow.marked { &[("open", "")] } else { &[] };
                item.element("details", open, |details| {
                    details.element("summary", &[], |summary| {
                        how(summary, &arrow.manners);
                        summary.leaf("span", &[("class", "quiet")], &format!(" {}", endings(arrow)));
                    });
                    self.way(details, *to);
                });
            }
        }
    }
}

/// `12 paths: ⚠ 3, ↩ 9`.
fn endings(arrow: &Arrow) -> String {
    format!("{}: {}", ends::paths(arrow.paths()), ends::folded(&arrow.endings))
}

/// How something goes, with a symbol where it is none that one would hope for.
fn how(page: &mut Html, manners: &[Manner]) {
    let text = ends::ways(manners);
    if text.is_empty() {
        return;
    }
    let bad = manners.iter().all(is_failure);
    let ill = manners.iter().all(|manner| manner.mood == Mood::Ill || is_failure(manner));
    let (class, mark) = match (bad, ill) {
        (true, _) => ("how caution", "✗ "),
        (_, true) => ("how caution", "! "),
        _ => ("how", ""),
    };
    page.leaf("span", &[("class", class)], &format!(" → {mark}{text}"));
}

fn ending(page: &mut Html, end: &PathEnd, paths: u64) {
    let (symbol, words) = ends::told(end.ends, end.cancelled);
    page.text(" ");
    let class = format!("end {}", ends::look(end.ends, end.cancelled).class());
    page.leaf("span", &[("class", &class)], &format!("{symbol} {words}"));
    for broken in ends::broken(end) {
        let class = if broken.starts_with('✗') { "end wrong" } else { "end" };
        page.text(" ");
        page.leaf("span", &[("class", class)], &broken);
    }
    page.leaf("span", &[("class", "quiet")], &format!(" {}", ends::paths(paths)));
}
