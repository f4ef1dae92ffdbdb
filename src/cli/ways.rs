//! In which ways a run can go on, on a screen.

use crate::model::{WayEnd, WaysOn};

use super::explore::ends;
use super::printer::{Printer, Style};
use super::wrap::wrap;

/// Shows them: the worst first, with the shortest of those that end badly line by line.
pub(super) fn show(ways: &WaysOn, printer: &Printer) {
    let style = if ways.bad > 0 { Style::Caution } else { Style::Bold };
    for line in wrap(&ways.sentence(), printer.width()) {
        printer.out(&printer.paint(style, &line));
    }
    for next in &ways.next {
        let here = ways.here.as_ref().map_or("", |here| here.call.as_str());
        printer.out("");
        printer.out(format!("{here} → {}", next.way).trim_start());
        next.ends.iter().for_each(|end| show_end(end, printer));
    }
    let faults = ways.faults;
    printer.out("");
    printer.out(
        &printer.paint(Style::Dim, &format!("each with at most {faults} further failures; nothing was looked at")),
    );
}

fn show_end(end: &WayEnd, printer: &Printer) {
    let (symbol, words) = ends::told(end.ends, end.cancelled);
    let count = if end.ways == 1 { "1 way".to_owned() } else { format!("{} ways", end.ways) };
    let breaks = if end.breaks.is_empty() { String::new() } else { format!(", breaks {}", end.breaks.join(", ")) };
    let left = if end.left.is_empty() { String::new() } else { format!(": {}", end.left.join(", ")) };
    let told = format!("{symbol} {count}: {words}{breaks}{left}");
    for (n, line) in wrap(&told, printer.width() - 4).iter().enumerate() {
        let line = if end.bad { printer.paint(Style::Bad, line) } else { line.clone() };
        printer.out(&format!("{}{line}", if n == 0 { "  " } else { "    " }));
    }
    if end.bad {
        for line in &end.story {
            let text = format!("{:>8}  {}", line.site.line, line.text);
            printer.out(&printer.paint(Style::Dim, &text));
        }
    }
}
