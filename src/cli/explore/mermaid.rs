//! The paths as a flowchart in Mermaid, as pages on GitHub show it.

use std::fmt::Write as _;

use crate::model::{Exploration, Gravity, PathEnd, PathTree, TreeNode};

use super::drawing::{Arrow, Drawing, Drawn, FromRun, To, Whole, is_failure};
use super::ends::{self, Look};
use super::rooms::{Rooms, titled};
use super::said;

/// GitHub draws nothing with more text than this, in characters, or with more arrows.
const TEXT: usize = 50_000;
const ARROWS: usize = 500;
/// Lines of a box are no longer than this.
const LINE: usize = 60;
/// Of a box with more lines, so many at its beginning and at its end.
const LINES: usize = 5;

/// The flowchart, with so many nodes at most, and fewer where GitHub would not draw it otherwise.
pub(super) fn mermaid(exploration: &Exploration, tree: &PathTree, at_most: usize) -> String {
    let (whole, mut nodes) = (Whole::of(tree), at_most);
    loop {
        let drawing = Drawing::of(&whole, nodes);
        let (text, arrows) = chart(exploration, &drawing, at_most > nodes);
        // What must be shown is shown, even if that is too much.
        if text.chars().count() < TEXT && arrows <= ARROWS || nodes == 0 {
            return text;
        }
        nodes = nodes.min(drawing.shown) * 4 / 5;
    }
}

/// What of the drawing is not shown, and what to do about it.
fn caption(drawing: &Drawing, limited: bool) -> Option<String> {
    let folded = drawing.folded();
    (folded > 0).then(|| {
        let more = format!("and {} more nodes are folded", ends::grouped(folded as u64));
        if limited {
            format!("{more}: GitHub draws no more; --format html or dot shows them")
        } else {
            format!("{more}: --nodes {} shows all", drawing.whole)
        }
    })
}

/// The text, and how many arrows it has.
fn chart(exploration: &Exploration, drawing: &Drawing, limited: bool) -> (String, usize) {
    let title = said::title(exploration);
    let mut chart = Chart { text: String::new(), drawing, arrows: Vec::new() };
    chart.line(0, "---");
    // A string of JSON is one of YAML.
    chart.line(0, &format!("title: {}", serde_json::Value::from(plain(&title))));
    chart.line(0, "---");
    chart.line(0, "flowchart TD");
    chart.line(1, &format!("accTitle: {}", plain(&title)));
    chart.line(1, &format!("accDescr: {}", plain(&said::summary(exploration))));
    chart.room(&Rooms::of(drawing), None, 1);
    let first = if drawing.boxes.is_empty() { chart.nothing() } else { "n0".to_owned() };
    chart.line(1, &format!("start((\"start\")) --> {first}"));
    for (n, drawn) in drawing.boxes.iter().enumerate() {
        chart.arrows_from(n, drawn);
    }
    if let Some(caption) = caption(drawing, limited) {
        chart.line(1, &format!("caption[\"{}\"]", escaped(&caption)));
        chart.line(1, "class caption folded");
    }
    chart.styles();
    let count = chart.arrows.len() + 1;
    (chart.text, count)
}

struct Chart<'a> {
    text: String,
    drawing: &'a Drawing<'a>,
    arrows: Vec<bool>,
}

impl Chart<'_> {
    fn line(&mut self, depth: usize, text: &str) {
        let _ = writeln!(self.text, "{}{text}", "  ".repeat(depth));
    }

    /// The boxes that lie in a room, and the rooms in it.
    fn room(&mut self, rooms: &Rooms, room: Option<usize>, depth: usize) {
        for n in rooms.boxes(room) {
            let drawn = &self.drawing.boxes[n];
            let label = label(&lines(self.drawing, drawn));
            let shape = if self.drawing.asks(drawn) { ("{{", "}}") } else { ("[", "]") };
            let class = match drawn.from_run {
                FromRun::Past => ":::past",
                FromRun::Here => ":::here",
                FromRun::Ahead => "",
            };
            self.line(depth, &format!("n{n}{}\"{label}\"{}{class}", shape.0, shape.1));
        }
        for inner in rooms.rooms(room) {
            let title = titled(&self.drawing.tree.rooms[inner]);
            self.line(depth, &format!("subgraph r{inner}[\"{}\"]", escaped(&ends::short(&title, LINE))));
            self.room(rooms, Some(inner), depth + 1);
            self.line(depth, "end");
        }
    }

    fn arrows_from(&mut self, n: usize, drawn: &Drawn) {
        for (k, arrow) in drawn.arrows.iter().enumerate() {
            let to = match &arrow.to {
                To::Box(to) => format!("n{to}"),
                To::End(end) => end_of(&format!("e{n}_{k}"), end, arrow.paths()),
                To::Folded => {
                    let text = format!("… {}: {}", ends::paths(arrow.paths()), ends::folded(&arrow.endings));
                    let class = if arrow.worst == Gravity::Broken { "foldedBroken" } else { "folded" };
                    format!("f{n}[\"{}\"]:::{class}", escaped(&text))
                }
            };
            let how = ends::ways(&arrow.manners);
            let how = if how.is_empty() { String::new() } else { format!("|\"{}\"|", escaped(&how)) };
            self.line(1, &format!("n{n} {}{how} {to}", line_of(arrow)));
            self.arrows.push(arrow.marked);
        }
    }

    /// The end of a runbook on whose only path nothing happens.
    fn nothing(&self) -> String {
        match self.drawing.tree.nodes.first() {
            Some(TreeNode::End(end)) => end_of("e0", end, 1),
            _ => "e0[\"nothing\"]".to_owned(),
        }
    }

    fn styles(&mut self) {
        for look in Look::ALL {
            let [ground, border, text] = look.colours();
            self.line(1, &format!("classDef {} fill:{ground},stroke:{border},color:{text}", look.class()));
        }
        let [ground, border, text] = Look::Wrong.colours();
        self.line(1, &format!("classDef broken fill:{ground},stroke:{border},color:{text},stroke-width:3px"));
        if self.drawing.here().is_some() {
            let [ground, border, text] = ends::HERE;
            self.line(1, &format!("classDef here fill:{ground},stroke:{border},color:{text},stroke-width:4px"));
            let [ground, border, text] = Look::Cancelled.colours();
            self.line(1, &format!("classDef past fill:{ground},stroke:{border},color:{text}"));
        }
        self.line(1, "classDef folded fill:none,stroke-dasharray:4 3");
        self.line(1, &format!("classDef foldedBroken fill:none,stroke:{border},stroke-dasharray:4 3"));
    }
}

/// A node for the end of a path.
fn end_of(id: &str, end: &PathEnd, paths: u64) -> String {
    let (symbol, words) = ends::told(end.ends, end.cancelled);
    let mut lines = vec![format!("{symbol} {words}")];
    lines.extend(ends::broken(end));
    lines.push(ends::paths(paths));
    let look = ends::look(end.ends, end.cancelled);
    let (open, close) = match look {
        Look::Well => ("([", "])"),
        Look::Restored => ("(", ")"),
        Look::Cancelled => ("[/", "/]"),
        Look::Left => ("[\\", "/]"),
        Look::Doubt => (">", "]"),
        Look::Wrong => ("[[", "]]"),
    };
    let class = if end.breaks.is_empty() { look.class() } else { "broken" };
    format!("{id}{open}\"{}\"{close}:::{class}", label(&lines))
}

/// Thick on the way to what must not be, dotted where something fails.
fn line_of(arrow: &Arrow) -> &'static str {
    match arrow.marked {
        true => "==>",
        false if !arrow.manners.is_empty() && arrow.manners.iter().all(is_failure) => "-.->",
        false => "-->",
    }
}

/// What stands in a box, line by line. How its last line goes, the arrows say.
pub(super) fn lines(drawing: &Drawing, drawn: &Drawn) -> Vec<String> {
    let last = drawn.lines.len() - 1;
    let line = |(n, (happening, manners)): (usize, &(usize, Vec<_>))| {
        let text = ends::short(drawing.text(*happening), LINE);
        match ends::ways(manners) {
            how if n == last || how.is_empty() => text,
            how => format!("{text} → {how}"),
        }
    };
    let mut lines: Vec<String> = drawn.lines.iter().enumerate().map(line).collect();
    if lines.len() > 2 * LINES + 1 {
        let hidden = format!("… {} more …", lines.len() - 2 * LINES);
        lines.splice(LINES..lines.len() - LINES, [hidden]);
    }
    match drawn.from_run {
        FromRun::Past => lines.insert(0, said::SO_FAR.to_owned()),
        FromRun::Here => lines.insert(0, said::here(drawing.tree)),
        FromRun::Ahead => {}
    }
    lines
}

fn label(lines: &[String]) -> String {
    lines.iter().map(|line| escaped(line)).collect::<Vec<_>>().join("<br>")
}

/// Text on one line, without what ends a directive or begins a tag.
fn plain(text: &str) -> String {
    let plain = |c: char| match c {
        ';' | '{' | '}' | '#' | '%' => ' ',
        '"' => '\'',
        '<' => '‹',
        '>' => '›',
        c => c,
    };
    ends::short(text, 200).chars().map(plain).collect()
}

/// Text as a label has it between quotes. Whatever Mermaid could take for more than text is written as its number: quotes, tags and
/// numbers themselves, and what Markdown would make of it.
fn escaped(text: &str) -> String {
    let mut escaped = String::new();
    let mut before = ' ';
    let chars: Vec<char> = text.chars().collect();
    // `1.` at its beginning would be a list.
    let list = chars.iter().position(|c| !c.is_ascii_digit()).filter(|n| *n > 0);
    for (n, c) in chars.iter().copied().enumerate() {
        let after = chars.get(n + 1).copied().unwrap_or(' ');
        let means = match c {
            '"' | '#' | '<' | '>' | '&' | '`' | '*' | '~' | '|' | '\\' | '[' | ']' | '{' | '}' | '@' | ';' | '%' => {
                true
            }
            '_' => !(before.is_alphanumeric() && after.is_alphanumeric()),
            // An address would be a link.
            '/' => after == '/' || before == '/',
            '.' => chars[..n].ends_with(&['w', 'w', 'w']) || list == Some(n),
            ')' => list == Some(n),
            '-' | '+' | '=' => n == 0,
            _ => false,
        };
        match c {
            c if c.is_control() => escaped.push(' '),
            c if means => {
                let _ = write!(escaped, "#{};", u32::from(c));
            }
            c => escaped.push(c),
        }
        before = c;
    }
    escaped
}
