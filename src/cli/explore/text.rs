//! An exploration as people read it, in 80 columns.

use crate::model::{Bound, Exploration, PathCounts, StoryLine, Stuck, Value, Violated};

use super::super::printer::{Printer, Style};
use super::super::wrap::wrap;
use super::ends::{grouped, paths};
use super::said;

/// Prints an exploration.
pub(super) fn print(exploration: &Exploration, printer: &Printer) {
    let page = Page { printer, width: printer.width(), runbook: &exploration.runbook };
    page.head(exploration);
    page.counts(&exploration.paths);
    // What a run has left behind is on none of its ways on.
    if exploration.run.is_none() {
        page.coverage(exploration);
    }
    exploration.violations.iter().for_each(|violated| page.violated(violated));
    exploration.stuck.iter().for_each(|stuck| page.stuck(stuck));
    page.bounds(exploration);
}

/// Of so many calls it is told which of their ways are not walked.
const WAYS: usize = 8;
/// Of a long story, so many lines from its beginning and from its end.
const SHOWN: usize = 15;

struct Page<'a> {
    printer: &'a Printer,
    width: usize,
    runbook: &'a str,
}

impl Page<'_> {
    fn head(&self, exploration: &Exploration) {
        let title = if exploration.title.is_empty() { &exploration.runbook } else { &exploration.title };
        self.say("", title, Some(Style::Bold));
        let protected = if exploration.protected { " (protected)" } else { "" };
        self.say("", &format!("{} in {}{protected}", self.runbook, exploration.environment), Some(Style::Dim));
        if let Value::Map(params) = &exploration.params {
            for (name, value) in params {
                self.say("", &format!("{name} = {value}"), Some(Style::Dim));
            }
        }
        if let Some(run) = &exploration.run {
            self.say("", &format!("run {}", run.id), Some(Style::Dim));
            let style = if run.bad > 0 { Style::Caution } else { Style::Bold };
            self.say("", &run.sentence(exploration.paths.all), Some(style));
        }
        if !exploration.assumptions.is_empty() {
            self.say("", &format!("assuming {}", exploration.assumptions.join(", ")), Some(Style::Caution));
        }
        self.printer.out("");
    }

    fn counts(&self, counts: &PathCounts) {
        let width = grouped(counts.all).len();
        let hopeless = counts.well == 0;
        let row = |count: u64, text: &str, style: Option<Style>| {
            if count > 0 {
                self.out(&format!("{:>width$}  {text}", grouped(count)), style);
            }
        };
        row(counts.all, if counts.all == 1 { "path" } else { "paths" }, Some(Style::Bold));
        row(counts.well, "come to the end of the runbook", Some(Style::Good));
        row(counts.restored, "fail, and what they changed is rolled back", None);
        row(counts.left_changed, "fail, and leave something changed", Some(Style::Caution));
        row(counts.mistaken, "end at a mistake in the runbook", Some(Style::Bad));
        row(counts.in_doubt, "end in doubt: no driver can tell, a person must look", Some(Style::Caution));
        row(counts.open, "cannot be followed to an end", Some(Style::Bad));
        if hopeless {
            self.out("NO path comes to the end of the runbook", Some(Style::Bad));
        }
    }

    fn coverage(&self, exploration: &Exploration) {
        let coverage = &exploration.coverage;
        self.printer.out("");
        self.say("", &said::coverage(coverage), None);
        for missed in &coverage.missed {
            self.say(
                "  ",
                &format!("never reached: {} at {}", missed.primitive, said::place(&missed.site)),
                Some(Style::Caution),
            );
        }
        for missed in &coverage.missed_rollbacks {
            let place = said::place(&missed.site);
            self.say(
                "  ",
                &format!("never run: the rollback of \"{}\" at {place}", missed.title),
                Some(Style::Caution),
            );
        }
        let missed = said::missed_ways(coverage);
        for ways in missed.iter().take(WAYS) {
            self.say("  ", &format!("never walked: {ways}"), Some(Style::Dim));
        }
        if let Some(more) = missed.len().checked_sub(WAYS).filter(|more| *more > 0) {
            self.say("  ", &format!("and {more} more calls (--format html or json)"), Some(Style::Dim));
        }
    }

    fn violated(&self, violated: &Violated) {
        self.printer.out("");
        let Violated { invariant, summary, waived, paths: count, why, story, ends } = violated;
        if let Some(reason) = waived {
            self.say("", &format!("~ {invariant}: waived on {}: {reason}", paths(*count)), Some(Style::Caution));
            return;
        }
        self.say("", &format!("✗ {invariant}: {summary}"), Some(Style::Bad));
        self.say("  ", &format!("{}; the shortest of {}:", why, paths(*count)), None);
        self.story(story);
        self.say("          ", &format!("… {ends}"), Some(Style::Dim));
        let waiver = format!("if that is as it should be, say why in the runbook: //! waive: {invariant}: WHY");
        self.say("  ", &waiver, Some(Style::Dim));
    }

    fn stuck(&self, stuck: &Stuck) {
        self.printer.out("");
        let place = stuck.site.as_ref().map(|site| format!("{}: ", said::place(site))).unwrap_or_default();
        let mark = if stuck.mistake { "✗" } else { "?" };
        self.say("", &format!("{mark} {place}{}", stuck.why), Some(Style::Bad));
        if let Some(hint) = &stuck.hint {
            self.say("  ", hint, Some(Style::Dim));
        }
        self.say("  ", &format!("the shortest of {}:", paths(stuck.paths)), None);
        self.story(&stuck.story);
    }

    fn story(&self, story: &[StoryLine]) {
        let hidden = story.len().saturating_sub(2 * SHOWN);
        for (n, line) in story.iter().enumerate() {
            if hidden > 1 && n == SHOWN {
                self.out(&format!("          … {hidden} more lines …"), Some(Style::Dim));
            }
            if hidden > 1 && (SHOWN..SHOWN + hidden).contains(&n) {
                continue;
            }
            let elsewhere =
                if *line.site.file == *self.runbook { String::new() } else { format!(" ({})", line.site.file) };
            let mark = if line.broken { "✗" } else { " " };
            let style = match (line.broken, line.odd) {
                (true, _) => Some(Style::Bad),
                (_, true) => Some(Style::Caution),
                _ => None,
            };
            let head = format!("  {mark} {:>4}  ", line.site.line);
            let mut lines =
                wrap(&format!("{}{elsewhere}", line.text), self.width.saturating_sub(head.chars().count())).into_iter();
            let first = lines.next().unwrap_or_default();
            self.out(&format!("{head}{first}"), style);
            lines.for_each(|more| self.out(&format!("          {more}"), style));
        }
    }

    fn bounds(&self, exploration: &Exploration) {
        if exploration.bounds.is_empty() {
            return;
        }
        self.printer.out("");
        for bound in &exploration.bounds {
            let quiet = matches!(bound, Bound::Faults { .. } | Bound::Repeated { .. });
            let style = if quiet { Style::Dim } else { Style::Caution };
            self.say("", &said::bound(bound), Some(style));
        }
    }

    fn say(&self, indent: &str, text: &str, style: Option<Style>) {
        for line in wrap(text, self.width.saturating_sub(indent.len())) {
            self.out(&format!("{indent}{line}"), style);
        }
    }

    fn out(&self, line: &str, style: Option<Style>) {
        match style {
            Some(style) => self.printer.out(&self.printer.paint(style, line)),
            None => self.printer.out(line),
        }
    }
}
