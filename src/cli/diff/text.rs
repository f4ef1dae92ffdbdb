//! What differs between two plans as people read it, in 80 columns.

use crate::cli::printer::{Printer, Style};
use crate::cli::wrap::{columns, wrap};
use crate::model::PlanDiff;

use super::rows::{self, Row};

/// The column of words is this wide.
const WORD: usize = 9;

/// Prints what differs between two plans; `head` says of what.
pub(super) fn print(diff: &PlanDiff, head: &[String], printer: &Printer) {
    let page = Page { printer, width: printer.width() };
    for (n, line) in head.iter().enumerate() {
        page.say(0, line, Some(if n == 0 { Style::Bold } else { Style::Dim }));
    }
    if let Some(why) = &diff.cut_short {
        page.say(0, &format!("what follows is not compared: {why}"), Some(Style::Caution));
    }
    if diff.is_empty() {
        let far = if diff.cut_short.is_some() { ", as far as they were planned" } else { "" };
        page.say(0, &format!("the plans are alike{far}"), None);
        return;
    }
    if let Some((was, is)) = &diff.ends {
        page.say(0, &format!("{is}; was: {was}"), Some(Style::Caution));
    }
    diff.besides.iter().for_each(|what| page.say(0, what, None));
    let calls = rows::calls(diff);
    if !calls.is_empty() {
        printer.out("");
        for row in &calls {
            page.row(row);
        }
    }
    let failures = rows::failures(diff);
    if !failures.is_empty() {
        printer.out("");
        page.say(0, "if a call fails", Some(Style::Bold));
        for row in &failures {
            page.row(row);
        }
    }
    printer.out("");
    page.say(0, &rows::told(diff), Some(Style::Dim));
}

struct Page<'a> {
    printer: &'a Printer,
    width: usize,
}

impl Page<'_> {
    fn row(&self, row: &Row) {
        let style = match (row.grave && row.gained, row.gained) {
            (true, _) => Style::Bad,
            (_, true) => Style::Good,
            _ => Style::Dim,
        };
        let room = self.width.saturating_sub(WORD).max(20);
        let place = format!("({})", row.place);
        let mut lines = wrap(&self.printer.short(&row.call), room);
        match lines.last_mut() {
            Some(last) if columns(last) + 1 + columns(&place) <= room => *last = format!("{last} {place}"),
            _ => lines.extend(wrap(&place, room)),
        }
        for (n, line) in lines.iter().enumerate() {
            let lead = if n == 0 { format!("{:WORD$}", row.word) } else { " ".repeat(WORD) };
            self.printer.out(&format!("{}{line}", self.printer.paint(style, &lead)));
        }
        row.what.iter().for_each(|what| self.say(WORD + 2, what, Some(Style::Dim)));
    }

    fn say(&self, indent: usize, text: &str, style: Option<Style>) {
        for part in wrap(&self.printer.short(text), self.width.saturating_sub(indent).max(20)) {
            let part = style.map_or(part.clone(), |style| self.printer.paint(style, &part));
            self.printer.out(&format!("{}{part}", " ".repeat(indent)));
        }
    }
}
