//! The paths as a graph in the language of Graphviz.

use std::fmt::Write as _;

use crate::model::{Exploration, Gravity, PathEnd, PathTree, TreeNode};

use super::drawing::{Arrow, Drawing, Drawn, FromRun, To, Whole, is_failure};
use super::ends::{self, Look};
use super::mermaid::lines;
use super::rooms::{Rooms, titled};
use super::said;

/// The graph, with so many nodes at most.
pub(super) fn dot(exploration: &Exploration, tree: &PathTree, at_most: usize) -> String {
    let drawing = Drawing::of(&Whole::of(tree), at_most);
    let mut graph = Graph { text: String::new(), drawing: &drawing };
    let mut caption = vec![said::title(exploration), said::summary(exploration)];
    if drawing.folded() > 0 {
        let folded = ends::grouped(drawing.folded() as u64);
        caption.push(format!("and {folded} more nodes are folded: --nodes {} shows all", drawing.whole));
    }
    graph.line(0, "digraph paths {");
    graph.line(1, &format!("graph [label=\"{}\", labelloc=t, labeljust=l, fontname=\"Helvetica\"]", label(&caption)));
    graph.line(1, "node [shape=box, fontname=\"Helvetica\", fontsize=11]");
    graph.line(1, "edge [fontname=\"Helvetica\", fontsize=10]");
    graph.room(&Rooms::of(&drawing), None, 1);
    graph.line(1, "start [shape=circle, label=\"start\"]");
    if drawing.boxes.is_empty() {
        if let Some(TreeNode::End(end)) = tree.nodes.first() {
            graph.line(1, &end_of("e0", end, 1));
            graph.line(1, "start -> e0");
        }
    } else {
        graph.line(1, "start -> n0");
    }
    for (n, drawn) in drawing.boxes.iter().enumerate() {
        graph.arrows_from(n, drawn);
    }
    graph.line(0, "}");
    graph.text
}

struct Graph<'a> {
    text: String,
    drawing: &'a Drawing<'a>,
}

impl Graph<'_> {
    fn line(&mut self, depth: usize, text: &str) {
        let _ = writeln!(self.text, "{}{text}", "  ".repeat(depth));
    }

    /// The boxes that lie in a room, and the rooms in it.
    fn room(&mut self, rooms: &Rooms, room: Option<usize>, depth: usize) {
        for n in rooms.boxes(room) {
            let drawn = &self.drawing.boxes[n];
            let label = label(&lines(self.drawing, drawn));
            let shape = if self.drawing.asks(drawn) { ", shape=hexagon" } else { "" };
            let colours = match drawn.from_run {
                FromRun::Past => filled(Look::Cancelled.colours(), 1),
                FromRun::Here => filled(ends::HERE, 4),
                FromRun::Ahead => String::new(),
            };
            self.line(depth, &format!("n{n} [label=\"{label}\"{shape}{colours}]"));
        }
        for inner in rooms.rooms(room) {
            let title = escaped(&titled(&self.drawing.tree.rooms[inner]));
            self.line(depth, &format!("subgraph cluster_{inner} {{"));
            self.line(depth + 1, &format!("graph [label=\"{title}\", style=rounded, color=\"#8a8a94\"]"));
            self.room(rooms, Some(inner), depth + 1);
            self.line(depth, "}");
        }
    }

    fn arrows_from(&mut self, n: usize, drawn: &Drawn) {
        for (k, arrow) in drawn.arrows.iter().enumerate() {
            let to = match &arrow.to {
                To::Box(to) => format!("n{to}"),
                To::End(end) => {
                    let id = format!("e{n}_{k}");
                    self.line(1, &end_of(&id, end, arrow.paths()));
                    id
                }
                To::Folded => {
                    let text = format!("… {}: {}", ends::paths(arrow.paths()), ends::folded(&arrow.endings));
                    let red = if arrow.worst == Gravity::Broken { Look::Wrong.colours()[1] } else { "#63636e" };
                    let text = escaped(&text);
                    self.line(1, &format!("f{n} [label=\"{text}\", style=dashed, color=\"{red}\"]"));
                    format!("f{n}")
                }
            };
            let label = escaped(&ends::ways(&arrow.manners));
            self.line(1, &format!("n{n} -> {to} [label=\"{label}\"{}]", style_of(arrow)));
        }
    }
}

/// A node for the end of a path.
fn end_of(id: &str, end: &PathEnd, paths: u64) -> String {
    let (symbol, words) = ends::told(end.ends, end.cancelled);
    let mut lines = vec![format!("{symbol} {words}")];
    lines.extend(ends::broken(end));
    lines.push(ends::paths(paths));
    let look = ends::look(end.ends, end.cancelled);
    let shape = match look {
        Look::Well => "oval",
        Look::Restored => "box",
        Look::Cancelled => "parallelogram",
        Look::Left => "hexagon",
        Look::Doubt => "octagon",
        Look::Wrong => "doubleoctagon",
    };
    let broken = !end.breaks.is_empty();
    let colours = if broken { Look::Wrong } else { look }.colours();
    let width = if broken { 3 } else { 1 };
    let label = lines.iter().map(|line| escaped(line)).collect::<Vec<_>>().join("\\n");
    format!("{id} [label=\"{label}\", shape={shape}{}]", filled(colours, width))
}

/// How a box looks that has a ground of its own.
fn filled([ground, border, text]: [&str; 3], width: u8) -> String {
    format!(", style=filled, fillcolor=\"{ground}\", color=\"{border}\", fontcolor=\"{text}\", penwidth={width}")
}

/// Thick on the way to what must not be, dashed where something fails.
fn style_of(arrow: &Arrow) -> String {
    match arrow.marked {
        true => format!(", color=\"{}\", penwidth=3", Look::Wrong.colours()[1]),
        false if !arrow.manners.is_empty() && arrow.manners.iter().all(is_failure) => ", style=dashed".to_owned(),
        false => String::new(),
    }
}

/// Lines that are set to the left.
fn label(lines: &[String]) -> String {
    lines.iter().flat_map(|line| [escaped(line), "\\l".to_owned()]).collect()
}

/// Text as a quoted string has it. Graphviz reads backslashes as orders, and entities as characters.
fn escaped(text: &str) -> String {
    let mut escaped = String::new();
    for c in text.chars() {
        match c {
            '"' => escaped.push_str("\\\""),
            '\\' => escaped.push_str("\\\\"),
            '&' => escaped.push_str("&amp;"),
            c if c.is_control() => escaped.push(' '),
            c => escaped.push(c),
        }
    }
    escaped
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_stays_text() {
        assert_eq!(escaped("say \"a\\nb\" & go\n"), "say \\\"a\\\\nb\\\" &amp; go ");
    }
}
